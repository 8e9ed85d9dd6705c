"""Sign-off: two persons, nothing open, nothing changed, and the signed result stays as it was."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner, Result

from jiko_pipeline import calendars
from jiko_pipeline.cli.signoff_command import signoff
from jiko_pipeline.reconciliation.closing.build import build_close
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.reconciliation.runner import run_controls
from jiko_pipeline.reconciliation.signatures import SignatureError, sign
from jiko_pipeline.reconciliation.signoff import Period, SignoffDesk, SignoffRefusedError, SignoffStepError
from jiko_pipeline.selftest.facts import CUSTOMER, ENTITY
from jiko_pipeline.selftest.worlds import clean_facts, proving
from jiko_pipeline_tests.reconciliation.late_bank import (
    DAY,
    FIRST_RUN,
    RESTATED,
    file_of,
    judge,
    late_bank,
    pocket_of,
    restate,
)

SIGNED_AT = FIRST_RUN + timedelta(minutes=30)
PERIOD = Period.of_day(DAY)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[SignoffDesk]:
    with late_bank() as con:
        yield SignoffDesk(con, CUSTOMER, ENTITY, tmp_path / "signoff")


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "bert"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    path.with_name("allowed").write_text(f"Bert {path.with_suffix('.pub').read_text()}")
    return path


def signed(desk: SignoffDesk, period: Period = PERIOD) -> None:
    desk.prepare(period, preparer="Anna", now=SIGNED_AT)
    desk.review(period, reviewer="Bert", now=SIGNED_AT)


def standing(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str | None]]:
    return con.execute(
        "select status, identity, superseded_by from recon.signed_period order by signoff_seq"
    ).fetchall()


def test_a_signed_day_states_what_was_tested_and_its_files_carry_their_digests(desk: SignoffDesk) -> None:
    signed(desk)
    row = desk.con.execute(
        "select controls, totals, basis, result_hash, digest from recon.signoff where status = 'SIGNED'"
    ).fetchall()[0]
    controls = {line["control_id"]: line for line in json.loads(row[0])}
    assert controls["K11"]["passed"] == 1
    assert {"tolerance", "control_version", "tested", "broken", "not_tested"} <= controls["K11"].keys()
    assert [line["pocket_id"] for line in json.loads(row[1])] == [pocket_of(desk.con)]
    assert json.loads(row[2])[0]["confirmed_by"] == "self-test"
    files = sorted(desk.folder.glob("*.json"))
    assert [path.name.split("-")[-1] for path in files] == ["prepared.json", "signed.json"]
    assert hashlib.sha256(files[1].read_bytes()).hexdigest() == row[4]
    assert files[1].with_suffix(".sha256").read_text() == f"{row[4]}  {files[1].name}\n"
    assert json.loads(files[1].read_text())["result_hash"] == row[3]
    assert standing(desk.con) == [("SIGNED", "IDENTITY_NOT_VERIFIED", None)]


@pytest.mark.parametrize("reviewer", ["Anna", " anna "])
def test_the_preparer_does_not_review(desk: SignoffDesk, reviewer: str) -> None:
    desk.prepare(PERIOD, preparer="Anna", now=SIGNED_AT)
    with pytest.raises(SignoffStepError, match="another person"):
        desk.review(PERIOD, reviewer=reviewer, now=SIGNED_AT)
    assert standing(desk.con) == []


def test_what_nobody_prepared_is_not_reviewed(desk: SignoffDesk) -> None:
    with pytest.raises(SignoffStepError, match="prepared"):
        desk.review(PERIOD, reviewer="Bert", now=SIGNED_AT)


def test_a_signature_by_an_allowed_key_verifies_the_reviewer_and_another_is_refused(
    desk: SignoffDesk, key: Path
) -> None:
    desk.prepare(PERIOD, preparer="Anna", now=SIGNED_AT)
    allowed = key.with_name("allowed")
    wrong = sign("0" * 64, key)
    with pytest.raises(SignatureError):
        desk.review(PERIOD, reviewer="Bert", now=SIGNED_AT, signature=wrong, allowed_signers=allowed)
    right = sign(desk.prepared_hash(PERIOD), key)
    with pytest.raises(SignatureError):
        desk.review(PERIOD, reviewer="Carla", now=SIGNED_AT, signature=right, allowed_signers=allowed)
    desk.review(PERIOD, reviewer="Bert", now=SIGNED_AT, signature=right, allowed_signers=allowed)
    assert standing(desk.con) == [("SIGNED", "VERIFIED", None)]


@pytest.mark.parametrize(
    ("change", "objection"),
    [
        (
            "update recon.result set status = 'NOT_TESTED', reason = 'NO_INPUT' where control_id = 'K11'",
            "K11 is required and was not tested",
        ),
        ("delete from recon.result where control_id = 'K33'", "K33 is required"),
        (
            "update raw.delivery set finality = 'PROVISIONAL' where document_kind = 'POSITION'",
            "POSITION of 2024-06-04 was made before the day ended",
        ),
        (
            "update raw.delivery set content_hash = 'another' where document_kind = 'BANK_STATEMENT'",
            "BANK_STATEMENT of 2024-06-04 has changed since the run",
        ),
        ("delete from recon.result", "No control has judged 2024-06-04"),
    ],
)
def test_a_day_that_is_not_proved_is_refused(desk: SignoffDesk, change: str, objection: str) -> None:
    desk.con.execute(change)
    with pytest.raises(SignoffRefusedError, match=objection):
        desk.prepare(PERIOD, preparer="Anna", now=SIGNED_AT)
    assert desk.con.execute("select count(*) from recon.signoff").fetchall() == [(0,)]
    assert not desk.folder.exists()


def test_an_open_break_of_severity_one_and_a_change_after_preparing_are_refused(desk: SignoffDesk) -> None:
    desk.prepare(PERIOD, preparer="Anna", now=SIGNED_AT)
    restate(desk.con)
    with pytest.raises(SignoffRefusedError, match="has changed since the run"):
        desk.review(PERIOD, reviewer="Bert", now=SIGNED_AT)
    judge(desk.con, "run-2", FIRST_RUN + timedelta(hours=2))
    with pytest.raises(SignoffRefusedError, match=r"is open \(S1\)"):
        desk.prepare(PERIOD, preparer="Anna", now=SIGNED_AT)


def test_a_restatement_after_signing_leaves_the_signed_result_and_is_a_break(desk: SignoffDesk) -> None:
    signed(desk)
    before = desk.con.execute("select * from recon.signoff order by signoff_seq").fetchall()
    restate(desk.con)
    judge(desk.con, "run-2", FIRST_RUN + timedelta(hours=2))
    assert desk.con.execute("select * from recon.signoff order by signoff_seq").fetchall() == before
    assert standing(desk.con) == [("SIGNED", "IDENTITY_NOT_VERIFIED", "run run-2")]
    codes = desk.con.execute(
        "select distinct code, severity from recon.\"break\" where control_id = 'K06' and status = 'OPEN'"
    ).fetchall()
    assert codes == [("RESTATED_POST_SIGNOFF", "S1")]


def test_reopening_needs_a_reason_and_something_signed(desk: SignoffDesk) -> None:
    with pytest.raises(SignoffStepError, match="not signed off"):
        desk.reopen(PERIOD, actor="Anna", reason="A late wire.", now=SIGNED_AT)
    signed(desk)
    with pytest.raises(SignoffStepError, match="reason"):
        desk.reopen(PERIOD, actor="Anna", reason=" ", now=SIGNED_AT)
    desk.reopen(PERIOD, actor="Anna", reason="A late wire.", now=SIGNED_AT)
    assert standing(desk.con) == [("REOPENED", "IDENTITY_NOT_VERIFIED", None)]
    signed(desk)
    assert standing(desk.con)[0] == ("REOPENED", "IDENTITY_NOT_VERIFIED", "sign-off 5")


def test_a_month_needs_every_business_day_and_one_pocket_signs_for_itself(desk: SignoffDesk) -> None:
    with pytest.raises(SignoffRefusedError, match="No control has judged 2024-06-06"):
        desk.prepare(Period.of_month(2024, 6), preparer="Anna", now=SIGNED_AT)
    signed(desk, Period.of_day(DAY, pocket_of(desk.con)))
    scopes = desk.con.execute("select distinct scope, pocket_id, period from recon.signoff").fetchall()
    assert scopes == [("POCKET", pocket_of(desk.con), "DAY")]


JUNE = Period.of_month(2024, 6)
JUNE_DAYS = calendars.fed_business_days(JUNE.first, JUNE.last)


@pytest.fixture(scope="module")
def judged_june(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The warehouse of a bank of one pocket with a whole month judged and closed."""
    month = {"customer_id": CUSTOMER, "legal_entity_id": ENTITY, "first": JUNE.first, "last": JUNE.last}
    with proving(clean_facts(3, pockets=1, days=len(JUNE_DAYS))) as con:
        run_controls(con, Registry.load(), run_id="june", now=FIRST_RUN, **month)  # type: ignore[arg-type]
        build_close(con, run_id="june", now=FIRST_RUN, **month)  # type: ignore[arg-type]  # names and values fit
        return file_of(con, tmp_path_factory.mktemp("june")).read_bytes()


@pytest.fixture
def june(tmp_path: Path, judged_june: bytes) -> Iterator[SignoffDesk]:
    """The desk of that bank."""
    path = tmp_path / "warehouse.duckdb"
    path.write_bytes(judged_june)
    with duckdb.connect(str(path), config={"threads": 1}) as con:
        yield SignoffDesk(con, CUSTOMER, ENTITY, tmp_path / "signoff")


def pull_again(con: duckdb.DuckDBPyConnection) -> None:
    """Everything was asked for a second time, at `RESTATED`, and is the same."""
    con.execute(
        "insert into raw.delivery by name select * replace (document_id || ' again' as document_id,"
        " 'UNCHANGED' as outcome, cast(? as timestamp) as known_from_utc) from raw.delivery where is_current",
        [RESTATED.replace(tzinfo=None)],
    )


def test_a_month_is_final_only_when_it_was_asked_for_again_and_its_prices_agree(june: SignoffDesk) -> None:
    with pytest.raises(SignoffRefusedError, match="POSITION has been asked for once only on 19 days from 2024-06-03"):
        june.prepare(JUNE, preparer="Anna", now=SIGNED_AT)
    pull_again(june.con)
    june.con.execute("begin")
    june.con.execute(
        "update recon.result set status = 'BREAK', code = 'PX_SRC_DIFF' where control_id = 'K37' and business_date = ?",
        [JUNE_DAYS[3]],
    )
    with pytest.raises(SignoffRefusedError, match="K37 PX_SRC_DIFF of 2024-06-06 is not accepted"):
        june.prepare(JUNE, preparer="Anna", now=SIGNED_AT)
    june.con.execute("rollback")
    assert june.prepare(JUNE, preparer="Anna", now=SIGNED_AT).status == "PREPARED"


def by_command(monkeypatch: pytest.MonkeyPatch, desk: SignoffDesk, allowed: Path, *words: str) -> Result:
    """`jiko signoff` on this desk, with a file of allowed signers."""
    monkeypatch.setattr("jiko_pipeline.pipeline.signing_off.take_step", lambda _, step: step(desk))
    return CliRunner().invoke(
        signoff, list(words), env={"JIKO_ALLOWED_SIGNERS": str(allowed), "JIKO_DATA_DIR": str(desk.folder.parent)}
    )


def test_a_month_is_signed_with_a_signature_that_was_made_elsewhere(
    june: SignoffDesk, key: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    allowed, file = key.with_name("allowed"), tmp_path / "signature"
    asked = ("--period", "2024-06", "--by")
    pull_again(june.con)
    prepared = by_command(monkeypatch, june, allowed, "prepare", *asked, "Anna", "--as-landed", "--json")
    assert prepared.exit_code == 0, prepared.output
    result_hash = json.loads(prepared.stdout)["result_hash"]
    # ssh-keygen signs the hash and a line end, as the manual tells a reviewer to
    made = subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-n", "jiko-signoff", "-f", str(key)],
        input=f"{result_hash}\n", capture_output=True, text=True, check=True,
    )  # fmt: skip
    file.write_text(sign("0" * 64, key))
    refused = by_command(monkeypatch, june, allowed, "review", *asked, "Bert", "--signature", str(file))
    assert isinstance(refused.exception, SignatureError)
    file.write_text(made.stdout)
    reviewed = by_command(monkeypatch, june, allowed, "review", *asked, "Bert", "--signature", str(file))
    assert "signed off by Bert" in reviewed.stdout
    assert "identity:    VERIFIED" in reviewed.stdout
    rows = june.con.execute("select period, days, totals, result_hash from recon.signoff where status = 'SIGNED'")
    ((period, days, totals, signed_hash),) = rows.fetchall()
    assert (period, signed_hash) == ("MONTH", result_hash)
    assert {line["business_date"] for line in json.loads(days)} == {str(day) for day in JUNE_DAYS}
    closes = june.con.execute("select closing_value from mart.daily_close where business_date = ?", [JUNE_DAYS[-1]])
    assert [line["closing_value"] for line in json.loads(totals)] == [float(one) for (one,) in closes.fetchall()]


def test_a_month_of_one_profile_is_nothing_to_another_in_the_same_warehouse(june: SignoffDesk) -> None:
    other = SignoffDesk(june.con, "another-customer", "Another LLC", june.folder)
    pull_again(june.con)
    june.prepare(JUNE, preparer="Anna", now=SIGNED_AT)
    with pytest.raises(SignoffStepError, match="Nobody has prepared 2024-06"):
        other.review(JUNE, reviewer="Bert", now=SIGNED_AT)
    with pytest.raises(SignoffRefusedError, match="No control has judged 2024-06-03"):
        other.prepare(JUNE, preparer="Anna", now=SIGNED_AT)
    june.review(JUNE, reviewer="Bert", now=SIGNED_AT)
    with pytest.raises(SignoffStepError, match="not signed off"):
        other.reopen(JUNE, actor="Anna", reason="A late wire.", now=SIGNED_AT)
    # what the bank of the other profile says or leaves open is no objection to this one
    june.reopen(JUNE, actor="Anna", reason="A late wire.", now=SIGNED_AT)
    june.con.execute("update raw.delivery set finality = 'PROVISIONAL' where customer_id <> ?", [CUSTOMER])
    june.con.execute(
        "insert into raw.delivery by name select * replace ('another-customer' as customer_id, 'x' as content_hash)"
        " from raw.delivery where document_kind = 'BANK_STATEMENT' and customer_id = ?", [CUSTOMER]
    )  # fmt: skip
    june.prepare(JUNE, preparer="Anna", now=SIGNED_AT)
    assert [path.name[:10] for path in sorted(june.folder.glob("*.json"))] == [f"{CUSTOMER}-00000"[:10]] * 4

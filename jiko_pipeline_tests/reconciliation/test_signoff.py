"""Sign-off: two persons, nothing open, nothing changed, and the signed result stays as it was."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from jiko_pipeline.reconciliation.signatures import SignatureError, sign
from jiko_pipeline.reconciliation.signoff import Period, SignoffDesk, SignoffRefusedError, SignoffStepError
from jiko_pipeline.selftest.facts import CUSTOMER, ENTITY
from jiko_pipeline_tests.reconciliation.late_bank import DAY, FIRST_RUN, judge, late_bank, pocket_of, restate

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

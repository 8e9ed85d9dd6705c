"""A month as it happens: late, restated, duplicate, cancelled and corrected documents, each followed to its end."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jiko_pipeline.cli.explanation import print_explanation
from jiko_pipeline.reconciliation.decisions import Decider
from jiko_pipeline.reconciliation.explaining import Explanation, explain
from jiko_pipeline.reconciliation.signoff import Period, SignoffDesk
from jiko_pipeline.selftest.facts import CUSTOMER, ENTITY
from jiko_pipeline_tests.reconciliation.scripted_month import REGISTRY, Month

GOLDEN = Path(__file__).with_name("scripted_month_events.txt")
CENT = Decimal("0.01")
SIGNED = date(2024, 6, 12)
QUIET = (3, 4, 7, 24, 26, 28)
"""Days of June whose documents may as well come with those of the day after; nothing is scripted for the 28th."""


def june(day: int) -> date:
    return date(2024, 6, day)


def golden(names: dict[str, str]) -> list[str]:
    """The lines of the golden file with its names filled in, comments left out."""
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    return [line.format(**names) for line in lines if line and not line.startswith("#")]


def play(month: Month, folder: Path, quiet: tuple[int, ...]) -> dict[str, str]:
    """Plays June; the mornings after the days `quiet` are left out, their days come with the next one."""
    names: dict[str, str] = {}
    desk = SignoffDesk(month.con, CUSTOMER, ENTITY, folder)

    held: list[date] = []
    late: list[tuple[str, date]] = []

    def live(day: int, *, again: Iterable[tuple[str, date]] = (), **more: Any) -> None:
        late.extend(again)
        if day in quiet:
            held.append(june(day))
            return
        month.live(june(day), also=tuple(held), again=tuple(late), **more)
        held.clear()
        late.clear()

    month.live(month.first)
    live(3)
    live(4)
    live(5, without=lambda kind: kind == "BANK_STATEMENT")
    live(6, again=[("BANK_STATEMENT", june(5))])
    live(7, again=[("BANK_STATEMENT", june(6))])

    entry = next(
        row
        for row in month.rows("BANK_STATEMENT", june(10), "statement_entry")
        if not row["proprietary_code"].startswith("SWEEP")
    )
    (detail,) = [
        row
        for row in month.rows("BANK_STATEMENT", june(10), "statement_entry_detail")
        if row["entry_seq"] == entry["entry_seq"]
    ]
    plain = detail["end_to_end_id"].lower()
    names["movement"] = "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))
    entry["signed_amount"] += CENT
    (statement,) = month.rows("BANK_STATEMENT", june(10), "statement")
    statement["summary_net_amount"] += CENT
    live(10)
    entry["signed_amount"] -= CENT
    statement["summary_net_amount"] -= CENT
    live(11, again=[("BANK_STATEMENT", june(10))])
    ((restated,),) = month.con.execute("select break_id from recon.\"break\" where control_id = 'K06'").fetchall()
    Decider(month.con, REGISTRY, CUSTOMER, "Ada", month.morning(june(11)) + timedelta(minutes=20)).resolve(
        restated, reason="The bank announced the correction."
    )

    live(12)
    at = month.morning(SIGNED) + timedelta(minutes=30)
    desk.prepare(Period.of_day(SIGNED), preparer="Ada", now=at)
    desk.review(Period.of_day(SIGNED), reviewer="Grace", now=at + timedelta(minutes=5))
    for row in month.rows("BANK_STATEMENT", SIGNED, "statement_entry_detail"):
        row["remittance_unstructured"] = "corrected"
    live(13, again=[("BANK_STATEMENT", SIGNED)])

    price = next(
        row
        for row in month.rows("SECURITY_PRICE", june(14), "security_price")
        if row["cusip"] in {held["cusip"] for held in month.rows("POSITION", june(14), "position")}
    )
    names["priced"] = price["cusip"]
    price["price"] += CENT
    live(14)
    price["price"] -= CENT
    live(17, again=[("SECURITY_PRICE", june(14))])

    live(18)
    bought = month.facts.one("staging.api_trade", document_kind="API_TRADES", scope_date=june(18), activity="BUY")
    names |= {"trade": bought["trade_id"], "bought": bought["cusip"]}
    month.facts.drop("staging.api_trade", bought)
    live(20, again=[("API_TRADES", june(18))])
    month.facts.put("staging.api_trade", bought)
    live(21, again=[("API_TRADES", june(18))])
    live(24)

    paid = month.facts.one("staging.api_trade", document_kind="API_TRADES", scope_date=june(25), activity="MATURITY")
    names["matured"] = paid["cusip"]
    month.facts.drop("staging.api_trade", paid)
    live(25)
    live(26)
    month.facts.put("staging.api_trade", paid)
    live(27, again=[("API_TRADES", june(25))])
    live(28)
    return names


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Month, dict[str, str]]:
    """June, played once, without the mornings on which nothing happens."""
    folder = tmp_path_factory.mktemp("month")
    month = Month(folder, seed=7, days=19)
    return month, play(month, folder / "signoffs", QUIET)


def test_the_events_of_the_month_are_those_written_by_hand(played: tuple[Month, dict[str, str]]) -> None:
    month, names = played
    assert month.log() == golden(names)


def test_every_morning_can_be_told_again_as_it_was(played: tuple[Month, dict[str, str]]) -> None:
    month, _ = played
    told = {day: month.known_at(day) for day in month.seen}
    assert [day for day, seen in month.seen.items() if told[day] != seen] == []


def test_what_was_signed_stays_as_it_was_signed(played: tuple[Month, dict[str, str]]) -> None:
    month, _ = played
    rows = month.con.execute("select status, actor from recon.signoff order by signoff_seq").fetchall()
    assert rows == [("PREPARED", "Ada"), ("SIGNED", "Grace")]


def test_a_late_document_is_named_by_the_break_it_cleared(played: tuple[Month, dict[str, str]]) -> None:
    month, _ = played
    found = month.con.execute(
        """
        select document.document_kind, document.first_date
        from recon."break" as found
        join raw.document as document on document.document_sha256 = found.cleared_by_document_sha256
        where found.code in ('GAP_LATE', 'FOOT_BANK', 'PX_SRC_DIFF', 'MAT_MISSING') order by 2
        """
    ).fetchall()
    assert found == [
        ("BANK_STATEMENT", june(5)),
        ("BANK_STATEMENT", june(10)),
        ("SECURITY_PRICE", june(14)),
        ("API_TRADES", june(25)),
    ]


def told(month: Month) -> dict[str, Explanation]:
    """Every break of the month told in full, by control and code; of several days the last one."""
    ids = month.con.execute(
        "select control_id || ' ' || code, break_id from recon.\"break\" order by business_date"
    ).fetchall()
    return {name: explain(month.con, REGISTRY, CUSTOMER, break_id) for name, break_id in ids}


def test_every_kind_of_break_of_the_month_is_told_with_its_documents(played: tuple[Month, dict[str, str]]) -> None:
    month, _ = played
    documents = {sha for (sha,) in month.con.execute("select document_sha256 from raw.document").fetchall()}
    breaks = told(month)
    assert len(breaks) >= 11
    for name, found in breaks.items():
        assert found.facts["detail"].endswith("."), name
        assert found.next_step.endswith("."), name
        assert found.left_label != found.right_label, name
        assert found.evidence_words, name
        assert found.life[0].event == "OPENED", name
        assert found.sources or name == "K01 GAP_LATE", name
        assert {row.document_sha256 for row in found.sources} <= documents, name


def test_both_sides_are_followed_to_their_place_in_their_documents(played: tuple[Month, dict[str, str]]) -> None:
    month, names = played
    sides = {(row.side, row.document_kind) for row in told(month)["K21 TX_AMT"].sources}
    assert sides == {("left", "API_TRANSACTIONS"), ("right", "BANK_STATEMENT")}
    assert all(row.locator for row in told(month)["K21 TX_AMT"].sources)
    prices = told(month)["K37 PX_SRC_DIFF"]
    assert [(row.side, row.document_kind, row.business_date) for row in prices.sources] == [
        ("left", "POSITION", june(14)),
        ("right", "SECURITY_PRICE", june(14)),
    ]
    assert prices.facts["entity_key"] == names["priced"]
    assert prices.unit == "PRICE"


def test_a_break_is_told_in_words_a_treasurer_reads(
    played: tuple[Month, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    month, _ = played
    print_explanation(told(month)["K40 MAT_MISSING"])
    words = capsys.readouterr().out
    assert words.splitlines()[0].endswith("has matured and no maturity was traded.")
    for said in ("face paid at the maturity", "face held before it", "USD of face", "cleared by its control", "Next: "):
        assert said in words, said


@pytest.mark.soak
def test_the_month_morning_by_morning_gives_the_same_events_and_can_be_told_again(tmp_path: Path) -> None:
    month = Month(tmp_path, seed=7, days=19)
    names = play(month, tmp_path / "signoffs", ())
    assert month.log() == golden(names)
    assert [day for day, seen in month.seen.items() if month.known_at(day) != seen] == []

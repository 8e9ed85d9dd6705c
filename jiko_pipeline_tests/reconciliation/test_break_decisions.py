"""What people decide about breaks: who may, for how long, and what makes a decision void."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from jiko_pipeline import calendars
from jiko_pipeline.errors import ExitCode
from jiko_pipeline.pipeline.deciding import decide_and_close
from jiko_pipeline.reconciliation.decisions import Decider, DecisionError
from jiko_pipeline_tests.reconciliation.cash_bank import (
    BUSINESS_DAYS,
    CUSTOMER,
    ENTITY,
    FIRST,
    LAST,
    NOW,
    OLD,
    D,
    Warehouse,
    clean_bank,
)
from jiko_pipeline_tests.reconciliation.test_break_lifecycle import (
    CENT,
    FEW,
    bend,
    breaks,
    deliver_again,
    judge,
    leave_overnight,
    life,
)

TODAY = calendars.new_york_date(NOW)
UNTIL = TODAY + timedelta(days=10)
WHY = "The bank has announced a correction."


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a bank with one S1 break (K11 of D) and one S2 break (K13 of the last day), judged once."""
    path = tmp_path_factory.mktemp("judged") / "warehouse.duckdb"
    made = Warehouse(path)
    made.land(clean_bank(), calendars.days(FIRST, LAST))
    bend(made)
    leave_overnight(made, LAST, Decimal(5))
    judge(made)
    made.con.close()
    return path.read_bytes()


@pytest.fixture
def warehouse(tmp_path: Path, judged: bytes) -> Warehouse:
    """That bank, for one test."""
    made = Warehouse(tmp_path / "warehouse.duckdb", basis=False)
    made.con.close()
    (tmp_path / "warehouse.duckdb").write_bytes(judged)
    made.con = duckdb.connect(str(tmp_path / "warehouse.duckdb"))
    return made


def decider(made: Warehouse, by: str = "Ada", *, now: datetime = NOW) -> Decider:
    return Decider(made.con, FEW, CUSTOMER, by, now)


def id_of(made: Warehouse, control: str) -> str:
    ((break_id,),) = breaks(made, "break_id", control=control)
    return str(break_id)


def accept_s2(made: Warehouse, until: date = UNTIL) -> None:
    decider(made).accept(id_of(made, "K13"), reason=WHY, until=until)


def test_an_s2_is_accepted_by_one_person_until_a_day(warehouse: Warehouse) -> None:
    accept_s2(warehouse)
    assert breaks(warehouse, "status", "accepted_until", "decided_by", "reason", control="K13") == [
        ("ACCEPTED", UNTIL, "Ada", WHY)
    ]
    judge(warehouse)
    assert life(warehouse, "K13") == ["OPENED", "ACCEPTED"]


def test_an_s1_stays_open_until_a_second_person_agrees(warehouse: Warehouse) -> None:
    break_id = id_of(warehouse, "K11")
    asked = decider(warehouse).accept(break_id, reason=WHY, until=UNTIL)
    assert asked.event == "ACCEPTANCE_ASKED"
    assert breaks(warehouse, "status", "acceptance_asked_by", control="K11") == [("OPEN", "Ada")]
    given = decider(warehouse, "Grace").accept(break_id, reason="Seen in the portal.")
    assert (given.event, given.sentence.endswith("by Ada and Grace.")) == ("ACCEPTED", True)
    assert breaks(warehouse, "status", "accepted_until", "acceptance_asked_by", control="K11") == [
        ("ACCEPTED", UNTIL, "")
    ]


def test_the_same_person_is_no_second_one_however_the_name_is_written(warehouse: Warehouse) -> None:
    break_id = id_of(warehouse, "K11")
    decider(warehouse, "Ada Byron").accept(break_id, reason=WHY, until=UNTIL)
    with pytest.raises(DecisionError, match="a second person must agree"):
        decider(warehouse, " ada  BYRON ").accept(break_id, reason=WHY)
    assert life(warehouse, "K11") == ["OPENED", "ACCEPTANCE_ASKED"]


def test_an_s2_that_has_risen_to_s1_needs_a_second_person(warehouse: Warehouse) -> None:
    warehouse.con.execute("update recon.run set last_date = last_date + 14")
    assert breaks(warehouse, "severity", "effective_severity", control="K13") == [("S2", "S1")]
    assert decider(warehouse).accept(id_of(warehouse, "K13"), reason=WHY, until=UNTIL).event == "ACCEPTANCE_ASKED"


def test_what_the_first_person_saw_must_still_hold_for_the_second(warehouse: Warehouse) -> None:
    break_id = id_of(warehouse, "K11")
    decider(warehouse).accept(break_id, reason=WHY, until=UNTIL)
    bend(warehouse)
    judge(warehouse)
    again = decider(warehouse, "Grace").accept(break_id, reason=WHY, until=UNTIL)
    assert again.event == "ACCEPTANCE_ASKED"
    assert life(warehouse, "K11") == ["OPENED", "ACCEPTANCE_ASKED", "CHANGED", "ACCEPTANCE_ASKED"]


@pytest.mark.parametrize("what", ["accepted", "resolved"])
def test_a_change_of_the_amounts_reopens_what_was_decided(warehouse: Warehouse, what: str) -> None:
    decide(warehouse, what)
    bend(warehouse)
    judge(warehouse)
    assert life(warehouse, "K11")[-1] == "REOPENED"
    assert breaks(warehouse, "status", "reason", control="K11") == [
        ("OPEN", f"Its amounts are not those that were {what}.")
    ]


@pytest.mark.parametrize("what", ["accepted", "resolved"])
def test_a_new_version_of_a_document_reopens_what_was_decided(warehouse: Warehouse, what: str) -> None:
    decide(warehouse, what)
    judge(warehouse)
    assert life(warehouse, "K11")[-1] == what.upper()
    deliver_again(warehouse, "BROKERAGE_STATEMENT", D, "corrected", NOW.replace(tzinfo=None))
    judge(warehouse)
    assert breaks(warehouse, "status", "reason", control="K11") == [
        ("OPEN", f"A document it rests on is not the one it was {what} with.")
    ]


def decide(made: Warehouse, what: str) -> None:
    """Accepts the S1 break by two persons, or resolves it."""
    break_id = id_of(made, "K11")
    if what == "resolved":
        decider(made).resolve(break_id, reason=WHY)
        return
    for person in ("Ada", "Grace"):
        decider(made, person).accept(break_id, reason=WHY, until=UNTIL)


def test_a_document_that_the_break_does_not_rest_on_leaves_a_decision_alone(warehouse: Warehouse) -> None:
    decide(warehouse, "resolved")
    deliver_again(warehouse, "BANK_STATEMENT", D, "other-kind", NOW.replace(tzinfo=None))
    deliver_again(warehouse, "BROKERAGE_STATEMENT", BUSINESS_DAYS[8], "other-day", NOW.replace(tzinfo=None))
    judge(warehouse)
    assert life(warehouse, "K11") == ["OPENED", "RESOLVED"]


def test_a_resolved_break_that_clears_and_fires_again_is_reopened(warehouse: Warehouse) -> None:
    decide(warehouse, "resolved")
    for by in (-CENT, CENT):
        bend(warehouse, by=by)
        judge(warehouse)
    assert life(warehouse, "K11") == ["OPENED", "RESOLVED", "CLEARED_AUTO", "REOPENED"]


def test_an_acceptance_ends_with_its_day_by_the_next_run_wherever_it_judges(warehouse: Warehouse) -> None:
    decide(warehouse, "accepted")
    judge(warehouse, LAST, LAST, now=NOW + timedelta(days=10))
    assert breaks(warehouse, "status", control="K11") == [("ACCEPTED",)]
    judge(warehouse, LAST, LAST, now=NOW + timedelta(days=11))
    assert breaks(warehouse, "status", "reason", control="K11") == [("OPEN", f"The acceptance ended on {UNTIL}.")]


def test_a_person_takes_back_what_was_decided_or_asked_for(warehouse: Warehouse) -> None:
    break_id = id_of(warehouse, "K11")
    decider(warehouse).accept(break_id, reason=WHY, until=UNTIL)
    decider(warehouse).reopen(break_id, reason="Too early.")
    assert breaks(warehouse, "status", "acceptance_asked_by", control="K11") == [("OPEN", "")]
    decide(warehouse, "resolved")
    decider(warehouse).reopen(break_id, reason="It was not.")
    assert breaks(warehouse, "status", "decided_by", "reason", control="K11") == [("OPEN", "Ada", "It was not.")]


def test_the_owner_belongs_to_the_case_and_stays_with_its_days(warehouse: Warehouse) -> None:
    following = BUSINESS_DAYS[6]
    bend(warehouse, following)
    judge(warehouse)
    (first, _) = breaks(warehouse, "break_id", control="K11")
    decider(warehouse).assign(first[0], to="Linus")
    assert breaks(warehouse, "owner", "business_date", control="K11") == [("Linus", D), ("Linus", following)]
    decider(warehouse, "Linus").assign(first[0], to="Grace", reason="On leave.")
    assert {owner for (owner,) in breaks(warehouse, "owner", control="K11")} == {"Grace"}
    assert breaks(warehouse, "owner", control="K13") == [("",)]


def test_a_note_stands_beside_a_break_and_leaves_its_state(warehouse: Warehouse) -> None:
    break_id = id_of(warehouse, "K11")
    decider(warehouse).note(break_id, reason="Asked\n the bank.")
    assert breaks(warehouse, "status", "last_note", "reason", control="K11") == [("OPEN", "Asked the bank.", "")]


def test_the_first_characters_of_an_id_name_a_break(warehouse: Warehouse) -> None:
    break_id = id_of(warehouse, "K11")
    assert decider(warehouse).note(break_id[:8].upper(), reason="Seen.").found.break_id == break_id


def test_a_decision_and_the_close_that_follows_stand_together_or_not_at_all(warehouse: Warehouse) -> None:
    break_id = id_of(warehouse, "K13")

    def accepted() -> None:
        decide_and_close(decider(warehouse), ENTITY, lambda who: who.accept(break_id, reason=WHY, until=UNTIL))

    warehouse.con.execute("alter table mart.daily_close rename to lost")
    with pytest.raises(duckdb.Error, match="daily_close"):
        accepted()
    assert breaks(warehouse, "status", control="K13") == [("OPEN",)]
    assert life(warehouse, "K13") == ["OPENED"]
    warehouse.con.execute("alter table mart.lost rename to daily_close")
    accepted()
    assert breaks(warehouse, "status", control="K13") == [("ACCEPTED",)]
    closed = warehouse.con.execute("select max(open_s2) from mart.daily_close where business_date = ?", [LAST])
    assert closed.fetchall() == [(0,)]


def test_refused_decisions_say_why_and_write_nothing(warehouse: Warehouse) -> None:
    s1, s2 = id_of(warehouse, "K11"), id_of(warehouse, "K13")
    bend(warehouse, by=-CENT)
    judge(warehouse)
    before = warehouse.con.execute("select count(*) from recon.break_event").fetchall()
    ours = decider(warehouse)
    for act, words in (
        (lambda: ours.note("0" * 64, reason=WHY), "There is no break"),
        (lambda: ours.note(s2[:7], reason=WHY), "too short"),
        (lambda: ours.note("", reason=WHY), "too short"),
        (lambda: ours.accept(s1, reason=WHY, until=UNTIL), "CLEARED_AUTO, so it cannot be accepted"),
        (lambda: ours.resolve(s1, reason=WHY), "CLEARED_AUTO, so it cannot be resolved"),
        (lambda: ours.assign(s1, to="Ada"), "CLEARED_AUTO, so it cannot be assigned"),
        (lambda: ours.reopen(s1, reason=WHY), "was cleared by its control"),
        (lambda: ours.reopen(s2, reason=WHY), "is open already"),
        (lambda: ours.resolve(s2, reason="  "), "needs a reason"),
        (lambda: ours.assign(s2, to=" "), "to whom"),
        (lambda: ours.accept(s2, reason=WHY), "has no last day"),
        (lambda: ours.accept(s2, reason=WHY, until=TODAY - timedelta(days=1)), "past or too long"),
        (lambda: ours.accept(s2, reason=WHY, until=TODAY + timedelta(days=31)), "past or too long"),
        (lambda: decider(warehouse, " "), "who decides"),
        (lambda: decider(warehouse, "pipeline"), "who decides"),
    ):  # fmt: skip
        with pytest.raises(DecisionError, match=words) as refused:
            act()
        assert refused.value.exit_code == ExitCode.USAGE
        assert refused.value.remedy
    assert warehouse.con.execute("select count(*) from recon.break_event").fetchall() == before


def test_thirty_days_are_the_longest_acceptance(warehouse: Warehouse) -> None:
    accept_s2_until = TODAY + timedelta(days=30)
    asked = decider(warehouse).accept(id_of(warehouse, "K13"), reason=WHY, until=accept_s2_until)
    assert str(accept_s2_until) in asked.sentence


def test_a_break_of_another_customer_is_not_found(warehouse: Warehouse) -> None:
    other = Decider(warehouse.con, FEW, "other", "Ada", NOW)
    with pytest.raises(DecisionError, match="There is no break"):
        other.note(id_of(warehouse, "K11"), reason=WHY)


def test_events_of_people_name_them_and_are_appended_in_order(warehouse: Warehouse) -> None:
    decide(warehouse, "accepted")
    rows = warehouse.con.execute(
        "select event_seq, actor, run_id from recon.break_event where control_id = 'K11' order by event_seq"
    ).fetchall()
    assert [(seq, actor) for seq, actor, _ in rows] == [(1, "pipeline"), (2, "Ada"), (3, "Grace")]
    assert OLD in {pocket for (pocket,) in breaks(warehouse, "pocket_id", control="K11")}

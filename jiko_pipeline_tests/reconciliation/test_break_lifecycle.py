"""The life of breaks over runs: cases and their age, escalation, timing that runs out, what clears a break."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jiko_pipeline import calendars
from jiko_pipeline.reconciliation.materiality import DEFAULT_LIMITS, LimitError, Limits, limits_set, set_limits
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.reconciliation.runner import RunSummary
from jiko_pipeline_tests.reconciliation.cash_bank import (
    BUSINESS_DAYS,
    CUSTOMER,
    ENTITY,
    FIRST,
    LAST,
    NEW,
    NEXT,
    NOW,
    OLD,
    REGISTRY,
    D,
    Warehouse,
    clean_bank,
)

ALL_DAYS = calendars.days(FIRST, LAST)
CENT = Decimal("0.01")
FEW = Registry(
    tuple(control for control in REGISTRY.controls if control.control_id in ("K01", "K11", "K13", "K20")),
    REGISTRY.rules_hash,
)
"""The controls whose breaks are followed here."""


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """A clean bank, landed whole and not judged yet."""
    made = Warehouse(tmp_path / "warehouse.duckdb")
    made.land(clean_bank(), ALL_DAYS)
    return made


def bend(made: Warehouse, day: date = D, by: Decimal = CENT, pocket: str = OLD) -> None:
    """Moves the gain of one pocket and day: its statement no longer adds up (K11, S1)."""
    made.con.execute(
        "update core.brokerage_daily set gains = gains + ? where pocket_id = ? and business_date = ?", [by, pocket, day]
    )


def leave_overnight(made: Warehouse, day: date, amount: Decimal, pocket: str = OLD) -> None:
    """Leaves money in the bank account over one day (K13, S2; K12 of the same and the next day)."""
    made.con.execute(
        "update core.bank_daily set closing_balance = ?, opening_balance = ? where pocket_id = ? and business_date = ?",
        [amount, amount, pocket, day],
    )


def judge(made: Warehouse, first: date = FIRST, last: date = LAST, *, now: datetime = NOW) -> RunSummary:
    """A run of the few controls."""
    return made.judge(first, last, registry=FEW, now=now)


def breaks(made: Warehouse, *columns: str, control: str) -> list[tuple[Any, ...]]:
    """The columns of the breaks of a control, by day."""
    return made.con.execute(
        f'select {", ".join(columns)} from recon."break" where control_id = ? order by business_date, pocket_id',
        [control],
    ).fetchall()


def life(made: Warehouse, control: str) -> list[str]:
    """The events of a control's breaks, in order."""
    rows = made.con.execute(
        "select event from recon.break_event where control_id = ? order by at_utc, business_date, event_seq", [control]
    ).fetchall()
    return [event for (event,) in rows]


def deliver_again(made: Warehouse, kind: str, day: date, content: str, at: datetime) -> str:
    """A later copy of a document with other content has arrived; answers its hash."""
    made.con.execute(
        "update raw.delivery set is_current = false where document_kind = ? and scope_pocket_id = ? and scope_date = ?",
        [kind, OLD, day],
    )
    columns = "document_id, customer_id, legal_entity_id, document_kind, document_sha256, parts, byte_length, "
    made.con.execute(
        f"""
        insert into raw.document ({columns} fetched_at_utc, finality, outcome, rows_in_document, rows_loaded,
            rows_rejected, findings, loaded_at_utc)
        values ($id, $customer, $entity, $kind, $sha, '[]', 0, $at, 'AFTER_CUTOFF', 'LOADED', 0, 0, 0, '[]', $at)
        """,
        {"id": content, "customer": CUSTOMER, "entity": ENTITY, "kind": kind, "sha": content, "at": at},
    )
    made.con.execute(
        """
        insert into raw.delivery (document_id, customer_id, legal_entity_id, document_kind, scope_pocket_id, scope_date,
            content_hash, row_count, finality, outcome, version_no, is_current, known_from_utc)
        values ($id, $customer, $entity, $kind, $pocket, $day, $id, 0, 'AFTER_CUTOFF', 'NEW_VERSION', 2, true, $at)
        """,
        {"id": content, "customer": CUSTOMER, "entity": ENTITY, "kind": kind, "pocket": OLD, "day": day, "at": at},
    )
    return content


def test_a_control_that_fails_day_after_day_is_one_case_as_old_as_its_first_day(warehouse: Warehouse) -> None:
    for day in BUSINESS_DAYS[5:8]:
        bend(warehouse, day)
    judge(warehouse)
    found = breaks(
        warehouse, "case_id", "first_seen_business_date", "last_seen_business_date", "case_days",
        "age_business_days", control="K11",
    )  # fmt: skip
    assert len(found) == 3
    assert set(found) == {(found[0][0], BUSINESS_DAYS[5], BUSINESS_DAYS[7], 3, 8)}


def test_a_day_without_the_break_begins_a_new_case_under_the_same_name(warehouse: Warehouse) -> None:
    for day in (BUSINESS_DAYS[5], BUSINESS_DAYS[7]):
        bend(warehouse, day)
    judge(warehouse)
    found = breaks(warehouse, "case_id", "first_seen_business_date", "case_days", control="K11")
    assert len({row[0] for row in found}) == 1
    assert [row[1:] for row in found] == [(BUSINESS_DAYS[5], 1), (BUSINESS_DAYS[7], 1)]


def test_a_case_over_a_weekend_is_consecutive(warehouse: Warehouse) -> None:
    friday, monday = BUSINESS_DAYS[4], BUSINESS_DAYS[5]
    assert (monday - friday).days == 3
    for day in (friday, monday):
        bend(warehouse, day)
    judge(warehouse)
    assert breaks(warehouse, "case_days", "first_seen_business_date", control="K11") == [(2, friday)] * 2


def test_pockets_and_entities_are_cases_of_their_own(warehouse: Warehouse) -> None:
    for pocket in (OLD, NEW):
        bend(warehouse, pocket=pocket)
    judge(warehouse)
    assert len({case for (case,) in breaks(warehouse, "case_id", control="K11")}) == 2


def test_an_s2_rises_to_s1_with_the_bucket_after_2_to_5(warehouse: Warehouse) -> None:
    leave_overnight(warehouse, D, Decimal(5))
    judge(warehouse)
    aged = {}
    for business_days in (0, 1, 2, 5, 6, 10, 11, 30, 31):
        reached = D
        for _ in range(business_days):
            reached = calendars.next_fed_business_day(reached)
        warehouse.con.execute("update recon.run set last_date = ?", [reached])
        (aged[business_days],) = breaks(
            warehouse, "age_business_days", "age_bucket", "severity", "effective_severity", control="K13"
        )
    assert aged == {
        0: (0, "0", "S2", "S2"),
        1: (1, "1", "S2", "S2"),
        2: (2, "2-5", "S2", "S2"),
        5: (5, "2-5", "S2", "S2"),
        6: (6, "6-10", "S2", "S1"),
        10: (10, "6-10", "S2", "S1"),
        11: (11, "11-30", "S2", "S1"),
        30: (30, "11-30", "S2", "S1"),
        31: (31, ">30", "S2", "S1"),
    }
    warehouse.con.execute("update recon.break_event set severity = 'S3'")
    risen = []
    for business_days in (5, 6, 11):
        reached = D
        for _ in range(business_days):
            reached = calendars.next_fed_business_day(reached)
        warehouse.con.execute("update recon.run set last_date = ?", [reached])
        risen += breaks(warehouse, "effective_severity", control="K13")
    assert risen == [("S3",), ("S2",), ("S1",)]


def test_a_closed_break_does_not_grow_older(tmp_path: Path) -> None:
    made = Warehouse(tmp_path / "warehouse.duckdb")
    made.land(clean_bank(), [day for day in ALL_DAYS if day <= NEXT])
    bend(made)
    judge(made, FIRST, NEXT)
    bend(made, by=-CENT)
    judge(made, FIRST, NEXT)
    made.land(clean_bank(), [day for day in ALL_DAYS if day > NEXT])
    judge(made, BUSINESS_DAYS[7], LAST)
    assert breaks(made, "status", "age_business_days", control="K11") == [("CLEARED_AUTO", 1)]


def half_a_sweep(tmp_path: Path, until: date) -> Warehouse:
    """A bank whose sweep of D has left and not arrived, with no brokerage statement after D."""
    bank = clean_bank()
    bank.remove("core.brokerage_flow", pocket_id=OLD, business_date=D, flow="ADDITION")
    for day in BUSINESS_DAYS[6:]:
        bank.remove("raw.delivery", document_kind="BROKERAGE_STATEMENT", scope_pocket_id=OLD, scope_date=day)
        bank.remove("core.brokerage_daily", pocket_id=OLD, business_date=day)
    made = Warehouse(tmp_path / "warehouse.duckdb")
    made.land(bank, [day for day in ALL_DAYS if day <= until])
    judge(made, FIRST, until)
    return made


def test_money_in_transit_has_until_the_next_business_day(tmp_path: Path) -> None:
    made = half_a_sweep(tmp_path, NEXT)
    assert breaks(made, "code", "break_class", "effective_class", "clear_by", control="K20") == [
        ("IN_TRANSIT", "TIMING", "TIMING", NEXT)
    ]
    assert life(made, "K20") == ["OPENED"]


def test_money_in_transit_past_its_day_is_missing_by_an_event_of_the_next_run(tmp_path: Path) -> None:
    made = half_a_sweep(tmp_path, NEXT)
    bank = clean_bank()
    bank.remove("raw.delivery", document_kind="BROKERAGE_STATEMENT", scope_pocket_id=OLD)
    made.land(bank, [BUSINESS_DAYS[7]])
    judge(made, BUSINESS_DAYS[7], BUSINESS_DAYS[7])
    judge(made, BUSINESS_DAYS[7], BUSINESS_DAYS[7])
    assert life(made, "K20") == ["OPENED", "OVERDUE"]
    assert breaks(made, "break_class", "effective_class", "status", control="K20") == [("MISSING", "MISSING", "OPEN")]


def test_what_is_overdue_is_told_even_by_a_run_that_does_not_judge_its_day(tmp_path: Path) -> None:
    made = half_a_sweep(tmp_path, NEXT)
    bank = clean_bank()
    made.land(bank, [day for day in ALL_DAYS if BUSINESS_DAYS[11] <= day <= BUSINESS_DAYS[12]])
    summary = judge(made, BUSINESS_DAYS[12], BUSINESS_DAYS[12])
    assert summary.first is not None
    assert summary.first > D
    assert life(made, "K20") == ["OPENED", "OVERDUE"]


def test_an_overdue_break_stays_missing_when_its_amounts_change(tmp_path: Path) -> None:
    made = half_a_sweep(tmp_path, BUSINESS_DAYS[7])
    assert life(made, "K20") == ["OPENED", "OVERDUE"]
    made.con.execute(
        "update core.bank_transaction set signed_amount = signed_amount - 1"
        " where pocket_id = ? and business_date = ? and category = 'SWEEP_OUT'",
        [OLD, D],
    )
    judge(made, FIRST, BUSINESS_DAYS[7])
    assert life(made, "K20") == ["OPENED", "OVERDUE", "CHANGED"]
    assert breaks(made, "break_class", control="K20") == [("MISSING",)]


def test_a_break_whose_control_cannot_test_it_now_stays_open(warehouse: Warehouse) -> None:
    bend(warehouse)
    judge(warehouse)
    warehouse.con.execute("delete from recon.basis")
    judge(warehouse)
    tested = warehouse.con.execute("select distinct reason from recon.result where control_id = 'K11'").fetchall()
    assert tested == [("BASIS",)]
    assert life(warehouse, "K11") == ["OPENED"]


@pytest.mark.fault_rows(100)
def test_a_break_names_the_document_that_cleared_it(warehouse: Warehouse) -> None:
    bend(warehouse)
    judge(warehouse)
    bend(warehouse, by=-CENT)
    at = NOW.replace(tzinfo=None)
    deliver_again(warehouse, "BANK_STATEMENT", D, "another-kind", at)
    deliver_again(warehouse, "BROKERAGE_STATEMENT", NEXT, "another-day", at)
    wanted = deliver_again(warehouse, "BROKERAGE_STATEMENT", D, "corrected", at)
    judge(warehouse, now=NOW + timedelta(days=1))
    assert breaks(warehouse, "status", "cleared_by_document_sha256", control="K11") == [("CLEARED_AUTO", wanted)]


def test_a_break_that_no_document_cleared_names_none(warehouse: Warehouse) -> None:
    bend(warehouse)
    judge(warehouse)
    bend(warehouse, by=-CENT)
    judge(warehouse)
    assert breaks(warehouse, "status", "cleared_by_document_sha256", control="K11") == [("CLEARED_AUTO", None)]


def test_the_state_at_an_earlier_moment_is_the_one_of_that_moment(warehouse: Warehouse) -> None:
    stood = 'select * from recon."break" order by break_id'
    published = []
    for number, by in enumerate((CENT, CENT, -2 * CENT)):
        bend(warehouse, by=by)
        judge(warehouse, now=NOW + timedelta(days=number))
        published.append(warehouse.con.execute(stood).fetchall())
    assert len({str(rows) for rows in published}) == 3
    for number, rows in enumerate(published):
        known = warehouse.con.execute(
            "select * from recon.break_known_at(?) order by break_id",
            [(NOW + timedelta(days=number, hours=1)).replace(tzinfo=None)],
        ).fetchall()
        assert known == rows
    assert warehouse.con.execute(
        "select count(*) from recon.break_known_at(?)", [(NOW - timedelta(days=1)).replace(tzinfo=None)]
    ).fetchall() == [(0,)]


MATERIALITY = [
    pytest.param({(OLD, D): "0.30"}, 1, id="below a dollar"),
    pytest.param({(OLD, D): "1.30"}, 0, id="above a dollar"),
    pytest.param({(OLD, D): "0.60", (NEW, D): "-0.60"}, 0, id="gross over the pockets of a day, not netted"),
    pytest.param({(OLD, D): "0.60", (OLD, BUSINESS_DAYS[8]): "0.60"}, 0, id="gross over the month"),
    pytest.param({(OLD, D): "0.30", (OLD, BUSINESS_DAYS[8]): "-0.30"}, 2, id="together below a dollar"),
]


@pytest.mark.parametrize(("left", "immaterial"), MATERIALITY)
def test_small_breaks_are_immaterial_only_if_all_of_them_together_are_small(
    warehouse: Warehouse, left: dict[tuple[str, date], str], immaterial: int
) -> None:
    for (pocket, day), amount in left.items():
        leave_overnight(warehouse, day, Decimal(amount), pocket)
    judge(warehouse)
    found = breaks(warehouse, "is_immaterial", "severity", "status", control="K13")
    assert len(found) == len(left)
    assert sum(row[0] for row in found) == immaterial
    assert {row[1] for row in found} == {"S2"}


def test_a_small_break_of_severity_s1_is_never_immaterial(warehouse: Warehouse) -> None:
    bend(warehouse)
    judge(warehouse)
    assert breaks(warehouse, "is_immaterial", "material_amount", control="K11") == [(False, None)]


def test_the_limit_is_the_one_set_for_the_day(warehouse: Warehouse) -> None:
    set_limits(warehouse.con, customer_id=CUSTOMER, legal_entity_id=ENTITY, effective_from=NEXT, by="Ada", now=NOW,
               limits=Limits(Decimal("0.20"), Decimal("0.01")))  # fmt: skip
    for day in (D, BUSINESS_DAYS[8]):
        leave_overnight(warehouse, day, Decimal("0.30"))
    judge(warehouse)
    assert breaks(warehouse, "is_immaterial", "materiality_threshold", control="K13") == [
        (True, Decimal("1.00")),
        (False, Decimal("0.20")),
    ]


def test_a_small_account_has_a_smaller_limit(warehouse: Warehouse) -> None:
    warehouse.con.execute(
        "update core.brokerage_daily set closing_value = 100000 where pocket_id = ? and business_date = ?", [OLD, D]
    )
    leave_overnight(warehouse, D, Decimal("0.30"))
    judge(warehouse)
    # 0.01 basis points of 100,000 are 10 cents.
    assert breaks(warehouse, "is_immaterial", "materiality_threshold", control="K13") == [(False, Decimal("0.10"))]


@pytest.mark.parametrize(("floor", "points", "by"), [("-1", "0.01", "Ada"), ("1", "-0.01", "Ada"), ("1", "0.01", " ")])
def test_limits_that_make_no_sense_are_refused(warehouse: Warehouse, floor: str, points: str, by: str) -> None:
    with pytest.raises(LimitError):
        set_limits(warehouse.con, customer_id=CUSTOMER, legal_entity_id=ENTITY, effective_from=D, by=by, now=NOW,
                   limits=Limits(Decimal(floor), Decimal(points)))  # fmt: skip
    assert limits_set(warehouse.con, CUSTOMER) == ()


def test_setting_the_default_limits_changes_nothing_but_the_rules_of_a_run(warehouse: Warehouse) -> None:
    leave_overnight(warehouse, D, Decimal("0.30"))
    before = judge(warehouse)
    stood = breaks(warehouse, "is_immaterial", "materiality_threshold", "severity", control="K13")
    set_limits(warehouse.con, customer_id=CUSTOMER, legal_entity_id=ENTITY, effective_from=FIRST, by="Ada", now=NOW,
               limits=DEFAULT_LIMITS)  # fmt: skip
    after = judge(warehouse)
    assert breaks(warehouse, "is_immaterial", "materiality_threshold", "severity", control="K13") == stood
    assert (after.result_hash, after.inputs_hash) == (before.result_hash, before.inputs_hash)
    assert after.rules_hash != before.rules_hash

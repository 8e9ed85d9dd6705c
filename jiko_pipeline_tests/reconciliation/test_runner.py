"""A run: every pocket-day answered, nothing stored by halves, results that do not depend on how windows arrived."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiko_pipeline import calendars
from jiko_pipeline.reconciliation.basis import (
    DEMO_BASIS,
    Basis,
    BasisConflictError,
    ImpossibleBasisError,
    confirm_basis,
    confirmed_bases,
)
from jiko_pipeline.reconciliation.evidence import EVIDENCE_TABLES
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.reconciliation.runner import ControlAnswerError, Counts
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
    CashBank,
    D,
    Warehouse,
    clean_bank,
)

ALL_DAYS = calendars.days(FIRST, LAST)
WINDOWS = ((FIRST, date(2024, 6, 7)), (date(2024, 6, 8), date(2024, 6, 12)), (date(2024, 6, 13), LAST))

ODD_HEADER = """\
-- id: K98
-- version: 1.0
-- title: Something holds.
-- key: pocket, date
-- identity: a = b
-- tolerance: 0
-- hides: nothing
-- codes: ODD = AMOUNT
-- severity: S1
-- evidence: ARITHMETIC
-- inputs: BANK_STATEMENT
-- chained: no
-- gate: no
-- required: no
"""


def odd_control(**changes: str) -> Registry:
    """A registry of one control that passes every judged pocket-day, but for the changed columns."""
    columns = {
        "pocket_id": "pocket_id", "business_date": "business_date", "entity_key": "''", "status": "'PASS'",
        "code": "''", "sub_code": "''", "reason": "''", "left_value": "0", "right_value": "0", "difference": "0",
        "detail": "''", **changes,
    }  # fmt: skip
    source = columns.pop("source", "judged_day")
    select = ", ".join(f"{expression} as {name}" for name, expression in columns.items())
    return Registry.of([("k98_odd.sql", f"{ODD_HEADER}select {select} from {source}")])


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """A clean bank, landed whole."""
    made = Warehouse(tmp_path / "warehouse.duckdb")
    made.land(clean_bank(), ALL_DAYS)
    return made


def test_every_control_answers_every_pocket_day(warehouse: Warehouse) -> None:
    summary = warehouse.judge()
    pocket_days = {(pocket, day) for pocket, day in summary.by_pocket_day}
    assert pocket_days == {(OLD, day) for day in BUSINESS_DAYS} | {(NEW, day) for day in BUSINESS_DAYS[2:]}
    assert len({key[0] for key in summary.by_key}) == len(REGISTRY.controls)
    assert len(summary.by_key) == len(REGISTRY.controls) * len(pocket_days)


def test_the_summary_counts_what_is_stored(warehouse: Warehouse) -> None:
    summary = warehouse.judge()
    stored = dict(warehouse.con.execute("select status, count(*) from recon.result group by all").fetchall())
    assert summary.total == Counts(stored["PASS"], stored.get("BREAK", 0), stored["NOT_TESTED"])
    assert sum((counts for counts in summary.by_control.values()), Counts()) == summary.total
    assert sum((counts for counts in summary.by_day.values()), Counts()) == summary.total
    run = warehouse.con.execute(
        "select tested, passed, broken, not_tested, result_hash, first_date, last_date from recon.run"
    ).fetchone()
    total = summary.total
    assert run == (total.tested, total.passed, total.broken, total.not_tested, summary.result_hash, FIRST, LAST)


def test_the_same_inputs_give_the_same_hash_and_the_same_results(warehouse: Warehouse) -> None:
    first = warehouse.judge()
    before = warehouse.all_results()
    second = warehouse.judge(now=NOW + timedelta(days=3))
    assert (first.result_hash, first.inputs_hash, first.rules_hash) == (
        second.result_hash,
        second.inputs_hash,
        second.rules_hash,
    )
    assert warehouse.all_results() == before


def test_another_fact_gives_another_result_hash(tmp_path: Path, warehouse: Warehouse) -> None:
    bank = clean_bank()
    bank.one("core.brokerage_daily", pocket_id=OLD, business_date=D)["gains"] += 1
    other = Warehouse(tmp_path / "other.duckdb")
    other.land(bank, ALL_DAYS)
    assert other.judge().result_hash != warehouse.judge().result_hash


def bent_bank() -> CashBank:
    """A bank with faults whose results reach over the edges of the windows."""
    bank = clean_bank()
    sweep = bank.one("core.brokerage_flow", pocket_id=OLD, business_date=date(2024, 6, 12), brokerage_flow_key="out#1")
    sweep["business_date"] = sweep["_landing"] = date(2024, 6, 13)
    card = bank.one(
        "core.bank_transaction", pocket_id=OLD, business_date=date(2024, 6, 12), bank_transaction_key="card#1"
    )
    card.update(business_date=date(2024, 6, 17), _landing=date(2024, 6, 17), bank_transaction_key="moved#1")
    bank.remove("core.bank_transaction", pocket_id=OLD, business_date=date(2024, 6, 6), bank_transaction_key="card#1")
    bank.remove("raw.delivery", document_kind="BROKERAGE_STATEMENT", scope_pocket_id=NEW, scope_date=date(2024, 6, 12))
    bank.remove("core.brokerage_daily", pocket_id=NEW, business_date=date(2024, 6, 12))
    bank.one("core.brokerage_daily", pocket_id=OLD, business_date=date(2024, 6, 13))["opening_value"] += 1
    return bank


@dataclass(frozen=True)
class Results:
    """Results of a run; its representation is short, for they are many."""

    rows: list[tuple[object, ...]] = field(repr=False)


@pytest.fixture(scope="module")
def results_of_landing_whole(tmp_path_factory: pytest.TempPathFactory) -> Results:
    whole = Warehouse(tmp_path_factory.mktemp("whole") / "warehouse.duckdb")
    whole.land(bent_bank(), ALL_DAYS)
    whole.judge()
    return Results(whole.all_results())


def test_the_bent_bank_has_results_of_every_kind(results_of_landing_whole: Results) -> None:
    assert {row[6] for row in results_of_landing_whole.rows} == {"PASS", "BREAK", "NOT_TESTED"}


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(WINDOWS))
def test_the_order_in_which_windows_land_leaves_no_trace(
    tmp_path_factory: pytest.TempPathFactory,
    results_of_landing_whole: Results,
    order: list[tuple[date, date]],
) -> None:
    bank = bent_bank()
    apart = Warehouse(tmp_path_factory.mktemp("apart") / "warehouse.duckdb")
    for first, last in order:
        apart.land(bank, calendars.days(first, last))
        apart.judge(first, last)
    assert apart.all_results() == results_of_landing_whole.rows


def test_landing_day_by_day_gives_the_same_results(tmp_path: Path, results_of_landing_whole: Results) -> None:
    bank = bent_bank()
    daily = Warehouse(tmp_path / "warehouse.duckdb")
    for day in ALL_DAYS:
        daily.land(bank, [day])
        if calendars.is_fed_business_day(day):
            daily.judge(calendars.previous_fed_business_day(day) + timedelta(days=1), day)
    assert daily.all_results() == results_of_landing_whole.rows


def test_a_window_without_a_business_day_judges_the_landed_days_around_it_only(warehouse: Warehouse) -> None:
    summary = warehouse.judge(date(2024, 6, 8), date(2024, 6, 9))
    assert (summary.first, summary.last) == (FIRST, date(2024, 6, 14))


def test_a_window_before_any_pocket_judges_nothing(tmp_path: Path) -> None:
    empty = Warehouse(tmp_path / "warehouse.duckdb")
    summary = empty.judge(FIRST, LAST)
    assert (summary.first, summary.total) == (None, Counts())
    assert empty.con.execute("select count(*) from recon.run").fetchone() == (0,)


def test_silence_is_never_a_pass(warehouse: Warehouse) -> None:
    registry = odd_control(source=f"(select * from judged_day where pocket_id <> '{OLD}') as some_days")
    warehouse.judge(registry=registry)
    assert warehouse.con.execute(
        "select distinct pocket_id, status, reason from recon.result order by all"
    ).fetchall() == [(NEW, "PASS", ""), (OLD, "NOT_TESTED", "NO_ANSWER")]


@pytest.mark.parametrize(
    ("changes", "objection"),
    [
        ({"status": "'FINE'"}, "unknown status"),
        ({"status": "'BREAK'"}, "code that its header does not declare"),
        ({"status": "'BREAK'", "code": "'OTHER'"}, "code that its header does not declare"),
        ({"code": "'ODD'"}, "code without a break"),
        ({"status": "'NOT_TESTED'"}, "without a reason"),
        ({"reason": "'BASIS'"}, "reason for a tested key"),
        ({"detail": "null"}, "a null where a text belongs"),
        ({"business_date": "business_date - 1000"}, "not judged"),
        ({"source": "judged_day cross join (select 1 as one union all select 2) as twice"}, "the same key twice"),
    ],
)
def test_a_control_that_breaks_its_contract_stores_nothing(
    warehouse: Warehouse, changes: dict[str, str], objection: str
) -> None:
    warehouse.judge()
    before = warehouse.all_results()
    with pytest.raises(ControlAnswerError, match=re.escape(objection)):
        warehouse.judge(registry=odd_control(**changes))
    assert warehouse.all_results() == before
    assert warehouse.con.execute("select count(*) from recon.run").fetchone() == (1,)


def test_a_control_that_fails_is_named(warehouse: Warehouse) -> None:
    with pytest.raises(ControlAnswerError, match="K98"):
        warehouse.judge(registry=odd_control(left_value="cast('x' as decimal(38, 2))"))


def test_no_session_table_outlives_a_run(warehouse: Warehouse) -> None:
    warehouse.judge()
    tables = {
        name for (name,) in warehouse.con.execute("select table_name from duckdb_tables() where temporary").fetchall()
    }
    assert tables.isdisjoint(EVIDENCE_TABLES)
    assert tables == set()


def test_a_naive_time_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(ValueError, match="time zone"):
        warehouse.judge(now=datetime(2024, 7, 1))  # noqa: DTZ001 - a naive time is what is refused


def test_the_table_of_controls_is_that_of_the_registry(warehouse: Warehouse) -> None:
    warehouse.judge()
    stored = warehouse.con.execute("select control_id, sql_sha256 from recon.control order by 1").fetchall()
    assert stored == [(control.control_id, control.sql_sha256) for control in REGISTRY.controls]


def test_a_crash_while_storing_leaves_the_earlier_results(warehouse: Warehouse) -> None:
    warehouse.judge()
    before = warehouse.all_results()
    warehouse.con.execute("alter table recon.run rename to run_aside")
    with pytest.raises(duckdb.Error):
        warehouse.judge()
    assert warehouse.all_results() == before


def test_a_basis_holds_from_its_day_until_the_next_one(tmp_path: Path) -> None:
    made = Warehouse(tmp_path / "warehouse.duckdb", basis=False)
    made.land(clean_bank(), ALL_DAYS)
    confirm_basis(made.con, customer_id=CUSTOMER, legal_entity_id=ENTITY, basis=DEMO_BASIS, effective_from=NEXT,
                  confirmed_by="a person")  # fmt: skip
    made.judge()
    tested = made.con.execute(
        "select min(business_date) from recon.result where control_id = 'K11' and status = 'PASS'"
    ).fetchone()
    assert tested == (NEXT,)


def test_confirming_the_same_basis_again_changes_nothing(warehouse: Warehouse) -> None:
    again = confirm_basis(warehouse.con, customer_id=CUSTOMER, legal_entity_id=ENTITY, basis=DEMO_BASIS,
                          effective_from=date(2024, 1, 1), confirmed_by="somebody else")  # fmt: skip
    assert again is False
    assert [(day, basis) for day, basis, _ in confirmed_bases(warehouse.con, CUSTOMER)] == [
        (date(2024, 1, 1), DEMO_BASIS)
    ]


def test_a_basis_never_changes_silently(warehouse: Warehouse) -> None:
    other = Basis("SETTLE", "SETTLE", "MV+CASH", "ECONOMIC", DEMO_BASIS.quantity_factor, "BROKERAGE", "T1")
    with pytest.raises(BasisConflictError):
        confirm_basis(warehouse.con, customer_id=CUSTOMER, legal_entity_id=ENTITY, basis=other,
                      effective_from=date(2024, 1, 1), confirmed_by="a person")  # fmt: skip


@pytest.mark.parametrize(
    "basis",
    [
        Basis("TRADE", "TRADE", "MV", "ECONOMIC", DEMO_BASIS.quantity_factor, "BROKERAGE", "T0"),
        Basis("TRADE", "SETTLE", "MV+CASH", "ECONOMIC", DEMO_BASIS.quantity_factor, "BROKERAGE", "T0"),
    ],
)
def test_a_basis_that_contradicts_itself_is_refused(warehouse: Warehouse, basis: Basis) -> None:
    with pytest.raises(ImpossibleBasisError):
        confirm_basis(warehouse.con, customer_id=CUSTOMER, legal_entity_id=ENTITY, basis=basis,
                      effective_from=LAST, confirmed_by="a person")  # fmt: skip


def test_the_basis_is_part_of_the_rules_hash(tmp_path: Path, warehouse: Warehouse) -> None:
    without = Warehouse(tmp_path / "without.duckdb", basis=False)
    without.land(clean_bank(), ALL_DAYS)
    assert without.judge().rules_hash != warehouse.judge().rules_hash

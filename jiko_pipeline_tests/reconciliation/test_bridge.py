"""The bridge from yesterday's value to today's: nothing is left over on clean facts, and every error is."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiko_pipeline_tests.reconciliation.small_bank import (
    BILLS,
    DAYS,
    FIRST,
    LAST,
    MATURING,
    NEW,
    NEW_OPENS,
    OLD,
    Facts,
    bridge_of,
    clean_facts,
    close,
    insert,
    unexplained,
    warehouse,
)
from jiko_pipeline_tests.reconciliation.test_holdings_controls import (
    PLUGGED,
    T1_PENDING,
    T1_SETTLED,
    close_of_bills_alone,
    everything_by_settlement,
    statement,
    traded_positions_and_settled_cash,
)

DAY = DAYS[7]
MATURITY_DAY = MATURING.maturity_date
LINES = [
    "opening", "deposits", "payments", "on-us", "returns", "in-kind in and out", "transit", "accretion",
    "realised gain", "change in unrealised", "brokerage fees", "bank fees", "restatement of opening", "closing",
    "unexplained",
]  # fmt: skip


def mark_judged(con: duckdb.DuckDBPyConnection, facts: Facts) -> None:
    """Results for every pocket-day, so that the close has days to work on without running the controls."""
    insert(con, "recon.result", [
        {"pocket_id": row["pocket_id"], "business_date": row["business_date"], "control_id": "K11", "entity_key": "",
         "status": "PASS", "code": "", "sub_code": "", "reason": "", "detail": "", "blocked_by": "",
         "root_break_id": "", "break_id": "", "run_id": "run-1"}
        for row in facts.rows["core.brokerage_daily"]
    ])  # fmt: skip


def bridged(path: Path, facts: Facts, **options: object) -> dict[tuple[str, date], Decimal | None]:
    with warehouse(path, facts, **options) as con:  # type: ignore[arg-type]
        mark_judged(con, facts)
        close(con)
        return unexplained(con)


def nonzero(left: dict[tuple[str, date], Decimal | None]) -> dict[tuple[str, date], Decimal]:
    return {key: amount for key, amount in left.items() if amount}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_nothing_is_unexplained_on_any_clean_day_of_any_bank(
    tmp_path_factory: pytest.TempPathFactory, seed: int, per_day: int
) -> None:
    left = bridged(tmp_path_factory.mktemp("bridge"), clean_facts(seed, per_day=per_day))
    assert left.pop((OLD, DAYS[0])) is None
    assert set(left.values()) == {Decimal("0.00")}
    assert {day for pocket, day in left if pocket == NEW} == {day for day in DAYS if day >= NEW_OPENS}


def test_the_lines_add_up_to_the_closing_value_and_come_in_order(tmp_path: Path) -> None:
    facts = clean_facts()
    with warehouse(tmp_path, facts) as con:
        mark_judged(con, facts)
        close(con)
        lines = bridge_of(con, OLD, DAY)
    assert list(lines) == LINES
    assert all(amount is not None for amount in lines.values())
    amounts = [amount for amount in lines.values() if amount is not None]
    assert sum(amounts[:13]) + amounts[14] == amounts[13] == statement(facts)["closing_value"]
    assert lines["deposits"] == sum(
        row["signed_amount"]
        for row in facts.find("core.bank_transaction", pocket_id=OLD, business_date=DAY, category="DEPOSIT")
    )
    assert lines["opening"] == statement(facts, DAYS[6])["closing_value"]


def test_the_baseline_day_of_an_older_pocket_has_no_bridge_and_the_first_day_of_a_new_one_has(tmp_path: Path) -> None:
    facts = clean_facts()
    with warehouse(tmp_path, facts) as con:
        mark_judged(con, facts)
        close(con)
        baseline, opened = bridge_of(con, OLD, DAYS[0]), bridge_of(con, NEW, NEW_OPENS)
    assert {label for label, amount in baseline.items() if amount is not None} == {"closing"}
    assert opened["opening"] == 0
    assert opened["unexplained"] == 0


Bend = Callable[[Facts], object]


def _drop_maturity(facts: Facts) -> None:
    facts.remove("core.trade", lambda row: row["activity"] == "MATURITY" and row["pocket_id"] == OLD)


def _drop_trade(facts: Facts) -> None:
    trade = facts.find("core.trade", trade_date=DAY, pocket_id=OLD, activity="BUY")[0]
    facts.remove("core.trade", lambda row: row is trade)


def _add_to_statement(*names: str, cents: int = 1) -> Bend:
    def bend(facts: Facts) -> None:
        for name in names:
            statement(facts)[name] += Decimal(cents).scaleb(-2)

    return bend


def _drop_deposit(facts: Facts) -> None:
    for day in (*DAYS[7:], *DAYS[:7]):
        rows = facts.find("core.bank_transaction", pocket_id=OLD, business_date=day, category="DEPOSIT")
        if rows and day > DAYS[1]:
            facts.rows["core.bank_transaction"].remove(rows[0])
            return
    raise AssertionError("the small bank has no deposit")


def _unclassified_deposit(facts: Facts) -> None:
    rows = [
        row
        for row in facts.find("core.bank_transaction", pocket_id=OLD, category="DEPOSIT")
        if row["business_date"] > DAYS[1]
    ]
    rows[0]["category"] = None


def _one_bill_more(facts: Facts) -> None:
    row = facts.one("core.position_daily", pocket_id=OLD, business_date=DAY, cusip=BILLS[3].cusip)
    row["quantity"] += 1
    row["face_amount"] += 100


def _sweep_bent(facts: Facts) -> None:
    statement(facts)["additions"] += 500
    statement(facts)["gains"] -= 500


@pytest.mark.parametrize(
    ("bend", "amount"),
    [
        (_drop_maturity, None),
        (_drop_trade, None),
        (_drop_deposit, None),
        (_unclassified_deposit, None),
        (_one_bill_more, None),
        (_sweep_bent, Decimal(-500)),
        (_add_to_statement("closing_value"), Decimal("0.01")),
        (_add_to_statement("gains", "closing_value"), Decimal("0.01")),
        (_add_to_statement("fees"), Decimal("0.01")),
        (_add_to_statement("subtractions"), Decimal("0.01")),
    ],
)
def test_an_error_in_any_source_is_left_over(tmp_path: Path, bend: Bend, amount: Decimal | None) -> None:
    facts = clean_facts()
    bend(facts)
    left = nonzero(bridged(tmp_path, facts))
    assert {pocket for pocket, _ in left} == {OLD}
    if amount is not None:
        assert left[OLD, DAY] == amount


def test_a_missing_maturity_leaves_its_whole_face_over(tmp_path: Path) -> None:
    facts = clean_facts()
    face = facts.one("core.trade", activity="MATURITY", pocket_id=OLD)["face_amount"]
    _drop_maturity(facts)
    assert nonzero(bridged(tmp_path, facts)) == {(OLD, MATURITY_DAY): face}


def test_the_gain_that_the_statement_states_has_no_part_in_the_bridge(tmp_path: Path) -> None:
    facts = clean_facts()
    statement(facts)["gains"] += 1_000_000
    assert nonzero(bridged(tmp_path, facts)) == {}


def test_an_opening_that_is_not_the_previous_close_is_a_restatement_line(tmp_path: Path) -> None:
    facts = clean_facts()
    statement(facts)["opening_value"] += 7
    with warehouse(tmp_path, facts) as con:
        mark_judged(con, facts)
        close(con)
        lines = bridge_of(con, OLD, DAY)
    assert lines["restatement of opening"] == 7
    assert lines["unexplained"] == -7


def test_a_sweep_that_has_not_arrived_at_the_broker_is_in_transit(tmp_path: Path) -> None:
    facts = clean_facts()
    amount = Decimal("123.45")
    for category, signed in (("DEPOSIT", amount), ("SWEEP_OUT", -amount)):
        facts.add("core.bank_transaction", pocket_id=OLD, business_date=DAY, bank_transaction_key=f"late-{category}",
                  category=category, matching_rules=1, signed_amount=signed)  # fmt: skip
    with warehouse(tmp_path, facts) as con:
        mark_judged(con, facts)
        close(con)
        lines = bridge_of(con, OLD, DAY)
    assert lines["transit"] == -amount
    assert lines["unexplained"] == 0


def test_bills_that_arrive_in_kind_have_a_line_of_their_own(tmp_path: Path) -> None:
    facts = clean_facts()
    trade = facts.find("core.trade", trade_date=DAY, pocket_id=OLD, activity="BUY")[0]
    trade["activity"] = "SECURITY_TRANSFER_IN"
    statement(facts)["additions"] += trade["notional"]
    statement(facts)["cash_balance"] += trade["notional"]
    for row in facts.find("core.brokerage_daily", pocket_id=OLD):
        if row["business_date"] > DAY:
            row["cash_balance"] += trade["notional"]
    for row in facts.find("core.brokerage_daily", pocket_id=OLD):
        if row["business_date"] >= DAY:
            row["closing_value"] += trade["notional"]
        if row["business_date"] > DAY:
            row["opening_value"] += trade["notional"]
    with warehouse(tmp_path, facts) as con:
        mark_judged(con, facts)
        close(con)
        lines, left = bridge_of(con, OLD, DAY), unexplained(con)
    assert lines["in-kind in and out"] == trade["notional"]
    assert lines["transit"] == 0
    assert nonzero(left) == {}


@pytest.mark.parametrize(
    ("world", "basis"),
    [
        (traded_positions_and_settled_cash, T1_PENDING),
        (everything_by_settlement, T1_SETTLED),
        (close_of_bills_alone, PLUGGED),
    ],
)
def test_the_bridge_foots_under_every_basis_that_a_bank_may_have(
    tmp_path: Path, world: Callable[[], Facts], basis: object
) -> None:
    left = bridged(tmp_path, world(), basis=basis)
    assert left.pop((OLD, DAYS[0])) is None
    assert set(left.values()) == {Decimal(0)}


def test_without_a_basis_there_is_no_bridge(tmp_path: Path) -> None:
    assert set(bridged(tmp_path, clean_facts(), basis=None).values()) == {None}


@pytest.mark.parametrize("table", ["core.bank_daily", "core.brokerage_daily"])
def test_a_day_whose_statement_is_missing_has_no_bridge(tmp_path: Path, table: str) -> None:
    facts = clean_facts()
    with warehouse(tmp_path, facts) as con:
        mark_judged(con, facts)
        con.execute(f"delete from {table} where pocket_id = ? and business_date = ?", [OLD, DAY])
        close(con)
        left = unexplained(con)
    assert left[OLD, DAY] is None
    assert left[NEW, DAY] == 0


def straight_line(cost: Decimal, face: Decimal, bought: date, matures: date, day: date) -> Decimal:
    """Amortised cost at the end of `day`, rounded to cents."""
    elapsed = (min(day, matures) - bought).days
    return (cost + (face - cost) * elapsed / (matures - bought).days).quantize(Decimal("0.01"), "ROUND_HALF_UP")


def test_accretion_and_realised_gain_follow_the_lots_first_in_first_out(tmp_path: Path) -> None:
    """Two purchases, one sale that takes the first and half of the second: worked out by hand in Python."""
    bill, first_day, second_day, sale_day = BILLS[2], NEW_OPENS, DAYS[3], DAYS[5]
    facts = clean_facts()
    for table in ("core.trade", "core.trade_report", "core.position_daily"):
        facts.remove(table, lambda row: row["pocket_id"] == NEW)
    first_cost, second_cost, proceeds = Decimal("98765.43"), Decimal("49400.01"), Decimal("123600.00")
    trades = [
        ("BUY", first_day, 1_000, first_cost),
        ("BUY", second_day, 500, second_cost),
        ("SELL", sale_day, 1_250, proceeds),
    ]
    for number, (activity, day, bills, cash) in enumerate(trades):
        facts.add("core.trade", trade_id=f"hand-{number}", pocket_id=NEW, activity=activity, cusip=bill.cusip,
                  quantity=bills, face_amount=Decimal(bills * 100), notional=cash,
                  traded_at_utc=datetime.combine(day, time(15)), trade_date=day, book_date=day,
                  settlement_date=day, maturity_date=bill.maturity_date,
                  occurrences=1)  # fmt: skip

    def first_lot(day: date) -> Decimal:
        return straight_line(first_cost, Decimal(100_000), first_day, bill.maturity_date, day)

    def second_lot(day: date) -> Decimal:
        return straight_line(second_cost, Decimal(50_000), second_day, bill.maturity_date, day)

    with warehouse(tmp_path, facts) as con:
        mark_judged(con, facts)
        close(con)
        on_second, on_sale, after = (bridge_of(con, NEW, day) for day in (second_day, sale_day, DAYS[6]))
    half = straight_line(second_cost / 2, Decimal(25_000), second_day, bill.maturity_date, sale_day)
    half_after = straight_line(second_cost / 2, Decimal(25_000), second_day, bill.maturity_date, DAYS[6])
    assert on_second["accretion"] == first_lot(second_day) - first_lot(first_day)
    assert on_sale["accretion"] == (
        first_lot(sale_day) - first_lot(DAYS[4]) + second_lot(sale_day) - second_lot(DAYS[4])
    )
    assert on_sale["realised gain"] == proceeds - first_lot(sale_day) - (second_lot(sale_day) - half)
    assert after["accretion"] == half_after - half


def test_a_bill_bought_and_held_to_maturity_accretes_its_whole_discount_and_realises_nothing(tmp_path: Path) -> None:
    """All discount of a lot is accretion, the weekend's included, and a maturity has no gain."""
    facts = clean_facts()
    for table in ("core.trade", "core.trade_report", "core.position_daily"):
        facts.remove(table, lambda row: row["pocket_id"] == NEW)
    cost, face = Decimal("49990.03"), Decimal(50_000)
    for activity, day, cash in (("BUY", DAYS[3], cost), ("MATURITY", MATURITY_DAY, face)):
        facts.add("core.trade", trade_id=f"hand-{activity}", pocket_id=NEW, activity=activity, cusip=MATURING.cusip,
                  quantity=500, face_amount=face, notional=cash,
                  traded_at_utc=datetime.combine(day, time(15)), trade_date=day, book_date=day,
                  settlement_date=day, maturity_date=MATURITY_DAY, occurrences=1)  # fmt: skip
    with warehouse(tmp_path, facts) as con:
        mark_judged(con, facts)
        close(con)
        bridges = [bridge_of(con, NEW, day) for day in DAYS if day >= NEW_OPENS]
    assert sum(lines["accretion"] or 0 for lines in bridges) == face - cost
    assert {lines["realised gain"] for lines in bridges} == {Decimal(0)}


def test_building_the_same_window_again_changes_nothing(tmp_path: Path) -> None:
    facts = clean_facts()
    with warehouse(tmp_path, facts) as con:
        mark_judged(con, facts)
        close(con)
        before = con.execute("select * from mart.recon_bridge order by all").fetchall()
        close(con, DAYS[4], DAYS[6])
        assert con.execute("select * from mart.recon_bridge order by all").fetchall() == before
        assert len(before) == 15 * len(facts.rows["core.brokerage_daily"])


def test_an_earlier_window_that_lands_later_leaves_the_same_bridge(tmp_path: Path) -> None:
    """The lots of later days rest on earlier trades, so later days are made anew."""
    facts = clean_facts()
    late = DAYS[5]
    with warehouse(tmp_path, facts) as con:
        mark_judged(con, facts)
        close(con)
        wanted = con.execute("select * from mart.recon_bridge order by all").fetchall()
        con.execute("delete from mart.recon_bridge")
        early = con.execute("select * from raw.delivery where scope_date < ?", [late]).fetchall()
        con.execute("delete from raw.delivery where scope_date < ?", [late])
        close(con, late, LAST)
        assert con.execute("select * from mart.recon_bridge order by all").fetchall() != wanted
        con.executemany(f"insert into raw.delivery values ({', '.join('?' * len(early[0]))})", early)
        close(con, FIRST, late - timedelta(days=1))
        assert con.execute("select * from mart.recon_bridge order by all").fetchall() == wanted

"""Lots, holdings, income and cash positions: what they say of a small bank, and the equations between them."""

from datetime import date
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import pytest

from jiko_pipeline import tbill
from jiko_pipeline_tests.reconciliation.small_bank import (
    CUSTOMER,
    DAYS,
    LAST,
    NEW,
    OLD,
    Facts,
    clean_facts,
    close,
    judge,
    warehouse,
)


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[Any]:
    return con.execute(query).fetchall()


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A clean world of two pockets, judged and closed."""
    with warehouse(tmp_path_factory.mktemp("income"), clean_facts(1)) as opened:
        judge(opened)
        close(opened)
        yield opened


def test_what_a_bill_gains_is_accretion_and_price_effect_and_these_are_what_was_realised_and_what_was_not(
    con: duckdb.DuckDBPyConnection,
) -> None:
    told = rows(
        con,
        """
        select total_gain, discount_accretion_sl + price_effect,
            discount_accretion_sl + realised_gain + unrealised_change
        from core.income_daily where total_gain is not null
        """,
    )
    assert len(told) > 40
    assert all(gain == halves == thirds for gain, halves, thirds in told)
    assert any(gain != 0 for gain, _, _ in told)


def test_income_sums_to_the_gain_that_the_brokerage_statement_states(con: duckdb.DuckDBPyConnection) -> None:
    compared = rows(
        con,
        """
        select income.gain, statement.gains
        from (
            select pocket_id, business_date, sum(total_gain) as gain, bool_and(total_gain is not null) as is_told
            from core.income_daily group by pocket_id, business_date
        ) as income
        join core.brokerage_daily as statement using (pocket_id, business_date)
        where income.is_told
        """,
    )
    assert len(compared) >= 2 * len(DAYS) - 4
    assert all(ours == theirs for ours, theirs in compared)


def test_the_bridge_takes_its_lines_from_the_same_lots(con: duckdb.DuckDBPyConnection) -> None:
    compared = rows(
        con,
        """
        select bridge.label, bridge.amount, income.accretion, income.realised, income.unrealised
        from mart.recon_bridge as bridge
        join (
            select pocket_id, business_date, sum(discount_accretion_sl) as accretion, sum(realised_gain) as realised,
                sum(unrealised_change) as unrealised
            from core.income_daily group by pocket_id, business_date
        ) as income using (pocket_id, business_date)
        where bridge.label in ('accretion', 'realised gain', 'change in unrealised') and bridge.amount is not null
        """,
    )
    assert {row[0] for row in compared} == {"accretion", "realised gain", "change in unrealised"}
    for label, amount, accretion, realised, unrealised in compared:
        place = ("accretion", "realised gain", "change in unrealised").index(label)
        assert amount == (accretion, realised, unrealised)[place]


def test_a_holding_carries_the_rates_of_its_price_as_python_computes_them(con: duckdb.DuckDBPyConnection) -> None:
    held = rows(
        con,
        "select business_date, price, maturity_date, discount_rate_percent, investment_rate_percent"
        " from core.holding_daily",
    )
    assert len(held) > 40
    for day, price, maturity, discount, investment in held:
        days = (maturity - day).days
        assert abs(tbill.discount_rate_percent(price, days) - discount) <= Decimal("0.0000005")
        assert abs(tbill.investment_rate_percent(price, days, tbill.year_basis(day)) - investment) <= Decimal(
            "0.000001"
        )


def test_amortised_cost_lies_between_cost_and_face_and_both_methods_meet_at_maturity(
    con: duckdb.DuckDBPyConnection,
) -> None:
    held = rows(
        con,
        "select amortised_cost, amortised_cost_effective, face_amount, market_value, unrealised_gain"
        " from core.holding_daily where amortised_cost is not null",
    )
    assert len(held) > 40
    for straight, effective, face, value, unrealised in held:
        assert effective <= straight < face
        assert unrealised == value - straight
    exhausted = rows(
        con,
        """
        select sum(income.discount_accretion_sl - income.discount_accretion_effective)
        from core.income_daily as income
        join core.lot as lot using (pocket_id, cusip)
        where lot.exhausted_on = lot.maturity_date and lot.lot_source = 'PURCHASE'
            and (select count(*) from core.lot as other
                 where other.pocket_id = lot.pocket_id and other.cusip = lot.cusip) = 1
        """,
    )
    assert exhausted in ([(None,)], [(Decimal("0.00"),)])


def test_the_worked_accretion_table_of_a_real_bill(tmp_path: Path) -> None:
    # 912797GK7, 13 weeks from 2024-05-09 at 98.672917, ten million face: straight line and daily compounding.
    expected = {
        1: ("1458.33", "1448.72"),
        30: ("43749.99", "43554.24"),
        45: ("65624.98", "65403.40"),
        60: ("87499.98", "87300.73"),
        91: ("132708.30", "132708.30"),
    }
    functions = resources.files("jiko_pipeline.reconciliation.closing") / "working_functions.sql"
    with duckdb.connect(str(tmp_path / "accretion.duckdb")) as opened:
        opened.execute(functions.read_text(encoding="utf-8"))
        for day, (straight, effective) in expected.items():
            ((sl, eff),) = opened.execute(
                "select closing_carried_cents(100000, 100000, cost, face, $1, 91) - cost,"
                " closing_effective_cents(100000, 100000, cost, face, $1, 91) - cost"
                " from (select 986729170::hugeint as cost, 1000000000::hugeint as face)",
                [day],
            ).fetchall()
            assert abs(Decimal(sl).scaleb(-2) - Decimal(straight)) <= Decimal("0.01")
            assert abs(Decimal(int(eff)).scaleb(-2) - Decimal(effective)) <= Decimal("0.01")


def test_a_lot_states_its_terms_at_purchase(con: duckdb.DuckDBPyConnection) -> None:
    lots = rows(
        con,
        """
        select lot.lot_id, lot.lot_source, lot.quantity, lot.historical_cost, lot.settled_on, lot.maturity_date,
            lot.is_cash_equivalent, lot.discount_rate_percent, trade.notional, trade.quantity
        from core.lot as lot left join core.trade as trade on trade.trade_id = lot.lot_id
        """,
    )
    assert {row[1] for row in lots} == {"PURCHASE", "LOT_UNKNOWN"}
    for lot_id, source, quantity, cost, settled, maturity, is_cash, rate, notional, bought in lots:
        months_on = date(settled.year + (settled.month + 2) // 12, (settled.month + 2) % 12 + 1, min(settled.day, 28))
        if abs((maturity - months_on).days) > 3:
            assert is_cash == (maturity < months_on)
        assert rate > 0
        assert (lot_id == "TAKE-ON") == (source == "LOT_UNKNOWN")
        if source == "PURCHASE":
            assert (quantity, cost) == (bought, notional)


def test_the_ladder_holds_every_bill_that_is_repaid_in_its_time(con: duckdb.DuckDBPyConnection) -> None:
    positions = rows(con, "from core.cash_position")
    assert len(positions) == len(rows(con, "select 1 from mart.daily_close"))
    compared = rows(
        con,
        """
        select position.maturing_7d, position.face_amount, position.total,
            coalesce((select sum(face_amount) from core.position_daily as held
             where held.pocket_id = position.pocket_id and held.business_date = position.business_date
               and held.maturity_date - held.business_date <= 7), 0),
            coalesce((select sum(face_amount) from core.position_daily as held
             where held.pocket_id = position.pocket_id and held.business_date = position.business_date), 0),
            statement.closing_value + bank.closing_balance
        from core.cash_position as position
        join core.brokerage_daily as statement using (pocket_id, business_date)
        join core.bank_daily as bank using (pocket_id, business_date)
        """,
    )
    assert any(row[0] > 0 for row in compared)
    assert all(row[:3] == row[3:] for row in compared)


def test_the_averages_lie_within_what_is_held(con: duckdb.DuckDBPyConnection) -> None:
    for average, least, most in rows(
        con,
        """
        select position.weighted_average_maturity_days, min(held.days_to_maturity), max(held.days_to_maturity)
        from core.cash_position as position
        join core.holding_daily as held using (pocket_id, business_date)
        group by all
        """,
    ):
        assert least <= average <= most


def test_the_average_method_relieves_the_stated_cost_in_proportion(tmp_path: Path) -> None:
    facts: Facts = clean_facts(1)
    with warehouse(tmp_path, facts) as opened:
        judge(opened)
        close(opened)
        sold = rows(
            opened,
            "select pocket_id, business_date, cusip, proceeds, realised_gain_average from core.income_daily"
            " where realised_gain_average is not null and bought = 0 and closing_market_value > 0",
        )
    assert sold
    for pocket, day, cusip, proceeds, gain in sold:
        before = DAYS[DAYS.index(day) - 1]
        held = facts.one("core.position_daily", pocket_id=pocket, business_date=before, cusip=cusip)
        left = facts.one("core.position_daily", pocket_id=pocket, business_date=day, cusip=cusip)
        part = held["historical_cost"] * (held["quantity"] - left["quantity"]) / held["quantity"]
        assert abs(proceeds - part - gain) <= Decimal("0.01")


def test_without_the_summary_of_a_day_its_income_and_that_of_the_next_are_not_told(tmp_path: Path) -> None:
    facts = clean_facts(1)
    gone = DAYS[7]
    facts.remove("core.position_daily", lambda row: row["business_date"] == gone and row["pocket_id"] == OLD)
    facts.remove(
        "raw.delivery",
        lambda row: (row["document_kind"], row["scope_pocket_id"], row["scope_date"]) == ("POSITION", OLD, gone),
    )
    with warehouse(tmp_path, facts) as opened:
        judge(opened)
        close(opened)
        told = {
            (pocket, day): is_told
            for pocket, day, is_told in rows(
                opened,
                "select pocket_id, business_date, bool_or(total_gain is not null) from core.income_daily group by all",
            )
        }
    assert not told[OLD, DAYS[8]]
    assert told[OLD, DAYS[9]] and told[NEW, DAYS[8]]
    assert (OLD, LAST) in told and CUSTOMER


def test_closing_a_window_again_leaves_the_same_lots_and_income(con: duckdb.DuckDBPyConnection) -> None:
    names = ("core.lot", "core.holding_daily", "core.income_daily", "core.cash_position")
    before = [rows(con, f"from meta.table_hash('{name}')") for name in names]
    close(con, first=DAYS[5])
    assert [rows(con, f"from meta.table_hash('{name}')") for name in names] == before

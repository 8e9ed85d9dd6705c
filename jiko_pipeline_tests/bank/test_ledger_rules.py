"""The simulated bank obeys its own rules, seen from outside: only what the world says is looked at.

The days are rolled forward here a second time, from transactions, trades and prices alone.
"""

import itertools
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, time, timedelta

import pytest

from jiko_pipeline import calendars, tbill
from jiko_pipeline.simulator.model import (
    Pocket,
    PositionSummary,
    StatementFacts,
    Trade,
    Transaction,
    WorldConfig,
)
from jiko_pipeline.simulator.world import World

CONFIGS = [
    WorldConfig(seed=7, start=date(2024, 6, 3)),
    WorldConfig(seed=1, start=date(2024, 3, 1)),
    WorldConfig(seed=3, start=date(2026, 2, 2), pockets=6),
    WorldConfig(seed=2, start=date(2008, 5, 1)),
    WorldConfig(seed=11, start=date(2029, 12, 3), pockets=3),
]


@dataclass(frozen=True)
class PocketDayFacts:
    day: date
    pocket: Pocket
    bank: StatementFacts
    brokerage: StatementFacts
    summary: PositionSummary
    trades: tuple[Trade, ...]
    booked: tuple[Transaction, ...]


@dataclass(frozen=True)
class YearFacts:
    world: World
    first: date
    last: date
    days: dict[str, list[PocketDayFacts]]
    transactions: tuple[Transaction, ...]
    trades: tuple[Trade, ...]
    prices: dict[tuple[str, date], int]


def _year(config: WorldConfig) -> YearFacts:
    world = World(config)
    last = config.start + timedelta(days=365)
    pockets = world.pockets(last)
    first = min(pocket.opened_on for pocket in pockets)
    transactions = world.transactions(first, last)
    trades = world.trades(first, last)
    traded: dict[tuple[str, date], list[Trade]] = defaultdict(list)
    for trade in trades:
        traded[trade.pocket_id, calendars.new_york_date(trade.traded_at)].append(trade)
    booked: dict[tuple[str, date], list[Transaction]] = defaultdict(list)
    for row in transactions:
        booked[row.pocket_id, row.bank_date].append(row)
    days: dict[str, list[PocketDayFacts]] = {}
    for pocket in pockets:
        rows = days[pocket.id] = []
        for day in calendars.fed_business_days(pocket.opened_on, pocket.closed_on or last):
            bank = world.bank_statement(pocket.id, day)
            brokerage = world.brokerage_statement(pocket.id, day)
            summary = world.position_summary(pocket.id, day)
            assert bank is not None
            assert brokerage is not None
            assert summary is not None
            rows.append(
                PocketDayFacts(
                    day,
                    pocket,
                    bank,
                    brokerage,
                    summary,
                    tuple(traded[pocket.id, day]),
                    tuple(booked[pocket.id, day]),
                )
            )
    prices = {(mark.cusip, mark.day): mark.price_micros for mark in world.prices(first, last)}
    return YearFacts(world, first, last, days, transactions, trades, prices)


@pytest.fixture(scope="module", params=CONFIGS, ids=lambda config: f"{config.seed}-{config.start}")
def year(request: pytest.FixtureRequest) -> YearFacts:
    return _year(request.param)


def _signed(line: object) -> int:
    return line.amount_cents if line.credit else -line.amount_cents  # type: ignore[attr-defined]


def _each_day(year: YearFacts) -> list[tuple[PocketDayFacts | None, PocketDayFacts]]:
    pairs: list[tuple[PocketDayFacts | None, PocketDayFacts]] = []
    for rows in year.days.values():
        pairs += list(zip([None, *rows[:-1]], rows, strict=True))
    return pairs


def test_the_bank_account_opens_and_closes_at_zero_and_its_lines_cancel(year: YearFacts) -> None:
    for _, facts in _each_day(year):
        assert (facts.bank.opening_cents, facts.bank.closing_cents) == (0, 0)
        assert sum(_signed(line) for line in facts.bank.lines) == 0


def test_the_brokerage_statement_foots_and_continues_the_day_before(year: YearFacts) -> None:
    for before, facts in _each_day(year):
        opening = 0 if before is None else before.brokerage.closing_cents
        assert facts.brokerage.opening_cents == opening
        assert facts.brokerage.closing_cents == opening + sum(_signed(line) for line in facts.brokerage.lines)


def test_statements_are_numbered_from_one_and_name_the_business_day_before(year: YearFacts) -> None:
    for rows in year.days.values():
        for number, facts in enumerate(rows, start=1):
            for statement in (facts.bank, facts.brokerage):
                assert statement.sequence_number == number
                assert statement.previous_day == calendars.previous_fed_business_day(facts.day)


def test_no_line_is_of_zero_and_references_are_unique_on_a_statement(year: YearFacts) -> None:
    for _, facts in _each_day(year):
        for statement in (facts.bank, facts.brokerage):
            assert all(line.amount_cents > 0 for line in statement.lines)
            references = [line.reference for line in statement.lines]
            assert len(set(references)) == len(references)
            assert all(len(line.reference) <= 35 and len(line.end_to_end_id) <= 35 for line in statement.lines)


def test_the_bank_statement_books_exactly_the_transactions_of_its_day(year: YearFacts) -> None:
    for _, facts in _each_day(year):
        booked = [(line.end_to_end_id, _signed(line)) for line in facts.bank.lines if not line.code.startswith("SWEEP")]
        moved = [(row.id.replace("-", ""), _signed(row)) for row in facts.booked]
        assert sorted(booked) == sorted(moved)


def test_each_sweep_has_its_other_leg_with_the_same_reference_and_amount(year: YearFacts) -> None:
    legs = {"SWEEP_OUT": "ADDITION", "SWEEP_IN": "SUBTRACTION"}
    for _, facts in _each_day(year):
        left = {
            (legs[line.code], line.end_to_end_id, line.amount_cents) for line in facts.bank.lines if line.code in legs
        }
        right = {
            (line.code, line.end_to_end_id, line.amount_cents)
            for line in facts.brokerage.lines
            if line.code in legs.values()
        }
        assert left == right


def test_positions_roll_forward_through_the_trades(year: YearFacts) -> None:
    for before, facts in _each_day(year):
        rolled = Counter({} if before is None else {row.cusip: row.quantity for row in before.summary.positions})
        for trade in facts.trades:
            rolled[trade.bill.cusip] += trade.quantity if trade.activity == "BUY" else -trade.quantity
        held = {row.cusip: row.quantity for row in facts.summary.positions}
        assert {cusip: quantity for cusip, quantity in rolled.items() if quantity} == held


def test_cash_moves_by_sweeps_fee_and_trades(year: YearFacts) -> None:
    for before, facts in _each_day(year):
        cash = 0 if before is None else before.summary.cash_cents
        cash += sum(_signed(line) for line in facts.brokerage.lines if line.code != "GAIN_LOSS")
        for trade in facts.trades:
            cash += -trade.cash_cents if trade.activity == "BUY" else trade.cash_cents
        assert cash == facts.summary.cash_cents


def test_cash_after_trading_is_less_than_a_bill_costs_and_never_negative(year: YearFacts) -> None:
    for _, facts in _each_day(year):
        assert facts.summary.cash_cents >= 0
        if calendars.is_trading_day(facts.day) and facts.pocket.closed_on != facts.day:
            prices = [trade.price_micros for trade in facts.trades if trade.activity in ("BUY", "SELL")]
            price = min(prices) if prices else 100_000_000
            assert facts.summary.cash_cents < tbill.cash_cents(1, price) + 1


def test_the_brokerage_closes_at_bills_and_cash(year: YearFacts) -> None:
    for _, facts in _each_day(year):
        value = sum(row.market_value_cents for row in facts.summary.positions)
        assert facts.brokerage.closing_cents == value + facts.summary.cash_cents


def test_market_values_are_quantity_times_the_reported_price(year: YearFacts) -> None:
    for _, facts in _each_day(year):
        for row in facts.summary.positions:
            assert row.mark_micros == year.prices[row.cusip, facts.day]
            assert row.market_value_cents == tbill.cash_cents(row.quantity, row.mark_micros)


def test_the_gain_is_the_change_in_value_less_net_purchases(year: YearFacts) -> None:
    for before, facts in _each_day(year):
        change = sum(row.market_value_cents for row in facts.summary.positions)
        if before is not None:
            change -= sum(row.market_value_cents for row in before.summary.positions)
        for trade in facts.trades:
            change -= trade.cash_cents if trade.activity == "BUY" else -trade.cash_cents
        gains = [_signed(line) for line in facts.brokerage.lines if line.code == "GAIN_LOSS"]
        assert gains == ([change] if change else [])


def test_the_fee_is_a_twelfth_of_ten_basis_points_of_the_previous_close_once_a_month(year: YearFacts) -> None:
    for before, facts in _each_day(year):
        fees = [line.amount_cents for line in facts.brokerage.lines if line.code == "MANAGEMENT_FEE"]
        due = before is not None and before.day.month != facts.day.month
        if due and before is not None:
            # Half up: twice the fee lies within one of twice the exact twelve-thousandth.
            assert len(fees) == 1
            assert abs(24_000 * fees[0] - 2 * before.brokerage.closing_cents) <= 12_000
        else:
            assert fees == []


def test_bills_mature_at_par_on_their_maturity_date_and_never_trade_from_then_on(year: YearFacts) -> None:
    for before, facts in _each_day(year):
        due = {
            row.cusip: row.quantity
            for row in (() if before is None else before.summary.positions)
            if _maturity(year, row.cusip) <= facts.day
        }
        paid = {trade.bill.cusip: trade for trade in facts.trades if trade.activity == "MATURITY"}
        assert {cusip: trade.quantity for cusip, trade in paid.items()} == due
        for trade in facts.trades:
            if trade.activity == "MATURITY":
                assert trade.bill.maturity_date == facts.day
                assert (trade.price_micros, trade.cash_cents) == (100_000_000, trade.quantity * 10_000)
            else:
                assert facts.day < trade.bill.maturity_date
                assert trade.bill.issue_date <= facts.day


def _maturity(year: YearFacts, cusip: str) -> date:
    return next(trade.bill.maturity_date for trade in year.trades if trade.bill.cusip == cusip)


def test_purchases_cost_more_and_sales_bring_less_than_the_mark_by_half_to_two_basis_points(
    year: YearFacts,
) -> None:
    seen = 0
    for _, facts in _each_day(year):
        for trade in facts.trades:
            mark = year.prices.get((trade.bill.cusip, facts.day))
            if trade.activity == "MATURITY" or mark is None:
                continue
            seen += 1
            difference = trade.price_micros - mark if trade.activity == "BUY" else mark - trade.price_micros
            days = (trade.bill.maturity_date - facts.day).days
            # A basis point of discount rate is days / 360 / 100 of a dollar per 100 of face.
            basis_points = difference * 36 / (days * 1_000)
            assert difference >= 1
            assert 0.4 <= basis_points <= 2.1
    assert seen > 100


def test_trade_cash_is_quantity_times_price_to_the_cent(year: YearFacts) -> None:
    for trade in year.trades:
        exact = trade.quantity * trade.price_micros
        assert abs(10_000 * trade.cash_cents - exact) <= 5_000
        assert trade.price_micros <= 100_000_000
        assert trade.book_date == trade.settlement_date == calendars.new_york_date(trade.traded_at)


def test_nothing_is_traded_or_paid_out_on_a_day_on_which_bills_do_not_trade(year: YearFacts) -> None:
    closed = 0
    for _, facts in _each_day(year):
        if not calendars.is_trading_day(facts.day):
            closed += 1
            assert all(trade.activity == "MATURITY" for trade in facts.trades)
            assert all(row.credit for row in facts.booked)
    assert closed > 0


def test_a_movement_is_booked_on_the_business_date_of_its_instant(year: YearFacts) -> None:
    for row in year.transactions:
        assert row.bank_date == calendars.business_date_of(row.booked_at, time(19, 0))
        assert row.settled_at >= row.booked_at


def test_ids_are_unique_and_only_the_two_legs_of_a_transfer_share_a_transaction(year: YearFacts) -> None:
    ids = [row.id for row in year.transactions] + [trade.id for trade in year.trades]
    assert len(set(ids)) == len(ids)
    shared = Counter(row.transaction_id for row in year.transactions)
    legs = defaultdict(list)
    for row in year.transactions:
        legs[row.transaction_id].append(row)
    assert max(shared.values()) <= 2
    for rows in legs.values():
        if len(rows) == 2:
            assert {row.type for row in rows} == {"ON_US"}
            assert sum(_signed(row) for row in rows) == 0
            assert rows[0].pocket_id != rows[1].pocket_id


def test_every_wire_out_has_its_fee(year: YearFacts) -> None:
    wires = Counter(
        (row.pocket_id, row.bank_date) for row in year.transactions if row.type == "WIRE" and not row.credit
    )
    fees = Counter((row.pocket_id, row.bank_date) for row in year.transactions if row.type == "FEE")
    assert wires
    assert wires == fees


def test_historical_cost_is_average_cost_relieved_pro_rata(year: YearFacts) -> None:
    for rows in year.days.values():
        quantity: Counter[str] = Counter()
        cost: Counter[str] = Counter()
        for facts in rows:
            for trade in facts.trades:
                cusip = trade.bill.cusip
                if trade.activity == "BUY":
                    quantity[cusip] += trade.quantity
                    cost[cusip] += trade.cash_cents
                else:
                    cost[cusip] -= cost[cusip] * trade.quantity // quantity[cusip]
                    quantity[cusip] -= trade.quantity
            assert {row.cusip: row.historical_cost_cents for row in facts.summary.positions} == {
                cusip: cost[cusip] for cusip, held in quantity.items() if held
            }


def test_a_price_never_stands_still_and_never_jumps(year: YearFacts) -> None:
    by_day: dict[date, dict[str, int]] = defaultdict(dict)
    for (cusip, day), price in year.prices.items():
        by_day[day][cusip] = price
    days = sorted(by_day)
    for earlier, later in itertools.pairwise(days):
        for cusip, price in by_day[later].items():
            before = by_day[earlier].get(cusip)
            if before is None:
                continue
            maturity = _maturity(year, cusip)
            rates = [
                (100_000_000 - value) * 36 / ((maturity - day).days * 1_000)
                for value, day in ((before, earlier), (price, later))
            ]
            assert price != before
            assert 0 < price < 100_000_000
            assert abs(rates[1] - rates[0]) < 16, f"{cusip} {later}"


def test_the_trade_report_has_the_purchases_and_sales_of_the_api(year: YearFacts) -> None:
    for date_type in ("TRADE_DATE", "SETTLEMENT_DATE", "BOOK_DATE"):
        report = year.world.trade_report(None, year.first, year.last, date_type)
        assert report == tuple(trade for trade in year.trades if trade.activity != "MATURITY")
    one = next(iter(year.days))
    only = year.world.trade_report([one], year.first, year.last)
    assert {trade.pocket_id for trade in only} == {one}

"""The controls of holdings and the bridge against the simulated bank's ledger: clean, and with each planted fault."""

from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import pytest

from jiko_pipeline import calendars, tbill
from jiko_pipeline.simulator.model import StatementFacts, WorldConfig
from jiko_pipeline.simulator.world import World
from jiko_pipeline_tests.reconciliation.small_bank import (
    Facts,
    ask,
    breaks,
    close,
    deliver,
    money,
    price_of,
    unexplained,
    warehouse,
)
from jiko_pipeline_tests.reconciliation.test_bridge import mark_judged
from jiko_pipeline_tests.reconciliation.test_holdings_controls import HOLDINGS

START, END = date(2024, 6, 3), date(2024, 7, 17)
BANK_CATEGORIES = {
    "ACH_CREDIT": "DEPOSIT", "WIRE_IN": "DEPOSIT", "ACH_DEBIT": "PAYMENT", "WIRE_OUT": "PAYMENT",
    "ON_US_IN": "ONUS_IN", "ON_US_OUT": "ONUS_OUT", "CARD": "CARD", "BANK_FEE": "FEE",
    "SWEEP_OUT": "SWEEP_OUT", "SWEEP_IN": "SWEEP_IN",
}  # fmt: skip


def sum_of(statement: StatementFacts, *codes: str) -> int:
    """Signed cents of the lines with these codes."""
    return sum(
        line.amount_cents if line.credit else -line.amount_cents for line in statement.lines if line.code in codes
    )


@lru_cache(maxsize=4)
def simulated(fault: str | None = None, seed: int = 7, start: date = START, end: date = END) -> tuple[Facts, dict]:
    """What the documents of the simulated bank say of a window, as rows, and the hidden truth."""
    world = World(WorldConfig(seed=seed, start=start, fault=fault))
    facts = Facts()
    for pocket in world.pockets(end):
        facts.add("core.pocket", pocket_id=pocket.id, pocket_name=pocket.name, pocket_status="ACTIVE",
                  opened_on=pocket.opened_on, closed_on=pocket.closed_on, lifetime_source="FIRST_ACTIVITY")  # fmt: skip
        for day in calendars.fed_business_days(max(start, pocket.opened_on), min(end, pocket.closed_on or end)):
            _statements(facts, world, pocket.id, day)
    for day in calendars.days(start, end):
        for kind in ("API_TRADES", "API_TRANSACTIONS", "TRADE_REPORT_CSV", "TRADE_REPORT_KYRIBA_CSV", "SECURITY_PRICE"):
            deliver(facts, kind, "", day)
    for mark in world.prices(start, end):
        facts.add("core.security_price", cusip=mark.cusip, price_date=mark.day,
                  price=price_of(mark.price_micros), occurrences=1)  # fmt: skip
    for trade in world.trades(start, end):
        facts.add("core.trade", trade_id=trade.id, pocket_id=trade.pocket_id, activity=trade.activity,
                  cusip=trade.bill.cusip, quantity=trade.quantity, face_amount=money(trade.quantity * 10_000),
                  price=price_of(trade.price_micros), notional=money(trade.cash_cents),
                  traded_at_utc=trade.traded_at.replace(tzinfo=None),
                  trade_date=calendars.new_york_date(trade.traded_at), book_date=trade.book_date,
                  settlement_date=trade.settlement_date, trade_status="SETTLED",
                  maturity_date=trade.bill.maturity_date, occurrences=1)  # fmt: skip
    ids = [pocket.id for pocket in world.pockets(end)]
    for trade in world.trade_report(ids, start, end, "TRADE_DATE"):
        for form in ("CSV", "KYRIBA_CSV"):
            facts.add("core.trade_report", output_format=form, trade_reference=trade.id, pocket_id=trade.pocket_id,
                      side=trade.activity, cusip=trade.bill.cusip, issue_date=trade.bill.issue_date,
                      maturity_date=trade.bill.maturity_date, trade_date=calendars.new_york_date(trade.traded_at),
                      settlement_date=trade.settlement_date, book_date=trade.book_date, quantity=trade.quantity,
                      price=price_of(trade.price_micros), amount=money(trade.cash_cents), occurrences=1)  # fmt: skip
    auctions = [*tbill.auctions(), *world.reference_auctions(end)]
    first_issue: dict[str, date] = {}
    for auction in auctions:
        first_issue[auction.cusip] = min(auction.issue_date, first_issue.get(auction.cusip, auction.issue_date))
    for auction in {auction.cusip: auction for auction in auctions}.values():
        facts.add("core.security", cusip=auction.cusip, issuer="US Treasury", security_type="TBILL",
                  maturity_date=auction.maturity_date, first_issue_date=first_issue[auction.cusip], maturity_dates=1,
                  denomination=money(10_000), reference_source="TREASURY")  # fmt: skip
    return facts, ({} if fault is None else world.truth())


def _statements(facts: Facts, world: World, pocket: str, day: date) -> None:
    bank, broker = world.bank_statement(pocket, day), world.brokerage_statement(pocket, day)
    summary = world.position_summary(pocket, day)
    if bank is not None:
        deliver(facts, "BANK_STATEMENT", pocket, day)
        facts.add("core.bank_daily", pocket_id=pocket, business_date=day, opening_balance=money(bank.opening_cents),
                  closing_balance=money(bank.closing_cents), booked_entries=len(bank.lines),
                  booked_net=money(sum_of(bank, *BANK_CATEGORIES)), statements=1, finality="AFTER_CUTOFF")  # fmt: skip
        for number, line in enumerate(bank.lines):
            facts.add("core.bank_transaction", pocket_id=pocket, business_date=day, bank_transaction_key=str(number),
                      category=BANK_CATEGORIES[line.code], matching_rules=1,
                      signed_amount=money(line.amount_cents if line.credit else -line.amount_cents))  # fmt: skip
    if summary is not None:
        deliver(facts, "POSITION", pocket, day)
        for held in summary.positions:
            facts.add("core.position_daily", pocket_id=pocket, business_date=day, cusip=held.cusip,
                      quantity=held.quantity, face_amount=money(held.quantity * 10_000),
                      price=price_of(held.mark_micros), market_value=money(held.market_value_cents),
                      historical_cost=money(held.historical_cost_cents), occurrences=1,
                      finality="AFTER_CUTOFF")  # fmt: skip
    if broker is not None:
        deliver(facts, "BROKERAGE_STATEMENT", pocket, day)
        facts.add("core.brokerage_daily", pocket_id=pocket, business_date=day,
                  opening_value=money(broker.opening_cents), additions=money(sum_of(broker, "ADDITION")),
                  subtractions=money(-sum_of(broker, "SUBTRACTION")), gains=money(sum_of(broker, "GAIN_LOSS")),
                  fees=money(-sum_of(broker, "MANAGEMENT_FEE")), unknown_flows=money(0),
                  closing_value=money(broker.closing_cents), booked_net=money(0),
                  cash_balance=None if summary is None else money(summary.cash_cents),
                  finality="AFTER_CUTOFF")  # fmt: skip


@pytest.mark.parametrize(
    ("seed", "start", "end"),
    [(7, START, END), (11, date(2024, 7, 29), date(2024, 9, 20)), (3, date(2026, 3, 16), date(2026, 4, 24))],
    ids=["real bills", "where Treasury's table ends", "generated bills over Good Friday"],
)
def test_the_clean_simulated_bank_fires_nothing_and_leaves_nothing_over(
    tmp_path: Path, seed: int, start: date, end: date
) -> None:
    facts, _ = simulated(None, seed, start, end)
    assert breaks(ask(tmp_path, facts, *HOLDINGS, first=start, last=end)) == set()
    with warehouse(tmp_path, facts) as con:
        mark_judged(con, facts)
        close(con, start, end)
        left = unexplained(con)
    baselines = {key for key, amount in left.items() if amount is None}
    assert {day for _, day in baselines} == {calendars.on_or_after(start)}
    assert {amount for key, amount in left.items() if key not in baselines} == {0}


@pytest.mark.parametrize(
    "fault",
    [
        "trade-missing-from-report",
        "position-off-by-one-bill",
        "price-stale-in-one-source",
        "price-stale-everywhere",
        "maturity-missing",
        "bank-entry-off-by-a-cent",
        "transaction-missing-from-api",
    ],
)
def test_a_planted_fault_fires_exactly_what_was_decided_by_hand(tmp_path: Path, fault: str) -> None:
    facts, truth = simulated(fault)
    expected = [one for one in truth["expected"] if one["control"] in HOLDINGS]
    answers = ask(tmp_path, facts, *HOLDINGS, first=START, last=END)
    found = [(control, row) for control, rows in answers.items() for row in rows if row.status == "BREAK"]
    assert len(found) == len(expected)
    for one in expected:
        (row,) = [
            row
            for control, row in found
            if (control, row.code, row.pocket_id) == (one["control"], one["code"], one["pocket_id"])
            and row.business_date.isoformat() == one["business_date"]
            and one["cusip"] in (None, row.entity_key)
        ]
        assert one["sub_code"] in (None, row.sub_code)
        assert one["difference"] is None or Decimal(one["difference"]) == row.difference


@pytest.mark.fault_rows(104)
def test_no_price_is_due_on_a_day_on_which_bills_do_not_trade(tmp_path: Path) -> None:
    good_friday, start, end = date(2025, 4, 18), date(2025, 4, 7), date(2025, 4, 25)
    assert calendars.is_fed_business_day(good_friday)
    assert not calendars.is_trading_day(good_friday)
    facts, _ = simulated(None, 7, start, end)
    facts = Facts({table: list(rows) for table, rows in facts.rows.items()})
    facts.remove("core.security_price", lambda row: row["price_date"] == good_friday)
    answers = ask(tmp_path, facts, "K37", first=start, last=end)
    assert not breaks(answers)
    told = {(row.status, row.reason) for row in answers["K37"] if row.business_date == good_friday}
    assert told == {("NOT_TESTED", "NOT_DUE")}

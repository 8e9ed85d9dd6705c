"""What a planted fault hits in one world, and what documents then say.

Belongs here: choosing the target by a fixed rule, changing the facts of that target. Does not belong here:
the description of a fault and what it must cause (`catalogue` and the TOML files), the ledger (`history`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from jiko_pipeline import calendars, tbill
from jiko_pipeline.simulator.faults.catalogue import FaultDefinition, definition
from jiko_pipeline.simulator.history import History
from jiko_pipeline.simulator.marks import RepeatedPrice
from jiko_pipeline.simulator.model import (
    Bill,
    Mark,
    PositionSummary,
    StatementFacts,
    Trade,
    Transaction,
)
from jiko_pipeline.simulator.pocket_day import PocketDay
from jiko_pipeline.simulator.roster import PocketPlan
from jiko_pipeline.simulator.statements import BANK

_FIRST_BUSINESS_DAY: Final = 8
_SEARCHED_BUSINESS_DAYS: Final = 250
_LONG_ENOUGH_DAYS: Final = 40
_CALM_THOUSANDTHS: Final = 200
"""20 basis points of implied discount rate; a price plausibility control speaks of a jump at 25."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a fault hits: always a pocket and a day, and the item that the fault is about."""

    plan: PocketPlan
    day: date
    transaction: Transaction | None = None
    trade: Trade | None = None
    bill: Bill | None = None
    amount_cents: int | None = None
    """Signed from the pocket's view; None where the fault is about no amount."""
    holders: tuple[PocketPlan, ...] = ()
    """The pockets that hold the bill at the end of the day, for faults that hit all of them."""


DIFFERENCES: Final[dict[str, Callable[[Target], int]]] = {
    "one_cent": lambda target: 1,
    "one_bill": lambda target: tbill.BILL_FACE * 100,
    "minus_one_bill": lambda target: -tbill.BILL_FACE * 100,
    "minus_face": lambda target: -(target.amount_cents or 0),
}
"""Cents by which the two sides of a control differ; `one_cent` is a size without a sign."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A day of a pocket with the days before and after it."""

    history: History
    before: PocketDay
    here: PocketDay
    after: PocketDay

    @property
    def target(self) -> Target:
        return Target(self.here.plan, self.here.day)


def _signed(row: Transaction) -> int:
    return row.amount_cents if row.credit else -row.amount_cents


def _first_entry(candidate: _Candidate) -> Target | None:
    for row in candidate.here.transactions:
        if row.type in ("ACH", "WIRE", "ON_US"):
            return replace(candidate.target, transaction=row, amount_cents=_signed(row))
    return None


def _same_day_ach(candidate: _Candidate) -> Target | None:
    for row in candidate.here.transactions:
        if row.type == "ACH" and calendars.new_york_date(row.booked_at) == row.bank_date:
            return replace(candidate.target, transaction=row, amount_cents=_signed(row))
    return None


def _any_day(candidate: _Candidate) -> Target | None:
    return candidate.target


def _first_trade(candidate: _Candidate) -> Target | None:
    for trade in candidate.here.trades:
        if trade.activity in ("BUY", "SELL"):
            signed = trade.cash_cents if trade.activity == "SELL" else -trade.cash_cents
            return replace(candidate.target, trade=trade, bill=trade.bill, amount_cents=signed)
    return None


def _first_maturity(candidate: _Candidate) -> Target | None:
    for trade in candidate.here.trades:
        if trade.activity == "MATURITY":
            return replace(candidate.target, trade=trade, bill=trade.bill, amount_cents=trade.cash_cents)
    return None


def _quiet_position(candidate: _Candidate) -> Target | None:
    busy = {trade.bill.cusip for trade in (*candidate.here.trades, *candidate.after.trades)}
    kept = {held.bill.cusip for held in candidate.after.after.holdings}
    for held in candidate.here.after.holdings:
        if held.bill.cusip not in busy and held.bill.cusip in kept:
            return replace(candidate.target, bill=held.bill, amount_cents=tbill.BILL_FACE * 100)
    return None


def _standing_price(candidate: _Candidate) -> Target | None:
    here, history = candidate.here, candidate.history
    if (here.day - candidate.before.day).days != 1 or not calendars.is_trading_day(here.day):
        return None
    for held in here.after.holdings:
        bill = held.bill
        holders = _holders(history, bill, here.day)
        same_holders = holders == _holders(history, bill, candidate.before.day)
        long_enough = (bill.maturity_date - here.day).days >= _LONG_ENOUGH_DAYS
        if same_holders and long_enough and _is_calm(candidate, bill):
            return replace(candidate.target, bill=bill, holders=holders)
    return None


def _is_calm(candidate: _Candidate, bill: Bill) -> bool:
    """True when a price that stands still looks like no jump, neither on its day nor on the next."""
    days = [(bill.maturity_date - one.day).days for one in (candidate.before, candidate.here)]
    before = candidate.history.marks.rate(bill, candidate.before.day)
    standing = before * days[0] // days[1]
    after = candidate.history.marks.rate(bill, candidate.after.day)
    return max(standing - before, abs(after - standing)) < _CALM_THOUSANDTHS


def _holders(history: History, bill: Bill, day: date) -> tuple[PocketPlan, ...]:
    return tuple(
        plan
        for plan in history.plans
        if plan.lives_on(day) and any(held.bill.cusip == bill.cusip for held in history.day(plan, day).after.holdings)
    )


_RULES: Final[dict[str, Callable[[_Candidate], Target | None]]] = {
    "bank-entry-off-by-a-cent": _first_entry,
    "bank-entry-twice": _first_entry,
    "transaction-missing-from-api": _same_day_ach,
    "statement-day-missing": _any_day,
    "trade-missing-from-report": _first_trade,
    "position-off-by-one-bill": _quiet_position,
    "price-stale-in-one-source": _standing_price,
    "price-stale-everywhere": _standing_price,
    "maturity-missing": _first_maturity,
    "corrupt-statement": _first_entry,
    "transaction-missing-from-csv": _same_day_ach,
    "trade-differs-in-csv": _first_trade,
}


def _candidates(history: History, start: date) -> Iterator[_Candidate]:
    """Days of pockets from the eighth business day of the data on; pockets that live through come first."""
    day = calendars.on_or_after(start)
    for _ in range(_FIRST_BUSINESS_DAY - 1):
        day = calendars.next_fed_business_day(day)
    for lives_through in (True, False):
        here = day
        for _ in range(_SEARCHED_BUSINESS_DAYS):
            before = calendars.previous_fed_business_day(here)
            after = calendars.next_fed_business_day(here)
            for plan in history.plans:
                alive = plan.lives_on(before) and plan.lives_on(after)
                if alive and (plan.closes_on is None) is lives_through:
                    yield _Candidate(history, *(history.day(plan, each) for each in (before, here, after)))
            here = after


class PlantedFault:
    """One fault in one world: what it hits and what it makes the bank say.

    `history` must be the ledger without the fault. Raises LookupError for an unknown name, and where the
    world has nothing that the fault could hit.
    """

    def __init__(self, name: str, history: History, start: date) -> None:
        self.definition: FaultDefinition = definition(name)
        rule = _RULES[name]
        found = (rule(candidate) for candidate in _candidates(history, start))
        target = next((one for one in found if one is not None), None)
        if target is None:
            raise LookupError(f"the fault {name} finds nothing to hit in this simulated bank")
        self.target = target

    def repeated_price(self) -> RepeatedPrice | None:
        """The mark that stands still in the ledger itself, for the one fault that changes it."""
        if self.definition.name == "price-stale-everywhere" and self.target.bill is not None:
            return RepeatedPrice(self.target.bill.cusip, self.target.day)
        return None

    def statement(self, facts: StatementFacts) -> StatementFacts | None:
        """What a statement says, or None when it is never issued."""
        target, name = self.target, self.definition.name
        if facts.pocket.id != target.plan.id or facts.day != target.day:
            return facts
        if name == "statement-day-missing":
            return None
        if facts.kind != BANK:
            return facts
        if name == "corrupt-statement":
            return replace(facts, corrupt=True)
        if name in ("bank-entry-off-by-a-cent", "bank-entry-twice") and target.transaction is not None:
            lines = []
            for line in facts.lines:
                hit = line.reference == target.transaction.bank_reference
                if hit and name == "bank-entry-off-by-a-cent":
                    line = replace(line, amount_cents=line.amount_cents + 1)
                lines.extend([line, line] if hit and name == "bank-entry-twice" else [line])
            return replace(facts, lines=tuple(lines))
        return facts

    def positions(self, summary: PositionSummary) -> PositionSummary:
        """What a position summary says."""
        target = self.target
        if (
            self.definition.name != "position-off-by-one-bill"
            or target.bill is None
            or summary.pocket.id != target.plan.id
            or summary.day != target.day
        ):
            return summary
        cusip = target.bill.cusip
        return replace(
            summary,
            positions=tuple(
                replace(row, quantity=row.quantity + 1) if row.cusip == cusip else row for row in summary.positions
            ),
        )

    def price(self, mark: Mark, price_before_micros: Callable[[], int]) -> Mark:
        """What the price report says of a mark; `price_before_micros` gives the business day before's."""
        target = self.target
        if (
            self.definition.name == "price-stale-in-one-source"
            and target.bill is not None
            and (mark.cusip, mark.day) == (target.bill.cusip, target.day)
        ):
            return replace(mark, price_micros=price_before_micros())
        return mark

    def hides_transaction(self, row: Transaction) -> bool:
        """True for a transaction that the API never lists."""
        hit = self.target.transaction
        return self.definition.name == "transaction-missing-from-api" and hit is not None and row.id == hit.id

    def hides_trade(self, row: Trade) -> bool:
        """True for a trade that the API never lists."""
        hit = self.target.trade
        return self.definition.name == "maturity-missing" and hit is not None and row.id == hit.id

    def hides_trade_in_report(self, row: Trade) -> bool:
        """True for a trade that the trade report never lists."""
        hit = self.target.trade
        return self.definition.name == "trade-missing-from-report" and hit is not None and row.id == hit.id

    def hides_transaction_in_csv(self, row: Transaction) -> bool:
        """True for a transaction that the CSV export leaves out."""
        hit = self.target.transaction
        return self.definition.name == "transaction-missing-from-csv" and hit is not None and row.id == hit.id

    def trade_in_csv(self, row: Trade) -> Trade:
        """What the CSV export says of a trade."""
        hit = self.target.trade
        if self.definition.name == "trade-differs-in-csv" and hit is not None and row.id == hit.id:
            return replace(row, cash_cents=row.cash_cents + 1)
        return row

    def truth(self) -> dict[str, Any]:
        """What was planted and which breaks it must cause, with concrete keys; ready for JSON."""
        target = self.target
        return {
            "fault": self.definition.name,
            "name": self.definition.name,
            "title": self.definition.title,
            "what": self.definition.what,
            "pocket_id": target.plan.id,
            "business_date": target.day.isoformat(),
            "cusip": None if target.bill is None else target.bill.cusip,
            "transaction_id": None if target.transaction is None else target.transaction.id,
            "trade_id": None if target.trade is None else target.trade.id,
            "amount": _dollars(target.amount_cents),
            "expected": self._expected(),
        }

    def _expected(self) -> list[dict[str, Any]]:
        target = self.target
        rows = []
        for expectation in self.definition.expects:
            day = target.day
            for _ in range(expectation.day_offset):
                day = calendars.next_fed_business_day(day)
            by_holding = expectation.per == "holding" and target.bill is not None
            cents = DIFFERENCES[expectation.difference](target) if expectation.difference else None
            for plan in (target.holders or (target.plan,)) if by_holding else (target.plan,):
                rows.append(
                    {
                        "control": expectation.control,
                        "code": expectation.code,
                        "sub_code": expectation.sub_code,
                        "report_type": expectation.report_type,
                        "pocket_id": plan.id,
                        "business_date": day.isoformat(),
                        "cusip": target.bill.cusip if by_holding and target.bill is not None else None,
                        "difference": _dollars(cents),
                    }
                )
        return rows


def _dollars(cents: int | None) -> str | None:
    if cents is None:
        return None
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"

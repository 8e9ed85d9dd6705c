"""The simulated bank as its documents and its server see it: everything Jiko would answer, as records.

Belongs here: the questions that can be asked, with a planted fault applied to the answers. Does not belong
here: the ledger (`history`, `ledger`), layouts (`documents`), HTTP, ids of orders, the clock (`server`).
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, time, timedelta
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, Literal

from jiko_pipeline import calendars, tbill
from jiko_pipeline.simulator import statements
from jiko_pipeline.simulator.bills import bill, generated_issues
from jiko_pipeline.simulator.draws import drawn_uuid
from jiko_pipeline.simulator.faults.catalogue import definition
from jiko_pipeline.simulator.faults.planting import PlantedFault
from jiko_pipeline.simulator.history import History, SnapshotStore, month_first
from jiko_pipeline.simulator.ledger import PocketDay
from jiko_pipeline.simulator.marks import Marks
from jiko_pipeline.simulator.model import (
    Bill,
    Mark,
    MonthlyStatement,
    Pocket,
    PositionSummary,
    StatementFacts,
    Trade,
    Transaction,
    WorldConfig,
)

LEDGER_VERSION: Final = 1
"""Rises whenever the same config would give another bank."""

PROVISIONAL_UNTIL: Final = time(14, 0)
"""New York time up to which movements are in a document that is asked for before the end of its day."""

_MONTHLY_AT: Final = time(6, 0)
_MONTHLY_BUSINESS_DAY: Final = 5
_REFERENCE_REACHES_BACK_DAYS: Final = 400

DateType = Literal["TRADE_DATE", "SETTLEMENT_DATE", "BOOK_DATE"]


class World:
    """The bank of one config. Not thread-safe: ask from one thread at a time.

    `snapshots` keeps the ledger's state at month starts between processes; it must serve this `world_id`
    only. Raises ValueError for a config that this ledger does not offer and LookupError for an unknown fault.
    """

    def __init__(self, config: WorldConfig, snapshots: SnapshotStore | None = None) -> None:
        _check(config)
        self.config = config
        self.world_id = world_id(config)
        self._snapshots = snapshots

    @cached_property
    def _fault(self) -> PlantedFault | None:
        if self.config.fault is None:
            return None
        sound = History(self.config, Marks(self.config.seed))
        return PlantedFault(self.config.fault, sound, self.config.start)

    @cached_property
    def _history(self) -> History:
        repeated = None if self._fault is None else self._fault.repeated_price()
        return History(self.config, Marks(self.config.seed, repeated=repeated), self._snapshots)

    def pockets(self, on: date) -> tuple[Pocket, ...]:
        """All pockets opened up to `on`; `closed_on` is set where it is not later than `on`."""
        return tuple(plan.pocket(on) for plan in self._history.plans if plan.opened_on <= on)

    def bank_statement(self, pocket_id: str, day: date, *, provisional: bool = False) -> StatementFacts | None:
        """The bank statement of a pocket and day, or None when the bank never issues it.

        Raises LookupError outside the pocket's life and on a day that is no Fed business day.
        """
        facts = statements.bank_statement(self._day(pocket_id, day, provisional=provisional), provisional=provisional)
        return facts if self._fault is None else self._fault.statement(facts)

    def brokerage_statement(self, pocket_id: str, day: date, *, provisional: bool = False) -> StatementFacts | None:
        """The brokerage statement of a pocket and day; None and errors as for `bank_statement`."""
        facts = statements.brokerage_statement(
            self._day(pocket_id, day, provisional=provisional), provisional=provisional
        )
        return facts if self._fault is None else self._fault.statement(facts)

    def position_summary(self, pocket_id: str, day: date, *, provisional: bool = False) -> PositionSummary | None:
        """The positions of a pocket at the end of a day; None and errors as for `bank_statement`."""
        summary = statements.position_summary(self._day(pocket_id, day, provisional=provisional))
        return summary if self._fault is None else self._fault.positions(summary)

    def prices(self, first: date, last: date) -> tuple[Mark, ...]:
        """End-of-day prices from `first` to `last` of every bill held by a pocket at the end of that day."""
        marks = []
        for day in calendars.fed_business_days(max(first, self._history.first_day), last):
            held: dict[str, Bill] = {}
            for plan in self._history.plans:
                if plan.lives_on(day):
                    for holding in self._history.day(plan, day).after.holdings:
                        held[holding.bill.cusip] = holding.bill
            for one in sorted(held.values(), key=lambda one: (one.maturity_date, one.cusip)):
                marks.append(self._reported_mark(one, day))
        return tuple(marks)

    def trade_report(
        self, pocket_ids: Sequence[str] | None, first: date, last: date, date_type: DateType = "TRADE_DATE"
    ) -> tuple[Trade, ...]:
        """Purchases and sales whose date of `date_type` lies from `first` to `last`, in the order of time.

        `pocket_ids` None or empty means every pocket. Raises LookupError for an unknown pocket.
        """
        wanted = {self._history.plan(pocket_id).id for pocket_id in pocket_ids or ()}
        fault = self._fault
        return tuple(
            trade
            for trade in self._trades(first, last)
            if trade.activity in ("BUY", "SELL")
            and first <= _date_of(trade, date_type) <= last
            and (not wanted or trade.pocket_id in wanted)
            and not (fault is not None and fault.hides_trade_in_report(trade))
        )

    def trades(self, first: date, last: date) -> tuple[Trade, ...]:
        """All trades by New York trade date, purchases, sales and maturities, in the order of time."""
        fault = self._fault
        found = self._trades(first, last)
        return tuple(found if fault is None else (one for one in found if not fault.hides_trade(one)))

    def transactions(self, first: date, last: date) -> tuple[Transaction, ...]:
        """All transactions by the New York date on which they moved, in the order of time."""
        fault = self._fault
        found = [
            row
            for month in self._months(first, last)
            for day in calendars.days(max(month, first), min(_month_end(month), last))
            for row in self._history.month(month).transactions.get(day, ())
        ]
        return tuple(found if fault is None else (row for row in found if not fault.hides_transaction(row)))

    def monthly_statements(self, on: date) -> tuple[MonthlyStatement, ...]:
        """The monthly documents made up to `on`: one of each account for every month of a pocket's life."""
        made = []
        for month in self._months(self._history.first_day, on):
            ready = _month_end(month)
            for _ in range(_MONTHLY_BUSINESS_DAY):
                ready = calendars.next_fed_business_day(ready)
            if ready > on:
                break
            for plan in self._history.plans:
                if plan.opened_on <= _month_end(month) and (plan.closes_on is None or plan.closes_on >= month):
                    for kind in (statements.BANK, statements.BROKERAGE):
                        made.append(
                            MonthlyStatement(
                                id=drawn_uuid(self.config.seed, "monthly", plan.number, month, kind),
                                pocket_id=plan.id,
                                type=kind,
                                key=f"{month:%Y-%m}",
                                created_at=calendars.new_york_instant(ready, _MONTHLY_AT),
                            )
                        )
        return tuple(made)

    def reference_bills(self, on: date) -> tuple[Bill, ...]:
        """The generated bills announced up to `on`, by maturity; the real ones are Treasury's to list."""
        bills = {row.cusip: bill(row.cusip) for row in self.reference_auctions(on)}
        return tuple(sorted(bills.values(), key=lambda one: one.maturity_date))

    def reference_auctions(self, on: date) -> tuple[tbill.Auction, ...]:
        """The auctions of generated bills up to `on`, oldest first, reopenings among them.

        They reach back to the bills that the oldest pocket could have bought.
        """
        marks = self._history.marks
        first = self._history.first_day - timedelta(days=_REFERENCE_REACHES_BACK_DAYS)
        rows = []
        for one, term, auctioned_on, issued_on in generated_issues(first, on):
            days = (one.maturity_date - issued_on).days
            rate = marks.auction_rate(auctioned_on, days)
            rows.append(
                tbill.Auction(
                    cusip=one.cusip,
                    security_term=term,
                    auction_date=auctioned_on,
                    issue_date=issued_on,
                    maturity_date=one.maturity_date,
                    price_per_100=Decimal(tbill.price_micros(rate, days)).scaleb(-6),
                    discount_rate_thousandths=rate,
                )
            )
        return tuple(rows)

    def truth(self) -> dict[str, Any]:
        """What was planted and which breaks it must cause; ready for JSON."""
        if self._fault is None:
            return {"fault": None, "expected": []}
        return self._fault.truth()

    def snapshot(self, month_first: date) -> str:
        """The ledger's state at the start of the month that begins on `month_first`, as small JSON."""
        return self._history.snapshot(month_first)

    def _day(self, pocket_id: str, day: date, *, provisional: bool) -> PocketDay:
        plan = self._history.plan(pocket_id)
        if provisional:
            until = calendars.new_york_instant(day, PROVISIONAL_UNTIL)
            return self._history.day_so_far(plan, day, until)
        return self._history.day(plan, day)

    def _months(self, first: date, last: date) -> list[date]:
        months = []
        month = month_first(max(first, self._history.first_day))
        while month <= last:
            months.append(month)
            month = month_first(month + timedelta(days=31))
        return months

    def _trades(self, first: date, last: date) -> list[Trade]:
        return [
            trade
            for month in self._months(first, last)
            for day in calendars.days(max(month, first), min(_month_end(month), last))
            for trade in self._history.month(month).trades.get(day, ())
        ]

    def _reported_mark(self, one: Bill, day: date) -> Mark:
        marks = self._history.marks
        mark = Mark(one.cusip, day, marks.price_micros(one, day))
        if self._fault is None:
            return mark
        return self._fault.price(mark, lambda: marks.price_micros(one, calendars.previous_fed_business_day(day)))


def world_id(config: WorldConfig) -> str:
    """Hash of everything the bank depends on: sha256 over the config and the version of the ledger."""
    content = {"ledger": LEDGER_VERSION, **asdict(config)}
    return sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _check(config: WorldConfig) -> None:
    if config.pockets < 1:
        raise ValueError(f"a bank has at least one pocket, not {config.pockets}")
    offered = WorldConfig()
    for name in ("settlement", "close_basis", "gain", "fee_path", "sweep_posting", "mark"):
        if getattr(config, name) != getattr(offered, name):
            raise ValueError(f"the simulated bank offers {name} {getattr(offered, name)}, not {getattr(config, name)}")
    if config.fault is not None:
        definition(config.fault)


def _month_end(month: date) -> date:
    return month_first(month + timedelta(days=31)) - timedelta(days=1)


def _date_of(trade: Trade, date_type: DateType) -> date:
    if date_type == "SETTLEMENT_DATE":
        return trade.settlement_date
    if date_type == "BOOK_DATE":
        return trade.book_date
    return calendars.new_york_date(trade.traded_at)

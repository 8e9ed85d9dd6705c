"""The simulated bank as its documents and its server see it: everything Jiko would answer, as records.

Belongs here: the questions that can be asked, with a planted fault applied to the answers, and what the customer
ordered. Does not belong here: the ledger (`history`, `ledger`), layouts (`documents`), HTTP, who may order what,
the clock (`server`).
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
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
from jiko_pipeline.simulator.history import History, SnapshotStore, Standing, month_first
from jiko_pipeline.simulator.marks import Marks
from jiko_pipeline.simulator.model import (
    Bill,
    CloseBasisSwitch,
    DatesSwitch,
    GainSwitch,
    Mark,
    MarkSwitch,
    MonthlyStatement,
    Pocket,
    PositionSummary,
    RoundingSwitch,
    StatementFacts,
    Trade,
    Transaction,
    WorldConfig,
)
from jiko_pipeline.simulator.orders import OpenedPocket, Orders
from jiko_pipeline.simulator.pocket_day import PocketDay
from jiko_pipeline.simulator.roster import PocketPlan

LEDGER_VERSION: Final = 1
"""Rises whenever the same config would give another bank."""

PROVISIONAL_UNTIL: Final = time(14, 0)
"""New York time up to which movements are in a document that is asked for before the end of its day."""

_MONTHLY_AT: Final = time(6, 0)
_MONTHLY_BUSINESS_DAY: Final = 5
_TAX_KINDS: Final = ("1099INT", "1099B")
_TAX_DOCUMENTS_BY: Final = (2, 15)
"""Month and day until which the tax documents of the year before are made."""
_REFERENCE_REACHES_BACK_DAYS: Final = 400

DateType = Literal["TRADE_DATE", "SETTLEMENT_DATE", "BOOK_DATE"]
TransactionListing = Literal["transactions", "transactions_csv"]
TradeListing = Literal["trades_v1", "trades_v2", "trades_csv"]


class World:
    """The bank of one config and what its customer ordered. Not thread-safe: ask from one thread at a time.

    `snapshots` keeps the ledger's state at month starts between processes; it must serve this `world_id` and
    these `orders` only. Raises ValueError for a config that this ledger does not offer and LookupError for an
    unknown fault.
    """

    def __init__(
        self, config: WorldConfig, snapshots: SnapshotStore | None = None, orders: Orders | None = None
    ) -> None:
        _check(config)
        self.config = config
        self.world_id = world_id(config)
        self.orders = orders or Orders()
        self._snapshots = snapshots
        self._trade_index: dict[date, dict[str, date]] = {}
        self._month_gains: dict[date, dict[str, int]] = {}

    @cached_property
    def _fault(self) -> PlantedFault | None:
        if self.config.fault is None:
            return None
        sound = History(self.config, Marks(self.config.seed, settles_next_day=self._marks_settle_next_day))
        return PlantedFault(self.config.fault, sound, self.config.start)

    @cached_property
    def _history(self) -> History:
        repeated = None if self._fault is None else self._fault.repeated_price()
        marks = Marks(self.config.seed, repeated=repeated, settles_next_day=self._marks_settle_next_day)
        return History(self.config, marks, self._snapshots, self.orders)

    @property
    def _marks_settle_next_day(self) -> bool:
        return self.config.mark is MarkSwitch.SETTLES_NEXT_DAY

    def follow(self, orders: Orders, since: datetime) -> None:
        """Go by `orders` from now on; they hold all those before, and what is new was ordered at `since`."""
        self.orders = orders
        day = calendars.new_york_date(since)
        self._history.follow(orders, day)
        for known in (self._trade_index, self._month_gains):
            for month in [month for month in known if month >= month_first(day)]:
                del known[month]

    def pockets(self, on: date, known_at: datetime | None = None) -> tuple[Pocket, ...]:
        """All pockets opened up to `on`; `closed_on` is set where it is not later than `on`.

        Names and strategies are those at the end of `on`, or at `known_at` where that is earlier.
        """
        living = {plan.id: plan for plan in self._history.plans}
        found = [plan.pocket(on, known_at) for plan in living.values() if _made_on(plan) <= on]
        for opened in self.orders.pockets:
            if opened.id not in living and calendars.new_york_date(opened.opened_at) <= on:
                found.append(self._without_money(opened, on, known_at))
        return tuple(found)

    def _without_money(self, opened: OpenedPocket, on: date, known_at: datetime | None) -> Pocket:
        plan = opened.plan(date.max).changed(self.orders.changes_of(opened.id))
        return plan.pocket(on, known_at)

    def standing(self, pocket_id: str, day: date) -> Standing:
        """What the customer can count on in a pocket on a calendar day; nothing where it never had money."""
        plan = next((plan for plan in self._history.plans if plan.id == pocket_id), None)
        return Standing(0, 0) if plan is None else self._history.standing(plan, day)

    def drawn_end(self, pocket_id: str) -> date | None:
        """The day on which the ledger closes a pocket of its own accord, however far off; None for never."""
        return next((plan.closes_on for plan in self._history.plans if plan.id == pocket_id), None)

    def bank_statement(
        self, pocket_id: str, day: date, *, provisional: bool = False, known_at: datetime | None = None
    ) -> StatementFacts | None:
        """The bank statement of a pocket and day, or None when the bank never issues it.

        `known_at` is when it was asked for: what the customer ordered later is not in it. Raises LookupError
        outside the pocket's life and on a day that is no Fed business day.
        """
        done = self._day(pocket_id, day, provisional=provisional, known_at=known_at)
        facts = statements.bank_statement(done, provisional=provisional, known_at=known_at)
        return facts if self._fault is None else self._fault.statement(facts)

    def brokerage_statement(
        self, pocket_id: str, day: date, *, provisional: bool = False, known_at: datetime | None = None
    ) -> StatementFacts | None:
        """The brokerage statement of a pocket and day; None, `known_at` and errors as for `bank_statement`."""
        done = self._day(pocket_id, day, provisional=provisional, known_at=known_at)
        facts = statements.brokerage_statement(done, provisional=provisional, known_at=known_at)
        return facts if self._fault is None else self._fault.statement(facts)

    def position_summary(
        self, pocket_id: str, day: date, *, provisional: bool = False, known_at: datetime | None = None
    ) -> PositionSummary | None:
        """The positions of a pocket at the end of a day; None, `known_at` and errors as for `bank_statement`."""
        done = self._day(pocket_id, day, provisional=provisional, known_at=known_at)
        summary = statements.position_summary(done, known_at)
        return summary if self._fault is None else self._fault.positions(summary)

    def gain_cents(self, pocket_id: str, first: date, last: date) -> int:
        """The sum of the gain lines of a pocket's brokerage statements from `first` to `last`, signed."""
        total = 0
        for month in self._months(first, last):
            if first <= month and _month_end(month) <= last:
                total += self._gains(month).get(pocket_id, 0)
            else:
                days = self._history.month(month).days.values()
                total += sum(
                    done.gain_cents for done in days if done.plan.id == pocket_id and first <= done.day <= last
                )
        return total

    def _gains(self, month: date) -> dict[str, int]:
        known = self._month_gains.get(month)
        if known is None:
            known = self._month_gains[month] = {}
            for done in self._history.month(month).days.values():
                known[done.plan.id] = known.get(done.plan.id, 0) + done.gain_cents
        return known

    def trade(self, trade_id: str, on: date) -> Trade | None:
        """A trade of a New York date up to `on` by its id, or None."""
        for month in reversed(self._months(self._history.first_day, on)):
            day = self._trade_days(month).get(trade_id)
            if day is not None and day <= on:
                return next((one for one in self.trades(day, day) if one.id == trade_id), None)
        return None

    def _trade_days(self, month: date) -> dict[str, date]:
        known = self._trade_index.get(month)
        if known is None:
            listed = self._history.month(month).trades
            known = {trade.id: day for day, trades in listed.items() for trade in trades}
            self._trade_index[month] = known
        return known

    def prices(self, first: date, last: date) -> tuple[Mark, ...]:
        """End-of-day prices from `first` to `last` of every bill held by a pocket at the end of that day."""
        marks = []
        for day in calendars.fed_business_days(max(first, self._history.first_day), last):
            held: dict[str, Bill] = {}
            for plan in self._history.plans:
                if plan.lives_on(day):
                    for position in self._history.day(plan, day).positions:
                        held[position.cusip] = bill(position.cusip)
            for one in sorted(held.values(), key=lambda one: (one.maturity_date, one.cusip)):
                marks.append(self._reported_mark(one, day))
        return tuple(marks)

    def trade_report(
        self, pocket_ids: Sequence[str] | None, first: date, last: date, date_type: DateType = "TRADE_DATE"
    ) -> tuple[Trade, ...]:
        """Purchases and sales whose date of `date_type` lies from `first` to `last`, in the order of time.

        `pocket_ids` None or empty means every pocket. Raises LookupError for an unknown pocket.
        """
        moneyless = {opened.id for opened in self.orders.pockets}
        wanted = {one if one in moneyless else self._history.plan(one).id for one in pocket_ids or ()}
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

    def listed_transactions(self, listing: TransactionListing, first: date, last: date) -> Sequence[Transaction]:
        """As `transactions`, as one of their listings has them."""
        rows, fault = self.transactions(first, last), self._fault
        if fault is None or listing != "transactions_csv":
            return rows
        return [row for row in rows if not fault.hides_transaction_in_csv(row)]

    def listed_trades(self, listing: TradeListing, first: date, last: date) -> Sequence[Trade]:
        """As `trades`, as one of their listings has them."""
        rows, fault = self.trades(first, last), self._fault
        return rows if fault is None or listing != "trades_csv" else [fault.trade_in_csv(row) for row in rows]

    def reported_trades(
        self, output_format: str, pocket_ids: Sequence[str], first: date, last: date, date_type: DateType
    ) -> Sequence[Trade]:
        """As `trade_report`, as one form of the report has them."""
        return self.trade_report(pocket_ids, first, last, date_type)

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
                if plan.opened_on <= _month_end(month) and (plan.last_day is None or plan.last_day >= month):
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

    def tax_documents(self, on: date) -> tuple[MonthlyStatement, ...]:
        """The yearly tax documents made up to `on`: one of each kind for every year of a pocket's life."""
        made = []
        for year in range(self._history.first_day.year, on.year):
            ready = date(year + 1, *_TAX_DOCUMENTS_BY)
            if not calendars.is_fed_business_day(ready):
                ready = calendars.previous_fed_business_day(ready)
            for plan in self._history.plans if ready <= on else ():
                if plan.opened_on.year <= year and (plan.last_day is None or plan.last_day.year >= year):
                    made += [
                        MonthlyStatement(
                            id=drawn_uuid(self.config.seed, "tax", plan.number, year, kind),
                            pocket_id=plan.id,
                            type=kind,
                            key=str(year),
                            created_at=calendars.new_york_instant(ready, _MONTHLY_AT),
                        )
                        for kind in _TAX_KINDS
                    ]
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

    def _day(self, pocket_id: str, day: date, *, provisional: bool, known_at: datetime | None) -> PocketDay:
        plan = self._history.plan(pocket_id)
        if provisional:
            until = calendars.new_york_instant(day, PROVISIONAL_UNTIL)
            return self._history.day_so_far(plan, day, until, known_at or until)
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


def _made_on(plan: PocketPlan) -> date:
    return plan.opened_on if plan.created_at is None else calendars.new_york_date(plan.created_at)


def world_id(config: WorldConfig) -> str:
    """Hash of everything the bank depends on: sha256 over the config and the version of the ledger."""
    content = {"ledger": LEDGER_VERSION, **asdict(config)}
    for name in ("dates", "bookings", "rounding"):
        # Worlds that are older than a switch keep their identity.
        if content[name] == WorldConfig.__dataclass_fields__[name].default:
            del content[name]
    return sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _check(config: WorldConfig) -> None:
    if config.pockets < 1:
        raise ValueError(f"a bank has at least one pocket, not {config.pockets}")
    if config.close_basis is CloseBasisSwitch.BILLS and config.gain is GainSwitch.ECONOMIC:
        raise ValueError("a close of bills alone needs the gain PLUG: cash would be counted by neither")
    if config.close_basis is CloseBasisSwitch.BILLS_CASH_AND_PENDING and config.dates is not DatesSwitch.TRADED:
        raise ValueError(f"a close with pending trades holds bills as traded; dates {config.dates} contradicts it")
    if config.rounding is RoundingSwitch.TOTAL and config.gain is GainSwitch.ECONOMIC:
        raise ValueError(
            "a close that is rounded in total does not foot with the gain ECONOMIC: it needs the gain PLUG"
        )
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

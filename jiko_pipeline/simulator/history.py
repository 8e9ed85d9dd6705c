"""The bank's days in order: months computed once, remembered briefly, and re-entered from snapshots.

Belongs here: walking calendar days, movements under way between two days, month snapshots. Does not belong
here: the rules of a day (`ledger`), what documents say about it (`statements`).

A month's days depend on the config, the customer's orders and the snapshot at its first day only, and a
snapshot on the month before, so the order in which days are asked for never matters. An order makes the months
from its own on be computed anew.
"""

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol

from jiko_pipeline import calendars
from jiko_pipeline.simulator import orders as ordered
from jiko_pipeline.simulator.activity import movements
from jiko_pipeline.simulator.bills import bill
from jiko_pipeline.simulator.bookings import MANAGEMENT_FEE, WIRE_FEE_CENTS
from jiko_pipeline.simulator.ledger import Emptying, Pricing, settle
from jiko_pipeline.simulator.marks import Marks
from jiko_pipeline.simulator.model import Bill, Trade, Transaction, WorldConfig
from jiko_pipeline.simulator.orders import Orders, Transfer
from jiko_pipeline.simulator.pocket_day import Holding, PocketDay, PocketState, Sweep, Unsettled
from jiko_pipeline.simulator.roster import PocketPlan, roster

_POCKET_MONTHS_REMEMBERED: Final = 200
_FEWEST_MONTHS: Final = 3
_MOST_MONTHS: Final = 16
_ONE_DAY: Final = timedelta(days=1)
_SURELY_WORTH_PERCENT: Final = 98
"""Of the last close: what bills bring at least by the time that payments under way are booked."""
_NO_ORDERS: Final = Orders()


class SnapshotStore(Protocol):
    """Where the state of the ledger at the start of a month is kept; one store serves one world."""

    def get(self, month: date) -> str | None:
        """The snapshot of the month that starts on `month`, or None."""
        ...

    def put(self, month: date, text: str) -> None:
        """Keep a snapshot."""
        ...

    def forget_after(self, month: date) -> None:
        """Drop the snapshots of the months after the one that starts on `month`."""
        ...


class MemoryStore:
    """Snapshots in memory, for as long as the process lives."""

    def __init__(self) -> None:
        self._texts: dict[date, str] = {}

    def get(self, month: date) -> str | None:
        """The snapshot of the month that starts on `month`, or None."""
        return self._texts.get(month)

    def put(self, month: date, text: str) -> None:
        """Keep a snapshot."""
        self._texts[month] = text

    def forget_after(self, month: date) -> None:
        """Drop the snapshots of the months after the one that starts on `month`."""
        self._texts = {known: text for known, text in self._texts.items() if known <= month}


class EndOfDay:
    """Prices at the end of the day: holdings at the mark, deals off it."""

    def __init__(self, marks: Marks) -> None:
        self.marks = marks

    def value_micros(self, bill: Bill, day: date) -> int:
        """The day's mark."""
        return self.marks.price_micros(bill, day)

    def purchase_micros(self, bill: Bill, day: date, deal: str, settles_on: date) -> int:
        """What a purchase pays."""
        return self.marks.purchase_micros(bill, day, deal, settles_on)

    def sale_micros(self, bill: Bill, day: date, deal: str, settles_on: date) -> int:
        """What a sale brings."""
        return self.marks.sale_micros(bill, day, deal, settles_on)


class DuringTheDay(EndOfDay):
    """Prices of the moment, before the end of the day."""

    def value_micros(self, bill: Bill, day: date) -> int:
        """A price that is not the mark."""
        return self.marks.moment_micros(bill, day)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a customer can count on in a pocket: its last close and the payments under way from it, in cents."""

    closing_cents: int
    owed_cents: int


@dataclass(frozen=True, slots=True)
class Month:
    """The computed days of one calendar month; rows are listed by New York date, in the order of time.

    `standings` are those of a calendar day after all movements made on it and before it is settled.
    """

    days: dict[tuple[int, date], PocketDay]
    transactions: dict[date, tuple[Transaction, ...]]
    trades: dict[date, tuple[Trade, ...]]
    standings: dict[tuple[int, date], Standing]


def month_first(day: date) -> date:
    """The first day of `day`'s month."""
    return day.replace(day=1)


def _next_month(first: date) -> date:
    return month_first(first + timedelta(days=31))


def _as_json(row: Transaction) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in Transaction.__dataclass_fields__}
    values["details"] = dict(row.details)
    for name in ("booked_at", "settled_at", "bank_date"):
        values[name] = values[name].isoformat()
    return values


def _from_json(values: dict[str, Any]) -> Transaction:
    instants = {name: datetime.fromisoformat(values[name]) for name in ("booked_at", "settled_at")}
    return Transaction(**{**values, **instants, "bank_date": date.fromisoformat(values["bank_date"])})


class History:
    """The days of the bank of one config and its orders, without planted faults in what documents say."""

    def __init__(
        self, config: WorldConfig, marks: Marks, store: SnapshotStore | None = None, orders: Orders = _NO_ORDERS
    ) -> None:
        self._drawn = roster(config)
        self.marks = marks
        self.first_day = min(plan.opened_on for plan in self._drawn)
        self._take(orders)
        self._config = config
        self._seed = config.seed
        self._pricing = EndOfDay(marks)
        self._moment = DuringTheDay(marks)
        self._store: SnapshotStore = store if store is not None else MemoryStore()
        self._months: OrderedDict[date, Month] = OrderedDict()
        room = _POCKET_MONTHS_REMEMBERED // len(self.plans)
        self._most_months = min(max(room, _FEWEST_MONTHS), _MOST_MONTHS)

    def _take(self, orders: Orders) -> None:
        self.plans = ordered.plans(self._drawn, orders)
        self._by_id = {plan.id: plan for plan in self.plans}
        self._book = ordered.book(orders)

    def follow(self, orders: Orders, since: date) -> None:
        """Go by `orders`, which differ from those before from the New York day `since` on."""
        self._take(orders)
        first = month_first(since)
        self._store.forget_after(first)
        for month in [month for month in self._months if month >= first]:
            del self._months[month]

    def standing(self, plan: PocketPlan, day: date) -> Standing:
        """What can be counted on in a pocket on a calendar day; nothing outside its life."""
        return self.month(month_first(day)).standings.get((plan.number, day), Standing(0, 0))

    def plan(self, pocket_id: str) -> PocketPlan:
        """The plan of a pocket. Raises LookupError for an unknown id."""
        try:
            return self._by_id[pocket_id]
        except KeyError:
            raise LookupError(f"the simulated bank has no pocket {pocket_id}") from None

    def day(self, plan: PocketPlan, day: date) -> PocketDay:
        """One business day of a pocket. Raises LookupError outside its life and on other days."""
        if not calendars.is_fed_business_day(day):
            raise LookupError(f"{day} is no Fed business day")
        if not plan.lives_on(day):
            raise LookupError(f"{day} lies outside the life of pocket {plan.id}")
        return self.month(month_first(day)).days[plan.number, day]

    def day_so_far(self, plan: PocketPlan, day: date, until: datetime, known_at: datetime) -> PocketDay:
        """The day as it looks before its end: movements up to `until`, prices of the moment.

        It adds up in itself; trades are those that the movements so far would call for. What was ordered after
        `known_at` is not in it.
        """
        whole = self.day(plan, day)
        # What empties a pocket `settle` makes anew; on its last day it has no other movement.
        anew = self._emptying_rows(plan, day, whole) if plan.closes_on != day else whole.transactions
        late = [
            row
            for transfer in self._book.of_day.get(day, ())
            if transfer.approved_at > known_at
            for row in self._rows(transfer, transfer.amount_cents or 0, day)
        ]
        fees = [row for row in whole.transactions if whole.fee_through_bank and row.description == MANAGEMENT_FEE]
        left_out = {row.id for row in (*anew, *late, *fees)}
        so_far = [row for row in whole.transactions if row.booked_at <= until and row.id not in left_out]
        return self._settled(plan, day, whole.before, so_far, self._moment)

    def _settled(
        self, plan: PocketPlan, day: date, before: PocketState, due: Sequence[Transaction], pricing: Pricing
    ) -> PocketDay:
        emptying = self._book.emptying.get((plan.id, day))
        pay: Emptying | None = None
        if emptying is not None:
            transfer = emptying

            def pay(cash_cents: int) -> tuple[Transaction, ...]:
                return tuple(row for row in self._rows(transfer, cash_cents, day) if row.pocket_id == plan.id)

        return settle(plan.as_of(day), self._config, day, before, due, pricing, pay)

    def _rows(self, transfer: Transfer, cash_cents: int, day: date) -> tuple[Transaction, ...]:
        """The movements of a transfer that takes `cash_cents`, which for a wire of all money include the fee."""
        target = None if transfer.target_id is None else self._by_id[transfer.target_id].as_of(day)
        return ordered.movements_of(transfer, cash_cents, self._by_id[transfer.origin_id].as_of(day), target)

    def _emptying_rows(self, plan: PocketPlan, day: date, done: PocketDay) -> tuple[Transaction, ...]:
        """What was paid out of the pocket by the transfer of all its money on `day`."""
        emptying = self._book.emptying.get((plan.id, day))
        if emptying is None:
            return ()
        ids = {row.id for row in self._rows(emptying, WIRE_FEE_CENTS + 1, day)}
        return tuple(row for row in done.transactions if row.id in ids)

    def _spendable_cents(self, plan: PocketPlan, state: PocketState, day: date) -> int:
        """What the drawn payments of a day may spend, before those under way.

        Bills go by what they cost; once an order has taken money, by no more than they are surely worth, so that
        both together are always covered.
        """
        if self._book.first_payment.get(plan.id, day) >= day:
            return state.cost_cents
        if self._book.is_being_emptied(plan.id, day):
            return 0
        return min(state.cost_cents, state.closing_cents * _SURELY_WORTH_PERCENT // 100)

    def month(self, first: date) -> Month:
        """The month that starts on `first`; empty before the first pocket opened."""
        known = self._months.get(first)
        if known is None:
            known, after = self._compute(first, self.snapshot(first))
            self._store.put(_next_month(first), after)
            self._months[first] = known
            if len(self._months) > self._most_months:
                self._months.popitem(last=False)
        self._months.move_to_end(first)
        return known

    def snapshot(self, first: date) -> str:
        """The state of all pockets at the start of a month, as small JSON."""
        missing = []
        month = first
        text = None
        while month > self.first_day and (text := self._store.get(month)) is None:
            month = month_first(month - _ONE_DAY)
            missing.append(month)
        if month <= self.first_day:
            text = _EMPTY
        assert text is not None
        for month in reversed(missing):
            _, text = self._compute(month, text)
            self._store.put(_next_month(month), text)
        return text

    def _compute(self, first: date, text: str) -> tuple[Month, str]:
        state = json.loads(text)
        states = {int(number): _state(values) for number, values in state["pockets"].items()}
        under_way = [_from_json(values) for values in state["under_way"]]
        end = _next_month(first)
        moved: list[Transaction] = list(under_way)
        waiting: dict[tuple[str, date], list[Transaction]] = {}
        owed = dict.fromkeys((plan.id for plan in self.plans), 0)

        def expect(row: Transaction) -> None:
            waiting.setdefault((row.pocket_id, row.bank_date), []).append(row)
            if not row.credit:
                owed[row.pocket_id] += row.amount_cents

        for row in under_way:
            expect(row)
        days: dict[tuple[int, date], PocketDay] = {}
        standings: dict[tuple[int, date], Standing] = {}
        for calendar_day in calendars.days(max(first, self.first_day), end - _ONE_DAY):
            living = [plan.as_of(calendar_day) for plan in self.plans if plan.lives_on(calendar_day)]
            drawn = [plan for plan in living if plan.is_drawn]
            for plan in drawn:
                state = states.get(plan.number, PocketState())
                partners = [partner for partner in drawn if partner is not plan]
                spendable = self._spendable_cents(plan, state, calendar_day) - owed[plan.id]
                for row in _without_shut(movements(plan, self._seed, calendar_day, spendable, partners), drawn):
                    moved.append(row)
                    expect(row)
            for transfer in self._book.of_day.get(calendar_day, ()):
                for row in self._rows(transfer, transfer.amount_cents or 0, calendar_day):
                    moved.append(row)
                    expect(row)
            for plan in living:
                closing = states.get(plan.number, PocketState()).closing_cents
                standings[plan.number, calendar_day] = Standing(closing, owed[plan.id])
            if not calendars.is_fed_business_day(calendar_day):
                continue
            for plan in self._emptied_first(living, calendar_day):
                due = sorted(waiting.pop((plan.id, calendar_day), ()), key=lambda row: (row.booked_at, row.id))
                owed[plan.id] -= sum(row.amount_cents for row in due if not row.credit)
                before = states.get(plan.number, PocketState())
                done = self._settled(plan, calendar_day, before, due, self._pricing)
                days[plan.number, calendar_day] = done
                states[plan.number] = done.after
                moved.extend(done.transactions[len(due) :])
                for row in self._received(plan, calendar_day, done):
                    moved.append(row)
                    expect(row)
        still = [row for rows in waiting.values() for row in rows]
        after = _snapshot_text(states, [plan.number for plan in self.plans if plan.lives_on(end)], still)
        trades = [trade for done in days.values() for trade in done.trades]
        return Month(days, _by_date(moved, first, end), _trades_by_date(trades), standings), after

    def _emptied_first(self, living: list[PocketPlan], day: date) -> list[PocketPlan]:
        """The pockets in the order in which the day settles them: one that is emptied before who receives it."""
        emptying = {
            plan.id: self._book.emptying[plan.id, day] for plan in living if (plan.id, day) in self._book.emptying
        }
        first = sorted((plan for plan in living if plan.id in emptying), key=lambda plan: emptying[plan.id].approved_at)
        return [*first, *(plan for plan in living if plan.id not in emptying)]

    def _received(self, plan: PocketPlan, day: date, done: PocketDay) -> list[Transaction]:
        """What another pocket receives of the money of one that was emptied."""
        emptying = self._book.emptying.get((plan.id, day))
        if emptying is None or emptying.target_id is None:
            return []
        return [
            leg
            for paid in self._emptying_rows(plan, day, done)
            for leg in self._rows(emptying, paid.amount_cents, day)
            if leg.pocket_id != plan.id
        ]


def _without_shut(rows: list[Transaction], plans: list[PocketPlan]) -> list[Transaction]:
    """The movements but those of a pocket after the customer closed it, and their other legs."""
    shut = {plan.id: plan.shut_at for plan in plans if plan.shut_at is not None}
    if not shut:
        return rows
    gone = {row.transaction_id for row in rows if row.pocket_id in shut and row.booked_at >= shut[row.pocket_id]}
    return [row for row in rows if row.transaction_id not in gone]


def _by_date(rows: list[Transaction], first: date, end: date) -> dict[date, tuple[Transaction, ...]]:
    listed: dict[date, list[Transaction]] = {}
    for row in sorted(rows, key=lambda row: (row.booked_at, row.id)):
        moved_on = calendars.new_york_date(row.booked_at)
        if first <= moved_on < end:
            listed.setdefault(moved_on, []).append(row)
    return {day: tuple(rows) for day, rows in listed.items()}


def _trades_by_date(trades: list[Trade]) -> dict[date, tuple[Trade, ...]]:
    listed: dict[date, list[Trade]] = {}
    for trade in sorted(trades, key=lambda trade: (trade.traded_at, trade.id)):
        listed.setdefault(calendars.new_york_date(trade.traded_at), []).append(trade)
    return {day: tuple(rows) for day, rows in listed.items()}


def _state(values: dict[str, Any]) -> PocketState:
    holdings = tuple(Holding(bill(cusip), quantity, cost) for cusip, quantity, cost in values["bills"])
    cash, value = values["cash"], values["value"]
    return PocketState(
        holdings,
        cash,
        value,
        values.get("shown_cash", cash),
        values.get("closing", value + cash),
        tuple(
            Unsettled(activity, bill(cusip), quantity, paid, cost, *(date.fromisoformat(day) for day in dates))
            for activity, cusip, quantity, paid, cost, *dates in values.get("unsettled", ())
        ),
        tuple(Sweep(date.fromisoformat(day), *amounts) for day, *amounts in values.get("in_transit", ())),
    )


def _beyond_the_usual(state: PocketState) -> dict[str, Any]:
    """What a snapshot holds only of banks that settle, show or sweep otherwise than at once."""
    found: dict[str, Any] = {}
    if state.shown_cash_cents != state.cash_cents:
        found["shown_cash"] = state.shown_cash_cents
    if state.closing_cents != state.bills_value_cents + state.cash_cents:
        found["closing"] = state.closing_cents
    if state.unsettled:
        found["unsettled"] = [
            [one.activity, one.bill.cusip, one.quantity, one.cash_cents, one.cost_cents, *_dates(one)]
            for one in state.unsettled
        ]
    if state.in_transit:
        found["in_transit"] = [
            [sweep.day.isoformat(), sweep.deposits_cents, sweep.payments_cents] for sweep in state.in_transit
        ]
    return found


def _dates(one: Unsettled) -> list[str]:
    return [one.books_on.isoformat(), one.settles_on.isoformat()]


def _snapshot_text(states: dict[int, PocketState], living: list[int], under_way: list[Transaction]) -> str:
    pockets = {
        str(number): {
            "bills": [[held.bill.cusip, held.quantity, held.cost_cents] for held in states[number].holdings],
            "cash": states[number].cash_cents,
            "value": states[number].bills_value_cents,
            **_beyond_the_usual(states[number]),
        }
        for number in living
        if number in states
    }
    rows = sorted(under_way, key=lambda row: (row.booked_at, row.id))
    content = {"pockets": pockets, "under_way": [_as_json(row) for row in rows]}
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


_EMPTY: Final = _snapshot_text({}, [], [])

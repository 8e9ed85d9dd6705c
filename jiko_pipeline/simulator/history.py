"""The bank's days in order: months computed once, remembered briefly, and re-entered from snapshots.

Belongs here: walking calendar days, movements under way between two days, month snapshots. Does not belong
here: the rules of a day (`ledger`), what documents say about it (`statements`).

A month's days depend on the config and the snapshot at its first day only, and a snapshot on the month
before, so the order in which days are asked for never matters.
"""

import json
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol

from jiko_pipeline import calendars
from jiko_pipeline.simulator.activity import movements
from jiko_pipeline.simulator.bills import bill
from jiko_pipeline.simulator.ledger import Holding, PocketDay, PocketState, settle
from jiko_pipeline.simulator.marks import Marks
from jiko_pipeline.simulator.model import Bill, Trade, Transaction, WorldConfig
from jiko_pipeline.simulator.roster import PocketPlan, roster

_POCKET_MONTHS_REMEMBERED: Final = 200
_FEWEST_MONTHS: Final = 3
_MOST_MONTHS: Final = 16
_ONE_DAY: Final = timedelta(days=1)


class SnapshotStore(Protocol):
    """Where the state of the ledger at the start of a month is kept; one store serves one world."""

    def get(self, month: date) -> str | None:
        """The snapshot of the month that starts on `month`, or None."""
        ...

    def put(self, month: date, text: str) -> None:
        """Keep a snapshot."""
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


class EndOfDay:
    """Prices at the end of the day: holdings at the mark, deals off it."""

    def __init__(self, marks: Marks) -> None:
        self.marks = marks

    def value_micros(self, bill: Bill, day: date) -> int:
        """The day's mark."""
        return self.marks.price_micros(bill, day)

    def purchase_micros(self, bill: Bill, day: date, deal: str) -> int:
        """What a purchase pays."""
        return self.marks.purchase_micros(bill, day, deal)

    def sale_micros(self, bill: Bill, day: date, deal: str) -> int:
        """What a sale brings."""
        return self.marks.sale_micros(bill, day, deal)


class DuringTheDay(EndOfDay):
    """Prices of the moment, before the end of the day."""

    def value_micros(self, bill: Bill, day: date) -> int:
        """A price that is not the mark."""
        return self.marks.moment_micros(bill, day)


@dataclass(frozen=True, slots=True)
class Month:
    """The computed days of one calendar month; rows are listed by New York date, in the order of time."""

    days: dict[tuple[int, date], PocketDay]
    transactions: dict[date, tuple[Transaction, ...]]
    trades: dict[date, tuple[Trade, ...]]


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
    """The days of the bank of one config, without planted faults in what documents say."""

    def __init__(self, config: WorldConfig, marks: Marks, store: SnapshotStore | None = None) -> None:
        self.plans = roster(config)
        self.marks = marks
        self.first_day = min(plan.opened_on for plan in self.plans)
        self._by_id = {plan.id: plan for plan in self.plans}
        self._seed = config.seed
        self._pricing = EndOfDay(marks)
        self._moment = DuringTheDay(marks)
        self._store: SnapshotStore = store if store is not None else MemoryStore()
        self._months: OrderedDict[date, Month] = OrderedDict()
        room = _POCKET_MONTHS_REMEMBERED // len(self.plans)
        self._most_months = min(max(room, _FEWEST_MONTHS), _MOST_MONTHS)

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

    def day_so_far(self, plan: PocketPlan, day: date, until: datetime) -> PocketDay:
        """The day as it looks before its end: movements up to `until`, prices of the moment.

        It adds up in itself; trades are those that the movements so far would call for.
        """
        whole = self.day(plan, day)
        # On its last day a pocket has no movement but the wire that empties it, which `settle` makes anew.
        expected = () if plan.closes_on == day else whole.transactions
        so_far = [row for row in expected if row.booked_at <= until]
        return settle(plan, self._seed, day, whole.before, so_far, self._moment)

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
        for calendar_day in calendars.days(max(first, self.first_day), end - _ONE_DAY):
            living = [plan for plan in self.plans if plan.lives_on(calendar_day)]
            for plan in living:
                worth = states[plan.number].cost_cents if plan.number in states else 0
                partners = [partner for partner in living if partner is not plan]
                spendable = worth - owed[plan.id]
                for row in movements(plan, self._seed, calendar_day, spendable, partners):
                    moved.append(row)
                    expect(row)
            if not calendars.is_fed_business_day(calendar_day):
                continue
            for plan in living:
                due = sorted(waiting.pop((plan.id, calendar_day), ()), key=lambda row: (row.booked_at, row.id))
                owed[plan.id] -= sum(row.amount_cents for row in due if not row.credit)
                before = states.get(plan.number, PocketState())
                done = settle(plan, self._seed, calendar_day, before, due, self._pricing)
                days[plan.number, calendar_day] = done
                states[plan.number] = done.after
                moved.extend(done.transactions[len(due) :])
        still = [row for rows in waiting.values() for row in rows]
        after = _snapshot_text(states, [plan.number for plan in self.plans if plan.lives_on(end)], still)
        trades = [trade for done in days.values() for trade in done.trades]
        return Month(days, _by_date(moved, first, end), _trades_by_date(trades)), after


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
        listed.setdefault(trade.book_date, []).append(trade)
    return {day: tuple(rows) for day, rows in listed.items()}


def _state(values: dict[str, Any]) -> PocketState:
    holdings = tuple(Holding(bill(cusip), quantity, cost) for cusip, quantity, cost in values["bills"])
    return PocketState(holdings, values["cash"], values["value"])


def _snapshot_text(states: dict[int, PocketState], living: list[int], under_way: list[Transaction]) -> str:
    pockets = {
        str(number): {
            "bills": [[held.bill.cusip, held.quantity, held.cost_cents] for held in states[number].holdings],
            "cash": states[number].cash_cents,
            "value": states[number].bills_value_cents,
        }
        for number in living
        if number in states
    }
    rows = sorted(under_way, key=lambda row: (row.booked_at, row.id))
    content = {"pockets": pockets, "under_way": [_as_json(row) for row in rows]}
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


_EMPTY: Final = _snapshot_text({}, [], [])

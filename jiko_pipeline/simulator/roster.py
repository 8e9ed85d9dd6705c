"""The pockets of the simulated bank: who they are and how long they live.

Belongs here: a pocket's identity, strategy, size and life, functions of the config and of what the customer
changed. Does not belong here: what happens in a pocket (`activity`, `ledger`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final

from jiko_pipeline import calendars
from jiko_pipeline.simulator.draws import Draws, drawn_uuid
from jiko_pipeline.simulator.model import Pocket, WorldConfig

_STRATEGIES: Final = (
    ("UST-4W", "4-Week"),
    ("UST-13W", "13-Week"),
    ("UST-26W", "26-Week"),
    ("UST-52W", "52-Week"),
)
TERM_OF_STRATEGY: Final = dict(_STRATEGIES)
"""The term of the bills that each strategy buys."""
_NAMES: Final = ("Operating", "Payroll reserve", "Tax reserve", "Strategic reserve")
_OLDER, _STEADY, _LATE, _CLOSING = range(4)
_OLDER_BY_DAYS: Final = 60


@dataclass(frozen=True, slots=True)
class PocketChange:
    """A change of a pocket that the customer made at `at`; None leaves a part as it was."""

    pocket_id: str
    at: datetime
    name: str | None = None
    strategy_id: str | None = None
    reinvestment_strategy_id: str | None = None
    closure_reason: str | None = None
    """Given when the pocket is closed."""

    @property
    def on(self) -> date:
        """The New York day of the change."""
        return calendars.new_york_date(self.at)


@dataclass(frozen=True, slots=True)
class PocketPlan:
    """One pocket: `term` is the bill it buys, `target_cents` the size that its balance hovers about.

    Name and strategies are those at its beginning, `changes` what became of them. `closes_on` is the drawn end of
    its life, `shut_at` the moment at which the customer closed it, empty. `is_drawn` is false for a pocket in
    which only orders move money.
    """

    number: int
    id: str
    name: str
    strategy_id: str
    term: str
    account_number: str
    opened_on: date
    closes_on: date | None
    target_cents: int
    reinvestment_strategy_id: str | None = None
    """None where it is the strategy for deposits."""
    created_at: datetime | None = None
    changes: tuple[PocketChange, ...] = ()
    is_drawn: bool = True

    @property
    def shut_at(self) -> datetime | None:
        """When the customer closed the pocket."""
        return next((change.at for change in self.changes if change.closure_reason is not None), None)

    @property
    def last_day(self) -> date | None:
        """The last day of its life, as far as it is settled."""
        return self.closes_on if self.shut_at is None else calendars.new_york_date(self.shut_at)

    @property
    def reinvestment_term(self) -> str:
        """The bill that the proceeds of matured bills buy."""
        return TERM_OF_STRATEGY[self.reinvestment_strategy_id or self.strategy_id]

    def lives_on(self, day: date) -> bool:
        """True from the day of the first deposit to the day of the last payment, or of the closing."""
        last = self.last_day
        return self.opened_on <= day and (last is None or day <= last)

    def changed(self, changes: Sequence[PocketChange]) -> "PocketPlan":
        """The plan with changes in the order of time."""
        return replace(self, changes=tuple(changes)) if changes else self

    def as_of(self, day: date) -> "PocketPlan":
        """The plan whose name and strategies are those at the start of `day`, by which the day goes."""
        return self._at(calendars.new_york_instant(day, time(0))) if self.changes else self

    def _at(self, moment: datetime) -> "PocketPlan":
        name, strategy, reinvestment = self.name, self.strategy_id, self.reinvestment_strategy_id
        for change in self.changes:
            if change.at < moment:
                name = change.name or name
                strategy = change.strategy_id or strategy
                reinvestment = change.reinvestment_strategy_id or reinvestment
        return replace(
            self,
            name=name,
            strategy_id=strategy,
            reinvestment_strategy_id=reinvestment,
            term=TERM_OF_STRATEGY[strategy],
        )

    def pocket(self, on: date, known_at: datetime | None = None) -> Pocket:
        """The pocket as it is known at the end of `on`, or at `known_at` where that is earlier."""
        moment = calendars.new_york_instant(on + timedelta(days=1), time(0))
        if known_at is not None and known_at < moment:
            # A change made at this very moment is known.
            moment = known_at + timedelta(microseconds=1)
        seen = self._at(moment) if self.changes else self
        closed = self.closes_on if self.closes_on is not None and self.closes_on <= on else None
        if self.shut_at is not None and self.shut_at < moment:
            closed = calendars.new_york_date(self.shut_at)
        return Pocket(
            id=self.id,
            name=seen.name,
            strategy_id=seen.strategy_id,
            opened_on=self.opened_on,
            closed_on=closed,
            account_number=self.account_number,
            reinvestment_strategy_id=seen.reinvestment_strategy_id or seen.strategy_id,
            created_at=self.created_at,
        )


def _trading_day(day: date) -> date:
    return day if calendars.is_trading_day(day) else calendars.next_trading_day(day)


def _business_day(start: date, number: int) -> date:
    """The `number`-th Fed business day of the data, or the first trading day after it."""
    day = calendars.on_or_after(start)
    for _ in range(number - 1):
        day = calendars.next_fed_business_day(day)
    return _trading_day(day)


def roster(config: WorldConfig) -> tuple[PocketPlan, ...]:
    """The pockets of `config`, oldest plan number first.

    Of every four one is older than the data, one steady, one opened and one closed within the data; fewer
    than four pockets are all steady.
    """
    plans = []
    for number in range(config.pockets):
        draws = Draws(config.seed, "pocket", number)
        turn, lap = number % 4, number // 4
        kind = (turn + lap) % 4 if config.pockets >= 4 else _STEADY
        opened_on = _trading_day(config.start)
        closes_on = None
        if kind == _OLDER:
            opened_on = _trading_day(config.start - timedelta(days=_OLDER_BY_DAYS + lap % 5))
        elif kind == _LATE:
            opened_on = _business_day(config.start, 6 + lap % 4)
        elif kind == _CLOSING:
            closes_on = _business_day(config.start, 22 + draws.below(4))
        strategy_id, term = _STRATEGIES[turn]
        plans.append(
            PocketPlan(
                number=number,
                id=drawn_uuid(config.seed, "pocket", number),
                name=_NAMES[turn] if lap == 0 else f"{_NAMES[turn]} {lap + 1}",
                strategy_id=strategy_id,
                term=term,
                account_number=f"{draws.below(10**12):012d}",
                opened_on=opened_on,
                closes_on=closes_on,
                target_cents=draws.between(8_000_000, 40_000_000) * 100,
            )
        )
    return tuple(plans)

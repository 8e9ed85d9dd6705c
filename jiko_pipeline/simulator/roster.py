"""The pockets of the simulated bank: who they are and how long they live.

Belongs here: a pocket's identity, strategy, size and life, all functions of the config. Does not belong here:
what happens in a pocket (`activity`, `ledger`).
"""

from dataclasses import dataclass
from datetime import date, timedelta
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
_NAMES: Final = ("Operating", "Payroll reserve", "Tax reserve", "Strategic reserve")
_OLDER, _STEADY, _LATE, _CLOSING = range(4)
_OLDER_BY_DAYS: Final = 60


@dataclass(frozen=True, slots=True)
class PocketPlan:
    """One pocket: `term` is the bill it buys, `target_cents` the size that its balance hovers about."""

    number: int
    id: str
    name: str
    strategy_id: str
    term: str
    account_number: str
    opened_on: date
    closes_on: date | None
    target_cents: int

    def lives_on(self, day: date) -> bool:
        """True from the day of the first deposit to the day of the last payment."""
        return self.opened_on <= day and (self.closes_on is None or day <= self.closes_on)

    def pocket(self, on: date) -> Pocket:
        """The pocket as it is known on `on`."""
        closed = self.closes_on if self.closes_on is not None and self.closes_on <= on else None
        return Pocket(
            id=self.id,
            name=self.name,
            strategy_id=self.strategy_id,
            opened_on=self.opened_on,
            closed_on=closed,
            account_number=self.account_number,
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

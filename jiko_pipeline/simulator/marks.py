"""Prices of the simulated bank: the day's mark of each bill and the prices at which it deals.

Belongs here: the rate curve, the mark of a bill and day, a deal's distance from the mark. Does not belong
here: who holds what (`ledger`), price formulas (`jiko_pipeline.tbill`).

The curve runs through the smoothed results of the real auctions of the 4-, 13-, 26- and 52-week bills,
straight between two auctions and between two terms. Past the last auction its level wanders within bounds
that the seed draws. A bill's mark lies within 1.5 basis points of the curve. Everything is a function of
seed, bill and day, so no mark needs another day's to be known first. Rates are in thousandths of a percent of
bank discount.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from jiko_pipeline import calendars, tbill
from jiko_pipeline.simulator.bills import TERM_DAYS
from jiko_pipeline.simulator.draws import drawn_integer
from jiko_pipeline.simulator.model import Bill

RATE_FLOOR: Final = 50
"""Lowest mark, 0.05 %: deep enough that a purchase 2 basis points richer still costs less than par."""

_NOISE: Final = 15
_HALF_SPREAD: Final = (5, 20)
_SMOOTHED_AUCTIONS: Final = {"4-Week": 4, "13-Week": 4, "26-Week": 4, "52-Week": 1}
"""Auctions on either side that a smoothed result averages, so that a day's move stays far from a jump."""

_WANDER: Final = ((364, 600), (91, 150), (28, 40))
"""(days between two knots, bound of a knot) of each wave of the level past the last auction."""

_REMEMBERED_DAYS: Final = 80


@dataclass(frozen=True, slots=True)
class RepeatedPrice:
    """On `day` the mark of `cusip` repeats that of the business day before."""

    cusip: str
    day: date


@lru_cache(maxsize=1)
def _nodes() -> tuple[tuple[int, tuple[int, ...], tuple[int, ...]], ...]:
    """(days to maturity, auction ordinals, smoothed rates) of each term, by term."""
    nodes = []
    for term, term_days in TERM_DAYS.items():
        rows = [row for row in tbill.auctions() if row.security_term == term]
        rates = [row.discount_rate_thousandths for row in rows]
        smoothed = []
        for place in range(len(rates)):
            reach = min(_SMOOTHED_AUCTIONS[term], place, len(rates) - 1 - place)
            near = rates[place - reach : place + reach + 1]
            smoothed.append((sum(near) + len(near) // 2) // len(near))
        nodes.append((term_days, tuple(row.auction_date.toordinal() for row in rows), tuple(smoothed)))
    return tuple(nodes)


def _between(x: int, x0: int, y0: int, x1: int, y1: int) -> int:
    return y0 + (y1 - y0) * (x - x0) // (x1 - x0)


class Marks:
    """The marks of one seed. `repeated` plants a price that stands still for a day; deals ignore it.

    With `settles_next_day` a day's mark is the price of a bill that is paid for on the next business day.
    """

    def __init__(self, seed: int, *, repeated: RepeatedPrice | None = None, settles_next_day: bool = False) -> None:
        self._seed = seed
        self._settles_next_day = settles_next_day
        self._repeated = repeated
        self._curves: dict[int, tuple[int, ...]] = {}
        self._rates: dict[int, dict[str, int]] = {}
        self._last_auction = max(ordinals[-1] for _, ordinals, _ in _nodes())

    def price_micros(self, bill: Bill, day: date) -> int:
        """End-of-day price per 100 of face in millionths; `day` is a business day before maturity.

        Never equal to the price of the business day before, planted repetition apart.
        """
        if self._repeated is not None and self._repeated.cusip == bill.cusip and self._repeated.day == day:
            day = calendars.previous_fed_business_day(day)
        return tbill.price_micros(self.rate(bill, day), self._days_left(bill, day))

    def _days_left(self, bill: Bill, day: date) -> int:
        settles = calendars.next_fed_business_day(day) if self._settles_next_day else day
        return (bill.maturity_date - settles).days

    def rate(self, bill: Bill, day: date) -> int:
        """Bank discount rate of the mark."""
        before = calendars.previous_fed_business_day(day)
        days, days_before = self._days_left(bill, day), self._days_left(bill, before)
        rate, rate_before = self._drawn_rate(bill, day), self._drawn_rate(bill, before)
        # Two prices are equal exactly when rate * days are. The day before may itself have been moved up by
        # one; a multiple of its days cannot meet both this rate and the next, because days < days_before.
        if rate * days in (rate_before * days_before, (rate_before + 1) * days_before):
            rate += 1
        return rate

    def purchase_micros(self, bill: Bill, day: date, deal: str, settles_on: date | None = None) -> int:
        """What a purchase pays per 100: 0.5 to 2 basis points of discount rate below the mark's.

        It is paid for on `settles_on`, by default on `day`.
        """
        rate = self.rate(bill, day) - self._half_spread(bill, day, deal)
        return tbill.price_micros(rate, (bill.maturity_date - (settles_on or day)).days)

    def sale_micros(self, bill: Bill, day: date, deal: str, settles_on: date | None = None) -> int:
        """What a sale brings per 100: 0.5 to 2 basis points of discount rate above the mark's; else as a purchase."""
        rate = self.rate(bill, day) + self._half_spread(bill, day, deal)
        return tbill.price_micros(rate, (bill.maturity_date - (settles_on or day)).days)

    def moment_micros(self, bill: Bill, day: date) -> int:
        """A price of the moment, during `day`: up to 1 basis point off the mark, never the mark itself."""
        off = 1 + drawn_integer(10, self._seed, "moment", bill.cusip, day)
        if drawn_integer(2, self._seed, "moment side", bill.cusip, day):
            off = -off
        return tbill.price_micros(self.rate(bill, day) + off, self._days_left(bill, day))

    def auction_rate(self, day: date, term_days: int) -> int:
        """The rate of a generated auction: the curve, on Treasury's bid grid of half a basis point."""
        return max(self._curve_rate(day.toordinal(), term_days) // 5 * 5, RATE_FLOOR)

    def _half_spread(self, bill: Bill, day: date, deal: str) -> int:
        low, high = _HALF_SPREAD
        return low + drawn_integer(high - low + 1, self._seed, "spread", deal, bill.cusip, day)

    def _drawn_rate(self, bill: Bill, day: date) -> int:
        ordinal = day.toordinal()
        known = self._rates.get(ordinal)
        if known is None:
            if len(self._rates) >= _REMEMBERED_DAYS:
                self._rates.clear()
                self._curves.clear()
            known = self._rates[ordinal] = {}
        rate = known.get(bill.cusip)
        if rate is None:
            level = self._curve_rate(ordinal, bill.maturity_date.toordinal() - ordinal)
            reach = min(_NOISE, level // 20)
            noise = drawn_integer(2 * reach + 1, self._seed, "mark", bill.cusip, ordinal) - reach
            rate = known[bill.cusip] = max(level + noise, RATE_FLOOR)
        return rate

    def _curve_rate(self, ordinal: int, days: int) -> int:
        curve = self._curves.get(ordinal)
        if curve is None:
            curve = self._curves[ordinal] = self._curve(ordinal)
        nodes = _nodes()
        if days <= nodes[0][0]:
            return curve[0]
        for place in range(1, len(nodes)):
            if days <= nodes[place][0]:
                return _between(days, nodes[place - 1][0], curve[place - 1], nodes[place][0], curve[place])
        return curve[-1]

    def _curve(self, ordinal: int) -> tuple[int, ...]:
        wander = self._wander(ordinal) - self._wander(self._last_auction) if ordinal > self._last_auction else 0
        levels = []
        for _, ordinals, rates in _nodes():
            place = bisect_right(ordinals, ordinal)
            if place == 0:
                level = rates[0]
            elif place == len(ordinals):
                level = rates[-1]
            else:
                level = _between(ordinal, ordinals[place - 1], rates[place - 1], ordinals[place], rates[place])
            levels.append(max(level + wander, RATE_FLOOR))
        return tuple(levels)

    def _wander(self, ordinal: int) -> int:
        level = 0
        for step, bound in _WANDER:
            knot = ordinal // step
            here = drawn_integer(2 * bound + 1, self._seed, "level", step, knot) - bound
            there = drawn_integer(2 * bound + 1, self._seed, "level", step, knot + 1) - bound
            level += _between(ordinal, knot * step, here, (knot + 1) * step, there)
        return level

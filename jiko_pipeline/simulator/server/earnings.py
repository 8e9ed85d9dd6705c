"""GET /api/v2/pockets/{pocket_id}/earnings/: what a pocket's bills have earned over a period.

Belongs here: the periods. Earnings are the gain lines of the pocket's brokerage statements, added up; a day counts
once its figures are final. Fees are no part of them. Does not belong here: how a gain comes about (`ledger`).
"""

from datetime import date, timedelta
from typing import Final

from starlette.responses import Response

from jiko_pipeline.simulator.model import Pocket
from jiko_pipeline.simulator.server.answers import amount, invalid, not_found
from jiko_pipeline.simulator.server.bank import Call, Operation, json_response
from jiko_pipeline.simulator.server.holdings import last_final_day
from jiko_pipeline.simulator.server.limits import LimitGroup
from jiko_pipeline.simulator.server.pockets import find_pocket

ALL_TIME: Final = "all-time"
RANGE: Final = "range"
PERIODS: Final = ("ytd", "mtd", "wtd", ALL_TIME, RANGE)


def get_earnings(call: Call) -> Response:
    """GET /api/v2/pockets/{pocket_id}/earnings/; weeks begin on Mondays, days are New York's."""
    pocket = find_pocket(call, call.identifier("pocket_id"))
    period = call.query.choice("period", *PERIODS) or ALL_TIME
    given = call.query.day("date_from"), call.query.day("date_to")
    first, last = _range(*given) if period == RANGE else _to_date(period, call.today, given)
    if pocket is None:
        raise not_found()
    earned = earnings_cents(call, pocket, first, last)
    return json_response(
        {
            "earnings": amount(earned),
            "date_from": None if first is None else first.isoformat(),
            "date_to": last.isoformat(),
            "pricing_timestamp": None,
            "appreciation_per_second": None,
        }
    )


def earnings_cents(call: Call, pocket: Pocket, first: date | None, last: date) -> int:
    """The gains of a pocket from `first` (None: its beginning) to `last`, both included, signed."""
    final = min(last, last_final_day(call.now))
    return call.bank.world.gain_cents(pocket.id, first or date.min, final)


def _range(first: date | None, last: date | None) -> tuple[date, date]:
    if first is None or last is None:
        name = "date_from" if first is None else "date_to"
        raise invalid("query", name, "Value error, needed with period=range", "value_error")
    if last < first:
        raise invalid("query", "date_to", "Value error, lies before date_from", "value_error", last.isoformat())
    return first, last


def _to_date(period: str, today: date, given: tuple[date | None, date | None]) -> tuple[date | None, date]:
    for name, day in zip(("date_from", "date_to"), given, strict=True):
        if day is not None:
            raise invalid("query", name, "Value error, only with period=range", "value_error", day.isoformat())
    starts = {
        "ytd": today.replace(month=1, day=1),
        "mtd": today.replace(day=1),
        "wtd": today - timedelta(days=today.weekday()),
    }
    return starts.get(period), today


OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v2/pockets/{pocket_id}/earnings/",
        "get_pocket_earnings",
        LimitGroup.POCKETS,
        "pockets.read",
        get_earnings,
    ),
)

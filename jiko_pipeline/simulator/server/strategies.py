"""GET /api/v2/trading-strategies/: which bills a pocket may buy, and what they yield today.

Belongs here: the strategies and their yields on the day's curve. The key of one week is listed but applies to
nothing, as Jiko says of it. Does not belong here: which pocket follows which (`roster`).
"""

from decimal import Decimal
from functools import lru_cache
from typing import Final

from starlette.responses import Response

from jiko_pipeline.calendars import is_fed_business_day, previous_fed_business_day
from jiko_pipeline.simulator.bills import TERM_DAYS
from jiko_pipeline.simulator.marks import Marks
from jiko_pipeline.simulator.server.answers import Json, invalid
from jiko_pipeline.simulator.server.bank import Call, Operation, json_response
from jiko_pipeline.simulator.server.limits import LimitGroup
from jiko_pipeline.tbill import investment_rate_percent, price_micros, year_basis

_STRATEGIES: Final = (
    ("UST-1W", "1-week US Treasury bills", 7, ()),
    ("UST-4W", "4-week US Treasury bills", TERM_DAYS["4-Week"], ("DEPOSIT", "REINVESTMENT")),
    ("UST-13W", "13-week US Treasury bills", TERM_DAYS["13-Week"], ("DEPOSIT", "REINVESTMENT")),
    ("UST-26W", "26-week US Treasury bills", TERM_DAYS["26-Week"], ("DEPOSIT", "REINVESTMENT")),
    ("UST-52W", "52-week US Treasury bills", TERM_DAYS["52-Week"], ("DEPOSIT", "REINVESTMENT")),
)


@lru_cache(maxsize=4)
def _marks(seed: int) -> Marks:
    return Marks(seed)


def list_strategies(call: Call) -> Response:
    """GET /api/v2/trading-strategies/, an offset list."""
    wanted = call.query.choice("applicable_to", "DEPOSIT", "REINVESTMENT")
    offset = call.query.number("offset", 0)
    assert offset is not None
    if offset < 0:
        message = "Input should be greater than or equal to 0"
        raise invalid("query", "offset", message, "greater_than_equal", str(offset), {"ge": 0})
    limit = call.query.limit(100)
    found = [strategy for strategy in _STRATEGIES if wanted is None or wanted in strategy[3]]
    items = [_shown(call, *strategy) for strategy in found[offset : offset + limit]]
    return json_response({"offset": offset, "count": len(found), "items": items, "object_type": "List"})


def _shown(call: Call, identifier: str, description: str, days: int, applicable_to: tuple[str, ...]) -> Json:
    day = call.today if is_fed_business_day(call.today) else previous_fed_business_day(call.today)
    rate = _marks(call.bank.world.config.seed).auction_rate(day, days)
    price = Decimal(price_micros(rate, days)).scaleb(-6)
    return {
        "id": identifier,
        "description": description,
        "yield_to_maturity": f"{investment_rate_percent(price, days, year_basis(day)) / 100:.6f}",
        "discount_yield": f"{Decimal(rate).scaleb(-5):.6f}",
        "applicable_to": list(applicable_to),
    }


OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v2/trading-strategies/",
        "list_trading_strategies",
        LimitGroup.TRADING_STRATEGIES,
        "pockets.read",
        list_strategies,
    ),
)

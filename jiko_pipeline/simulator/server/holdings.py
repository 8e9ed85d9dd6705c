"""GET /api/v2/pockets/: the pockets with a live picture of what they hold.

Belongs here: pockets in JSON and their portfolio at the moment of the request. Does not belong here:
positions of past days, which only POSITION_SUMMARY_REPORT has.
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

from starlette.responses import Response

from jiko_pipeline.calendars import (
    NEW_YORK,
    is_fed_business_day,
    new_york_date,
    previous_fed_business_day,
)
from jiko_pipeline.simulator.documents.delimited import bill_description
from jiko_pipeline.simulator.documents.numbers import price_text
from jiko_pipeline.simulator.model import Bill, Pocket, Position
from jiko_pipeline.simulator.orders import PENDING_FOR
from jiko_pipeline.simulator.server.answers import Json, amount, invalid, not_found
from jiko_pipeline.simulator.server.bank import Call, Operation, SimulatedBank, json_response
from jiko_pipeline.simulator.server.limits import LimitGroup
from jiko_pipeline.simulator.server.paging import Cursors, Key, cut
from jiko_pipeline.tbill import auctions, investment_rate_percent, year_basis

PENDING: Final = "PENDING"
OPEN: Final = "OPEN"
CLOSED: Final = "CLOSED"
STATUSES: Final = (PENDING, OPEN, "FROZEN", CLOSED)
DAY_END_HOUR: Final = 21
"""New York hour from which the figures of a business day are final."""
_DAY_START_HOUR: Final = 9


def list_pockets(call: Call) -> Response:
    """GET /api/v2/pockets/."""
    query = call.query
    limit = query.limit(100)
    wanted = query.array("filter[status]")
    for status in wanted or ():
        if status not in STATUSES:
            expected = " or ".join(repr(choice) for choice in STATUSES)
            raise invalid("query", "filter[status]", f"Input should be {expected}", "enum", status)
    with_portfolio = "portfolio" not in (query.array("omit[]") or ())
    pockets = sorted(
        (
            pocket
            for pocket in call.bank.world.pockets(call.today)
            if wanted is None or status_of(pocket, call.now) in wanted
        ),
        key=_key,
    )

    def walk(descending: bool, _: Key | None) -> Iterable[Pocket]:
        return reversed(pockets) if descending else pockets

    page = cut(
        walk,
        _key,
        cursors=Cursors(call.bank.signing_secret, "pockets", call.filters()),
        cursor=query.text("cursor"),
        limit=limit,
        descending=False,
    )
    return json_response(page.as_cursor_list(lambda pocket: show_pocket(call, pocket, with_portfolio=with_portfolio)))


def get_pocket(call: Call) -> Response:
    """GET /api/v2/pockets/{pocket_id}/."""
    pocket_id = call.identifier("pocket_id")
    with_portfolio = "portfolio" not in (call.query.array("omit[]") or ())
    for pocket in call.bank.world.pockets(call.today):
        if pocket.id == pocket_id:
            return json_response(show_pocket(call, pocket, with_portfolio=with_portfolio))
    raise not_found()


def _key(pocket: Pocket) -> Key:
    made_on = pocket.opened_on if pocket.created_at is None else new_york_date(pocket.created_at)
    return made_on.isoformat(), pocket.id


def status_of(pocket: Pocket, now: datetime) -> str:
    """The status word of a pocket."""
    if pocket.closed_on is not None:
        return CLOSED
    return PENDING if pocket.created_at is not None and now < pocket.created_at + PENDING_FOR else OPEN


def show_pocket(call: Call, pocket: Pocket, *, with_portfolio: bool) -> Json:
    """A pocket as the API shows it."""
    return {
        "id": pocket.id,
        "pocket_name": pocket.name,
        "portfolio": _portfolio(call, pocket) if with_portfolio else None,
        "status": status_of(pocket, call.now),
        "attributes": [],
        "deposit_strategy_id": pocket.strategy_id,
        "reinvestment_strategy_id": pocket.reinvestment_strategy_id or pocket.strategy_id,
        "type": None,
        "object_type": "Pocket",
    }


def last_final_day(now: datetime) -> date:
    """The last business day whose figures are final."""
    local = now.astimezone(NEW_YORK)
    if is_fed_business_day(local.date()) and local.hour >= DAY_END_HOUR:
        return local.date()
    return previous_fed_business_day(local.date())


def _portfolio(call: Call, pocket: Pocket) -> Json | None:
    earned = amount(call.bank.world.gain_cents(pocket.id, date.min, last_final_day(call.now)))
    nothing = {"securities": [], "cash": amount(0), "all_time_earnings": earned, "total_value": amount(0)}
    if pocket.closed_on is not None:
        return nothing
    local = call.now.astimezone(NEW_YORK)
    day, provisional = local.date(), local.hour < DAY_END_HOUR
    if not is_fed_business_day(day) or local.hour < _DAY_START_HOUR:
        day, provisional = previous_fed_business_day(day), False
    if day < pocket.opened_on:
        return nothing
    summary = call.bank.world.position_summary(pocket.id, day, provisional=provisional, known_at=call.now)
    if summary is None:
        return None
    bills = _bills(call.bank, call.today)
    total = summary.cash_cents + sum(position.market_value_cents for position in summary.positions)
    return {
        "securities": [_security(position, bills[position.cusip], day) for position in summary.positions],
        "cash": amount(summary.cash_cents),
        "all_time_earnings": earned,
        "total_value": amount(total),
    }


def _security(position: Position, bill: Bill, day: date) -> Json:
    price = Decimal(position.mark_micros).scaleb(-6)
    days = max(1, (bill.maturity_date - day).days)
    rate = investment_rate_percent(price, days, year_basis(bill.issue_date)) / 100
    return {
        "type": "FIXED_INCOME",
        "quantity": position.quantity,
        "market_value": amount(position.market_value_cents),
        "cusip": position.cusip,
        "jiko_mark_price": price_text(position.mark_micros),
        "description": bill_description(bill),
        "maturity_date": bill.maturity_date.isoformat(),
        "yield_to_maturity": f"{rate:.6f}",
    }


@lru_cache(maxsize=1)
def _real_bills() -> dict[str, Bill]:
    return {
        auction.cusip: Bill(
            auction.cusip, auction.security_term, auction.issue_date, auction.maturity_date, generated=False
        )
        for auction in auctions()
    }


def _bills(bank: SimulatedBank, today: date) -> dict[str, Bill]:
    generated = bank.world.reference_bills(today)
    return {**_real_bills(), **{bill.cusip: bill for bill in generated}}


OPERATIONS: Final = (
    Operation("GET", "/api/v2/pockets/", "list_pockets", LimitGroup.POCKETS, "pockets.read", list_pockets),
    Operation("GET", "/api/v2/pockets/{pocket_id}/", "get_pocket", LimitGroup.POCKETS, "pockets.read", get_pocket),
)

"""The listings of what happened: transactions, trades (v1, v2) and monthly statements, as JSON and CSV.

Belongs here: filters, order and shape of these listings. Nothing after the simulator's present moment is
shown. The ledger is walked month by month, so a page costs what it shows. Does not belong here: reports.
"""

import calendar
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from starlette.responses import Response

from jiko_pipeline.calendars import new_york_date
from jiko_pipeline.simulator.documents import delimited
from jiko_pipeline.simulator.documents.numbers import instant_text, price_text
from jiko_pipeline.simulator.model import MonthlyStatement, Trade, Transaction
from jiko_pipeline.simulator.server.answers import Json, amount, instant, invalid
from jiko_pipeline.simulator.server.bank import Call, Operation, json_response
from jiko_pipeline.simulator.server.limits import LimitGroup
from jiko_pipeline.simulator.server.links import MONTHLY_STATEMENT, make_link
from jiko_pipeline.simulator.server.paging import Cursors, Key, cut
from jiko_pipeline.simulator.world import TradeListing

_SETTLEMENT_MARGIN: Final = timedelta(days=10)
"""No trade settles or is booked further than this from its trade date."""

Item = TypeVar("Item", Transaction, Trade)


def list_transactions(call: Call) -> Response:
    """GET /api/v2/transactions/."""
    query = call.query
    limit = query.limit(30)
    descending = query.choice("order", "desc", "asc") != "asc"
    first, last, matches = _transaction_filters(call)
    page = cut(
        _months(partial(call.bank.world.listed_transactions, "transactions"), _transaction_key, first, last, matches),
        _transaction_key,
        cursors=Cursors(call.bank.signing_secret, "transactions", call.filters()),
        cursor=query.text("cursor"),
        limit=limit,
        descending=descending,
    )
    return json_response(page.as_cursor_list(lambda transaction: _transaction(transaction, call.now)))


def export_transactions(call: Call) -> Response:
    """GET /api/v2/transactions.csv, oldest first."""
    first, last, matches = _transaction_filters(call)
    listed = partial(call.bank.world.listed_transactions, "transactions_csv")
    rows = _months(listed, _transaction_key, first, last, matches)(False, None)
    return Response(
        delimited.transactions_export(rows, call.now),
        headers={"Content-Disposition": 'attachment; filename="transactions.csv"'},
        media_type=delimited.MEDIA_TYPE,
    )


def _transaction_filters(call: Call) -> tuple[date, date, Callable[[Transaction], bool]]:
    query = call.query
    pockets, types = query.identifiers("pocket[]"), query.array("type[]")
    details = {
        "on_us_transfer_id": query.identifiers("on_us_transfer[]"),
        "wire_id": query.identifiers("wire[]"),
        "card_id": query.identifiers("card[]"),
        "portal_id": query.identifiers("portal[]"),
    }
    booked_from, booked_to = query.time("time_booked_from"), query.time("time_booked_to")
    settled_from, settled_to = query.time("time_settled_from"), query.time("time_settled_to")
    amount_from, amount_to = query.number("amount_from"), query.number("amount_to")
    direction = query.choice("direction", "DEBIT", "CREDIT")

    def matches(transaction: Transaction) -> bool:
        return (
            transaction.booked_at <= call.now
            and (pockets is None or transaction.pocket_id in pockets)
            and (types is None or transaction.type in types)
            and all(wanted is None or _details(transaction).get(name) in wanted for name, wanted in details.items())
            and (booked_from is None or transaction.booked_at >= booked_from)
            and (booked_to is None or transaction.booked_at <= booked_to)
            and (settled_from is None or settled_from <= transaction.settled_at <= call.now)
            and (settled_to is None or transaction.settled_at <= min(settled_to, call.now))
            and (amount_from is None or transaction.amount_cents >= amount_from)
            and (amount_to is None or transaction.amount_cents <= amount_to)
            and (direction is None or transaction.credit == (direction == "CREDIT"))
        )

    first, last = _days(call, booked_from, booked_to)
    return first, last, matches


def _transaction_key(transaction: Transaction) -> Key:
    return instant_text(transaction.booked_at), transaction.id


def _transaction(transaction: Transaction, now: datetime) -> Json:
    settled = transaction.settled_at <= now
    return {
        "type": transaction.type,
        "id": transaction.id,
        "transaction_id": transaction.transaction_id,
        "pocket_id": transaction.pocket_id,
        "description": transaction.description,
        "title": transaction.title,
        "amount": amount(transaction.amount_cents),
        "direction": "CREDIT" if transaction.credit else "DEBIT",
        "status": "SETTLED" if settled else "BOOKED",
        "time_booked": instant(transaction.booked_at),
        "time_settled": instant(transaction.settled_at) if settled else None,
        **_details(transaction),
    }


def _details(transaction: Transaction) -> Mapping[str, str | None]:
    """The fields of the transaction's type; a wire is known by the id of its transaction."""
    if transaction.type == "WIRE":
        return {"wire_id": transaction.transaction_id, **transaction.details}
    return transaction.details


def list_trades_v1(call: Call) -> Response:
    """GET /api/v1/trades/, newest first."""
    return _list_trades(call, "trades_v1", ("account[]",), descending=True, show=_trade_v1)


def list_trades_v2(call: Call) -> Response:
    """GET /api/v2/trades/."""
    descending = call.query.choice("order", "desc", "asc") != "asc"
    return _list_trades(call, "trades_v2", ("pocket_id[]", "pocket[]"), descending=descending, show=_trade_v2)


def _list_trades(
    call: Call,
    listing: TradeListing,
    pocket_filter: tuple[str, ...],
    *,
    descending: bool,
    show: Callable[[Trade, date], Json],
) -> Response:
    query = call.query
    limit = query.limit(30)
    first, last, matches = _trade_filters(call, pocket_filter)
    page = cut(
        _months(partial(call.bank.world.listed_trades, listing), _trade_key, first, last, matches),
        _trade_key,
        cursors=Cursors(call.bank.signing_secret, listing, call.filters()),
        cursor=query.text("cursor"),
        limit=limit,
        descending=descending,
    )
    return json_response(page.as_cursor_list(lambda trade: show(trade, call.today)))


def export_trades(call: Call) -> Response:
    """GET /api/v1/trades.csv, oldest first."""
    first, last, matches = _trade_filters(call, ("account[]",))
    listed = partial(call.bank.world.listed_trades, "trades_csv")
    rows = _months(listed, _trade_key, first, last, matches)(False, None)
    return Response(
        delimited.trades_export(rows, call.today),
        headers={"Content-Disposition": 'attachment; filename="trades.csv"'},
        media_type=delimited.MEDIA_TYPE,
    )


def _trade_filters(call: Call, pocket_filter: tuple[str, ...]) -> tuple[date, date, Callable[[Trade], bool]]:
    query = call.query
    pockets = query.identifiers(*pocket_filter)
    traded_from, traded_to = query.time("trade_datetime_from"), query.time("trade_datetime_to")
    book_from, book_to = query.day("book_date_from"), query.day("book_date_to")
    settled_from, settled_to = query.day("settlement_date_from"), query.day("settlement_date_to")

    def matches(trade: Trade) -> bool:
        return (
            trade.traded_at <= call.now
            and (pockets is None or trade.pocket_id in pockets)
            and (traded_from is None or trade.traded_at >= traded_from)
            and (traded_to is None or trade.traded_at <= traded_to)
            and (book_from is None or trade.book_date >= book_from)
            and (book_to is None or trade.book_date <= book_to)
            and (settled_from is None or trade.settlement_date >= settled_from)
            and (settled_to is None or trade.settlement_date <= settled_to)
        )

    first, last = _days(call, traded_from, traded_to)
    for lower in (book_from, settled_from):
        if lower is not None and lower > date.min + _SETTLEMENT_MARGIN:
            first = max(first, lower - _SETTLEMENT_MARGIN)
    for upper in (book_to, settled_to):
        if upper is not None and upper < date.max - _SETTLEMENT_MARGIN:
            last = min(last, upper + _SETTLEMENT_MARGIN)
    return first, last, matches


def _trade_key(trade: Trade) -> Key:
    return instant_text(trade.traded_at), trade.id


def _trade_v1(trade: Trade, today: date) -> Json:
    settled = trade.settlement_date <= today
    return {
        "id": trade.id,
        "trade_datetime": instant(trade.traded_at),
        "book_date": trade.book_date.isoformat(),
        "settled_date": trade.settlement_date.isoformat() if settled else None,
        "is_settled": settled,
        "activity": trade.activity,
        "cusip": trade.bill.cusip,
        "description": delimited.bill_description(trade.bill),
        "notional": amount(trade.cash_cents),
        "quantity": trade.quantity,
        "price": price_text(trade.price_micros),
        "maturity_date": trade.bill.maturity_date.isoformat(),
        "jiko_account_id": trade.pocket_id,
        "yield_to_maturity": trade.yield_to_maturity,
        "tradable_id": delimited.tradable_id(trade.bill),
    }


def _trade_v2(trade: Trade, today: date) -> Json:
    settled = trade.settlement_date <= today
    return {
        "id": trade.id,
        "activity": trade.activity,
        "trade_datetime": instant(trade.traded_at),
        "book_date": trade.book_date.isoformat(),
        "settled_date": trade.settlement_date.isoformat() if settled else None,
        "status": "SETTLED" if settled else "BOOKED",
        "pocket_id": trade.pocket_id,
        "cusip": trade.bill.cusip,
        "description": delimited.bill_description(trade.bill),
        "quantity": trade.quantity,
        "price": price_text(trade.price_micros),
        "notional": amount(trade.cash_cents),
        "maturity_date": trade.bill.maturity_date.isoformat(),
        "yield_to_maturity": trade.yield_to_maturity,
    }


def list_statements(call: Call) -> Response:
    """GET /api/v1/statements/: monthly and tax documents; each listing makes fresh links."""
    query = call.query
    limit = query.limit(100)
    descending = query.choice("order", "desc", "asc") != "asc"
    accounts, types, key = query.identifiers("account[]"), query.array("type[]"), query.text("key")
    if key is not None and not _is_period(key):
        message = "String should match pattern '^\\d{4}(-\\d{2})?$'"
        raise invalid("query", "key", message, "string_pattern_mismatch", key)
    found = sorted(
        (
            statement
            for statement in _periodic_documents(call)
            if statement.created_at <= call.now
            and (accounts is None or statement.pocket_id in accounts)
            and (types is None or statement.type in types)
            and (key is None or statement.key == key or statement.key.startswith(f"{key}-"))
        ),
        key=_statement_key,
    )

    def walk(falling: bool, _: Key | None) -> Iterable[MonthlyStatement]:
        return reversed(found) if falling else found

    page = cut(
        walk,
        _statement_key,
        cursors=Cursors(call.bank.signing_secret, "statements", call.filters()),
        cursor=query.text("cursor"),
        limit=limit,
        descending=descending,
    )

    def show(statement: MonthlyStatement) -> Json:
        return {
            "id": statement.id,
            "jiko_account_id": statement.pocket_id,
            "type": statement.type,
            "key": statement.key,
            "pdf_download_url": make_link(call.bank, MONTHLY_STATEMENT, statement.id, call.now)[0],
            "time_created": instant(statement.created_at),
        }

    return json_response(page.as_cursor_list(show))


def _periodic_documents(call: Call) -> Iterator[MonthlyStatement]:
    yield from call.bank.world.monthly_statements(call.today)
    yield from call.bank.world.tax_documents(call.today)


def _statement_key(statement: MonthlyStatement) -> Key:
    return instant_text(statement.created_at), statement.id


def _is_period(key: str) -> bool:
    year, separator, month = key.partition("-")
    digits = year.isascii() and year.isdigit() and len(year) == 4
    return digits and (not separator or (month.isascii() and month.isdigit() and len(month) == 2))


def _days(call: Call, earliest: datetime | None, latest: datetime | None) -> tuple[date, date]:
    """The New York days that can hold what lies between two times, within the life of the bank so far."""
    opened = min((pocket.opened_on for pocket in call.bank.world.pockets(call.today)), default=call.today)
    first = opened if earliest is None else max(opened, _new_york_day(earliest))
    last = call.today if latest is None else min(call.today, _new_york_day(latest))
    return first, last


def _new_york_day(at: datetime) -> date:
    safe = min(max(at, datetime(1, 1, 2, tzinfo=UTC)), datetime(9999, 12, 30, tzinfo=UTC))
    return new_york_date(safe)


def _months(
    ask: Callable[[date, date], Iterable[Item]],
    key_of: Callable[[Item], Key],
    first: date,
    last: date,
    matches: Callable[[Item], bool],
) -> Callable[[bool, Key | None], Iterator[Item]]:
    """A lazy walk over the ledger, one calendar month at a time, from the month of the key on."""

    def walk(descending: bool, start: Key | None) -> Iterator[Item]:
        low, high = first, last
        if start is not None:
            day = new_york_date(datetime.fromisoformat(start[0]))
            low, high = (low, min(high, day)) if descending else (max(low, day), high)
        while low <= high:
            edge = high if descending else low
            month_first = edge.replace(day=1)
            month_last = edge.replace(day=calendar.monthrange(edge.year, edge.month)[1])
            chunk = [item for item in ask(max(low, month_first), min(high, month_last)) if matches(item)]
            yield from sorted(chunk, key=key_of, reverse=descending)
            if descending:
                high = month_first - timedelta(days=1)
            else:
                low = month_last + timedelta(days=1)

    return walk


OPERATIONS: Final = (
    Operation(
        "GET", "/api/v2/transactions/", "list_transactions", LimitGroup.TRANSACTIONS, "pockets.read", list_transactions
    ),
    Operation(
        "GET",
        "/api/v2/transactions.csv",
        "export_transactions",
        LimitGroup.TRANSACTIONS,
        "pockets.read",
        export_transactions,
    ),
    Operation("GET", "/api/v1/trades/", "list_trades_v1", LimitGroup.TRADES, "pockets.read", list_trades_v1),
    Operation("GET", "/api/v1/trades.csv", "export_trades", LimitGroup.TRADES, "pockets.read", export_trades),
    Operation("GET", "/api/v2/trades/", "list_trades_v2", LimitGroup.TRADES, "pockets.read", list_trades_v2),
    Operation("GET", "/api/v1/statements/", "list_statements", LimitGroup.STATEMENTS, "pockets.read", list_statements),
)

"""Reports and exports as CSV: headers, separators and columns of `docs/simulated-jiko.md`.

Belongs here: one function for each layout, from records to bytes. UTF-8, a header line, line feeds, fields
quoted only where needed. Does not belong here: which rows are in it, which the caller has chosen.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final

from jiko_pipeline.calendars import new_york_date
from jiko_pipeline.simulator.documents.numbers import instant_text, money_text, price_text
from jiko_pipeline.simulator.model import Bill, Mark, PositionSummary, Trade, Transaction
from jiko_pipeline.tbill import Auction

MEDIA_TYPE: Final = "text/csv; charset=utf-8"
ISSUER: Final = "UNITED STATES TREASURY"
CUSTODIAN: Final = "JIKO SECURITIES INC"

_TRADE_REPORT_HEADER: Final = (
    "Trade Reference",
    "Pocket ID",
    "Transaction Code",
    "Side",
    "CUSIP",
    "Issuer",
    "Issue Date",
    "Maturity Date",
    "Trade Date",
    "Settlement Date",
    "Book Date",
    "Quantity",
    "Price",
    "Amount",
    "Custodian",
)
_TRADE_REPORT_KYRIBA_HEADER: Final = (
    "Type",
    "Provider",
    "Reference",
    "Entity",
    "Transaction Code",
    "Custodian",
    "Side",
    "CUSIP",
    "Issuer",
    "Issue Date",
    "Maturity Date",
    "Trade Date",
    "Settlement Date",
    "Book Date",
    "Quantity",
    "Price",
    "Amount",
)
_PRICE_HEADER: Final = ("Type", "Provider", "CUSIP", "Pricing Date", "Price")
_POSITION_HEADER: Final = (
    "As Of Date",
    "Pocket",
    "CUSIP",
    "Quantity",
    "Market Price",
    "Market Value",
    "Historical Cost Value",
)
_TRANSACTIONS_HEADER: Final = (
    "id",
    "transaction_id",
    "pocket_id",
    "type",
    "status",
    "direction",
    "amount",
    "currency",
    "time_booked",
    "time_settled",
    "title",
    "description",
)
_TRADES_HEADER: Final = (
    "id",
    "account_id",
    "activity",
    "cusip",
    "description",
    "quantity",
    "price",
    "notional",
    "currency",
    "trade_datetime",
    "book_date",
    "settled_date",
    "is_settled",
    "maturity_date",
    "yield_to_maturity",
    "tradable_id",
)
_REFERENCE_HEADER: Final = (
    "cusip",
    "security_term",
    "auction_date",
    "issue_date",
    "maturity_date",
    "price_per_100",
)
_TRANSACTION_CODES: Final = {"BUY": "PURCHASE", "SELL": "SALE"}


def trade_date(trade: Trade) -> date:
    """The trade date: the day in New York on which it was made."""
    return new_york_date(trade.traded_at)


def transaction_code(trade: Trade) -> str:
    """What the trade report calls a purchase and a sale."""
    return _TRANSACTION_CODES[trade.activity]


def bill_description(bill: Bill) -> str:
    """How a bill is called in listings."""
    return f"US TREASURY BILL DUE {bill.maturity_date:%m/%d/%Y}"


def trade_report(trades: Iterable[Trade]) -> bytes:
    """TRADE_REPORT in the form CSV: purchases and sales."""
    return _table(
        _TRADE_REPORT_HEADER,
        ",",
        (
            (
                trade.id,
                trade.pocket_id,
                transaction_code(trade),
                trade.activity,
                trade.bill.cusip,
                ISSUER,
                trade.bill.issue_date,
                trade.bill.maturity_date,
                trade_date(trade),
                trade.settlement_date,
                trade.book_date,
                trade.quantity,
                price_text(trade.price_micros),
                money_text(trade.cash_cents),
                CUSTODIAN,
            )
            for trade in trades
        ),
    )


def trade_report_kyriba(trades: Iterable[Trade]) -> bytes:
    """TRADE_REPORT in the form KYRIBA_CSV: purchases and sales."""
    return _table(
        _TRADE_REPORT_KYRIBA_HEADER,
        ";",
        (
            (
                "TR",
                "JIKO",
                trade.id,
                trade.pocket_id,
                transaction_code(trade),
                CUSTODIAN,
                trade.activity,
                trade.bill.cusip,
                ISSUER,
                trade.bill.issue_date,
                trade.bill.maturity_date,
                trade_date(trade),
                trade.settlement_date,
                trade.book_date,
                trade.quantity,
                price_text(trade.price_micros),
                money_text(trade.cash_cents),
            )
            for trade in trades
        ),
    )


def security_prices(marks: Iterable[Mark]) -> bytes:
    """SECURITY_PRICE_REPORT in the form KYRIBA_CSV."""
    return _table(
        _PRICE_HEADER,
        ";",
        (("SE", "JIKO", mark.cusip, mark.day, price_text(mark.price_micros)) for mark in marks),
    )


def position_summaries(summaries: Iterable[PositionSummary]) -> bytes:
    """POSITION_SUMMARY_REPORT in the form CSV: one row a CUSIP, then the cash of the pocket."""
    return _table(_POSITION_HEADER, ",", (row for summary in summaries for row in _position_rows(summary)))


def _position_rows(summary: PositionSummary) -> Iterable[Sequence[object]]:
    for position in summary.positions:
        yield (
            summary.day,
            summary.pocket.id,
            position.cusip,
            position.quantity,
            price_text(position.mark_micros),
            money_text(position.market_value_cents),
            money_text(position.historical_cost_cents),
        )
    yield (summary.day, summary.pocket.id, "CASH", "", "", money_text(summary.cash_cents), "")


def transactions_export(transactions: Iterable[Transaction], now: datetime) -> bytes:
    """/api/v2/transactions.csv; what has not settled by `now` is BOOKED."""
    return _table(
        _TRANSACTIONS_HEADER,
        ",",
        (
            (
                transaction.id,
                transaction.transaction_id,
                transaction.pocket_id,
                transaction.type,
                "SETTLED" if transaction.settled_at <= now else "BOOKED",
                "CREDIT" if transaction.credit else "DEBIT",
                money_text(transaction.amount_cents),
                "USD",
                instant_text(transaction.booked_at),
                instant_text(transaction.settled_at) if transaction.settled_at <= now else "",
                transaction.title,
                transaction.description,
            )
            for transaction in transactions
        ),
    )


def trades_export(trades: Iterable[Trade], today: date) -> bytes:
    """/api/v1/trades.csv; what settles after `today` is not settled."""
    return _table(
        _TRADES_HEADER,
        ",",
        (
            (
                trade.id,
                trade.pocket_id,
                trade.activity,
                trade.bill.cusip,
                bill_description(trade.bill),
                trade.quantity,
                price_text(trade.price_micros),
                money_text(trade.cash_cents),
                "USD",
                instant_text(trade.traded_at),
                trade.book_date,
                trade.settlement_date if trade.settlement_date <= today else "",
                "true" if trade.settlement_date <= today else "false",
                trade.bill.maturity_date,
                trade.yield_to_maturity,
                tradable_id(trade.bill),
            )
            for trade in trades
        ),
    )


def tradable_id(bill: Bill) -> str:
    """The bank's own id of a security."""
    return f"UST-{bill.cusip}"


def reference_list(auctions: Iterable[Auction]) -> bytes:
    """The list of simulated bills: one row for each auction, reopenings included."""
    return _table(
        _REFERENCE_HEADER,
        ",",
        (
            (
                auction.cusip,
                auction.security_term,
                auction.auction_date,
                auction.issue_date,
                auction.maturity_date,
                f"{auction.price_per_100:.6f}",
            )
            for auction in auctions
        ),
    )


def _table(header: Sequence[str], separator: str, rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()

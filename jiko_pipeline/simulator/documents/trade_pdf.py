"""Trade confirmations and position summaries as PDF text.

Belongs here: their lines, each `Name: value`, in a fixed order. Does not belong here: how a PDF is written
(`pdf`), figures, which arrive as records. Values are spelled as the API spells them: cents as dollars with two
decimals, prices with six, dates and times in ISO 8601.
"""

from typing import Final

from jiko_pipeline.simulator.documents import pdf
from jiko_pipeline.simulator.documents.delimited import bill_description, tradable_id, trade_date
from jiko_pipeline.simulator.documents.numbers import instant_text, money_text, price_text
from jiko_pipeline.simulator.model import Pocket, PositionSummary, Trade

MEDIA_TYPE: Final = pdf.MEDIA_TYPE


def confirmation(trade: Trade, pocket: Pocket) -> bytes:
    """The confirmation of a purchase or sale."""
    fields = {
        "Trade ID": trade.id,
        "Trade Reference": trade.reference,
        "Account ID": trade.pocket_id,
        "Account Name": pocket.name,
        "Activity": trade.activity,
        "CUSIP": trade.bill.cusip,
        "Description": bill_description(trade.bill),
        "Tradable ID": tradable_id(trade.bill),
        "Quantity": str(trade.quantity),
        "Price": price_text(trade.price_micros),
        "Amount": money_text(trade.cash_cents),
        "Currency": "USD",
        "Trade Datetime": instant_text(trade.traded_at),
        "Trade Date": trade_date(trade).isoformat(),
        "Settlement Date": trade.settlement_date.isoformat(),
        "Book Date": trade.book_date.isoformat(),
        "Maturity Date": trade.bill.maturity_date.isoformat(),
        "Yield To Maturity": trade.yield_to_maturity,
    }
    return pdf.one_page(["JIKO (SIMULATED)", "Trade confirmation", *_lines(fields)])


def position_summary(summary: PositionSummary) -> bytes:
    """The positions of a pocket at the end of a day, one line a CUSIP, then the cash."""
    head = {
        "As Of Date": summary.day.isoformat(),
        "Pocket": summary.pocket.id,
        "Pocket Name": summary.pocket.name,
    }
    rows = {
        position.cusip: (
            f"quantity {position.quantity}, price {price_text(position.mark_micros)},"
            f" value {money_text(position.market_value_cents)}, cost {money_text(position.historical_cost_cents)}"
        )
        for position in summary.positions
    }
    total = summary.cash_cents + sum(position.market_value_cents for position in summary.positions)
    foot = {"Cash": money_text(summary.cash_cents), "Total Value": money_text(total), "Currency": "USD"}
    return pdf.pages(["JIKO (SIMULATED)", "Position summary", *_lines(head), *_lines(rows), *_lines(foot)])


def _lines(fields: dict[str, str]) -> list[str]:
    return [f"{name}: {value}" for name, value in fields.items()]

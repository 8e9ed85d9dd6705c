"""Trade confirmations: a redirect to a PDF on the storage origin, and that PDF.

Belongs here: which trades have one. A trade of another account, one that is still to come and a maturity have
none. Does not belong here: what the PDF says (`documents.trade_pdf`).
"""

from typing import Final

from starlette.responses import Response

from jiko_pipeline.simulator.documents import trade_pdf
from jiko_pipeline.simulator.model import Trade
from jiko_pipeline.simulator.server.answers import not_found
from jiko_pipeline.simulator.server.bank import Call, Operation, SimulatedBank
from jiko_pipeline.simulator.server.limits import LimitGroup
from jiko_pipeline.simulator.server.links import TRADE_CONFIRMATION, make_link
from jiko_pipeline.simulator.server.reports import ReportFile


def redirect_to_confirmation(call: Call) -> Response:
    """GET /api/v1/accounts/{account_id}/trades/{trade_id}/confirmation/: 307 to a link of ten minutes."""
    account_id, trade_id = call.identifier("account_id"), call.identifier("trade_id")
    trade = _confirmed(call.bank, trade_id)
    if trade is None or trade.pocket_id != account_id:
        raise not_found()
    url, _ = make_link(call.bank, TRADE_CONFIRMATION, trade.id, call.now)
    return Response(status_code=307, headers={"Location": url})


def confirmation_file(bank: SimulatedBank, trade_id: str) -> ReportFile | None:
    """The PDF of a trade, always the same; None where there is none."""
    trade = _confirmed(bank, trade_id)
    if trade is None:
        return None
    pocket = next(one for one in bank.world.pockets(trade.book_date, trade.traded_at) if one.id == trade.pocket_id)
    name = f"trade-confirmation-{trade.id}.pdf"
    return ReportFile(name, trade_pdf.MEDIA_TYPE, trade_pdf.confirmation(trade, pocket))


def _confirmed(bank: SimulatedBank, trade_id: str) -> Trade | None:
    trade = bank.world.trade(trade_id, bank.today())
    if trade is None or trade.activity == "MATURITY" or trade.traded_at > bank.state.now():
        return None
    return trade


OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v1/accounts/{account_id}/trades/{trade_id}/confirmation/",
        "get_trade_confirmation",
        LimitGroup.TRADES,
        "pockets.read",
        redirect_to_confirmation,
    ),
)

"""GET /api/v1/agreements/: the legal documents that the customer agreed to, with links to their PDFs.

Belongs here: which documents there are, their links and their files. Does not belong here: the origin that
delivers them (`storage`).
"""

from datetime import timedelta
from typing import Final

from starlette.responses import Response

from jiko_pipeline.simulator.documents import pdf
from jiko_pipeline.simulator.draws import drawn_uuid
from jiko_pipeline.simulator.server.answers import Json
from jiko_pipeline.simulator.server.bank import Call, Operation, SimulatedBank, json_response
from jiko_pipeline.simulator.server.customer import business_name
from jiko_pipeline.simulator.server.limits import LimitGroup
from jiko_pipeline.simulator.server.links import AGREEMENT, make_link
from jiko_pipeline.simulator.server.reports import ReportFile

_VERSION: Final = "3"
_RELEASED_BEFORE_DAYS: Final = 210
_DOCUMENTS: Final = (
    ("Bank Account Agreement", "BANK_ACCOUNT", "BANK"),
    ("Electronic Fund Transfers", "ELECTRONIC_FUND_TRANSFERS", "BANK"),
    ("Brokerage Account Agreement", "BROKERAGE", "BROKERAGE"),
    ("Risks of US Treasury Bills", "US_TREASURIES_RISK", "BROKERAGE"),
    ("Form CRS", "FORM_CRS", "BROKERAGE"),
    ("Privacy Policy", "PRIVACY_POLICY", "GENERAL"),
    ("Electronic Communications", "ELECTRONIC_COMMUNICATIONS", "E-SIGN"),
)


def list_agreements(call: Call) -> Response:
    """GET /api/v1/agreements/; each call makes fresh links."""

    def shown(title: str, kind: str, category: str) -> Json:
        url, _ = make_link(call.bank, AGREEMENT, _id(call.bank, kind), call.now)
        return {"title": title, "pdf_download_url": url, "type": kind, "category": category}

    return json_response(
        {
            "version": _VERSION,
            "release_date": _released_on(call.bank),
            "documents": [shown(*document) for document in _DOCUMENTS],
        }
    )


def agreement_file(bank: SimulatedBank, agreement_id: str) -> ReportFile | None:
    """The PDF behind the link to one agreement, or None for an id that is none."""
    for title, kind, category in _DOCUMENTS:
        if _id(bank, kind) == agreement_id:
            lines = (
                "JIKO (SIMULATED)",
                title,
                f"Category: {category}",
                f"Version: {_VERSION}, released {_released_on(bank)}",
                f"Customer: {business_name(bank)}",
            )
            return ReportFile(f"{kind.lower().replace('_', '-')}.pdf", pdf.MEDIA_TYPE, pdf.one_page(lines))
    return None


def _id(bank: SimulatedBank, kind: str) -> str:
    return drawn_uuid(bank.world.config.seed, "agreement", kind, _VERSION)


def _released_on(bank: SimulatedBank) -> str:
    return (bank.world.config.start - timedelta(days=_RELEASED_BEFORE_DAYS)).isoformat()


OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v1/agreements/",
        "list_agreements",
        LimitGroup.AGREEMENTS,
        "agreements.read",
        list_agreements,
    ),
)

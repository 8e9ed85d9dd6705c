"""Monthly statements and tax documents as files, archived on request.

Belongs here: which are listed, fetching each, keeping it once. Does not belong here: the listing that every window
lands (`listing_fetch`), figures (the PDF is not read).

The links stand in the listing and are good for a short time: each is followed at once and never kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from jiko_pipeline.archive import Document
from jiko_pipeline.bank.client.jiko import JikoClient
from jiko_pipeline.bank.client.models.activity import Statement
from jiko_pipeline.bank.downloads import FetchedFile
from jiko_pipeline.bank.errors import LinkExpiredError
from jiko_pipeline.pipeline.fetching import Desk, open_desk
from jiko_pipeline.settings import Settings

KIND = "MONTHLY_STATEMENT_PDF"


@dataclass(frozen=True, slots=True)
class StatementFile:
    """One file: whose, of which type and period, its hash; `is_new` False when it was in the archive already."""

    statement_id: str
    pocket_id: str
    statement_type: str
    period: str
    sha256: str
    byte_length: int
    is_new: bool


def fetch_statement_files(
    settings: Settings, period: str | None = None, types: Sequence[str] | None = None
) -> list[StatementFile]:
    """Archives the files of a period (YYYY-MM, or YYYY: the year and its months; None: all) and of some types.

    A file whose statement is in the archive is not fetched again.
    """
    with open_desk(settings) as desk:
        client = JikoClient(desk.bank.api, desk.bank.downloads, desk.bank.contract)
        kept = {
            str(document.parameters.get("statement_id")): document
            for document in desk.archive.documents()
            if document.kind == KIND and document.customer_id == settings.profile
        }
        files = []
        for statement in client.statements.list(key=period):
            if types and statement.type not in types:
                continue
            document = kept.get(str(statement.id))
            is_new = document is None
            if document is None:
                document = _keep(desk, statement, _file_of(desk, client, statement))
            files.append(
                StatementFile(
                    statement_id=str(statement.id),
                    pocket_id=str(statement.jiko_account_id),
                    statement_type=str(statement.type),
                    period=statement.key,
                    sha256=document.parts[0].sha256,
                    byte_length=document.byte_length,
                    is_new=is_new,
                )
            )
    return files


def _file_of(desk: Desk, client: JikoClient, statement: Statement) -> FetchedFile:
    """The file of a statement; with a link made anew when the listing has outlived its own."""
    cap = desk.bank.contract.pdf_cap_bytes
    try:
        return desk.bank.downloads.fetch(statement.pdf_download_url, cap_bytes=cap)
    except LinkExpiredError:
        again = client.statements.list(key=statement.key, pockets=[statement.jiko_account_id])
        fresh = next((one for one in again if one.id == statement.id), None)
        if fresh is None:
            raise
        return desk.bank.downloads.fetch(fresh.pdf_download_url, cap_bytes=cap)


def _keep(desk: Desk, statement: Statement, file: FetchedFile) -> Document:
    period = statement.key
    day = date.fromisoformat(f"{period}-01" if len(period) == len("YYYY-MM") else f"{period}-01-01")
    return desk.archive.record(
        Document(
            kind=KIND,
            customer_id=desk.settings.profile,
            pocket_id=str(statement.jiko_account_id),
            first=day,
            last=day,
            parameters={"statement_id": str(statement.id), "type": str(statement.type), "period": period},
            parts=(desk.archive.adopt_file(file.path, file.sha256),),
            source="statements.list",
            created_at_provider=None,
            fetched_at=file.fetched_at,
            media_type=file.media_type,
            report_request_id=None,
            report_id=None,
            pull_key=None,
            reason=None,
            world=desk.bank.identity,
        )
    )

"""POST /api/v1/documents/{document_type}/: a document as the raw body of a request.

Belongs here: what is taken and what is kept of it: type, media type, size and hash, not the bytes. Types are an
open list. Does not belong here: documents that the bank makes.
"""

import hashlib
import re
from datetime import datetime
from typing import Final

from starlette.responses import Response

from jiko_pipeline.simulator.documents.numbers import instant_text
from jiko_pipeline.simulator.draws import drawn_uuid
from jiko_pipeline.simulator.server.answers import RefusedError, invalid
from jiko_pipeline.simulator.server.audits import record
from jiko_pipeline.simulator.server.bank import Call, Operation, SimulatedBank, json_response
from jiko_pipeline.simulator.server.bodies import wrong
from jiko_pipeline.simulator.server.limits import LimitGroup
from jiko_pipeline.simulator.server.members import acting_member

LARGEST_DOCUMENT_BYTES: Final = 50_000_000
_READ_AT_MOST_BYTES: Final = 64_000_000
"""What lies between the two is read, so that the refusal reaches a client that is still sending."""

_TYPE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


def upload_document(call: Call) -> Response:
    """POST /api/v1/documents/{document_type}/."""
    document_type = call.path("document_type")
    if not _TYPE.fullmatch(document_type):
        message = f"String should match pattern '^{_TYPE.pattern}$'"
        raise invalid("path", "document_type", message, "string_pattern_mismatch", document_type)
    if len(call.body) > LARGEST_DOCUMENT_BYTES:
        raise RefusedError(413, {"detail": f"A document has at most {LARGEST_DOCUMENT_BYTES} bytes"})
    if not call.body:
        raise wrong(("body",), "Field required", "missing")
    content_type = call.request.headers.get("content-type", "application/octet-stream")[:255]
    with call.bank.state.transaction() as connection:
        (number,) = connection.execute("select count(*) + 1 from uploaded_document").fetchone()
        document_id = drawn_uuid(call.bank.world.config.seed, "document", number)
        connection.execute(
            "insert into uploaded_document values (?, ?, ?, ?, ?, ?, ?)",
            (
                document_id,
                instant_text(call.now),
                acting_member(call),
                document_type,
                content_type,
                len(call.body),
                hashlib.sha256(call.body).hexdigest(),
            ),
        )
        row = connection.execute(
            "select document_type, content_type, bytes, sha256 from uploaded_document where id = ?", (document_id,)
        ).fetchone()
    details = dict(zip(("document_type", "content_type", "bytes", "sha256"), row, strict=True))
    record(call, "DOCUMENT_UPLOADED", {"document_id": document_id, **details})
    return json_response({"success": True, "document_id": document_id})


def first_upload_after(bank: SimulatedBank, at: datetime) -> datetime | None:
    """When the first document was uploaded at or after a time, or None."""
    with bank.state.transaction() as connection:
        (found,) = connection.execute(
            "select min(at) from uploaded_document where at >= ?", (instant_text(at),)
        ).fetchone()
    return None if found is None else datetime.fromisoformat(found)


OPERATIONS: Final = (
    Operation(
        "POST",
        "/api/v1/documents/{document_type}/",
        "upload_document",
        LimitGroup.CUSTOMER,
        "customer.write",
        upload_document,
        _READ_AT_MOST_BYTES,
    ),
)

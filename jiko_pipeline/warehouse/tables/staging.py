"""Staging: what documents state, typed, one row a row of the document, all versions.

A *scope* is (customer, document kind, pocket, day): the smallest thing that is restated as a whole. A row is
stored once and lives from `known_from_utc` until a later version of its scope no longer states it.
"""

from typing import Final

from jiko_pipeline.formats.frames import FRAMES, FrameSpec
from jiko_pipeline.warehouse.tables.spec import CUSTOMER, TableSpec, content, provenance

_SCOPE: Final = (
    *CUSTOMER,
    content("document_kind", "VARCHAR", "Kind of document the row comes from.", required=True),
    content(
        "scope_pocket_id",
        "VARCHAR",
        "Pocket the document was asked for; empty when it has none.",
        required=True,
    ),
    content("scope_date", "DATE", "Day the row belongs to; 0001-01-01 for snapshots.", required=True),
    content(
        "row_ordinal",
        "INTEGER",
        "From 1 among rows with the same key in one version of the scope.",
        required=True,
    ),
)

_PROVENANCE: Final = (
    provenance("row_hash", "VARCHAR", "Hash of the row's content within its scope.", required=True),
    provenance("document_id", "VARCHAR", "Document that first stated the row (raw.document).", required=True),
    provenance("document_sha256", "VARCHAR", "Hash of that document's bytes.", required=True),
    provenance("report_request_id", "VARCHAR", "Report request that delivered it."),
    provenance("report_id", "VARCHAR", "Report that delivered it."),
    provenance("known_from_utc", "TIMESTAMP", "When the row became known (end of fetch), UTC.", required=True),
    provenance("known_to_utc", "TIMESTAMP", "When a later version no longer stated it, UTC; null while current."),
    provenance("loaded_run_id", "VARCHAR", "Run that loaded it."),
)


def _staging(frame: FrameSpec) -> TableSpec:
    return TableSpec(
        "staging",
        frame.name,
        frame.comment,
        (*_SCOPE, *frame.columns, *_PROVENANCE),
        ("customer_id", "document_kind", "scope_pocket_id", "scope_date", *frame.key, "row_ordinal"),
    )


QUARANTINE: Final = TableSpec(
    "staging",
    "quarantine",
    "Documents and rows that were kept aside, with the reason; their pocket and day are not ready to book.",
    (
        *_SCOPE,
        content("reason_code", "VARCHAR", "Code of the refusal.", required=True),
        content("message", "VARCHAR", "Sentence for a person.", required=True),
        content("is_whole_document", "BOOLEAN", "True when nothing of the document was taken.", required=True),
        content("rejected_locator", "VARCHAR", "Where in the document.", required=True),
        provenance("rejected_text", "VARCHAR", "The line or element that was refused."),
        *_PROVENANCE,
    ),
    (
        "customer_id",
        "document_kind",
        "scope_pocket_id",
        "scope_date",
        "rejected_locator",
        "reason_code",
        "row_ordinal",
    ),
)

STAGING: Final = (*(_staging(frame) for frame in FRAMES.values()), QUARANTINE)

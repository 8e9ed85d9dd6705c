"""Raw: the manifest. One row a document in the archive, one row a scope that a document speaks of."""

from typing import Final

from jiko_pipeline.warehouse.tables.spec import TableSpec, content, provenance

DOCUMENT: Final = TableSpec(
    "raw",
    "document",
    "One document as it arrived: a report file, or a listing with all of its pages.",
    (
        content("document_id", "VARCHAR", "Id of the document in the archive.", required=True),
        content("customer_id", "VARCHAR", "Jiko customer.", required=True),
        content("legal_entity_id", "VARCHAR", "Legal entity.", required=True),
        content("document_kind", "VARCHAR", "Kind of document.", required=True),
        content("pocket_id", "VARCHAR", "Pocket it was asked for; null when it has none."),
        content("first_date", "DATE", "First day asked for; null for snapshots."),
        content("last_date", "DATE", "Last day asked for; null for snapshots."),
        content("parameters", "VARCHAR", "What was asked, JSON with sorted keys."),
        content("source_operation", "VARCHAR", "Operation of the API that delivered it."),
        content(
            "document_sha256",
            "VARCHAR",
            "Hash of the bytes (of the page hashes for a listing).",
            required=True,
        ),
        content("parts", "VARCHAR", "Hashes of the files in the archive, JSON.", required=True),
        content("byte_length", "BIGINT", "Length of all parts in bytes.", required=True),
        content("media_type", "VARCHAR", "Media type as sent."),
        content("pull_key", "VARCHAR", "Pull that asked for it."),
        content("pull_reason", "VARCHAR", "DAILY, AFTER_CUTOFF, CONFIRM, MONTH_END; null for listings."),
        content("report_request_id", "VARCHAR", "Report request."),
        content("report_id", "VARCHAR", "Report."),
        content("created_at_provider_utc", "TIMESTAMP", "When the bank made it, UTC."),
        content("fetched_at_utc", "TIMESTAMP", "When the last byte had arrived, UTC.", required=True),
        content("finality", "VARCHAR", "PROVISIONAL or AFTER_CUTOFF.", required=True),
        content("outcome", "VARCHAR", "LOADED, QUARANTINED.", required=True),
        content("rows_in_document", "BIGINT", "Rows found in the document.", required=True),
        content("rows_loaded", "BIGINT", "Rows taken.", required=True),
        content("rows_rejected", "BIGINT", "Rows kept aside.", required=True),
        content("findings", "VARCHAR", "Findings of the reader, JSON list.", required=True),
        provenance("loaded_at_utc", "TIMESTAMP", "When it was loaded, UTC.", required=True),
        provenance("loaded_run_id", "VARCHAR", "Run that loaded it."),
    ),
    ("document_id",),
)

DELIVERY: Final = TableSpec(
    "raw",
    "delivery",
    "One pocket and day of one document, and what it changed.",
    (
        content("document_id", "VARCHAR", "Document (raw.document).", required=True),
        content("customer_id", "VARCHAR", "Jiko customer.", required=True),
        content("legal_entity_id", "VARCHAR", "Legal entity.", required=True),
        content("document_kind", "VARCHAR", "Kind of document.", required=True),
        content("scope_pocket_id", "VARCHAR", "Pocket; empty when the kind has none.", required=True),
        content("scope_date", "DATE", "Day; 0001-01-01 for snapshots.", required=True),
        content("content_hash", "VARCHAR", "Hash of the scope's content in this document.", required=True),
        content("row_count", "BIGINT", "Rows of the scope in this document.", required=True),
        content("finality", "VARCHAR", "PROVISIONAL or AFTER_CUTOFF.", required=True),
        content(
            "outcome",
            "VARCHAR",
            "NEW_VERSION, UNCHANGED, SUPERSEDED (older than the current one), QUARANTINED.",
            required=True,
        ),
        content(
            "version_no",
            "INTEGER",
            "Version of the scope that holds this content; null when quarantined or superseded.",
        ),
        content(
            "is_current",
            "BOOLEAN",
            "True when the current version of the scope has this content.",
            required=True,
        ),
        content("created_at_provider_utc", "TIMESTAMP", "When the bank made it, UTC."),
        content("known_from_utc", "TIMESTAMP", "End of fetch, UTC.", required=True),
    ),
    ("document_id", "document_kind", "scope_pocket_id", "scope_date"),
)

LOAD: Final = TableSpec(
    "raw",
    "load",
    "One window of one kind of document that was loaded whole: the watermark.",
    (
        content("customer_id", "VARCHAR", "Jiko customer.", required=True),
        content("document_kind", "VARCHAR", "Kind of document.", required=True),
        content("first_date", "DATE", "First day of the window; 0001-01-01 for snapshots.", required=True),
        content("last_date", "DATE", "Last day of the window; 0001-01-01 for snapshots.", required=True),
        content("documents", "BIGINT", "Documents of the load.", required=True),
        content("rows_loaded", "BIGINT", "Rows of the load.", required=True),
        content("loaded_at_utc", "TIMESTAMP", "When it was committed, UTC.", required=True),
        content("loaded_run_id", "VARCHAR", "Run that loaded it."),
    ),
    (),
)

RAW: Final = (DOCUMENT, DELIVERY, LOAD)

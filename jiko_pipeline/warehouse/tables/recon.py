"""Recon: controls, their results, breaks as events."""

from typing import Final

from jiko_pipeline.warehouse.tables.spec import CUSTOMER, POCKET_DAY, TableSpec, content, provenance

CONTROL: Final = TableSpec(
    "recon",
    "control",
    "One control as it stands in its file.",
    (
        content("control_id", "VARCHAR", "K01, K02, ...", required=True),
        content(
            "control_version",
            "VARCHAR",
            "Version, major.minor; the major is part of break ids.",
            required=True,
        ),
        content("title", "VARCHAR", "What holds when the control passes, as a sentence.", required=True),
        content("identity", "VARCHAR", "The equation it tests.", required=True),
        content("tolerance", "VARCHAR", "How far apart the sides may be.", required=True),
        content("hides", "VARCHAR", "The largest fault its tolerance hides.", required=True),
        content("codes", "VARCHAR", "Break codes it can give.", required=True),
        content(
            "severity",
            "VARCHAR",
            "S1 stops the close, S2 must be explained in one business day, S3 informs.",
            required=True,
        ),
        content(
            "evidence_class",
            "VARCHAR",
            "ARITHMETIC, INTRA_PROVIDER, PUBLIC_REFERENCE or CUSTOMER_RECORD.",
            required=True,
        ),
        content("sql_sha256", "VARCHAR", "Hash of the control's file.", required=True),
    ),
    ("control_id",),
)

BASIS: Final = TableSpec(
    "recon",
    "basis",
    "How this bank books, as confirmed by a person: what K11 and K31 to K35 rest on.",
    (
        *CUSTOMER,
        content("effective_from", "DATE", "First business date it holds for.", required=True),
        content("pos_basis", "VARCHAR", "TRADE, BOOK or SETTLE.", required=True),
        content("cash_basis", "VARCHAR", "TRADE, BOOK or SETTLE.", required=True),
        content("close_basis", "VARCHAR", "MV, MV+CASH or MV+CASH+PEND.", required=True),
        content("gain_basis", "VARCHAR", "ECONOMIC or PLUG.", required=True),
        content("quantity_factor", "DECIMAL(12,6)", "Money = quantity times price times this.", required=True),
        content("fee_path", "VARCHAR", "BROKERAGE or BANK.", required=True),
        content("mark_settlement", "VARCHAR", "T0 or T1: which settlement date a mark assumes.", required=True),
        content("confirmed_by", "VARCHAR", "Who confirmed it.", required=True),
    ),
    ("customer_id", "effective_from"),
)

RUN: Final = TableSpec(
    "recon",
    "run",
    "One run of the controls: what went in and what came out.",
    (
        content("run_id", "VARCHAR", "Run.", required=True),
        *CUSTOMER,
        content("first_date", "DATE", "First day judged.", required=True),
        content("last_date", "DATE", "Last day judged.", required=True),
        content("knowledge_time_utc", "TIMESTAMP", "Latest arrival among the inputs, UTC."),
        content("code_version", "VARCHAR", "Version of jiko_pipeline.", required=True),
        content("rules_hash", "VARCHAR", "Hash of all control files, the rules and the basis.", required=True),
        content("calendar_version", "VARCHAR", "Version of the calendars.", required=True),
        content("inputs_hash", "VARCHAR", "Hash of the content hashes of all inputs.", required=True),
        content("result_hash", "VARCHAR", "Hash of all results of the run.", required=True),
        content("tested", "BIGINT", "Keys tested.", required=True),
        content("passed", "BIGINT", "Keys passed.", required=True),
        content("broken", "BIGINT", "Keys broken.", required=True),
        content("not_tested", "BIGINT", "Keys not tested.", required=True),
        content("started_at_utc", "TIMESTAMP", "Start, UTC.", required=True),
        content("finished_at_utc", "TIMESTAMP", "End, UTC.", required=True),
    ),
    ("customer_id", "run_id"),
)

RESULT: Final = TableSpec(
    "recon",
    "result",
    "The current result of one control for one key.",
    (
        *POCKET_DAY,
        content("control_id", "VARCHAR", "Control.", required=True),
        content(
            "entity_key",
            "VARCHAR",
            "What was tested besides pocket and day; empty for the day itself.",
            required=True,
        ),
        content("status", "VARCHAR", "PASS, BREAK or NOT_TESTED.", required=True),
        content("code", "VARCHAR", "Break code; empty unless BREAK.", required=True),
        content("sub_code", "VARCHAR", "Finer code; empty when there is none.", required=True),
        content("reason", "VARCHAR", "Why it was not tested; empty otherwise.", required=True),
        content("left_value", "DECIMAL(38,6)", "Left side of the identity."),
        content("right_value", "DECIMAL(38,6)", "Right side of the identity."),
        content("difference", "DECIMAL(38,6)", "Left minus right."),
        content("detail", "VARCHAR", "One sentence with the facts; empty when there are none.", required=True),
        content(
            "blocked_by",
            "VARCHAR",
            "Control whose failure kept this key from being tested; empty otherwise.",
            required=True,
        ),
        content("root_break_id", "VARCHAR", "Break that blocks this key; empty otherwise.", required=True),
        content("break_id", "VARCHAR", "Stable id of the break; empty unless BREAK.", required=True),
        provenance("run_id", "VARCHAR", "Run that gave the result.", required=True),
    ),
    ("customer_id", "control_id", "pocket_id", "business_date", "entity_key", "code"),
)

BREAK_EVENT: Final = TableSpec(
    "recon",
    "break_event",
    "One event in the life of a break; appended, never changed.",
    (
        *POCKET_DAY,
        content("break_id", "VARCHAR", "Break.", required=True),
        content("event_seq", "INTEGER", "From 1 within the break.", required=True),
        content("event", "VARCHAR", "OPENED, CHANGED, CLEARED_AUTO, REOPENED, ...", required=True),
        content("control_id", "VARCHAR", "Control.", required=True),
        content("entity_key", "VARCHAR", "What was tested besides pocket and day.", required=True),
        content("code", "VARCHAR", "Break code.", required=True),
        content("sub_code", "VARCHAR", "Finer code.", required=True),
        content(
            "break_class",
            "VARCHAR",
            "TIMING, MISSING, AMOUNT, DUPLICATE, REFERENCE_DATA, VALUATION, ARITHMETIC, DATA_QUALITY, RESTATEMENT.",
            required=True,
        ),
        content("severity", "VARCHAR", "S1, S2 or S3.", required=True),
        content("left_value", "DECIMAL(38,6)", "Left side."),
        content("right_value", "DECIMAL(38,6)", "Right side."),
        content("difference", "DECIMAL(38,6)", "Left minus right."),
        content("detail", "VARCHAR", "One sentence with the facts.", required=True),
        provenance("at_utc", "TIMESTAMP", "When, UTC.", required=True),
        provenance("run_id", "VARCHAR", "Run that gave it.", required=True),
        provenance("actor", "VARCHAR", "Who: the pipeline, or a person.", required=True),
    ),
    ("customer_id", "break_id", "event_seq"),
)

RECON: Final = (CONTROL, BASIS, RUN, RESULT, BREAK_EVENT)

"""Recon: controls, their results, breaks as events."""

from typing import Final

from jiko_pipeline.formats.frames import MONEY
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
        provenance("confirmed_at_utc", "TIMESTAMP", "When, UTC; null for the simulated bank's own."),
    ),
    ("customer_id", "effective_from"),
)

BASIS_CANDIDATE: Final = TableSpec(
    "recon",
    "basis_candidate",
    "One way in which the bank may book, held against its history when it was last learned from.",
    (
        *CUSTOMER,
        content("pos_basis", "VARCHAR", "TRADE, BOOK or SETTLE.", required=True),
        content("cash_basis", "VARCHAR", "TRADE, BOOK or SETTLE.", required=True),
        content("close_basis", "VARCHAR", "MV, MV+CASH or MV+CASH+PEND.", required=True),
        content("gain_basis", "VARCHAR", "ECONOMIC or PLUG.", required=True),
        content("quantity_factor", "DECIMAL(12,6)", "Money = quantity times price times this.", required=True),
        content("fee_path", "VARCHAR", "BROKERAGE or BANK.", required=True),
        content("mark_settlement", "VARCHAR", "T0 or T1: which settlement date a mark assumes.", required=True),
        content("first_date", "DATE", "First day of the history.", required=True),
        content("last_date", "DATE", "Last day of the history.", required=True),
        content("days_tested", "BIGINT", "Pocket-days on which a part of it could be tested.", required=True),
        content("days_agreeing", "BIGINT", "Pocket-days on which every part agrees.", required=True),
        content("days_telling", "BIGINT", "Of these, days on which another tuple disagrees.", required=True),
        content(
            "verdict",
            "VARCHAR",
            "CHOSEN (the only one left), SURVIVES (not told from others), BEATEN, UNEXPLAINED (none fits).",
            required=True,
        ),
    ),
    (
        "customer_id",
        "pos_basis",
        "cash_basis",
        "close_basis",
        "gain_basis",
        "quantity_factor",
        "fee_path",
        "mark_settlement",
    ),
)

BASELINE: Final = TableSpec(
    "recon",
    "baseline",
    "One step in the take-on of a pocket: what it held on the first day of the data, as a person proposed or confirmed.",
    (
        *POCKET_DAY,
        content("baseline_seq", "INTEGER", "From 1 within the customer.", required=True),
        content("status", "VARCHAR", "PROPOSED or CONFIRMED (by another person).", required=True),
        content("cash_balance", MONEY, "Brokerage cash.", required=True),
        content("content_hash", "VARCHAR", "Hash of cash and bills; both persons have seen the same.", required=True),
        content("actor", "VARCHAR", "Who took the step.", required=True),
        provenance("document_sha256", "VARCHAR", "Position summary that it was taken from."),
        provenance("at_utc", "TIMESTAMP", "When, UTC.", required=True),
    ),
    ("customer_id", "baseline_seq"),
)

BASELINE_LOT: Final = TableSpec(
    "recon",
    "baseline_lot",
    "One bill of a take-on: a lot at average cost where nobody knows the lots.",
    (
        *POCKET_DAY,
        content("baseline_seq", "INTEGER", "The step it belongs to.", required=True),
        content("cusip", "VARCHAR", "CUSIP.", required=True),
        content("face_amount", MONEY, "Face.", required=True),
        content("historical_cost", MONEY, "Cost; null when the summary states none."),
        content("lot_source", "VARCHAR", "LOT_UNKNOWN: the average of lots that nobody stated.", required=True),
    ),
    ("customer_id", "baseline_seq", "cusip"),
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
        content("run_seq", "BIGINT", "From 1 within the customer."),
        content("window_first_date", "DATE", "First day of the window that was asked for."),
        content("window_last_date", "DATE", "Last day of that window."),
        content("sight_first_date", "DATE", "First day of the documents that the run looked at."),
        content("sight_last_date", "DATE", "Last day of those documents."),
        content("known_from_utc", "TIMESTAMP", "From when its results stood in the tables, UTC."),
        content("left_sum", "DECIMAL(38,6)", "Sum of the left sides of all keys tested."),
        content("right_sum", "DECIMAL(38,6)", "Sum of the right sides of all keys tested."),
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

MATCH: Final = TableSpec(
    "recon",
    "match",
    "One row of either of two records that was matched, could not be told from others, or is suggested.",
    (
        *POCKET_DAY,
        content(
            "subject",
            "VARCHAR",
            "TRANSACTION (left the API, right the bank entry) or SWEEP (left the brokerage account, right the bank's).",
            required=True,
        ),
        content("side", "VARCHAR", "LEFT or RIGHT.", required=True),
        content("row_key", "VARCHAR", "Activity id, or key of the bank entry or brokerage flow.", required=True),
        content("amount", MONEY, "Amount of the row, from the left side's view."),
        content("match_group_id", "VARCHAR", "Rows with one id belong together, by `status`.", required=True),
        content("rule_id", "VARCHAR", "Rule that found them.", required=True),
        content("rule_version", "VARCHAR", "Version of the rule.", required=True),
        content("pass_no", "INTEGER", "Pass of the rule within its subject, from 1.", required=True),
        content("confidence", "VARCHAR", "EXACT_REF, EXACT_ATTR or SUGGESTED.", required=True),
        content(
            "status",
            "VARCHAR",
            "MATCHED, AMBIGUOUS (more than one choice; none taken) or SUGGESTED (the sums agree).",
            required=True,
        ),
        content("left_total", MONEY, "Sum of the group's left rows.", required=True),
        content("right_total", MONEY, "Sum of the group's right rows.", required=True),
        provenance("run_id", "VARCHAR", "Run that matched.", required=True),
    ),
    ("customer_id", "subject", "side", "pocket_id", "business_date", "row_key"),
)

BREAK_EVENT: Final = TableSpec(
    "recon",
    "break_event",
    "One event in the life of a break; appended, never changed.",
    (
        *POCKET_DAY,
        content("break_id", "VARCHAR", "Break.", required=True),
        content("event_seq", "INTEGER", "From 1 within the break.", required=True),
        content(
            "event",
            "VARCHAR",
            "OPENED, CHANGED, OVERDUE, REOPENED, CLEARED_AUTO, RESOLVED, ACCEPTANCE_ASKED, ACCEPTED, ASSIGNED, NOTED.",
            required=True,
        ),
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
        content("case_id", "VARCHAR", "Case it belongs to: control, pocket, entity key without dates, code."),
        content("clear_by", "DATE", "Fed business day by which a TIMING break must have cleared; null for others."),
        content("inputs_hash", "VARCHAR", "Hash of the content of the documents that the break rests on."),
        content("accepted_until", "DATE", "Last day of an acceptance; null for other events."),
        content("owner", "VARCHAR", "Person that the case was given to; null for other events."),
        content("reason", "VARCHAR", "Why, in the words of the person, or of the pipeline."),
        content("as_of_date", "DATE", "Latest business date that was judged at this event."),
        provenance("cleared_by_document_sha256", "VARCHAR", "Document whose arrival cleared it."),
    ),
    ("customer_id", "break_id", "event_seq"),
)

BREAK_CODE: Final = TableSpec(
    "recon",
    "break_code",
    "One break code: what its sides are measured in, when it must clear, what to do about it.",
    (
        content("control_id", "VARCHAR", "Control that gives it.", required=True),
        content("code", "VARCHAR", "Break code.", required=True),
        content("break_class", "VARCHAR", "Class of the code.", required=True),
        content("severity", "VARCHAR", "S1, S2 or S3.", required=True),
        content("unit", "VARCHAR", "USD, PRICE (per 100 of face), FACE, BP, COUNT or NONE.", required=True),
        content("clears_within", "INTEGER", "Fed business days within which it clears by itself; null when not."),
        content("is_authorisation", "BOOLEAN", "About who allowed a payment: never immaterial.", required=True),
        content("next_step", "VARCHAR", "What a person does next, as a sentence.", required=True),
    ),
    ("control_id", "code"),
)

MATERIALITY: Final = TableSpec(
    "recon",
    "materiality",
    "Below which amount a break of severity S2 or S3 counts as immaterial: the smaller of the two limits.",
    (
        *CUSTOMER,
        content("effective_from", "DATE", "First business date it holds for.", required=True),
        content("abs_floor", "DECIMAL(38,2)", "Limit in US dollars.", required=True),
        content("basis_points", "DECIMAL(12,6)", "Limit in basis points of the closing value.", required=True),
        content("set_by", "VARCHAR", "Who set it.", required=True),
        provenance("set_at_utc", "TIMESTAMP", "When, UTC.", required=True),
    ),
    ("customer_id", "effective_from", "set_at_utc"),
)

RUN_CONTROL: Final = TableSpec(
    "recon",
    "run_control",
    "What one run found by one control: counts and the sums of both sides.",
    (
        content("run_id", "VARCHAR", "Run.", required=True),
        *CUSTOMER,
        content("control_id", "VARCHAR", "Control.", required=True),
        content("control_version", "VARCHAR", "Version of the control.", required=True),
        content("sql_sha256", "VARCHAR", "Hash of the control's file.", required=True),
        content("tested", "BIGINT", "Keys tested.", required=True),
        content("passed", "BIGINT", "Keys passed.", required=True),
        content("broken", "BIGINT", "Keys broken.", required=True),
        content("not_tested", "BIGINT", "Keys not tested.", required=True),
        content("left_sum", "DECIMAL(38,6)", "Sum of the left sides of the keys tested; null when there are none."),
        content("right_sum", "DECIMAL(38,6)", "Sum of the right sides of the keys tested; null when there are none."),
    ),
    ("customer_id", "run_id", "control_id"),
)

INPUT_VERSION: Final = TableSpec(
    "recon",
    "input_version",
    "One state of a document's pocket and day as runs took it in, and the runs between which it stood so.",
    (
        *CUSTOMER,
        content("document_kind", "VARCHAR", "Kind of document.", required=True),
        content("scope_pocket_id", "VARCHAR", "Pocket; empty when the kind has none.", required=True),
        content("scope_date", "DATE", "Day; 0001-01-01 for snapshots.", required=True),
        content("content_hash", "VARCHAR", "Hash of the content.", required=True),
        content("finality", "VARCHAR", "PROVISIONAL or AFTER_CUTOFF.", required=True),
        content("is_refused", "BOOLEAN", "True when it is in quarantine.", required=True),
        content("document_sha256", "VARCHAR", "Hash of the bytes that stated it last.", required=True),
        content("from_run_seq", "BIGINT", "First run that took it in.", required=True),
        content("to_run_seq", "BIGINT", "First run that no longer did; null while runs do."),
    ),
    (
        "customer_id",
        "document_kind",
        "scope_pocket_id",
        "scope_date",
        "content_hash",
        "finality",
        "is_refused",
        "from_run_seq",
    ),
)

SIGNOFF: Final = TableSpec(
    "recon",
    "signoff",
    "One step in the sign-off of a period: prepared, signed or reopened; appended, never changed.",
    (
        *CUSTOMER,
        content("signoff_seq", "INTEGER", "From 1 within the customer.", required=True),
        content("scope", "VARCHAR", "LEGAL_ENTITY or POCKET.", required=True),
        content("pocket_id", "VARCHAR", "Pocket; empty for the whole legal entity.", required=True),
        content("period", "VARCHAR", "DAY or MONTH.", required=True),
        content("first_date", "DATE", "First day of the period.", required=True),
        content("last_date", "DATE", "Last day of the period.", required=True),
        content("status", "VARCHAR", "PREPARED, SIGNED or REOPENED.", required=True),
        content(
            "answers_seq",
            "INTEGER",
            "The step it answers: of a SIGNED one the PREPARED, of a REOPENED one the SIGNED; null for PREPARED.",
        ),
        content("run_id", "VARCHAR", "Latest run that the results rest on.", required=True),
        content("result_hash", "VARCHAR", "Hash of the results of the scope and period.", required=True),
        content("inputs_hash", "VARCHAR", "Hash of the documents of the scope and period.", required=True),
        content("rules_hash", "VARCHAR", "Hash of the rules that gave the results.", required=True),
        content("calendar_version", "VARCHAR", "Version of the calendars.", required=True),
        content("knowledge_time_utc", "TIMESTAMP", "Latest arrival that the results know of, UTC."),
        content(
            "controls",
            "VARCHAR",
            "JSON list: of each control id, version, tolerance, tested, passed, broken, not tested.",
            required=True,
        ),
        content(
            "totals", "VARCHAR", "JSON list: of each pocket opening, closing and unexplained value.", required=True
        ),
        content("accepted_breaks", "VARCHAR", "JSON list of the breaks that a person accepted.", required=True),
        content("open_timing", "VARCHAR", "JSON list of the timing breaks that are open.", required=True),
        content("basis", "VARCHAR", "JSON list of the confirmed bases in force.", required=True),
        content("baseline", "VARCHAR", "JSON list of the take-ons in force.", required=True),
        content("days", "VARCHAR", "JSON list: of each day the sign-off of its own, or null.", required=True),
        content("actor", "VARCHAR", "Who took the step.", required=True),
        content(
            "identity",
            "VARCHAR",
            "VERIFIED when the reviewer's signature names a key of allowed_signers, else IDENTITY_NOT_VERIFIED.",
            required=True,
        ),
        content("signature", "VARCHAR", "SSH signature of the result hash; null when there is none."),
        content("reason", "VARCHAR", "Why it was reopened; empty otherwise.", required=True),
        content("digest", "VARCHAR", "SHA-256 of the step's file, which holds all of this.", required=True),
        content("at_utc", "TIMESTAMP", "When, UTC.", required=True),
    ),
    ("customer_id", "signoff_seq"),
)

APPENDED: Final = (RUN, RUN_CONTROL, INPUT_VERSION, BREAK_EVENT, SIGNOFF)
"""Tables that are only ever appended to: they say themselves what stood there when."""

RECON: Final = (
    CONTROL,
    BASIS,
    BASIS_CANDIDATE,
    BASELINE,
    BASELINE_LOT,
    RUN,
    RESULT,
    MATCH,
    BREAK_EVENT,
    BREAK_CODE,
    MATERIALITY,
    RUN_CONTROL,
    INPUT_VERSION,
    SIGNOFF,
)

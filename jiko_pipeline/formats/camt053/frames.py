"""The frames of a statement: balances, entries, transactions and what repeats below them.

Belongs here: their columns, made from the one declaration of fields (`camt053.fields`). Does not belong here:
how a field is found.
"""

from collections.abc import Iterable
from typing import Final

from jiko_pipeline.formats.camt053 import fields
from jiko_pipeline.formats.camt053.fields import Field, Kind
from jiko_pipeline.formats.frame_spec import LOCATOR, MONEY, Column, FrameSpec, content, provenance

NUMBER: Final = "DECIMAL(38,12)"
AMOUNT: Final = "DECIMAL(38,9)"
"""Amounts that are kept as written, in any currency; the signed amounts of bookings are money, to the cent."""
_SQL_TYPES: Final = {
    Kind.TEXT: "VARCHAR",
    Kind.CURRENCY: "VARCHAR",
    Kind.LINES: "VARCHAR",
    Kind.DAY: "DATE",
    Kind.FLAG: "BOOLEAN",
    Kind.COUNT: "BIGINT",
    Kind.EXACT: NUMBER,
    Kind.MONEY: AMOUNT,
}

_STATEMENT_SEQ: Final = content(
    "statement_seq", "INTEGER", "Position of the statement in its document, from 1.", required=True
)
_ENTRY_SEQ: Final = content("entry_seq", "INTEGER", "Position of the entry in its statement, from 1.", required=True)
_DETAIL_SEQ: Final = content(
    "detail_seq", "INTEGER", "Position of the transaction below its entry, from 1.", required=True
)


def columns_of(declared: Iterable[Field]) -> tuple[Column, ...]:
    """The columns of fields, in their order; internal fields have none."""
    return tuple(content(field.name, _SQL_TYPES[field.kind], field.comment) for field in declared if not field.internal)


def _below(name: str, comment: str, declared: Iterable[Field]) -> FrameSpec:
    """A kind of row that repeats below entries or transactions (or balances)."""
    return FrameSpec(
        name,
        comment,
        (
            _STATEMENT_SEQ,
            content("balance_seq", "INTEGER", "Position of the balance that it belongs to; null below entries."),
            content(
                "entry_seq",
                "INTEGER",
                "Position of the entry that it belongs to; null for the statement's own.",
            ),
            content(
                "detail_seq", "INTEGER", "Position of the transaction that it belongs to; null for the entry's own."
            ),
            content("line_seq", "INTEGER", "Position among its kind in the document, from 1.", required=True),
            *columns_of(declared),
            LOCATOR,
        ),
        ("line_seq",),
    )


STATEMENT: Final = FrameSpec(
    "statement",
    "One camt.053 statement (Stmt).",
    (
        _STATEMENT_SEQ,
        content(
            "account_identification", "VARCHAR", "Account as the statement names it (IBAN or other identification)."
        ),
        content("account_currency", "VARCHAR", "Currency of the account, ISO 4217."),
        content("account_name", "VARCHAR", "Name of the account."),
        content("account_type", "VARCHAR", "Type of the account, ISO code or proprietary."),
        content("account_owner_name", "VARCHAR", "Name of the account's owner."),
        content("account_servicer_bic", "VARCHAR", "BIC of the bank that keeps the account."),
        content("account_servicer_name", "VARCHAR", "Name of the bank that keeps the account."),
        content("electronic_sequence_number", "VARCHAR", "Electronic sequence number of the statement."),
        content("legal_sequence_number", "VARCHAR", "Legal sequence number of the statement."),
        content("from_date", "DATE", "First day of the reporting period, as written."),
        content("to_date", "DATE", "Last day of the reporting period, as written."),
        content("page_number", "VARCHAR", "Page number of the statement or message."),
        content("is_last_page", "BOOLEAN", "True on the last page of a paged statement."),
        content("copy_duplicate", "VARCHAR", "COPY, DUPL or CODU when the statement is a copy or duplicate."),
        content("summary_entries", "BIGINT", "Number of entries that the transactions summary declares."),
        content("summary_net_amount", MONEY, "Signed net amount of entries that the transactions summary declares."),
        content("reporting_sequence", "VARCHAR", "Reporting sequence, from and to."),
        content("additional_information", "VARCHAR", "Additional statement information."),
        content("message_version", "VARCHAR", "Version of the camt.053 schema, two digits."),
        provenance("message_id", "VARCHAR", "Message identification (group header)."),
        provenance("statement_id", "VARCHAR", "Statement identification."),
        provenance("created_at_text", "VARCHAR", "Creation time of the statement as written."),
        LOCATOR,
    ),
    ("statement_seq",),
)

STATEMENT_BALANCE: Final = FrameSpec(
    "statement_balance",
    "One balance of a statement (Bal); credit lines and availability are rows of their own.",
    (
        _STATEMENT_SEQ,
        content("balance_seq", "INTEGER", "Position of the balance in its statement, from 1.", required=True),
        content("balance_code", "VARCHAR", "Balance type code (OPBD, CLBD, PRCD, ITBD, ...) or proprietary type."),
        content("balance_sub_type", "VARCHAR", "Balance sub-type (OIBD, CIBD) or proprietary sub-type."),
        content("signed_amount", MONEY, "Balance, positive when credit.", required=True),
        content("currency", "VARCHAR", "Currency, ISO 4217."),
        content("balance_date", "DATE", "Date of the balance as written."),
        content("balance_date_text", "VARCHAR", "Date or time of the balance as written."),
        LOCATOR,
    ),
    ("statement_seq", "balance_seq"),
)

_UNSIGNED: Final = frozenset({"amount", "currency"})


def _rest(declared: Iterable[Field]) -> tuple[Column, ...]:
    return columns_of(field for field in declared if field.name not in _UNSIGNED)


STATEMENT_ENTRY: Final = FrameSpec(
    "statement_entry",
    "One entry of a statement (Ntry): one booking, whatever its details.",
    (
        _STATEMENT_SEQ,
        _ENTRY_SEQ,
        content(
            "signed_amount",
            MONEY,
            "Amount, positive when credited; a reversal indicator never changes the sign.",
            required=True,
        ),
        content("currency", "VARCHAR", "Currency, ISO 4217."),
        *_rest(fields.ENTRY),
        content("details", "INTEGER", "Number of transaction details below the entry.", required=True),
        LOCATOR,
    ),
    ("statement_seq", "entry_seq"),
)

STATEMENT_ENTRY_DETAIL: Final = FrameSpec(
    "statement_entry_detail",
    "One transaction below an entry (TxDtls): a part of the booking, never a booking of its own.",
    (
        _STATEMENT_SEQ,
        _ENTRY_SEQ,
        _DETAIL_SEQ,
        content(
            "signed_amount",
            MONEY,
            "Amount, positive when credited; the entry's direction where the transaction states none.",
        ),
        content("currency", "VARCHAR", "Currency of the amount, ISO 4217."),
        *_rest(fields.DETAIL),
        LOCATOR,
    ),
    ("statement_seq", "entry_seq", "detail_seq"),
)

STATEMENT_FRAMES: Final = (
    STATEMENT,
    STATEMENT_BALANCE,
    STATEMENT_ENTRY,
    STATEMENT_ENTRY_DETAIL,
    _below("statement_remittance", "One structured remittance of a transaction (RmtInf/Strd).", fields.REMITTANCE),
    _below("statement_charge", "One charge of an entry or transaction.", fields.CHARGE),
    _below("statement_interest", "One interest record of a statement, entry or transaction.", fields.INTEREST),
    _below("statement_batch", "What a batch of transactions declares of itself (Btch).", fields.BATCH),
    _below(
        "statement_availability", "When how much of a balance, entry or transaction is available.", fields.AVAILABILITY
    ),
    _below("statement_credit_line", "A credit line stated with a balance.", fields.CREDIT_LINE),
)
"""Every frame of a statement, in the order of a Reading."""

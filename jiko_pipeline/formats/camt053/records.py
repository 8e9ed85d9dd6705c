"""What a camt.053 document states, as immutable records with full decimals.

Belongs here: the shapes. Names are the ISO 20022 business names and, where a record becomes a row, the names
of `jiko_pipeline.formats.frames`. Does not belong here: where in the XML a value stands (`elements`).

Amounts are signed (debit is negative) and exact; an amount that could not be read is None and has a finding.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from jiko_pipeline.formats.reading import Finding

NOT_BOOKED: Final = frozenset({"PDNG", "INFO", "FUTR"})
"""Entry status codes that are no part of the closing balance."""


class Balance(NamedTuple):
    """One `Bal`. `signed_amount` is None when unreadable."""

    statement_seq: int
    balance_seq: int
    balance_code: str | None
    balance_sub_type: str | None
    signed_amount: Decimal | None
    currency: str | None
    balance_date: date | None
    document_locator: str


class Entry(NamedTuple):
    """One `Ntry`. `signed_amount` is None when the amount or its sign cannot be read."""

    statement_seq: int
    entry_seq: int
    entry_reference: str | None
    account_servicer_reference: str | None
    signed_amount: Decimal | None
    currency: str | None
    is_reversal: bool | None
    entry_status: str | None
    booking_date: date | None
    value_date: date | None
    domain_code: str | None
    family_code: str | None
    sub_family_code: str | None
    proprietary_code: str | None
    proprietary_issuer: str | None
    additional_information: str | None
    details: int
    document_locator: str

    @property
    def is_booked(self) -> bool:
        """True for what the closing balance holds; an entry without a status counts as booked."""
        return self.entry_status not in NOT_BOOKED


class Detail(NamedTuple):
    """One `TxDtls`. `signed_amount` is None when the transaction states no amount of its own."""

    statement_seq: int
    entry_seq: int
    detail_seq: int
    signed_amount: Decimal | None
    currency: str | None
    end_to_end_id: str | None
    instruction_id: str | None
    transaction_id: str | None
    uetr: str | None
    account_servicer_reference: str | None
    debtor_name: str | None
    creditor_name: str | None
    remittance_unstructured: str | None
    additional_information: str | None
    document_locator: str


class BankTransactionCode(NamedTuple):
    """`BkTxCd`: ISO's domain, family and sub-family, and the bank's own code with its issuer."""

    domain: str | None
    family: str | None
    sub_family: str | None
    proprietary: str | None
    issuer: str | None


NO_CODE: Final = BankTransactionCode(None, None, None, None, None)


class Pagination(NamedTuple):
    """`MsgPgntn` or `StmtPgntn`."""

    page_number: str | None
    is_last_page: bool | None


class Summary(NamedTuple):
    """`TxsSummry`: the number of entries and their signed net, as declared."""

    entries: int | None
    net_amount: Decimal | None


class GroupHeader(NamedTuple):
    """`GrpHdr`."""

    message_id: str | None
    pagination: Pagination | None


@dataclass(frozen=True, slots=True)
class StatementHeader:
    """All of a `Stmt` but its entries."""

    statement_id: str | None
    created_at_text: str | None
    account_identification: str | None
    account_currency: str | None
    electronic_sequence_number: str | None
    legal_sequence_number: str | None
    from_date: date | None
    to_date: date | None
    pagination: Pagination | None
    copy_duplicate: str | None
    summary: Summary | None
    balances: tuple[Balance, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the entries of one statement; `unreadable` entries are in no sum."""

    entries: int
    details: int
    net_all: Decimal
    net_booked: Decimal
    unreadable: int
    without_status: int
    currencies: tuple[str, ...]
    """Currencies of the entries, in the order met."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One `Stmt` with its totals and what was found on it."""

    statement_seq: int
    header: StatementHeader
    group: GroupHeader
    totals: Totals
    opening: Balance | None
    closing: Balance | None
    foots: bool | None
    findings: tuple[Finding, ...]

    @property
    def locator(self) -> str:
        """Path of the statement."""
        return f"Stmt[{self.statement_seq}]"

    @property
    def pagination(self) -> Pagination:
        """The statement's own pagination, else the message's."""
        return self.header.pagination or self.group.pagination or Pagination(None, None)

    @property
    def currency(self) -> str | None:
        """Currency of the account; where it states none, that of its balances, else of its entries."""
        stated = (self.header.account_currency, *(balance.currency for balance in self.header.balances))
        return next((currency for currency in (*stated, *self.totals.currencies) if currency), None)

    @property
    def day(self) -> date | None:
        """The day the statement is for: that of the closing balance, else the end of its period."""
        if self.closing is not None and self.closing.balance_date is not None:
            return self.closing.balance_date
        return self.header.to_date


@dataclass(frozen=True, slots=True)
class Document:
    """One camt.053 document. `findings` are those of the document as a whole."""

    version: str | None
    statements: tuple[Statement, ...]
    findings: tuple[Finding, ...]

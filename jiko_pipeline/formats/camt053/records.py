"""What a camt.053 document states, as immutable records with full decimals.

Belongs here: the shapes. Names are the ISO 20022 business names and, where a record becomes a row, the names
of the frames. Does not belong here: where in the XML a value stands (`fields`, `elements`).

Amounts are signed (debit is negative) and exact; an amount that could not be read is None and has a finding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

import polars as pl

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
    balance_date_text: str | None
    document_locator: str


@dataclass(frozen=True, slots=True)
class Part:
    """Entries, or transactions, as a typed frame, and beside it what is summed and compared.

    `amounts` are signed and exact, `statuses` those of entries; in the frame amounts have nine decimals.
    """

    frame: pl.DataFrame
    amounts: Sequence[Decimal | None]
    currencies: Sequence[str | None]
    statuses: Sequence[str | None]
    places: Sequence[str]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some entries of one statement with everything below them."""

    entries: Part
    details: Part | None
    begun: Mapping[str, pl.DataFrame]
    """Rows that repeat below entries and transactions, by the name of their frame; only kinds that were met."""


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
    account_name: str | None
    account_type: str | None
    account_owner_name: str | None
    account_servicer_bic: str | None
    account_servicer_name: str | None
    electronic_sequence_number: str | None
    legal_sequence_number: str | None
    from_date: date | None
    to_date: date | None
    pagination: Pagination | None
    copy_duplicate: str | None
    summary: Summary | None
    reporting_sequence: str | None
    additional_information: str | None
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
    lines: Mapping[str, pl.DataFrame]
    """Credit lines and availability below balances, and the statement's own interest, by the name of their frame."""
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

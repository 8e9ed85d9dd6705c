"""Records to the four frames of a statement.

Belongs here: the columns of `jiko_pipeline.formats.frames` filled from records, piece by piece so that a
large statement never stands in memory as Python objects. Does not belong here: the XML, and any judgement.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import polars as pl

from jiko_pipeline.formats.camt053.records import Detail, Entry, Statement
from jiko_pipeline.formats.columns import typed_frame
from jiko_pipeline.formats.frames import (
    STATEMENT,
    STATEMENT_BALANCE,
    STATEMENT_ENTRY,
    STATEMENT_ENTRY_DETAIL,
    FrameSpec,
)

ROWS_A_PIECE: Final = 4096
_TOO_LARGE: Final = Decimal(10) ** 36


class RowBuffer:
    """Rows of one kind, turned into typed pieces of a frame as they come. Rows are tuples in column order."""

    def __init__(self, spec: FrameSpec) -> None:
        self._spec = spec
        self._rows: list[tuple[Any, ...]] = []
        self._pieces: list[pl.DataFrame] = []

    def append(self, row: tuple[Any, ...]) -> None:
        """One more row."""
        self._rows.append(row)
        if len(self._rows) >= ROWS_A_PIECE:
            self._flush()

    def frame(self) -> pl.DataFrame:
        """All rows so far, with exactly the schema of the kind."""
        self._flush()
        return pl.concat(self._pieces, rechunk=False) if self._pieces else self._spec.empty()

    def _flush(self) -> None:
        if self._rows:
            self._pieces.append(typed_frame(self._spec, zip(*self._rows, strict=True)))
            self._rows.clear()


class StatementFrames:
    """The four frames of one document; `take` is the sink of `stream.parse`."""

    def __init__(self) -> None:
        self._entries = RowBuffer(STATEMENT_ENTRY)
        self._details = RowBuffer(STATEMENT_ENTRY_DETAIL)

    def take(self, entry: Entry, details: Sequence[Detail]) -> None:
        """Keep an entry and its transactions, less amounts that fit no column: they refuse the document."""
        if entry.signed_amount is not None and abs(entry.signed_amount) < _TOO_LARGE:
            self._entries.append(entry)
        for detail in details:
            if detail.signed_amount is None or abs(detail.signed_amount) < _TOO_LARGE:
                self._details.append(detail)

    def frames(self, version: str | None, statements: Sequence[Statement]) -> dict[str, pl.DataFrame]:
        """Frames by name."""
        headers, balances = RowBuffer(STATEMENT), RowBuffer(STATEMENT_BALANCE)
        for statement in statements:
            headers.append(_statement_row(version, statement))
            for balance in statement.header.balances:
                balances.append(balance)
        return {
            STATEMENT.name: headers.frame(),
            STATEMENT_BALANCE.name: balances.frame(),
            STATEMENT_ENTRY.name: self._entries.frame(),
            STATEMENT_ENTRY_DETAIL.name: self._details.frame(),
        }


def _statement_row(version: str | None, statement: Statement) -> tuple[Any, ...]:
    header, page = statement.header, statement.pagination
    return (
        statement.statement_seq,
        header.account_identification,
        header.account_currency,
        header.electronic_sequence_number,
        header.legal_sequence_number,
        header.from_date,
        header.to_date,
        page.page_number,
        page.is_last_page,
        header.copy_duplicate,
        header.summary.entries if header.summary else None,
        header.summary.net_amount if header.summary else None,
        version,
        statement.group.message_id,
        header.statement_id,
        header.created_at_text,
        statement.locator,
    )

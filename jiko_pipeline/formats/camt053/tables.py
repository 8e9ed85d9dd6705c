"""Pieces and records to the frames of a statement, with exactly the declared columns.

Belongs here: putting pieces together, the number of a repeated row, amounts to cents. Does not belong here:
the XML, and any judgement.
"""

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from jiko_pipeline.formats.camt053 import layouts
from jiko_pipeline.formats.camt053.frames import (
    STATEMENT,
    STATEMENT_BALANCE,
    STATEMENT_ENTRY,
    STATEMENT_ENTRY_DETAIL,
    STATEMENT_FRAMES,
)
from jiko_pipeline.formats.camt053.records import Piece, Statement
from jiko_pipeline.formats.columns import typed_frame
from jiko_pipeline.formats.frame_spec import FrameSpec

_SPECS: Final = {spec.name: spec for spec in STATEMENT_FRAMES}
_EMPTY: Final = {spec.name: spec.empty() for spec in STATEMENT_FRAMES}
_POSITION: Final = ("statement_seq", "balance_seq", "entry_seq", "detail_seq")


class StatementFrames:
    """The frames of one document; `take` is the sink of `stream.parse`."""

    def __init__(self) -> None:
        self._pieces: dict[str, list[pl.DataFrame]] = {name: [] for name in _SPECS}

    def take(self, piece: Piece) -> None:
        """Keep a piece. An entry without a readable amount refuses the document, so it may be left out here."""
        entries = piece.entries.frame
        if None in piece.entries.amounts:
            entries = entries.filter(pl.col("signed_amount").is_not_null())
        self._keep(STATEMENT_ENTRY, entries)
        if piece.details is not None:
            self._keep(STATEMENT_ENTRY_DETAIL, piece.details.frame)
        for kind, frame in piece.begun.items():
            self._pieces[kind].append(frame)

    def _keep(self, spec: FrameSpec, frame: pl.DataFrame) -> None:
        place = frame.get_column_index("signed_amount")
        # Amounts finer than a cent refuse the document, so nothing is rounded here.
        cents = frame.to_series(place).cast(pl.Decimal(38, 2), strict=False)
        self._pieces[spec.name].append(frame.replace_column(place, cents))

    def frames(self, version: str | None, statements: Sequence[Statement]) -> dict[str, pl.DataFrame]:
        """Frames by name, each with exactly its declared schema."""
        for statement in statements:
            for kind, frame in statement.lines.items():
                self._pieces[kind].append(frame)
        balances = [balance for statement in statements for balance in statement.header.balances]
        made = {
            STATEMENT.name: _of_rows(STATEMENT, [_statement_row(version, statement) for statement in statements]),
            STATEMENT_BALANCE.name: _of_rows(STATEMENT_BALANCE, balances),
        }
        for name, spec in _SPECS.items():
            if name not in made:
                made[name] = self._together(spec)
        return made

    def _together(self, spec: FrameSpec) -> pl.DataFrame:
        pieces = self._pieces[spec.name]
        if not pieces:
            return _EMPTY[spec.name].clone()
        frame = pieces[0] if len(pieces) == 1 else pl.concat(pieces, rechunk=False)
        if spec.name in layouts.REPEATED:
            lines = pl.Series("line_seq", range(1, frame.height + 1), dtype=pl.Int32)
            frame.insert_column(len(_POSITION), lines)
        return frame


def _of_rows(spec: FrameSpec, rows: Sequence[tuple[Any, ...]]) -> pl.DataFrame:
    return typed_frame(spec, zip(*rows, strict=True)) if rows else _EMPTY[spec.name].clone()


def _statement_row(version: str | None, statement: Statement) -> tuple[Any, ...]:
    header, page = statement.header, statement.pagination
    return (
        statement.statement_seq,
        header.account_identification,
        header.account_currency,
        header.account_name,
        header.account_type,
        header.account_owner_name,
        header.account_servicer_bic,
        header.account_servicer_name,
        header.electronic_sequence_number,
        header.legal_sequence_number,
        header.from_date,
        header.to_date,
        page.page_number,
        page.is_last_page,
        header.copy_duplicate,
        header.summary.entries if header.summary else None,
        header.summary.net_amount if header.summary else None,
        header.reporting_sequence,
        header.additional_information,
        version,
        statement.group.message_id,
        header.statement_id,
        header.created_at_text,
        statement.locator,
    )

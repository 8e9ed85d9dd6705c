"""Entries as they end, gathered and turned into typed frames a few thousand at a time.

Belongs here: the rows of one statement that stand in memory, their positions, and the frames made of them.
Does not belong here: the XML (`stream`), and any judgement on figures (`checks`).
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

from jiko_pipeline.formats.camt053 import layouts
from jiko_pipeline.formats.camt053.columns import Columns, Days, amount_column, null_column, signed_amounts
from jiko_pipeline.formats.camt053.findings import Findings
from jiko_pipeline.formats.camt053.paths import Begun, Layout, Row
from jiko_pipeline.formats.camt053.records import Part, Piece
from jiko_pipeline.formats.camt053.shapes import Groups, MatchedRow, RowPlan, Shape
from jiko_pipeline.formats.reading import Severity

ROWS_A_PIECE: Final = 2048
POSITION: Final = pl.Int32()

_ENTRY_CODE: Final = layouts.ENTRY.slots["credit_debit"][0]
_BESIDE: Final = frozenset({"amount", "currency", "credit_debit"})
_ENTRY_FIELDS: Final = tuple(field for field in layouts.ENTRY.fields if field.name not in _BESIDE)
_DETAIL_FIELDS: Final = tuple(field for field in layouts.DETAIL.fields if field.name not in _BESIDE)

DetailPosition = tuple[int, int, int, int]
"""(entry, detail, block, number in the block); block 0 stands directly below the entry, detail 0 is the entry."""


class Gathering:
    """The entries of one statement that are not yet in a piece."""

    def __init__(self, statement_seq: int, findings: Findings, days: Days) -> None:
        self._statement_seq = statement_seq
        self._findings = findings
        self._days = days
        self._prefix = f"Stmt[{statement_seq}]/Ntry["
        self._entries: list[MatchedRow] = []
        self._entry_details: list[int] = []
        self._first = 1
        self._details: list[MatchedRow] = []
        self._detail_positions: list[DetailPosition] = []
        self._detail_signs: list[str | None] = []
        self._begun: dict[str, tuple[list[MatchedRow], list[DetailPosition]]] = {}

    @property
    def is_full(self) -> bool:
        """True when it is time to make a piece of it."""
        return len(self._entries) >= ROWS_A_PIECE or len(self._details) >= ROWS_A_PIECE

    @property
    def next_entry_seq(self) -> int:
        """The position of the next entry in its statement."""
        return self._first + len(self._entries)

    def add(
        self,
        entry: Row,
        begun: Begun,
        details: Sequence[Row],
        positions: Sequence[tuple[int, int]],
        below: Sequence[Begun],
    ) -> None:
        """An entry that has ended, with its transactions, their (block, number) and what began below each."""
        entry_seq = self._first + len(self._entries)
        self._entries.append(entry)
        self._entry_details.append(len(details))
        if begun:
            self._keep(begun, (entry_seq, 0, 0, 0))
        if details:
            code = entry.get(_ENTRY_CODE)
            self._details += details
            self._detail_signs += [code] * len(details)
            for number, (block, place) in enumerate(positions, start=1):
                position = (entry_seq, number, block, place)
                self._detail_positions.append(position)
                if below[number - 1]:
                    self._keep(below[number - 1], position)

    def add_matched(self, shape: Shape, groups: Groups) -> None:
        """An entry that was matched by its shape."""
        entry_seq = self._first + len(self._entries)
        entry = shape.entry
        # An entry's own fields always have a row; none of them is a line.
        self._entries.append((entry, groups))
        self._entry_details.append(len(shape.details))
        if entry.begun:
            self._keep_matched(entry, groups, (entry_seq, 0, 0, 0))
        for number, plan, block, place in shape.details:
            position = (entry_seq, number, block, place)
            row = plan.row(groups)
            self._details.append({} if row is None else row)
            self._detail_positions.append(position)
            self._detail_signs.append(groups[entry.slots.get(_ENTRY_CODE, -1)])
            if plan.begun:
                self._keep_matched(plan, groups, position)

    def _keep(self, begun: Begun, position: DetailPosition) -> None:
        for kind, row in begun:
            rows, positions = self._begun.setdefault(kind, ([], []))
            rows.append(row)
            positions.append(position)

    def _keep_matched(self, plan: RowPlan, groups: Groups, position: DetailPosition) -> None:
        for kind, below in plan.begun:
            row = below.row(groups)
            if row is not None:
                rows, positions = self._begun.setdefault(kind, ([], []))
                rows.append(row)
                positions.append(position)

    def piece(self) -> Piece | None:
        """Everything gathered, as frames; None when there is nothing."""
        if not self._entries:
            return None
        made = Piece(self._entry_part(), self._detail_part() if self._details else None, self._begun_frames())
        self._first += len(self._entries)
        for gathered in (
            self._entries,
            self._entry_details,
            self._details,
            self._detail_positions,
            self._detail_signs,
        ):
            gathered.clear()
        self._begun.clear()
        return made

    def _entry_part(self) -> Part:
        first, height = self._first, len(self._entries)
        prefix = self._prefix
        places = [f"{prefix}{entry_seq}]" for entry_seq in range(first, first + height)]
        columns = Columns(layouts.ENTRY, self._entries, self._findings, self._days, places.__getitem__)
        codes = columns.texts("credit_debit")
        if codes.count("CRDT") + codes.count("DBIT") < height:
            for code, place in zip(codes, places, strict=True):
                if code not in ("CRDT", "DBIT"):
                    message = "The entry says neither CRDT nor DBIT; its direction is unknown."
                    self._findings.add("MISSING_SIGN", Severity.ERROR, message, place)
        currencies = columns.texts("currency")
        amounts = signed_amounts(columns.texts("amount"), codes, self._findings, places.__getitem__, required=True)
        frame = pl.DataFrame(
            [
                self._statement_column(height),
                pl.Series("entry_seq", range(first, first + height), dtype=POSITION),
                amount_column("signed_amount", amounts),
                pl.Series("currency", currencies, dtype=pl.String),
                *(columns.of(field) for field in _ENTRY_FIELDS),
                pl.Series("details", self._entry_details, dtype=POSITION),
                pl.Series("document_locator", places, dtype=pl.String),
            ]
        )
        return Part(frame, amounts, currencies, columns.texts("entry_status"), places)

    def _detail_part(self) -> Part:
        positions, height = self._detail_positions, len(self._details)
        places = self._places_of(positions)
        columns = Columns(layouts.DETAIL, self._details, self._findings, self._days, places.__getitem__)
        # Before the third version a transaction's own amount stands only among the amount details.
        texts, currencies = columns.texts("amount"), columns.texts("currency")
        if None in texts:
            others = zip(columns.texts("transaction_amount"), columns.texts("transaction_currency"), strict=True)
            own = zip(texts, currencies, strict=True)
            chosen = [pair if pair[0] is not None else other for pair, other in zip(own, others, strict=True)]
            texts, currencies = [pair[0] for pair in chosen], [pair[1] for pair in chosen]
        signs = [
            sign if sign in ("CRDT", "DBIT") else (entry_sign or "").strip()
            for sign, entry_sign in zip(columns.texts("credit_debit"), self._detail_signs, strict=True)
        ]
        amounts = signed_amounts(texts, signs, self._findings, places.__getitem__, required=False)
        frame = pl.DataFrame(
            [
                self._statement_column(height),
                pl.Series("entry_seq", [position[0] for position in positions], dtype=POSITION),
                pl.Series("detail_seq", [position[1] for position in positions], dtype=POSITION),
                amount_column("signed_amount", amounts),
                pl.Series("currency", currencies, dtype=pl.String),
                *(columns.of(field) for field in _DETAIL_FIELDS),
                pl.Series("document_locator", places, dtype=pl.String),
            ]
        )
        return Part(frame, amounts, currencies, (), places)

    def _begun_frames(self) -> dict[str, pl.DataFrame]:
        frames = {}
        for kind, (rows, positions) in self._begun.items():
            columns = [
                self._statement_column(len(rows)),
                null_column("balance_seq", POSITION, len(rows)),
                pl.Series("entry_seq", [position[0] for position in positions], dtype=POSITION),
                pl.Series("detail_seq", [position[1] or None for position in positions], dtype=POSITION),
            ]
            places = self._places_of(positions)
            frames[kind] = begun_frame(layouts.REPEATED[kind], rows, columns, places, self._findings, self._days)
        return frames

    def _places_of(self, positions: Sequence[DetailPosition]) -> list[str]:
        prefix = self._prefix
        return [
            f"{prefix}{entry_seq}]/NtryDtls[{block}]/TxDtls[{place}]"
            if block
            else f"{prefix}{entry_seq}]/TxDtls[{place}]"
            if place
            else f"{prefix}{entry_seq}]"
            for entry_seq, _, block, place in positions
        ]

    def _statement_column(self, height: int) -> pl.Series:
        return pl.Series("statement_seq", [self._statement_seq] * height, dtype=POSITION)


def begun_frame(
    layout: Layout,
    rows: Sequence[MatchedRow],
    positions: Sequence[pl.Series],
    places: Sequence[str],
    findings: Findings,
    days: Days,
) -> pl.DataFrame:
    """Rows that repeat below something; `positions` are the columns that say below what."""
    columns = Columns(layout, rows, findings, days, places.__getitem__)
    return pl.DataFrame(
        [
            *positions,
            *(columns.of(field) for field in layout.fields),
            pl.Series("document_locator", places, dtype=pl.String),
        ]
    )

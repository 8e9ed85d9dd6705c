"""What a frame is: its columns with SQL types and comments, and the key of its rows.

Belongs here: `FrameSpec`, `Column` and the types they can have. Does not belong here: any frame (`frames`,
`party_frames`, `message_frames`).

`content` columns are the facts a document states; `provenance` columns say which copy of it stated them (names
and times that a bank makes anew whenever the same document is asked for again). Two readings with equal content
are one version, whatever their provenance.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import polars as pl

MONEY: Final = "DECIMAL(38,2)"
PRICE: Final = "DECIMAL(12,6)"
YIELD: Final = "DECIMAL(18,9)"

_POLARS_TYPES: Final[dict[str, pl.DataType]] = {
    "VARCHAR": pl.String(),
    "BOOLEAN": pl.Boolean(),
    "INTEGER": pl.Int32(),
    "BIGINT": pl.Int64(),
    "DATE": pl.Date(),
    "TIMESTAMP": pl.Datetime("us"),
    MONEY: pl.Decimal(38, 2),
    PRICE: pl.Decimal(12, 6),
    YIELD: pl.Decimal(18, 9),
    "DECIMAL(38,6)": pl.Decimal(38, 6),
    "DECIMAL(38,9)": pl.Decimal(38, 9),
    "DECIMAL(38,12)": pl.Decimal(38, 12),
}


class Role(StrEnum):
    """Whether a column is a fact of the document or says which copy of it this is."""

    CONTENT = "content"
    PROVENANCE = "provenance"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: name, SQL type, comment; nullable unless `required`."""

    name: str
    sql_type: str
    comment: str
    required: bool = False
    role: Role = Role.CONTENT

    @property
    def polars_type(self) -> pl.DataType:
        """The polars type that carries this column without loss. TIMESTAMP is UTC without a zone."""
        return _POLARS_TYPES[self.sql_type]


@dataclass(frozen=True, slots=True)
class FrameSpec:
    """One kind of row. `key` names the columns that tell two rows of the same document and day apart."""

    name: str
    comment: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def schema(self) -> pl.Schema:
        """Column names and polars types, in order."""
        return pl.Schema({column.name: column.polars_type for column in self.columns})

    def empty(self) -> pl.DataFrame:
        """A frame of this kind without rows."""
        return pl.DataFrame(schema=self.schema)


def content(name: str, sql_type: str, comment: str, *, required: bool = False) -> Column:
    """A column that is a fact of the document."""
    return Column(name, sql_type, comment, required)


def provenance(name: str, sql_type: str, comment: str) -> Column:
    """A column that says which copy of the document stated the fact."""
    return Column(name, sql_type, comment, role=Role.PROVENANCE)


LOCATOR: Final = provenance(
    "document_locator", "VARCHAR", "Where in the document the row stands (XML path, CSV line, page and item)."
)

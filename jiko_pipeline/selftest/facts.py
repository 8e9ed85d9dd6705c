"""The rows of a world before they are in a warehouse: what documents said, by table.

Belongs here: keeping, finding, changing and inserting rows. Does not belong here: how a world's rows come about
(`worlds`, `documents`), what a fault changes (`planting`).
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any, Final

import duckdb
import polars as pl

from jiko_pipeline.selftest.books import Books, books_of
from jiko_pipeline.warehouse.frames import registered
from jiko_pipeline.warehouse.tables import TABLES

Row = dict[str, Any]
_Bucket = tuple[str, date | None]

CUSTOMER: Final = "selftest"
ENTITY: Final = "selftest-entity"
KNOWN_FROM: Final = datetime(2024, 1, 2, 9, tzinfo=UTC).replace(tzinfo=None)
"""When rows that say nothing else became known, UTC."""

_REFERENCE: Final = "staging.security_reference"

_DEFAULTS: Final[dict[str, Any]] = {
    "customer_id": CUSTOMER,
    "legal_entity_id": ENTITY,
    "row_ordinal": 1,
    "row_hash": "",
    "document_id": "selftest",
    "document_sha256": "selftest",
    "known_from_utc": KNOWN_FROM,
}
"""What a row of any table holds in a required column that it does not give."""


class Facts:
    """Rows by qualified table name; a change of them is a change of what the bank and its documents said.

    A row gives its columns by name; those left out are null, or as `_DEFAULTS` says. Rows are found fast when both
    `scope_pocket_id` and `scope_date` are asked for: these two never change in place (`move` changes them). `books`
    says how their bank books.
    """

    def __init__(self, books: Books | None = None) -> None:
        self.books: Books = books or books_of()
        self._tables: dict[str, dict[_Bucket, list[Row]]] = {}

    def add(self, table: str, **values: Any) -> Row:
        """Adds a row to a declared table and answers it."""
        return self.put(table, values)

    def put(self, table: str, row: Row) -> Row:
        """As `add`, for a row that is at hand as a dictionary; it is kept, not copied."""
        self._tables.setdefault(table, {}).setdefault(_bucket(row), []).append(row)
        return row

    def all(self, table: str) -> Iterator[Row]:
        """Every row of a table."""
        for rows in self._tables.get(table, {}).values():
            yield from rows

    def find(self, table: str, **wanted: Any) -> list[Row]:
        """The rows whose columns have these values; a column that a row does not give counts as null."""
        if "scope_pocket_id" in wanted and "scope_date" in wanted:
            found: Iterable[Row] = self._tables.get(table, {}).get(_bucket(wanted), ())
        else:
            found = self.all(table)
        return [row for row in found if all(row.get(name) == value for name, value in wanted.items())]

    def one(self, table: str, **wanted: Any) -> Row:
        """The only such row. Raises LookupError when there is none or more than one."""
        found = self.find(table, **wanted)
        if len(found) != 1:
            raise LookupError(f"{len(found)} rows of {table} have {wanted}")
        return found[0]

    def remove(self, table: str, where: Callable[[Row], bool], **scope: Any) -> list[Row]:
        """Takes the rows away for which `where` holds, among those of `scope` (as for `find`), and answers them.

        Raises LookupError when there is none: a fault that changes nothing proves nothing.
        """
        gone = [row for row in self.find(table, **scope) if where(row)]
        if not gone:
            raise LookupError(f"nothing to remove from {table}")
        for row in gone:
            self.drop(table, row)
        return gone

    def drop(self, table: str, row: Row) -> None:
        """Takes this very row away."""
        rows = self._tables[table][_bucket(row)]
        del rows[next(place for place, held in enumerate(rows) if held is row)]

    def move(self, table: str, row: Row, **values: Any) -> Row:
        """Changes columns of a row, those of its scope among them."""
        self.drop(table, row)
        row.update(values)
        return self.put(table, row)

    def again(self, table: str, row: Row, **values: Any) -> Row:
        """A second row like `row`, but for `values`; it has the next ordinal among rows of the same key."""
        return self.put(table, {**row, "row_ordinal": row.get("row_ordinal", 1) + 1, **values})

    def copy(self) -> "Facts":
        """Facts that change without changing these."""
        made = Facts(self.books)
        made._tables = {
            table: {bucket: [dict(row) for row in rows] for bucket, rows in buckets.items()}
            for table, buckets in self._tables.items()
        }
        return made

    def near(self, pocket_id: str, first: date, last: date) -> "Facts":
        """A copy of what concerns one pocket from `first` to `last`: its rows, those of no pocket, those of no day.

        The rows of the reference list, which no fault of a pocket changes, are shared.
        """
        made = Facts(self.books)
        for table, buckets in self._tables.items():
            if table == _REFERENCE:
                made._tables[table] = {bucket: list(rows) for bucket, rows in buckets.items()}
                continue
            made._tables[table] = {
                bucket: [dict(row) for row in rows]
                for bucket, rows in buckets.items()
                if bucket[0] in ("", pocket_id)
                and (bucket[1] is None or bucket[1].year == 1 or first <= bucket[1] <= last)
            }
        return made

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that have rows."""
        return tuple(table for table, buckets in self._tables.items() if any(buckets.values()))

    def insert(self, con: duckdb.DuckDBPyConnection) -> None:
        """Writes every row into the tables of a warehouse."""
        for table in self.tables:
            frame = _frame(table, list(self.all(table)))
            schema, name = table.split(".")
            with registered(con, "selftest_rows", frame):
                con.execute(f'insert into {schema}."{name}" by name select * from selftest_rows')


def _bucket(row: Row) -> _Bucket:
    return row.get("scope_pocket_id", ""), row.get("scope_date")


def _frame(table: str, rows: list[Row]) -> pl.DataFrame:
    spec = TABLES[table]
    given: set[str] = set()
    for row in rows:
        given |= row.keys()
    columns = [column for column in spec.columns if column.name in given]
    unknown = given - {column.name for column in columns}
    if unknown:
        raise LookupError(f"{table} has no column {', '.join(sorted(unknown))}")
    frame = pl.DataFrame(
        {column.name: pl.Series([row.get(column.name) for row in rows], dtype=column.polars_type) for column in columns}
    )
    filled = [
        (pl.col(column.name).fill_null(pl.lit(_DEFAULTS[column.name])) if column.name in given
         else pl.lit(_DEFAULTS[column.name])).cast(column.polars_type).alias(column.name)
        for column in spec.columns
        if column.required and column.name in _DEFAULTS
    ]  # fmt: skip
    return frame.with_columns(filled)

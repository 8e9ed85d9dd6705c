"""What no document states, kept in the archive too: what people decided and what was told of breaks and runs.

Belongs here: which tables these are, writing their rows to the archive's journals, bringing them back into a new file.
Does not belong here: the files of the journals (`jiko_pipeline.archive`), building the rest of a warehouse anew
(`jiko_pipeline.pipeline.rebuilding`).

A journal has one entry for each row as it was entered; of entries with one key the last holds. Rows are added at the
end of each session that wrote, before a person is told that a decision stands.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import duckdb

from jiko_pipeline.archive import Archive
from jiko_pipeline.warehouse.frames import frame_from, registered
from jiko_pipeline.warehouse.hashing import text_of
from jiko_pipeline.warehouse.tables import TABLES
from jiko_pipeline.warehouse.tables.spec import TableSpec

STATE_NAME: Final = "journal.json"


@dataclass(frozen=True, slots=True)
class Journalled:
    """A table that is kept in the journal of its name; `only_here` are columns that mean something in one file only."""

    table: str
    only_here: frozenset[str] = frozenset()

    @property
    def spec(self) -> TableSpec:
        """Its declaration."""
        return TABLES[self.table]

    @property
    def columns(self) -> list[str]:
        """The names of the columns that are kept."""
        return [column.name for column in self.spec.columns if column.name not in self.only_here]


JOURNALLED: Final = (
    Journalled("recon.basis"),
    Journalled("recon.baseline"),
    Journalled("recon.baseline_lot"),
    Journalled("recon.materiality"),
    Journalled("recon.break_event"),
    Journalled("recon.signoff"),
    # The number of a run leads to inputs and versions that a file made anew does not have.
    Journalled("recon.run", frozenset({"run_seq"})),
    Journalled("core.trade_confirmation_check"),
)


def keep_up(con: duckdb.DuckDBPyConnection, archive: Archive, folder: Path) -> int:
    """Adds to the journals what the tables hold beyond them; how many entries that were.

    What was found last time is remembered in `folder`, so that a session that wrote nothing of this kind reads no
    journal. Raises StorageError when the archive cannot be written.
    """
    found = _state(con)
    remembered = folder / STATE_NAME
    before = _remembered(remembered)
    entered = 0
    for kept in JOURNALLED:
        if before.get(kept.table) == found[kept.table]:
            continue
        known = {_key(kept, entry): entry for entry in archive.journal(kept.table)}
        fresh = [entry for entry in _rows(con, kept) if known.get(_key(kept, entry)) != entry]
        archive.enter(kept.table, fresh)
        entered += len(fresh)
    if before != found:
        remembered.write_text(json.dumps(found), encoding="utf-8")
    return entered


def bring_back(con: duckdb.DuckDBPyConnection, archive: Archive) -> int:
    """Fills the tables of a file made anew with what the journals hold; how many rows that are.

    The caller holds a transaction. Columns that an entry does not name are null, those that there are no more are left
    out.
    """
    rows = 0
    for kept in JOURNALLED:
        last = {_key(kept, entry): entry for entry in archive.journal(kept.table)}
        if not last:
            continue
        spec = kept.spec
        values = [
            tuple(_typed(entry.get(column.name), column.sql_type) for column in spec.columns) for entry in last.values()
        ]
        con.execute(f'delete from {spec.schema}."{spec.name}"')
        with registered(con, "journal_input", frame_from(spec, values)):
            con.execute(f'insert into {spec.schema}."{spec.name}" by name select * from journal_input')
        rows += len(values)
    return rows


def _state(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """For each table its rows and a sum over them."""
    sums = " union all ".join(
        f"select '{kept.table}', count(*) || ' ' || coalesce(sum(md5_number_lower({text_of(kept.columns)})), 0)"
        f' from {kept.spec.schema}."{kept.spec.name}"'
        for kept in JOURNALLED
    )
    return dict(con.execute(sums).fetchall())


def _remembered(file: Path) -> dict[str, str]:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # Nothing is lost: every journal is then read and compared.
        return {}
    return said if isinstance(said, dict) else {}


def _rows(con: duckdb.DuckDBPyConnection, kept: Journalled) -> list[dict[str, Any]]:
    names = kept.columns
    columns = ", ".join(f'"{name}"' for name in names)
    order = ", ".join(f'"{name}"' for name in kept.spec.key) or "all"
    rows = con.execute(f'select {columns} from {kept.spec.schema}."{kept.spec.name}" order by {order}').fetchall()
    return [{name: _told(value) for name, value in zip(names, row, strict=True)} for row in rows]


def _key(kept: Journalled, entry: Mapping[str, Any]) -> tuple[Any, ...]:
    names = kept.spec.key or tuple(kept.columns)
    return tuple(entry.get(name) for name in names)


def _told(value: Any) -> Any:
    """A value of a row as JSON has it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value


def _typed(value: Any, sql_type: str) -> Any:
    """A value of an entry as a column of that type takes it."""
    if value is None:
        return None
    if sql_type == "DATE":
        return date.fromisoformat(value)
    if sql_type == "TIMESTAMP":
        return datetime.fromisoformat(value)
    if sql_type.startswith("DECIMAL"):
        return Decimal(value)
    return value

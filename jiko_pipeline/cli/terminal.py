"""How commands print: JSON to standard output, tables for a person, progress to standard error."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.table import Table


def out() -> Console:
    """Standard output; plain where it is no terminal."""
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def err() -> Console:
    """Standard error, for progress and notes."""
    return Console(stderr=True, highlight=False)


def _plain(value: object) -> object:
    match value:
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat()
        case Path():
            return str(value)
        case bytes():
            return value.hex()
        case _:
            return str(value)


def print_json(value: object) -> None:
    """One JSON document; decimals as strings, dates in ISO 8601."""
    sys.stdout.write(json.dumps(value, indent=2, default=_plain, ensure_ascii=False) + "\n")


def text(value: object) -> str:
    """A cell for a person: amounts with thousands separators, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:,f}"
    return str(value)


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    right: Sequence[str] = (),
    title: str | None = None,
) -> None:
    """A table: ruled on a terminal, tab-separated lines otherwise."""
    if not sys.stdout.isatty():
        for line in (columns, *rows):
            sys.stdout.write("\t".join(text(cell) for cell in line) + "\n")
        return
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(text(cell) for cell in row))
    out().print(table)


def records(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[Mapping[str, object]]:
    """Rows as objects, for JSON."""
    return [dict(zip(columns, row, strict=True)) for row in rows]

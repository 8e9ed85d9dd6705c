"""How commands print: JSON to standard output, tables for a person, progress to standard error."""

import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

LONGEST_NAME: Final = 60
_NOT_ASCII: Final = re.compile(r"[^\x20-\x7e\n]")


def out() -> Console:
    """Standard output; plain where it is no terminal."""
    return Console(highlight=False, markup=False, soft_wrap=not sys.stdout.isatty())


def err() -> Console:
    """Standard error, for progress and notes; a line is never broken, for it may name a file."""
    return Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


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
    """One JSON document; decimals as strings, dates in ISO 8601, what JSON has no number for as its name."""
    document = json.dumps(_keyed_by_text(value), indent=2, default=_plain, ensure_ascii=False, allow_nan=False)
    sys.stdout.write(_NOT_ASCII.sub(_escaped, document) + "\n")


def _escaped(found: re.Match[str]) -> str:
    """What a terminal might obey as JSON writes it with ASCII alone; every letter as it is."""
    character = found.group()
    return character if character.isprintable() else json.dumps(character)[1:-1]


def _keyed_by_text(value: object) -> object:
    match value:
        case Mapping():
            return {
                key if isinstance(key, str) else str(_plain(key)): _keyed_by_text(item) for key, item in value.items()
            }
        case list() | tuple():
            return [_keyed_by_text(item) for item in value]
        case float() if not math.isfinite(value):
            return str(value)
        case _:
            return value


def text(value: object) -> str:
    """A cell for a person: amounts with thousands separators, nothing for null, no control characters."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        whole, _, digits = f"{value:,f}".partition(".")
        return f"{whole}.{digits.rstrip('0'):0<2}" if digits else whole
    return _one_line(str(value).lower() if isinstance(value, bool) else str(value))


def field(value: object) -> str:
    """A field for a program: decimals as they are, nothing for null, neither tab nor line end within."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return text(value)


def label(words: str) -> str:
    """A name that somebody chose, for a line: on one line, without what a terminal obeys, shortened when long."""
    shown = _one_line(words)
    return shown if len(shown) <= LONGEST_NAME else f"{shown[: LONGEST_NAME - 1]}…"


def _one_line(words: str) -> str:
    """What a bank or a query wrote, without what a terminal would obey or what would end a field or a line."""
    return "".join(character if character.isprintable() else " " for character in words)


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    right: Sequence[str] = (),
    title: str | None = None,
) -> None:
    """A table: ruled on a terminal, tab-separated lines otherwise.

    Columns of numbers stand to the right, as do those named in `right`.
    """
    if not sys.stdout.isatty():
        for line in (columns, *rows):
            sys.stdout.write("\t".join(field(cell) for cell in line) + "\n")
        return
    table = Table(title=title, title_justify="left")
    for place, column in enumerate(columns):
        numbers = column in right or any(_is_number(row[place]) for row in rows)
        dates = any(isinstance(row[place], date) for row in rows)
        table.add_column(column, justify="right" if numbers else "left", no_wrap=numbers or dates, overflow="fold")
    for row in rows:
        table.add_row(*(text(cell) for cell in row))
    out().print(table)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def records(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[Mapping[str, object]]:
    """Rows as objects, for JSON."""
    return [dict(zip(columns, row, strict=True)) for row in rows]

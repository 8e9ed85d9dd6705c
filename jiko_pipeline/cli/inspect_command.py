"""`jiko inspect FILE...`: what stands in statement and report files, without a bank and without a warehouse.

Belongs here: the order of the work, one file after the other, each let go before the next. Does not belong here:
reading (`inspection`), the ways to show (`inspect_table`, `inspect_summary`, `inspect_json`), converting
(`conversion`).
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import indent
from typing import Final

import typer
from rich.console import Console
from rich.progress import track

from jiko_pipeline.cli.conversion import Conversion
from jiko_pipeline.cli.inspect_json import as_json
from jiko_pipeline.cli.inspect_summary import print_summary
from jiko_pipeline.cli.inspect_table import Line, line_of, print_count, print_legend, print_table
from jiko_pipeline.cli.inspection import Inspected, files_below, inspect_file
from jiko_pipeline.errors import ExitCode

_UNBOUNDED: Final = 100_000


def inspect_files(
    files: Sequence[Path],
    json_output: bool,
    entries: bool = False,
    schemas: Path | None = None,
    *,
    target: Path | None = None,
    force: bool = False,
) -> int:
    """Print what stands in each file, or in each file below a folder; 30 when one of them was refused, else 0.

    One file is shown in full, several as a table; `entries` shows each in full with its bookings. `json_output`
    prints one JSON list instead. `schemas` is a folder of schemas that statements are compared with. `target`
    takes what was read as Parquet, CSV or XLSX; ConversionError when it cannot (`force` writes over a file that
    exists).
    """
    paths = list(files_below(files))
    conversion = None if target is None else Conversion(target, paths, force=force)
    refused = False
    lines: list[Line] = []
    out = Console(highlight=False, soft_wrap=True)
    table = not json_output and not entries and len(paths) > 1
    if json_output:
        typer.echo("[")
    for number, path in enumerate(_with_progress(paths, alone=table), start=1):
        inspected = inspect_file(path, keep_entries=entries, keep_frames=conversion is not None, schemas=schemas)
        refused = refused or inspected.error is not None or inspected.not_converted is not None
        if conversion is not None:
            _convert(conversion, inspected)
        if json_output:
            written = json.dumps(as_json(inspected, entries=entries), ensure_ascii=False, indent=2)
            typer.echo(indent(written, "  ") + ("," if number < len(paths) else ""))
            continue
        lines.append(line_of(inspected))
        if not table:
            print_summary(out, inspected, entries=entries)
    if json_output:
        typer.echo("]")
    else:
        if table:
            print_table(out, lines, out.width if out.is_terminal or "COLUMNS" in os.environ else _UNBOUNDED)
            print_legend(out, lines)
        print_count(out, lines)
    if conversion is not None:
        _write(conversion)
    return int(ExitCode.NOT_PROVED if refused else ExitCode.OK)


def _with_progress(paths: Sequence[Path], *, alone: bool) -> Iterator[Path]:
    """The paths, with a bar on standard error while it is a terminal that nothing else is printed to."""
    shown = len(paths) > 1 and sys.stderr.isatty() and (alone or not sys.stdout.isatty())
    console = Console(stderr=True)
    yield from track(paths, description="reading", console=console, transient=True, disable=not shown)


def _convert(conversion: Conversion, inspected: Inspected) -> None:
    if inspected.frames is not None:
        conversion.add(inspected.path, inspected.frames)
    elif inspected.not_converted is not None:
        typer.echo(f"{inspected.path} is not converted: {inspected.not_converted}", err=True)


def _write(conversion: Conversion) -> None:
    written = conversion.write()
    for path, name, rows in written:
        typer.echo(f"{path}: {name}, {rows:,} rows", err=True)
    if not written:
        typer.echo("Nothing could be read, so nothing was written.", err=True)

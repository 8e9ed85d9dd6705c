"""What was read, as files for other programs: Parquet, CSV, XLSX.

Belongs here: which frame goes where, and how a value is written so that it stays what it is (a formula in a text
stays text, a decimal keeps its digits). Does not belong here: reading, and files that the pipeline publishes.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import mkstemp
from typing import Any, Final

import polars as pl

from jiko_pipeline.errors import ExitCode, JikoPipelineError

SUFFIXES: Final = (".parquet", ".csv", ".xlsx")
MAIN_FRAME: Final = "statement_entry"
MOST_SHEET_ROWS: Final = 1_048_575
MOST_CELL_CHARACTERS: Final = 32_767
_MOST_NUMBER_DIGITS: Final = 15
_OBEYED: Final = r"^[=+\-@\t\r]"
_FIRST_SHEET_DAY: Final = date(1900, 3, 1)
"""Sheets count 29 February 1900, which no calendar has; days before it are written as text."""


class ConversionError(JikoPipelineError):
    """The files that were asked for cannot be written."""

    exit_code = ExitCode.USAGE
    means = "No file was written."
    remedy = "Name another file by --to."


class Conversion:
    """The frames of all files that go into one target, each row with the file it came from."""

    def __init__(self, target: Path, sources: Sequence[Path], *, force: bool) -> None:
        """ConversionError when the target cannot be the right one, before anything is read."""
        self._target = target
        self._force = force
        self._frames: dict[str, list[pl.DataFrame]] = {}
        if target.suffix.lower() not in SUFFIXES:
            raise ConversionError(f"'{target.name}' is none of the files that can be written: {', '.join(SUFFIXES)}.")
        if any(target.exists() and source.exists() and target.samefile(source) for source in sources):
            raise ConversionError(f"'{target}' is one of the files to read.")
        self._refuse_existing([target])

    def add(self, source: Path, frames: Mapping[str, pl.DataFrame]) -> None:
        """Keep all frames of one file."""
        for name, frame in frames.items():
            marked = frame.select(pl.lit(str(source)).alias("file"), pl.all())
            self._frames.setdefault(name, []).append(marked)

    def write(self) -> list[tuple[Path, str, int]]:
        """Write all files, or none: (file, frame, rows) each. Nothing was kept: nothing is written.

        The main frame is that of entries, or the first one met. It has the target itself, the others files beside
        it with the frame's name before the suffix; in a workbook each frame is a sheet. A frame without rows is
        left out, unless it is the main one or writes over a file of another time. Raises ConversionError.
        """
        names = sorted(self._frames, key=lambda name: name != MAIN_FRAME)
        if not names:
            return []
        frames = {name: pl.concat(self._frames.pop(name)) for name in names}
        suffix = self._target.suffix.lower()
        places = {name: self._target if name == names[0] else self._beside(name) for name in names}
        if suffix == ".xlsx":
            frames = {name: frame for name, frame in frames.items() if name == names[0] or frame.height}
            self._put({self._target: partial(_write_workbook, frames)})
            return [(self._target, name, frame.height) for name, frame in frames.items()]
        frames = {
            name: frame
            for name, frame in frames.items()
            if frame.height or places[name] == self._target or places[name].exists()
        }
        self._refuse_existing([places[name] for name in frames])
        write = _write_csv if suffix == ".csv" else _write_parquet
        self._put({places[name]: partial(write, frame) for name, frame in frames.items()})
        return [(places[name], name, frame.height) for name, frame in frames.items()]

    def _beside(self, name: str) -> Path:
        return self._target.with_name(f"{self._target.stem}.{name}{self._target.suffix}")

    def _refuse_existing(self, places: Sequence[Path]) -> None:
        for place in places:
            if place.exists() and not self._force:
                raise ConversionError(f"'{place}' exists.", remedy="Name another file by --to, or add --force.")

    def _put(self, made: Mapping[Path, Callable[[Path], None]]) -> None:
        """Write everything aside first, so that a failure leaves what was there."""
        aside: list[tuple[str, Path]] = []
        try:
            for place, write in made.items():
                handle, name = mkstemp(prefix=".jiko-", suffix=place.suffix, dir=place.parent)
                os.close(handle)
                aside.append((name, place))
                write(Path(name))
            for name, place in aside:
                os.replace(name, place)
        finally:
            for name, _ in aside:
                Path(name).unlink(missing_ok=True)


def _write_parquet(frame: pl.DataFrame, path: Path) -> None:
    frame.write_parquet(path)


def _write_csv(frame: pl.DataFrame, path: Path) -> None:
    """Text that a spreadsheet would obey gets an apostrophe before it; numbers are typed and stay as they are."""
    inert = {}
    for name, kind in frame.schema.items():
        if isinstance(kind, pl.String):
            words = pl.col(name)
            marked = pl.concat_str(pl.lit("'"), words)
            inert[name] = pl.when(words.str.contains(_OBEYED)).then(marked).otherwise(words)
    frame.with_columns(**inert).write_csv(path)


def _write_workbook(frames: Mapping[str, pl.DataFrame], path: Path) -> None:
    import xlsxwriter  # type: ignore[import-untyped]

    for name, frame in frames.items():
        if frame.height > MOST_SHEET_ROWS:
            message = f"{name} has {frame.height:,} rows; a sheet holds {MOST_SHEET_ROWS:,}."
            raise ConversionError(message, remedy="Name a .parquet or .csv file by --to.")
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(str(path), options) as workbook:
        for name, frame in frames.items():
            _write_sheet(workbook, workbook.add_worksheet(name), frame)


def _write_sheet(workbook: Any, sheet: Any, frame: pl.DataFrame) -> None:
    bold = workbook.add_format({"bold": True})
    formats = [_format(workbook, kind) for kind in frame.dtypes]
    sheet.freeze_panes(1, 0)
    for place, name in enumerate(frame.columns):
        sheet.set_column(place, place, min(max(len(name) + 2, 11), 40))
        sheet.write_string(0, place, name, bold)
    for number, row in enumerate(frame.iter_rows(), start=1):
        for place, value in enumerate(row):
            if value is not None:
                _write_cell(sheet, number, place, value, formats[place])
    if frame.width:
        sheet.autofilter(0, 0, frame.height, frame.width - 1)


def _format(workbook: Any, kind: pl.DataType) -> Any:
    if isinstance(kind, pl.Decimal):
        return workbook.add_format({"num_format": f"#,##0.00{'#' * max(kind.scale - 2, 0)}"})
    if isinstance(kind, pl.Date):
        return workbook.add_format({"num_format": "yyyy-mm-dd"})
    return workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss.000"}) if isinstance(kind, pl.Datetime) else None


def _write_cell(sheet: Any, row: int, place: int, value: object, style: Any) -> None:
    """A number that a sheet cannot hold exactly (15 digits), and a day before its calendar, is written as text."""
    match value:
        case bool():
            sheet.write_boolean(row, place, value, style)
        case Decimal() | int() if len(Decimal(value).normalize().as_tuple().digits) <= _MOST_NUMBER_DIGITS:
            sheet.write_number(row, place, value, style)
        case datetime() if value.date() >= _FIRST_SHEET_DAY:
            sheet.write_datetime(row, place, value, style)
        case date() if not isinstance(value, datetime) and value >= _FIRST_SHEET_DAY:
            sheet.write_datetime(row, place, value, style)
        case Decimal():
            sheet.write_string(row, place, format(value, "f"))
        case date():
            sheet.write_string(row, place, value.isoformat())
        case _:
            text = str(value)
            if len(text) > MOST_CELL_CHARACTERS:
                where = f"row {row + 1:,} of {sheet.get_name()}"
                message = f"A text in {where} has {len(text):,} characters; a cell holds {MOST_CELL_CHARACTERS:,}."
                raise ConversionError(message, remedy="Name a .parquet or .csv file by --to.")
            sheet.write_string(row, place, text)

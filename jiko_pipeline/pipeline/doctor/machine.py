"""What the machine gives: the data directory, its modes and world, room on the disk, who holds locks, calendars.

Belongs here: checks that need neither bank nor warehouse. Nothing is made or opened for writing.
"""

import os
import shutil
import stat
from datetime import date, datetime
from pathlib import Path
from typing import Final

import holidays

from jiko_pipeline.calendars import CALENDAR_VERSION, new_york_date
from jiko_pipeline.errors import ExitCode, JikoPipelineError
from jiko_pipeline.pipeline.doctor.findings import Finding, fail, failed, ok, warn
from jiko_pipeline.reporting.extent import pocket_days
from jiko_pipeline.settings import Environment, Settings
from jiko_pipeline.tbill import auctions
from jiko_pipeline.warehouse.lock import holder_of
from jiko_pipeline.warehouse.world import identity_of, refuse_other_environment

DIRECTORY: Final = "data directory"
WORLD: Final = "world"
DISK: Final = "disk"
LOCK: Final = "writer"
HOLIDAYS: Final = "holidays"
AUCTIONS: Final = "auctions"

_BYTES_PER_POCKET_DAY: Final = 150_000
"""Archive and warehouse together, measured on the simulated bank; what is really there counts once there is enough."""
_ENOUGH_POCKET_DAYS: Final = 60
_BUSINESS_DAYS_A_YEAR: Final = 251
_WAREHOUSE_COPIES: Final = 3
"""The warehouse, the published copy, and the draft that takes its place."""
_LEAST_FREE_BYTES: Final = 1 << 30
_CALENDAR_MONTHS: Final = 12


def check_directory(settings: Settings) -> list[Finding]:
    """The data directory: can be written, and read by nobody it is not meant for."""
    directory = settings.data_dir
    there = directory
    while not there.exists():
        there = there.parent
    if not there.is_dir() or not os.access(there, os.R_OK | os.W_OK | os.X_OK):
        return [
            fail(
                DIRECTORY,
                f"{there} cannot be written.",
                "Make it writable for this user, or name another directory by JIKO_DATA_DIR.",
                ExitCode.STORAGE,
            )
        ]
    if there != directory:
        return [ok(DIRECTORY, f"{directory} is not there yet; it is made by the first run.")]
    found = []
    allowed = 0o050 if settings.published_group_readable else 0
    for path, extra in ((directory, allowed), *((directory / name, 0) for name in _private_rooms())):
        if path.is_dir() and stat.S_IMODE(path.stat().st_mode) & 0o077 & ~extra:
            mode = "750" if extra else "700"
            found.append(warn(DIRECTORY, f"Other users can enter {path}.", f"Run: chmod {mode} {path}"))
    return found or [ok(DIRECTORY, f"{directory} can be written and is private.")]


def _private_rooms() -> tuple[str, ...]:
    return ("archive", "bank", "warehouse", "simulator", ".dagster")


def check_world(settings: Settings) -> Finding:
    """The bank that the data directory was born to is the one of the settings."""
    try:
        refuse_other_environment(settings.data_dir, settings.environment.value)
        born = identity_of(settings.data_dir)
    except JikoPipelineError as error:
        return failed(WORLD, error)
    if born is None:
        return ok(WORLD, "The data directory belongs to no bank yet.")
    return ok(WORLD, f"The data directory belongs to {born.described()}.")


def check_disk(settings: Settings) -> Finding:
    """Free room against what a year of these pockets takes."""
    there = settings.data_dir
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    needed, measured = _bytes_of_a_year(settings)
    said = f"{_size(free)} free, about {_size(needed)} for a year ({'as measured here' if measured else 'estimated'})."
    remedy = "Give the data directory more room, or name a larger disk by JIKO_DATA_DIR."
    if free < _LEAST_FREE_BYTES:
        return fail(DISK, said, remedy, ExitCode.STORAGE)
    return warn(DISK, said, remedy) if free < needed else ok(DISK, said)


def _bytes_of_a_year(settings: Settings) -> tuple[int, bool]:
    """(bytes, True when what is there was enough to measure by)."""
    pockets, days = pocket_days(settings)
    pockets = pockets or settings.simulator_pockets
    if days < _ENOUGH_POCKET_DAYS:
        return pockets * _BUSINESS_DAYS_A_YEAR * _BYTES_PER_POCKET_DAY, False
    kept = _tree_bytes(settings.archive_dir) + _WAREHOUSE_COPIES * _file_bytes(settings.warehouse_file)
    return pockets * _BUSINESS_DAYS_A_YEAR * kept // days, True


def _tree_bytes(directory: Path) -> int:
    total = 0
    for at, _, names in os.walk(directory):
        total += sum(_file_bytes(Path(at) / name) for name in names)
    return total


def _file_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _size(number: int) -> str:
    return f"{number / 2**30:.1f} GiB" if number >= 2**30 else f"{number / 2**20:.0f} MiB"


def check_lock(settings: Settings) -> Finding:
    """Who works in the data directory now; that somebody does is no fault."""
    locks = {
        "writes to the warehouse": settings.warehouse_file.parent / "writer.lock",
        "has a window in work": settings.warehouse_file.parent / "window.lock",
        "runs `jiko sync`": settings.data_dir / "sync.lock",
    }
    held = [f"{who} {what}" for what, path in locks.items() if (who := holder_of(path)) is not None]
    return ok(LOCK, f"{'; '.join(held)}." if held else "Nobody writes.")


def check_calendars(settings: Settings, now: datetime) -> list[Finding]:
    """How far the holiday calendars and the table of auctions still reach."""
    today = new_york_date(now)
    last_year = min(holidays.financial_holidays(name).end_year for name in ("XFED", "XSIF"))
    months = _months(today, date(last_year, 12, 31))
    said = f"{CALENDAR_VERSION} reaches to the end of {last_year}, {months} months from now."
    if months < _CALENDAR_MONTHS:
        found = [warn(HOLIDAYS, said, "Install a newer release of the package `holidays`.")]
    else:
        found = [ok(HOLIDAYS, said)]
    last = max(auction.auction_date for auction in auctions())
    months = _months(today, last)
    if months >= 0:
        found.append(ok(AUCTIONS, f"Treasury's auctions are known to {last}, {months} months from now."))
    elif settings.environment is Environment.SIMULATOR:
        found.append(ok(AUCTIONS, f"Treasury's auctions are known to {last}; the simulated bank has its own list."))
    else:
        found.append(
            warn(
                AUCTIONS,
                f"Treasury's auctions are known to {last}, {-months} months ago: bills auctioned since are not in"
                " the table, and what is proved against it is not tested for them.",
                "Install a newer release of this package.",
            )
        )
    return found


def _months(first: date, last: date) -> int:
    """Whole months from `first` to `last`, negative when `last` lies before it."""
    months = (last.year - first.year) * 12 + last.month - first.month
    if last >= first:
        return months - (last.day < first.day)
    return min(months + (last.day > first.day), -1)

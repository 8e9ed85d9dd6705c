"""Every planted fault through the whole pipeline: exactly the breaks that the bank's hidden truth foretells.

The simulator plants the fault and tells what it must cause; `jiko sync` asks it over HTTP, loads, reconciles and
publishes; the published file is compared with the truth.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jiko_pipeline.simulator import faults
from jiko_pipeline_tests.operation.command_line import Answer, DataDirectory, data_directories

FIRST, LAST = "2024-06-03", "2024-06-28"
LAST_OF_A_FAULT = {"maturity-missing": "2024-06-26"}
"""A fault hits the eighth business day of the data, a maturity the first that there is; the last day is two days on."""
BREAKS_OPEN, NOT_PROVED = 10, 30
EXIT_CODES = {"corrupt-statement": NOT_PROVED, "statement-day-missing": NOT_PROVED}
"""What is not proved outweighs the breaks; all other faults leave breaks only."""

PRICE_FAULTS = {"price-stale-in-one-source", "price-stale-everywhere"}
"""Their breaks are of severity S2, which hold up their own day only; the others are S1."""

SOFTER = {"K22", "K36"}
"""Of severity S2 beside a break of S1."""

KIND_OF_REPORT = {"BANK_STATEMENT_REPORT": "BANK_STATEMENT", "BROKERAGE_STATEMENT_REPORT": "BROKERAGE_STATEMENT"}
CUSIP = re.compile("[0-9A-Z]{8}[0-9]")


@dataclass(frozen=True)
class Reconciled:
    """A world that was synced: what the command answered, what it published, and the truth."""

    directory: DataDirectory
    answer: Answer
    truth: dict[str, Any]

    @property
    def breaks(self) -> list[dict[str, Any]]:
        """recon.break, every state of it."""
        names = (
            "control_id", "code", "sub_code", "pocket_id", "business_date",
            "entity_key", "difference", "severity", "status",
        )  # fmt: skip
        rows = self.directory.rows(f'select {", ".join(names)} from recon."break"')
        return [dict(zip(names, row, strict=True)) for row in rows]

    @property
    def pocket_days(self) -> dict[tuple[str, date], bool]:
        """(pocket, business date) -> ready to book."""
        rows = self.directory.rows("select pocket_id, business_date, ready_to_book from mart.daily_close")
        return {(pocket, day): ready for pocket, day, ready in rows}


@contextmanager
def reconciled(path: Path, fault: str | None) -> Iterator[Reconciled]:
    """A new data directory, synced over the dates: four pockets when sound, two with a fault.

    Its simulator ends with the block.
    """
    planted = {} if fault is None else {"JIKO_SIMULATOR_FAULT": fault, "JIKO_SIMULATOR_POCKETS": "2"}
    with data_directories() as made:
        directory = DataDirectory(path / "data", planted)
        made.append(directory)
        answer = directory.sync(FIRST, LAST if fault is None else LAST_OF_A_FAULT.get(fault, "2024-06-14"))
        yield Reconciled(directory, answer, directory.ask_simulator("GET", "truth"))


def foretold(row: dict[str, Any]) -> tuple[object, ...]:
    """A break of the truth: control, codes, pocket, date, and the CUSIP or the document that it names."""
    about = row["cusip"] or KIND_OF_REPORT.get(row["report_type"] or "", "")
    day = date.fromisoformat(row["business_date"])
    return row["control"], row["code"], row["sub_code"] or "", row["pocket_id"], day, about


def found(row: dict[str, Any]) -> tuple[object, ...]:
    """A break of the published file, as `foretold`."""
    key = row["entity_key"]
    about = key if CUSIP.fullmatch(key) or row["control_id"] == "K01" else ""
    return row["control_id"], row["code"], row["sub_code"], row["pocket_id"], row["business_date"], about


def test_the_sound_world_has_no_break_and_nothing_unexplained_and_every_day_may_be_booked(tmp_path: Path) -> None:
    with reconciled(tmp_path, None) as world:
        assert world.answer.exit_code == 0, world.answer.err
        assert world.truth["expected"] == []
        assert world.breaks == []
        assert all(world.pocket_days.values())
        # The day before the data is taken on for the pocket that is older: its first day is proved from there.
        unexplained = world.directory.rows("select unexplained from mart.daily_close where business_date >= ?", [FIRST])
        assert len(unexplained) == 3 * 19 + 14
        assert set(unexplained) == {(Decimal("0.00"),)}
        assert world.directory.rows("select distinct status from recon.result where status = 'BREAK'") == []
        assert world.directory.rows("select count(*) from staging.quarantine") == [(0,)]


@pytest.mark.parametrize("fault", faults.names())
def test_a_planted_fault_gives_exactly_the_breaks_of_the_truth(fault: str, tmp_path: Path) -> None:
    with reconciled(tmp_path, fault) as world:
        assert world.answer.exit_code == EXIT_CODES.get(fault, BREAKS_OPEN), world.answer.err
        truth, breaks = world.truth, world.breaks
        assert truth["fault"] == fault
        assert sorted(map(found, breaks)) == sorted(map(foretold, truth["expected"]))
        assert {row["status"] for row in breaks} == {"OPEN"}
        assert {row["severity"] == "S2" for row in breaks if row["control_id"] not in SOFTER} == {fault in PRICE_FAULTS}
        assert {row["severity"] for row in breaks if row["control_id"] in SOFTER} <= {"S2"}
        _assert_amounts(truth, breaks)

        hit = {(row["pocket_id"], row["business_date"]) for row in breaks}
        pocket_days = world.pocket_days
        not_ready = {key for key, ready in pocket_days.items() if not ready}
        held_up = {
            (pocket, day)
            for pocket, day in pocket_days
            if any(pocket == where and day > since for where, since in hit) and fault not in PRICE_FAULTS
        }
        assert hit <= pocket_days.keys()
        assert not_ready == hit | held_up

        quarantined = world.directory.rows(
            "select document_kind, pocket_id, first_date, last_date from raw.document where outcome = 'QUARANTINED'"
        )
        day = date.fromisoformat(truth["business_date"])
        expected = [("BANK_STATEMENT", truth["pocket_id"], day, day)] if fault == "corrupt-statement" else []
        assert quarantined == expected
        assert len(world.directory.rows("select row_hash from staging.quarantine")) == len(expected)


def _assert_amounts(truth: dict[str, Any], breaks: list[dict[str, Any]]) -> None:
    """Differences are those foretold; a cent has no sign there."""
    told = {foretold(row): Decimal(row["difference"]) for row in truth["expected"] if row["difference"] is not None}
    differences = {found(row): row["difference"] for row in breaks}
    for key, amount in told.items():
        if abs(amount) == Decimal("0.01"):
            assert abs(differences[key]) == abs(amount), key
        else:
            assert differences[key] == amount, key

"""A sync and the clocks: of the bank, of the machine and its zone, and days that come late or too early."""

import time
from datetime import date, timedelta
from datetime import time as time_of_day

import pytest
import time_machine

from jiko_pipeline import calendars
from jiko_pipeline.errors import ExitCode
from jiko_pipeline.pipeline.listing_fetch import fetch_parties
from jiko_pipeline.pipeline.windows import Window
from jiko_pipeline_tests.bank import chaos_rig
from jiko_pipeline_tests.bank.chaos_rig import rule
from jiko_pipeline_tests.bank.simulator_rig import ServedBank
from jiko_pipeline_tests.operation.conftest import FIRST, LAST, Make, UndisturbedRun
from jiko_pipeline_tests.operation.warm_sync import doubled, facts_before, is_ready, settings_of, sync


@pytest.mark.fault_rows(103)
@pytest.mark.parametrize(
    "zone", ["Pacific/Kiritimati", pytest.param("Asia/Tokyo", marks=pytest.mark.soak)], ids=lambda zone: zone
)
def test_a_machine_of_another_zone_makes_the_same_tables(
    zone: str, undisturbed: UndisturbedRun, new_directory: Make
) -> None:
    directory = new_directory(TZ=zone)
    answer = directory.sync(FIRST, LAST)
    assert answer.exit_code == 0, answer.err
    assert directory.hashes() == undisturbed.hashes


@pytest.mark.fault_rows(105)
def test_what_was_fetched_before_the_day_ended_is_marked_and_replaced_the_day_after(
    undisturbed: UndisturbedRun, new_directory: Make
) -> None:
    directory, day = new_directory(), "2024-07-02"
    fetch_parties(settings_of(directory))
    announcement = directory.announcement
    assert announcement is not None
    bank = ServedBank(announcement)
    try:
        early = calendars.new_york_instant(date.fromisoformat(day), time_of_day(15))
        bank.move_clock(to=early.isoformat())
        sync(directory, day)
        marked = directory.rows("select distinct finality from core.position_daily where business_date = ?", [day])
        assert marked == [("PROVISIONAL",)]
        assert not is_ready(directory, day)

        bank.move_clock(to=(early + timedelta(hours=18)).isoformat())
        assert sync(directory, day).exit_code == ExitCode.OK
    finally:
        bank.http.close()
        bank.plain.close()
    assert is_ready(directory, day)
    held = "select cusip, quantity, price, market_value, finality from core.position_daily where business_date = ?"
    assert directory.rows(f"{held} order by all", [day]) == undisturbed.directory.rows(f"{held} order by all", [day])
    assert doubled(directory) == []


@pytest.mark.fault_rows(107)
def test_a_day_that_was_missing_is_told_and_comes_in_with_the_next(
    undisturbed: UndisturbedRun, new_directory: Make
) -> None:
    directory, missing = new_directory(), "2024-06-28"
    assert sync(directory, FIRST).exit_code == ExitCode.OK
    before = facts_before(directory, missing)
    refused = rule(
        "status", match={"path": "/api/v1/report-requests/", "body": missing}, status=422, body={"detail": "x"}
    )
    with chaos_rig.chaos(directory, refused):
        outcome = sync(directory, missing)
    assert outcome.exit_code == ExitCode.NOT_PROVED
    assert any("was refused" in note for note in outcome.notes)
    assert facts_before(directory, missing) == before
    assert not is_ready(directory, missing)

    assert sync(directory, "2024-06-29", LAST).exit_code == ExitCode.OK
    assert facts_before(directory, missing) == before
    assert not is_ready(directory, missing)

    assert sync(directory, missing, LAST).exit_code == ExitCode.OK
    assert directory.hashes() == undisturbed.hashes


@pytest.mark.fault_rows(108)
def test_a_clock_that_jumps_back_within_a_sync_has_no_effect(undisturbed: UndisturbedRun, new_directory: Make) -> None:
    directory = new_directory()
    jumps = iter((-3600, -3600, 7200, -3600))
    with time_machine.travel(time.time(), tick=True) as clock:

        def observe(_: Window, what: str) -> None:
            if what in ("listing transactions and trades", "reading holdings", "building facts", "publishing"):
                clock.shift(next(jumps))

        assert sync(directory, FIRST, LAST, observe=observe).exit_code == ExitCode.OK
    assert next(jumps, None) is None
    assert directory.hashes() == undisturbed.hashes

"""Verdicts and status as functions, on real published files."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiko_pipeline import calendars
from jiko_pipeline.errors import ExitCode, StorageError
from jiko_pipeline.reporting.status import age_bucket, status
from jiko_pipeline.reporting.verdict import pocket_verdicts
from jiko_pipeline.settings import Settings, load_settings
from jiko_pipeline.warehouse.publish import published
from jiko_pipeline_tests.reading.jiko_runs import Directory

SettingsOf = Callable[[Directory], Settings]
MORNING_AFTER = datetime(2024, 6, 13, 12, 0, tzinfo=UTC)


def test_a_clean_pocket_has_every_business_day_ready_and_nothing_unexplained(
    clean: Directory, settings_of: SettingsOf
) -> None:
    with published(settings_of(clean)) as con:
        verdicts = pocket_verdicts(con, "default", date(2024, 6, 3), date(2024, 6, 12))
        closing = dict(
            con.execute(
                "select pocket_id, closing_value from mart.daily_close where business_date = date '2024-06-12'"
            ).fetchall()
        )
    assert [verdict.pocket_name for verdict in verdicts] == sorted(verdict.pocket_name for verdict in verdicts)
    assert {verdict.pocket_id: verdict.closing_value for verdict in verdicts} == closing
    for verdict in verdicts:
        assert (verdict.days, verdict.ready_days, verdict.breaks, verdict.not_ready) == (8, 8, 0, ())
        assert (verdict.unexplained, verdict.days_with_bridge, verdict.last_date) == (Decimal(0), 8, date(2024, 6, 12))
        assert verdict.is_clean


def test_a_verdict_covers_the_days_that_are_asked_for_and_no_other(clean: Directory, settings_of: SettingsOf) -> None:
    with published(settings_of(clean)) as con:
        over_the_weekend = pocket_verdicts(con, "default", date(2024, 6, 7), date(2024, 6, 10))
        weekend = pocket_verdicts(con, "default", date(2024, 6, 8), date(2024, 6, 9))
        stranger = pocket_verdicts(con, "another", date(2024, 6, 3), date(2024, 6, 12))
    assert [(verdict.days, verdict.last_date) for verdict in over_the_weekend] == [(2, date(2024, 6, 10))] * 2
    assert weekend == stranger == []


def test_a_break_takes_the_day_from_its_pocket_and_from_no_other(broken: Directory, settings_of: SettingsOf) -> None:
    with published(settings_of(broken)) as con:
        verdicts = {v.pocket_name: v for v in pocket_verdicts(con, "default", date(2024, 6, 3), date(2024, 6, 12))}
    hit = verdicts.pop("Operating")
    assert (hit.ready_days, hit.days, hit.is_clean, hit.breaks) == (7, 8, False, 3)
    ((day, reasons),) = hit.not_ready
    assert day == date(2024, 6, 12)
    assert "K10" in reasons
    assert [verdict.is_clean for verdict in verdicts.values()] == [True]


def test_a_quarantined_document_takes_its_own_day_only(quarantined: Directory, settings_of: SettingsOf) -> None:
    with published(settings_of(quarantined)) as con:
        ((pocket_id, hit),) = con.execute(
            "select scope_pocket_id, scope_date from staging.quarantine where known_to_utc is null"
        ).fetchall()
        verdicts = pocket_verdicts(con, "default", date(2024, 6, 3), date(2024, 6, 12))
    not_ready = {verdict.pocket_id: [day for day, _ in verdict.not_ready] for verdict in verdicts}
    assert not_ready.pop(pocket_id) == [hit]
    assert list(not_ready.values()) == [[]]


def test_status_counts_business_days_behind_yesterday(clean: Directory, settings_of: SettingsOf) -> None:
    settings = settings_of(clean)
    assert status(settings, MORNING_AFTER).days_behind == 0
    # Juneteenth and a weekend lie between.
    assert status(settings, datetime(2024, 6, 24, 12, 0, tzinfo=UTC)).days_behind == 6
    assert status(settings, datetime(2024, 6, 12, 12, 0, tzinfo=UTC)).days_behind == 0
    assert status(settings, MORNING_AFTER).next_date == date(2024, 6, 13)


def test_status_answers_with_the_most_serious_of_what_holds(
    clean: Directory, broken: Directory, quarantined: Directory, settings_of: SettingsOf
) -> None:
    answers = {
        name: status(settings_of(directory), MORNING_AFTER)
        for name, directory in (("clean", clean), ("broken", broken), ("quarantined", quarantined))
    }
    assert {name: answer.exit_code for name, answer in answers.items()} == {
        "clean": ExitCode.OK,
        "broken": ExitCode.BREAKS_OPEN,
        "quarantined": ExitCode.NOT_PROVED,
    }
    assert answers["quarantined"].open_breaks > 0


def test_status_of_another_customer_of_the_same_file_has_landed_nothing(clean: Directory) -> None:
    found = status(load_settings(data_dir=clean.data_dir, profile="another"), MORNING_AFTER)
    assert (found.first_date, found.last_date, found.last_good_date, found.missing_dates) == (None, None, None, ())
    assert found.next_date == date(2024, 6, 3)
    assert found.days_behind == 8


def test_status_without_a_published_file_is_an_error_of_storage(
    settings_of: SettingsOf, tmp_path_factory: pytest.TempPathFactory
) -> None:
    empty = tmp_path_factory.mktemp("empty")
    with pytest.raises(StorageError, match="no published file"):
        status(settings_of(Directory(empty, empty)), MORNING_AFTER)


@given(st.integers(0, 5000))
@settings(deadline=None)
def test_every_age_falls_into_the_bucket_that_names_it(age: int) -> None:
    name = age_bucket(age)
    if name.startswith(">"):
        assert age > int(name[1:])
    else:
        low, _, high = name.partition("-")
        assert int(low) <= age <= int(high or low)


def test_the_range_of_the_tests_has_eight_business_days() -> None:
    assert len(calendars.fed_business_days(date(2024, 6, 3), date(2024, 6, 12))) == 8

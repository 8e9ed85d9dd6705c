"""Windows: each day once, at most 31 days each, refused where they cannot be asked for."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiko_pipeline import calendars
from jiko_pipeline.errors import ExitCode
from jiko_pipeline.pipeline.windows import DateRangeError, Window, cut, requested, trailing
from jiko_pipeline.settings import load_settings

DAYS = st.dates(date(2015, 1, 1), date(2035, 12, 31))
LENGTHS = st.integers(1, 800)
NOW = datetime(2024, 7, 10, 16, 0, tzinfo=UTC)
"""Noon of a Wednesday in New York."""


@pytest.mark.fault_rows(68)
@given(DAYS, LENGTHS)
@settings(deadline=None)
def test_a_range_is_cut_so_that_each_day_is_covered_once_and_in_order(first: date, length: int) -> None:
    last = first + timedelta(days=length - 1)
    windows = cut(first, last)
    assert [day for window in windows for day in window.days] == [first + timedelta(days=n) for n in range(length)]
    assert all(1 <= len(window.days) <= 31 for window in windows)
    assert len(windows) == -(-length // 31)
    assert all(before.last + timedelta(days=1) == after.first for before, after in pairwise(windows))


@given(DAYS, LENGTHS)
@settings(deadline=None)
def test_the_business_days_of_the_windows_are_those_of_the_range(first: date, length: int) -> None:
    last = first + timedelta(days=length - 1)
    found = [day for window in cut(first, last) for day in window.business_days]
    assert found == [day for day in calendars.days(first, last) if calendars.is_fed_business_day(day)]


def test_the_demo_is_two_windows_of_31_business_days_together() -> None:
    windows = cut(date(2024, 6, 3), date(2024, 7, 17))
    assert [str(window) for window in windows] == ["2024-06-03 to 2024-07-03", "2024-07-04 to 2024-07-17"]
    assert sum(len(window.business_days) for window in windows) == 31


def test_a_year_is_twelve_windows() -> None:
    assert len(cut(date(2023, 7, 1), date(2024, 6, 29))) == 12


@given(DAYS, st.integers(1, 400))
@settings(deadline=None)
def test_a_range_that_ends_before_it_begins_is_refused(first: date, back: int) -> None:
    last = first - timedelta(days=back)
    for refused in (cut, Window):
        with pytest.raises(DateRangeError) as error:
            refused(first, last)
        assert error.value.exit_code == ExitCode.USAGE


@pytest.mark.fault_rows(68)
def test_a_window_of_32_days_is_refused_and_one_of_31_is_not() -> None:
    assert len(Window(date(2024, 7, 1), date(2024, 7, 31)).days) == 31
    with pytest.raises(DateRangeError, match="longer than the 31 days"):
        Window(date(2024, 7, 1), date(2024, 8, 1))


def test_a_request_begins_with_the_first_day_of_the_data_and_ends_with_today() -> None:
    found = load_settings(start_date=date(2024, 6, 3))
    assert requested(found, date(2024, 6, 3), date(2024, 7, 10), NOW)[-1].last == date(2024, 7, 10)
    with pytest.raises(DateRangeError, match="2024-06-02 lies before 2024-06-03"):
        requested(found, date(2024, 6, 2), date(2024, 6, 5), NOW)
    with pytest.raises(DateRangeError, match="2024-07-11 lies in the future; today is 2024-07-10"):
        requested(found, date(2024, 7, 1), date(2024, 7, 11), NOW)


@pytest.mark.fault_rows(101)
def test_today_is_that_of_new_york() -> None:
    found = load_settings()
    late = datetime(2024, 7, 11, 3, 59, tzinfo=UTC)
    with pytest.raises(DateRangeError, match="today is 2024-07-10"):
        requested(found, date(2024, 7, 11), date(2024, 7, 11), late)
    assert requested(found, date(2024, 7, 11), date(2024, 7, 11), late + timedelta(minutes=1))


def test_the_trailing_window_goes_back_over_weekend_and_holiday() -> None:
    found = load_settings()
    assert trailing(found, NOW) == Window(date(2024, 7, 2), date(2024, 7, 9))
    assert trailing(load_settings(confirm_business_days=1), NOW) == Window(date(2024, 7, 9), date(2024, 7, 9))
    sunday = datetime(2024, 7, 7, 16, 0, tzinfo=UTC)
    assert trailing(load_settings(confirm_business_days=1), sunday) == Window(date(2024, 7, 5), date(2024, 7, 5))


@given(st.dates(date(2016, 1, 1), date(2030, 1, 1)), st.integers(0, 18))
@settings(max_examples=60, deadline=None)
def test_the_trailing_window_has_as_many_business_days_as_are_set_and_none_of_today(today: date, days: int) -> None:
    now = calendars.new_york_instant(today, time(6, 30))
    window = trailing(load_settings(confirm_business_days=days, start_date=date(2010, 1, 1)), now)
    if days == 0:
        assert window is None
        return
    assert window is not None
    assert len(window.business_days) == days
    assert window.last == calendars.previous_fed_business_day(today)


def test_nothing_is_read_again_before_the_first_day_of_the_data() -> None:
    assert trailing(load_settings(start_date=date(2024, 7, 8)), NOW) == Window(date(2024, 7, 8), date(2024, 7, 9))
    assert trailing(load_settings(start_date=date(2024, 7, 10)), NOW) is None


@pytest.mark.fault_rows(106)
def test_the_longest_trailing_window_fits_over_any_turn_of_the_year() -> None:
    found = load_settings(confirm_business_days=18, start_date=date(2005, 1, 3))
    for year in range(2010, 2041):
        for day in calendars.days(date(year, 12, 15), date(year + 1, 2, 1)):
            window = trailing(found, calendars.new_york_instant(day, time(6, 30)))
            assert window is not None
            assert len(window.business_days) == 18

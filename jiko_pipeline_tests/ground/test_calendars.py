"""The Fed's and SIFMA's days and New York's dates, against Treasury's own dates and published closures."""

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiko_pipeline import calendars, tbill

some_day = st.dates(date(2000, 1, 3), date(2035, 12, 31))
END_OF_DAY = time(19, 0)


@pytest.mark.parametrize(
    "holiday",
    [
        "2024-01-01",
        "2024-01-15",
        "2024-02-19",
        "2024-05-27",
        "2024-06-19",
        "2024-07-04",
        "2024-09-02",
        "2024-10-14",
        "2024-11-11",
        "2024-11-28",
        "2024-12-25",
        "2022-06-20",
        "2022-12-26",
        "2023-01-02",
    ],
)
def test_the_fed_is_closed_on_its_holidays_and_on_the_monday_after_a_sunday_one(holiday: str) -> None:
    assert not calendars.is_fed_business_day(date.fromisoformat(holiday))


@pytest.mark.parametrize("day", ["2021-12-31", "2020-07-03", "2026-07-03", "2022-11-25", "2021-06-18", "2023-11-10"])
def test_the_fed_does_not_move_a_saturday_holiday_back_to_friday(day: str) -> None:
    assert calendars.is_fed_business_day(date.fromisoformat(day))


@pytest.mark.parametrize("day", ["2024-03-29", "2025-04-18", "2027-03-26", "2018-12-05", "2012-10-30", "2026-07-03"])
@pytest.mark.fault_rows(104)
def test_on_good_friday_and_on_special_closures_cash_moves_and_bills_do_not_trade(day: str) -> None:
    closed = date.fromisoformat(day)
    assert calendars.is_fed_business_day(closed)
    assert calendars.is_sifma_full_close(closed)
    assert not calendars.is_trading_day(closed)


@pytest.mark.parametrize("day", ["2015-04-03", "2021-04-02", "2023-04-07", "2026-04-03"])
def test_bills_trade_on_a_good_friday_on_which_the_employment_report_is_published(day: str) -> None:
    assert calendars.is_trading_day(date.fromisoformat(day))


@pytest.mark.parametrize("day", ["2024-06-08", "2024-06-09"])
def test_a_weekend_is_no_business_day_and_no_full_close_either(day: str) -> None:
    weekend = date.fromisoformat(day)
    assert not calendars.is_fed_business_day(weekend)
    assert not calendars.is_trading_day(weekend)
    assert not calendars.is_sifma_full_close(weekend)


def test_no_bill_was_ever_issued_or_paid_on_a_day_that_is_no_fed_business_day() -> None:
    for row in tbill.auctions():
        assert calendars.is_fed_business_day(row.issue_date), row
        assert calendars.is_fed_business_day(row.maturity_date), row
        assert calendars.is_fed_business_day(row.auction_date), row


@pytest.mark.parametrize(
    ("nominal", "moved"),
    [
        ("2022-11-24", "2022-11-25"),
        ("2023-07-04", "2023-07-05"),
        ("2024-07-04", "2024-07-05"),
        ("2024-11-28", "2024-11-29"),
        ("2024-06-18", "2024-06-18"),
    ],
)
@pytest.mark.fault_rows(106)
def test_a_maturity_on_a_holiday_moves_as_treasury_moved_it(nominal: str, moved: str) -> None:
    assert calendars.on_or_after(date.fromisoformat(nominal)) == date.fromisoformat(moved)


def test_the_demo_covers_31_business_days() -> None:
    days = calendars.fed_business_days(date(2024, 6, 3), date(2024, 7, 17))
    assert len(days) == 31
    assert date(2024, 6, 19) not in days


@given(some_day)
def test_next_and_previous_business_day_are_neighbours(day: date) -> None:
    following, before = calendars.next_fed_business_day(day), calendars.previous_fed_business_day(day)
    assert before < day < following
    assert calendars.is_fed_business_day(before)
    assert calendars.is_fed_business_day(following)
    between = calendars.fed_business_days(before, following)
    assert between == [before, *([day] if calendars.is_fed_business_day(day) else []), following]


@given(some_day)
def test_the_next_trading_day_has_none_before_it(day: date) -> None:
    following = calendars.next_trading_day(day)
    assert calendars.is_trading_day(following)
    skipped = calendars.days(day + timedelta(days=1), following - timedelta(days=1))
    assert not any(calendars.is_trading_day(one) for one in skipped)


def test_the_index_starts_at_zero_and_refuses_what_lies_before() -> None:
    assert calendars.business_day_index(date(2000, 1, 3)) == 0
    with pytest.raises(ValueError, match="starts on"):
        calendars.business_day_index(date(2000, 1, 2))


@given(some_day, st.integers(0, 400))
def test_a_difference_of_indexes_counts_the_business_days_between(day: date, length: int) -> None:
    last = day + timedelta(days=length)
    between = calendars.fed_business_days(day + timedelta(days=1), last)
    assert calendars.business_day_index(last) - calendars.business_day_index(day) == len(between)


@pytest.mark.fault_rows(106)
def test_days_include_both_ends_and_are_none_backwards() -> None:
    day = date(2024, 2, 28)
    assert calendars.days(day, date(2024, 3, 1)) == [day, date(2024, 2, 29), date(2024, 3, 1)]
    assert calendars.days(day, day) == [day]
    assert calendars.days(day, date(2024, 2, 27)) == []


@pytest.mark.parametrize(("day", "hours"), [("2024-03-10", 23), ("2024-11-03", 25), ("2024-06-03", 24)])
@pytest.mark.fault_rows(102)
def test_a_day_lasts_as_long_as_the_clocks_of_new_york_say(day: str, hours: int) -> None:
    start, end = calendars.day_bounds(date.fromisoformat(day))
    assert end - start == timedelta(hours=hours)
    assert start.tzinfo is UTC


@given(st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # bounds are naive by design
def test_an_instant_lies_within_the_bounds_of_its_new_york_date(instant: datetime) -> None:
    start, end = calendars.day_bounds(calendars.new_york_date(instant))
    assert start <= instant < end


@pytest.mark.fault_rows(101)
def test_a_late_evening_in_new_york_is_tomorrow_in_utc_and_today_there() -> None:
    assert calendars.new_york_date(datetime(2024, 6, 4, 2, 30, tzinfo=UTC)) == date(2024, 6, 3)
    assert calendars.new_york_date(datetime(2024, 6, 4, 6, 30, tzinfo=timezone(timedelta(hours=9)))) == date(2024, 6, 3)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        calendars.new_york_date(datetime(2024, 6, 3, 12, 0))  # noqa: DTZ001  # the naive time is the point


@pytest.mark.parametrize(
    ("moved_on", "at", "booked_on"),
    [
        ("2024-06-03", time(18, 59, 59), "2024-06-03"),
        ("2024-06-03", time(19, 0), "2024-06-04"),
        ("2024-06-07", time(20, 15), "2024-06-10"),
        ("2024-06-08", time(10, 0), "2024-06-10"),
        ("2024-06-18", time(21, 0), "2024-06-20"),
        ("2024-06-19", time(12, 0), "2024-06-20"),
        ("2024-03-29", time(12, 0), "2024-03-29"),
        ("2024-11-03", time(1, 30), "2024-11-04"),
    ],
)
@pytest.mark.fault_rows(106)
def test_cash_is_booked_on_the_business_date_of_its_instant(moved_on: str, at: time, booked_on: str) -> None:
    instant = calendars.new_york_instant(date.fromisoformat(moved_on), at)
    assert calendars.business_date_of(instant, END_OF_DAY) == date.fromisoformat(booked_on)


@pytest.mark.fault_rows(106)
@pytest.mark.parametrize(
    ("moved_on", "at", "booked_on"),
    [
        ("2024-02-28", time(20), "2024-02-29"),
        ("2024-02-29", time(20), "2024-03-01"),
        ("2023-02-28", time(20), "2023-03-01"),
        ("2024-12-31", time(20), "2025-01-02"),
        ("2023-12-29", time(20), "2024-01-02"),
    ],
)
def test_a_late_movement_of_a_leap_day_or_of_the_last_day_of_a_year_is_booked_on_the_next_business_day(
    moved_on: str, at: time, booked_on: str
) -> None:
    instant = calendars.new_york_instant(date.fromisoformat(moved_on), at)
    assert calendars.business_date_of(instant, END_OF_DAY) == date.fromisoformat(booked_on)
    assert calendars.next_fed_business_day(date.fromisoformat(moved_on)) == date.fromisoformat(booked_on)


@pytest.mark.fault_rows(102)
@pytest.mark.parametrize("change", ["2024-03-10", "2024-11-03", "2025-03-09", "2025-11-02"])
def test_over_a_change_of_the_clocks_each_minute_belongs_to_one_day_and_no_day_is_missing(change: str) -> None:
    night = date.fromisoformat(change)
    first, last = night - timedelta(days=1), night + timedelta(days=1)
    bounds = [calendars.day_bounds(day) for day in calendars.days(first, last)]
    assert [end for _, end in bounds[:-1]] == [start for start, _ in bounds[1:]]
    begin, end = bounds[0][0], bounds[-1][1]
    minutes = [begin + timedelta(minutes=number) for number in range(int((end - begin) / timedelta(minutes=1)))]
    days = [calendars.new_york_date(minute) for minute in minutes]
    assert days == sorted(days)
    assert set(days) == {first, night, last}

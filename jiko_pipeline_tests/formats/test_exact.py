"""Text becomes a value exactly, or none."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiko_pipeline.formats.exact import day_of, decimal_of, fits, instant_of


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=8))
def test_a_decimal_is_read_back_as_written(value: Decimal) -> None:
    assert decimal_of(f"{value:f}") == value


@pytest.mark.parametrize(
    "text", ["", " ", "NaN", "Infinity", "1e5", "1_000", "1,000", "١", "0x10", "1 2", ".", "+", "5-"]
)
def test_what_is_no_plain_number_is_none(text: str) -> None:
    assert decimal_of(text) is None


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12),
    st.integers(3, 15),
    st.integers(0, 6),
)
def test_a_value_fits_exactly_when_rounding_it_changes_nothing(value: Decimal, whole: int, scale: int) -> None:
    unchanged = value == round(value, scale) and abs(value) < Decimal(10) ** whole
    assert fits(value, whole + scale, scale) is unchanged


def test_zeros_at_the_end_and_zero_itself_always_fit() -> None:
    assert fits(Decimal("18.15000"), 38, 2)
    assert fits(Decimal("0.000000000"), 4, 2)
    assert not fits(Decimal("18.151"), 38, 2)


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)))  # noqa: DTZ001
def test_an_instant_is_read_back_as_written(moment: datetime) -> None:
    assert instant_of(moment.isoformat(timespec="microseconds") + "Z") == moment


def test_a_zone_moves_an_instant_to_utc_and_no_day() -> None:
    text = "2024-06-03T23:30:00-05:00"
    assert instant_of(text) == datetime(2024, 6, 4, 4, 30, tzinfo=UTC).replace(tzinfo=None)
    assert day_of(text) == date(2024, 6, 3)


@pytest.mark.parametrize(
    "text",
    [
        "2024-06-03",
        "2024-06-03T16:00:00",
        "2024-06-03T16:00Z",
        "2024-06-03T25:00:00Z",
        "2024-06-03T16:00:00.0000001Z",
        "0001-01-01T00:00:00+05:00",
    ],
)
def test_an_instant_needs_seconds_a_zone_and_no_finer_part(text: str) -> None:
    assert instant_of(text) is None


@pytest.mark.parametrize("text", ["2024-02-30", "2024-W23-1", "20240603", "2024-06", "2024-06-03junk", ""])
def test_what_is_no_day_is_none(text: str) -> None:
    assert day_of(text) is None

"""Which documents a window needs: holidays, lives of pockets, provisional documents, re-reads."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiko_pipeline import calendars
from jiko_pipeline.archive import Blob, Document
from jiko_pipeline.bank.contract import OutputFormat, ReportType
from jiko_pipeline.bank.report_requests import PullReason, ReportPull
from jiko_pipeline.bank.world import WorldIdentity
from jiko_pipeline.pipeline.expected import (
    KIND_OF_REPORT,
    Coverage,
    PocketLife,
    cutoff,
    finality,
    first_listed_day,
    pulls_for,
    statement_periods,
)
from jiko_pipeline.pipeline.windows import Window
from jiko_pipeline.settings import load_settings
from jiko_pipeline.warehouse.kinds import Finality

SETTINGS = load_settings()
OPEN = PocketLife("pocket-a", None, None)
DAILY = (ReportType.BANK_STATEMENT, ReportType.BROKERAGE_STATEMENT, ReportType.POSITION_SUMMARY)
LATER = datetime(2024, 9, 2, 12, 0, tzinfo=UTC)
WORLD = WorldIdentity("simulator", "simulator", "w")


def _document(kind: str, pocket_id: str | None, first: date, last: date, made: datetime) -> Document:
    return Document(
        kind=kind,
        customer_id="default",
        pocket_id=pocket_id,
        first=first,
        last=last,
        parts=(Blob(sha256="0" * 64, byte_length=1),),
        source="test",
        created_at_provider=made,
        fetched_at=made,
        world=WORLD,
    )


def _delivered(pulls: Sequence[ReportPull], made: datetime) -> list[Document]:
    """What the archive holds once these pulls have been delivered."""
    return [
        _document(KIND_OF_REPORT[pull.report_type, form], pull.pocket_id, pull.first, pull.last, made)
        for pull in pulls
        for form in pull.output_formats
    ]


def _pulls(
    window: Window,
    lives: Sequence[PocketLife] = (OPEN,),
    documents: Sequence[Document] = (),
    reason: PullReason = PullReason.DAILY,
    now: datetime = LATER,
) -> list[ReportPull]:
    return pulls_for(SETTINGS, window, lives, Coverage(SETTINGS, documents), reason, now)


def _days(pulls: Sequence[ReportPull], report_type: ReportType) -> list[date]:
    return [pull.first for pull in pulls if pull.report_type is report_type]


def test_statements_and_positions_are_expected_on_business_days_only() -> None:
    # Independence Day of 2024 is a Thursday.
    pulls = _pulls(Window(date(2024, 7, 3), date(2024, 7, 8)))
    for report_type in DAILY:
        assert _days(pulls, report_type) == [date(2024, 7, 3), date(2024, 7, 5), date(2024, 7, 8)]


def test_trades_are_ordered_once_a_pocket_and_prices_once_over_the_window() -> None:
    window = Window(date(2024, 7, 3), date(2024, 7, 8))
    pulls = _pulls(window, (OPEN, PocketLife("pocket-b", None, None)))
    trades = [pull for pull in pulls if pull.report_type is ReportType.TRADE]
    prices = [pull for pull in pulls if pull.report_type is ReportType.SECURITY_PRICE]
    assert [(pull.pocket_id, pull.first, pull.last) for pull in trades] == [
        ("pocket-a", window.first, window.last),
        ("pocket-b", window.first, window.last),
    ]
    assert all(set(pull.output_formats) == {OutputFormat.CSV, OutputFormat.KYRIBA_CSV} for pull in trades)
    assert [(pull.pocket_id, pull.first, pull.last) for pull in prices] == [(None, window.first, window.last)]


def test_a_pocket_has_documents_from_its_first_to_its_last_day() -> None:
    life = PocketLife("pocket-c", date(2024, 7, 9), date(2024, 7, 11))
    pulls = _pulls(Window(date(2024, 7, 8), date(2024, 7, 12)), (life,))
    for report_type in DAILY:
        assert _days(pulls, report_type) == [date(2024, 7, 9), date(2024, 7, 10), date(2024, 7, 11)]
    (trade,) = (pull for pull in pulls if pull.report_type is ReportType.TRADE)
    assert (trade.first, trade.last) == (date(2024, 7, 9), date(2024, 7, 11))


def test_a_window_in_which_no_pocket_lives_needs_no_documents() -> None:
    lives = (PocketLife("gone", None, date(2024, 7, 5)), PocketLife("to-come", date(2024, 7, 13), None))
    pulls = _pulls(Window(date(2024, 7, 8), date(2024, 7, 12)), lives)
    assert pulls == []


def test_days_after_today_have_nothing_yet() -> None:
    now = datetime(2024, 7, 10, 16, 0, tzinfo=UTC)
    pulls = _pulls(Window(date(2024, 7, 8), date(2024, 7, 12)), now=now)
    assert max(pull.last for pull in pulls) == date(2024, 7, 10)
    assert _pulls(Window(date(2024, 7, 11), date(2024, 7, 12)), now=now) == []


def test_today_is_that_of_new_york() -> None:
    window = Window(date(2024, 7, 11), date(2024, 7, 11))
    assert _pulls(window, now=datetime(2024, 7, 11, 3, 59, tzinfo=UTC)) == []
    assert _pulls(window, now=datetime(2024, 7, 11, 4, 0, tzinfo=UTC)) != []


def test_what_was_delivered_after_the_cutoff_is_not_asked_for_again() -> None:
    window = Window(date(2024, 7, 3), date(2024, 7, 8))
    assert _pulls(window, documents=_delivered(_pulls(window), LATER)) == []


def test_only_what_is_missing_is_asked_for() -> None:
    window = Window(date(2024, 7, 8), date(2024, 7, 10))
    documents = _delivered(_pulls(window), LATER)
    missing = [d for d in documents if d.kind == "BANK_STATEMENT" and d.first == date(2024, 7, 9)]
    (pull,) = _pulls(window, documents=[d for d in documents if d not in missing])
    assert (pull.report_type, pull.first, pull.reason, pull.round) == (
        ReportType.BANK_STATEMENT,
        date(2024, 7, 9),
        PullReason.DAILY,
        "",
    )


def test_a_longer_window_asks_for_ranged_reports_again_and_for_known_days_not() -> None:
    known = Window(date(2024, 7, 8), date(2024, 7, 9))
    longer = Window(date(2024, 7, 8), date(2024, 7, 10))
    pulls = _pulls(longer, documents=_delivered(_pulls(known), LATER))
    for report_type in DAILY:
        assert _days(pulls, report_type) == [date(2024, 7, 10)]
    ranged = [pull for pull in pulls if pull.report_type in (ReportType.TRADE, ReportType.SECURITY_PRICE)]
    assert [(pull.first, pull.last, pull.reason) for pull in ranged] == [
        (longer.first, longer.last, PullReason.AFTER_CUTOFF)
    ] * 2


def test_the_cutoff_is_an_hour_of_new_york_in_winter_and_in_summer() -> None:
    assert cutoff(SETTINGS, date(2024, 1, 10)) == datetime(2024, 1, 11, 2, 0, tzinfo=UTC)
    assert cutoff(SETTINGS, date(2024, 7, 10)) == datetime(2024, 7, 11, 1, 0, tzinfo=UTC)
    assert cutoff(load_settings(cutoff_hour=18), date(2024, 7, 10)) == datetime(2024, 7, 10, 22, 0, tzinfo=UTC)


def test_a_document_is_provisional_until_the_very_instant_of_the_cutoff() -> None:
    day = date(2024, 7, 10)
    instant = cutoff(SETTINGS, day)
    assert finality(SETTINGS, instant - timedelta(microseconds=1), day) is Finality.PROVISIONAL
    assert finality(SETTINGS, instant, day) is Finality.AFTER_CUTOFF


@pytest.mark.fault_rows(105)
def test_a_provisional_document_is_asked_for_again_once_its_cutoff_has_passed_and_not_before() -> None:
    day = date(2024, 7, 10)
    window = Window(day, day)
    afternoon = datetime(2024, 7, 10, 18, 0, tzinfo=UTC)
    documents = _delivered(_pulls(window, now=afternoon), afternoon)
    assert _pulls(window, documents=documents, now=cutoff(SETTINGS, day) - timedelta(seconds=1)) == []
    again = _pulls(window, documents=documents, now=cutoff(SETTINGS, day))
    assert {pull.report_type for pull in again} == set(ReportType)
    assert {(pull.reason, pull.round) for pull in again} == {(PullReason.AFTER_CUTOFF, "2024-07-10")}
    # And it is another pull than the one of the afternoon, so that it is ordered anew.
    assert not {pull.key for pull in again} & {pull.key for pull in _pulls(window, now=afternoon)}
    final = documents + _delivered(again, cutoff(SETTINGS, day) + timedelta(minutes=5))
    assert _pulls(window, documents=final, now=LATER) == []


def test_the_best_of_several_copies_decides_whatever_their_order() -> None:
    day = date(2024, 7, 10)
    early = _document("POSITION", "pocket-a", day, day, cutoff(SETTINGS, day) - timedelta(hours=3))
    late = _document("POSITION", "pocket-a", day, day, cutoff(SETTINGS, day) + timedelta(hours=3))
    for documents in ([early, late], [late, early]):
        coverage = Coverage(SETTINGS, documents)
        assert coverage.finality("POSITION", "pocket-a", day) is Finality.AFTER_CUTOFF
    assert Coverage(SETTINGS, [early]).finality("POSITION", "pocket-a", day) is Finality.PROVISIONAL
    assert Coverage(SETTINGS, [late]).finality("POSITION", "pocket-b", day) is None
    assert Coverage(SETTINGS, [late]).finality("POSITION", "pocket-a", day + timedelta(days=1)) is None


def test_a_document_over_a_range_is_provisional_for_its_last_days_only() -> None:
    made = cutoff(SETTINGS, date(2024, 7, 9))
    coverage = Coverage(SETTINGS, [_document("SECURITY_PRICE", None, date(2024, 7, 8), date(2024, 7, 10), made)])
    assert [coverage.finality("SECURITY_PRICE", None, date(2024, 7, day)) for day in (8, 9, 10)] == [
        Finality.AFTER_CUTOFF,
        Finality.AFTER_CUTOFF,
        Finality.PROVISIONAL,
    ]


def test_a_confirmation_asks_for_everything_again_once_a_day() -> None:
    window = Window(date(2024, 7, 3), date(2024, 7, 9))
    first = _pulls(window)
    documents = _delivered(first, LATER)
    again = _pulls(window, documents=documents, reason=PullReason.CONFIRM)
    assert [(p.report_type, p.pocket_id, p.first, p.last) for p in again] == [
        (p.report_type, p.pocket_id, p.first, p.last) for p in first
    ]
    assert {(pull.reason, pull.round) for pull in again} == {(PullReason.CONFIRM, "2024-09-02")}
    same_day = _pulls(window, documents=documents, reason=PullReason.CONFIRM, now=LATER + timedelta(hours=1))
    next_day = _pulls(window, documents=documents, reason=PullReason.CONFIRM, now=LATER + timedelta(days=1))
    assert {pull.key for pull in same_day} == {pull.key for pull in again}
    assert not {pull.key for pull in next_day} & {pull.key for pull in again}


@given(
    st.dates(date(2020, 1, 1), date(2024, 8, 1)),
    st.integers(1, 31),
    st.integers(0, 40),
    st.integers(0, 40),
)
@settings(max_examples=80, deadline=None)
def test_each_business_day_of_a_life_gets_each_daily_report_exactly_once(
    first: date, length: int, opened_after: int, lived: int
) -> None:
    window = Window(first, first + timedelta(days=length - 1))
    opened = first + timedelta(days=opened_after - 10)
    life = PocketLife("pocket-a", opened, opened + timedelta(days=lived))
    pulls = _pulls(window, (life,))
    wanted = [
        day
        for day in calendars.fed_business_days(window.first, window.last)
        if opened <= day <= opened + timedelta(days=lived)
    ]
    for report_type in DAILY:
        assert _days(pulls, report_type) == wanted
    assert len({pull.key for pull in pulls}) == len(pulls)
    assert _pulls(window, (life,), _delivered(pulls, LATER)) == []


@pytest.mark.parametrize(
    ("first", "last", "periods"),
    [
        (date(2024, 7, 3), date(2024, 7, 31), ["2024-06"]),
        (date(2024, 7, 3), date(2024, 8, 1), ["2024-06", "2024-07"]),
        (date(2024, 1, 2), date(2024, 1, 5), ["2023-12"]),
        (date(2023, 12, 20), date(2024, 1, 5), ["2023-11", "2023-12"]),
    ],
)
def test_monthly_statements_are_those_of_months_that_are_over(first: date, last: date, periods: list[str]) -> None:
    assert statement_periods(Window(first, last)) == periods


@given(st.dates(date(2000, 1, 1), date(2040, 1, 1)), st.integers(1, 31))
@settings(deadline=None)
def test_every_month_that_is_over_is_listed_by_some_window_of_the_days_after_it(first: date, length: int) -> None:
    window = Window(first, first + timedelta(days=length - 1))
    periods = statement_periods(window)
    assert periods == sorted(set(periods))
    assert all(period < f"{window.last:%Y-%m}" for period in periods)
    before = window.first.replace(day=1) - timedelta(days=1)
    assert periods[0] == f"{before:%Y-%m}"


def test_a_monday_lists_the_weekend_before_it_and_a_tuesday_only_itself() -> None:
    monday, tuesday = date(2024, 6, 17), date(2024, 6, 18)
    assert first_listed_day(SETTINGS, Window(monday, monday)) == date(2024, 6, 15)
    assert first_listed_day(SETTINGS, Window(tuesday, tuesday)) == tuesday


def test_the_first_window_lists_the_days_of_the_take_on_and_no_other_window_reaches_before_the_data() -> None:
    assert first_listed_day(SETTINGS, Window(SETTINGS.start_date, date(2024, 7, 3))) == date(2024, 5, 31)
    later = load_settings(start_date=date(2024, 6, 16))
    assert first_listed_day(later, Window(date(2024, 6, 17), date(2024, 6, 17))) == date(2024, 6, 16)


def test_documents_of_another_profile_settle_nothing_and_its_orders_are_kept_apart() -> None:
    day = date(2024, 6, 12)
    other = load_settings(profile="other")
    documents = [_document("SECURITY_PRICE", None, day, day, LATER)]
    assert Coverage(SETTINGS, documents).finality("SECURITY_PRICE", None, day) is Finality.AFTER_CUTOFF
    assert Coverage(other, documents).finality("SECURITY_PRICE", None, day) is None
    assert other.order_book_file != SETTINGS.order_book_file

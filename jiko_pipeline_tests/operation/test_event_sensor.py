"""Events of the bank become runs of the days they concern: polled, told by webhooks, once each."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from jiko_pipeline import calendars
from jiko_pipeline.archive import Archive
from jiko_pipeline.orchestration.build import build_defs
from jiko_pipeline.pipeline import events
from jiko_pipeline.pipeline.events import EventCursor, EventsSeen, days_of, look_at_events, pockets_of
from jiko_pipeline.settings import Settings, load_settings
from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline.webhooks.event import BankEvent
from jiko_pipeline.webhooks.inbox import Inbox
from jiko_pipeline_tests.bank.simulator_rig import ServedBank, served

EVENING = datetime(2024, 7, 16, 20, 30, tzinfo=UTC)
TODAY = date(2024, 7, 16)
YESTERDAY = date(2024, 7, 15)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedBank]:
    options = ServeOptions(tmp_path_factory.mktemp("bank"), config=WorldConfig(pockets=2), now=EVENING)
    with served(options) as running:
        yield running


@pytest.fixture
def settings(bank: ServedBank, tmp_path: Path) -> Settings:
    return settings_of(bank, tmp_path / "data")


def settings_of(bank: ServedBank, data_dir: Path, **overrides: Any) -> Settings:
    told = bank.announcement
    return load_settings(
        data_dir=data_dir,
        api_url=told["api_url"],
        auth_url=told["auth_url"],
        client_id=told["client_id"],
        private_key_file=told["private_key_file"],
        key_id=told["key_id"],
        download_hosts=told["storage_host"],
        **overrides,
    )


def happened(at: datetime, **payload: str) -> BankEvent:
    return BankEvent("00000000-0000-4000-8000-000000000001", "transfers.wire.in.success", at, payload)


def told_by_webhook(settings: Settings, event_id: str, at: datetime) -> None:
    event = {
        "event_id": event_id,
        "event_type": "transfers.wire.in.success",
        "timestamp": at.isoformat(),
        "payload": {"wire_id": event_id},
    }
    Inbox(settings.event_inbox_file).put(json.dumps(event).encode())


def ids_of_day(bank: ServedBank, settings: Settings, day: date, since: datetime) -> list[str]:
    """The events since an instant that concern a day, as the bank lists them."""
    bank.sign_in()
    found = [item["event"] for item in bank.walk("/api/v1/events/", after=since.isoformat())]
    return [
        event["event_id"]
        for event in found
        if day in days_of(settings, happened(datetime.fromisoformat(event["timestamp"])))
    ]


@pytest.mark.parametrize(
    ("at", "days"),
    [
        pytest.param("2024-07-18T14:00:00-04:00", ["2024-07-18"], id="on a business day"),
        pytest.param("2024-07-18T18:59:59-04:00", ["2024-07-18"], id="just before its end"),
        pytest.param("2024-07-18T19:00:00-04:00", ["2024-07-18", "2024-07-19"], id="at its end"),
        pytest.param("2024-07-19T23:30:00-04:00", ["2024-07-19", "2024-07-22"], id="on Friday night"),
        pytest.param("2024-07-20T12:00:00-04:00", ["2024-07-20", "2024-07-22"], id="on a Saturday"),
        pytest.param("2024-07-04T12:00:00-04:00", ["2024-07-04", "2024-07-05"], id="on a holiday"),
        pytest.param("2024-07-19T02:00:00+00:00", ["2024-07-18", "2024-07-19"], id="on another day in UTC"),
    ],
)
def test_an_event_concerns_its_day_in_new_york_and_the_day_its_money_is_booked_on(
    at: str, days: list[str], tmp_path: Path
) -> None:
    settings = load_settings(data_dir=tmp_path)
    found = days_of(settings, happened(datetime.fromisoformat(at).astimezone(UTC)))
    assert [day.isoformat() for day in found] == days


def test_the_end_of_the_business_day_is_a_setting(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, business_day_end="17:00")
    assert days_of(settings, happened(datetime(2024, 7, 18, 22, tzinfo=UTC))) == (date(2024, 7, 18), date(2024, 7, 19))


def test_an_event_of_the_future_does_not_move_the_next_look_past_what_happens_until_then(
    bank: ServedBank, settings: Settings
) -> None:
    now = EVENING - timedelta(hours=4)
    assert ids_of_day(bank, settings, TODAY, now)
    seen = look_at_events(settings, EventCursor(), now=now)
    assert seen.cursor.polled_to is not None
    assert seen.cursor.polled_to <= now


def test_an_event_tells_the_pocket_that_received_money() -> None:
    assert pockets_of(happened(EVENING, receiving_pocket_id="a pocket")) == ("a pocket",)
    assert pockets_of(happened(EVENING, wire_id="a wire")) == ()


def test_the_first_look_takes_the_events_of_the_day_before_and_remembers_today(
    bank: ServedBank, settings: Settings
) -> None:
    seen = look_at_events(settings, EventCursor(), now=EVENING)
    since = calendars.day_bounds(YESTERDAY)[0]
    concerned = {day: ids_of_day(bank, settings, day, since) for day in (YESTERDAY, TODAY)}
    assert concerned[YESTERDAY]
    assert concerned[TODAY]
    assert [due.day for due in seen.due] == [YESTERDAY]
    assert seen.due[0].event_id in concerned[YESTERDAY]
    assert set(seen.cursor.waiting) >= {TODAY}
    assert seen.cursor.waiting[TODAY] in concerned[TODAY]


def test_what_was_seen_is_not_due_again_and_leaves_no_second_document(settings: Settings) -> None:
    first = look_at_events(settings, EventCursor(), now=EVENING)
    again = look_at_events(settings, first.cursor, now=EVENING)
    assert (again.due, again.new, again.cursor) == ((), 0, first.cursor)
    (document,) = [one for one in Archive(settings.archive_dir).documents() if one.kind == "EVENTS"]
    assert (document.first, document.last) == (YESTERDAY, TODAY)


def test_today_is_due_once_it_is_over(settings: Settings) -> None:
    before = look_at_events(settings, EventCursor(), now=EVENING)
    midnight = calendars.day_bounds(TODAY)[1]
    just_before = look_at_events(settings, before.cursor, now=midnight - timedelta(seconds=1))
    assert just_before.due == ()
    over = look_at_events(settings, just_before.cursor, now=midnight)
    assert [due.day for due in over.due] == [TODAY]
    assert over.due[0].event_id == before.cursor.waiting[TODAY]
    assert look_at_events(settings, over.cursor, now=midnight).due == ()


def test_a_cursor_that_is_read_twice_names_the_same_runs(settings: Settings) -> None:
    first = look_at_events(settings, EventCursor(), now=EVENING)
    once_more = look_at_events(settings, EventCursor(), now=EVENING)
    assert [due.key for due in first.due]
    assert [due.key for due in once_more.due] == [due.key for due in first.due]


def test_a_webhook_and_the_listing_tell_of_an_event_once(bank: ServedBank, settings: Settings) -> None:
    first = look_at_events(settings, EventCursor(), now=EVENING)
    event_id = ids_of_day(bank, settings, YESTERDAY, calendars.day_bounds(YESTERDAY)[0])[0]
    told_by_webhook(settings, event_id, EVENING - timedelta(days=1))
    assert look_at_events(settings, first.cursor, now=EVENING).new == 0


def test_an_event_that_only_a_webhook_told_makes_its_day_due(settings: Settings) -> None:
    first = look_at_events(settings, EventCursor(), now=EVENING)
    told_by_webhook(settings, "late", datetime(2024, 7, 12, 23, 30, tzinfo=UTC))
    seen = look_at_events(settings, first.cursor, now=EVENING)
    assert [(due.day.isoformat(), due.key) for due in seen.due] == [
        ("2024-07-12", "event-late-2024-07-12"),
        ("2024-07-15", "event-late-2024-07-15"),
    ]


def test_days_before_the_data_begins_are_left_out(bank: ServedBank, tmp_path: Path) -> None:
    settings = settings_of(bank, tmp_path / "data", start_date=TODAY)
    told_by_webhook(settings, "before", datetime(2024, 7, 1, 15, tzinfo=UTC))
    seen = look_at_events(settings, EventCursor(), now=EVENING)
    assert seen.due == ()
    assert min(seen.cursor.waiting) == TODAY


def test_a_cursor_is_the_same_after_it_was_written_down(settings: Settings) -> None:
    seen: EventsSeen = look_at_events(settings, EventCursor(), now=EVENING)
    assert EventCursor.from_text(seen.cursor.to_text()) == seen.cursor
    assert EventCursor.from_text(None) == EventCursor()


Evaluate = Callable[[str | None], Any]


@pytest.fixture
def definitions(settings: Settings) -> dg.Definitions:
    return build_defs(settings=settings)


@pytest.fixture
def evaluate(
    definitions: dg.Definitions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[dg.DagsterInstance, Evaluate]]:
    """A real instance, and a tick of the sensor on it that evening."""
    monkeypatch.setattr(events, "utc_now", lambda: EVENING)
    repository = definitions.get_repository_def()
    home = tmp_path / "dagster-home"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home), overrides={"telemetry": {"enabled": False}}) as instance:

        def tick(cursor: str | None) -> Any:
            context = dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=repository)
            return repository.get_sensor_def("bank_events").evaluate_tick(context)

        yield instance, tick


def test_the_sensor_asks_for_the_partition_of_a_day_once(evaluate: tuple[dg.DagsterInstance, Evaluate]) -> None:
    _, tick = evaluate
    first = tick(None)
    (request,) = first.run_requests
    assert request.partition_key == YESTERDAY.isoformat()
    assert request.run_key.endswith(f"-{YESTERDAY}")
    assert request.tags["jiko/reason"] == "DAILY"
    # A tick whose cursor was lost asks under the same key, which Dagster runs once.
    assert [again.run_key for again in tick(None).run_requests] == [request.run_key]
    following = tick(first.cursor)
    assert not following.run_requests
    assert "0 new events" in following.skip_message


def test_the_reports_of_a_day_that_was_made_before_are_asked_for_again(
    evaluate: tuple[dg.DagsterInstance, Evaluate],
) -> None:
    instance, tick = evaluate
    instance.report_runless_asset_event(
        dg.AssetMaterialization(dg.AssetKey(["published", "treasury"]), partition=YESTERDAY.isoformat())
    )
    (request,) = tick(None).run_requests
    assert request.tags["jiko/reason"] == "CONFIRM"


@pytest.mark.soak
def test_a_run_that_the_sensor_asks_for_makes_the_day_and_the_next_one_confirms_it(
    definitions: dg.Definitions, evaluate: tuple[dg.DagsterInstance, Evaluate]
) -> None:
    instance, tick = evaluate
    (request,) = tick(None).run_requests
    published = dg.AssetKey(["published", "treasury"])
    assert instance.get_materialized_partitions(published) == set()
    result = definitions.resolve_job_def("daily_close").execute_in_process(
        instance=instance,
        partition_key=request.partition_key,
        tags=request.tags,
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
    )
    assert result.success
    assert instance.get_materialized_partitions(published) == {YESTERDAY.isoformat()}
    (again,) = tick(None).run_requests
    assert again.run_key == request.run_key
    assert again.tags["jiko/reason"] == "CONFIRM"

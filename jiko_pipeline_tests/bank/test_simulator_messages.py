"""The simulated bank tells its customer: events, webhooks that are really delivered, notifications."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from jiko_pipeline import calendars
from jiko_pipeline.simulator.documents.numbers import instant_text
from jiko_pipeline.simulator.serve import ServeOptions, serve
from jiko_pipeline.simulator.server.notifications import KEPT_FOR
from jiko_pipeline_tests.bank.hook import PATIENCE_SECONDS, Hook, hooked
from jiko_pipeline_tests.bank.simulator_rig import Json, ServedBank, again, served

EVENTS, NOTIFICATIONS, SUBSCRIPTIONS = "/api/v1/events/", "/api/v1/notifications/", "/api/v1/subscriptions/"
SECRET = "a secret of a webhook"
LEDGER_TYPES = {
    "transfers.wire.in.success",
    "transfers.wire.in.rejected",
    "transfers.wire.out.processing",
    "transfers.wire.out.success",
    "transfers.on-us.processing",
    "transfers.on-us.success",
    "transfers.on-us.received",
}
EVENING = datetime(2024, 7, 18, 21, tzinfo=UTC)
PATIENT = {
    "retry_on_status_codes": [500, 503],
    "backoff_coefficient": 2,
    "maximum_attempts": 3,
    "initial_interval_seconds": 3000,
    "maximum_interval_seconds": 4500,
}
"""Pauses so long that only the moved clock ends them."""


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedBank]:
    with served(ServeOptions(tmp_path_factory.mktemp("bank"), now=EVENING)) as running:
        yield running


@pytest.fixture(scope="module")
def story(bank: ServedBank) -> list[Json]:
    """What the ledger tells up to that evening; a bank whose clock is behind will tell the same."""
    return [item["event"] for item in bank.walk(EVENTS)]


@pytest.fixture
def options(tmp_path: Path) -> ServeOptions:
    return ServeOptions(tmp_path / "state")


def instant(event: Json) -> datetime:
    return datetime.fromisoformat(event["timestamp"])


def lonely(story: list[Json], name: str = "transfers.wire.in.success") -> tuple[Json, Json]:
    """Two neighbouring events of a type, more than a day apart."""
    of_type = [event for event in story if event["event_type"] == name]
    return next((one, other) for one, other in pairwise(of_type) if instant(other) - instant(one) > timedelta(days=1))


def subscribe(bank: ServedBank, hook: Hook, *types: str, policy: Json | None = None, secret: str = SECRET) -> Json:
    answer = bank.http.post(
        SUBSCRIPTIONS,
        json={"events": list(types), "url": hook.url, "shared_secret": secret, "retry_policy": policy},
    )
    assert answer.status_code == 201, answer.text
    subscription: Json = answer.json()
    return subscription


def attempts_after(bank: ServedBank, event_id: str, number: int) -> list[Json]:
    """The delivery attempts of an event once there are so many of them."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for item in bank.walk(EVENTS):
            attempts: list[Json] = item["delivery_attempts"]
            if item["event"]["event_id"] == event_id and len(attempts) >= number:
                return attempts
    raise AssertionError(f"event {event_id} had fewer than {number} attempts")


def move_clock(bank: ServedBank, **when: Any) -> None:
    """Moves the bank's clock; the token of before may have expired by then."""
    bank.move_clock(**when)
    bank.sign_in()


def before(event: Json) -> datetime:
    return instant(event) - timedelta(seconds=60)


def after(event: Json) -> str:
    return instant_text(instant(event) + timedelta(seconds=1))


def test_the_ledger_is_told_as_events_in_order_each_once(bank: ServedBank, story: list[Json]) -> None:
    places = [(event["timestamp"], event["event_id"]) for event in story]
    assert places == sorted(places)
    assert len({event["event_id"] for event in story}) == len(story)
    assert {event["event_type"] for event in story} == LEDGER_TYPES
    assert [item["event"] for item in bank.walk(EVENTS, limit=7)] == story


def test_each_wire_in_is_told_at_the_time_it_settles(bank: ServedBank, story: list[Json]) -> None:
    settled = {
        (row["transaction_id"], row["time_settled"])
        for row in bank.walk("/api/v2/transactions/", type__="WIRE", direction="CREDIT", limit=100)
        if row["time_settled"] is not None
    }
    told = {
        (event["payload"]["wire_id"], event["timestamp"])
        for event in story
        if event["event_type"] == "transfers.wire.in.success"
    }
    assert settled
    assert told == settled


def test_on_us_money_that_was_received_names_its_transaction_and_its_pocket(
    bank: ServedBank, story: list[Json]
) -> None:
    rows = bank.walk("/api/v2/transactions/", type__="ON_US", direction="CREDIT", limit=100)
    received = {row["id"]: (row["on_us_transfer_id"], row["pocket_id"]) for row in rows}
    told = [event["payload"] for event in story if event["event_type"] == "transfers.on-us.received"]
    assert told
    for payload in told:
        assert received[payload["transaction_activity_id"]] == (payload["on_us_id"], payload["receiving_pocket_id"])


def test_after_leaves_out_what_happened_up_to_that_instant(bank: ServedBank, story: list[Json]) -> None:
    middle = story[len(story) // 2]
    rest = [item["event"] for item in bank.walk(EVENTS, after=middle["timestamp"], limit=10)]
    assert rest == [event for event in story if instant(event) > instant(middle)]
    assert bank.walk(EVENTS, after="0001-01-01T00:00:00Z")[0]["event"] == story[0]
    assert bank.walk(EVENTS, after="9999-12-31T23:59:59Z") == []


def test_what_has_not_happened_yet_is_not_told(options: ServeOptions, story: list[Json]) -> None:
    event = story[len(story) // 2]
    with served(again(options, now=before(event))) as early:
        told = [item["event"] for item in early.walk(EVENTS)]
        assert told == [one for one in story if instant(one) <= early.now()]
        move_clock(early, to=after(event))
        assert event in [item["event"] for item in early.walk(EVENTS)]


def test_every_type_of_event_is_delivered_signed_over_the_raw_body(options: ServeOptions, story: list[Json]) -> None:
    start = datetime(2024, 6, 10, 12, tzinfo=UTC)
    with hooked() as hook, served(again(options, now=start)) as bank:
        subscription = subscribe(bank, hook, *sorted(LEDGER_TYPES))
        move_clock(bank, to=instant_text(EVENING))
        wanted = {event["event_id"]: event for event in story if instant(event) > start + timedelta(hours=1)}
        arrived: dict[str, Json] = {}
        while len(arrived) < len(wanted):
            arrival = hook.next()
            digest = hmac.new(SECRET.encode(), arrival.body, hashlib.sha256).digest()
            assert arrival.signature == base64.b64encode(digest).decode()
            arrived[arrival.event["event_id"]] = arrival.event
        assert {event["event_type"] for event in arrived.values()} == LEDGER_TYPES
        assert arrived == wanted
        (attempt,) = attempts_after(bank, min(wanted), 1)
        assert attempt["subscription_id"] == subscription["id"]
        assert (attempt["success"], attempt["response_code"]) == (True, 202)


def test_what_happened_before_the_subscription_is_not_delivered(options: ServeOptions, story: list[Json]) -> None:
    first, second = lonely(story)
    with hooked() as hook, served(again(options, now=instant(first) + timedelta(seconds=2))) as bank:
        subscription = subscribe(bank, hook, first["event_type"])
        move_clock(bank, to=after(second))
        assert hook.next().event == second
        listed = bank.walk(EVENTS, subscription_id=subscription["id"])
        assert [item["event"] for item in listed] == [second]


def test_a_failed_delivery_is_repeated_under_the_retry_policy(options: ServeOptions, story: list[Json]) -> None:
    event, _ = lonely(story)
    with hooked(500, 503) as hook, served(again(options, now=before(event))) as bank:
        subscribe(bank, hook, event["event_type"], policy=PATIENT)
        move_clock(bank, to=after(event))
        bodies = [hook.next().body]
        attempts_after(bank, event["event_id"], 1)
        move_clock(bank, seconds=3000)
        bodies.append(hook.next().body)
        attempts_after(bank, event["event_id"], 2)
        move_clock(bank, seconds=4500)
        bodies.append(hook.next().body)
        attempts = attempts_after(bank, event["event_id"], 3)
        assert len(set(bodies)) == 1
        assert [(one["response_code"], one["success"]) for one in attempts] == [
            (500, False),
            (503, False),
            (202, True),
        ]
        times = [datetime.fromisoformat(one["called_at"]) for one in attempts]
        assert times[1] - times[0] >= timedelta(seconds=3000)
        # Twice the first pause would be 6000 s: the third one came because the policy's longest is 4500 s.
        assert times[2] - times[1] >= timedelta(seconds=4500)


@pytest.mark.parametrize(
    ("status", "attempts"),
    [pytest.param(500, 3, id="as often as the policy says"), pytest.param(400, 1, id="not for another status")],
)
def test_a_delivery_is_given_up(options: ServeOptions, story: list[Json], status: int, attempts: int) -> None:
    event, later = lonely(story)
    with hooked(*[status] * attempts) as hook, served(again(options, now=before(event))) as bank:
        subscribe(bank, hook, event["event_type"], policy=PATIENT)
        move_clock(bank, to=after(event))
        for number in range(1, attempts + 1):
            assert hook.next().event == event
            assert len(attempts_after(bank, event["event_id"], number)) == number
            move_clock(bank, seconds=4500)
        move_clock(bank, to=after(later))
        assert hook.next().event == later
        assert len(attempts_after(bank, event["event_id"], attempts)) == attempts


def test_an_address_where_nobody_listens_is_tried_again(options: ServeOptions, story: list[Json]) -> None:
    event, _ = lonely(story)
    with hooked() as gone:
        pass
    with hooked() as hook, served(again(options, now=before(event))) as bank:
        subscription = subscribe(bank, gone, event["event_type"], policy=PATIENT)
        move_clock(bank, to=after(event))
        (attempt,) = attempts_after(bank, event["event_id"], 1)
        assert (attempt["response_code"], attempt["success"]) == (0, False)
        bank.http.patch(f"{SUBSCRIPTIONS}{subscription['id']}/", json={"url": hook.url})
        move_clock(bank, seconds=3000)
        assert hook.next().event == event


def test_a_disabled_subscription_is_silent_and_hears_of_what_happens_once_enabled(
    options: ServeOptions, story: list[Json]
) -> None:
    of_type = [event for event in story if event["event_type"] == "transfers.wire.in.success"]
    one, two, three = of_type[3:6]
    with hooked() as awake, hooked() as asleep, served(again(options, now=before(one))) as bank:
        subscribe(bank, awake, one["event_type"])
        path = f"{SUBSCRIPTIONS}{subscribe(bank, asleep, one['event_type'])['id']}/"
        assert bank.http.patch(path, json={"status": "disabled"}).json()["status"] == "disabled"
        for event in (one, two):
            move_clock(bank, to=after(event))
            assert awake.next().event == event
        assert bank.http.patch(path, json={"status": "enabled"}).status_code == 202
        move_clock(bank, to=after(three))
        assert asleep.next().event == three
        assert asleep.arrivals.empty()


def test_a_delivery_that_is_due_survives_a_restart(options: ServeOptions, story: list[Json]) -> None:
    event, _ = lonely(story)
    with hooked(500) as hook:
        with served(again(options, now=before(event))) as bank:
            subscribe(bank, hook, event["event_type"], policy=PATIENT)
            move_clock(bank, to=after(event))
            first = hook.next()
            attempts_after(bank, event["event_id"], 1)
        with served(again(options, now=instant(event) + timedelta(hours=1))) as bank:
            assert hook.next() == first
            assert [one["success"] for one in attempts_after(bank, event["event_id"], 2)] == [False, True]


def test_a_removed_subscription_gets_nothing_more_and_its_attempts_stay_listed(
    options: ServeOptions, story: list[Json]
) -> None:
    event, later = lonely(story)
    with hooked() as removed, hooked() as other, served(again(options, now=before(event))) as bank:
        subscription = subscribe(bank, removed, event["event_type"])
        subscribe(bank, other, event["event_type"])
        move_clock(bank, to=after(event))
        assert removed.next().event == other.next().event == event
        attempts_after(bank, event["event_id"], 2)
        path = f"{SUBSCRIPTIONS}{subscription['id']}/"
        assert bank.http.delete(path).status_code == 202
        assert bank.http.get(path).status_code == bank.http.delete(path).status_code == 404
        move_clock(bank, to=after(later))
        assert other.next().event == later
        assert removed.arrivals.empty()
        assert subscription["id"] in {one["subscription_id"] for one in attempts_after(bank, event["event_id"], 2)}


def test_deliveries_that_fail_for_ever_do_not_keep_an_idle_bank_alive(tmp_path: Path, story: list[Json]) -> None:
    event, _ = lonely(story)
    restless = {**PATIENT, "maximum_attempts": 100, "initial_interval_seconds": 0.1, "maximum_interval_seconds": 0.1}
    told: Queue[Json] = Queue()
    options = ServeOptions(tmp_path / "state", now=before(event), idle_exit_seconds=0.5)
    thread = threading.Thread(target=serve, args=(options, lambda announcement: told.put(dict(announcement))))
    with hooked(*[500] * 200) as hook:
        thread.start()
        bank = ServedBank(told.get(timeout=PATIENCE_SECONDS))
        bank.sign_in()
        subscribe(bank, hook, event["event_type"], policy=restless)
        move_clock(bank, to=after(event))
        assert hook.next().event == event
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    bank.http.close()
    bank.plain.close()


def test_a_shared_secret_is_never_shown_again(bank: ServedBank) -> None:
    secret = "not to be seen by anybody"
    with hooked() as hook:
        created = subscribe(bank, hook, "transfers.wire.in.success", secret=secret)
        path = f"{SUBSCRIPTIONS}{created['id']}/"
        changed = bank.http.patch(path, json={"shared_secret": secret + "!", "description": "treasury"})
        shown = [json.dumps(created), changed.text, bank.http.get(path).text, bank.http.get(SUBSCRIPTIONS).text]
        refused = bank.http.patch(path, json={"shared_secret": "seen nowhere"})
        assert refused.status_code == 422
        shown += [refused.text, bank.http.get("/api/v1/team/audits/", params={"limit": 100}).text]
        assert bank.http.delete(path).status_code == 202
    assert changed.json()["description"] == "treasury"
    assert not [text for text in shown if secret in text or "seen nowhere" in text]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"events": []}, "events"),
        ({"events": "transfers.wire.in.success"}, "events"),
        ({"shared_secret": "fifteen letters"}, "shared_secret"),
        ({"url": ""}, "url"),
        ({"url": "http://192.0.2.1/hook"}, "url"),
        ({"url": "http://localhost.example/hook"}, "url"),
        ({"url": "https://127.0.0.1/hook"}, "url"),
        ({"url": "http://user:password@127.0.0.1/hook"}, "url"),
        ({"url": "http://127.0.0.1/a\r\nX-Other: 1"}, "url"),
        ({"url": "http://127.0.0.1:port/"}, "url"),
        ({"retry_policy": {}}, "retry_on_status_codes"),
        ({"retry_policy": {**PATIENT, "maximum_attempts": 0}}, "maximum_attempts"),
        ({"retry_policy": {**PATIENT, "backoff_coefficient": 0.5}}, "backoff_coefficient"),
    ],
)
def test_a_subscription_that_cannot_be_served_is_refused(bank: ServedBank, change: Json, field: str) -> None:
    body = {"events": ["transfers.wire.in.success"], "url": "http://127.0.0.1:9/", "shared_secret": SECRET, **change}
    answer = bank.http.post(SUBSCRIPTIONS, json=body)
    assert answer.status_code == 422
    assert field in answer.json()["detail"][0]["loc"]
    assert bank.walk(SUBSCRIPTIONS) == []


def test_subscriptions_are_their_clients_own(bank: ServedBank) -> None:
    told = bank.announcement
    key = OKPKey.import_key(Path(told["approver_private_key_file"]).read_bytes())
    name = told["approver_client_id"]
    token = bank.ask_token(bank.assertion(key=key, iss=name, sub=name), client_id=name).json()["access_token"]
    other = {"Authorization": f"Bearer {token}"}
    with hooked() as hook:
        path = f"{SUBSCRIPTIONS}{subscribe(bank, hook, 'transfers.wire.in.success')['id']}/"
        assert bank.http.get(SUBSCRIPTIONS, headers=other).json()["items"] == []
        assert bank.http.get(path, headers=other).status_code == 404
        assert bank.http.delete(path, headers=other).status_code == 404
        assert bank.http.delete(path).status_code == 202


def test_notifications_tell_of_large_wires_and_of_monthly_statements_newest_first(bank: ServedBank) -> None:
    told = bank.walk(NOTIFICATIONS, limit=5)
    assert told == bank.walk(NOTIFICATIONS)
    assert [one["created_at"] for one in told] == sorted((one["created_at"] for one in told), reverse=True)
    wires: list[Any] = bank.walk("/api/v2/transactions/", type__="WIRE", amount_from=100_000_000, limit=100)
    reach = instant_text(calendars.day_bounds(EVENING.date() - KEPT_FOR)[0])
    settled = {row["transaction_id"] for row in wires if (row["time_settled"] or "") >= reach}
    assert settled == {one["notification_metadata"]["wire_id"] for one in told if one["type"].startswith("LARGE_WIRE")}
    periods = {one["notification_metadata"]["key"] for one in told if one["type"] == "MONTHLY_STATEMENTS_READY"}
    made = {row["key"] for row in bank.walk("/api/v1/statements/") if row["time_created"] >= reach}
    assert periods == {key for key in made if len(key) == len("YYYY-MM")}


def test_a_notification_is_marked_read_and_unread_again(bank: ServedBank) -> None:
    chosen = bank.walk(NOTIFICATIONS)[3]
    path = f"{NOTIFICATIONS}{chosen['id']}/"
    assert chosen["status"] == "UNREAD"
    assert bank.http.patch(path, json={"status": "READ"}).json() == {**chosen, "status": "READ"}
    assert bank.get(path) == {**chosen, "status": "READ"}
    assert [one["id"] for one in bank.walk(NOTIFICATIONS, status="READ")] == [chosen["id"]]
    assert chosen["id"] not in {one["id"] for one in bank.walk(NOTIFICATIONS, status="UNREAD")}
    assert bank.http.patch(path, json={"status": "UNREAD"}).json() == chosen
    assert bank.walk(NOTIFICATIONS, status="READ") == []


def test_a_notification_that_does_not_exist_or_a_status_that_does_not_is_refused(bank: ServedBank) -> None:
    missing = f"{NOTIFICATIONS}00000000-0000-4000-8000-000000000000/"
    assert bank.http.get(missing).status_code == 404
    assert bank.http.patch(missing, json={"status": "READ"}).status_code == 404
    assert bank.http.get(f"{NOTIFICATIONS}first/").status_code == 422
    path = f"{NOTIFICATIONS}{bank.walk(NOTIFICATIONS)[0]['id']}/"
    assert bank.http.patch(path, json={"status": "SEEN"}).status_code == 422
    assert bank.http.get(NOTIFICATIONS, params={"status": "SEEN"}).status_code == 422


def test_a_change_of_nothing_leaves_a_subscription_and_the_audit_log_as_they_are(bank: ServedBank) -> None:
    with hooked() as hook:
        made = subscribe(bank, hook, "transfers.wire.in.success")
        path = f"{SUBSCRIPTIONS}{made['id']}/"
        logged = bank.walk("/api/v1/team/audit-logs/", limit=100)
        bank.move_clock(seconds=30)
        answer = bank.http.patch(path, json={})
        assert (answer.status_code, answer.json()) == (202, made)
        assert bank.walk("/api/v1/team/audit-logs/", limit=100) == logged
        assert bank.http.delete(path).status_code == 202

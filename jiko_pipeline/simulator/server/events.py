"""Events: what happened at the bank, for webhooks and for GET /api/v1/events/.

Belongs here: keeping the events that a call causes, joining them with those of the ledger, listing them with
their delivery attempts. Does not belong here: delivering them (`delivery`).
"""

import json
from collections.abc import Mapping
from datetime import date, datetime
from itertools import groupby
from typing import Final

from starlette.responses import Response

from jiko_pipeline import calendars
from jiko_pipeline.simulator.documents.numbers import instant_text
from jiko_pipeline.simulator.server.answers import Json, instant
from jiko_pipeline.simulator.server.bank import Call, Operation, SimulatedBank, json_response
from jiko_pipeline.simulator.server.ledger_messages import (
    Event,
    event_id_of,
    ledger_events,
    message_key,
    months_walk,
)
from jiko_pipeline.simulator.server.limits import LimitGroup
from jiko_pipeline.simulator.server.members import customer_id
from jiko_pipeline.simulator.server.paging import Cursors, cut


def emit(bank: SimulatedBank, event_type: str, subject_id: str, payload: Mapping[str, object], at: datetime) -> str:
    """Keep an event, once for each type and subject; the event's id. It is told once `at` has come."""
    event_id = event_id_of(bank.world.config.seed, event_type, subject_id)
    with bank.state.transaction() as connection:
        connection.execute(
            "insert or ignore into event values (?, ?, ?, ?)",
            (event_id, instant_text(at), event_type, json.dumps(dict(payload), sort_keys=True)),
        )
    return event_id


def events_of_days(bank: SimulatedBank, first: date, last: date) -> list[Event]:
    """All events of the New York days `first` to `last`, in the order of (time, id)."""
    start, end = calendars.day_bounds(first)[0], calendars.day_bounds(last)[1]
    with bank.state.transaction() as connection:
        rows = connection.execute(
            "select event_id, at, event_type, payload from event where at >= ? and at < ?",
            (instant_text(start), instant_text(end)),
        ).fetchall()
        # A call may have told at another time what the ledger would tell too: what was told stands.
        told = {str(row[0]) for row in connection.execute("select event_id from event")}
    kept = [stored_event(row) for row in rows]
    computed = [event for event in ledger_events(bank.world, first, last) if event.event_id not in told]
    return sorted([*kept, *computed], key=message_key)


def stored_event(row: tuple[str, str, str, str]) -> Event:
    """An event from its row (event_id, at, event_type, payload)."""
    event_id, at, event_type, payload = row
    return Event(event_id, datetime.fromisoformat(at), event_type, json.loads(payload))


def details(bank: SimulatedBank, event: Event) -> Json:
    """An event as webhooks and the listing show it."""
    return {
        "event_id": event.event_id,
        "event_type": event.event_type,
        "timestamp": instant(event.at),
        "payload": dict(event.payload),
        "customer_id": customer_id(bank),
    }


def list_events(call: Call) -> Response:
    """GET /api/v1/events/, oldest first.

    With `subscription_id` those that the subscription asks for, from its creation on.
    """
    bank, query = call.bank, call.query
    limit = query.limit(100)
    after = query.time("after")
    subscriptions = query.identifiers("subscription_id")
    types: frozenset[str] | None = None
    if subscriptions is not None:
        types = frozenset()
        with bank.state.transaction() as connection:
            row = connection.execute(
                "select events, created_at from subscription where id = ? and client_id = ?",
                (min(subscriptions), call.client_id),
            ).fetchone()
        if row is not None:
            created_at = datetime.fromisoformat(row[1])
            types = frozenset(json.loads(row[0]))
            after = created_at if after is None else max(after, created_at)

    def ask(first: date, last: date) -> list[Event]:
        return [
            event
            for event in events_of_days(bank, first, last)
            if event.at <= call.now
            and (after is None or event.at > after)
            and (types is None or event.event_type in types)
        ]

    first = min((pocket.opened_on for pocket in bank.world.pockets(call.today)), default=call.today)
    if after is not None and after > calendars.day_bounds(first)[0]:
        first = calendars.new_york_date(min(after, call.now))
    page = cut(
        months_walk(ask, first, call.today),
        message_key,
        cursors=Cursors(bank.signing_secret, "events", call.filters()),
        cursor=query.text("cursor"),
        limit=limit,
        descending=False,
    )
    attempts = _attempts(bank, [event.event_id for event in page.items])
    return json_response(
        page.as_cursor_list(
            lambda event: {
                "event": details(bank, event),
                "delivery_attempts": attempts.get(event.event_id, []),
                "object_type": "Event",
            }
        )
    )


def _attempts(bank: SimulatedBank, event_ids: list[str]) -> dict[str, list[Json]]:
    with bank.state.transaction() as connection:
        rows = connection.execute(
            "select event_id, id, subscription_id, success, response_code, response_message, called_at"
            " from delivery_attempt where event_id in (select value from json_each(?))"
            " order by event_id, called_at, id",
            (json.dumps(event_ids),),
        ).fetchall()
    return {
        str(event_id): [
            {
                "delivery_attempt_id": row[1],
                "subscription_id": row[2],
                "success": bool(row[3]),
                "response_code": row[4],
                "response_message": row[5],
                "called_at": row[6],
            }
            for row in found
        ]
        for event_id, found in groupby(rows, key=lambda row: row[0])
    }


OPERATIONS: Final = (
    Operation("GET", "/api/v1/events/", "list_events", LimitGroup.EVENTS, "subscriptions.read", list_events),
)

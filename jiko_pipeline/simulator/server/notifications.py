"""Notifications: what the bank wants a person of the customer to read, and whether it was read.

Belongs here: keeping those that a call causes, joining them with those of the ledger, listing and marking them.
Does not belong here: what they are about.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

from starlette.responses import Response

from jiko_pipeline import calendars
from jiko_pipeline.simulator.documents.numbers import instant_text
from jiko_pipeline.simulator.server import audits
from jiko_pipeline.simulator.server.answers import Json, instant, not_found
from jiko_pipeline.simulator.server.bank import Call, Operation, SimulatedBank, json_response
from jiko_pipeline.simulator.server.bodies import read_body
from jiko_pipeline.simulator.server.ledger_messages import (
    Notification,
    ledger_notifications,
    message_key,
    months_walk,
    notification_id_of,
)
from jiko_pipeline.simulator.server.limits import LimitGroup
from jiko_pipeline.simulator.server.paging import Cursors, cut

READ: Final = "READ"
UNREAD: Final = "UNREAD"
KEPT_FOR: Final = timedelta(days=92)
"""How far back notifications are shown."""


def notify(
    bank: SimulatedBank,
    kind: str,
    subject_id: str,
    title: str,
    description: str,
    at: datetime,
    metadata: Mapping[str, object],
) -> str:
    """Keep a notification, once for each kind and subject; its id. It is shown once `at` has come."""
    identifier = notification_id_of(bank.world.config.seed, kind, subject_id)
    with bank.state.transaction() as connection:
        connection.execute(
            "insert or ignore into notification values (?, ?, ?, ?, ?, ?)",
            (identifier, instant_text(at), kind, title, description, json.dumps(dict(metadata), sort_keys=True)),
        )
    return identifier


def _of_days(bank: SimulatedBank, first: date, last: date) -> list[Notification]:
    start, end = calendars.day_bounds(first)[0], calendars.day_bounds(last)[1]
    with bank.state.transaction() as connection:
        rows = connection.execute(
            "select id, at, type, title, description, metadata from notification where at >= ? and at < ?",
            (instant_text(start), instant_text(end)),
        ).fetchall()
        told = {str(row[0]) for row in connection.execute("select id from notification")}
    kept = [
        Notification(row[0], datetime.fromisoformat(row[1]), row[2], row[3], row[4], json.loads(row[5])) for row in rows
    ]
    computed = [one for one in ledger_notifications(bank.world, first, last) if one.id not in told]
    return sorted([*kept, *computed], key=message_key)


def _marks(bank: SimulatedBank) -> dict[str, str]:
    with bank.state.transaction() as connection:
        return dict(connection.execute("select id, status from notification_mark"))


def _first_day(call: Call) -> date:
    opened = min((pocket.opened_on for pocket in call.bank.world.pockets(call.today)), default=call.today)
    return max(opened, call.today - KEPT_FOR)


def list_notifications(call: Call) -> Response:
    """GET /api/v1/notifications/, newest first."""
    query = call.query
    limit = query.limit(100)
    status = query.choice("status", READ, UNREAD)
    marks = _marks(call.bank)

    def ask(first: date, last: date) -> list[Notification]:
        return [
            one
            for one in _of_days(call.bank, first, last)
            if one.at <= call.now and (status is None or marks.get(one.id, UNREAD) == status)
        ]

    page = cut(
        months_walk(ask, _first_day(call), call.today),
        message_key,
        cursors=Cursors(call.bank.signing_secret, "notifications", call.filters()),
        cursor=query.text("cursor"),
        limit=limit,
        descending=True,
    )
    return json_response(page.as_cursor_list(lambda one: _shown(one, marks)))


def get_notification(call: Call) -> Response:
    """GET /api/v1/notifications/{notification_id}/."""
    return json_response(_shown(_found(call), _marks(call.bank)))


def mark_notification(call: Call) -> Response:
    """PATCH /api/v1/notifications/{notification_id}/: read or unread."""
    status = read_body(call).choice("status", READ, UNREAD)
    one = _found(call)
    with call.bank.state.transaction() as connection:
        connection.execute(
            "insert into notification_mark values (?, ?) on conflict (id) do update set status = excluded.status",
            (one.id, status),
        )
    audits.record(call, "NOTIFICATION_UPDATED", {"notification_id": one.id, "status": status})
    return json_response(_shown(one, _marks(call.bank)))


def _found(call: Call) -> Notification:
    wanted = call.identifier("notification_id")
    walk = months_walk(lambda first, last: _of_days(call.bank, first, last), _first_day(call), call.today)
    for one in walk(True, None):
        if one.id == wanted and one.at <= call.now:
            return one
    raise not_found()


def _shown(one: Notification, marks: Mapping[str, str]) -> Json:
    return {
        "id": one.id,
        "title": one.title,
        "description": one.description,
        "type": one.type,
        "status": marks.get(one.id, UNREAD),
        "created_at": instant(one.at),
        "notification_metadata": dict(one.metadata),
    }


_ONE: Final = "/api/v1/notifications/{notification_id}/"

OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v1/notifications/",
        "list_notifications",
        LimitGroup.NOTIFICATIONS,
        "notifications.read",
        list_notifications,
    ),
    Operation("GET", _ONE, "get_notification", LimitGroup.NOTIFICATIONS, "notifications.read", get_notification),
    Operation("PATCH", _ONE, "mark_notification", LimitGroup.NOTIFICATIONS, "notifications.write", mark_notification),
)

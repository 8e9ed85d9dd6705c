"""Webhook subscriptions: who is told of which events, where, and how often it is tried.

Belongs here: creating, listing, changing and removing them. Does not belong here: delivering (`delivery`).
A subscription belongs to the client that made it. This bank delivers to loopback addresses only, so it refuses
every other one. The shared secret is never shown.
"""

import ipaddress
import json
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.responses import Response

from jiko_pipeline.simulator.documents.numbers import instant_text
from jiko_pipeline.simulator.draws import drawn_uuid
from jiko_pipeline.simulator.server import audits
from jiko_pipeline.simulator.server.answers import Json, RefusedError, not_found
from jiko_pipeline.simulator.server.bank import Call, Operation, json_response
from jiko_pipeline.simulator.server.bodies import Body, read_body, wrong
from jiko_pipeline.simulator.server.limits import LimitGroup
from jiko_pipeline.simulator.server.paging import Cursors, Key, cut

ENABLED: Final = "enabled"
DISABLED: Final = "disabled"
SHORTEST_SECRET: Final = 16
LONGEST_URL: Final = 2083
_MOST_ATTEMPTS: Final = 100

_COLUMNS: Final = "id, description, events, url, retry_policy, status, created_at, updated_at"
"""What is shown of a subscription; never the secret."""


def create_subscription(call: Call) -> Response:
    """POST /api/v1/subscriptions/."""
    body = read_body(call)
    events = body.texts("events", shortest=1, fewest=1)
    url = _url(body)
    secret = _secret(body)
    description = body.optional_text("description") or ""
    policy = _retry_policy(body)
    now = instant_text(call.now)
    with call.bank.state.transaction() as connection:
        # Numbers are not used again, so that the id of a removed one names nothing else later.
        number = int(call.bank.state.fact("subscriptions_made") or 0) + 1
        call.bank.state.set_fact("subscriptions_made", str(number))
        identifier = drawn_uuid(call.bank.world.config.seed, "subscription", number)
        connection.execute(
            "insert into subscription values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                identifier,
                call.client_id,
                description,
                json.dumps(events),
                url,
                policy,
                secret,
                ENABLED,
                now,
                now,
                now,
                now,
            ),
        )
    audits.record(call, "SUBSCRIPTION_CREATED", {"subscription_id": identifier, "events": events})
    return json_response(_shown(_row(call, identifier)), 201)


def list_subscriptions(call: Call) -> Response:
    """GET /api/v1/subscriptions/, oldest first."""
    query = call.query
    limit = query.limit(100)
    with call.bank.state.transaction() as connection:
        rows = connection.execute(
            f"select {_COLUMNS} from subscription where client_id = ? order by created_at, id", (call.client_id,)
        ).fetchall()

    def walk(falling: bool, _: Key | None) -> Iterable[tuple[Any, ...]]:
        return reversed(rows) if falling else rows

    page = cut(
        walk,
        lambda row: (row[6], row[0]),
        cursors=Cursors(call.bank.signing_secret, "subscriptions", call.filters()),
        cursor=query.text("cursor"),
        limit=limit,
        descending=False,
    )
    return json_response(page.as_cursor_list(_shown))


def get_subscription(call: Call) -> Response:
    """GET /api/v1/subscriptions/{subscription_id}/."""
    return json_response(_shown(_row(call, call.identifier("subscription_id"))))


def update_subscription(call: Call) -> Response:
    """PATCH /api/v1/subscriptions/{subscription_id}/: what is sent is changed, the rest stays.

    One that is enabled again is told of what happens from now on, not of what happened meanwhile.
    """
    identifier = call.identifier("subscription_id")
    body = read_body(call)
    before = _row(call, identifier)
    changes: dict[str, object] = {}
    if (description := body.optional_text("description")) is not None:
        changes["description"] = description
    if "events" in body:
        changes["events"] = json.dumps(body.texts("events", shortest=1, fewest=1))
    if "url" in body:
        changes["url"] = _url(body)
    if "retry_policy" in body:
        changes["retry_policy"] = _retry_policy(body)
    if "shared_secret" in body:
        changes["shared_secret"] = _secret(body)
    now = instant_text(call.now)
    if "status" in body:
        changes["status"] = body.choice("status", ENABLED, DISABLED)
        if changes["status"] == ENABLED and before[5] == DISABLED:
            changes["enabled_at"] = changes["queued_to"] = now
    if not changes:
        return json_response(_shown(before), 202)
    with call.bank.state.transaction() as connection:
        for name, value in {**changes, "updated_at": now}.items():
            # The names are those above, never a caller's.
            connection.execute(f"update subscription set {name} = ? where id = ?", (value, identifier))
    changed = sorted(changes.keys() - {"enabled_at", "queued_to"})
    audits.record(call, "SUBSCRIPTION_UPDATED", {"subscription_id": identifier, "changed": changed})
    return json_response(_shown(_row(call, identifier)), 202)


def delete_subscription(call: Call) -> Response:
    """DELETE /api/v1/subscriptions/{subscription_id}/: nothing more is delivered; past attempts stay listed."""
    identifier = call.identifier("subscription_id")
    _row(call, identifier)
    with call.bank.state.transaction() as connection:
        connection.execute("delete from delivery where subscription_id = ?", (identifier,))
        connection.execute("delete from subscription where id = ?", (identifier,))
    audits.record(call, "SUBSCRIPTION_DELETED", {"subscription_id": identifier})
    return Response(status_code=202)


def _row(call: Call, identifier: str) -> tuple[Any, ...]:
    with call.bank.state.transaction() as connection:
        row: tuple[Any, ...] | None = connection.execute(
            f"select {_COLUMNS} from subscription where id = ? and client_id = ?", (identifier, call.client_id)
        ).fetchone()
    if row is None:
        raise not_found()
    return row


def _shown(row: tuple[Any, ...]) -> Json:
    identifier, description, events, url, policy, status, created_at, updated_at = row
    return {
        "id": identifier,
        "description": description,
        "events": json.loads(events),
        "url": url,
        "retry_policy": None if policy is None else json.loads(policy),
        "status": status,
        "time_created": created_at,
        "updated_at": updated_at,
        "object_type": "Subscription",
    }


def _url(body: Body) -> str:
    url = body.text("url", shortest=1, longest=LONGEST_URL)
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "http" and _is_loopback(parts.hostname) and parts.port != 0
        usable = usable and parts.username is None and url.isascii() and url.isprintable() and " " not in url
    except ValueError:
        usable = False
    if not usable:
        message = "Value error, the simulated bank delivers to http addresses of this machine only"
        raise wrong(body.at("url"), message, "value_error", url)
    return url


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return host is not None and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _secret(body: Body) -> str:
    """The shared secret; a refusal of it does not repeat it."""
    try:
        return body.text("shared_secret", shortest=SHORTEST_SECRET)
    except RefusedError as refusal:
        if "shared_secret" in body:
            refusal.body["detail"][0]["input"] = "**********"
        raise


def _retry_policy(body: Body) -> str | None:
    """The policy as JSON text; None for that of the bank."""
    given = body.optional_object("retry_policy")
    if given is None:
        return None
    return json.dumps(
        {
            "retry_on_status_codes": given.numbers("retry_on_status_codes", least=100, most=599),
            "backoff_coefficient": given.real("backoff_coefficient", least=1.0),
            "maximum_attempts": given.number("maximum_attempts", least=1, most=_MOST_ATTEMPTS),
            "initial_interval_seconds": given.real("initial_interval_seconds"),
            "maximum_interval_seconds": given.real("maximum_interval_seconds"),
        }
    )


_ALL: Final = "/api/v1/subscriptions/"
_ONE: Final = "/api/v1/subscriptions/{subscription_id}/"
_GROUP: Final = LimitGroup.SUBSCRIPTIONS

OPERATIONS: Final = (
    Operation("POST", _ALL, "create_subscription", _GROUP, "subscriptions.write", create_subscription),
    Operation("GET", _ALL, "list_subscriptions", _GROUP, "subscriptions.read", list_subscriptions),
    Operation("PATCH", _ONE, "update_subscription", _GROUP, "subscriptions.write", update_subscription),
    Operation("GET", _ONE, "get_subscription", _GROUP, "subscriptions.read", get_subscription),
    Operation("DELETE", _ONE, "delete_subscription", _GROUP, "subscriptions.write", delete_subscription),
)

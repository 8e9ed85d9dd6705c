"""The audit log: who did what and when, as JSON and CSV.

Belongs here: writing an entry for each change, and the listings, in which the entries of the time before the
API was used stand with those that it made. Does not belong here: the changes themselves, what happened before
(`population`).
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from starlette.responses import Response

from jiko_pipeline.simulator.documents import delimited
from jiko_pipeline.simulator.documents.numbers import instant_text
from jiko_pipeline.simulator.draws import drawn_uuid
from jiko_pipeline.simulator.server.answers import Json, not_found
from jiko_pipeline.simulator.server.bank import Call, Operation, SimulatedBank, json_response
from jiko_pipeline.simulator.server.ledger_transfers import entries_of_ledger
from jiko_pipeline.simulator.server.limits import LimitGroup
from jiko_pipeline.simulator.server.members import acting_member, member, members
from jiko_pipeline.simulator.server.paging import Cursors, Key, cut
from jiko_pipeline.simulator.server.population import SIGNED_IN, Member, joined_on, past_entries

CSV_HEADER: Final = ("id", "timestamp", "member_id", "action", "details", "ip_address")

_SIGN_IN_REACHES_BACK_DAYS: Final = 45


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log; `at` is written as the API shows it, so entries sort by (at, id)."""

    id: str
    at: str
    member_id: str | None
    action: str
    details: Mapping[str, Any]
    ip_address: str | None


def record(call: Call, action: str, details: Mapping[str, object]) -> None:
    """Enter a change that `call` made. `action` is a word such as TRANSFER_REQUEST_CREATED.

    `details` are plain JSON values without secrets; the ids of what was changed belong in them.
    """
    with call.bank.state.transaction() as connection:
        (number,) = connection.execute("select coalesce(max(number), 0) + 1 from audit_log").fetchone()
        connection.execute(
            "insert into audit_log values (?, ?, ?, ?, ?, ?)",
            (
                number,
                drawn_uuid(call.bank.world.config.seed, "audit", number),
                instant_text(call.now),
                acting_member(call),
                action,
                json.dumps(dict(details), sort_keys=True),
            ),
        )


def last_sign_in(bank: SimulatedBank, who: Member, now: datetime) -> str | None:
    """When a person last signed in, as the API shows it; None when that is long ago, or for a service user."""
    for ago in range(_SIGN_IN_REACHES_BACK_DAYS):
        for past in past_entries(bank.world.config, now.date() - timedelta(days=ago)):
            if past.member_id == who.id and past.action == SIGNED_IN and past.at <= now and who.active_at(past.at):
                return instant_text(past.at)
    return None


def list_audit_logs(call: Call) -> Response:
    """GET /api/v1/team/audit-logs/, newest first."""
    return _listing(call, "audit logs", None)


def list_member_audit_logs(call: Call) -> Response:
    """GET /api/v1/team/members/{member_id}/audit-logs/: what one member did."""
    member_id = call.identifier("member_id")
    if member(call.bank, member_id) is None:
        raise not_found()
    return _listing(call, f"audit logs of {member_id}", member_id)


def export_audit_logs(call: Call) -> Response:
    """GET /api/v1/team/audit-logs.csv, oldest first; `details` is a JSON object."""
    wanted = call.query.identifiers("member_id")
    earliest, latest = _range(call)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_HEADER)
    for entry in _months(call.bank, earliest, latest, wanted)(False, None):
        details = json.dumps(entry.details, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        writer.writerow((entry.id, entry.at, entry.member_id or "", entry.action, details, entry.ip_address or ""))
    return Response(
        text.getvalue().encode(),
        headers={"Content-Disposition": 'attachment; filename="audit-logs.csv"'},
        media_type=delimited.MEDIA_TYPE,
    )


def _listing(call: Call, name: str, member_id: str | None) -> Response:
    limit = call.query.limit(100)
    earliest, latest = _range(call)
    page = cut(
        _months(call.bank, earliest, latest, None if member_id is None else frozenset({member_id})),
        _key,
        cursors=Cursors(call.bank.signing_secret, name, call.filters()),
        cursor=call.query.text("cursor"),
        limit=limit,
        descending=True,
    )
    return json_response(page.as_cursor_list(_shown))


def _shown(entry: Entry) -> Json:
    return {
        "id": entry.id,
        "timestamp": entry.at,
        "member_id": entry.member_id,
        "action": entry.action,
        "details": dict(entry.details),
        "ip_address": entry.ip_address,
    }


def _key(entry: Entry) -> Key:
    return entry.at, entry.id


def _range(call: Call) -> tuple[datetime, datetime]:
    """The first and last instant asked for, both included, within the life of the log so far."""
    opened = datetime.combine(joined_on(call.bank.world.config), time(), tzinfo=UTC)
    earliest, latest = call.query.time("timestamp_from"), call.query.time("timestamp_to")
    return max(opened, earliest or opened), min(call.now, latest or call.now)


def _months(
    bank: SimulatedBank, earliest: datetime, latest: datetime, wanted: frozenset[str] | None
) -> Callable[[bool, Key | None], Iterator[Entry]]:
    """A lazy walk over the log, one calendar month in UTC at a time, from the month of the key on."""

    def walk(descending: bool, start: Key | None) -> Iterator[Entry]:
        low, high = earliest, latest
        if start is not None:
            at = datetime.fromisoformat(start[0])
            low, high = (low, min(high, at)) if descending else (max(low, at), high)
        month = _month_of(high if descending else low)
        while low <= high and _month_of(low) <= month <= _month_of(high):
            entries = [
                entry
                for entry in (*_past(bank, month), *_stored(bank, month))
                if instant_text(low) <= entry.at <= instant_text(high) and (wanted is None or entry.member_id in wanted)
            ]
            yield from sorted(entries, key=_key, reverse=descending)
            month = _month_of(month - timedelta(days=1)) if descending else _next(month)

    return walk


def _month_of(at: datetime) -> datetime:
    return datetime(at.year, at.month, 1, tzinfo=UTC)


def _next(month: datetime) -> datetime:
    return _month_of(month + timedelta(days=31))


def _past(bank: SimulatedBank, month: datetime) -> Iterable[Entry]:
    """What nobody made through the API; a member who was away did not sign in."""
    team = {one.id: one for one in members(bank)}
    day: date = month.date()
    while day < _next(month).date():
        for past in past_entries(bank.world.config, day):
            who = team.get(past.member_id)
            if past.action != SIGNED_IN or (who is not None and who.active_at(past.at)):
                yield Entry(past.id, instant_text(past.at), past.member_id, past.action, past.details, past.ip_address)
        day += timedelta(days=1)
    # What happens in the evening of New York has the UTC date of the day after.
    first, last = month.date() - timedelta(days=1), _next(month).date()
    for past in entries_of_ledger(bank.world, members(bank), first, last, bank.state.now()):
        if month <= past.at < _next(month):
            yield Entry(past.id, instant_text(past.at), past.member_id, past.action, past.details, past.ip_address)


def _stored(bank: SimulatedBank, month: datetime) -> Iterable[Entry]:
    with bank.state.transaction() as connection:
        rows = connection.execute(
            "select id, at, member_id, action, details from audit_log where at >= ? and at < ?",
            (instant_text(month), instant_text(_next(month))),
        ).fetchall()
    return [
        Entry(identifier, at, member_id, action, json.loads(details), None)
        for identifier, at, member_id, action, details in rows
    ]


def _operation(path: str, name: str, answer: Callable[[Call], Response]) -> Operation:
    return Operation("GET", path, name, LimitGroup.TEAM_AUDITS, "team.read", answer)


OPERATIONS: Final = (
    _operation("/api/v1/team/audit-logs/", "list_audit_logs", list_audit_logs),
    _operation("/api/v1/team/audit-logs.csv", "export_audit_logs", export_audit_logs),
    _operation("/api/v1/team/members/{member_id}/audit-logs/", "list_member_audit_logs", list_member_audit_logs),
)

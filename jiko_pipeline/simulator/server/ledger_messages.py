"""What the ledger makes the bank say: events of wires and on-us transfers, notifications of statements and large wires.

Belongs here: the messages of a span of New York days, computed from the ledger and never stored, and lazy walks
over months of them. Does not belong here: messages that API calls cause, answers (`events`, `notifications`).

A message has the same id whenever it is computed. Its id is drawn from its type and its subject as that of a
message caused by a call is, so the same happening told twice is one message.
"""

import calendar
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, TypeVar

from jiko_pipeline import calendars
from jiko_pipeline.simulator.documents.numbers import instant_text, money_text
from jiko_pipeline.simulator.draws import Draws, drawn_uuid
from jiko_pipeline.simulator.model import Transaction
from jiko_pipeline.simulator.server.paging import Key
from jiko_pipeline.simulator.world import World

LARGE_WIRE_CENTS: Final = 100_000_000
"""From this amount on a wire is notified: 1,000,000.00 USD."""

_SETTLES_WITHIN: Final = timedelta(days=8)
"""No movement settles later than this after it was made."""

_REFUSED_WIRES_PERCENT: Final = 4
"""How often a wire for a pocket arrives that the bank sends back, of a hundred business days."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: what a webhook tells."""

    event_id: str
    at: datetime
    event_type: str
    payload: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Notification:
    """Something that a person of the customer should read."""

    id: str
    at: datetime
    type: str
    title: str
    description: str
    metadata: Mapping[str, object]


Message = TypeVar("Message", Event, Notification)
Told = TypeVar("Told")


def message_key(message: Event | Notification) -> Key:
    """The place of a message in the order of its kind."""
    return instant_text(message.at), message.event_id if isinstance(message, Event) else message.id


def event_id_of(seed: int, event_type: str, subject_id: str) -> str:
    """The id of the event of a type about a subject: there is one."""
    return drawn_uuid(seed, "event", event_type, subject_id)


def notification_id_of(seed: int, kind: str, subject_id: str) -> str:
    """The id of the notification of a kind about a subject: there is one."""
    return drawn_uuid(seed, "notification", kind, subject_id)


def ledger_events(world: World, first: date, last: date) -> list[Event]:
    """The events of the New York days `first` to `last`, in the order of `message_key`."""
    found = [
        event
        for transaction in world.transactions(first - _SETTLES_WITHIN, last)
        for event in _events_of(world.config.seed, transaction)
    ]
    found += _refused_wires(world, first, last)
    return _ordered(found, first, last)


def _events_of(seed: int, row: Transaction) -> Iterator[Event]:
    def event(name: str, at: datetime, subject: str, payload: Mapping[str, object]) -> Event:
        return Event(event_id_of(seed, name, subject), at, name, payload)

    if row.type == "WIRE":
        wire = {"wire_id": row.transaction_id}
        if row.credit:
            yield event("transfers.wire.in.success", row.settled_at, row.transaction_id, wire)
        else:
            yield event("transfers.wire.out.processing", row.booked_at, row.transaction_id, wire)
            yield event("transfers.wire.out.success", row.settled_at, row.transaction_id, wire)
    elif row.type == "ON_US":
        transfer = str(row.details["on_us_transfer_id"])
        if row.credit:
            payload = {
                "on_us_id": transfer,
                "transaction_activity_id": row.id,
                "receiving_pocket_id": row.pocket_id,
            }
            yield event("transfers.on-us.received", row.settled_at, transfer, payload)
        else:
            yield event("transfers.on-us.processing", row.booked_at, transfer, {"on_us_id": transfer})
            yield event("transfers.on-us.success", row.settled_at, transfer, {"on_us_id": transfer})


def _refused_wires(world: World, first: date, last: date) -> Iterator[Event]:
    """Wires that came and were sent back; they move nothing, so the ledger does not know them."""
    seed = world.config.seed
    for day in calendars.fed_business_days(first, last):
        for pocket in world.pockets(day):
            if pocket.opened_on == day or (pocket.closed_on is not None and pocket.closed_on <= day):
                continue
            draws = Draws(seed, "refused wire", pocket.id, day)
            if not draws.happens(_REFUSED_WIRES_PERCENT):
                continue
            minute = draws.between(9 * 60, 18 * 60)
            at = calendars.new_york_instant(day, time(minute // 60, minute % 60, draws.below(60)))
            wire_id = drawn_uuid(seed, "refused wire", pocket.id, day)
            name = "transfers.wire.in.rejected"
            yield Event(event_id_of(seed, name, wire_id), at, name, {"wire_id": wire_id})


def ledger_notifications(world: World, first: date, last: date) -> list[Notification]:
    """The notifications of the New York days `first` to `last`, in the order of `message_key`."""
    seed = world.config.seed
    names = {pocket.id: pocket.name for pocket in world.pockets(last)}
    found: list[Notification] = []
    for row in world.transactions(first - _SETTLES_WITHIN, last):
        if row.type == "WIRE" and row.amount_cents >= LARGE_WIRE_CENTS:
            kind = "LARGE_WIRE_RECEIVED" if row.credit else "LARGE_WIRE_SENT"
            words = "received for" if row.credit else "sent from"
            found.append(
                Notification(
                    notification_id_of(seed, kind, row.transaction_id),
                    row.settled_at,
                    kind,
                    f"Large wire {'received' if row.credit else 'sent'}",
                    f"A wire of USD {money_text(row.amount_cents)} was {words} {names.get(row.pocket_id, 'a pocket')}.",
                    {"wire_id": row.transaction_id, "pocket_id": row.pocket_id},
                )
            )
    made_at: dict[str, datetime] = {}
    for statement in world.monthly_statements(last):
        made_at[statement.key] = max(statement.created_at, made_at.get(statement.key, statement.created_at))
    for period, at in made_at.items():
        kind = "MONTHLY_STATEMENTS_READY"
        found.append(
            Notification(
                notification_id_of(seed, kind, period),
                at,
                kind,
                "Monthly statements are ready",
                f"The bank and brokerage statements of {period} are ready.",
                {"key": period},
            )
        )
    return _ordered(found, first, last)


def _ordered(found: Iterable[Message], first: date, last: date) -> list[Message]:
    start, end = calendars.day_bounds(first)[0], calendars.day_bounds(last)[1]
    return sorted((message for message in found if start <= message.at < end), key=message_key)


def months_walk(
    ask: Callable[[date, date], Iterable[Told]], first: date, last: date
) -> Callable[[bool, Key | None], Iterator[Told]]:
    """A lazy walk for `paging.cut`: what a calendar month has to tell at a time, from the month of the key on.

    `ask` gives what a span of New York days has to tell in the order of (time, id), as `message_key` has it.
    """

    def walk(descending: bool, start: Key | None) -> Iterator[Told]:
        low, high = first, last
        if start is not None:
            day = calendars.new_york_date(datetime.fromisoformat(start[0]))
            low, high = (low, min(high, day)) if descending else (max(low, day), high)
        while low <= high:
            edge = high if descending else low
            month_first = edge.replace(day=1)
            month_last = edge.replace(day=calendar.monthrange(edge.year, edge.month)[1])
            chunk = list(ask(max(low, month_first), min(high, month_last)))
            yield from reversed(chunk) if descending else chunk
            if descending:
                high = month_first - timedelta(days=1)
            else:
                low = month_last + timedelta(days=1)

    return walk

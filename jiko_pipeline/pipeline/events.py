"""Events: which days have to be made again because something happened at the bank.

Belongs here: polling the events into the archive and the inbox, the days an event concerns, which of them are over
and due. Does not belong here: receiving webhooks (`jiko_pipeline.webhooks`), making the days (`steps`), asking for
runs (`jiko_pipeline.orchestration`).

Polling and webhooks meet in the inbox, which keeps every event once. A reader remembers an `EventCursor`; one that
is read twice gives the same days under the same keys.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, Self

from jiko_pipeline import calendars
from jiko_pipeline.bank import listings
from jiko_pipeline.formats.own_names import in_names_of_ours
from jiko_pipeline.formats.pages import items_of
from jiko_pipeline.pipeline.expected import utc_now
from jiko_pipeline.pipeline.fetching import Desk, open_desk
from jiko_pipeline.settings import Settings
from jiko_pipeline.webhooks.event import BankEvent, UnreadableEventError, read_event
from jiko_pipeline.webhooks.inbox import Inbox

EVENTS: Final = "EVENTS"
_OVERLAP: Final = timedelta(hours=1)
"""How far back is asked again: an event may be listed later than one that happened after it."""


@dataclass(frozen=True, slots=True)
class EventCursor:
    """How far the events have been acted on.

    `polled_to` is the latest event seen in the listing, `number` the last one taken out of the inbox, `waiting` the
    days that events concern and that are not over, each with the last event that concerns it.
    """

    polled_to: datetime | None = None
    number: int = 0
    waiting: Mapping[date, str] = field(default_factory=dict)

    def to_text(self) -> str:
        """As text, for whoever keeps it."""
        return json.dumps(
            {
                "polled_to": None if self.polled_to is None else self.polled_to.isoformat(),
                "number": self.number,
                "waiting": {day.isoformat(): event_id for day, event_id in sorted(self.waiting.items())},
            }
        )

    @classmethod
    def from_text(cls, text: str | None) -> Self:
        """The cursor of such a text; a new one for None. Raises ValueError for any other text."""
        if text is None:
            return cls()
        stated: dict[str, Any] = json.loads(text)
        polled_to = stated["polled_to"]
        return cls(
            None if polled_to is None else datetime.fromisoformat(polled_to),
            int(stated["number"]),
            {date.fromisoformat(day): event_id for day, event_id in stated["waiting"].items()},
        )


@dataclass(frozen=True, slots=True)
class DueDay:
    """A day that is over and has to be made again. `key` is the same however often it is asked for."""

    day: date
    event_id: str
    pocket_ids: tuple[str, ...]

    @property
    def key(self) -> str:
        """Names the last event that concerns the day, and the day."""
        return f"event-{self.event_id}-{self.day}"


@dataclass(frozen=True, slots=True)
class EventsSeen:
    """What a look at the events gave: the days that are due, oldest first, and the cursor to go on with.

    `new` counts the events that the cursor had not seen; `unreadable` those of the listing that are no events.
    """

    cursor: EventCursor
    due: tuple[DueDay, ...]
    new: int
    unreadable: int


def look_at_events(settings: Settings, cursor: EventCursor, *, now: datetime | None = None) -> EventsSeen:
    """Polls the bank, takes what the inbox holds since `cursor`, and says which days are due.

    Without a cursor the events of the day before are the first. Days before `JIKO_START_DATE` are left out. A day
    is due once it has ended in New York, when its partition exists; until then the new cursor remembers it.
    """
    now = now or utc_now()
    today = calendars.new_york_date(now)
    inbox = Inbox(settings.event_inbox_file)
    with open_desk(settings) as desk:
        polled_to, unreadable = poll_events(desk, inbox, cursor.polled_to, now)
    received = inbox.after(cursor.number)
    concerned: dict[date, str] = dict(cursor.waiting)
    pockets: dict[date, set[str]] = {}
    # The last event of a day names its run: were the cursor lost, the same events would give the same name.
    for event in sorted((item.event for item in received), key=lambda event: (event.at, event.event_id)):
        for day in days_of(settings, event):
            if day >= settings.start_date:
                concerned[day] = event.event_id
                pockets.setdefault(day, set()).update(pockets_of(event))
    due = tuple(
        DueDay(day, event_id, tuple(sorted(pockets.get(day, ()))))
        for day, event_id in sorted(concerned.items())
        if day < today
    )
    waiting = {day: event_id for day, event_id in concerned.items() if day >= today}
    number = received[-1].number if received else cursor.number
    return EventsSeen(EventCursor(polled_to, number, waiting), due, len(received), unreadable)


def poll_events(desk: Desk, inbox: Inbox, polled_to: datetime | None, now: datetime) -> tuple[datetime, int]:
    """Lists the events since `polled_to` into the inbox; (the latest one's time, how many are unreadable).

    Pages without a new event are not archived: a poll in which nothing has happened leaves nothing behind.
    """
    today = calendars.new_york_date(now)
    if polled_to is None:
        first = today - timedelta(days=1)
        polled_to = calendars.day_bounds(first)[0]
    else:
        first = min(calendars.new_york_date(polled_to - _OVERLAP), today)
    pages = list(desk.bank.pages(listings.events(first, today)))
    bodies: dict[str, bytes] = {}
    unreadable = 0
    for page in pages:
        (body,) = in_names_of_ours(EVENTS, [page.body], desk.bank.contract)
        for item in items_of(body, page.number):
            try:
                event = read_event(item.get("event"))
            except UnreadableEventError:
                unreadable += 1
                continue
            # An event of the future must not make the next look begin after what happens until then.
            polled_to = max(polled_to, min(event.at, now))
            bodies[event.event_id] = json.dumps(item["event"], default=str, sort_keys=True).encode()
    unknown = inbox.unknown(bodies)
    if unknown:
        desk.keep(EVENTS, pages, first=first, last=today)
        inbox.put(*(body for event_id, body in bodies.items() if event_id in unknown))
    return polled_to, unreadable


def days_of(settings: Settings, event: BankEvent) -> tuple[date, ...]:
    """The New York day of an event and, where it is later, the business day on which its money is booked."""
    day = calendars.new_york_date(event.at)
    booked = calendars.business_date_of(event.at, settings.business_day_end)
    return (day,) if booked == day else (day, booked)


def pockets_of(event: BankEvent) -> tuple[str, ...]:
    """The pockets that an event names; most name none."""
    pocket_id = event.payload.get("receiving_pocket_id")
    return (pocket_id,) if isinstance(pocket_id, str) else ()

"""An event of the bank, as a webhook's body and the listing of events both state it.

Belongs here: reading one. Does not belong here: its signature (`signature`), which days it concerns
(`jiko_pipeline.pipeline.events`).

Source: Jiko's description of EventDetails; the set of event types is open and unknown fields are allowed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

_LONGEST_NAME: Final = 200
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 9998
"""Between these years every instant has a New York day and a business day after it."""


class UnreadableEventError(ValueError):
    """What came is no event. The message names the place, never the content."""


@dataclass(frozen=True, slots=True)
class BankEvent:
    """Something that happened at the bank: `at` is UTC, `payload` depends on the type."""

    event_id: str
    event_type: str
    at: datetime
    payload: Mapping[str, Any]


def parse_event(body: bytes) -> BankEvent:
    """The event of a webhook's body. Raises UnreadableEventError."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableEventError("The body is not JSON.") from None
    return read_event(document)


def read_event(document: object) -> BankEvent:
    """The event of a JSON value. Raises UnreadableEventError."""
    if not isinstance(document, dict):
        raise UnreadableEventError("The event is no JSON object.")
    payload = document.get("payload")
    if not isinstance(payload, dict):
        raise UnreadableEventError("The event has no payload.")
    return BankEvent(
        _name(document, "event_id"), _name(document, "event_type"), _instant(document.get("timestamp")), payload
    )


def _name(document: Mapping[str, Any], field: str) -> str:
    value = document.get(field)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME or not value.isprintable():
        raise UnreadableEventError(f"The event has no usable {field}.")
    return value


def _instant(value: object) -> datetime:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        if at is not None and at.tzinfo is not None and _FIRST_YEAR <= at.year <= _LAST_YEAR:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # told below, in the same words as a time without a zone
    raise UnreadableEventError("The event has no usable timestamp with a zone.")

"""Refusals as Jiko words them, and the spelling of values in JSON answers.

Belongs here: FastAPI-like validation errors, the other refusals, money and time in JSON. Does not belong
here: when something is refused.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jiko_pipeline.simulator.documents.numbers import instant_text

Json = dict[str, Any]


class RefusedError(Exception):
    """An answer other than success: status, body and headers."""

    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"refused with status {status}")
        self.status = status
        self.body = dict(body)
        self.headers = dict(headers or {})


def not_found() -> RefusedError:
    """404."""
    return RefusedError(404, {"detail": "Not Found"})


def invalid(
    place: str, name: str, message: str, kind: str, value: object = None, context: Json | None = None
) -> RefusedError:
    """422 about one field; `place` is query, path or body."""
    item: Json = {"type": kind, "loc": [place, name], "msg": message, "input": value}
    if context is not None:
        item["ctx"] = context
    return RefusedError(422, {"detail": [item]})


def amount(cents: int) -> Json:
    """Money as the API shows it: unsigned cents and a display string."""
    sign = "-" if cents < 0 else ""
    return {
        "value": cents,
        "currency": "USD",
        "formatted": f"{sign}${abs(cents) // 100:,}.{abs(cents) % 100:02d}",
    }


def instant(at: datetime | None) -> str | None:
    """A time as the API shows it, or null."""
    return None if at is None else instant_text(at)

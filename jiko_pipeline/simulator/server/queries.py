"""Query parameters of the listings: bracketed arrays, dates, times, whole numbers.

Belongs here: reading them and refusing them with 422 as FastAPI would. Unknown parameters are ignored, as
FastAPI does. Does not belong here: what they select.
"""

import re
from datetime import UTC, date, datetime
from uuid import UUID

from starlette.datastructures import QueryParams

from jiko_pipeline.simulator.server.answers import invalid

_WHOLE_NUMBER = re.compile(r"-?\d{1,18}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Query:
    """The parameters of one request; every method raises RefusedError(422) for a value it cannot read."""

    def __init__(self, parameters: QueryParams) -> None:
        self._parameters = parameters

    def text(self, name: str) -> str | None:
        """A parameter as it stands; None when absent or empty."""
        return self._parameters.get(name) or None

    def choice(self, name: str, *choices: str) -> str | None:
        """One of `choices`, or None when absent."""
        value = self.text(name)
        if value is not None and value not in choices:
            expected = " or ".join(repr(choice) for choice in choices)
            raise invalid("query", name, f"Input should be {expected}", "enum", value, {"expected": expected})
        return value

    def array(self, *names: str) -> frozenset[str] | None:
        """All values of a repeated parameter under any of its spellings; None when absent."""
        values = [value for name in names for value in self._parameters.getlist(name)]
        return frozenset(values) if values else None

    def identifiers(self, *names: str) -> frozenset[str] | None:
        """`array` of UUIDs, in lower case."""
        values = self.array(*names)
        return None if values is None else frozenset(_uuid(names[0], value) for value in values)

    def number(self, name: str, default: int | None = None) -> int | None:
        """A whole number."""
        value = self.text(name)
        if value is None:
            return default
        if not _WHOLE_NUMBER.fullmatch(value):
            raise invalid("query", name, "Input should be a valid integer", "int_parsing", value)
        return int(value)

    def limit(self, default: int) -> int:
        """The page size, 1 to 100."""
        value = self.number("limit", default)
        assert value is not None
        if value < 1:
            message = "Input should be greater than or equal to 1"
            raise invalid("query", "limit", message, "greater_than_equal", str(value), {"ge": 1})
        if value > 100:
            message = "Input should be less than or equal to 100"
            raise invalid("query", "limit", message, "less_than_equal", str(value), {"le": 100})
        return value

    def day(self, name: str) -> date | None:
        """A date YYYY-MM-DD."""
        value = self.text(name)
        if value is None:
            return None
        try:
            if not _DATE.fullmatch(value):
                raise ValueError(value)
            return date.fromisoformat(value)
        except ValueError:
            raise invalid("query", name, "Input should be a valid date", "date_parsing", value) from None

    def time(self, name: str) -> datetime | None:
        """A date-time in ISO 8601; one without a zone is taken as UTC."""
        value = self.text(name)
        if value is None:
            return None
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            message = "Input should be a valid datetime"
            raise invalid("query", name, message, "datetime_parsing", value) from None
        try:
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        except OverflowError:
            message = "Input should be a valid datetime"
            raise invalid("query", name, message, "datetime_parsing", value) from None


def _uuid(name: str, value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        raise invalid("query", name, "Input should be a valid UUID", "uuid_parsing", value) from None

"""Request bodies: JSON read and refused as FastAPI with pydantic would, and broken business rules.

Belongs here: the fields of a body, each read with its checks, and the two kinds of 422. Fields nobody asks for
are ignored, as pydantic does. The first wrong field is named, not all of them. Does not belong here: which
rules there are (the module of each subject).
"""

import json
import math
import re
from collections.abc import Callable
from datetime import date
from typing import Any, Final
from uuid import UUID

from jiko_pipeline.simulator.draws import drawn_uuid
from jiko_pipeline.simulator.server.answers import Json, RefusedError
from jiko_pipeline.simulator.server.bank import Call

Location = tuple[str | int, ...]
LARGEST_NUMBER: Final = 2**63 - 1
"""Whole numbers beyond what a database keeps are refused."""

_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
"""What no line of a statement can carry; XML 1.0 knows most of it not at all."""
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def wrong(
    location: Location, message: str, kind: str, value: object = None, context: Json | None = None
) -> RefusedError:
    """422 about the field at `location`, which begins with "body"."""
    item: Json = {"type": kind, "loc": list(location), "msg": message, "input": value}
    if context is not None:
        item["ctx"] = context
    return RefusedError(422, {"detail": [item]})


def rule_broken(call: Call, rule: str, sentence: str, status: int = 422) -> RefusedError:
    """A business rule was broken: a ProblemError. `rule` is a word of the rule, in kebab case."""
    number = call.bank.state.counts().get("rules_broken", 0) + 1
    call.bank.state.count("rules_broken")
    return RefusedError(
        status,
        {
            "type": rule,
            "instance": call.request.url.path,
            "detail": sentence,
            "trace_id": drawn_uuid(call.bank.world.config.seed, "trace", number),
        },
    )


def read_body(call: Call) -> "Body":
    """The JSON object of a request. Raises RefusedError(422) when the body is none."""
    media_type = call.request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if not call.body:
        raise wrong(("body",), "Field required", "missing")
    if media_type != "application/json" and not re.fullmatch(r"application/[^\s]+\+json", media_type):
        message = "Input should be a valid dictionary or object to extract fields from"
        raise wrong(("body",), message, "model_attributes_type", call.body[:200].decode("utf-8", "replace"))
    return Body(_object(_parsed(call.body), ("body",)), ("body",))


def _parsed(body: bytes) -> Any:
    try:
        value = json.loads(body, parse_constant=_no_constant, parse_float=_finite)
        # JSON may spell half of a surrogate pair, which is no text.
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise wrong(("body", error.pos), "JSON decode error", "json_invalid", {}, {"error": error.msg}) from None
    except (ValueError, RecursionError):
        context = {"error": "a value that cannot be read"}
        raise wrong(("body", 0), "JSON decode error", "json_invalid", {}, context) from None
    return value


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _object(value: Any, location: Location) -> dict[str, Any]:
    if not isinstance(value, dict):
        message = "Input should be a valid dictionary or object to extract fields from"
        raise wrong(location, message, "model_attributes_type", value)
    return value


class Body:
    """The fields of one JSON object.

    A method without `optional_` refuses an absent field, one with it gives None for a field that is absent or
    null. Every method raises RefusedError(422) that names the place of what it cannot read.
    """

    def __init__(self, fields: dict[str, Any], location: Location) -> None:
        self.fields = fields
        self.location = location

    def __contains__(self, name: str) -> bool:
        """True for a field that was sent, null included."""
        return name in self.fields

    def at(self, name: str) -> Location:
        """The location of a field, for a refusal of its value by `wrong`."""
        return (*self.location, name)

    def text(self, name: str, *, shortest: int = 0, longest: int | None = None) -> str:
        """A string with so many characters, none of which is a control character."""
        return _text(self._required(name), self.at(name), shortest, longest)

    def optional_text(self, name: str, *, shortest: int = 0, longest: int | None = None) -> str | None:
        """`text` or None."""
        return None if self._absent(name) else self.text(name, shortest=shortest, longest=longest)

    def choice(self, name: str, *choices: str) -> str:
        """One of `choices`."""
        return _choice(self._required(name), self.at(name), choices)

    def optional_choice(self, name: str, *choices: str) -> str | None:
        """`choice` or None."""
        return None if self._absent(name) else self.choice(name, *choices)

    def number(self, name: str, *, least: int = -LARGEST_NUMBER, most: int = LARGEST_NUMBER) -> int:
        """A whole number in [least, most]; 3.0 is one, "3" and true are none."""
        return _number(self._required(name), self.at(name), least, most)

    def optional_number(self, name: str, *, least: int = -LARGEST_NUMBER, most: int = LARGEST_NUMBER) -> int | None:
        """`number` or None."""
        return None if self._absent(name) else self.number(name, least=least, most=most)

    def real(self, name: str, *, least: float = 0.0) -> float:
        """A number, whole or not, of at least `least`; for factors, never for money."""
        value, location = self._required(name), self.at(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong(location, "Input should be a valid number", "float_type", value)
        if value < least:
            message = f"Input should be greater than or equal to {least:g}"
            raise wrong(location, message, "greater_than_equal", value, {"ge": least})
        return float(min(value, LARGEST_NUMBER))

    def optional_real(self, name: str, *, least: float = 0.0) -> float | None:
        """`real` or None."""
        return None if self._absent(name) else self.real(name, least=least)

    def identifier(self, name: str) -> str:
        """A UUID, in lower case with hyphens."""
        return _identifier(self._required(name), self.at(name))

    def optional_identifier(self, name: str) -> str | None:
        """`identifier` or None."""
        return None if self._absent(name) else self.identifier(name)

    def day(self, name: str) -> date:
        """A date YYYY-MM-DD."""
        value, location = self._required(name), self.at(name)
        text = _text(value, location, 0, None)
        try:
            if not _DATE.fullmatch(text):
                raise ValueError(text)
            return date.fromisoformat(text)
        except ValueError:
            message = "Input should be a valid date in the format YYYY-MM-DD"
            raise wrong(location, message, "date_from_datetime_parsing", value) from None

    def optional_day(self, name: str) -> date | None:
        """`day` or None."""
        return None if self._absent(name) else self.day(name)

    def object(self, name: str) -> "Body":
        """A nested object."""
        location = self.at(name)
        return Body(_object(self._required(name), location), location)

    def optional_object(self, name: str) -> "Body | None":
        """`object` or None."""
        return None if self._absent(name) else self.object(name)

    def texts(self, name: str, *, shortest: int = 0, fewest: int = 0) -> list[str]:
        """An array of strings, each of at least `shortest` characters."""
        return self._array(name, fewest, lambda value, at: _text(value, at, shortest, None))

    def choices(self, name: str, *choices: str, fewest: int = 0) -> list[str]:
        """An array of values out of `choices`."""
        return self._array(name, fewest, lambda value, at: _choice(value, at, choices))

    def numbers(
        self, name: str, *, least: int = -LARGEST_NUMBER, most: int = LARGEST_NUMBER, fewest: int = 0
    ) -> list[int]:
        """An array of whole numbers in [least, most]."""
        return self._array(name, fewest, lambda value, at: _number(value, at, least, most))

    def identifiers(self, name: str, *, fewest: int = 0) -> list[str]:
        """An array of UUIDs."""
        return self._array(name, fewest, _identifier)

    def objects(self, name: str, *, fewest: int = 0) -> "list[Body]":
        """An array of objects."""
        return self._array(name, fewest, lambda value, at: Body(_object(value, at), at))

    def _array(self, name: str, fewest: int, read: Callable[[Any, Location], Any]) -> list[Any]:
        values, location = self._required(name), self.at(name)
        if not isinstance(values, list):
            raise wrong(location, "Input should be a valid list", "list_type", values)
        if len(values) < fewest:
            items = "item" if fewest == 1 else "items"
            message = f"List should have at least {fewest} {items} after validation, not {len(values)}"
            context = {"field_type": "List", "min_length": fewest, "actual_length": len(values)}
            raise wrong(location, message, "too_short", values, context)
        return [read(value, (*location, place)) for place, value in enumerate(values)]

    def _absent(self, name: str) -> bool:
        return self.fields.get(name) is None

    def _required(self, name: str) -> Any:
        if name not in self.fields:
            raise wrong(self.at(name), "Field required", "missing", self.fields)
        return self.fields[name]


def _text(value: Any, location: Location, shortest: int, longest: int | None) -> str:
    if not isinstance(value, str):
        raise wrong(location, "Input should be a valid string", "string_type", value)
    if _UNPRINTABLE.search(value):
        raise wrong(location, "Value error, control characters are not allowed", "value_error", value)
    if len(value) < shortest:
        message = f"String should have at least {shortest} character{'s' if shortest != 1 else ''}"
        raise wrong(location, message, "string_too_short", value, {"min_length": shortest})
    if longest is not None and len(value) > longest:
        message = f"String should have at most {longest} character{'s' if longest != 1 else ''}"
        raise wrong(location, message, "string_too_long", value, {"max_length": longest})
    return value


def _choice(value: Any, location: Location, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        shown = [repr(choice) for choice in choices]
        expected = " or ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
        raise wrong(location, f"Input should be {expected}", "enum", value, {"expected": expected})
    return value


def _number(value: Any, location: Location, least: int, most: int) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        kind = "int_from_float" if isinstance(value, float) else "int_type"
        raise wrong(location, "Input should be a valid integer", kind, value)
    if value < least:
        message = f"Input should be greater than or equal to {least}"
        raise wrong(location, message, "greater_than_equal", value, {"ge": least})
    if value > most:
        raise wrong(location, f"Input should be less than or equal to {most}", "less_than_equal", value, {"le": most})
    return value


def _identifier(value: Any, location: Location) -> str:
    try:
        return str(UUID(_text(value, location, 0, None)))
    except ValueError:
        raise wrong(location, "Input should be a valid UUID", "uuid_parsing", value) from None

"""What the models share: unknown fields, open words, money, decimals, times, and names that differ at a bank.

Belongs here: the base class and the types of single values. Does not belong here: what Jiko sends and takes (the
modules of its subjects).

No number with a point becomes a float: `jiko_pipeline.bank.api.json_value` leaves it as text, and `DecimalText`
reads text alone. No validation error shows what was sent.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    Strict,
    ValidationInfo,
    model_serializer,
    model_validator,
)

_DECIMAL: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SHOWN: Final = re.compile(r"[-+(]?\s*\$?\s*(?P<dollars>[0-9]{1,3}(,[0-9]{3})*|[0-9]+)\.(?P<cents>[0-9]{2})\s*\)?")


class Model(BaseModel):
    """A JSON object of the API. Immutable; fields that we do not know are kept (`model_extra`)."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _our_names(cls, value: object, info: ValidationInfo) -> object:
        theirs = _names(cls, info.context)
        if not theirs or not isinstance(value, Mapping):
            return value
        ours = {wire: own for own, wire in theirs.items()}
        return {ours.get(name, name): item for name, item in value.items()}

    @model_serializer(mode="wrap")
    def _their_names(self, serialize: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        document: dict[str, Any] = serialize(self)
        theirs = _names(type(self), info.context)
        return {theirs.get(name, name): item for name, item in document.items()} if theirs else document

    def body(self, names: Mapping[str, str]) -> dict[str, Any]:
        """The JSON object that is sent: without what is not known. `names` are those of `Contract.names`."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, context=names)


class Change(Model):
    """A JSON object of which only what was given is sent, null included: the rest stays as it is."""

    def body(self, names: Mapping[str, str]) -> dict[str, Any]:
        """The JSON object that is sent. `names` are those of `Contract.names`."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True, context=names)


def _names(model: type[BaseModel], names: object) -> dict[str, str]:
    """Our name to theirs, for the fields of one model; `names` has `Model.field` as keys."""
    if not names or not isinstance(names, Mapping):
        return {}
    classes = {base.__name__ for base in model.__mro__}
    split = ((own.rpartition("."), wire) for own, wire in names.items())
    return {field: wire for (place, _, field), wire in split if place in classes}


@dataclass(frozen=True, slots=True)
class Known:
    """Marks a word whose known values are `words`; others are kept as they are."""

    words: tuple[str, ...]


def _id(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value


def _decimal(value: object) -> object:
    if isinstance(value, Decimal) and value.is_finite():
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    raise ValueError("not a decimal number")


def _day(value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        return date.fromisoformat(value)
    raise ValueError("not a day as YYYY-MM-DD")


def _instant(value: object) -> object:
    if isinstance(value, str) and len(value) > 10:
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    raise ValueError("not a time with a zone (ISO 8601)")


def instant_text(value: datetime) -> str:
    """An aware time as it goes over the wire. Raises ValueError for one without a zone."""
    if value.tzinfo is None:
        raise ValueError("a time needs its zone")
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


Identifier = Annotated[str, BeforeValidator(_id), Field(min_length=1, max_length=128)]
"""A UUID or a code; a `uuid.UUID` is taken too."""
Whole = Annotated[int, Strict()]
Flag = Annotated[bool, Strict()]
DecimalText = Annotated[Decimal, BeforeValidator(_decimal), PlainSerializer(str, return_type=str)]
"""A decimal number, exact; on the wire a string (a JSON number is read as well)."""
Day = Annotated[date, BeforeValidator(_day)]
Instant = Annotated[datetime, BeforeValidator(_instant), PlainSerializer(instant_text, return_type=str)]
"""An aware time, UTC."""
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Direction = Annotated[str, Known(("DEBIT", "CREDIT"))]


class Money(Model):
    """An amount: whole cents (minor units) and their currency. `formatted` is for people and never read for money;
    where it states dollars and cents of USD, it must agree with `cents`.

    Jiko does not say what a sign means; use the direction or the activity beside it.
    """

    cents: Whole = Field(alias="value")
    currency: Currency
    formatted: str = ""

    @model_validator(mode="after")
    def _figures_agree(self) -> Self:
        shown = _SHOWN.fullmatch(self.formatted.strip())
        if self.currency == "USD" and shown is not None:
            stated = int(shown["dollars"].replace(",", "")) * 100 + int(shown["cents"])
            if stated != abs(self.cents):
                raise ValueError("value and formatted disagree")
        return self


def kind_of(field: str, *known: str) -> Discriminator:
    """Chooses between models by the word in `field`; any other word than `known` means the tag `other`."""

    def tag(value: object) -> str:
        word = value.get(field) if isinstance(value, Mapping) else getattr(value, field, None)
        return word if isinstance(word, str) and word in known else "other"

    return Discriminator(tag)


class Address(Model):
    """A postal address; `country` is ISO 3166 alpha-2."""

    street_address: str
    street_address2: str | None = None
    city: str
    postal_code: str
    state: str | None = None
    country: str

"""How a JSON document differs from the model that the contract has for it: pure functions, names only.

Belongs here: comparing a document with an annotation as pydantic has it: models with required and optional fields,
lists, unions with a discriminator, open words (`Known`), literals, enums, null. Does not belong here: where documents
come from, CSV.

A value is never part of a difference. The one exception is a word that the contract does not know, and only when it
looks like a word.
"""

import re
import types
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from functools import cache
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Discriminator, Tag, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from jiko_pipeline.bank.client.models.base import Known

_SHOWN: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_LISTS: Final = (list, tuple, Sequence, set, frozenset, AbstractSet)
_NULL: Final = type(None)
_PLAIN: Final = (str, int, float, bool)


class Kind(StrEnum):
    """What differs."""

    UNKNOWN_FIELD = "unknown field"
    MISSING_FIELD = "missing field"
    NEW_WORD = "new word"
    NULL = "null"
    TYPE = "type"
    FORM = "form"
    STATUS = "status"
    REDIRECT = "redirect"
    HEADER = "header"


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One difference: `place` is a path of field names (`items[].amount`), `what` says in names what differs."""

    place: str
    kind: Kind
    what: str


def shown(word: object) -> str:
    """`word` when it looks like a name, else `?`: a value must not slip out as one."""
    return word if isinstance(word, str) and _SHOWN.fullmatch(word) else "?"


def differences(
    expected: Any, document: object, place: str = "", names: Mapping[str, str] | None = None
) -> list[Difference]:
    """How `document` (parsed JSON) differs from `expected`, a model or any annotation, each difference once.

    `names` are a bank's own names of fields by `Model.field` (`Contract.names`). What the walk takes for equal and
    the model would nevertheless refuse is a difference of the kind FORM.
    """
    names = names or {}
    found = dict.fromkeys(_compare(expected, (), document, place, names))
    if not found:
        try:
            _adapter(expected).validate_python(document, context=names)
        except ValidationError as error:
            problems = error.errors(include_input=False, include_context=False, include_url=False)
            for problem in problems:
                at = _joined(place, problem["loc"])
                found[Difference(at, Kind.FORM, "is refused by the contract's model")] = None
    return list(found)


def _joined(place: str, location: tuple[int | str, ...]) -> str:
    for part in location:
        place = f"{place}[]" if isinstance(part, int) else _below(place, part)
    return place or "the whole"


def _below(place: str, name: str) -> str:
    return f"{place}.{shown(name)}" if place else shown(name)


def _compare(
    annotation: Any, metadata: Sequence[Any], value: object, place: str, names: Mapping[str, str]
) -> Iterator[Difference]:
    """Differences of `value` from an annotation whose `Annotated` parts so far are `metadata`."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        yield from _compare(inner, (*more, *metadata), value, place, names)
    elif get_origin(annotation) in (Union, types.UnionType):
        yield from _compare_union(get_args(annotation), metadata, value, place, names)
    elif annotation is Any:
        return
    elif value is None and annotation is not _NULL:
        yield Difference(place, Kind.NULL, "null where the contract has a value")
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _compare_model(annotation, value, place, names)
    elif get_origin(annotation) in _LISTS:
        yield from _compare_list(get_args(annotation), value, place, names)
    else:
        yield from _compare_single(annotation, metadata, value, place)


def _compare_union(
    members: Sequence[Any], metadata: Sequence[Any], value: object, place: str, names: Mapping[str, str]
) -> Iterator[Difference]:
    if value is None and _NULL in members:
        return
    choices = [member for member in members if member is not _NULL]
    discriminator = next((item for item in metadata if isinstance(item, Discriminator)), None)
    if discriminator is not None:
        yield from _compare_tagged(choices, discriminator, value, place, names)
        return
    if len(choices) == 1:
        yield from _compare(choices[0], metadata, value, place, names)
        return
    # The member that fits best is the one that was meant.
    yield from min((list(_compare(choice, metadata, value, place, names)) for choice in choices), key=len)


def _compare_tagged(
    choices: Sequence[Any], discriminator: Discriminator, value: object, place: str, names: Mapping[str, str]
) -> Iterator[Difference]:
    by_tag = {tag: choice for choice in choices for tag in _tags(choice, discriminator)}
    if callable(discriminator.discriminator):
        tag = discriminator.discriminator(value)
    else:
        tag = value.get(discriminator.discriminator) if isinstance(value, Mapping) else None
    chosen = by_tag.get(tag) if isinstance(tag, str) else None
    if chosen is None:
        if not isinstance(value, Mapping):
            yield Difference(place, Kind.TYPE, f"{_json_type(value)} in place of object")
            return
        field = discriminator.discriminator
        at = _below(place, field) if isinstance(field, str) else place
        yield Difference(at, Kind.NEW_WORD, shown(tag))
        return
    model = _bare(chosen)
    for field, words in _words_of(tuple(_bare(choice) for choice in choices)).items():
        # A model for what is not known takes any word where its siblings take one each.
        if field in _open_fields(model) and isinstance(value, Mapping):
            word = value.get(field)
            if isinstance(word, str) and word not in words:
                yield Difference(_below(place, field), Kind.NEW_WORD, shown(word))
    yield from _compare(chosen, (), value, place, names)


def _tags(choice: Any, discriminator: Discriminator) -> Iterator[str]:
    for item in getattr(choice, "__metadata__", ()):
        if isinstance(item, Tag):
            yield item.tag
    if isinstance(discriminator.discriminator, str):
        field = _bare(choice).model_fields[discriminator.discriminator]
        yield from (str(word) for word in get_args(field.annotation))


def _bare(choice: Any) -> Any:
    return get_args(choice)[0] if get_origin(choice) is Annotated else choice


@cache
def _words_of(models: tuple[type[BaseModel], ...]) -> dict[str, frozenset[str]]:
    """The fields that some of `models` have as a literal word, with all those words."""
    words: dict[str, set[str]] = {}
    for model in models:
        for name, field in model.model_fields.items():
            if get_origin(field.annotation) is Literal:
                words.setdefault(name, set()).update(map(str, get_args(field.annotation)))
    return {name: frozenset(known) for name, known in words.items()}


@cache
def _open_fields(model: type[BaseModel]) -> frozenset[str]:
    """The fields that take any text and say of none that it is known."""
    return frozenset(
        name
        for name, field in model.model_fields.items()
        if field.annotation is str and not any(isinstance(item, Known) for item in field.metadata)
    )


def _compare_model(model: type[BaseModel], value: object, place: str, names: Mapping[str, str]) -> Iterator[Difference]:
    if not isinstance(value, Mapping):
        yield Difference(place or "the whole", Kind.TYPE, f"{_json_type(value)} in place of object")
        return
    fields = {_wire_name(model, name, field, names): field for name, field in model.model_fields.items()}
    for name in value:
        if name not in fields:
            yield Difference(_below(place, name), Kind.UNKNOWN_FIELD, "not in the contract")
    for name, field in fields.items():
        if name in value:
            yield from _compare(field.annotation, tuple(field.metadata), value[name], _below(place, name), names)
        elif field.is_required():
            yield Difference(_below(place, name), Kind.MISSING_FIELD, "required by the contract")


def _wire_name(model: type[BaseModel], name: str, field: FieldInfo, names: Mapping[str, str]) -> str:
    for base in model.__mro__:
        if f"{base.__name__}.{name}" in names:
            return names[f"{base.__name__}.{name}"]
    return field.alias or name


def _compare_list(
    arguments: Sequence[Any], value: object, place: str, names: Mapping[str, str]
) -> Iterator[Difference]:
    if not isinstance(value, list):
        yield Difference(place or "the whole", Kind.TYPE, f"{_json_type(value)} in place of array")
        return
    for item in value:
        yield from _compare(arguments[0] if arguments else Any, (), item, f"{place}[]", names)


def _compare_single(annotation: Any, metadata: Sequence[Any], value: object, place: str) -> Iterator[Difference]:
    words = _known_words(annotation, metadata)
    if words is not None and isinstance(value, str):
        if value not in words:
            yield Difference(place, Kind.NEW_WORD, shown(value))
        return
    due, given = _due_type(annotation), _json_type(value)
    if annotation in _PLAIN and given != due:
        # Pydantic reads a number from text where a model does not forbid it; on the wire they are two things.
        yield Difference(place, Kind.TYPE, f"{given} in place of {due}")
        return
    try:
        _leaf(annotation, tuple(metadata)).validate_python(value)
    except ValidationError:
        if given == due:
            yield Difference(place, Kind.FORM, f"a {due} of another form")
        else:
            yield Difference(place, Kind.TYPE, f"{given} in place of {due}")


def _known_words(annotation: Any, metadata: Sequence[Any]) -> frozenset[str] | None:
    for item in metadata:
        if isinstance(item, Known):
            return frozenset(item.words)
    if get_origin(annotation) is Literal:
        return frozenset(word for word in get_args(annotation) if isinstance(word, str))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return frozenset(str(member.value) for member in annotation)
    return None


@cache
def _adapter(expected: Any) -> TypeAdapter[Any]:
    return TypeAdapter(expected)


_LEAVES: Final[dict[tuple[Any, ...], tuple[TypeAdapter[Any], tuple[Any, ...]]]] = {}
"""Adapters by annotation and the identities of its metadata, which need not be hashable and are kept alive here."""


def _leaf(annotation: Any, metadata: tuple[Any, ...]) -> TypeAdapter[Any]:
    key = (annotation, *map(id, metadata))
    if key not in _LEAVES:
        _LEAVES[key] = (TypeAdapter(Annotated[annotation, *metadata] if metadata else annotation), metadata)
    return _LEAVES[key][0]


def _json_type(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float() | Decimal():
            return "number"
        case str():
            return "string"
        case Mapping():
            return "object"
        case _:
            return "array"


def _due_type(annotation: Any) -> str:
    bare = get_origin(annotation) or annotation
    if bare is bool:
        return "boolean"
    if bare in (int, float):
        return "number"
    if isinstance(bare, type) and issubclass(bare, Mapping | dict):
        return "object"
    return "string"

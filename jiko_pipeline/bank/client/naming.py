"""A bank's own names of fields to ours, all through a JSON document.

Belongs here: finding the models that an answer's form is made of and renaming the fields of each. Does not belong
here: which names differ (`Contract.wire_names`), what the fields are (`models`).
"""

from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from jiko_pipeline.bank.client.models.base import Model

ASIDE = "their_"
"""What stands before a field that bears a name of ours and means something else."""


def in_our_names(document: Any, form: Any, names: Mapping[str, str]) -> Any:
    """`document`, an answer of `form` (a model, or a union or tuple of models), with our names of fields.

    `names` has `Model.field` as keys and the bank's names as values. A field by which one form is told from
    others is renamed like any. Where the bank uses a name of ours for something else, that field is kept as
    `their_...`; all other fields stay as they are.
    """
    return _renamed(document, (form,), names) if names else document


def _renamed(document: Any, forms: tuple[Any, ...], names: Mapping[str, str]) -> Any:
    models = tuple(model for form in forms for model in _models(form))
    if not models:
        return document
    if isinstance(document, list):
        return [_renamed(item, forms, names) for item in document]
    if not isinstance(document, Mapping):
        return document
    ours = {wire: own for model in models for own, wire in _differing(model, names)}
    taken = {own for wire, own in ours.items() if wire in document}
    result: dict[str, Any] = {}
    for name, value in document.items():
        own = ours.get(name) or (ASIDE + name if name in taken else name)
        inner = tuple(form for model in models for form in _form_of(model, own))
        result[own] = _renamed(value, inner, names)
    return result


def _differing(model: type[Model], names: Mapping[str, str]) -> list[tuple[str, str]]:
    """(our name as it stands in a document, the bank's name) of the fields of a model that have another."""
    classes = {base.__name__ for base in model.__mro__}
    found = []
    for place, wire in names.items():
        owner, _, own = place.rpartition(".")
        if owner in classes:
            field = model.model_fields.get(own)
            found.append((field.alias if field is not None and field.alias else own, wire))
    return found


@cache
def _form_of(model: type[Model], name: str) -> tuple[Any, ...]:
    return tuple(
        field.annotation for own, field in model.model_fields.items() if (field.alias or own) == name or own == name
    )


def _models(form: Any) -> tuple[type[Model], ...]:
    """The models that a value of this form may be, or be a list of."""
    if isinstance(form, type) and not get_args(form):
        return (form,) if issubclass(form, Model) else ()
    if get_origin(form) in (Annotated, Union, UnionType, tuple):
        inner = get_args(form)[:1] if get_origin(form) is Annotated else get_args(form)
        return tuple(model for part in inner for model in _models(part))
    return ()

"""From a method of the client to a call of the API and back: paths, query names, answers as models.

Belongs here: what all groups share. Does not belong here: tries and errors by status (`jiko_pipeline.bank.api`),
the groups themselves.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from types import GenericAlias
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from jiko_pipeline.bank.api import ApiClient, json_object, json_value, safe_id
from jiko_pipeline.bank.client.models.base import Model, instant_text
from jiko_pipeline.bank.client.naming import in_our_names
from jiko_pipeline.bank.contract import Contract
from jiko_pipeline.bank.downloads import DownloadClient
from jiko_pipeline.bank.errors import AmbiguousOutcomeError, ContractBrokenError
from jiko_pipeline.bank.exchange import Answer
from jiko_pipeline.bank.operations import OPERATIONS, Operation, path_of

QueryValue = str | int | bool | date | datetime | UUID | Sequence[str] | Sequence[UUID] | None
Query = Sequence[tuple[str, str]]

_EMPTY_SUCCESS: Final = frozenset({200, 202, 204})
_HOP: Final = frozenset({307})
_PLACES_NAMED: Final = 5


class Caller:
    """Calls operations by name; every group holds the same one. Thread-safe."""

    def __init__(self, api: ApiClient, downloads: DownloadClient, contract: Contract) -> None:
        self.api = api
        self.downloads = downloads
        self.contract = contract
        self._names = contract.wire_names()

    def query(
        self, operation: str, instants: Mapping[str, datetime | None] | None = None, /, **values: QueryValue
    ) -> Query:
        """Query parameters as they go over the wire; None is left out, several values repeat the name.

        A name is ours; a bank's own is `Contract.names["operation.name"]`. `pocket__` stands for `pocket[]`.
        `instants` are the parameters that need a time with its zone. Raises TypeError for one that is something else,
        a day for instance, and ValueError for one without a zone and for an empty selection, which a bank would take
        for none: it would answer everything.
        """
        instants = instants or {}
        for name, value in instants.items():
            if value is not None and not isinstance(value, datetime):
                raise TypeError(f"{name} is a time with its zone (datetime), not a {type(value).__name__}")
        return tuple(self._query(operation, {**values, **instants}))

    def _query(self, operation: str, values: Mapping[str, QueryValue]) -> Iterable[tuple[str, str]]:
        for own, value in values.items():
            if value is None:
                continue
            name = own.removesuffix("__") + "[]" if own.endswith("__") else own
            wire = self._names.get(f"{operation}.{name}", name)
            several = isinstance(value, Collection) and not isinstance(value, str)
            if several and not value:
                raise ValueError(f"{own.strip('_')} selects nothing; leave it out for everything")
            for item in value if several else (value,):  # type: ignore[union-attr]  # a collection here
                yield wire, _text(item)

    def read(
        self,
        operation: str,
        model: Any,
        *,
        query: Query = (),
        body: Model | None = None,
        content: bytes | None = None,
        media_type: str = "application/octet-stream",
        **parameters: str | UUID,
    ) -> Any:
        """The answer of an operation as `model`. Raises the types of `jiko_pipeline.bank.errors`.

        A change that was taken and whose answer is not of the form due raises AmbiguousOutcomeError.
        """
        declared, path = self._route(operation, parameters)
        answer = self.api.call(
            declared,
            path,
            query=query,
            document=None if body is None else body.body(self._names),
            content=content,
            media_type=media_type,
        )
        try:
            return self.model(model, json_object(answer.body, path), path)
        except ContractBrokenError as error:
            if declared.repeatable:
                raise
            raise AmbiguousOutcomeError(f"{path} took the request ({answer.status}), yet: {error}") from None

    def read_any(self, operation: str, query: Query = ()) -> dict[str, Any] | list[Any]:
        """The JSON object or array of an answer, as it stands."""
        declared, path = self._route(operation, {})
        return json_value(self.api.call(declared, path, query=query, expect_json=False).body, path)

    def read_nothing(self, operation: str, *, body: Model | None = None, **parameters: str | UUID) -> None:
        """Call an operation whose answer says nothing but that it was done."""
        declared, path = self._route(operation, parameters)
        document = None if body is None else body.body(self._names)
        self.api.call(declared, path, document=document, expect_json=False, success=_EMPTY_SUCCESS)

    def read_file(self, operation: str, query: Query) -> bytes:
        """The bytes of an export, refused when they are plainly a page or an object instead."""
        declared, path = self._route(operation, {})
        answer = self.api.call(declared, path, query=query, cap_bytes=self.contract.csv_cap_bytes, expect_json=False)
        if answer.body.lstrip()[:1] in (b"<", b"{", b"["):
            raise ContractBrokenError(f"{path} answered {answer.status} with something that is not CSV.")
        return answer.body

    def read_page(self, operation: str, query: Query, **parameters: str | UUID) -> tuple[dict[str, Any], str]:
        """The JSON object of a page, and the path it came from."""
        declared, path = self._route(operation, parameters)
        return json_object(self.api.call(declared, path, query=query).body, path), path

    def follow(self, operation: str, cap_bytes: int, **parameters: str | UUID) -> bytes:
        """The file that an operation redirects to: one hop, checked, fetched without credentials, not kept.

        Raises DownloadRefusedError for a link elsewhere, LinkExpiredError for one that is no longer good.
        """
        declared, path = self._route(operation, parameters)
        answer: Answer = self.api.call(declared, path, expect_json=False, success=_HOP)
        return self.fetch(answer.headers.get("location"), cap_bytes)

    def fetch(self, link: object, cap_bytes: int) -> bytes:
        """The file behind a link, fetched without credentials; neither is kept."""
        file = self.downloads.fetch(link, cap_bytes=cap_bytes)
        try:
            return file.path.read_bytes()
        finally:
            file.path.unlink(missing_ok=True)

    def model(self, model: Any, document: object, where: str) -> Any:
        """`document` as `model`. Raises ContractBrokenError that names places and never what stood there."""
        try:
            return _adapter(model).validate_python(in_our_names(document, model, self._names))
        except ValidationError as error:
            raise ContractBrokenError(f"{where} answered in another form than expected: {_places(error)}.") from None

    def models(self, item: Any, documents: object, where: str) -> tuple[Any, ...]:
        """A list as models of `item`. Raises ContractBrokenError as `model` does."""
        several: tuple[Any, ...] = self.model(_many(item), documents, where)
        return several

    def _route(self, operation: str, parameters: Mapping[str, str | UUID]) -> tuple[Operation, str]:
        declared = OPERATIONS[operation]
        texts = {name: _path_part(value, name) for name, value in parameters.items()}
        return declared, path_of(operation, self.contract, **texts)


def due(request: Model, *models: type[Model]) -> Model:
    """`request`, where it is one of `models`. Raises TypeError that names them."""
    if not isinstance(request, models):
        names = " or ".join(model.__name__ for model in models)
        raise TypeError(f"the request is to be a {names}, not a {type(request).__name__}")
    return request


@cache
def _adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


@cache
def _many(item: Any) -> Any:
    return GenericAlias(tuple, (item, ...))


def _places(error: ValidationError) -> str:
    problems = error.errors(include_input=False, include_context=False, include_url=False)
    named = [
        f"{'.'.join(_place_part(part) for part in problem['loc']) or 'the whole'} ({problem['type']})"
        for problem in problems[:_PLACES_NAMED]
    ]
    more = len(problems) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _place_part(part: int | str) -> str:
    text = str(part)
    return text if text.replace("_", "").replace("-", "").isalnum() and len(text) <= 64 else "?"


def _path_part(value: str | UUID, name: str) -> str:
    try:
        # Neither None nor a number names anything, though its text could stand in a path.
        return safe_id(str(value) if isinstance(value, UUID) else value, name)
    except ContractBrokenError:
        raise ValueError(f"{name} is no identifier that can stand in a path") from None


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int | UUID):
        return str(value)
    raise TypeError(f"a {type(value).__name__} cannot stand in a query")

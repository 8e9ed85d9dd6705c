"""Asking a bank every operation that reads, and comparing each answer with the contract.

Belongs here: the walk. It changes nothing at the bank, orders no report, follows no link, keeps no answer. Does not
belong here: what is asked (`targets`), the comparison (`differences`, `headers`).
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from jiko_pipeline.bank.api import safe_id
from jiko_pipeline.bank.client.models.base import instant_text
from jiko_pipeline.bank.connection import Bank
from jiko_pipeline.bank.errors import ContractBrokenError, DownloadRefusedError
from jiko_pipeline.bank.exchange import Answer
from jiko_pipeline.bank.operations import OPERATIONS, path_of
from jiko_pipeline.bank.retry import RETRYABLE_STATUS
from jiko_pipeline.pipeline.probe.differences import Difference, Kind, differences
from jiko_pipeline.pipeline.probe.headers import header_differences
from jiko_pipeline.pipeline.probe.targets import REDIRECTS, TARGETS, Ids, Target, wire_names

_PAGES: Final = 3
_LIMIT: Final = 100
_EXPORT_RANGE: Final = timedelta(days=7)
_LONGEST_CURSOR: Final = 8192
_EVERY_ANSWER: Final = frozenset(range(200, 600)) - RETRYABLE_STATUS - {401}
"""What is an answer of its own here; the others mean: sign in again, or try again."""
_WHOLE: Final = "the whole"


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A difference and the operation whose answer has it."""

    operation: str
    place: str
    kind: Kind
    what: str


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What was asked and what differs. `answers` counts by operation; `not_asked` says why not, by operation."""

    answers: Mapping[str, int]
    not_asked: Mapping[str, str]
    differences: tuple[Found, ...]


def probe(bank: Bank, observe: Callable[[str], None] = lambda _: None) -> ProbeReport:
    """Asks every operation that reads. `observe` is told each by name before it is asked.

    Raises the types of `jiko_pipeline.bank.errors` when the bank cannot be reached or does not let us in.
    """
    return _Walk(bank, observe).all()


class _Walk:
    def __init__(self, bank: Bank, observe: Callable[[str], None]) -> None:
        self._bank = bank
        self._observe = observe
        self._names = wire_names(bank.contract)
        self._documents: dict[str, list[Any]] = {}
        self._answers: Counter[str] = Counter()
        self._not_asked: dict[str, str] = {}
        self._found: dict[Found, None] = {}

    def all(self) -> ProbeReport:
        for target in TARGETS:
            self._observe(target.operation)
            if target.ids is None:
                self._ask(target, {})
                continue
            several = list(self._parameters(target.ids))
            for parameters in several:
                self._ask(target, parameters)
            if not several:
                self._not_asked[target.operation] = f"{target.ids.source} named nothing to ask for"
        return ProbeReport(dict(self._answers), dict(self._not_asked), tuple(sorted(self._found)))

    def _ask(self, target: Target, parameters: Mapping[str, str]) -> None:
        query = self._query(target)
        cursor: str | None = None
        seen: set[str] = set()
        for _ in range(_PAGES if target.pages else 1):
            following = [(self._bank.contract.cursor, cursor)] if cursor is not None else []
            document = self._one(target, parameters, [*query, *following])
            cursor = self._next(document)
            if cursor is None or cursor in seen:
                return
            seen.add(cursor)

    def _query(self, target: Target) -> list[tuple[str, str]]:
        contract = self._bank.contract
        if target.query:
            last = self._bank.now()
            ends = {"first": last - _EXPORT_RANGE, "last": last}
            return [(getattr(contract, name), instant_text(ends[end])) for end, name in target.query.items()]
        return [(contract.limit, str(_LIMIT))] if target.pages else []

    def _one(self, target: Target, parameters: Mapping[str, str], query: Sequence[tuple[str, str]]) -> Any:
        """One answer, compared; the JSON in it, or None."""
        contract = self._bank.contract
        try:
            answer = self._bank.api.call(
                OPERATIONS[target.operation],
                path_of(target.operation, contract, **parameters),
                query=query,
                cap_bytes=contract.csv_cap_bytes if target.layout is not None else contract.json_cap_bytes,
                expect_json=False,
                success=_EVERY_ANSWER,
            )
        except ContractBrokenError:
            # Its sentence names the path, and with it ids; the operation says enough.
            self._differs(target, [Difference(_WHOLE, Kind.FORM, "an answer that cannot be read to its end")])
            return None
        self._answers[target.operation] += 1
        self._differs(target, list(self._by_status(target, answer)))
        if target.status == REDIRECTS or not 200 <= answer.status < 300:
            return None
        if target.layout is not None:
            self._differs(target, header_differences(target.layout, answer.body))
            return None
        try:
            document = json.loads(answer.body, parse_float=Decimal)
        except (ValueError, RecursionError):
            self._differs(target, [Difference(_WHOLE, Kind.FORM, "not JSON")])
            return None
        self._differs(target, differences(target.expected, document, names=self._names))
        self._documents.setdefault(target.operation, []).append(document)
        return document

    def _by_status(self, target: Target, answer: Answer) -> Iterator[Difference]:
        if answer.status == target.status:
            if target.status == REDIRECTS:
                try:
                    self._bank.downloads.check_link(answer.headers.get("location"))
                except DownloadRefusedError:
                    yield Difference("Location", Kind.REDIRECT, "a link that is not allowed (JIKO_DOWNLOAD_HOSTS)")
        elif 300 <= answer.status < 400:
            yield Difference(_WHOLE, Kind.REDIRECT, f"{answer.status} where {target.status} is due")
        else:
            yield Difference(_WHOLE, Kind.STATUS, f"{answer.status} in place of {target.status}")

    def _differs(self, target: Target, several: Sequence[Difference]) -> None:
        for one in several:
            if not self._is_known_report_status(target, one):
                self._found[Found(target.operation, one.place or _WHOLE, one.kind, one.what)] = None

    def _is_known_report_status(self, target: Target, one: Difference) -> bool:
        """Words of a report's status are settings of the contract beside the model's own."""
        contract = self._bank.contract
        known = contract.status_open | contract.status_completed | contract.status_failed
        return (
            target.operation.startswith("reports.")
            and one.kind is Kind.NEW_WORD
            and one.place.rpartition(".")[2] == contract.report_status
            and one.what in known
        )

    def _next(self, document: Any) -> str | None:
        token = document.get(self._bank.contract.next_page) if isinstance(document, dict) else None
        if not isinstance(token, str) or not token.strip() or len(token) > _LONGEST_CURSOR:
            return None
        return token.strip()

    def _parameters(self, ids: Ids) -> Iterator[dict[str, str]]:
        taken: set[tuple[str, ...]] = set()
        for item in self._objects(ids):
            if ids.unless is not None and item.get(self._wire(ids.unless[0])) == ids.unless[1]:
                continue
            try:
                parameters = {
                    name: safe_id(item.get(self._wire(place)), name) for name, place in ids.parameters.items()
                }
            except ContractBrokenError:
                continue
            if tuple(parameters.values()) not in taken and len(taken) < ids.most:
                taken.add(tuple(parameters.values()))
                yield parameters

    def _objects(self, ids: Ids) -> Iterator[Mapping[str, Any]]:
        at: list[Any] = list(self._documents.get(ids.source, []))
        for place in ids.at:
            inner = [item.get(self._wire(place)) for item in at if isinstance(item, dict)]
            at = [one for value in inner for one in (value if isinstance(value, list) else [value])]
        return (item for item in at if isinstance(item, dict))

    def _wire(self, place: str) -> str:
        return self._names.get(place, place.rpartition(".")[2])

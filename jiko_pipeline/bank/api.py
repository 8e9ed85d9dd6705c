"""Calling the API: one origin, a bearer token, tries, the rate budget, and errors by type.

Belongs here: what every call has in common. Does not belong here: single operations (`listings`, `orders`,
`downloads`).
"""

import json
import re
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import httpx

from jiko_pipeline.bank.clock import Clock
from jiko_pipeline.bank.contract import Contract
from jiko_pipeline.bank.errors import (
    AmbiguousOutcomeError,
    AuthenticationError,
    ConflictError,
    ContractBrokenError,
    NotFoundError,
    ScopeError,
    UnavailableError,
    ValidationRefusedError,
)
from jiko_pipeline.bank.exchange import Answer, TransportFailure, exchange, place
from jiko_pipeline.bank.operations import Operation
from jiko_pipeline.bank.retry import (
    RETRYABLE_STATUS,
    Attempts,
    RetryPolicy,
    retry_after_seconds,
    too_long_a_wait,
)
from jiko_pipeline.bank.sign_in import Allowance, BearerAuth, SignIn

_REFUSED_BEFORE_ACTING: Final = frozenset({429})
"""Answers after which even a request that must not be repeated may be: nothing was done."""
_SAFE_ID: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")
_DETAIL_PART: Final = re.compile(r"[A-Za-z0-9_\[\].-]{1,64}")
_DETAIL_LENGTH: Final = 200


@dataclass(slots=True)
class CallCounter:
    """How often each operation was sent, tries included. Thread-safe."""

    _calls: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str) -> None:
        """Count one request."""
        with self._lock:
            self._calls[name] += 1

    def snapshot(self) -> Counter[str]:
        """The counts so far, by operation."""
        with self._lock:
            return Counter(self._calls)


class ApiClient:
    """The client of the API's one origin. Thread-safe."""

    def __init__(
        self,
        client: httpx.Client,
        *,
        origin: str,
        sign_in: SignIn,
        contract: Contract,
        clock: Clock,
        budget: Allowance,
        policy: RetryPolicy,
    ) -> None:
        self._client = client
        self._origin = origin
        self._sign_in = sign_in
        self._contract = contract
        self._clock = clock
        self._budget = budget
        self._policy = policy
        self.counter = CallCounter()

    def call(
        self,
        operation: Operation,
        path: str,
        *,
        method: str = "GET",
        query: Sequence[tuple[str, str]] = (),
        document: Mapping[str, object] | None = None,
        cap_bytes: int | None = None,
        expect_json: bool = True,
    ) -> Answer:
        """The answer (status 2xx) of one operation, after as many tries as the policy allows.

        `path` is a path below the API's origin; an address with an origin of its own is refused. With
        `expect_json` a body that is no JSON object counts as a failed try. Raises the types of
        `jiko_pipeline.bank.errors`.
        """
        url = self._url(path, query)
        where = place(url)
        attempts = Attempts(self._clock, self._policy)
        signed_in_again = False
        while True:
            attempts.made += 1
            token = None if operation.public else self._sign_in.token()
            if operation.group is not None:
                self._budget.take(operation.group)
            self.counter.add(operation.name)
            asked: float | None = None
            broken: ContractBrokenError | None = None
            try:
                answer = exchange(
                    self._client,
                    self._request(method, url, document),
                    clock=self._clock,
                    deadline=attempts.deadline,
                    cap_bytes=cap_bytes or self._contract.json_cap_bytes,
                    where=where,
                    auth=None if token is None else BearerAuth(token),
                )
            except TransportFailure as failure:
                if failure.sent and not operation.repeatable:
                    raise AmbiguousOutcomeError(f"Whether {where} took the request is not known: {failure}.") from None
                trouble = f"{failure}"
            else:
                if operation.group is not None:
                    self._budget.observe(operation.group, answer)
                if answer.status in (200, 201, 202):
                    if not expect_json or _is_json_object(answer):
                        return answer
                    broken = ContractBrokenError(
                        f"{where} answered {answer.status} with something that is not a JSON object."
                    )
                    trouble = "not JSON"
                elif answer.status == 401 and token is not None:
                    if signed_in_again:
                        raise AuthenticationError(f"{where} does not accept a fresh access token (401).")
                    signed_in_again = True
                    self._sign_in.renew(token)
                    continue
                elif answer.status not in RETRYABLE_STATUS:
                    raise self._refusal(answer, where, operation)
                else:
                    trouble = f"status {answer.status}"
                    asked = retry_after_seconds(
                        answer.headers.get("retry-after"), answer.headers.get("date"), self._clock.wall()
                    )
                    if asked is not None and asked > self._policy.longest_wait_seconds:
                        raise too_long_a_wait(where, asked, self._clock)
                if not operation.repeatable and answer.status not in _REFUSED_BEFORE_ACTING:
                    raise AmbiguousOutcomeError(f"Whether {where} took the request is not known: {trouble}.")
            if not attempts.wait(asked):
                if broken is not None:
                    raise broken
                raise UnavailableError(f"{where} failed after {attempts.made} tries: {trouble}.")

    def _url(self, path: str, query: Sequence[tuple[str, str]]) -> str:
        if not path.startswith("/") or path.startswith("//") or "://" in path or "?" in path or "#" in path:
            raise ContractBrokenError("An address outside the API was to be called; only paths of the API are.")
        return self._origin + path + ("?" + urlencode(query) if query else "")

    def _request(self, method: str, url: str, document: Mapping[str, object] | None) -> httpx.Request:
        headers = {"Accept": "application/json, text/csv;q=0.9"}
        if document is None:
            return self._client.build_request(method, url, headers=headers)
        headers["Content-Type"] = "application/json"
        return self._client.build_request(method, url, headers=headers, content=json.dumps(document).encode())

    def _refusal(self, answer: Answer, where: str, operation: Operation) -> Exception:
        status = answer.status
        if status in (400, 422):
            detail = _validation_detail(answer.body)
            said = f": {'; '.join(detail)}" if detail else ""
            return ValidationRefusedError(f"{where} refuses the request as not valid ({status}){said}.", detail=detail)
        if status == 401:
            return AuthenticationError(f"{where} asks for credentials (401).")
        if status == 403:
            return ScopeError(f"{where} does not allow {operation.name} to our credentials (403).")
        if status == 404:
            return NotFoundError(f"{where} does not exist at the bank (404).")
        if status == 409:
            return ConflictError(f"{where} is in a state that contradicts the request (409).")
        if 300 <= status < 400:
            return ContractBrokenError(f"{where} redirects elsewhere ({status}); redirects are not followed.")
        return ContractBrokenError(f"{where} answered {status}, which the contract does not know.")


def safe_id(value: object, what: str) -> str:
    """`value` as an identifier that can stand in a path. Raises ContractBrokenError."""
    if not isinstance(value, str) or not _SAFE_ID.fullmatch(value):
        raise ContractBrokenError(f"The bank's answer names no usable {what}.")
    return value


def _no_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key stands twice")
    return document


def json_object(body: bytes, where: str) -> dict[str, Any]:
    """The JSON object in `body`, numbers with a point kept as text. Raises ContractBrokenError."""
    try:
        document = json.loads(body, object_pairs_hook=_no_repeated_keys, parse_float=str)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ContractBrokenError(f"{where} answered something that is not a JSON object.")
    return document


def _is_json_object(answer: Answer) -> bool:
    try:
        json_object(answer.body, "")
    except ContractBrokenError:
        return False
    return True


def _validation_detail(body: bytes) -> tuple[str, ...]:
    """Places and messages of a 422 body; the rejected input itself is left out, for it may hold a secret."""
    try:
        detail = json.loads(body).get("detail")
    except (ValueError, AttributeError, RecursionError):
        return ()
    if isinstance(detail, str):
        return (_shortened(detail),)
    if not isinstance(detail, list):
        return ()
    said = []
    for item in detail[:10]:
        if not isinstance(item, dict):
            continue
        location = item.get("loc")
        parts = location if isinstance(location, list) else []
        named = ".".join(str(part) for part in parts if _DETAIL_PART.fullmatch(str(part)))
        rejected = item.get("input")
        message = str(item.get("msg", ""))
        if isinstance(rejected, str) and len(rejected) > 3:
            message = message.replace(rejected, "...")
        said.append(_shortened(f"{named}: {message}" if named else message))
    return tuple(said)


def _shortened(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return printable[:_DETAIL_LENGTH].rstrip(". ")

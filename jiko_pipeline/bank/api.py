"""Calling the API: one origin, a bearer token, tries, the rate budget, and errors by type.

Belongs here: what every call has in common. Does not belong here: single operations (`listings`, `orders`,
`downloads`).
"""

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
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
    PermissionRefusedError,
    ScopeError,
    UnavailableError,
    ValidationRefusedError,
)
from jiko_pipeline.bank.exchange import Answer, TransportFailure, exchange, place
from jiko_pipeline.bank.operations import Operation
from jiko_pipeline.bank.request_log import HEADER, RequestLog, Tries
from jiko_pipeline.bank.retry import (
    RETRYABLE_STATUS,
    Attempts,
    RetryBudget,
    RetryPolicy,
    retry_after_seconds,
    too_long_a_wait,
    too_many,
)
from jiko_pipeline.bank.sign_in import Allowance, BearerAuth, SignIn

SUCCESS: Final = frozenset({200, 201, 202})
"""The answers that mean success where a document is due; Jiko does not say which of them when."""
_REFUSED_BEFORE_ACTING: Final = frozenset({429})
"""Answers after which even a request that must not be repeated may be: nothing was done."""
_NOTHING_CHANGED: Final = "Nothing was changed, neither at the bank nor in today's figures."
_ASK_FOR_THE_ROLE: Final = (
    "Let a member do it who may, or ask for the role or the scope that it needs: the team's administrator or Jiko."
)
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
    """The client of the API's one origin. Thread-safe.

    `auth` puts the credentials on each try: our own `SignIn`, whose token is renewed once when the bank does not
    accept it, or any `httpx.Auth`, whose 401 is final. `signer` sees each try after that, to sign it.
    """

    def __init__(
        self,
        client: httpx.Client,
        *,
        origin: str,
        auth: SignIn | httpx.Auth,
        contract: Contract,
        clock: Clock,
        budget: Allowance,
        policy: RetryPolicy,
        signer: httpx.Auth | None = None,
        log: RequestLog | None = None,
    ) -> None:
        self._client = client
        self.log = log or RequestLog(None, clock)
        self._origin = origin
        self._auth = auth
        self._signer = signer
        self._contract = contract
        self._clock = clock
        self._budget = budget
        self._policy = policy
        self._retries = RetryBudget()
        self.counter = CallCounter()

    def call(
        self,
        operation: Operation,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        document: Mapping[str, object] | None = None,
        content: bytes | None = None,
        media_type: str = "application/octet-stream",
        cap_bytes: int | None = None,
        expect_json: bool = True,
        success: frozenset[int] = SUCCESS,
    ) -> Answer:
        """The answer of one operation, whose status is one of `success`, after as many tries as the policy allows.

        `path` is a path below the API's origin; an address with an origin of its own is refused. The body is
        `document` as JSON or `content` as it stands. With `expect_json` a body that is no JSON object
        counts as a failed try. Raises the types of `jiko_pipeline.bank.errors`; an operation that is
        not repeatable is sent again only when it cannot have been carried out.
        """
        url = self._url(path, query)
        with self.log.tries(operation.name) as tries:

            def make() -> httpx.Request:
                return self._request(operation.method, url, document, content, media_type, tries.begin())

            return self._tried(operation, place(url), make, tries, cap_bytes, expect_json, success)

    def _tried(
        self,
        operation: Operation,
        where: str,
        make: Callable[[], httpx.Request],
        tries: Tries,
        cap_bytes: int | None,
        expect_json: bool,
        success: frozenset[int],
    ) -> Answer:
        attempts = Attempts(self._clock, self._policy)
        signed_in_again = False
        while True:
            attempts.made += 1
            if operation.group is not None:
                queued_at = self._clock.monotonic()
                self._budget.take(operation.group)
                attempts.pardon(self._clock.monotonic() - queued_at)
            token = self._token(operation)
            self.counter.add(operation.name)
            asked: float | None = None
            final: Exception | None = None
            try:
                answer = exchange(
                    self._client,
                    make(),
                    clock=self._clock,
                    deadline=attempts.deadline,
                    cap_bytes=cap_bytes or self._contract.json_cap_bytes,
                    where=where,
                    auth=self._credentials(operation, token),
                )
            except TransportFailure as failure:
                if failure.sent and not operation.repeatable:
                    raise _ambiguous(where, f"{failure}") from None
                trouble = f"{failure}"
                tries.trouble(trouble)
                if failure.garbled:
                    final = ContractBrokenError(f"{where} answered {attempts.made} times: {trouble}.")
            except ContractBrokenError as error:
                if not operation.repeatable:
                    raise _ambiguous(where, "its answer cannot be read") from error
                raise
            else:
                if operation.group is not None:
                    self._budget.observe(operation.group, answer)
                if answer.status in success:
                    if not expect_json or _is_json_object(answer):
                        self._retries.answered()
                        return answer
                    final = ContractBrokenError(
                        f"{where} answered {answer.status} with something that is not a JSON object."
                    )
                    trouble = "not JSON"
                    tries.trouble(trouble)
                elif answer.status == 401 and token is not None and isinstance(self._auth, SignIn):
                    if signed_in_again:
                        raise AuthenticationError(f"{where} does not accept a fresh access token (401).")
                    signed_in_again = True
                    tries.trouble("status 401")
                    self._auth.renew(token)
                    continue
                elif answer.status not in RETRYABLE_STATUS:
                    self._retries.answered()
                    raise self._refusal(answer, where, operation)
                else:
                    trouble = f"status {answer.status}"
                    tries.trouble(trouble)
                    asked = retry_after_seconds(
                        answer.headers.get("retry-after"), answer.headers.get("date"), self._clock.wall()
                    )
                    if asked is not None and asked > self._policy.longest_wait_seconds:
                        raise too_long_a_wait(where, asked, self._clock)
                    if answer.status == 429:
                        final = too_many(where, asked, self._clock)
                if not operation.repeatable and answer.status not in _REFUSED_BEFORE_ACTING:
                    raise _ambiguous(where, trouble)
            if asked is None and attempts.made < self._policy.tries and not self._retries.allow():
                raise final or UnavailableError(
                    f"{where} failed ({trouble}), and too many requests of this run have failed to try again."
                )
            if not attempts.wait(asked):
                raise final or UnavailableError(f"{where} failed after {attempts.made} tries: {trouble}.")

    def _token(self, operation: Operation) -> str | None:
        return self._auth.token() if isinstance(self._auth, SignIn) and not operation.public else None

    def _credentials(self, operation: Operation, token: str | None) -> httpx.Auth | None:
        if operation.public:
            return None
        auth = self._auth if isinstance(self._auth, httpx.Auth) else BearerAuth(token or "")
        return auth if self._signer is None else SignedAuth(auth, self._signer)

    def _url(self, path: str, query: Sequence[tuple[str, str]]) -> str:
        if not path.startswith("/") or path.startswith("//") or "://" in path or "?" in path or "#" in path:
            raise ContractBrokenError("An address outside the API was to be called; only paths of the API are.")
        return self._origin + path + ("?" + urlencode(query) if query else "")

    def _request(
        self,
        method: str,
        url: str,
        document: Mapping[str, object] | None,
        content: bytes | None,
        media_type: str,
        request_id: str,
    ) -> httpx.Request:
        headers = {"Accept": "application/json, text/csv;q=0.9", HEADER: request_id}
        if document is not None:
            media_type, content = "application/json", json.dumps(document).encode()
        if content is None:
            return self._client.build_request(method, url, headers=headers)
        headers["Content-Type"] = media_type
        return self._client.build_request(method, url, headers=headers, content=content)

    def _refusal(self, answer: Answer, where: str, operation: Operation) -> Exception:
        status = answer.status
        detail = _validation_detail(answer.body)
        said = f": {'; '.join(detail)}" if detail else ""
        if status in (400, 413, 422):
            return ValidationRefusedError(f"{where} refuses the request as not valid ({status}){said}.", detail=detail)
        if status == 401:
            return AuthenticationError(f"{where} asks for credentials (401).")
        if status == 403:
            return self._not_allowed(where, operation, said)
        if status == 404:
            return NotFoundError(f"{where} does not exist at the bank (404).")
        if status == 409:
            return ConflictError(f"{where} is in a state that contradicts the request (409){said}.")
        if 300 <= status < 400:
            return ContractBrokenError(f"{where} redirects elsewhere ({status}); redirects are not followed.")
        if not operation.repeatable and 200 <= status < 300:
            return _ambiguous(where, f"status {status}, which the contract does not know here")
        return ContractBrokenError(f"{where} answered {status}, which the contract does not know.")

    def _not_allowed(self, where: str, operation: Operation, said: str) -> ScopeError:
        # An order of a report changes nothing but what can be fetched: what is refused is missing from the figures.
        changes = not operation.reads and operation.name != "reports.order"
        means = _NOTHING_CHANGED if changes else None
        remedy = _ASK_FOR_THE_ROLE if changes else None
        granted = self._auth.granted_scopes if isinstance(self._auth, SignIn) else None
        if operation.scope is None or granted is None:
            return ScopeError(
                f"{where} does not allow {operation.name} to our credentials (403){said}.", means=means, remedy=remedy
            )
        if operation.scope in granted:
            return PermissionRefusedError(
                f"{where} is not open to our credentials (403), though they have the scope {operation.scope}{said}.",
                means=means,
                remedy=remedy,
            )
        return ScopeError(
            f"{where} does not allow {operation.name} to our credentials (403): they lack the scope {operation.scope}.",
            means=means,
            remedy=f"Ask Jiko to grant the client the scope {operation.scope}.",
        )


def _ambiguous(where: str, trouble: str) -> AmbiguousOutcomeError:
    return AmbiguousOutcomeError(f"Whether {where} took the request is not known: {trouble}.")


class SignedAuth(httpx.Auth):
    """Runs `signer` on each request that `identity` sends, so that the credentials are signed with the rest."""

    def __init__(self, identity: httpx.Auth, signer: httpx.Auth) -> None:
        self._identity = identity
        self._signer = signer

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Both flows, one inside the other."""
        outer = self._identity.sync_auth_flow(request)
        outgoing = next(outer)
        while True:
            inner = self._signer.sync_auth_flow(outgoing)
            signed = next(inner)
            while True:
                response = yield signed
                try:
                    signed = inner.send(response)
                except StopIteration:
                    break
            try:
                outgoing = outer.send(response)
            except StopIteration:
                return


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


def json_value(body: bytes, where: str) -> dict[str, Any] | list[Any]:
    """The JSON object or array in `body`, numbers with a point kept as text. Raises ContractBrokenError."""
    try:
        document = json.loads(body, object_pairs_hook=_no_repeated_keys, parse_float=str)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict | list):
        raise ContractBrokenError(f"{where} answered something that is neither a JSON object nor a JSON array.")
    return document


def json_object(body: bytes, where: str) -> dict[str, Any]:
    """The JSON object in `body`, numbers with a point kept as text. Raises ContractBrokenError."""
    try:
        document = json_value(body, where)
    except ContractBrokenError:
        document = []
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

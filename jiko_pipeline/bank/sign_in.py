"""Signing in: OAuth 2 client credentials with a signed assertion (private_key_jwt), and the access token.

Belongs here: the private key, assertions, the access token and its renewal. Does not belong here: what is
called with it (`jiko_pipeline.bank.api`). Neither assertion, token nor any body of the token endpoint is ever
logged or put into a message.

Source: RFC 7523; Jiko accepts PS256 (RSA) and EdDSA (Ed25519), names the full token address as audience,
answers a token of 15 minutes and no refresh token.
"""

import json
import re
import stat
import threading
import uuid
import warnings
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlencode

import httpx
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import OKPKey, RSAKey

from jiko_pipeline.bank.clock import Clock
from jiko_pipeline.bank.contract import Contract, Group
from jiko_pipeline.bank.errors import (
    AuthenticationError,
    ContractBrokenError,
    ScopeError,
    UnavailableError,
)
from jiko_pipeline.bank.exchange import Answer, TransportFailure, exchange, place
from jiko_pipeline.bank.request_log import HEADER, RequestLog, Tries
from jiko_pipeline.bank.retry import (
    RETRYABLE_STATUS,
    Attempts,
    RetryPolicy,
    retry_after_seconds,
    server_time,
    too_long_a_wait,
)
from jiko_pipeline.errors import SettingsError
from jiko_pipeline.failpoints import failpoint

_GRANT_TYPE: Final = "client_credentials"
_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_SHORTEST_RSA_BITS: Final = 2048
"""RFC 7518, section 3.5: PS256 takes no shorter key."""
_SKEW_TOLERATED: Final = timedelta(seconds=30)
_TOKEN_CAP_BYTES: Final = 64 * 1024
_LONGEST_TOKEN_SECONDS: Final = 86_400.0
_RENEW_BEFORE_SECONDS: Final = 60.0
_ERROR_WORD: Final = re.compile(r"[a-z_]{1,40}")
_TOKEN_FORM: Final = re.compile(r"[\x21-\x7e]{1,16384}")


class Allowance(Protocol):
    """What every request takes before it is sent, and reports to afterwards (`jiko_pipeline.bank.budget`)."""

    def take(self, group: Group) -> None:
        """Wait until a request of `group` may be sent, and count it."""

    def observe(self, group: Group, answer: Answer) -> None:
        """Learn the bank's own limits from an answer."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the algorithm it signs with. Its text form never shows the key."""

    key: RSAKey | OKPKey = field(repr=False)
    algorithm: str
    key_id: str

    def sign(self, claims: dict[str, object]) -> str:
        """A compact signed JWT with `claims`."""
        header = {"alg": self.algorithm, "kid": self.key_id, "typ": "JWT"}
        with warnings.catch_warnings():
            # RFC 9864 prefers the name Ed25519; Jiko documents EdDSA.
            warnings.simplefilter("ignore", SecurityWarning)
            return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])


def load_signing_key(file: Path, key_id: str) -> SigningKey:
    """The private key in a PEM `file` that nobody but its owner can read.

    Raises SettingsError when it is missing, no regular file, readable by others, neither RSA nor Ed25519, or RSA of
    less than 2048 bits.
    """
    try:
        mode = file.stat().st_mode
        # Reading a FIFO would wait for whoever writes to it.
        text = file.read_bytes() if stat.S_ISREG(mode) else None
    except OSError as error:
        raise SettingsError(f"The private key file {file} cannot be read: {error.strerror}.") from None
    if text is None:
        raise SettingsError(f"The private key file {file} is no regular file.")
    if stat.S_IMODE(mode) & 0o077:
        raise SettingsError(f"The private key file {file} can be read by other users.", remedy=f"Run: chmod 600 {file}")
    try:
        loaded = load_pem_private_key(text, None)
        if isinstance(loaded, RSAPrivateKey) and loaded.key_size < _SHORTEST_RSA_BITS:
            raise SettingsError(
                f"The RSA key {file} has {loaded.key_size} bits; at least {_SHORTEST_RSA_BITS} are needed.",
                remedy="Make a new key pair and register its public key with Jiko.",
            )
        key = RSAKey.import_key(text) if isinstance(loaded, RSAPrivateKey) else OKPKey.import_key(text)
    except (JoseError, UnsupportedAlgorithm, ValueError, TypeError):
        raise SettingsError(f"The private key file {file} (key {key_id}) holds no usable private key.") from None
    if isinstance(key, RSAKey) and key.is_private:
        return SigningKey(key, "PS256", key_id)
    if isinstance(key, OKPKey) and key.is_private and key.curve_name == "Ed25519":
        return SigningKey(key, "EdDSA", key_id)
    raise SettingsError(f"The private key file {file} (key {key_id}) is neither an RSA nor an Ed25519 private key.")


@dataclass(frozen=True, slots=True)
class _Token:
    text: str = field(repr=False)
    renew_at: float


class SignIn:
    """Holds the access token for all threads: one sign-in at a time, renewed before it expires."""

    def __init__(
        self,
        client: httpx.Client,
        *,
        origin: str,
        client_id: str,
        key: SigningKey,
        contract: Contract,
        clock: Clock,
        budget: Allowance,
        policy: RetryPolicy,
        log: RequestLog | None = None,
    ) -> None:
        self._client = client
        self._log = log or RequestLog(None, clock)
        self._url = origin + contract.token_path
        self._client_id = client_id
        self._key = key
        self._contract = contract
        self._clock = clock
        self._budget = budget
        self._policy = policy
        self._lock = threading.Lock()
        self._current: _Token | None = None
        self.calls = 0
        self.clock_skew = timedelta(0)
        """How far the bank's clock is ahead of ours; zero while it is within 30 seconds."""
        self.clock_difference: timedelta | None = None
        """The same as last measured, however small; None before any answer that is dated."""
        self.granted_scopes: frozenset[str] | None = None
        """What the last token allows; None when the bank has not said (then: all that was asked for)."""

    def token(self) -> str:
        """An access token that is good for a while; signs in when there is none."""
        current = self._current
        if current is not None and self._clock.monotonic() < current.renew_at:
            return current.text
        with self._lock:
            current = self._current
            if current is None or self._clock.monotonic() >= current.renew_at:
                current = self._current = self._sign_in()
                failpoint("sign-in-token-taken")
            return current.text

    def renew(self, rejected: str) -> str:
        """A token other than `rejected`, which the bank did not accept."""
        with self._lock:
            current = self._current
            if current is None or current.text == rejected:
                current = self._current = self._sign_in()
            return current.text

    def _sign_in(self) -> _Token:
        with self._log.tries("sign_in") as tries:
            return self._tried(tries)

    def _tried(self, tries: Tries) -> _Token:
        where = place(self._url)
        attempts = Attempts(self._clock, self._policy)
        corrected = False
        while True:
            attempts.made += 1
            self._budget.take(Group.AUTH)
            self.calls += 1
            asked: float | None = None
            garbled = False
            sent_at = self._clock.monotonic()
            try:
                answer = exchange(
                    self._client,
                    self._request(tries.begin()),
                    clock=self._clock,
                    deadline=attempts.deadline,
                    cap_bytes=_TOKEN_CAP_BYTES,
                    where=where,
                )
            except TransportFailure as failure:
                trouble = f"{failure}"
                garbled = failure.garbled
                tries.trouble(trouble)
            else:
                self._budget.observe(Group.AUTH, answer)
                skew_changed = self._note_skew(answer)
                if answer.status == 200:
                    return self._accept(answer, where, sent_at)
                if answer.status not in RETRYABLE_STATUS:
                    if skew_changed and not corrected:
                        corrected = True
                        tries.trouble(f"status {answer.status}")
                        continue
                    raise self._refusal(answer, where)
                trouble = f"status {answer.status}"
                tries.trouble(trouble)
                asked = retry_after_seconds(
                    answer.headers.get("retry-after"), answer.headers.get("date"), self._clock.wall()
                )
                if asked is not None and asked > self._policy.longest_wait_seconds:
                    raise too_long_a_wait(where, asked, self._clock)
            if not attempts.wait(asked):
                kind = ContractBrokenError if garbled else UnavailableError
                raise kind(f"Signing in at {where} failed after {attempts.made} tries: {trouble}.")

    def _request(self, request_id: str) -> httpx.Request:
        now = self._clock.wall() + self.clock_skew
        issued = int(now.timestamp())
        assertion = self._key.sign(
            {
                "iss": self._client_id,
                "sub": self._client_id,
                "aud": self._url,
                "iat": issued,
                "exp": issued + self._contract.assertion_seconds,
                "jti": str(uuid.uuid4()),
            }
        )
        form = {
            "grant_type": _GRANT_TYPE,
            "client_id": self._client_id,
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": assertion,
            "scope": " ".join(self._contract.scopes),
        }
        return self._client.build_request(
            "POST",
            self._url,
            content=urlencode(form).encode(),
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
                HEADER: request_id,
            },
        )

    def _note_skew(self, answer: Answer) -> bool:
        theirs = server_time(answer.headers.get("date"))
        if theirs is None:
            return False
        skew = theirs - self._clock.wall()
        self.clock_difference = skew
        skew = skew if abs(skew) > _SKEW_TOLERATED else timedelta(0)
        changed = abs(skew - self.clock_skew) > _SKEW_TOLERATED
        if changed:
            self.clock_skew = skew
        return changed

    def _accept(self, answer: Answer, where: str, sent_at: float) -> _Token:
        document = _json_object(answer.body)
        text = document.get("access_token")
        kind = document.get("token_type", "Bearer")
        if not isinstance(text, str) or not _TOKEN_FORM.fullmatch(text):
            raise ContractBrokenError(f"{where} answered 200 without an access token.")
        if not isinstance(kind, str) or kind.lower() != "bearer":
            raise ContractBrokenError(f"{where} answered a token that is not of type Bearer.")
        scope = document.get("scope")
        self.granted_scopes = frozenset(scope.split()) if isinstance(scope, str) else None
        seconds = self._lifetime(document.get("expires_in"))
        # A token that lives only briefly is used to its end: a request that meets the end signs in again and repeats.
        renew_in = seconds / 2 if seconds >= 2 * _RENEW_BEFORE_SECONDS else seconds
        return _Token(text, sent_at + renew_in)

    def _lifetime(self, stated: object) -> float:
        if isinstance(stated, str) and stated.strip().isdecimal():
            stated = int(stated)
        if isinstance(stated, bool) or not isinstance(stated, int | float) or not 0 < stated <= _LONGEST_TOKEN_SECONDS:
            return self._contract.token_seconds_when_unsaid
        return float(stated)

    def _refusal(self, answer: Answer, where: str) -> Exception:
        word = _json_object(answer.body).get("error")
        said = f" ({word})" if isinstance(word, str) and _ERROR_WORD.fullmatch(word) else ""
        if answer.status not in (400, 401, 403):
            return ContractBrokenError(f"{where} answered {answer.status} to the sign-in{said}.")
        if word == "invalid_scope":
            return ScopeError(
                f"{where} does not grant the scopes asked for to client key {self._key.key_id}{said}.",
                remedy=f"Ask Jiko to grant the client: {' '.join(self._contract.scopes)}.",
            )
        return AuthenticationError(
            f"{where} refused to sign us in with key {self._key.key_id}: status {answer.status}{said}."
        )


def _json_object(body: bytes) -> dict[str, object]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


class BearerAuth(httpx.Auth):
    """Puts the current access token on each request that it is given to."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Set the header; an answer of 401 is the caller's to handle."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request

"""Fetching the file behind a download link, with a client that holds no credential.

Belongs here: which links are accepted, and writing a file to the incoming directory. Does not belong here:
asking for a link (`jiko_pipeline.bank.orders`), keeping the file (`jiko_pipeline.archive`).

Messages name the host and never the path or the query of a link: either may be what makes it work.
"""

import hashlib
import ipaddress
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import httpx

from jiko_pipeline.bank.clock import Clock
from jiko_pipeline.bank.errors import (
    ContractBrokenError,
    DownloadRefusedError,
    LinkExpiredError,
    UnavailableError,
)
from jiko_pipeline.bank.exchange import TransportFailure, exchange
from jiko_pipeline.bank.private_files import private_directory
from jiko_pipeline.bank.processes import is_alive, own_mark
from jiko_pipeline.bank.request_log import HEADER, RequestLog, Tries
from jiko_pipeline.bank.retry import RETRYABLE_STATUS, Attempts, RetryPolicy, retry_after_seconds
from jiko_pipeline.errors import StorageError
from jiko_pipeline.failpoints import failpoint

_EXPIRED_STATUS: Final = frozenset({401, 403, 404, 410})
_HTTPS_PORT: Final = 443
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class LinkRule:
    """Which links are accepted.

    `hosts` are exact names, or suffixes that begin with a dot; `name:port` where the port is not 443.
    `loopback` is True for a simulated bank on this machine only: it allows http and loopback addresses.
    """

    hosts: Sequence[str]
    loopback: bool = False

    def check(self, link: object) -> httpx.URL:
        """The link as an address. Raises DownloadRefusedError."""
        if not isinstance(link, str) or any(character.isspace() or not character.isprintable() for character in link):
            raise DownloadRefusedError("The bank answered no usable download link.")
        try:
            url = httpx.URL(link)
        except (httpx.InvalidURL, ValueError, TypeError):
            raise DownloadRefusedError("The bank answered a download link that is not an address.") from None
        host = url.host.lower().rstrip(".")
        on_loopback = self.loopback and host in _LOOPBACK_NAMES
        if url.scheme != "https" and not (url.scheme == "http" and on_loopback):
            raise DownloadRefusedError(f"A download link of the scheme {url.scheme[:10]!r} is not followed.")
        if url.userinfo:
            raise DownloadRefusedError(f"A download link to {host} that carries a user name is not followed.")
        if not on_loopback and (_is_address(host) or host in _LOOPBACK_NAMES):
            raise DownloadRefusedError(f"A download link to the address {host} is not followed.")
        if not self._is_listed(host, url.port):
            port = "" if url.port is None else f":{url.port}"
            raise DownloadRefusedError(f"A download link to {host}{port} is not followed: the host is not allowed.")
        return url

    def _is_listed(self, host: str, port: int | None) -> bool:
        suffix = "" if port in (None, _HTTPS_PORT) else f":{port}"
        for allowed in self.hosts:
            name = allowed.lower()
            if name.startswith("."):
                if (host + suffix).endswith(name) and len(host + suffix) > len(name):
                    return True
            elif host + suffix == name:
                return True
        return False

    def check_peer(self, response: httpx.Response) -> None:
        """Refuse a server that is not on a public address, whatever name led there.

        Raises DownloadRefusedError.
        """
        stream = response.extensions.get("network_stream")
        peer = stream.get_extra_info("server_addr") if stream is not None else None
        if peer is None:
            return
        address = ipaddress.ip_address(str(peer[0]).partition("%")[0])
        if address.is_global or (self.loopback and address.is_loopback):
            return
        raise DownloadRefusedError(f"A download link led to the private address {address}.")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        # Forms such as 0x7f.1 or 2130706433 are addresses to the system's resolver too.
        return host.replace(".", "").isdecimal() or host.startswith("0x")
    return True


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A file in the incoming directory, complete and synced to disk."""

    path: Path
    sha256: str
    byte_length: int
    media_type: str
    fetched_at: datetime


class DownloadClient:
    """Fetches files. Thread-safe; `incoming` is the directory they are written to."""

    def __init__(
        self,
        client: httpx.Client,
        *,
        rule: LinkRule,
        incoming: Path,
        clock: Clock,
        policy: RetryPolicy,
        log: RequestLog | None = None,
    ) -> None:
        self._client = client
        self._log = log or RequestLog(None, clock)
        self._rule = rule
        self._incoming = private_directory(incoming)
        self._clock = clock
        self._policy = policy
        self._mark = own_mark().replace(":", "-")
        self.calls = 0

    def remove_leftovers(self) -> int:
        """Delete files of processes that have ended; their pulls are not marked as delivered.

        Returns how many.
        """
        removed = 0
        for file in self._incoming.glob("*.part"):
            pid, _, rest = file.name.partition("-")
            if not is_alive(f"{pid}:{rest.partition('-')[0]}"):
                file.unlink(missing_ok=True)
                removed += 1
        return removed

    def check_link(self, link: object) -> None:
        """Nothing, for a link that would be followed. Raises DownloadRefusedError for any other."""
        self._rule.check(link)

    def fetch(self, link: object, *, cap_bytes: int) -> FetchedFile:
        """The file behind `link`, from its first byte, after as many tries as the policy allows.

        Raises LinkExpiredError (a new link may help), DownloadRefusedError, UnavailableError, StorageError.
        """
        url = self._rule.check(link)
        with self._log.tries("download") as tries:
            return self._fetched(url, cap_bytes, tries)

    def _fetched(self, url: httpx.URL, cap_bytes: int, tries: Tries) -> FetchedFile:
        attempts = Attempts(self._clock, self._policy)
        while True:
            attempts.made += 1
            self.calls += 1
            asked: float | None = None
            garbled = False
            try:
                outcome = self._once(url, attempts.deadline, cap_bytes, tries.begin())
            except TransportFailure as failure:
                trouble = f"{failure}"
                garbled = failure.garbled
            except ContractBrokenError as error:
                raise DownloadRefusedError(f"{error}") from None
            else:
                if isinstance(outcome, FetchedFile):
                    tries.brought(outcome.sha256)
                    return outcome
                trouble, asked = outcome
            tries.trouble(trouble)
            if not attempts.wait(asked):
                kind = DownloadRefusedError if garbled else UnavailableError
                raise kind(f"A file of {url.host} could not be fetched in {attempts.made} tries: {trouble}.")

    def _once(
        self, url: httpx.URL, deadline: float, cap_bytes: int, request_id: str
    ) -> FetchedFile | tuple[str, float | None]:
        path = self._incoming / f"{self._mark}-{uuid.uuid4().hex}.part"
        digest = hashlib.sha256()
        kept = False
        try:
            with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb") as file:

                def take(chunk: bytes) -> None:
                    digest.update(chunk)
                    file.write(chunk)
                    failpoint("download-begun")

                answer = exchange(
                    self._client,
                    self._client.build_request("GET", url, headers={HEADER: request_id}),
                    clock=self._clock,
                    deadline=deadline,
                    cap_bytes=cap_bytes,
                    where=url.host,
                    sink=take,
                    check=self._rule.check_peer,
                )
                if answer.status == 200:
                    file.flush()
                    os.fsync(file.fileno())
                    failpoint("download-complete")
                    kept = True
        except OSError as error:
            raise StorageError(f"The file {path} cannot be written: {error.strerror}.") from None
        finally:
            if not kept:
                path.unlink(missing_ok=True)
        if answer.status == 200:
            return FetchedFile(path, digest.hexdigest(), answer.byte_length, answer.media_type, answer.fetched_at)
        if answer.status in _EXPIRED_STATUS:
            raise LinkExpiredError(f"{url.host} no longer honours a download link ({answer.status}).")
        if answer.status in RETRYABLE_STATUS:
            asked = retry_after_seconds(
                answer.headers.get("retry-after"), answer.headers.get("date"), self._clock.wall()
            )
            return f"status {answer.status}", asked
        if 300 <= answer.status < 400:
            raise DownloadRefusedError(
                f"{url.host} redirects a download elsewhere ({answer.status}); it is not followed."
            )
        raise DownloadRefusedError(f"{url.host} answered {answer.status} to a download.")

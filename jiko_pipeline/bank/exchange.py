"""One HTTP exchange: send a request, read the answer under a deadline and a byte cap, or say what happened.

Belongs here: how the two clients are made, framing and size of answers, and the translation of transport
failures. Does not belong here: retries and credentials (`jiko_pipeline.bank.api`), links
(`jiko_pipeline.bank.downloads`).

Bodies are asked for and accepted only without content coding: a coded body can be cut without being noticed
and can expand without bound.
"""

import http.cookiejar
import logging
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import httpx

from jiko_pipeline.bank.clock import Clock
from jiko_pipeline.bank.errors import CertificateError, ContractBrokenError
from jiko_pipeline.bank.transport import DeadlineTransport, TimeLeft

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 30.0
_CHUNK_BYTES: Final = 64 * 1024
_USER_AGENT: Final = "jiko-pipeline"
_CLOSED_BEFORE_ANSWERING: Final = "Server disconnected without sending a response"


class TransportFailure(Exception):
    """The exchange did not come to an end.

    `sent` is False only when the request cannot have arrived. `garbled` is True when the answer was begun and is no
    whole HTTP message: where each try ends so, it is the answer that is wrong and not the connection.
    """

    def __init__(self, what: str, *, sent: bool, garbled: bool = False) -> None:
        super().__init__(what)
        self.sent = sent
        self.garbled = garbled


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer.

    `body` is empty when it was written to a sink; `fetched_at` is the end of the fetch, UTC.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    fetched_at: datetime
    byte_length: int

    @property
    def media_type(self) -> str:
        """Media type without parameters, lower case; empty when the answer names none."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()


def make_client(threads: int) -> httpx.Client:
    """A client without credentials, redirects, cookies or anything from the environment (proxies, .netrc)."""
    for name in ("httpx", "httpcore"):
        # Both write whole addresses, and httpcore headers too, below WARNING.
        logging.getLogger(name).setLevel(logging.WARNING)
    no_cookies = http.cookiejar.CookieJar(policy=http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    return httpx.Client(
        follow_redirects=False,
        trust_env=False,
        cookies=no_cookies,
        headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"},
        transport=DeadlineTransport(httpx.Limits(max_connections=threads + 1, max_keepalive_connections=threads + 1)),
    )


def place(url: httpx.URL | str) -> str:
    """Host and path of an address: all of it that a message may carry."""
    address = httpx.URL(url)
    port = f":{address.port}" if address.port is not None else ""
    return f"{address.host}{port}{address.path}"


def exchange(
    client: httpx.Client,
    request: httpx.Request,
    *,
    clock: Clock,
    deadline: float,
    cap_bytes: int,
    where: str,
    auth: httpx.Auth | None = None,
    sink: Callable[[bytes], object] | None = None,
    check: Callable[[httpx.Response], None] | None = None,
) -> Answer:
    """Send `request` and read the whole answer.

    `deadline` is a monotonic instant of `clock`; `where` is how messages name the address. `sink` takes the
    chunks of a 200 answer instead of `Answer.body`. `check` sees the response before its body is read.
    Raises TransportFailure, CertificateError, and ContractBrokenError for an answer whose end cannot be
    known.
    """
    remaining = deadline - clock.monotonic()
    if remaining <= 0:
        raise TransportFailure("the time for it was used up", sent=False)
    read = min(READ_SECONDS, remaining)
    request.extensions["timeout"] = {
        "connect": min(CONNECT_SECONDS, remaining),
        "read": TimeLeft(read, lambda: deadline - clock.monotonic()),
        "write": read,
        "pool": remaining,
    }
    try:
        response = client.send(request, stream=True, auth=auth)
        try:
            return _read(response, clock, deadline, cap_bytes, where, sink, check)
        finally:
            response.close()
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        if isinstance(error.__cause__, ssl.SSLCertVerificationError) or _is_certificate(error):
            raise CertificateError(f"The certificate of {where} is not trusted.") from None
        raise TransportFailure("no connection", sent=False) from None
    except httpx.TimeoutException:
        late = clock.monotonic() >= deadline
        raise TransportFailure("the answer took too long" if late else "no answer in time", sent=True) from None
    except httpx.RemoteProtocolError as error:
        # A connection that is closed before any answer says nothing of the answer.
        garbled = not str(error).startswith(_CLOSED_BEFORE_ANSWERING)
        what = "the answer is no whole HTTP" if garbled else "the connection was closed without an answer"
        raise TransportFailure(what, sent=True, garbled=garbled) from None
    except httpx.TransportError as error:
        raise TransportFailure(f"the connection broke off ({type(error).__name__})", sent=True) from None


def _is_certificate(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _read(
    response: httpx.Response,
    clock: Clock,
    deadline: float,
    cap_bytes: int,
    where: str,
    sink: Callable[[bytes], object] | None,
    check: Callable[[httpx.Response], None] | None,
) -> Answer:
    if check is not None:
        check(response)
    headers = response.headers
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise ContractBrokenError(f"{where} answered in the content coding {coding!r}, which was not asked for.")
    bodyless = response.status_code in (204, 304)
    chunked = headers.get("transfer-encoding", "").strip().lower() == "chunked"
    if not bodyless and not chunked and "content-length" not in headers:
        raise ContractBrokenError(
            f"{where} answered without a length, so a cut answer could not be told from a whole one."
        )
    declared = headers.get("content-length")
    if declared is not None and declared.isdecimal() and int(declared) > cap_bytes:
        raise ContractBrokenError(f"{where} announces {int(declared)} bytes; at most {cap_bytes} are accepted.")

    use_sink = sink if response.status_code == 200 else None
    chunks: list[bytes] = []
    length = 0
    for chunk in response.iter_raw(_CHUNK_BYTES):
        length += len(chunk)
        if length > cap_bytes:
            raise ContractBrokenError(f"{where} sent more than the {cap_bytes} bytes that are accepted.")
        if clock.monotonic() > deadline:
            raise TransportFailure("the answer took too long", sent=True)
        if use_sink is not None:
            use_sink(chunk)
        else:
            chunks.append(chunk)
    return Answer(
        status=response.status_code,
        headers=dict(headers.items()),
        body=b"".join(chunks),
        fetched_at=clock.wall(),
        byte_length=length,
    )

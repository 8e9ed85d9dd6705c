"""A second bank, written apart from the simulated one: small, strict, and able to misbehave on request.

Belongs here: a threaded loopback server for the client's tests and a clock that stands still until it is
waited on. Does not belong here: assertions.

The bank checks sign-ins with the registered key, refuses repeated assertions and remembers every request with
its headers. A test plants answers with `plant`: they are given once each, before the bank's own.
"""

import json
import re
import socket
import threading
import uuid
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import OKPKey, RSAKey

from jiko_pipeline.bank.clock import Clock
from jiko_pipeline_tests.bank.virtual_clock import StillTime, VirtualTime

CLIENT_ID = "client-of-the-tests"
KEY_ID = "key-1"


class StillClock:
    """A clock that moves only when it is slept on (or advanced); `slept` lists the waits.

    It stands while a thread of its pool works (`virtual_clock`).
    """

    def __init__(self, start: datetime | None = None) -> None:
        self.start = start or datetime(2024, 7, 18, 12, 0, tzinfo=UTC)
        self.slept: list[float] = []
        self._still = StillTime()
        self._time = VirtualTime(self._still)

    @property
    def elapsed(self) -> float:
        return self._still.elapsed

    def advance(self, seconds: float) -> None:
        self._time.advance(seconds)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._time.sleep(seconds)

    @property
    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.elapsed)

    @property
    def clock(self) -> Clock:
        return Clock(wall=lambda: self.now, monotonic=lambda: self.elapsed, sleep=self._sleep, pool=self._time.pool)


@dataclass
class Seen:
    """A request that arrived."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """An answer. `raw` is sent as it stands instead; `hang_up` closes without any answer."""

    status: int = 200
    document: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    raw: bytes | None = None
    hang_up: bool = False

    def payload(self) -> bytes:
        return self.body if self.body is not None else json.dumps(self.document).encode()


Handler = Callable[[Seen], Reply]


class SecondBank:
    """The bank. `origin` serves the API, `storage` the files; both loopback."""

    def __init__(self, still: StillClock) -> None:
        self.still = still
        self.seen: list[Seen] = []
        self.storage_seen: list[Seen] = []
        self.incidents: list[str] = []
        self.jti: set[str] = set()
        self.tokens: set[str] = set()
        self.expires_in: Any = 900
        self.granted_scope: str | None = None
        self.public_key: OKPKey | RSAKey | None = None
        self.secrets: set[str] = set()
        self.requests: list[dict[str, Any]] = []
        self.looks_needed = 2
        self.final_status = "COMPLETED"
        self.failures_left = 0
        self.files: dict[str, bytes] = {}
        self.link_form = "{storage}/files/{token}?signature={signature}"
        self.handlers: dict[tuple[str, str], Handler] = {}
        self._planted: dict[str, list[Reply | Handler]] = defaultdict(list)
        self._looks: dict[str, int] = defaultdict(int)
        self._lock = threading.RLock()
        self.origin = ""
        self.storage = ""

    def plant(self, path_pattern: str, *replies: Reply | Handler) -> None:
        """Give these answers, once each and in order, to requests whose `METHOD path` matches the pattern."""
        self._planted[path_pattern] += replies

    def calls(self, pattern: str) -> list[Seen]:
        """The requests to the API whose `METHOD path` matches."""
        return [seen for seen in self.seen if re.fullmatch(pattern, f"{seen.method} {seen.path}")]

    def answer(self, seen: Seen) -> Reply:
        with self._lock:
            self.seen.append(seen)
            named = f"{seen.method} {seen.path}"
            for pattern, replies in self._planted.items():
                if replies and re.fullmatch(pattern, named):
                    planted = replies.pop(0)
                    return planted(seen) if callable(planted) else planted
            if named == "POST /api/oauth2/token":
                return self.sign_in(seen)
            if seen.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
                return Reply(401, {"detail": "not authenticated"})
            handler = self.handlers.get((seen.method, seen.path))
            if handler is not None:
                return handler(seen)
            return self.reports(seen) or Reply(404, {"detail": "not found"})

    def sign_in(self, seen: Seen) -> Reply:
        form = dict(parse_qsl(seen.body.decode(), strict_parsing=True))
        self.secrets.add(form["client_assertion"])
        assert self.public_key is not None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            token = jwt.decode(form["client_assertion"], self.public_key, algorithms=["PS256", "EdDSA"])
        claims = token.claims
        problems = [
            form["grant_type"] != "client_credentials",
            form["client_assertion_type"] != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            claims["iss"] != CLIENT_ID or claims["sub"] != CLIENT_ID,
            claims["aud"] != f"{self.origin}/api/oauth2/token",
            claims["jti"] in self.jti,
            token.header["kid"] != KEY_ID,
            claims["exp"] - claims["iat"] > 300,
            abs(claims["iat"] - self.server_now().timestamp()) > 30,
        ]
        self.jti.add(claims["jti"])
        if any(problems):
            description = f"{form['client_assertion']} is refused: {problems}"
            headers = {"Date": http_date(self.server_now())}
            return Reply(401, {"error": "invalid_client", "error_description": description}, headers)
        text = f"canary-token-{uuid.uuid4().hex}"
        self.tokens.add(text)
        self.secrets.add(text)
        document = {"access_token": text, "token_type": "Bearer", "expires_in": self.expires_in}
        document["scope"] = self.granted_scope
        return Reply(200, {name: value for name, value in document.items() if value is not None})

    def server_now(self) -> datetime:
        return self.still.now

    def reports(self, seen: Seen) -> Reply | None:
        """The asynchronous reports: completed after `looks_needed` looks, unless told otherwise."""
        base = "/api/v1/report-requests/"
        if seen.method == "POST" and seen.path == base:
            return Reply(201, self.order(json.loads(seen.body)))
        if seen.method == "GET" and seen.path == base:
            offset = int(seen.query.get("cursor", ["0"])[0] or 0)
            limit = int(seen.query["limit"][0])
            newest_first = self.requests[::-1]
            page = [self.look(item) for item in newest_first[offset : offset + limit]]
            following = str(offset + limit) if offset + limit < len(newest_first) else None
            return Reply(200, {"items": page, "next_page": following, "prev_page": None})
        if seen.method == "GET" and seen.path.startswith(base):
            found = [item for item in self.requests if item["id"] == seen.path.removeprefix(base).rstrip("/")]
            return Reply(200, self.look(found[0])) if found else Reply(404, {"detail": "not found"})
        matched = re.fullmatch(r"/api/v1/reports/([^/]+)/download/", seen.path)
        if seen.method == "POST" and matched:
            signature = f"canary-signature-{uuid.uuid4().hex}"
            self.secrets.add(signature)
            token = f"{matched[1]}.{uuid.uuid4().hex}"
            self.files[token] = self.content(matched[1])
            link = self.link_form.format(storage=self.storage, token=token, signature=signature)
            return Reply(200, {"url": link, "expires_at": None})
        return None

    def order(self, body: dict[str, Any]) -> dict[str, Any]:
        """Make a report request of an order's body."""
        item = {
            "id": str(uuid.uuid4()),
            "report_type": body["report_type"],
            "output_formats": body["output_formats"],
            "status": "PENDING",
            "reports": [],
            "parameters": body,
            "error": None,
            "created_at": self.server_now().isoformat(),
        }
        self.requests.append(item)
        return dict(item)

    def look(self, item: dict[str, Any]) -> dict[str, Any]:
        self._looks[item["id"]] += 1
        if item["status"] in ("PENDING", "IN_PROGRESS"):
            if self._looks[item["id"]] < self.looks_needed:
                item["status"] = "IN_PROGRESS"
            elif self.failures_left > 0:
                self.failures_left -= 1
                item["status"], item["error"] = "FAILED", "the ledger was busy"
            else:
                item["status"] = self.final_status
                pockets = item["parameters"].get("pocket_ids")
                item["reports"] = [
                    {
                        "id": f"{item['id']}-{form}",
                        "output_format": form,
                        "report_type": item["report_type"],
                        "pocket_id": pockets[0] if pockets else None,
                        "created_at": self.server_now().isoformat(),
                        "file_name": "../../etc/passwd",
                    }
                    for form in item["output_formats"]
                ]
        return dict(item)

    def content(self, report_id: str) -> bytes:
        """The bytes of a report: the same whenever it is asked for."""
        return (f"report {report_id}\n" * 40).encode()

    def serve_file(self, seen: Seen) -> Reply:
        with self._lock:
            self.storage_seen.append(seen)
            credentials = {"authorization", "cookie", "x-api-key"} & set(seen.headers)
            if credentials:
                self.incidents += credentials
                return Reply(400, {"error": "only one means of authentication is allowed"})
            for pattern, replies in self._planted.items():
                if replies and pattern.startswith("STORAGE") and re.fullmatch(pattern, f"STORAGE {seen.path}"):
                    planted = replies.pop(0)
                    return planted(seen) if callable(planted) else planted
            body = self.files.get(seen.path.removeprefix("/files/"))
            return Reply(403, {"error": "expired"}) if body is None else Reply(200, body=body)


def http_date(instant: datetime) -> str:
    return instant.strftime("%a, %d %b %Y %H:%M:%S GMT")


def _handler(respond: Callable[[Seen], Reply]) -> type[BaseHTTPRequestHandler]:
    class _Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            reply = respond(
                Seen(
                    self.command,
                    parts.path,
                    parse_qs(parts.query, keep_blank_values=True),
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(length),
                )
            )
            if reply.hang_up or reply.raw is not None:
                self.wfile.write(reply.raw or b"")
                self.close_connection = True
                return
            body = reply.payload()
            self.send_response_only(reply.status)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **reply.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = _serve
        do_POST = _serve
        do_PUT = _serve
        do_PATCH = _serve
        do_DELETE = _serve

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return _Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests."""


@contextmanager
def serving(bank: SecondBank) -> Iterator[SecondBank]:
    """The bank on two free ports."""
    api = _Server(("127.0.0.1", 0), _handler(bank.answer))
    storage = _Server(("127.0.0.1", 0), _handler(bank.serve_file))
    bank.origin = f"http://127.0.0.1:{api.server_address[1]}"
    bank.storage = f"http://localhost:{storage.server_address[1]}"
    threads = [threading.Thread(target=server.serve_forever, args=(0.01,)) for server in (api, storage)]
    for thread in threads:
        thread.start()
    try:
        yield bank
    finally:
        for server in (api, storage):
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join()


def write_key(file: Path, *, rsa: bool = False) -> OKPKey | RSAKey:
    """A fresh private key in a PEM file of mode 0600; the key as the bank may use it."""
    key = generate_private_key(65537, 2048) if rsa else Ed25519PrivateKey.generate()
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    file.chmod(0o600)
    return (RSAKey if rsa else OKPKey).import_key(file.read_bytes())


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

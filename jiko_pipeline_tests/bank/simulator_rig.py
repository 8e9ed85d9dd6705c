"""Serves the simulated bank inside a test: in a thread of this process, on real sockets.

Belongs here: starting, stopping, restarting it, and a client that signs in as Jiko documents it, written without
the pipeline's own client. Does not belong here: assertions.
"""

import threading
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from queue import Queue
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import OKPKey, RSAKey

from jiko_pipeline.simulator.serve import ServeOptions, serve

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
Json = dict[str, Any]


@dataclass
class ServedBank:
    """A running simulator and a client to it."""

    announcement: Json
    http: httpx.Client = field(init=False)
    plain: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.announcement["api_url"], timeout=60, trust_env=False)
        self.plain = httpx.Client(timeout=60, trust_env=False)

    def assertion(self, *, key: OKPKey | RSAKey | None = None, algorithm: str = "EdDSA", **claims: Any) -> str:
        """A fresh assertion of the bank's own client; a claim given as None is left out."""
        client_id = self.announcement.get("client_id", "test-client")
        now = int(self.now().timestamp())
        content = {
            "iss": client_id,
            "sub": client_id,
            "aud": f"{self.announcement['auth_url']}/api/oauth2/token",
            "iat": now,
            "exp": now + 60,
            "jti": str(uuid.uuid4()),
            **claims,
        }
        if key is None:
            key = OKPKey.import_key(Path(self.announcement["private_key_file"]).read_bytes())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            return jwt.encode(
                {"alg": algorithm},
                {name: value for name, value in content.items() if value is not None},
                key,
                algorithms=[algorithm],
            )

    def ask_token(self, assertion: str, **fields: str) -> httpx.Response:
        """The answer of the token endpoint."""
        return self.http.post(
            "/api/oauth2/token",
            data={
                "grant_type": "client_credentials",
                "client_id": self.announcement.get("client_id", "test-client"),
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": assertion,
                **fields,
            },
        )

    def sign_in(self, **fields: str) -> str:
        """Sign in and use the token from now on; the token."""
        answer = self.ask_token(self.assertion(), **fields)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"
        return token

    @contextmanager
    def approver(self) -> Iterator[httpx.Client]:
        """A client signed in as the second person of the customer, by whom transfers are approved."""
        name = self.announcement["approver_client_id"]
        key = OKPKey.import_key(Path(self.announcement["approver_private_key_file"]).read_bytes())
        answer = self.ask_token(self.assertion(key=key, iss=name, sub=name), client_id=name)
        assert answer.status_code == 200, answer.text
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        address = self.announcement["api_url"]
        with httpx.Client(base_url=address, headers=headers, timeout=60, trust_env=False) as client:
            yield client

    def get(self, path: str, **query: Any) -> Json:
        """The JSON of a successful GET; `__` in a name stands for `[]`."""
        answer = self.http.get(path, params={name.replace("__", "[]"): value for name, value in query.items()})
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body

    def walk(self, path: str, **query: Any) -> list[Json]:
        """All items of a cursor list, page by page."""
        items: list[Json] = []
        cursor = ""
        while True:
            page = self.get(path, cursor=cursor, **query)
            items += page["items"]
            if page["next_page"] is None:
                return items
            cursor = page["next_page"]

    def order(self, report_type: str, *formats: str, **parameters: Any) -> httpx.Response:
        """The answer to a report request."""
        body = {"report_type": report_type, "output_formats": list(formats), **parameters}
        return self.http.post("/api/v1/report-requests/", json=body)

    def finished(self, request_id: str) -> Json:
        """A request after as many looks as it takes."""
        for _ in range(10):
            request = self.get(f"/api/v1/report-requests/{request_id}/")
            if request["status"] not in ("PENDING", "IN_PROGRESS"):
                return request
        raise AssertionError(f"still {request['status']} after ten looks")

    def delivered(self, report_type: str, *formats: str, **parameters: Any) -> list[bytes]:
        """The files of a report, ordered, awaited and fetched."""
        answer = self.order(report_type, *formats, **parameters)
        assert answer.status_code == 201, answer.text
        request = self.finished(answer.json()["id"])
        return [self.download(report["id"]).content for report in request["reports"]]

    def link(self, report_id: str) -> str:
        """A fresh link to a report."""
        answer = self.http.post(f"/api/v1/reports/{report_id}/download/")
        assert answer.status_code == 200, answer.text
        url: str = answer.json()["url"]
        return url

    def download(self, report_id: str) -> httpx.Response:
        """The file of a report."""
        answer = self.plain.get(self.link(report_id))
        assert answer.status_code == 200, answer.text
        return answer

    def control(self, method: str, path: str, **content: Any) -> Json:
        """A control route with the control token."""
        headers = {"X-Simulator-Token": self.announcement["control_token"]}
        answer = self.http.request(method, f"/__simulator__/{path}", headers=headers, json=content if content else None)
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body

    def now(self) -> datetime:
        """The bank's time."""
        return datetime.fromisoformat(self.control("GET", "world")["now"])

    def move_clock(self, *, to: str | None = None, seconds: float | None = None) -> None:
        """Set the bank's clock, or advance it."""
        self.control("POST", "clock", **({"now": to} if to else {"advance_seconds": seconds}))


@contextmanager
def served(options: ServeOptions, *, signed_in: bool = True) -> Iterator[ServedBank]:
    """A simulator on real sockets for as long as the block lasts."""
    told: Queue[Json | BaseException] = Queue()

    def run() -> None:
        try:
            serve(options, lambda announcement: told.put(dict(announcement)))
        except BaseException as failure:  # noqa: BLE001  # handed to the test's thread
            told.put(failure)

    thread = threading.Thread(target=run)
    thread.start()
    first = told.get()
    if isinstance(first, BaseException):
        thread.join()
        raise first
    bank = ServedBank(first)
    try:
        if signed_in and "client_id" in bank.announcement:
            bank.sign_in()
        yield bank
    finally:
        bank.control("POST", "shutdown")
        bank.http.close()
        bank.plain.close()
        thread.join()
    if not told.empty():
        raise AssertionError("the simulator did not end in good order") from told.get()  # type: ignore[misc]


def again(options: ServeOptions, **changes: Any) -> ServeOptions:
    """The same state directory, served anew."""
    return replace(options, **changes)

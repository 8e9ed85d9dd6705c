"""The receiver of webhooks over real HTTP: what it takes, what it refuses, what is on disk afterwards."""

import base64
import hashlib
import hmac
import json
import signal
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from queue import Queue
from typing import Any

import httpx
import pytest
import uvicorn
import yaml

from jiko_pipeline.errors import SettingsError
from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline.simulator.server.bank import SimulatedBank
from jiko_pipeline.simulator.server.events import emit
from jiko_pipeline.simulator.server.limits import LimitProfile
from jiko_pipeline.simulator.server.state import State
from jiko_pipeline.simulator.world import World
from jiko_pipeline.webhooks.inbox import Inbox
from jiko_pipeline.webhooks.patience import ImpatientProtocol
from jiko_pipeline.webhooks.receiver import CONNECTIONS, LARGEST_BODY_BYTES, PATH, Receipt, application, server_of
from jiko_pipeline.webhooks.signature import is_signed, load_secret
from jiko_pipeline_tests.bank.simulator_rig import again, served
from jiko_pipeline_tests.operation.command_line import DataDirectory

SECRET = "the secret of a subscription"
DESCRIPTION = Path(__file__).resolve().parents[2] / "docs" / "jiko-customer-api.yaml"
EVENT_TYPES: list[str] = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))["components"]["schemas"]["EventType"][
    "examples"
]
PATIENCE_SECONDS = 30.0


def signed(body: bytes) -> str:
    """The signature as Jiko documents it, written without the pipeline's own."""
    return base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()


def body_of(event_id: str = "00000000-0000-4000-8000-000000000001", **changes: Any) -> bytes:
    event = {
        "event_id": event_id,
        "event_type": "transfers.wire.in.success",
        "timestamp": "2024-07-18T14:00:00.000000Z",
        "payload": {"wire_id": "00000000-0000-4000-8000-0000000000aa"},
        "customer_id": "00000000-0000-4000-8000-0000000000bb",
        **changes,
    }
    return json.dumps({name: value for name, value in event.items() if value is not None}).encode()


def with_another_byte(raw: bytes, place: int) -> bytes:
    """The same with the lowest bit of one byte turned."""
    return raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]


@dataclass
class RunningReceiver:
    """A receiver on loopback, its inbox, and what it told of each request."""

    url: str
    inbox: Inbox
    file: Path
    receipts: "Queue[Receipt]"
    client: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=30))

    def post(self, body: bytes, signature: str | bytes | None) -> httpx.Response:
        headers: list[tuple[bytes, bytes]] = []
        if signature is not None:
            raw = signature if isinstance(signature, bytes) else signature.encode()
            headers.append((b"x-jiko-signature", raw))
        return self.client.post(self.url, content=body, headers=headers)

    @property
    def kept(self) -> list[str]:
        """The ids of the events on disk, in order of arrival."""
        return [item.event.event_id for item in self.inbox.after(0)]


@contextmanager
def receiving(file: Path) -> Iterator[RunningReceiver]:
    receipts: Queue[Receipt] = Queue()
    inbox = Inbox(file)
    server = uvicorn.Server(server_of(application(SECRET.encode(), inbox, receipts.put)))
    bound = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([bound],))
    thread.start()
    running = RunningReceiver(f"http://127.0.0.1:{bound.getsockname()[1]}{PATH}", inbox, file, receipts)
    try:
        yield running
    finally:
        running.client.close()
        server.should_exit = True
        thread.join()
        bound.close()


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[RunningReceiver]:
    with receiving(tmp_path / "data" / "bank" / "events.sqlite") as running:
        yield running


def test_every_type_of_event_goes_from_the_bank_into_the_inbox_and_with_one_byte_changed_is_refused(
    receiver: RunningReceiver, tmp_path: Path
) -> None:
    options = ServeOptions(tmp_path / "bank", now=datetime(2024, 6, 10, 12, tzinfo=UTC))
    with served(options) as bank:
        answer = bank.http.post(
            "/api/v1/subscriptions/", json={"events": EVENT_TYPES, "url": receiver.url, "shared_secret": SECRET}
        )
        assert answer.status_code == 201
    with State(options.state_dir / "state.sqlite") as state:
        stopped = SimulatedBank(World(WorldConfig()), state, {}, LimitProfile.OFF, "", "", "", "", {}, lambda: None)
        at = datetime(2024, 6, 11, 15, tzinfo=UTC)
        made = {emit(stopped, name, "a call", {"wire_id": "a call"}, at): name for name in EVENT_TYPES}
    arrived: dict[str, str] = {}
    with served(again(options, now=datetime(2024, 6, 11, 16, tzinfo=UTC))):
        while not made.keys() <= arrived.keys():
            receipt = receiver.receipts.get(timeout=PATIENCE_SECONDS)
            assert receipt.status == 202
            assert receipt.event is not None
            arrived[receipt.event.event_id] = receipt.event.event_type
    assert len(EVENT_TYPES) == 9
    assert {event_id: arrived[event_id] for event_id in made} == made
    # Events of the ledger may have come after the last one that was waited for.
    assert set(arrived) <= set(receiver.kept)
    changed = "00000000-0000-4000-8000-000000000002"
    for name in EVENT_TYPES:
        body = body_of(changed, event_type=name)
        assert receiver.post(with_another_byte(body, len(body) // 2), signed(body)).status_code == 401
    assert changed not in receiver.kept


def test_a_body_with_any_one_byte_changed_is_refused_and_nothing_is_kept(receiver: RunningReceiver) -> None:
    body = body_of()
    signature = signed(body)
    answers = {receiver.post(with_another_byte(body, place), signature).status_code for place in range(len(body))}
    assert answers == {401}
    assert not receiver.file.exists() or receiver.kept == []
    assert receiver.post(body, signature).status_code == 202


def test_a_signature_with_any_one_byte_changed_to_anything_is_refused() -> None:
    body = body_of()
    signature = signed(body).encode()
    assert is_signed(SECRET.encode(), body, signature)
    passed = [
        (place, value)
        for place in range(len(signature))
        for value in range(256)
        if value != signature[place]
        and is_signed(SECRET.encode(), body, signature[:place] + bytes([value]) + signature[place + 1 :])
    ]
    assert passed == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda signature: None, id="none"),
        pytest.param(lambda signature: "", id="empty"),
        pytest.param(lambda signature: signature.rstrip("="), id="without padding"),
        pytest.param(lambda signature: signature + "=", id="more padding"),
        pytest.param(lambda signature: signature.lower(), id="lower case"),
        pytest.param(lambda signature: base64.b64decode(signature).hex(), id="hexadecimal"),
        pytest.param(lambda signature: b"\xff" + signature.encode()[1:], id="no ASCII"),
    ],
)
def test_a_signature_that_is_not_the_text_itself_is_refused(
    receiver: RunningReceiver, change: Callable[[str], str | bytes | None]
) -> None:
    body = body_of()
    assert receiver.post(body, change(signed(body))).status_code == 401
    assert not receiver.file.exists()


def test_two_signatures_are_none(receiver: RunningReceiver) -> None:
    body = body_of()
    headers = [("x-jiko-signature", signed(body)), ("x-jiko-signature", signed(body))]
    assert receiver.client.post(receiver.url, content=body, headers=headers).status_code == 401


def test_an_event_that_comes_again_is_answered_and_kept_once(receiver: RunningReceiver) -> None:
    body = body_of()
    restated = body_of(payload={"wire_id": "another"})
    answers = [receiver.post(one, signed(one)).status_code for one in (body, body, restated)]
    assert answers == [202, 202, 202]
    assert [receiver.receipts.get(timeout=PATIENCE_SECONDS).is_new for _ in answers] == [True, False, False]
    (kept,) = receiver.inbox.after(0)
    assert kept.event.payload == {"wire_id": "00000000-0000-4000-8000-0000000000aa"}


def test_an_event_that_two_receivers_get_at_once_is_kept_once(receiver: RunningReceiver) -> None:
    with receiving(receiver.file) as other:
        bodies = [body_of(f"00000000-0000-4000-8000-{number:012d}") for number in range(20)]

        def send(to: RunningReceiver) -> None:
            for body in bodies:
                assert to.post(body, signed(body)).status_code == 202

        threads = [threading.Thread(target=send, args=(one,)) for one in (receiver, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        receipts = [one.receipts.get(timeout=PATIENCE_SECONDS) for one in (receiver, other) for _ in bodies]
    assert sum(receipt.is_new for receipt in receipts) == len(bodies)
    assert len(receiver.kept) == len(bodies)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"null",
        b"[" * 100_000,
        body_of(event_id=None),
        body_of(event_id=""),
        body_of(event_type=7),
        body_of(timestamp="2024-07-18T14:00:00"),
        body_of(timestamp="yesterday"),
        body_of(timestamp="0001-01-01T00:00:00+14:00"),
        body_of(timestamp="0001-01-01T00:00:00Z"),
        body_of(timestamp="9999-12-31T23:59:59Z"),
        body_of(payload=[]),
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(receiver: RunningReceiver, body: bytes) -> None:
    assert receiver.post(body, signed(body)).status_code == 400
    assert not receiver.file.exists()


def test_a_body_over_a_megabyte_is_refused_whether_its_length_is_told_or_not(receiver: RunningReceiver) -> None:
    largest = body_of(payload={"filler": ""})
    largest = body_of(payload={"filler": "x" * (LARGEST_BODY_BYTES - len(largest))})
    assert len(largest) == LARGEST_BODY_BYTES
    assert receiver.post(largest, signed(largest)).status_code == 202
    larger = largest + b" "
    assert receiver.post(larger, signed(larger)).status_code == 413
    chunks = (larger[place : place + 65_536] for place in range(0, len(larger), 65_536))
    answer = receiver.client.post(receiver.url, content=chunks, headers={"x-jiko-signature": signed(larger)})
    assert answer.status_code == 413
    assert len(receiver.kept) == 1


@pytest.mark.parametrize(
    "opening",
    [
        pytest.param(b"", id="silent"),
        pytest.param(b"POST /webhooks HTTP/1.1\r\nHost: x\r\n", id="half a head"),
    ],
)
def test_callers_that_do_not_say_what_they_want_do_not_keep_the_bank_out(
    receiver: RunningReceiver, monkeypatch: pytest.MonkeyPatch, opening: bytes
) -> None:
    monkeypatch.setattr(ImpatientProtocol, "head_seconds", 0.2)
    address = httpx.URL(receiver.url)
    idle = [socket.create_connection((address.host, address.port), PATIENCE_SECONDS) for _ in range(CONNECTIONS)]
    for caller in idle:
        caller.sendall(opening)
    for caller in idle:
        with caller, suppress(ConnectionResetError):
            assert caller.recv(1) == b""
    body = body_of()
    assert receiver.post(body, signed(body)).status_code == 202


def test_a_connection_is_kept_for_the_next_event(receiver: RunningReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImpatientProtocol, "head_seconds", 0.2)
    body = body_of()
    request = (
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nx-jiko-signature: {signed(body)}\r\n\r\n"
    )
    address = httpx.URL(receiver.url)
    with socket.create_connection((address.host, address.port), PATIENCE_SECONDS) as caller:
        for _ in range(2):
            caller.sendall(request.encode() + body)
            assert caller.recv(4096).startswith(b"HTTP/1.1 202 ")


def test_nothing_else_is_served(receiver: RunningReceiver) -> None:
    assert receiver.client.get(receiver.url).status_code == 405
    assert receiver.client.post(receiver.url.removesuffix(PATH) + "/other").status_code == 404
    assert receiver.client.post(receiver.url + "/").status_code == 404


def test_what_is_kept_is_its_owners_alone_and_in_order_of_arrival(receiver: RunningReceiver) -> None:
    for number in (3, 1, 2):
        body = body_of(f"event-{number}")
        assert receiver.post(body, signed(body)).status_code == 202
    assert stat.S_IMODE(receiver.file.stat().st_mode) == 0o600
    assert receiver.kept == ["event-3", "event-1", "event-2"]
    (_, second, third) = receiver.inbox.after(0)
    assert receiver.inbox.after(second.number) == [third]


def test_an_inbox_that_cannot_be_used_asks_the_bank_to_come_again(tmp_path: Path) -> None:
    file = tmp_path / "events.sqlite"
    file.mkdir()
    body = body_of()
    with receiving(file) as receiver:
        assert receiver.post(body, signed(body)).status_code == 503
        file.rmdir()
        assert receiver.post(body, signed(body)).status_code == 202


@pytest.mark.fault_rows(131)
def test_the_secret_is_read_from_a_file_that_others_may_not_read(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n", encoding="utf-8")
    file.chmod(0o600)
    assert load_secret(file) == SECRET.encode()
    file.chmod(0o640)
    with pytest.raises(SettingsError, match="can be read by other users") as refusal:
        load_secret(file)
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"fifteen letters", b"two lines of a\nsecret that is long"])
def test_a_file_without_a_usable_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(SettingsError, match="does not hold one line of at least 16 characters"):
        load_secret(file)


def test_the_command_serves_until_it_is_told_to_stop_and_never_tells_the_secret(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET, encoding="utf-8")
    file.chmod(0o600)
    directory = DataDirectory(tmp_path / "data", {"JIKO_WEBHOOK_SECRET_FILE": str(file)})
    process = directory.start("webhooks", "serve", "--port", "0")
    assert process.stderr is not None
    line = process.stderr.readline()
    url = line.split()[-1]
    body = body_of()
    with httpx.Client(trust_env=False) as client:
        taken = client.post(url, content=body, headers={"x-jiko-signature": signed(body)})
        refused = client.post(url, content=body, headers={"x-jiko-signature": signed(body + b" ")})
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (taken.status_code, refused.status_code) == (202, 401)
    assert err.splitlines() == ["202 transfers.wire.in.success 00000000-0000-4000-8000-000000000001", "401"]
    assert SECRET not in line + out + err
    assert len(Inbox(directory.path / "bank" / "events.sqlite").after(0)) == 1


def test_the_command_needs_a_secret_and_a_free_port(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    answer = directory.run("webhooks", "serve", "--port", "0")
    assert answer.exit_code == 40
    assert "JIKO_WEBHOOK_SECRET_FILE" in answer.err
    file = tmp_path / "secret"
    file.write_text(SECRET, encoding="utf-8")
    file.chmod(0o600)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        answer = directory.run("webhooks", "serve", "--port", port, JIKO_WEBHOOK_SECRET_FILE=str(file))
    assert answer.exit_code == 50
    assert f"Port {port} of 127.0.0.1 cannot be bound" in answer.err

"""The deadline of an exchange holds also while its headers arrive."""

import socket
import threading
from collections.abc import Iterator

import pytest

from jiko_pipeline.bank.clock import SYSTEM_CLOCK
from jiko_pipeline.bank.exchange import TransportFailure, exchange, make_client


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server whose one header never ends: a byte now and then, each well within a read timeout."""
    ended = threading.Event()

    def drip() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while not ended.wait(0.02):
                try:
                    connection.sendall(b"a")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        ended.set()
        thread.join()


@pytest.mark.fault_rows(13)
def test_headers_that_never_end_are_given_up_at_the_deadline(dripping: str) -> None:
    with make_client(1) as client, pytest.raises(TransportFailure, match="took too long") as caught:
        exchange(
            client,
            client.build_request("GET", dripping),
            clock=SYSTEM_CLOCK,
            deadline=SYSTEM_CLOCK.monotonic() + 0.3,
            cap_bytes=1_000,
            where="the bank",
        )
    assert caught.value.sent

"""Fixtures of this room: a second bank with a clock of its own, and settings that lead to it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jiko_pipeline.settings import Settings, load_settings
from jiko_pipeline_tests.bank.second_bank import CLIENT_ID, KEY_ID, SecondBank, StillClock, serving, write_key


@pytest.fixture
def still() -> StillClock:
    """A clock that moves only when it is slept on."""
    return StillClock()


@pytest.fixture
def second_bank(still: StillClock) -> Iterator[SecondBank]:
    """A bank that is not the simulated one."""
    with serving(SecondBank(still)) as bank:
        yield bank


@pytest.fixture
def settings_for(second_bank: SecondBank, tmp_path: Path) -> Callable[..., Settings]:
    """Settings of a signed-up client of the second bank."""
    key_file = tmp_path / "client-key.pem"
    second_bank.public_key = write_key(key_file)
    host = second_bank.storage.removeprefix("http://")

    def make(**overrides: object) -> Settings:
        return load_settings(
            **{
                "environment": "sandbox",
                "api_url": second_bank.origin,
                "auth_url": second_bank.origin,
                "download_hosts": (host,),
                "data_dir": tmp_path / "data",
                "client_id": CLIENT_ID,
                "key_id": KEY_ID,
                "private_key_file": key_file,
                "threads": 4,
                "poll_base_seconds": 2.0,
                "poll_cap_seconds": 60.0,
                **overrides,
            }
        )

    return make

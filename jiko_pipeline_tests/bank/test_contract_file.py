"""How a real bank differs, told in a file: what is taken, what is refused and in which words."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from jiko_pipeline.bank.client.models.activity import ACHTransactionActivity
from jiko_pipeline.bank.client.models.transfers import TransferRequest, WireTransfer
from jiko_pipeline.bank.client.naming import in_our_names
from jiko_pipeline.bank.connection import connect
from jiko_pipeline.bank.contract import JIKO, Group
from jiko_pipeline.bank.contract_file import contract_of, read_contract
from jiko_pipeline.errors import ExitCode, SettingsError
from jiko_pipeline.formats.own_names import in_names_of_ours
from jiko_pipeline.settings import Settings, load_settings
from jiko_pipeline_tests.bank.second_bank import Reply, SecondBank, StillClock

Make = Callable[..., Settings]
POCKETS = "GET /api/v2/pockets/"
TRANSACTIONS = "GET /api/v2/transactions/"


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        file = tmp_path / "contract.toml"
        file.write_text(text)
        return file

    return write


def test_what_the_file_does_not_say_stays_as_assumed(written: Callable[[str], Path]) -> None:
    contract = read_contract(written('cursor = "page"\nstatus_open = ["QUEUED"]\n[limits_per_minute]\nreports = 60\n'))
    assert (contract.cursor, contract.status_open) == ("page", {"QUEUED"})
    assert contract.limits_per_minute[Group.REPORTS] == 60
    assert contract.limits_per_minute[Group.POCKETS] == JIKO.limits_per_minute[Group.POCKETS]
    untouched = set(type(JIKO).model_fields) - {"cursor", "status_open", "limits_per_minute"}
    assert all(getattr(contract, name) == getattr(JIKO, name) for name in untouched)


def test_an_empty_file_is_the_contract_as_assumed(written: Callable[[str], Path]) -> None:
    assert read_contract(written("")) == JIKO


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('curser = "x"', "curser"),
        ("cursor = 7", "cursor"),
        ("cursor = 2024-06-03", "cursor"),
        ('page_cap = "many"', "page_cap"),
        ("page_cap = 0", "page_cap"),
        ("assertion_seconds = 301", "assertion_seconds"),
        ("status_open = []", "status_open"),
        ('status_open = ["COMPLETED"]', "status_completed and status_open have the word COMPLETED in common"),
        ("[limits_per_minute]\nreportage = 5", "limits_per_minute.reportage"),
        ("[limits_per_minute]\nreports = 0", "limits_per_minute.reports"),
        ('[paths]\n"pockets.lst" = "/p/"', "paths.pockets.lst"),
        ('[paths]\n"pockets.list" = "https://elsewhere.example/p/"', "paths.pockets.list"),
        ('[paths]\n"pockets.get" = "/api/v3/pockets/{id}/"', "paths.pockets.get"),
        ('[names]\n"Pocket.colour" = "x"', "names.Pocket.colour"),
        ('[names]\n"Pocket.status" = ""', "names.Pocket.status"),
        ('[names]\nPocket.status = "state"', "names.Pocket"),
        ("this is no TOML", "is no TOML"),
    ],
)
def test_what_is_no_part_of_the_contract_is_refused_with_file_and_name(
    written: Callable[[str], Path], text: str, named: str
) -> None:
    file = written(text)
    with pytest.raises(SettingsError) as caught:
        read_contract(file)
    assert str(file) in str(caught.value)
    assert named in str(caught.value)
    assert "elsewhere.example" not in str(caught.value)
    assert caught.value.exit_code is ExitCode.CREDENTIALS_OR_SETTINGS


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = load_settings(contract_file=tmp_path / "none.toml", data_dir=tmp_path)
    with pytest.raises(SettingsError, match=r"none\.toml, which JIKO_CONTRACT_FILE names"):
        contract_of(settings)


def test_a_connection_speaks_by_the_contract_file_of_its_settings(
    second_bank: SecondBank, settings_for: Make, still: StillClock, written: Callable[[str], Path]
) -> None:
    file = written('items = "data"\nlimit = "size"\n[paths]\n"pockets.list" = "/v9/pockets"\n')
    second_bank.plant("GET /v9/pockets", Reply(200, {"data": []}))
    with connect(settings_for(contract_file=file), clock=still.clock) as bank:
        assert bank.client.pockets.list(limit=5).page().items == ()
    (asked,) = second_bank.calls("GET /v9/pockets")
    assert asked.query == {"size": ["5"]}


def test_the_field_by_which_forms_are_told_apart_may_have_another_name(
    second_bank: SecondBank, settings_for: Make, still: StillClock, written: Callable[[str], Path]
) -> None:
    item = {
        "sort": "ACH",
        "id": "a",
        "transaction_id": "b",
        "pocket_id": "c",
        "amount": {"value": 5, "currency": "USD", "formatted": "$0.05"},
        "direction": "DEBIT",
        "status": "SETTLED",
        "time_booked": "2024-07-01T12:00:00Z",
        "time_settled": None,
        "title": "t",
        "description": "d",
        "originator_name": "o",
    }
    second_bank.plant(TRANSACTIONS, Reply(200, {"items": [item]}))
    file = written('[names]\n"TransactionActivity.type" = "sort"\n')
    with connect(settings_for(contract_file=file), clock=still.clock) as bank:
        (found,) = bank.client.transactions.list()
    assert isinstance(found, ACHTransactionActivity)
    assert found.type == "ACH"


def test_names_of_fields_are_told_anew_wherever_their_model_stands() -> None:
    names = {"TransferRequest.id": "key", "WireTransfer.origin_pocket_id": "from", "WireTransfer.type": "sort"}
    told = {"key": "r", "transfer": {"sort": "WIRE", "from": "p"}, "sort": "kept", "id": "of something else"}
    assert in_our_names(told, TransferRequest, names) == {
        "id": "r",
        "transfer": {"type": "WIRE", "origin_pocket_id": "p"},
        "sort": "kept",
        "their_id": "of something else",
    }
    assert in_our_names([told["transfer"]], WireTransfer, names) == [{"type": "WIRE", "origin_pocket_id": "p"}]


def test_archived_pages_are_told_in_our_names_with_their_numbers_as_they_stood(written: Callable[[str], Path]) -> None:
    contract = read_contract(written('items = "data"\n[names]\n"Pocket.status" = "state"\n'))
    (told,) = in_names_of_ours("POCKETS", [b'{"data": [{"state": "OPEN", "x": 1.10}], "next_page": ""}'], contract)
    assert b'"x":1.10' in told
    assert json.loads(told) == {"items": [{"status": "OPEN", "x": 1.1}], "next_page": ""}


@pytest.mark.parametrize("body", [b"no JSON", b'{"data": [], "data": []}', b"\xff"])
def test_a_body_that_is_no_sound_json_is_left_to_its_reader(written: Callable[[str], Path], body: bytes) -> None:
    assert in_names_of_ours("POCKETS", [body], read_contract(written('items = "data"'))) == [body]


def test_the_page_of_the_contract_tells_every_field_and_its_assumed_value() -> None:
    page = Path(__file__).parents[2] / "docs" / "contract.md"
    told = dict(re.findall(r"^\| `([a-z0-9_]+)` \| `(.*?)` \|", page.read_text(), re.MULTILINE))
    tables = {"paths", "names", "limits_per_minute"}
    assert told.keys() == type(JIKO).model_fields.keys() - tables
    plain = JIKO.model_dump(mode="json")
    for name, value in told.items():
        assumed = sorted(plain[name]) if isinstance(getattr(JIKO, name), frozenset) else plain[name]
        assert json.loads(value) == assumed, name


def test_the_example_on_the_page_of_the_contract_is_taken(written: Callable[[str], Path]) -> None:
    page = Path(__file__).parents[2] / "docs" / "contract.md"
    (example,) = re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)
    assert read_contract(written(example)).status_open == {"QUEUED", "WORKING"}

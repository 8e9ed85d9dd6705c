"""The same facts from a bank that follows the description of the API otherwise give the same results."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from jiko_pipeline.bank.client.jiko import JikoClient
from jiko_pipeline.bank.client.opening import open_client
from jiko_pipeline.bank.contract_file import read_contract
from jiko_pipeline.bank.line import ClientKey
from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline.warehouse.hashing import compared_tables
from jiko_pipeline.warehouse.tables import TABLES
from jiko_pipeline_tests.bank.different_bank import (
    CONTRACT,
    UNKNOWN_FIELD,
    UNKNOWN_WORDS,
    DifferentBank,
    different_bank,
)
from jiko_pipeline_tests.bank.simulator_rig import ServedBank, served
from jiko_pipeline_tests.operation.command_line import Answer, DataDirectory

FIRST, LAST = "2024-06-27", "2024-07-01"
"""Three business days with a weekend, the end of a month in it."""
_OUR_WORDS = {theirs: ours for ours, theirs in UNKNOWN_WORDS.items()}


@dataclass(frozen=True)
class Both:
    """The two banks, and a sync of the same days from each."""

    simulated: ServedBank
    different: DifferentBank
    settings: dict[str, str]
    contract_file: Path
    ours: DataDirectory
    theirs: DataDirectory
    answers: tuple[Answer, Answer]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    room = tmp_path_factory.mktemp("two-banks")
    contract_file = room / "contract.toml"
    contract_file.write_text(CONTRACT)
    options = ServeOptions(room / "simulator", config=WorldConfig(pockets=1))
    with served(options) as simulated, different_bank(simulated, room) as (different, settings):
        said = simulated.announcement
        plain = {
            "JIKO_API_URL": said["api_url"],
            "JIKO_DOWNLOAD_HOSTS": said["storage_host"],
            "JIKO_CLIENT_ID": said["client_id"],
            "JIKO_KEY_ID": said["key_id"],
            "JIKO_PRIVATE_KEY_FILE": said["private_key_file"],
        }
        ours = DataDirectory(room / "ours", plain)
        theirs = DataDirectory(room / "theirs", {**settings, "JIKO_CONTRACT_FILE": str(contract_file)})
        answers = ours.sync(FIRST, LAST), theirs.sync(FIRST, LAST)
        yield Both(simulated, different, settings, contract_file, ours, theirs, answers)


def _stripped(value: Any) -> Any:
    """Without the field that only the different bank has, and with the words that it replaced."""
    if isinstance(value, dict):
        return {name: _stripped(item) for name, item in value.items() if name != UNKNOWN_FIELD}
    if isinstance(value, list | tuple):
        return [_stripped(item) for item in value]
    return _OUR_WORDS.get(value, value) if isinstance(value, str) else value


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("{"):
        kept = _stripped(json.loads(value))
        return json.dumps(kept, sort_keys=True) if kept else None
    return _stripped(value)


def _content(directory: DataDirectory, table: str) -> Counter[tuple[Any, ...]]:
    columns = ", ".join(f'"{column.name}"' for column in TABLES[table].content_columns)
    return Counter(tuple(_cell(cell) for cell in row) for row in directory.rows(f"select {columns} from {table}"))


def test_the_days_of_a_bank_that_differs_give_the_same_tables(both: Both) -> None:
    ours, theirs = both.answers
    assert (ours.exit_code, theirs.exit_code) == (0, 0), ours.err + theirs.err
    mine, other = both.ours.hashes(), both.theirs.hashes()
    # Where a row keeps what nobody knows, the rows are equal less just that.
    differing = [table for table in mine if mine[table] != other[table]]
    assert [table for table in differing if not table.startswith(("staging.", "core."))] == []
    assert [table for table in differing if _content(both.ours, table) != _content(both.theirs, table)] == []
    assert mine["mart.daily_close"][0] > 0
    assert set(mine) == set(compared_tables())


def test_what_the_description_does_not_know_is_kept(both: Both) -> None:
    query = (
        "select count(*), count(*) filter (details like '%' || ? || '%') from staging.api_transaction"
        " where document_kind = 'API_TRANSACTIONS'"
    )
    ((rows, with_field),) = both.theirs.rows(query, [UNKNOWN_FIELD])
    assert rows == with_field > 0
    for query, word in (
        ("select distinct event_type from core.event", "transfers.within.underway"),
        ("select distinct role from core.team_member", "READER"),
        ("select distinct verification_type from core.counterparty", "not looked at"),
    ):
        assert (word,) in both.theirs.rows(query)


def test_the_different_bank_did_differ(both: Both) -> None:
    bank = both.different
    assert bank.ends_of_listings == {"empty", "absent"}
    assert bank.jobs_broken() > 0
    assert bank.incidents == []
    asked = {(seen.method, seen.path) for seen in bank.seen}
    assert ("POST", "/api/v3/report-jobs/") in asked
    assert ("GET", "/api/v2/portals/") in asked
    assert ("GET", "/api/v1/portals/") not in asked
    assert any("page_token" in seen.query for seen in bank.seen)


def _everything_listed(client: JikoClient) -> dict[str, list[Any]]:
    start, end = datetime(2024, 6, 27, 4, tzinfo=UTC), datetime(2024, 6, 29, 4, tzinfo=UTC)
    listed = {
        "pockets": client.pockets.list(),
        "portals": client.portals.list().portals,
        "transactions": client.transactions.list(time_booked_from=start, time_booked_to=end),
        "trades": client.trades.list(trade_datetime_from=start, trade_datetime_to=end),
        "trades_v1": client.trades.list_v1(trade_datetime_from=start, trade_datetime_to=end),
        "strategies": client.trading_strategies.list(),
        "counterparties": client.counterparties.list(),
        "transfer_requests": client.transfer_requests.list(),
        "statements": client.statements.list(key="2024-06"),
        "notifications": client.notifications.list(),
        "members": client.team.get().members,
    }
    return {name: [item.model_dump(mode="json") for item in items] for name, items in listed.items()}


def _without_the_moment(items: list[Any]) -> list[Any]:
    """Less what is valued or made anew at each asking."""
    moments = ("portfolio", "pdf_download_url", "yield_to_maturity", "discount_yield", "last_login")
    return [{name: value for name, value in item.items() if name not in moments} for item in _stripped(items)]


def test_the_lists_of_the_client_are_the_same_models(both: Both) -> None:
    said = both.simulated.announcement
    key = ClientKey(said["client_id"], Path(said["private_key_file"]), said["key_id"])
    with open_client(said["api_url"], key) as client:
        ours = _everything_listed(client)
    settings = both.settings
    key = ClientKey(settings["JIKO_CLIENT_ID"], Path(settings["JIKO_PRIVATE_KEY_FILE"]), settings["JIKO_KEY_ID"])
    with open_client(both.different.origin, key, contract=read_contract(both.contract_file)) as client:
        theirs = _everything_listed(client)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if _without_the_moment(ours[name]) != _without_the_moment(theirs[name])] == []
    assert min(len(items) for name, items in ours.items() if name != "transfer_requests") > 0


def test_without_its_contract_file_the_bank_is_not_read_by_guesses(both: Both, tmp_path: Path) -> None:
    answer = DataDirectory(tmp_path / "data", both.settings).sync(FIRST, LAST)
    assert answer.exit_code == 30
    assert "JIKO_CONTRACT_FILE" in answer.err
    assert "answered a page without a list of items" in answer.err
    assert not (tmp_path / "data" / "treasury.duckdb").exists()


def test_a_word_of_status_that_is_not_known_stops_the_reports_and_is_named(both: Both, tmp_path: Path) -> None:
    contract = tmp_path / "contract.toml"
    contract.write_text("\n".join(line for line in CONTRACT.split("\n") if not line.startswith("status_")))
    answer = DataDirectory(tmp_path / "data", {**both.settings, "JIKO_CONTRACT_FILE": str(contract)}).sync(FIRST, LAST)
    assert answer.exit_code == 30
    assert "the status 'QUEUED', which the contract does not know" in answer.out + answer.err
    assert date.fromisoformat(FIRST).isoformat() in answer.out + answer.err

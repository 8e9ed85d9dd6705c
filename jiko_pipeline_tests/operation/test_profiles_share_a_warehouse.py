"""Two profiles with credentials of their own run into one warehouse, one at a time."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from jiko_pipeline.orchestration import profiles
from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline.warehouse.hashing import compared_tables
from jiko_pipeline.warehouse.tables import TABLES
from jiko_pipeline_tests.bank.simulator_rig import served
from jiko_pipeline_tests.operation.command_line import Answer, DataDirectory

FIRST, LAST, BUSINESS_DAYS = "2024-06-28", "2024-07-01", 2
ENTITIES = {"north": "North LLC", "south-2": "South LLC"}


@dataclass(frozen=True)
class Group:
    """A data directory, and what each of its profiles said in turn."""

    directory: DataDirectory
    north: Answer
    north_alone: dict[str, str]
    south: Answer


def key_pair(directory: Path, name: str) -> tuple[Path, Path]:
    """(private, public) key files of one client."""
    key = Ed25519PrivateKey.generate()
    private, public = directory / f"{name}.pem", directory / f"{name}.pub"
    private.touch(mode=0o600)
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return private, public


def rows_of(file: Path, customer: str) -> dict[str, str]:
    """Count and hash of what each compared table holds of a customer."""
    found = {}
    with duckdb.connect(str(file), read_only=True) as con:
        for name in compared_tables():
            columns = [column.name for column in TABLES[name].content_columns]
            if "customer_id" in columns:
                texts = ", ".join(f'cast("{column}" as varchar)' for column in columns)
                rows = con.execute(f"select {texts} from {name} where customer_id = ?", [customer]).fetchall()
                digest = hashlib.sha256("\n".join(sorted(map(repr, rows))).encode()).hexdigest()
                found[name] = f"{len(rows)} rows, {digest}"
    return found


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """North synced, then South, in one directory; the bank still answers."""
    beside = tmp_path_factory.mktemp("group")
    keys = {name: key_pair(beside, name) for name in ENTITIES}
    options = ServeOptions(
        state_dir=beside / "bank",
        config=WorldConfig(pockets=1, start=date(2024, 6, 3)),
        clients=tuple((f"client-{name}", public) for name, (_, public) in keys.items()),
    )
    with served(options) as bank:
        tables = [
            f'[{name}]\nlegal_entity_id = "{entity}"\napi_url = "{bank.announcement["api_url"]}"\n'
            f'download_hosts = ["{bank.announcement["storage_host"]}"]\n'
            f'client_id = "client-{name}"\nkey_id = "1"\nprivate_key_file = "{name}.pem"\n'
            for name, entity in ENTITIES.items()
        ]
        (beside / "profiles.toml").write_text("\n".join(tables))
        directory = DataDirectory(beside / "data")
        north = directory.run("--profile", "north", "sync", "--from", FIRST, "--to", LAST, "--json")
        assert north.exit_code == 0, north.err
        north_alone = rows_of(directory.path / "treasury.duckdb", "north")
        south = directory.run("sync", "--from", FIRST, "--to", LAST, "--json", JIKO_PROFILE="south-2")
        assert south.exit_code == 0, south.err
        yield Group(directory, north, north_alone, south)


def test_a_run_of_one_profile_leaves_what_the_other_has(group: Group) -> None:
    assert any(not text.startswith("0 rows") for text in group.north_alone.values())
    assert rows_of(group.directory.path / "treasury.duckdb", "north") == group.north_alone


def test_the_published_file_holds_both_side_by_side(group: Group) -> None:
    rows = group.directory.rows(
        "select customer_id, legal_entity_id, count(*) filter (ready_to_book) from mart.daily_close"
        " group by all order by all"
    )
    assert rows == [(name, entity, BUSINESS_DAYS) for name, entity in ENTITIES.items()]
    counts = {
        name: (group.north_alone[name].split()[0], text.split()[0])
        for name, text in rows_of(group.directory.path / "treasury.duckdb", "south-2").items()
    }
    assert {name: pair for name, pair in counts.items() if pair[0] != pair[1]} == {}


def test_each_profile_is_told_of_its_own_days_only(group: Group) -> None:
    assert group.north.told["pockets"] == group.south.told["pockets"]
    hidden = group.directory.run("--profile", "south-2", "status", "--json")
    assert hidden.told["last_good_date"] == LAST


def test_the_order_books_are_two(group: Group) -> None:
    names = sorted(file.name for file in (group.directory.path / "bank").glob("orders*.sqlite"))
    assert names == ["orders-north.sqlite", "orders-south-2.sqlite"]


def test_the_first_one_again_changes_neither(group: Group) -> None:
    before = group.directory.hashes()
    assert group.directory.run("--profile", "north", "sync", "--from", FIRST, "--to", LAST).exit_code == 0
    assert group.directory.hashes() == before


def test_the_profiles_are_listed_without_their_credentials(group: Group) -> None:
    answer = group.directory.run("profiles", "--json", JIKO_PROFILE="north")
    assert [(row["profile"], row["legal_entity_id"], row["chosen"]) for row in answer.told] == [
        ("north", "North LLC", True),
        ("south-2", "South LLC", False),
    ]
    assert "client-" not in answer.out
    assert ".pem" not in answer.out


def test_each_profile_is_a_code_location_with_its_name_in_front_of_every_asset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "profiles.toml").write_text("[north]\nstart_date = 2024-07-01\n[south-2]\n")
    for attribute in ("north", "south_2"):
        keys = getattr(profiles, attribute).resolve_all_asset_keys()
        assert keys
        assert {key.path[0] for key in keys} == {attribute}
    with pytest.raises(AttributeError, match="there is no profile 'west'; there are: default, north, south-2"):
        _ = profiles.west


def test_the_workspace_file_names_a_location_for_each_profile(tmp_path: Path) -> None:
    (tmp_path / "profiles.toml").write_text("[north]\n[south-2]\n")
    answer = DataDirectory(tmp_path / "data").run("profiles", "--workspace")
    locations = [entry["python_module"] for entry in yaml.safe_load(answer.out)["load_from"]]
    assert [(entry["attribute"], entry["location_name"]) for entry in locations] == [
        ("north", "north"),
        ("south_2", "south-2"),
    ]
    assert {entry["module_name"] for entry in locations} == {profiles.__name__}

"""Named profiles: which source stands before which, and what is refused by file and by name."""

from datetime import date, time
from pathlib import Path

import pytest

from jiko_pipeline.errors import ExitCode, SettingsError
from jiko_pipeline.settings import Environment, load_settings, profiles_of
from jiko_pipeline.warehouse.tables import TABLES

SHARED = {
    "core.security",
    "core.calendar",
    "core.day_boundary",
    "core.classification_rule",
    "recon.control",
    "recon.break_code",
}
"""What is the same for every customer: public bills, calendar days, rules, controls and their codes."""

GROUP = """
[north]
environment = "sandbox"
client_id = "client-north"
private_key_file = "keys/north.pem"
key_id = "key-north"
legal_entity_id = "North LLC"
download_hosts = ["files.example", ".cdn.example"]
start_date = 2024-07-01
business_day_end = 18:30:00
cutoff_hour = 22

[south-2]
legal_entity_id = "South LLC"
data_dir = "/var/treasury"
"""


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def group(tmp_path: Path) -> Path:
    """A file of two profiles in the working directory."""
    file = tmp_path / "profiles.toml"
    file.write_text(GROUP)
    return file


def test_a_profile_takes_its_settings_from_its_table(group: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIKO_PROFILE", "north")
    found = load_settings()
    assert found.environment is Environment.SANDBOX
    assert (found.profile, found.client_id, found.key_id) == ("north", "client-north", "key-north")
    assert (found.legal_entity_id, found.cutoff_hour) == ("North LLC", 22)
    assert (found.start_date, found.business_day_end) == (date(2024, 7, 1), time(18, 30))
    assert found.download_hosts == ("files.example", ".cdn.example")


def test_a_profile_that_is_named_in_the_call_is_taken(group: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIKO_PROFILE", "north")
    found = load_settings(profile="south-2")
    assert (found.profile, found.legal_entity_id, found.client_id) == ("south-2", "South LLC", None)
    assert found.data_dir == Path("/var/treasury")


def test_the_file_of_the_working_directory_may_choose_the_profile(group: Path, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("JIKO_PROFILE=south-2\n")
    assert load_settings().legal_entity_id == "South LLC"


def test_each_source_stands_before_the_next(group: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cutoff(**overrides: object) -> int:
        return load_settings(profile="north", **overrides).cutoff_hour

    assert load_settings(profile="south-2").cutoff_hour == 21
    assert cutoff() == 22
    (tmp_path / ".env").write_text("JIKO_CUTOFF_HOUR=20\n")
    assert cutoff() == 20
    monkeypatch.setenv("JIKO_CUTOFF_HOUR", "19")
    assert cutoff() == 19
    assert cutoff(cutoff_hour=18) == 18


def test_paths_in_a_table_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "etc"
    elsewhere.mkdir()
    (elsewhere / "group.toml").write_text(GROUP)
    monkeypatch.setenv("JIKO_PROFILES_FILE", "etc/group.toml")
    assert load_settings(profile="north").private_key_file == elsewhere / "keys" / "north.pem"


def test_without_a_choice_no_table_is_taken(group: Path) -> None:
    found = load_settings()
    assert (found.profile, found.legal_entity_id) == ("default", "default")


def test_a_table_named_default_is_taken_without_a_choice(tmp_path: Path) -> None:
    (tmp_path / "profiles.toml").write_text('[default]\nlegal_entity_id = "Only LLC"\n')
    assert load_settings().legal_entity_id == "Only LLC"


def test_without_a_file_a_profile_is_a_name_only() -> None:
    found = load_settings(profile="group-2")
    assert (found.profile, profiles_of(found)) == ("group-2", None)


def test_a_profile_without_a_table_is_refused_by_file_and_name(group: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"profiles\.toml has no profile 'west'; it has: north, south-2\."
    ) as refused:
        load_settings(profile="west")
    assert refused.value.exit_code is ExitCode.CREDENTIALS_OR_SETTINGS


@pytest.mark.parametrize(
    "line", ['client_secret = "4711"', 'JIKO_KEY_ID = "4711"', 'profile = "4711"', "tls = { a = 1 }"]
)
def test_what_is_no_setting_is_refused_by_file_and_name(line: str, tmp_path: Path) -> None:
    (tmp_path / "profiles.toml").write_text(f"[north]\n{line}\n")
    with pytest.raises(SettingsError, match=rf"'north' in profiles\.toml .*: {line.split()[0]}\.$") as refused:
        load_settings(profile="north")
    assert "4711" not in str(refused.value)


def test_a_wrong_value_is_refused_by_the_table_it_stands_in_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "profiles.toml").write_text('[north]\ncutoff_hour = "soon-4711"\nthreads = 4711\n')
    monkeypatch.setenv("JIKO_THREADS", "99")
    with pytest.raises(SettingsError) as refused:
        load_settings(profile="north")
    assert "cutoff_hour of the profile 'north' in profiles.toml: " in str(refused.value)
    assert "JIKO_THREADS: " in str(refused.value)
    assert "4711" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[north\nkey = 4711", "is no TOML"),
        ("cutoff_hour = 4711\n[north]\n", "outside of a profile's table: cutoff_hour"),
        ("[a-b]\n[a_b]\n", "differ in a hyphen only"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "profiles.toml").write_text(text)
    with pytest.raises(SettingsError) as refused:
        load_settings(profile="north")
    assert "profiles.toml" in str(refused.value)
    assert sentence in str(refused.value)
    assert "4711" not in str(refused.value)


def test_a_named_file_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIKO_PROFILES_FILE", "gone.toml")
    with pytest.raises(SettingsError, match=r"no file gone\.toml, which JIKO_PROFILES_FILE names"):
        load_settings()


def test_every_table_of_a_customer_has_the_customer_in_its_key() -> None:
    without = {
        name
        for name, spec in TABLES.items()
        if spec.schema in ("staging", "core", "recon", "mart") and "customer_id" not in spec.key
    }
    assert without == SHARED
    assert not {name for name in SHARED if "customer_id" in {column.name for column in TABLES[name].columns}}

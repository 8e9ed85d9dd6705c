"""Settings from the environment and from `.env`: what is accepted, what is refused and in which words."""

from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiko_pipeline.errors import ExitCode, SettingsError
from jiko_pipeline.settings import Environment, load_settings

CREDENTIALS = {"client_id": "treasury", "private_key_file": "key.pem", "key_id": "key-1"}


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_any_setting_the_simulated_bank_is_asked(tmp_path: Path) -> None:
    found = load_settings()
    assert found.environment is Environment.SIMULATOR
    assert found.embedded_simulator
    assert (found.api_origin, found.auth_origin) == (None, None)
    assert found.data_dir == tmp_path / "data"
    assert found.start_date == date(2024, 6, 3)
    assert found.poll_pauses == (0.05, 1.0)


def test_environment_variables_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in (
        ("JIKO_DATA_DIR", "elsewhere/data"),
        ("JIKO_PROFILE", "group-2"),
        ("JIKO_START_DATE", "2024-07-01"),
        ("JIKO_BUSINESS_DAY_END", "18:30"),
        ("JIKO_CUTOFF_HOUR", "22"),
        ("JIKO_DOWNLOAD_HOSTS", " files.example , .cdn.example,, localhost:8080 "),
        ("JIKO_PUBLISHED_GROUP_READABLE", "1"),
        ("JIKO_SIMULATOR_CAMT_VERSION", "02"),
    ):
        monkeypatch.setenv(name, value)
    found = load_settings()
    assert found.data_dir == tmp_path / "elsewhere" / "data"
    assert (found.profile, found.start_date, found.business_day_end) == ("group-2", date(2024, 7, 1), time(18, 30))
    assert (found.cutoff_hour, found.published_group_readable, found.simulator_camt_version) == (22, True, "02")
    assert found.download_hosts == ("files.example", ".cdn.example", "localhost:8080")


def test_the_file_of_the_working_directory_is_read_and_the_environment_stands_before_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("JIKO_PROFILE=from-file\nJIKO_CUTOFF_HOUR=20\nOTHER_SETTING=x\n")
    monkeypatch.setenv("JIKO_CUTOFF_HOUR", "22")
    found = load_settings()
    assert (found.profile, found.cutoff_hour) == ("from-file", 22)
    assert load_settings(cutoff_hour=23).cutoff_hour == 23


def test_the_paths_follow_from_the_data_directory(tmp_path: Path) -> None:
    found = load_settings(data_dir=tmp_path / "d")
    assert found.published_file == tmp_path / "d" / "treasury.duckdb"
    assert found.warehouse_file == tmp_path / "d" / "warehouse" / "treasury.duckdb"
    assert (found.archive_dir, found.simulator_dir) == (tmp_path / "d" / "archive", tmp_path / "d" / "simulator")


def test_a_relative_data_directory_stays_where_it_was_when_the_process_moves(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = load_settings(data_dir="data")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert found.published_file == tmp_path / "data" / "treasury.duckdb"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JIKO_ENVIRONMENT", "prod-4711"),
        ("JIKO_CUTOFF_HOUR", "24"),
        ("JIKO_CUTOFF_HOUR", "soon-4711"),
        ("JIKO_START_DATE", "3rd of June 4711"),
        ("JIKO_PROFILE", "../4711"),
        ("JIKO_CONFIRM_BUSINESS_DAYS", "19"),
        ("JIKO_THREADS", "64"),
        ("JIKO_PAGE_LIMIT", "0"),
        ("JIKO_RATE_LIMIT_SHARE", "1.4711"),
        ("JIKO_SIMULATOR_CAMT_VERSION", "4711"),
        ("JIKO_SIMULATOR_LIMITS", "none-4711"),
        ("JIKO_API_URL", "https://user:secret-4711@api.example"),
        ("JIKO_API_URL", "https://api.example/?token=4711"),
        ("JIKO_API_URL", "https://api.example/v2-4711"),
        ("JIKO_API_URL", "ftp://api.example-4711"),
        ("JIKO_API_URL", "api.example-4711"),
        ("JIKO_AUTH_URL", "http://auth.example-4711"),
    ],
)
def test_a_wrong_setting_is_refused_by_name_and_never_by_value(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert refused.value.exit_code == ExitCode.CREDENTIALS_OR_SETTINGS
    assert name in str(refused.value)
    assert "4711" not in str(refused.value)
    # A traceback shows causes too, and they hold the value.
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_all_wrong_settings_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIKO_CUTOFF_HOUR", "99")
    monkeypatch.setenv("JIKO_THREADS", "none")
    with pytest.raises(SettingsError, match=r"JIKO_CUTOFF_HOUR.*JIKO_THREADS"):
        load_settings()


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:9000"])
def test_plain_http_is_accepted_on_loopback(host: str) -> None:
    found = load_settings(api_url=f"http://{host}/", auth_url=f"http://{host}")
    assert found.api_origin == found.auth_origin == f"http://{host}"
    assert not found.embedded_simulator


@pytest.mark.parametrize(
    "url",
    ["http://api.example", "http://10.0.0.1", "http://127.0.0.1.example", "http://localhost.example", "http://[::2]"],
)
def test_plain_http_is_refused_anywhere_else(url: str) -> None:
    with pytest.raises(SettingsError, match="JIKO_API_URL: plain http is accepted for loopback addresses only"):
        load_settings(api_url=url)


@pytest.mark.parametrize("environment", ["sandbox", "production"])
@pytest.mark.parametrize("missing", sorted(CREDENTIALS))
def test_a_real_bank_needs_all_three_credentials(environment: str, missing: str) -> None:
    given_ones = {name: value for name, value in CREDENTIALS.items() if name != missing}
    with pytest.raises(SettingsError, match=f"the {environment} environment needs JIKO_{missing.upper()}\\.$"):
        load_settings(environment=environment, **given_ones)


def test_each_real_environment_has_origins_of_its_own_over_https() -> None:
    origins = set()
    for environment in ("sandbox", "production"):
        found = load_settings(environment=environment, **CREDENTIALS)
        assert not found.embedded_simulator
        assert found.poll_pauses == (2.0, 60.0)
        for origin in (found.api_origin, found.auth_origin):
            assert origin is not None
            assert origin.startswith("https://")
            origins.add(origin)
    assert len(origins) == 4


def test_a_settings_object_cannot_be_changed_and_does_not_show_the_key() -> None:
    found = load_settings(environment="sandbox", **CREDENTIALS)
    with pytest.raises(ValueError, match="frozen"):
        found.profile = "other"  # type: ignore[misc]
    assert found.private_key_file == Path("key.pem")


@given(st.floats(min_value=0.001, max_value=100), st.floats(min_value=0.001, max_value=100))
@settings(max_examples=20, deadline=None)
def test_pauses_that_are_set_stand_before_the_defaults(base: float, cap: float) -> None:
    found = load_settings(poll_base_seconds=base, poll_cap_seconds=cap)
    assert found.poll_pauses == (base, cap)

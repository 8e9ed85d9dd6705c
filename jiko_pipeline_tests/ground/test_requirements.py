"""The pinned requirements: exact, with hashes, of one mind with each other, and without addresses."""

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
RUNTIME = (PROJECT / "requirements.txt").read_text(encoding="utf-8")
POSTGRES = (PROJECT / "requirements-postgres.txt").read_text(encoding="utf-8")
DEVELOPMENT = (PROJECT / "requirements-dev.txt").read_text(encoding="utf-8")
PIN = re.compile(
    r"^([A-Za-z0-9._-]+)(\[[a-z,]+\])?==(\S+)(?: ; [^\\]+)? \\\n((?: {4}--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.M
)


def pins(text: str) -> dict[str, tuple[str, str]]:
    return {name: (extras, version) for name, extras, version, _ in PIN.findall(text)}


def test_every_line_is_an_exact_version_with_hashes() -> None:
    for text in (RUNTIME, POSTGRES, DEVELOPMENT):
        assert PIN.sub("", text).strip() == ""
        assert len(pins(text)) > 50


def test_development_installs_the_very_versions_and_extras_of_runtime() -> None:
    runtime, development = pins(RUNTIME), pins(DEVELOPMENT)
    assert {name: development.get(name) for name in runtime} == runtime


def test_the_storage_on_postgresql_adds_two_packages_to_runtime_and_changes_none() -> None:
    runtime, with_postgres = pins(RUNTIME), pins(POSTGRES)
    assert {name: with_postgres.get(name) for name in runtime} == runtime
    assert with_postgres.keys() - runtime.keys() == {"dagster-postgres", "psycopg2-binary"}


def test_extras_stay_in_the_file_for_pip_would_want_hashes_of_what_they_bring() -> None:
    extras = {name: extras for name, (extras, _) in pins(RUNTIME).items() if extras}
    assert extras == {"gql": "[requests]", "uvicorn": "[standard]"}


def test_no_address_of_an_index_is_in_them() -> None:
    for text in (RUNTIME, POSTGRES, DEVELOPMENT):
        assert not re.search(r"https?:|--(extra-)?index-url|--find-links|--trusted-host", text)

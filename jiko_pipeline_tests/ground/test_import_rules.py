"""The rooms and their doors: who may import whom, who may speak HTTP, where SQL may define tables."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "jiko_pipeline"

ORDER = [
    "bank",
    "webhooks",
    "archive",
    "formats",
    "warehouse",
    "reconciliation",
    "selftest",
    "reporting",
    "notifying",
    "pipeline",
    "orchestration",
    "cli",
]
"""Data flows down this list, imports point up it."""

ASK_THE_SIMULATOR = {"cli", "selftest"}
"""One command starts it; the self-test, a test that travels with the package, takes its ledger for the truth."""

NOT_FOR_THE_WORK = {"selftest"}
"""Rooms that only the command line may import: what proves the work is no part of it."""

FREE = {"settings", "profiles", "calendars", "tbill", "errors", "failpoints"}
"""Imported by many, importing none of the rooms."""


def modules() -> Iterator[tuple[Path, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        yield path, relative.parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            found.add(module)
            found.update(f"{module}.{alias.name}" for alias in node.names)
    return found


def rooms(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported(path) if name.startswith("jiko_pipeline.")}


def own_modules(room: str) -> list[Path]:
    return [path for path, at in modules() if at == room]


@pytest.mark.parametrize("room", ORDER)
def test_a_room_imports_only_rooms_before_it(room: str) -> None:
    paths = own_modules(room)
    assert paths, f"the room {room} has no modules"
    allowed = {room, *ORDER[: ORDER.index(room)], *FREE}
    if room != "cli":
        allowed -= NOT_FOR_THE_WORK - {room}
    if room in ASK_THE_SIMULATOR:
        allowed |= {"simulator"}
    wrong = {str(path.relative_to(PACKAGE)): rooms(path) - allowed for path in paths}
    assert not {path: names for path, names in wrong.items() if names}


@pytest.mark.parametrize("module", sorted(FREE))
def test_what_everybody_imports_imports_no_room(module: str) -> None:
    assert rooms(PACKAGE / f"{module}.py") <= FREE


def test_the_simulator_imports_nothing_of_the_pipeline_but_bills_and_calendars() -> None:
    for path in own_modules("simulator"):
        assert rooms(path) <= {"simulator", "tbill", "calendars"}, path


def test_only_the_simulator_command_and_the_self_test_import_the_simulator() -> None:
    importers = {
        path.relative_to(PACKAGE).as_posix()
        for path, room in modules()
        if room not in {"simulator", "selftest"} and "simulator" in rooms(path)
    }
    assert importers <= {"cli/simulator_command.py"}


@pytest.mark.parametrize(
    ("library", "only"),
    [
        ("dagster", {"orchestration"}),
        ("httpx", {"bank"}),
        ("starlette", {"simulator", "webhooks"}),
        ("uvicorn", {"simulator", "webhooks"}),
        ("lxml", {"formats", "simulator"}),
        ("typer", {"cli"}),
        ("rich", {"cli"}),
    ],
)
def test_a_library_is_used_in_its_room_only(library: str, only: set[str]) -> None:
    users = {
        room
        for path, room in modules()
        if any(name == library or name.startswith(f"{library}.") for name in imported(path))
    }
    assert users, f"nobody uses {library}"
    assert users <= only


def test_tables_of_the_warehouse_are_defined_by_the_warehouse_only() -> None:
    for path in sorted(PACKAGE.rglob("*.sql")):
        text = path.read_text(encoding="utf-8").lower()
        room = path.relative_to(PACKAGE).parts[0]
        if room not in {"warehouse", "simulator"}:
            assert "create table" not in text, path


def test_every_module_says_what_belongs_in_it() -> None:
    silent = [path for path, _ in modules() if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert silent == []


def test_no_module_is_called_after_nothing() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    assert [path for path, _ in modules() if path.stem in vague] == []

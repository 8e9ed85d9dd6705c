"""Mutated controls make the self-test fail: each mutant is run over stored worlds and must answer otherwise."""

import tomllib
from pathlib import Path

import pytest
import sqlglot

from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.selftest.campaign import ALONE, Job
from jiko_pipeline.selftest.scenes import SCENES
from jiko_pipeline_tests.reconciliation.mutants import OPERATORS, WORLDS, hunt, mutants_of, stored

EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
LEAST_KILLED = 0.95


def test_a_mutant_is_its_control_with_one_thing_changed() -> None:
    control = Registry.load()["K10"]
    mutants = mutants_of(control, 12)
    assert len({mutant.sql for mutant in mutants}) == len(mutants) > 5
    assert {mutant.name for mutant in mutants} <= OPERATORS.keys()
    assert mutants == mutants_of(control, 12)


def test_no_mutant_changes_only_how_much_a_break_is_about() -> None:
    control = Registry.load()["K03"]

    def told(sql: str) -> list[str]:
        """What stands in the columns of how much, and how it is worded."""
        aliases = sqlglot.parse_one(sql, read="duckdb").find_all(sqlglot.exp.Alias)
        return [
            alias.sql() for alias in aliases if alias.alias in ("left_value", "right_value", "difference", "detail")
        ]

    mutants = mutants_of(control, 1000)
    assert len(mutants) > 50
    assert {tuple(told(mutant.sql)) for mutant in mutants} == {tuple(told(control.sql))}


def test_mutants_of_two_controls_are_killed_by_small_worlds(tmp_path: Path) -> None:
    controls = [Registry.load()[name] for name in ("K10", "K36")]
    with stored([SCENES[0], Job(ALONE, 5, 6, 20)], tmp_path) as worlds:
        outcome = hunt(worlds, controls, 8)
    assert {mutant.control_id for mutant in outcome.killed} == {"K10", "K36"}
    assert len(outcome.killed) >= 8
    assert outcome.endless == []


@pytest.mark.soak
def test_nearly_all_mutants_of_all_controls_are_killed(tmp_path: Path) -> None:
    known = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))
    with stored(WORLDS, tmp_path, processes=2) as worlds:
        outcome = hunt(worlds, Registry.load().controls, 6)
    survived = [mutant.key for mutant in outcome.survived if mutant.key not in known]
    counted = len(outcome.killed) + len(survived)
    assert counted >= 200
    assert {mutant.name for mutant in outcome.killed} == OPERATORS.keys()
    assert len(outcome.killed) >= LEAST_KILLED * counted, survived

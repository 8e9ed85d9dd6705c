"""Mutated controls make the self-test fail: each mutant is run over stored worlds and must answer otherwise."""

import tomllib
from pathlib import Path

import pytest

from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.selftest.campaign import ALONE, Job
from jiko_pipeline_tests.reconciliation.mutants import OPERATORS, hunt, mutants_of, stored

EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
LEAST_KILLED = 0.95


def test_a_mutant_is_its_control_with_one_thing_changed() -> None:
    control = Registry.load()["K10"]
    mutants = mutants_of(control, 12)
    assert len({mutant.sql for mutant in mutants}) == len(mutants) > 5
    assert {mutant.name for mutant in mutants} <= OPERATORS.keys()
    assert mutants == mutants_of(control, 12)


def test_mutants_of_two_controls_are_killed_by_a_small_world() -> None:
    controls = [Registry.load()[name] for name in ("K10", "K36")]
    with stored([Job(ALONE, 5, 6, 20)]) as worlds:
        outcome = hunt(worlds, controls, 5)
    assert {mutant.control_id for mutant in outcome.killed} == {"K10", "K36"}
    assert len(outcome.killed) >= 5
    assert len(outcome.killed) + len(outcome.survived) + len(outcome.stillborn) == 10


@pytest.mark.soak
def test_nearly_all_mutants_of_all_controls_are_killed() -> None:
    known = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))
    jobs = [Job(ALONE, 101, 40, 60), Job(ALONE, 102, 40, 60), Job(ALONE, 201, 4, 120, of_customer=True)]
    with stored(jobs) as worlds:
        outcome = hunt(worlds, Registry.load().controls, 8)
    survived = [mutant.key for mutant in outcome.survived if mutant.key not in known]
    counted = len(outcome.killed) + len(survived)
    assert counted >= 200
    assert len(outcome.killed) >= LEAST_KILLED * counted, survived

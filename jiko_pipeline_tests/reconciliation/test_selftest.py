"""The self-test of the controls: its catalogue, its worlds, its verdicts."""

from collections.abc import Mapping
from datetime import date
from itertools import combinations

import pytest

from jiko_pipeline.selftest.books import SWITCHES, books_of, holds
from jiko_pipeline.selftest.campaign import (
    ALONE,
    CLEAN,
    FULL,
    SHORT,
    Job,
    Report,
    controls_without_fault,
    faults_without_control,
    filled_world,
    jobs_of,
    proved,
    run,
)
from jiko_pipeline.selftest.catalogue import Raised, Reach, catalogue
from jiko_pipeline.selftest.covering import covering_array, pairs_of
from jiko_pipeline.selftest.facts import Facts
from jiko_pipeline.selftest.planting.registry import plantings
from jiko_pipeline.selftest.proof import Verdict, cells, plant, raised
from jiko_pipeline.selftest.site import NothingToHit
from jiko_pipeline.selftest.worlds import clean_facts, span_of, switch_rows, world_of
from jiko_pipeline.simulator import faults as over_http
from jiko_pipeline.simulator.faults.catalogue import definition

DAYS = 20


@pytest.fixture(scope="module")
def clean() -> Facts:
    """A clean world of four pockets."""
    return clean_facts(7, pockets=4, days=DAYS)


def test_every_fault_can_be_planted_and_every_planting_has_its_file() -> None:
    assert plantings().keys() == catalogue().keys()


def test_every_control_is_hit_by_a_fault_and_every_fault_by_a_control() -> None:
    assert controls_without_fault() == []
    assert faults_without_control() == []


def test_every_fault_of_the_simulated_bank_is_foretold_alike_where_it_enters_as_rows() -> None:
    same = {fault.over_http: fault for fault in catalogue().values() if fault.over_http is not None}
    for name in sorted(same):
        told = {(row.control, row.code, row.sub_code or "", row.day_offset) for row in definition(name).expects}
        here = {(row.control, row.code, row.sub_code, row.day) for row in same[name].expects_under(books_of())}
        assert told == here, name
    # Where the bank itself repeats a price, values follow; among rows they stay behind, which is another fault.
    assert set(over_http.names()) - same.keys() == {"price-stale-everywhere"}


def test_a_covering_array_has_every_two_values_that_may_meet_and_no_row_that_may_not() -> None:
    factors = {"a": [1, 2, 3], "b": [1, 2], "c": [1, 2], "d": [1, 2]}

    def allowed(row: Mapping[str, int]) -> bool:
        return not (row["a"] == 3 and row["b"] == 1)

    rows = covering_array(factors, allowed)
    covered = set().union(*map(pairs_of, rows))
    wanted = {
        ((one, x), (other, y))
        for one, other in combinations(factors, 2)
        for x in factors[one]
        for y in factors[other]
        if (one, x, other, y) != ("a", 3, "b", 1)
    }
    assert covered == wanted
    assert all(allowed(row) for row in rows)
    assert len(rows) < 12


def test_the_rows_of_switches_have_every_value_and_every_two_that_a_world_can_have() -> None:
    rows = switch_rows()
    assert {(name, value) for row in rows for name, value in row.items()} == {
        (name, value) for name, values in SWITCHES.items() for value in values
    }
    covered = set().union(*map(pairs_of, rows))
    for one, other in combinations(SWITCHES, 2):
        for x in SWITCHES[one]:
            for y in SWITCHES[other]:
                if ((one, x), (other, y)) not in covered:
                    with pytest.raises(ValueError, match="close"):
                        world_of(1, {one: x, other: y})
    assert rows[0] == {name: values[0] for name, values in SWITCHES.items()}


def test_every_fault_exists_at_the_default_bank_and_is_foretold_at_every_bank_that_can_have_it() -> None:
    for fault in catalogue().values():
        assert fault.exists_under(books_of()), fault.name
        assert all(one.reason.endswith(".") for one in fault.cannot_exist), fault.name
        for row in switch_rows():
            books = books_of(row)
            told = [*fault.expects_under(books), *(one for one in fault.answers if holds(one.when, books))]
            assert not fault.exists_under(books) or told, fault.name


def test_a_fault_is_not_planted_at_a_bank_that_cannot_have_it() -> None:
    switches = next(row for row in switch_rows() if row["sweep_posting"] == "NEXT_DAY")
    facts, span = clean_facts(7, switches, pockets=3, days=8), span_of(8)
    (pocket, *_) = sorted(row["pocket_id"] for row in facts.find("staging.position_cash", scope_date=span.last))
    with pytest.raises(NothingToHit):
        plant(catalogue()["sweep-in-transit"], facts, span, pocket, span.last)


def test_faults_of_a_bank_that_settles_and_sweeps_later_raise_exactly_what_was_foretold_there() -> None:
    row = next(number for number, row in enumerate(switch_rows())
               if (row["settlement"], row["sweep_posting"]) == ("T1", "NEXT_DAY"))  # fmt: skip
    job = Job(ALONE, 6, 8, 25, row)
    verdict = proved(job)
    assert len(verdict.planted) > 10
    assert (verdict.missing, verdict.unexpected) == (frozenset(), frozenset())
    report = Report(((job, verdict),))
    assert report.planted_under.keys() == {row}


def test_every_fault_that_fills_its_world_is_the_only_one_in_it() -> None:
    whole = {fault.name for fault in catalogue().values() if fault.reach is Reach.WORLD}
    jobs = [job for job in jobs_of(SHORT) if job.only]
    assert {job.only for job in jobs} == whole != set()
    for job in jobs:
        _, _, planted = filled_world(job)
        assert [one.fault for one in planted] == [job.only]


def test_a_fault_that_finds_nothing_to_hit_has_changed_nothing(clean: Facts) -> None:
    span = span_of(DAYS)
    refused = 0
    for pocket, (day, *_) in cells(clean, span, 1)[:2]:
        for fault in catalogue().values():
            near = clean.near(pocket, span.first, span.last)
            try:
                plant(fault, near, span, pocket, day)
            except NothingToHit:
                refused += 1
                untouched = clean.near(pocket, span.first, span.last)
                assert {table: list(near.all(table)) for table in near.tables} == {
                    table: list(untouched.all(table)) for table in untouched.tables
                }, fault.name
    assert refused > 0


def test_the_same_site_is_planted_alike_every_time(clean: Facts) -> None:
    span = span_of(DAYS)
    fault = catalogue()["bank-entry-off-by-a-cent"]
    for pocket, (day, *_) in cells(clean, span, 2):
        try:
            first = plant(fault, clean.near(pocket, span.first, span.last), span, pocket, day)
        except NothingToHit:
            continue
        assert plant(fault, clean.near(pocket, span.first, span.last), span, pocket, day) == first
        return
    pytest.fail("no site has an entry")


def test_a_world_with_faults_raises_exactly_what_was_foretold() -> None:
    verdict = proved(Job(ALONE, 5, 10, 30))
    assert len(verdict.planted) > 20
    assert verdict.foretold
    assert (verdict.missing, verdict.unexpected) == (frozenset(), frozenset())


def test_a_break_that_nobody_foretold_and_one_that_nothing_raises_are_told(clean: Facts) -> None:
    span = span_of(DAYS)
    facts = clean.copy()
    row = facts.find("staging.position", scope_date=date(2024, 6, 12))[0]
    row["market_value"] += 10
    found = raised(facts, span)
    assert {(one.control, one.entity) for one in found if one.control == "K36"} == {("K36", row["cusip"])}
    report = Report(((Job(CLEAN, 7, 4, DAYS), proved_as(found)),))
    assert not report.is_proved
    assert report.precision == 0.0
    assert len(report.differences) == 1


def proved_as(found: frozenset[Raised]) -> Verdict:
    """A verdict on a world in which nothing was planted."""
    return Verdict("clean", (), frozenset(), found)


@pytest.mark.soak
def test_the_whole_self_test_is_proved_with_two_thousand_faults() -> None:
    report = run(FULL)
    assert report.differences == []
    assert report.unplanted == []
    assert (report.precision, report.recall) == (1.0, 1.0)
    assert report.planted.total() >= 2000
    assert report.clean_worlds >= 20
    assert {job.switch_row for job in jobs_of(FULL) if job.kind == CLEAN} == set(range(len(switch_rows())))

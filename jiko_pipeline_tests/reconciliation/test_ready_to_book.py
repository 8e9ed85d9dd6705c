"""A day is ready only on what is required: without an input, a version, a person's word it is not, and says why."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import duckdb
import pytest

from jiko_pipeline.reconciliation.closing.build import build_close
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.reconciliation.runner import run_controls
from jiko_pipeline.selftest.facts import CUSTOMER, ENTITY, Facts
from jiko_pipeline.selftest.worlds import clean_facts, proving, span_of
from jiko_pipeline_tests.reconciliation.small_bank import NOW

REGISTRY = Registry.load()
REQUIRED = replace(REGISTRY, controls=tuple(one for one in REGISTRY.controls if one.required))
KINDS = (
    "BANK_STATEMENT", "BROKERAGE_STATEMENT", "POSITION", "SECURITY_PRICE", "TRADE_REPORT_CSV",
    "TRADE_REPORT_KYRIBA_CSV", "API_TRANSACTIONS", "API_TRADES",
)  # fmt: skip
SPAN = span_of(4 + 3 * len(KINDS))
TAKEN = {kind: SPAN.business_days[3 + 3 * number] for number, kind in enumerate(KINDS)}
"""The day on which the documents of each kind are taken away; the two days after it are whole."""


def judged(con: duckdb.DuckDBPyConnection, registry: Registry = REQUIRED) -> None:
    scope: dict[str, Any] = {"customer_id": CUSTOMER, "legal_entity_id": ENTITY, "run_id": "run-1",
                             "first": SPAN.first, "last": SPAN.last}  # fmt: skip
    run_controls(con, registry, now=NOW, **scope)
    build_close(con, registry=registry, **scope)


def without_inputs(facts: Facts) -> None:
    for kind, day in TAKEN.items():
        for table in facts.tables:
            for row in facts.find(table, document_kind=kind, scope_date=day):
                facts.drop(table, row)


@pytest.fixture(scope="module")
def closes() -> Iterator[dict[date, tuple[bool, list[str]]]]:
    facts = clean_facts(7, days=len(SPAN.business_days), pockets=1)
    without_inputs(facts)
    with proving(facts) as con:
        judged(con)
        rows = con.execute("select business_date, ready_to_book, not_ready_reasons from mart.daily_close").fetchall()
    yield {day: (ready, json.loads(reasons)) for day, ready, reasons in rows}


def test_nothing_is_ever_null_and_the_days_before_the_first_gap_are_ready(
    closes: dict[date, tuple[bool, list[str]]],
) -> None:
    assert set(closes) == set(SPAN.business_days)
    assert all(ready in (True, False) for ready, _ in closes.values())
    assert all(ready == (reasons == []) for ready, reasons in closes.values())
    assert [closes[day][0] for day in SPAN.business_days[:3]] == [True, True, True]


@pytest.mark.parametrize("control_id", REGISTRY.required)
def test_without_its_input_a_required_control_keeps_the_day_from_being_booked(
    closes: dict[date, tuple[bool, list[str]]], control_id: str
) -> None:
    naming = []
    for kind in REGISTRY[control_id].inputs:
        if kind in TAKEN:
            ready, reasons = closes[TAKEN[kind]]
            assert not ready, kind
            naming += [reason for reason in reasons if reason.startswith(f"{control_id} ")]
    assert naming, f"no reason names {control_id}"

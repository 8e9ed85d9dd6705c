"""The bank that answers out of rows, and planted faults that go the whole way through it."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from jiko_pipeline import calendars
from jiko_pipeline.selftest.catalogue import catalogue
from jiko_pipeline.selftest.over_http import prove_over_http
from jiko_pipeline.selftest.proof import cells, plant
from jiko_pipeline.selftest.served import ServedWorld, unsaid
from jiko_pipeline.selftest.site import NothingToHit
from jiko_pipeline.selftest.worlds import clean_facts, span_of, world_of
from jiko_pipeline.simulator.model import Trade, Transaction, WorldConfig

SEED, POCKETS, DAYS = 7, 3, 10
LEAST_KINDS = 50


def test_a_bank_that_answers_out_of_clean_rows_says_what_the_bank_itself_says() -> None:
    facts, span = clean_facts(SEED, pockets=POCKETS, days=DAYS), span_of(DAYS)
    bank = world_of(SEED, pockets=POCKETS)
    served = ServedWorld(WorldConfig(seed=SEED, pockets=POCKETS), facts)
    compared = 0
    for pocket in bank.pockets(span.last):
        for day in calendars.fed_business_days(max(pocket.opened_on, span.first), span.last):
            for ask in ("bank_statement", "brokerage_statement", "position_summary"):
                assert getattr(served, ask)(pocket.id, day) == getattr(bank, ask)(pocket.id, day)
                compared += 1
    assert compared > 50
    first, last = span.first - timedelta(days=10), span.last + timedelta(days=10)
    assert served.prices(first, last) == bank.prices(first, last)
    pockets = [pocket.id for pocket in bank.pockets(span.last)]

    for form in ("CSV", "KYRIBA_CSV"):
        reported = [one.reported_trades(form, pockets, first, last, "TRADE_DATE") for one in (served, bank)]
        assert _by_id(reported[0]) == _by_id(reported[1]) != []
    listed = [one.listed_trades("trades_v2", first, last) for one in (served, bank)]
    assert _by_id(listed[0]) == _by_id(listed[1]) != []
    moved = [one.listed_transactions("transactions", first, last) for one in (served, bank)]
    assert _by_id(moved[0]) == _by_id(moved[1]) != []


def _by_id(rows: Iterable[Trade | Transaction]) -> list[Trade | Transaction]:
    return sorted(rows, key=lambda row: row.id)


def test_what_no_document_can_say_is_told_with_its_reason() -> None:
    facts, span = clean_facts(SEED, pockets=POCKETS, days=DAYS), span_of(DAYS)
    told = {}
    for name in ("position-value-off", "statement-declares-more-entries", "document-provisional-only"):
        for pocket, days in cells(facts, span, SEED):
            planted = facts.near(pocket, span.first, span.last)
            clean = planted.copy()
            try:
                plant(catalogue()[name], planted, span, pocket, days[0])
            except NothingToHit:
                continue
            told[name] = unsaid(clean, planted)
            break
    assert told == {
        "position-value-off": "",
        "statement-declares-more-entries": "a statement of the bank declares what it lists",
        "document-provisional-only": "it depends on when the document was asked for",
    }


@pytest.mark.soak
def test_every_fault_that_documents_can_say_raises_over_http_exactly_what_was_foretold() -> None:
    served = prove_over_http()
    assert (served.verdict.missing, served.verdict.unexpected) == (frozenset(), frozenset())
    assert len(served.kinds) >= LEAST_KINDS
    assert all(served.cannot.values())

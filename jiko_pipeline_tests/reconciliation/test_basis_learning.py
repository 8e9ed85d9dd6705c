"""How the bank books is learned from what it wrote: the truth survives, a wrong tuple is never chosen."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from jiko_pipeline.reconciliation.basis import Basis, confirm_basis
from jiko_pipeline.reconciliation.basis_learning import (
    DISCRIMINATING_DAYS,
    Learned,
    Verdict,
    learn_and_keep,
    learn_basis,
)
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.reconciliation.runner import run_controls
from jiko_pipeline.selftest.facts import CUSTOMER, ENTITY, Facts
from jiko_pipeline.selftest.worlds import basis_of, clean_facts, proving, span_of, switch_rows
from jiko_pipeline.simulator.model import (
    CloseBasisSwitch,
    DatesSwitch,
    FeePathSwitch,
    GainSwitch,
    MarkSwitch,
    SettlementSwitch,
    SweepPostingSwitch,
)
from jiko_pipeline_tests.reconciliation.small_bank import NOW

DAYS = 60
SPAN = span_of(DAYS)
ELEMENTS = ("pos_basis", "cash_basis", "close_basis", "gain_basis", "fee_path", "mark_settlement")

T1, PENDING = SettlementSwitch.T1, CloseBasisSwitch.BILLS_CASH_AND_PENDING
BILLS, PLUG, BANK = CloseBasisSwitch.BILLS, GainSwitch.PLUG, FeePathSwitch.BANK
NEXT, LATE_MARK, SETTLED = SweepPostingSwitch.NEXT_DAY, MarkSwitch.SETTLES_NEXT_DAY, DatesSwitch.SETTLED


def learned_from(facts: Facts) -> Learned:
    with proving(facts, None) as con:
        return learn_basis(con, customer_id=CUSTOMER, first=SPAN.first, last=SPAN.last)


# each row decides what its switches make visible; the pairs of all switches are in the long form
@pytest.mark.parametrize(
    ("switches", "decided"),
    [
        ({}, {"quantity_factor", "fee_path", "mark_settlement"}),
        (
            {"settlement": T1, "close_basis": PENDING, "fee_path": BANK, "mark": LATE_MARK},
            {"cash_basis", "close_basis", "quantity_factor", "fee_path", "mark_settlement"},
        ),
        (
            {"settlement": T1, "close_basis": BILLS, "gain": PLUG, "sweep_posting": NEXT},
            {"close_basis", "gain_basis", "quantity_factor", "fee_path", "mark_settlement"},
        ),
        (
            {"settlement": T1, "dates": SETTLED, "gain": PLUG, "sweep_posting": NEXT, "fee_path": BANK},
            {"pos_basis", "cash_basis", "close_basis", "quantity_factor", "fee_path", "mark_settlement"},
        ),
    ],
)  # fmt: skip
def test_the_truth_survives_and_what_shows_is_decided(switches: dict[str, Any], decided: set[str]) -> None:
    learned = learned_from(clean_facts(11, switches, days=DAYS))
    assert basis_of(switches) in learned.surviving
    assert decided & set(learned.undetermined) == set()
    if learned.chosen is not None:
        assert learned.chosen == basis_of(switches)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 4))
@pytest.mark.parametrize("switches", switch_rows(), ids=str)
def test_over_every_pair_of_switches_no_wrong_element_is_decided(switches: dict[str, Any], seed: int) -> None:
    learned = learned_from(clean_facts(seed, switches, days=DAYS))
    truth = basis_of(switches)
    assert truth in learned.surviving
    for name in set(ELEMENTS) - set(learned.undetermined):
        assert {getattr(one, name) for one in learned.surviving} == {getattr(truth, name)}


def test_with_few_days_nothing_is_decided() -> None:
    facts = clean_facts(7, {"settlement": T1}, days=4, pockets=1)
    span = span_of(4)
    with proving(facts, None) as con:
        learned = learn_basis(con, customer_id=CUSTOMER, first=span.first, last=span.last)
    assert learned.chosen is None
    assert {"pos_basis", "cash_basis", "close_basis"} <= set(learned.undetermined)


def test_a_bank_that_no_tuple_explains_leaves_none() -> None:
    with proving(clean_facts(7, days=20, pockets=1), None) as con:
        con.execute(
            "update core.brokerage_daily set closing_value = closing_value + 10 where day(business_date) % 2 = 0"
        )
        learned = learn_basis(con, customer_id=CUSTOMER, first=SPAN.first, last=SPAN.last)
    assert learned.surviving == ()
    assert {one.verdict for one in learned.candidates} == {Verdict.UNEXPLAINED}


def test_a_pocket_that_books_otherwise_than_the_others_leaves_no_tuple_for_all() -> None:
    facts = clean_facts(7, {"settlement": T1}, days=20, pockets=2)
    with proving(facts, None) as con:
        pocket = con.execute("select min(pocket_id) from core.pocket").fetchall()[0][0]
        con.execute(
            """
            update core.brokerage_daily as today
            set closing_value = market_value, gains = gains - (cash_balance - coalesce((
                select before.cash_balance from core.brokerage_daily as before
                where before.pocket_id = today.pocket_id and before.business_date < today.business_date
                order by before.business_date desc limit 1
            ), 0))
            where pocket_id = ?
            """,
            [pocket],
        )
        learned = learn_basis(con, customer_id=CUSTOMER, first=SPAN.first, last=SPAN.last)
    assert learned.surviving == ()
    assert learned.apart or {one.verdict for one in learned.candidates} == {Verdict.UNEXPLAINED}


REGISTRY = replace(
    Registry.load(),
    controls=tuple(
        one
        for one in Registry.load().controls
        if one.control_id in {"K01", "K11", "K15", "K20", "K31", "K32", "K33", "K34", "K35"}
    ),
)
"""The controls that look at the basis, and the gate before them."""
LATE = {"settlement": T1, "dates": SETTLED}
RIGHT = Basis("SETTLE", "SETTLE", "MV+CASH", "ECONOMIC", Decimal(1), "BROKERAGE", "T0")


@pytest.fixture
def bank() -> Iterator[duckdb.DuckDBPyConnection]:
    """A bank that books everything on settlement; nobody has confirmed it."""
    with proving(clean_facts(7, LATE, days=20, pockets=2), None) as con:
        yield con


def found(con: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """What each control says: statuses, reasons, codes."""
    span = span_of(20)
    run_controls(con, REGISTRY, customer_id=CUSTOMER, legal_entity_id=ENTITY, first=span.first, last=span.last,
                 run_id="run", now=NOW)  # fmt: skip
    told: dict[str, set[str]] = {}
    for control_id, word in con.execute(
        "select distinct control_id, case status when 'PASS' then 'PASS' when 'BREAK' then code else reason end"
        " from recon.result"
    ).fetchall():
        told.setdefault(control_id, set()).add(word)
    return told


def confirmed(con: duckdb.DuckDBPyConnection, basis: Basis, start: date) -> None:
    confirm_basis(con, customer_id=CUSTOMER, legal_entity_id=ENTITY, basis=basis, effective_from=start,
                  confirmed_by="A. Person", at=NOW)  # fmt: skip


def test_before_anything_is_learned_no_control_that_looks_at_the_basis_passes(
    bank: duckdb.DuckDBPyConnection,
) -> None:
    told = found(bank)
    assert {control for control, words in told.items() if "PASS" in words} == {"K01", "K20"}
    assert all("BASIS" in told[control] for control in ("K11", "K15", "K31", "K32", "K33", "K34", "K35"))


def test_unconfirmed_a_control_passes_only_under_every_tuple_that_is_left(bank: duckdb.DuckDBPyConnection) -> None:
    learned = learn_and_keep(bank, customer_id=CUSTOMER, legal_entity_id=ENTITY, last=span_of(20).last)
    assert learned.undetermined == ("gain_basis", "fee_path")
    told = found(bank)
    assert all("PASS" in told[control] and "BASIS" not in told[control] for control in ("K11", "K32", "K33", "K34"))
    # a tuple that history refutes is put back among those that are left
    bank.execute(
        "update recon.basis_candidate set verdict = 'SURVIVES' where pos_basis = 'TRADE' and cash_basis = 'TRADE'"
        " and close_basis = 'MV+CASH' and gain_basis = 'ECONOMIC' and fee_path = 'BROKERAGE' and mark_settlement = 'T0'"
        " and quantity_factor = 1"
    )
    told = found(bank)
    assert all("BASIS" in told[control] for control in ("K32", "K33", "K34"))
    assert all(not words & {"POS_ROLL", "GAIN_PROOF", "CASH_PROOF"} for words in told.values())


def test_under_the_right_basis_nothing_fires_and_under_a_wrong_one_the_change_is_told(
    bank: duckdb.DuckDBPyConnection,
) -> None:
    wrong_from, right_from = span_of(20).first, date(2024, 6, 18)
    confirmed(bank, replace(RIGHT, pos_basis="TRADE", cash_basis="TRADE"), wrong_from)
    told = found(bank)
    assert {"BASIS_CHANGED"} <= told["K15"]
    first_told = bank.execute(
        "select min(business_date) from recon.result where control_id = 'K15' and code = 'BASIS_CHANGED'"
    ).fetchall()[0][0]
    assert first_told >= span_of(DISCRIMINATING_DAYS).last
    confirmed(bank, RIGHT, right_from)
    found(bank)
    late = bank.execute(
        "select count(*) from recon.result where status = 'BREAK' and control_id <> 'K15' and business_date >= ?",
        [right_from],
    ).fetchall()
    assert late == [(0,)]


def test_a_bank_that_begins_to_book_otherwise_is_told_on_the_fifth_day(bank: duckdb.DuckDBPyConnection) -> None:
    days = span_of(20).business_days
    changed = days[12]
    confirmed(bank, RIGHT, span_of(20).first)
    # from then on the close leaves cash out and the gain is what is left over
    bank.execute(
        """
        create temp table cash as
        select pocket_id, business_date, cash_balance,
            lag(cash_balance, 1, 0) over (partition by pocket_id order by business_date) as cash_before
        from core.brokerage_daily
        """
    )
    bank.execute(
        """
        update core.brokerage_daily as day
        set closing_value = closing_value - cash.cash_balance,
            gains = gains - cash.cash_balance + case when day.business_date > $1 then cash_before else 0 end
        from cash
        where cash.pocket_id = day.pocket_id and cash.business_date = day.business_date and day.business_date >= $1
        """,
        [changed],
    )
    found(bank)
    told = bank.execute(
        "select min(business_date), max(entity_key) from recon.result where code = 'BASIS_CHANGED'"
    ).fetchall()
    # on the day of the change itself both parts of the gain are in it, so it fits neither
    assert told == [(days[12 + DISCRIMINATING_DAYS], "LEDGER")]

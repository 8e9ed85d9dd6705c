"""How the bank books is learned from what it wrote: the truth survives, a wrong tuple is never chosen."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import combinations, product
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
from jiko_pipeline.selftest.proof import raised, under_way
from jiko_pipeline.selftest.worlds import basis_of, clean_facts, ledger_rows, proving, span_of, world_of
from jiko_pipeline.simulator.model import (
    BookingSwitch,
    CloseBasisSwitch,
    DatesSwitch,
    GainSwitch,
    RoundingSwitch,
    SettlementSwitch,
)
from jiko_pipeline_tests.reconciliation.small_bank import NOW

DAYS = 60
SPAN = span_of(DAYS)

T1, PENDING = SettlementSwitch.T1, CloseBasisSwitch.BILLS_CASH_AND_PENDING
PLUG, SETTLED = GainSwitch.PLUG, DatesSwitch.SETTLED
LATE_BOOKINGS, TOTAL = BookingSwitch.LATE, RoundingSwitch.TOTAL

FIRST_ROWS = 4
"""The rows of the covering array that the short form takes: among them one all decided, one with no dates told."""

DATES = ("TRADE", "BOOK", "SETTLE")
LEDGERS = (
    *((one, one, "MV", "PLUG") for one in DATES),
    *((one, one, "MV+CASH", gain) for one in DATES for gain in GainSwitch),
    *((*pair, "MV+CASH+PEND", gain) for pair in combinations(DATES, 2) for gain in GainSwitch),
)
"""What a bank may do with dates, closing value and gain."""


def said_by(ledger: tuple[str, ...], switches: Mapping[str, Any]) -> tuple[str, ...]:
    """What documents show of a ledger: what `settlement`, `bookings` and `rounding` make equal is said alike."""
    pos, cash, close, gain = ledger
    if switches.get("bookings") != LATE_BOOKINGS:
        # Trades are booked on the trade date then; where they settle at once there is one date only.
        one_date = {"BOOK": "TRADE"} if switches.get("settlement") == T1 else {"BOOK": "TRADE", "SETTLE": "TRADE"}
        pos, cash = one_date.get(pos, pos), one_date.get(cash, cash)
        if switches.get("settlement") != T1 and close == PENDING:
            close = "MV+CASH"
    if close != "MV" and switches.get("rounding") != TOTAL:
        gain = "as the bills"
    return pos, cash, close, gain


def ledger_of(basis: Basis) -> tuple[str, str, str, str]:
    return basis.pos_basis, basis.cash_basis, basis.close_basis, basis.gain_basis


def learned_from(facts: Facts) -> Learned:
    with proving(facts, None) as con:
        return learn_basis(con, customer_id=CUSTOMER, first=SPAN.first, last=SPAN.last)


def check_learned(seed: int, switches: Mapping[str, Any]) -> Learned:
    """What can be told is decided, rightly; what cannot is left open, for its reason; nothing wrong is left."""
    learned, truth = learned_from(clean_facts(seed, switches, days=DAYS)), basis_of(switches)
    alike = {one for one in LEDGERS if said_by(one, switches) == said_by(ledger_of(truth), switches)}
    assert sorted(map(ledger_of, learned.surviving)) == sorted(alike)
    assert {(one.quantity_factor, one.fee_path, one.mark_settlement) for one in learned.surviving} == {
        (truth.quantity_factor, truth.fee_path, truth.mark_settlement)
    }
    assert learned.chosen == (truth if len(alike) == 1 else None)
    assert [one.element for one in learned.undecided] == (list(learned.undetermined) if len(alike) > 1 else [])
    assert all(one.days_apart == 0 and "on every day they say the same" in one.sentence for one in learned.undecided)
    return learned


@pytest.mark.parametrize("switches", ledger_rows()[:FIRST_ROWS], ids=str)
def test_what_sixty_days_of_documents_can_tell_is_decided_and_the_rest_is_said_to_be_open(
    switches: dict[str, Any],
) -> None:
    check_learned(11, switches)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 23))
def test_over_every_pair_of_switches_the_right_basis_is_found_and_never_a_wrong_one(seed: int) -> None:
    rows = ledger_rows()
    chosen = [check_learned(seed, switches).chosen for switches in rows]
    assert sum(one is not None for one in chosen) >= 4


def test_the_first_rows_have_banks_whose_basis_can_be_told_and_banks_whose_cannot() -> None:
    told = [
        sum(said_by(one, row) == said_by(ledger_of(basis_of(row)), row) for one in LEDGERS) == 1
        for row in ledger_rows()[:FIRST_ROWS]
    ]
    assert set(told) == {True, False}


def documents_of(switches: Mapping[str, Any]) -> list[object]:
    """Everything that speaks of one pocket's holdings, over some weeks with a fee and maturities."""
    world = world_of(3, switches, pockets=1)
    span = span_of(25)
    ((pocket,),) = [[one.id for one in world.pockets(span.last)]]
    papers = (world.bank_statement, world.brokerage_statement, world.position_summary)
    said: list[object] = [paper(pocket, day) for day in span.business_days for paper in papers]
    return [*said, world.trades(span.first, span.last), world.trade_report([pocket], span.first, span.last)]


@pytest.mark.parametrize(
    "history",
    [
        {"settlement": T1, "bookings": LATE_BOOKINGS, "rounding": TOTAL},
        {"settlement": T1, "bookings": LATE_BOOKINGS},
        {"settlement": T1},
        {},
    ],
    ids=str,
)
def test_banks_that_are_not_told_apart_write_the_same_documents_and_others_do_not(history: dict[str, Any]) -> None:
    said: dict[tuple[str, ...], list[list[object]]] = {}
    for dates, close, gain in product(DatesSwitch, CloseBasisSwitch, GainSwitch):
        switches = {**history, "dates": dates, "close_basis": close, "gain": gain}
        try:
            papers = documents_of(switches)
        except ValueError:
            continue
        said.setdefault(said_by(ledger_of(basis_of(switches)), switches), []).append(papers)
    assert sum(len(banks) for banks in said.values()) >= 7
    for one, banks in said.items():
        assert all(papers == banks[0] for papers in banks), one
    assert all(a[0] != b[0] for a, b in combinations(said.values(), 2))


@pytest.mark.soak
@pytest.mark.parametrize("switches", ledger_rows(), ids=str)
def test_clean_worlds_of_every_pair_of_ledger_switches_raise_nothing(switches: dict[str, Any]) -> None:
    span = span_of(30)
    facts = clean_facts(5, switches, days=30)
    anyway = under_way(facts, span)
    assert raised(facts, span, basis_of(switches)) - anyway == frozenset()


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
            set closing_value = market_value,
                opening_value = opening_value - before.cash,
                gains = gains - (cash_balance - before.cash)
            from (
                select business_date, lag(cash_balance, 1, 0) over (order by business_date) as cash
                from core.brokerage_daily where pocket_id = $1
            ) as before
            where before.business_date = today.business_date and today.pocket_id = $1
            """,
            [pocket],
        )
        learned = learn_basis(con, customer_id=CUSTOMER, first=SPAN.first, last=SPAN.last)
    assert learned.surviving == ()
    assert learned.apart
    assert learned.undecided == ()


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
            opening_value = opening_value - case when day.business_date > $1 then cash_before else 0 end,
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

"""Versions: what a second document of the same pocket and day does to the first."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from jiko_pipeline.formats.reading import RejectedRow
from jiko_pipeline.warehouse.coverage import scope_states
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.hashing import table_hashes
from jiko_pipeline.warehouse.kinds import Finality
from jiko_pipeline.warehouse.load import LoadedDocument, load
from jiko_pipeline.warehouse.load_rows import Refusal
from jiko_pipeline_tests.operation.warehouse_batches import (
    CUSTOMER,
    MONDAY,
    POCKETS,
    WORLD,
    at,
    batch,
    born,
    document,
    frame,
    price_row,
    report_row,
    statement_frames,
    transaction_row,
)

TUESDAY = MONDAY + timedelta(days=1)
ONE = [("ACH_CREDIT", "100.00", "a")]
OTHER = [("ACH_CREDIT", "100.01", "a")]


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with Warehouse(born(tmp_path)).writer(WORLD) as connection:
        yield connection


def statement(
    entries: list[tuple[str, str, str]],
    fetched: datetime,
    *,
    created: datetime | None = None,
    finality: Finality = Finality.AFTER_CUTOFF,
) -> LoadedDocument:
    return document(
        "BANK_STATEMENT",
        statement_frames(MONDAY, entries),
        first=MONDAY,
        pocket=POCKETS[0],
        fetched=fetched,
        created=created or fetched,
        finality=finality,
    )


def refused(fetched: datetime) -> LoadedDocument:
    return document(
        "BANK_STATEMENT",
        None,
        first=MONDAY,
        pocket=POCKETS[0],
        fetched=fetched,
        created=fetched,
        refusal=Refusal("NOT_XML", "The document is no XML."),
    )


def outcomes(con: duckdb.DuckDBPyConnection) -> list[tuple[str, int | None, bool]]:
    return con.execute(
        "select outcome, version_no, is_current from raw.delivery where document_kind = 'BANK_STATEMENT'"
        " order by known_from_utc"
    ).fetchall()


def entries(con: duckdb.DuckDBPyConnection) -> list[tuple[Decimal, datetime, datetime | None]]:
    return con.execute(
        "select signed_amount, known_from_utc, known_to_utc from staging.statement_entry"
        " order by known_from_utc, signed_amount"
    ).fetchall()


def test_a_document_loaded_twice_is_passed_over(con: duckdb.DuckDBPyConnection) -> None:
    item = statement(ONE, at(TUESDAY))
    load(con, batch(item), run_id="first")
    before = table_hashes(con)
    again = load(con, batch(item), run_id="second")
    assert (again.documents, again.already_loaded) == (0, 1)
    assert table_hashes(con) == before
    assert con.execute("select count(*) from raw.load where customer_id = ?", [CUSTOMER]).fetchall() == [(1,)]


@pytest.mark.fault_rows(98)
def test_equal_content_in_a_new_document_makes_no_version(con: duckdb.DuckDBPyConnection) -> None:
    load(con, batch(statement(ONE, at(TUESDAY, 12))), run_id=None)
    before = table_hashes(con)
    load(con, batch(statement(ONE, at(TUESDAY, 13))), run_id=None)
    assert outcomes(con) == [("NEW_VERSION", 1, True), ("UNCHANGED", 1, True)]
    assert table_hashes(con) == before


@pytest.mark.fault_rows(97)
def test_a_restated_entry_ends_when_its_correction_arrives_and_the_rest_stays(
    con: duckdb.DuckDBPyConnection,
) -> None:
    both = [("ACH_CREDIT", "100.00", "a"), ("ACH_CREDIT", "5.00", "b")]
    corrected = [("ACH_CREDIT", "100.00", "a"), ("ACH_CREDIT", "6.00", "b")]
    first, second = at(TUESDAY, 12), at(TUESDAY, 13)
    load(con, batch(statement(both, first)), run_id=None)
    load(con, batch(statement(corrected, second)), run_id=None)
    early, late = first.replace(tzinfo=None), second.replace(tzinfo=None)
    assert entries(con) == [
        (Decimal("5.00"), early, late),
        (Decimal("100.00"), early, None),
        (Decimal("6.00"), late, None),
    ]
    assert outcomes(con) == [("NEW_VERSION", 1, False), ("NEW_VERSION", 2, True)]


@pytest.mark.fault_rows(99)
def test_a_document_made_earlier_that_arrives_later_does_not_replace(con: duckdb.DuckDBPyConnection) -> None:
    load(con, batch(statement(ONE, at(TUESDAY, 12), created=at(TUESDAY, 11))), run_id=None)
    before = table_hashes(con)
    load(con, batch(statement(OTHER, at(TUESDAY, 14), created=at(TUESDAY, 9))), run_id=None)
    assert outcomes(con) == [("NEW_VERSION", 1, True), ("SUPERSEDED", None, False)]
    assert table_hashes(con) == before


def test_a_repeat_counts_as_made_when_the_repeat_was_made(con: duckdb.DuckDBPyConnection) -> None:
    load(con, batch(statement(ONE, at(TUESDAY, 12), created=at(TUESDAY, 8))), run_id=None)
    load(con, batch(statement(ONE, at(TUESDAY, 13), created=at(TUESDAY, 11))), run_id=None)
    load(con, batch(statement(OTHER, at(TUESDAY, 14), created=at(TUESDAY, 9))), run_id=None)
    assert outcomes(con)[-1] == ("SUPERSEDED", None, False)


def test_content_that_returns_is_a_version_of_its_own(con: duckdb.DuckDBPyConnection) -> None:
    for hour, what in ((10, ONE), (11, OTHER), (12, ONE)):
        load(con, batch(statement(what, at(TUESDAY, hour))), run_id=None)
    assert [version for _, version, _ in outcomes(con)] == [1, 2, 3]
    assert [amount for amount, _, ended in entries(con) if ended is None] == [Decimal("100.00")]


@pytest.mark.fault_rows(105)
def test_a_repeat_with_better_finality_makes_the_version_final(con: duckdb.DuckDBPyConnection) -> None:
    load(con, batch(statement(ONE, at(MONDAY, 20), finality=Finality.PROVISIONAL)), run_id=None)
    load(con, batch(statement(ONE, at(TUESDAY, 12))), run_id=None)
    (state,) = scope_states(con, CUSTOMER, "BANK_STATEMENT", MONDAY, MONDAY).values()
    assert (state.finality, state.version_no, state.latest_outcome) == (Finality.AFTER_CUTOFF, 1, "UNCHANGED")


def test_a_provisional_version_is_not_made_final_by_an_earlier_final_one(
    con: duckdb.DuckDBPyConnection,
) -> None:
    load(con, batch(statement(ONE, at(TUESDAY, 12))), run_id=None)
    load(con, batch(statement(OTHER, at(TUESDAY, 13), finality=Finality.PROVISIONAL)), run_id=None)
    (state,) = scope_states(con, CUSTOMER, "BANK_STATEMENT", MONDAY, MONDAY).values()
    assert state.finality is Finality.PROVISIONAL


def test_a_refused_document_leaves_the_rows_and_a_later_good_one_ends_the_quarantine(
    con: duckdb.DuckDBPyConnection,
) -> None:
    load(con, batch(statement(ONE, at(TUESDAY, 12))), run_id=None)
    summary = load(con, batch(refused(at(TUESDAY, 13))), run_id=None)
    assert summary.quarantined == 1
    assert [amount for amount, _, ended in entries(con) if ended is None] == [Decimal("100.00")]
    key = (POCKETS[0], MONDAY)
    assert scope_states(con, CUSTOMER, "BANK_STATEMENT", MONDAY, MONDAY)[key].is_refused
    load(con, batch(statement(ONE, at(TUESDAY, 14))), run_id=None)
    assert not scope_states(con, CUSTOMER, "BANK_STATEMENT", MONDAY, MONDAY)[key].is_refused
    rows = con.execute("select reason_code, known_from_utc, known_to_utc from staging.quarantine").fetchall()
    assert rows == [
        ("NOT_XML", at(TUESDAY, 13).replace(tzinfo=None), at(TUESDAY, 14).replace(tzinfo=None)),
    ]


def test_a_refused_document_that_comes_again_is_not_entered_again(con: duckdb.DuckDBPyConnection) -> None:
    load(con, batch(refused(at(TUESDAY, 12))), run_id=None)
    before = table_hashes(con)
    load(con, batch(refused(at(TUESDAY, 13))), run_id=None)
    assert table_hashes(con) == before
    load(con, batch(statement(ONE, at(TUESDAY, 14), created=at(TUESDAY, 12, 30))), run_id=None)
    (state,) = scope_states(con, CUSTOMER, "BANK_STATEMENT", MONDAY, MONDAY).values()
    assert state.is_refused, "the refusal of 13:00 is newer than the document made at 12:30"


def test_a_refusal_older_than_the_current_version_never_quarantines(con: duckdb.DuckDBPyConnection) -> None:
    load(con, batch(statement(ONE, at(TUESDAY, 12))), run_id=None)
    late = refused(at(TUESDAY, 11))
    load(con, batch(late), run_id=None)
    (state,) = scope_states(con, CUSTOMER, "BANK_STATEMENT", MONDAY, MONDAY).values()
    assert not state.is_refused


def test_rows_kept_aside_belong_to_the_version_and_end_with_it(con: duckdb.DuckDBPyConnection) -> None:
    bad = RejectedRow("line 3", "NOT_A_NUMBER", "The price is no number.", "abc;x")
    prices = frame("security_price", [price_row("912797KJ5", MONDAY, "99.5")])

    def report(hour: int, rejected: tuple[RejectedRow, ...]) -> LoadedDocument:
        return document(
            "SECURITY_PRICE",
            {"security_price": prices},
            first=MONDAY,
            fetched=at(TUESDAY, hour),
            rejected=rejected,
        )

    first = load(con, batch(report(10, (bad,))), run_id=None)
    assert (first.rows, first.rejected) == (1, 1)
    load(con, batch(report(11, ())), run_id=None)
    states = con.execute("select is_whole_document, known_to_utc is null from staging.quarantine").fetchall()
    assert states == [(False, False)]
    assert con.execute("select count(*) from staging.security_price where known_to_utc is null").fetchall() == [(1,)]


def test_a_row_on_a_day_that_was_not_asked_for_refuses_its_document_only(
    con: duckdb.DuckDBPyConnection,
) -> None:
    good = document(
        "SECURITY_PRICE",
        {"security_price": frame("security_price", [price_row("912797KJ5", MONDAY, "99.5")])},
        first=MONDAY,
    )
    bad = document(
        "SECURITY_PRICE",
        {"security_price": frame("security_price", [price_row("912797KJ5", MONDAY, "99.6")])},
        first=TUESDAY,
    )
    summary = load(con, batch(good, bad), run_id=None)
    assert summary.outcomes == {"NEW_VERSION": 1, "QUARANTINED": 1}
    assert con.execute("select price_date, price from staging.security_price").fetchall() == [
        (MONDAY, Decimal("99.500000"))
    ]


def test_a_day_without_rows_is_a_version_and_a_vanished_row_ends(con: duckdb.DuckDBPyConnection) -> None:
    row = transaction_row("one", POCKETS[0], at(MONDAY, 15), "10.00")

    def listing(hour: int, rows: list[dict[str, object]]) -> LoadedDocument:
        return document(
            "API_TRANSACTIONS",
            {"api_transaction": frame("api_transaction", rows)},
            first=MONDAY,
            last=TUESDAY,
            fetched=at(TUESDAY + timedelta(days=1), hour),
        )

    load(con, batch(listing(10, [row])), run_id=None)
    load(con, batch(listing(11, [])), run_id=None)
    deliveries = con.execute(
        "select scope_date, row_count, outcome from raw.delivery where document_kind = 'API_TRANSACTIONS'"
        " order by known_from_utc, scope_date"
    ).fetchall()
    assert deliveries == [
        (MONDAY, 1, "NEW_VERSION"),
        (TUESDAY, 0, "NEW_VERSION"),
        (MONDAY, 0, "NEW_VERSION"),
        (TUESDAY, 0, "UNCHANGED"),
    ]
    assert con.execute("select known_to_utc is null from staging.api_transaction").fetchall() == [(False,)]


@pytest.mark.fault_rows(101)
def test_the_day_of_an_instant_is_that_of_new_york(con: duckdb.DuckDBPyConnection) -> None:
    rows = [
        transaction_row("before midnight", POCKETS[0], at(TUESDAY, 3, 59), "1.00"),
        transaction_row("after midnight", POCKETS[0], at(TUESDAY, 4, 0), "2.00"),
    ]
    listing = document(
        "API_TRANSACTIONS",
        {"api_transaction": frame("api_transaction", rows)},
        first=MONDAY,
        last=TUESDAY,
    )
    load(con, batch(listing), run_id=None)
    days = con.execute("select scope_date, signed_amount from staging.api_transaction order by scope_date").fetchall()
    assert days == [(MONDAY, Decimal("1.00")), (TUESDAY, Decimal("2.00"))]


def test_equal_keys_stay_visible_and_their_order_in_the_document_does_not_matter(
    con: duckdb.DuckDBPyConnection,
) -> None:
    twice = [report_row("T1", POCKETS[0], MONDAY, 10), report_row("T1", POCKETS[0], MONDAY, 11)]

    def report(hour: int, rows: list[dict[str, object]]) -> LoadedDocument:
        return document(
            "TRADE_REPORT_CSV",
            {"trade_report": frame("trade_report", rows)},
            first=MONDAY,
            fetched=at(TUESDAY, hour),
        )

    load(con, batch(report(10, twice)), run_id=None)
    load(con, batch(report(11, twice[::-1])), run_id=None)
    ordinals = con.execute("select row_ordinal from staging.trade_report order by row_ordinal").fetchall()
    assert ordinals == [(1,), (2,)]


def ranged_prices(days: list[date], prices: list[int], fetched: datetime) -> LoadedDocument:
    rows = [price_row("912797KJ5", day, f"99.{price:06d}") for day, price in zip(days, prices, strict=True)]
    return document(
        "SECURITY_PRICE",
        {"security_price": frame("security_price", rows)},
        first=days[0],
        last=days[-1],
        fetched=fetched,
    )


@effort(max_examples=5, deadline=None)
@given(
    stated=st.lists(st.lists(st.integers(0, 2), min_size=5, max_size=5), min_size=1, max_size=4),
    cut=st.integers(1, 4),
)
def test_the_cut_into_windows_and_loads_leaves_no_trace(
    tmp_path_factory: pytest.TempPathFactory, stated: list[list[int]], cut: int
) -> None:
    days = [MONDAY + timedelta(days=n) for n in range(5)]
    whole, parts = [], []
    for turn, prices in enumerate(stated):
        fetched = at(MONDAY + timedelta(days=6 + turn))
        whole.append(ranged_prices(days, prices, fetched))
        parts.append(
            (ranged_prices(days[:cut], prices[:cut], fetched), ranged_prices(days[cut:], prices[cut:], fetched))
        )
    with Warehouse(born(tmp_path_factory.mktemp("whole"))).writer(WORLD) as con:
        load(con, batch(*whole), run_id="all at once")
        at_once = table_hashes(con)
    with Warehouse(born(tmp_path_factory.mktemp("parts"))).writer(WORLD) as con:
        for second in (1, 0):
            for pair in parts:
                load(con, batch(pair[second]), run_id="bit by bit")
        assert table_hashes(con) == at_once

"""Core: the current view of every fact, whatever way staging came to be."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from jiko_pipeline.calendars import business_date_of, business_day_index, days, is_fed_business_day, new_york_date
from jiko_pipeline.tbill import auctions, isin
from jiko_pipeline.warehouse.core_build import build_core
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.hashing import hash_of, table_hashes
from jiko_pipeline.warehouse.kinds import Finality
from jiko_pipeline.warehouse.load import LoadedDocument, load
from jiko_pipeline.warehouse.load_rows import Refusal
from jiko_pipeline_tests.operation.warehouse_batches import (
    CUSTOMER,
    ENTITY,
    MONDAY,
    POCKETS,
    WORLD,
    activity,
    at,
    batch,
    born,
    document,
    frame,
    position_frames,
    price_row,
    report_row,
    statement_frames,
    transaction_row,
)

BILL = "912797KJ5"
DAY_END = time(19, 0)
TUESDAY = MONDAY + timedelta(days=1)


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with Warehouse(born(tmp_path)).writer(WORLD) as connection:
        yield connection


def build(con: duckdb.DuckDBPyConnection, first: date, last: date) -> dict[str, dict[date, int]]:
    return build_core(con, CUSTOMER, ENTITY, first, last, business_day_end=DAY_END)


def statement(kind: str, day: date, entries: Sequence[tuple[str, str, str]], **more: Any) -> LoadedDocument:
    opening = more.pop("opening", "0.00")
    frames = statement_frames(day, entries, opening=opening)
    return document(kind, frames, first=day, pocket=POCKETS[0], **more)


def listing(rows: Sequence[dict[str, Any]], first: date, last: date, fetched: datetime) -> LoadedDocument:
    return document(
        "API_TRANSACTIONS",
        {"api_transaction": frame("api_transaction", rows)},
        first=first,
        last=last,
        fetched=fetched,
    )


def trade_row(name: str, traded_at: datetime, quantity: int) -> dict[str, Any]:
    return {
        "trade_id": activity(name),
        "pocket_id": POCKETS[0],
        "activity": "BUY",
        "cusip": BILL,
        "quantity": quantity,
        "price": Decimal("99.500000"),
        "notional": Decimal("99.50") * quantity,
        "currency": "USD",
        "traded_at_utc": traded_at.replace(tzinfo=None),
    }


def month_of_documents() -> dict[str, list[list[LoadedDocument]]]:
    """31 days of every kind: by kind one list of documents for the window, or one list a day."""
    window = days(MONDAY, MONDAY + timedelta(days=30))
    arrived = at(window[-1] + timedelta(days=2))
    ranged = {
        "SECURITY_PRICE": "security_price",
        "TRADE_REPORT_CSV": "trade_report",
        "API_TRANSACTIONS": "api_transaction",
        "API_TRADES": "api_trade",
    }
    rows: dict[str, list[list[dict[str, Any]]]] = {kind: [] for kind in ranged}
    statements: dict[str, list[LoadedDocument]] = {"BANK_STATEMENT": [], "BROKERAGE_STATEMENT": [], "POSITION": []}
    for place, day in enumerate(window):
        rows["SECURITY_PRICE"].append([price_row(BILL, day, f"99.{place:06d}")])
        rows["TRADE_REPORT_CSV"].append([report_row(f"T{place}", POCKETS[0], day, place + 1)] if place % 3 else [])
        rows["API_TRANSACTIONS"].append([transaction_row(f"{day}", POCKETS[0], at(day, 22, 30), f"{place + 1}.00")])
        rows["API_TRADES"].append([trade_row(f"trade {day}", at(day, 14), place + 1)])
        if is_fed_business_day(day):
            name = activity(f"{day}").replace("-", "")
            entries = [("ACH_CREDIT", f"{place + 1}.00", name), ("SWEEP_OUT", f"-{place + 1}.00", "s")]
            statements["BANK_STATEMENT"].append(statement("BANK_STATEMENT", day, entries, fetched=arrived))
            statements["BROKERAGE_STATEMENT"].append(
                statement("BROKERAGE_STATEMENT", day, [("ADDITION", f"{place + 1}.00", "s")], fetched=arrived)
            )
            held = position_frames(POCKETS[0], day, [(BILL, place + 1, "99.5", "99.50")], "1.00")
            statements["POSITION"].append(document("POSITION", held, first=day, pocket=POCKETS[0], fetched=arrived))
    built = {kind: [[item] for item in items] for kind, items in statements.items()}
    for kind, name in ranged.items():
        built[kind] = [
            [document(kind, {name: frame(name, found)}, first=day, fetched=arrived)]
            for day, found in zip(window, rows[kind], strict=True)
        ]
        everything = [row for found in rows[kind] for row in found]
        built[f"{kind} as one"] = [
            [document(kind, {name: frame(name, everything)}, first=window[0], last=window[-1], fetched=arrived)]
        ]
    for kind in statements:
        built[f"{kind} as one"] = [[item for (item,) in built[kind]]]
    return built


def cut(window: list[date]) -> list[list[date]]:
    """The 31 days in windows of 1, 3, 10 and 17 days."""
    ends = (1, 4, 14, 31)
    return [window[first:last] for first, last in zip((0, *ends), ends, strict=False)]


def test_one_window_of_31_days_equals_shorter_windows_of_single_day_documents_in_any_order(tmp_path: Path) -> None:
    documents = month_of_documents()
    window = days(MONDAY, MONDAY + timedelta(days=30))
    kinds = [kind for kind in documents if not kind.endswith(" as one")]
    with Warehouse(born(tmp_path / "one")).writer(WORLD) as con:
        for kind in kinds:
            load(con, batch(*documents[f"{kind} as one"][0]), run_id=None)
        counts = build(con, window[0], window[-1])
        as_one = table_hashes(con)
    assert {table: sum(rows.values()) for table, rows in counts.items()} == {
        "core.bank_daily": 22,
        "core.bank_transaction": 44,
        "core.brokerage_flow": 22,
        "core.brokerage_daily": 22,
        "core.position_daily": 22,
        "core.security_price": 31,
        "core.api_transaction": 31,
        "core.trade": 31,
        "core.trade_report": 20,
    }
    with Warehouse(born(tmp_path / "many")).writer(WORLD) as con:
        for part in reversed(cut(window)):
            for kind in kinds:
                items = [item for (item,) in documents[kind] if item.document.first in part]
                if items:
                    load(con, batch(*items), run_id=None)
            build(con, part[0], part[-1])
        assert table_hashes(con) == as_one


def test_building_again_changes_nothing(con: duckdb.DuckDBPyConnection) -> None:
    load(con, batch(statement("BANK_STATEMENT", MONDAY, [("ACH_CREDIT", "1.00", "a")])), run_id=None)
    build(con, MONDAY, TUESDAY)
    before = table_hashes(con)
    build(con, MONDAY, TUESDAY)
    assert table_hashes(con) == before


def test_an_entry_gets_the_category_of_its_code_and_names_its_activity(con: duckdb.DuckDBPyConnection) -> None:
    known = activity("deposit")
    entries = [
        ("ACH_CREDIT", "10.00", known.replace("-", "")),
        ("ACH_CREDIT", "-10.00", "the wrong direction"),
        ("NEVER_SEEN", "1.00", "x"),
        ("SWEEP_OUT", "-1.00", "sweep"),
    ]
    load(con, batch(statement("BANK_STATEMENT", MONDAY, entries)), run_id=None)
    build(con, MONDAY, MONDAY)
    found = con.execute(
        "select category, matching_rules, activity_id from core.bank_transaction order by bank_transaction_key"
    ).fetchall()
    assert found == [("DEPOSIT", 1, known), (None, 0, None), (None, 0, None), ("SWEEP_OUT", 1, None)]


def test_an_iso_code_counts_only_without_a_rule_for_the_banks_own_code(con: duckdb.DuckDBPyConnection) -> None:
    frames = statement_frames(MONDAY, [("CARD", "-5.00", "a"), ("OTHER", "-5.00", "b")])
    frames["statement_entry"] = frames["statement_entry"].with_columns(
        domain_code=_text("PMNT"), family_code=_text("ICDT")
    )
    load(con, batch(document("BANK_STATEMENT", frames, first=MONDAY, pocket=POCKETS[0])), run_id=None)
    build(con, MONDAY, MONDAY)
    found = con.execute("select proprietary_code, category from core.bank_transaction order by 1").fetchall()
    assert found == [("CARD", "CARD"), ("OTHER", "PAYMENT")]


def test_rules_of_one_rank_that_disagree_give_no_category(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("insert into core.classification_rule values ('MINE', 'CARD', null, null, null, 'PAYMENT', 'other')")
    load(con, batch(statement("BANK_STATEMENT", MONDAY, [("CARD", "-5.00", "a")])), run_id=None)
    build(con, MONDAY, MONDAY)
    found = con.execute("select category, matching_rules from core.bank_transaction").fetchall()
    assert found == [(None, 2)]


def test_equal_references_of_a_day_stay_two_entries(con: duckdb.DuckDBPyConnection) -> None:
    frames = statement_frames(MONDAY, [("ACH_CREDIT", "5.00", "a"), ("ACH_CREDIT", "5.00", "a")])
    same = frames["statement_entry"].with_columns(account_servicer_reference=_text("SAME"))
    frames["statement_entry"] = same
    load(con, batch(document("BANK_STATEMENT", frames, first=MONDAY, pocket=POCKETS[0])), run_id=None)
    build(con, MONDAY, MONDAY)
    keys = con.execute("select bank_transaction_key from core.bank_transaction order by 1").fetchall()
    assert keys == [("SAME#1",), ("SAME#2",)]


def test_entries_that_are_not_booked_stay_out(con: duckdb.DuckDBPyConnection) -> None:
    frames = statement_frames(MONDAY, [("ACH_CREDIT", "5.00", "a"), ("ACH_CREDIT", "7.00", "b")])
    rows = frames["statement_entry"]
    frames["statement_entry"] = rows.with_columns(entry_status=rows["entry_status"].scatter(1, "PDNG"))
    load(con, batch(document("BANK_STATEMENT", frames, first=MONDAY, pocket=POCKETS[0])), run_id=None)
    build(con, MONDAY, MONDAY)
    assert con.execute("select booked_entries, booked_net from core.bank_daily").fetchall() == [(1, Decimal("5.00"))]
    assert con.execute("select signed_amount from core.bank_transaction").fetchall() == [(Decimal("5.00"),)]


def test_a_brokerage_day_has_its_flows_unsigned_and_the_cash_of_the_summary(
    con: duckdb.DuckDBPyConnection,
) -> None:
    entries = [
        ("ADDITION", "100.00", "s1"),
        ("SUBTRACTION", "-30.00", "s2"),
        ("GAIN_LOSS", "-0.25", "g"),
        ("MANAGEMENT_FEE", "-0.10", "f"),
        ("RIDDLE", "0.07", "r"),
    ]
    load(con, batch(statement("BROKERAGE_STATEMENT", MONDAY, entries, opening="50.00")), run_id=None)
    held = position_frames(POCKETS[0], MONDAY, [(BILL, 1, "99.5", "99.50")], "20.22")
    load(con, batch(document("POSITION", held, first=MONDAY, pocket=POCKETS[0])), run_id=None)
    build(con, MONDAY, MONDAY)
    found = con.execute(
        "select opening_value, additions, subtractions, gains, fees, unknown_flows, closing_value, booked_net,"
        " cash_balance, market_value from core.brokerage_daily"
    ).fetchall()
    texts = ("50.00", "100.00", "30.00", "-0.25", "0.10", "0.07", "119.72", "69.72", "20.22", "99.50")
    assert found == [tuple(Decimal(text) for text in texts)]


def test_without_a_summary_cash_and_market_value_are_unknown(con: duckdb.DuckDBPyConnection) -> None:
    load(con, batch(statement("BROKERAGE_STATEMENT", MONDAY, [])), run_id=None)
    build(con, MONDAY, MONDAY)
    assert con.execute("select cash_balance, market_value, gains from core.brokerage_daily").fetchall() == [
        (None, None, Decimal("0.00"))
    ]


def test_a_document_in_quarantine_has_no_rows_in_core_until_a_good_one_comes(
    con: duckdb.DuckDBPyConnection,
) -> None:
    entries = [("ACH_CREDIT", "5.00", "a")]
    load(con, batch(statement("BANK_STATEMENT", MONDAY, entries, fetched=at(TUESDAY, 10))), run_id=None)
    load(con, batch(statement("BANK_STATEMENT", TUESDAY, entries, fetched=at(TUESDAY, 11))), run_id=None)
    bad = document(
        "BANK_STATEMENT",
        None,
        first=MONDAY,
        pocket=POCKETS[0],
        fetched=at(TUESDAY, 12),
        refusal=Refusal("NOT_XML", "The document is no XML."),
    )
    load(con, batch(bad), run_id=None)
    build(con, MONDAY, TUESDAY)
    assert con.execute("select business_date from core.bank_daily").fetchall() == [(TUESDAY,)]
    assert con.execute("select business_date from core.bank_transaction").fetchall() == [(TUESDAY,)]
    load(con, batch(statement("BANK_STATEMENT", MONDAY, entries, fetched=at(TUESDAY, 13))), run_id=None)
    build(con, MONDAY, TUESDAY)
    assert con.execute("select business_date from core.bank_daily order by 1").fetchall() == [
        (MONDAY,),
        (TUESDAY,),
    ]


def test_a_better_finality_of_equal_content_reaches_core(con: duckdb.DuckDBPyConnection) -> None:
    early = statement("BANK_STATEMENT", MONDAY, [], fetched=at(MONDAY, 20), finality=Finality.PROVISIONAL)
    load(con, batch(early), run_id=None)
    build(con, MONDAY, MONDAY)
    assert con.execute("select finality from core.bank_daily").fetchall() == [("PROVISIONAL",)]
    load(con, batch(statement("BANK_STATEMENT", MONDAY, [], fetched=at(TUESDAY))), run_id=None)
    build(con, MONDAY, MONDAY)
    assert con.execute("select finality from core.bank_daily").fetchall() == [("AFTER_CUTOFF",)]


@pytest.mark.fault_rows(102)
def test_days_of_transactions_follow_new_york_and_the_feds_calendar(con: duckdb.DuckDBPyConnection) -> None:
    """Instants around midnight, the end of the business day, a weekend and both changes of the clock."""
    instants = [
        at(day, hour, minute)
        for day in (date(2024, 3, 8), date(2024, 3, 9), date(2024, 3, 10), date(2024, 3, 11), date(2024, 11, 3))
        for hour in (0, 3, 4, 5, 6, 22, 23)
        for minute in (0, 59)
    ]
    by_month: dict[tuple[int, int], list[datetime]] = {}
    for instant in instants:
        by_month.setdefault((new_york_date(instant).year, new_york_date(instant).month), []).append(instant)
    for (year, month), found in by_month.items():
        first = date(year, month, 1)
        last = first + timedelta(days=27)
        rows = [transaction_row(instant.isoformat(), POCKETS[0], instant, "1.00") for instant in found]
        load(con, batch(listing(rows, first, last, at(last + timedelta(days=1)))), run_id=None)
        build(con, first, last)
    held = con.execute("select booked_at_utc, booked_on, business_date from core.api_transaction order by 1").fetchall()
    assert held == [
        (instant.replace(tzinfo=None), new_york_date(instant), business_date_of(instant, DAY_END))
        for instant in sorted(instants)
    ]


def test_an_id_that_two_days_state_is_one_row_that_says_so_whatever_was_built_last(
    con: duckdb.DuckDBPyConnection,
) -> None:
    early = transaction_row("twice", POCKETS[0], at(MONDAY, 15), "1.00")
    late = transaction_row("twice", POCKETS[0], at(TUESDAY, 15), "1.00")
    load(con, batch(listing([early], MONDAY, MONDAY, at(TUESDAY, 10))), run_id=None)
    load(con, batch(listing([late], TUESDAY, TUESDAY, at(TUESDAY, 23))), run_id=None)
    states = []
    for first in (MONDAY, TUESDAY, MONDAY):
        build(con, first, first)
        states.append(con.execute("select booked_on, occurrences from core.api_transaction order by 1").fetchall())
    assert states == [[(TUESDAY, 2)]] * 3
    load(con, batch(listing([], MONDAY, MONDAY, at(TUESDAY, 23, 30))), run_id=None)
    build(con, MONDAY, MONDAY)
    assert con.execute("select booked_on, occurrences from core.api_transaction").fetchall() == [(TUESDAY, 1)]


def test_duplicates_in_reports_are_counted(con: duckdb.DuckDBPyConnection) -> None:
    trades = [report_row("T1", POCKETS[0], MONDAY, 1), report_row("T1", POCKETS[0], MONDAY, 1)]
    prices = [price_row(BILL, MONDAY, "99.5"), price_row(BILL, MONDAY, "99.6")]
    for kind, name, rows in (
        ("TRADE_REPORT_CSV", "trade_report", trades),
        ("SECURITY_PRICE", "security_price", prices),
    ):
        load(con, batch(document(kind, {name: frame(name, rows)}, first=MONDAY)), run_id=None)
    build(con, MONDAY, MONDAY)
    assert con.execute("select occurrences from core.trade_report").fetchall() == [(2,)]
    assert con.execute("select occurrences from core.security_price").fetchall() == [(2,)]


def test_securities_are_treasurys_list(con: duckdb.DuckDBPyConnection) -> None:
    build(con, MONDAY, MONDAY)
    held = con.execute("select cusip, isin, maturity_date, first_issue_date from core.security order by 1").fetchall()
    oldest: dict[str, tuple[str, str, date, date]] = {}
    for auction in auctions():
        known = oldest.get(auction.cusip)
        issued = min(known[3], auction.issue_date) if known else auction.issue_date
        oldest[auction.cusip] = (auction.cusip, isin(auction.cusip), auction.maturity_date, issued)
    assert held == [oldest[cusip] for cusip in sorted(oldest)]


def test_a_position_knows_its_maturity_by_the_reference_list(con: duckdb.DuckDBPyConnection) -> None:
    held = position_frames(POCKETS[0], MONDAY, [(BILL, 3, "99.5", "298.50"), ("XXXXXXXXX", 1, "99.5", "99.50")], "0.00")
    load(con, batch(document("POSITION", held, first=MONDAY, pocket=POCKETS[0])), run_id=None)
    build(con, MONDAY, MONDAY)
    matures = next(auction.maturity_date for auction in auctions() if auction.cusip == BILL)
    found = con.execute(
        "select cusip, face_amount, maturity_date, days_to_maturity from core.position_daily order by 1"
    ).fetchall()
    assert found == [
        (BILL, Decimal("300.00"), matures, (matures - MONDAY).days),
        ("XXXXXXXXX", Decimal("100.00"), None, None),
    ]


def test_a_pocket_lives_from_its_first_movement_and_a_closed_one_to_its_last(
    con: duckdb.DuckDBPyConnection,
) -> None:
    statuses = ("OPEN", "CLOSED", "OPEN")
    pockets = [
        {"pocket_id": f"p{place}", "pocket_name": f"Pocket {place}", "pocket_status": status}
        for place, status in enumerate(statuses)
    ]
    lives = [{"pocket_id": f"p{place}", "first_activity_on": MONDAY, "last_activity_on": TUESDAY} for place in range(2)]
    load(con, batch(document("POCKETS", {"pocket": frame("pocket", pockets)}, first=None)), run_id=None)
    load(con, batch(document("POCKET_LIVES", {"pocket_life": frame("pocket_life", lives)}, first=None)), run_id=None)
    build(con, MONDAY, MONDAY)
    found = con.execute(
        "select pocket_id, opened_on, closed_on, lifetime_source from core.pocket order by 1"
    ).fetchall()
    assert found == [
        ("p0", MONDAY, None, "FIRST_ACTIVITY"),
        ("p1", MONDAY, TUESDAY, "FIRST_ACTIVITY"),
        ("p2", None, None, "UNKNOWN"),
    ]


def test_the_calendar_covers_whole_years_around_the_data(con: duckdb.DuckDBPyConnection) -> None:
    load(con, batch(statement("BANK_STATEMENT", MONDAY, [])), run_id=None)
    build(con, MONDAY, MONDAY)
    held = con.execute("select business_date, bd_idx, is_fed_business_day from core.calendar order by 1").fetchall()
    expected = days(date(2023, 1, 1), date(2025, 12, 31))
    assert held == [(day, business_day_index(day), is_fed_business_day(day)) for day in expected]


def test_the_rows_of_another_customer_are_left_alone(con: duckdb.DuckDBPyConnection) -> None:
    load(con, batch(statement("BANK_STATEMENT", MONDAY, [("ACH_CREDIT", "5.00", "a")])), run_id=None)
    build(con, MONDAY, MONDAY)
    before = hash_of(con, "core.bank_transaction")
    build_core(con, "another", "another", MONDAY, MONDAY, business_day_end=DAY_END)
    assert hash_of(con, "core.bank_transaction") == before


def _text(value: str) -> pl.Expr:
    return pl.lit(value, dtype=pl.String)

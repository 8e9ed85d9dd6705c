"""Rows 142 to 148 of the fault matrix: rows and reports that say something else than they should."""

from collections import Counter
from datetime import UTC, date, datetime

import pytest

from jiko_pipeline.bank import listings
from jiko_pipeline.bank.contract import OutputFormat, ReportType
from jiko_pipeline.bank.order_book import OrderBook
from jiko_pipeline.bank.orders import fetch_reports
from jiko_pipeline.bank.report_requests import ReportPull
from jiko_pipeline.formats.pages import items_of, read_pockets, read_transactions
from jiko_pipeline.formats.reading import Reading
from jiko_pipeline.pipeline.fetching import open_desk
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.kinds import Finality, scopes_of
from jiko_pipeline.warehouse.load import LoadedDocument, load
from jiko_pipeline_tests.bank import chaos_rig
from jiko_pipeline_tests.bank.chaos_client import DisturbedBank
from jiko_pipeline_tests.bank.chaos_rig import rule
from jiko_pipeline_tests.operation.warehouse_batches import batch

DAY = date(2024, 7, 16)
TRANSACTIONS = listings.transactions(DAY, DAY)
LIST = {"path": "/api/v2/transactions/"}


def read(disturbed: DisturbedBank) -> Reading:
    with disturbed.connection() as bank:
        return read_transactions([page.body for page in bank.pages(TRANSACTIONS)])


def codes(reading: Reading) -> set[str]:
    return {finding.code for finding in reading.findings}


@pytest.mark.fault_rows(142)
def test_142_a_row_that_settles_later_is_one_row_of_two_versions(disturbed: DisturbedBank) -> None:
    disturbed.disturb(
        rule("field_value", name="status", value="BOOKED", match=LIST),
        rule("field_value", name="time_settled", value=None, match=LIST),
    )
    booked = _kept(disturbed)
    chaos_rig.reset(disturbed.bank)
    settled = _kept(disturbed)
    unchanged = _kept(disturbed)
    with disturbed.connection() as bank:
        identity = bank.identity
    with Warehouse(disturbed.settings()).writer(identity) as con:
        for listing in (booked, settled, unchanged):
            load(con, batch(listing), run_id=None)
        versions = con.execute(
            "select activity_id, list(transaction_status order by known_from_utc),"
            " list(settled_at_utc is null order by known_from_utc), list(known_to_utc order by known_from_utc)"
            " from staging.api_transaction group by activity_id"
        ).fetchall()
        now = con.execute("select count(*) from staging.api_transaction where known_to_utc is null").fetchone()
    assert len(versions) == len(disturbed.ids(TRANSACTIONS)) > 0
    assert now == (len(versions),)
    replaced_at = settled.document.fetched_at.replace(tzinfo=None)
    for _, statuses, unsettled, ends in versions:
        assert (statuses, unsettled, ends) == (["BOOKED", "SETTLED"], [True, False], [replaced_at, None])


def _kept(disturbed: DisturbedBank) -> LoadedDocument:
    """The listing of the day as it is now, as the archive and the reader give it."""
    with open_desk(disturbed.settings()) as desk:
        document, bodies = desk.list("API_TRANSACTIONS", listings.transactions(DAY, DAY), first=DAY, last=DAY)
    scopes = scopes_of("API_TRANSACTIONS", None, DAY, DAY)
    return LoadedDocument(document, scopes, Finality.AFTER_CUTOFF, reading=read_transactions(bodies))


@pytest.mark.fault_rows(143)
def test_143_a_movement_that_two_pockets_share_is_two_rows(disturbed: DisturbedBank) -> None:
    pages = _pages(disturbed, listings.transactions(date(2024, 6, 27), DAY))
    listed = [item for page in pages for item in items_of(page.body)]
    frame = read_transactions([page.body for page in pages]).frames["api_transaction"]
    shared = [key for key, rows in Counter(item["transaction_id"] for item in listed).items() if rows == 2]
    assert shared
    for key in shared:
        assert frame.filter(frame["transaction_id"] == key).select("pocket_id").n_unique() == 2
    assert frame.height == len(listed)


def _pages(disturbed: DisturbedBank, listing: listings.Listing) -> list[listings.Page]:
    with disturbed.connection() as bank:
        return list(bank.pages(listing))


@pytest.mark.fault_rows(144)
def test_144_a_word_that_nobody_knows_is_kept_and_told(disturbed: DisturbedBank) -> None:
    undisturbed = read(disturbed)
    disturbed.disturb(rule("field_value", name="status", value="ARCHIVED", match=LIST))
    reading = read(disturbed)
    frame = reading.frames["api_transaction"]
    assert frame.height == undisturbed.frames["api_transaction"].height > 0
    assert set(frame["transaction_status"]) == {"ARCHIVED"}
    assert "UNKNOWN_WORD" in codes(reading)


@pytest.mark.fault_rows(145)
def test_145_a_new_field_changes_nothing_and_a_missing_one_keeps_the_row_out(disturbed: DisturbedBank) -> None:
    undisturbed = read(disturbed)
    disturbed.disturb(rule("new_field", match=LIST, times=1))
    assert read(disturbed).frames["api_transaction"].height == undisturbed.frames["api_transaction"].height
    disturbed.disturb(rule("missing_field", name="amount", match=LIST))
    reading = read(disturbed)
    assert reading.frames["api_transaction"].height == 0
    assert len(reading.rejected) == undisturbed.frames["api_transaction"].height
    assert {row.code for row in reading.rejected} == {"BAD_ITEM"}


@pytest.mark.fault_rows(146)
def test_146_an_amount_that_is_shown_as_another_keeps_the_row_out(disturbed: DisturbedBank) -> None:
    disturbed.disturb(rule("amount_disagrees", match=LIST))
    reading = read(disturbed)
    assert reading.frames["api_transaction"].height == 0
    assert {row.code for row in reading.rejected} == {"AMOUNTS_DISAGREE"}


@pytest.mark.fault_rows(147)
@pytest.mark.parametrize("page_limit", [1, 2])
@pytest.mark.parametrize("change", ["insert", "shift", "repeat", "change"])
def test_147_pockets_that_move_while_they_are_read_are_stamped_with_its_start_and_end_and_lose_nothing(
    disturbed: DisturbedBank, change: str, page_limit: int
) -> None:
    quiet = read_pockets([page.body for page in _pages(disturbed, listings.pockets())]).frames["pocket"]
    moved = {"portfolio": {"total_value": {"value": "1.00", "currency": "USD", "formatted": "$1.00"}}}
    disturbed.disturb(
        rule("drift", change=change, match={"path": "/api/v2/pockets/", "method": "GET"}, times=2, set=moved)
    )
    with open_desk(disturbed.settings(page_limit=page_limit)) as desk:
        before = datetime.now(UTC)
        document, bodies = desk.list("POCKETS", listings.pockets())
    frame = read_pockets(bodies).frames["pocket"]
    told = [name for name in frame.columns if name != "document_locator"]
    assert frame.select(told).sort("pocket_id").equals(quiet.select(told).sort("pocket_id"))
    # A live value has no column, so none can stand for the end of a day.
    assert not [name for name in told if "value" in name or "balance" in name or "cash" in name]
    assert document.first_fetched_at is not None
    assert before <= document.first_fetched_at < document.fetched_at <= datetime.now(UTC)
    assert "drift" in disturbed.faults()


@pytest.mark.fault_rows(148)
@pytest.mark.parametrize("change", ["longer", "shorter"])
def test_148_a_request_with_more_or_fewer_reports_than_asked_for_is_refused(
    disturbed: DisturbedBank, change: str
) -> None:
    pocket, *_ = disturbed.ids()
    pull = ReportPull(ReportType.BANK_STATEMENT, (OutputFormat.CAMT053,), pocket, DAY, DAY)
    disturbed.disturb(rule("report_ids", change=change))
    delivered: list[object] = []
    with disturbed.connection() as bank, OrderBook(bank.settings.order_book_file) as book:
        outcome = fetch_reports(bank, book, [pull], delivered.append)
    assert [refused for refused, _ in outcome.refused] == [pull]
    assert delivered == []

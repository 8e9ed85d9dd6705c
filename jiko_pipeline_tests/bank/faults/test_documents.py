"""Rows 142 to 148 of the fault matrix: rows and reports that say something else than they should."""

from collections import Counter
from datetime import date

import pytest

from jiko_pipeline.bank import listings
from jiko_pipeline.bank.contract import OutputFormat, ReportType
from jiko_pipeline.bank.order_book import OrderBook
from jiko_pipeline.bank.orders import fetch_reports
from jiko_pipeline.bank.report_requests import ReportPull
from jiko_pipeline.formats.pages import items_of, read_transactions
from jiko_pipeline.formats.reading import Reading
from jiko_pipeline_tests.bank.chaos_client import DisturbedBank
from jiko_pipeline_tests.bank.chaos_rig import rule

DAY = date(2024, 7, 16)
TRANSACTIONS = listings.transactions(DAY, DAY)
LIST = {"path": "/api/v2/transactions/"}


def read(disturbed: DisturbedBank) -> Reading:
    with disturbed.connection() as bank:
        return read_transactions([page.body for page in bank.pages(TRANSACTIONS)])


def codes(reading: Reading) -> set[str]:
    return {finding.code for finding in reading.findings}


def test_142_a_row_that_settles_later_is_the_same_row_in_a_newer_form(disturbed: DisturbedBank) -> None:
    settled = read(disturbed).frames["api_transaction"]
    disturbed.disturb(
        rule("field_value", name="status", value="BOOKED", match=LIST),
        rule("field_value", name="time_settled", value=None, match=LIST),
    )
    booked = read(disturbed).frames["api_transaction"]
    assert set(booked["transaction_status"]) == {"BOOKED"}
    assert set(settled["transaction_status"]) == {"SETTLED"}
    key = ["transaction_id", "pocket_id"]
    assert booked.select(key).rows() == settled.select(key).rows()


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


def test_144_a_word_that_nobody_knows_is_kept_and_told(disturbed: DisturbedBank) -> None:
    undisturbed = read(disturbed)
    disturbed.disturb(rule("field_value", name="status", value="ARCHIVED", match=LIST))
    reading = read(disturbed)
    frame = reading.frames["api_transaction"]
    assert frame.height == undisturbed.frames["api_transaction"].height > 0
    assert set(frame["transaction_status"]) == {"ARCHIVED"}
    assert "UNKNOWN_WORD" in codes(reading)


def test_145_a_new_field_changes_nothing_and_a_missing_one_keeps_the_row_out(disturbed: DisturbedBank) -> None:
    undisturbed = read(disturbed)
    disturbed.disturb(rule("new_field", match=LIST, times=1))
    assert read(disturbed).frames["api_transaction"].height == undisturbed.frames["api_transaction"].height
    disturbed.disturb(rule("missing_field", name="amount", match=LIST))
    reading = read(disturbed)
    assert reading.frames["api_transaction"].height == 0
    assert len(reading.rejected) == undisturbed.frames["api_transaction"].height
    assert {row.code for row in reading.rejected} == {"BAD_ITEM"}


def test_146_an_amount_that_is_shown_as_another_keeps_the_row_out(disturbed: DisturbedBank) -> None:
    disturbed.disturb(rule("amount_disagrees", match=LIST))
    reading = read(disturbed)
    assert reading.frames["api_transaction"].height == 0
    assert {row.code for row in reading.rejected} == {"AMOUNTS_DISAGREE"}


def test_147_pockets_are_stamped_with_the_time_of_their_reading_and_without_live_values(
    disturbed: DisturbedBank,
) -> None:
    before = disturbed.wall()
    pages = _pages(disturbed, listings.pockets())
    assert all(before <= page.fetched_at <= disturbed.wall() for page in pages)


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

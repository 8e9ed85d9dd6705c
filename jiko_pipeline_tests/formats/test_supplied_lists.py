"""Lists that a person supplies are read strictly: what is wrong is named with its line and column."""

from datetime import date
from decimal import Decimal
from importlib import resources

import pytest

from jiko_pipeline.formats.reading import Expectation, RefusedDocumentError
from jiko_pipeline.formats.supplied_lists import (
    CUSTOMER_LISTS,
    DEBIT_ALLOW_LIST,
    EXPECTED_PAYMENTS,
    TREASURY_AUCTIONS,
    TREASURY_LISTS,
    TREASURY_PRICES,
    kind_of_list,
    read_supplied_list,
)
from jiko_pipeline.tbill import auctions

HEADER = "id,pocket,direction,amount_lo,amount_hi,date_lo,date_hi,counterparty,reference,type\n"
GOOD = "INV-1,Operating,OUT,10.00,12.50,2024-06-10,2024-06-12,Northwind Utilities,INV 1,ach\n"
FEDINVEST = "912797GK7,MARKET BASED BILL,0.000%,08/08/2024,,99.1,99.0,99.123456\n"


def expected(*rows: str) -> bytes:
    return (HEADER + "".join(rows)).encode()


def test_an_expected_payment_is_read_into_types() -> None:
    reading = read_supplied_list(EXPECTED_PAYMENTS, expected(GOOD))
    (row,) = reading.frames["expected_payment"].iter_rows(named=True)
    assert (row["amount_low"], row["amount_high"]) == (Decimal("10.00"), Decimal("12.50"))
    assert (row["date_low"], row["date_high"]) == (date(2024, 6, 10), date(2024, 6, 12))
    assert (row["transaction_type"], row["reference"], row["document_locator"]) == ("ACH", "INV 1", "line 2")
    assert reading.rejected == ()


@pytest.mark.parametrize(
    ("good", "bad", "code", "column"),
    [
        ("INV-1", "", "MISSING", "id"),
        ("OUT", "AWAY", "UNKNOWN_WORD", "direction"),
        ("10.00", "-1.00", "NEGATIVE", "amount_lo"),
        ("12.50", "12.505", "EXCESS_DIGITS", "amount_hi"),
        ("12.50", "1e3", "BAD_NUMBER", "amount_hi"),
        ("12.50", "9.99", "BOUNDS", "amount_hi"),
        ("2024-06-10", "2024-06-31", "BAD_DATE", "date_lo"),
        ("2024-06-12", "2024-06-09", "BOUNDS", "date_hi"),
    ],
)
def test_a_wrong_value_is_kept_aside_with_its_line_and_column(good: str, bad: str, code: str, column: str) -> None:
    reading = read_supplied_list(
        EXPECTED_PAYMENTS, expected(GOOD.replace("INV-1", "INV-0"), GOOD.replace(good, bad, 1))
    )
    (row,) = reading.rejected
    assert (row.code, row.locator) == (code, "line 3")
    assert row.message.startswith(f"Line 3, column '{column}': ")
    assert (reading.frames["expected_payment"].height, reading.rows_in_document) == (1, 2)


def test_an_id_that_stands_twice_is_taken_once() -> None:
    reading = read_supplied_list(EXPECTED_PAYMENTS, expected(GOOD, GOOD))
    assert [row.code for row in reading.rejected] == ["REPEATED_KEY"]


def test_lists_are_told_apart_by_their_header() -> None:
    assert kind_of_list(expected(), CUSTOMER_LISTS) == EXPECTED_PAYMENTS
    assert kind_of_list(b"company_id,limit\nACME,5\n", CUSTOMER_LISTS) == DEBIT_ALLOW_LIST
    assert kind_of_list(FEDINVEST.encode(), TREASURY_LISTS) == TREASURY_PRICES
    with pytest.raises(RefusedDocumentError, match="company_id,limit"):
        kind_of_list(b"company,limit\nACME,5\n", CUSTOMER_LISTS)


def test_the_table_that_travels_with_the_package_is_a_list_of_auctions() -> None:
    body = resources.files("jiko_pipeline").joinpath("treasury_auctions.csv").read_bytes()
    assert kind_of_list(body, TREASURY_LISTS) == TREASURY_AUCTIONS
    frame = read_supplied_list(TREASURY_AUCTIONS, body).frames["security_reference"]
    assert frame.height == len(auctions())
    assert frame["auction_price"].to_list() == [auction.price_per_100 for auction in auctions()]


def test_an_export_of_treasurydirect_is_read_and_its_notes_are_passed_over() -> None:
    body = (
        "CUSIP,Security Type,Security Term,Auction Date,Issue Date,Maturity Date,Price per $100,Note\n"
        "912797GK7,Bill,13-Week,05/06/2024,05/09/2024,08/08/2024,98.672917,x\n"
        "912797HE0,Bill,52-Week,2023-10-31T00:00:00,2023-11-02T00:00:00,2024-10-31T00:00:00,,x\n"
        "91282CKP5,Note,2-Year,04/23/2024,04/30/2024,04/30/2026,99.9,x\n"
    )
    reading = read_supplied_list(TREASURY_AUCTIONS, body.encode())
    rows = reading.frames["security_reference"].select("cusip", "issue_date", "maturity_date", "auction_price").rows()
    assert rows == [
        ("912797GK7", date(2024, 5, 9), date(2024, 8, 8), Decimal("98.672917")),
        ("912797HE0", date(2023, 11, 2), date(2024, 10, 31), None),
    ]
    assert reading.rejected == ()
    assert {finding.code for finding in reading.findings} == {"OTHER_SECURITY", "UNKNOWN_COLUMN"}


def test_a_cusip_with_a_wrong_check_digit_is_kept_aside() -> None:
    body = FEDINVEST + FEDINVEST.replace("912797GK7", "912797GK8")
    reading = read_supplied_list(TREASURY_PRICES, body.encode(), Expectation(first=date(2024, 6, 10)))
    assert [(row.code, row.locator) for row in reading.rejected] == [("BAD_CUSIP", "line 2")]
    (row,) = reading.frames["treasury_price"].iter_rows(named=True)
    assert (row["price_date"], row["end_of_day"]) == (date(2024, 6, 10), Decimal("99.123456"))


def test_a_price_of_zero_is_none_and_a_price_file_needs_its_day() -> None:
    body = FEDINVEST.replace("99.123456", "0.000000").encode()
    reading = read_supplied_list(TREASURY_PRICES, body, Expectation(first=date(2024, 6, 10)))
    assert reading.frames["treasury_price"]["end_of_day"].to_list() == [None]
    with pytest.raises(RefusedDocumentError, match="day has to be given"):
        read_supplied_list(TREASURY_PRICES, body)

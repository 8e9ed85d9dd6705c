"""The API's JSON listings become exact rows; what is odd in a page is refused, kept aside or told."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiko_pipeline.formats import pages
from jiko_pipeline.formats.frames import FRAMES
from jiko_pipeline.formats.reading import Expectation, RefusedDocumentError

POCKET = "0a1b2c3d-0000-4000-8000-00000000000a"
CUSIP = "912796ZV4"


def money(cents: int, formatted: str = "") -> dict[str, Any]:
    return {"value": cents, "currency": "USD", "formatted": formatted}


def transaction(**changes: Any) -> dict[str, Any]:
    return {
        "id": "a-1",
        "transaction_id": "x-1",
        "pocket_id": POCKET,
        "type": "ACH",
        "status": "SETTLED",
        "direction": "DEBIT",
        "amount": money(123456, "$1,234.56"),
        "time_booked": "2024-06-03T16:09:35.775108Z",
        "time_settled": None,
        "title": "Payroll",
        "description": "June",
        **changes,
    }


def trade_v2(**changes: Any) -> dict[str, Any]:
    return {
        "id": "t-1",
        "activity": "BUY",
        "cusip": CUSIP,
        "description": "UST bill",
        "quantity": 10,
        "price": "99.512345",
        "notional": money(99512),
        "trade_datetime": "2024-06-03T14:00:00.000001Z",
        "book_date": "2024-06-03",
        "settled_date": None,
        "status": "BOOKED",
        "pocket_id": POCKET,
        "maturity_date": "2024-07-05",
        "yield_to_maturity": "0.052712345",
        "tradable_id": "77",
        **changes,
    }


def page(*items: Any, **more: Any) -> bytes:
    document = {"prev_page": None, "next_page": None, "items": list(items), "object_type": "CursorList", **more}
    return json.dumps(document).encode()


def rejected_codes(item: dict[str, Any]) -> list[str]:
    return [row.code for row in pages.read_transactions([page(item)]).rejected]


def test_transactions_are_signed_by_direction_and_exact() -> None:
    credit = transaction(id="a-2", direction="CREDIT", time_settled="2024-06-04T00:00:00+02:00")
    reading = pages.read_transactions([page(transaction()), page(credit)])
    frame = reading.frames["api_transaction"]
    assert frame.schema == FRAMES["api_transaction"].schema
    assert frame["signed_amount"].to_list() == [Decimal("-1234.56"), Decimal("1234.56")]
    assert frame["booked_at_utc"].to_list()[0] == datetime(2024, 6, 3, 16, 9, 35, 775108)  # noqa: DTZ001
    assert frame["settled_at_utc"].to_list() == [None, datetime(2024, 6, 3, 22, 0)]  # noqa: DTZ001
    assert frame["document_locator"].to_list() == ["page 1 item 1", "page 2 item 1"]
    assert reading.rows_in_document == 2
    assert reading.findings == ()


def test_other_fields_are_kept_as_sorted_json_without_nulls_and_links() -> None:
    item = transaction(
        trace_number="9", company_name="Acme", individual_id=None, rate=1.10, download_url="https://x/?s=1"
    )
    frame = pages.read_transactions([page(item)]).frames["api_transaction"]
    (details,) = frame["details"].to_list()
    assert details == '{"company_name": "Acme", "rate": "1.1", "trace_number": "9"}'


def test_a_listing_of_no_items_is_a_frame_of_no_rows() -> None:
    reading = pages.read_transactions([page()])
    assert reading.frames["api_transaction"].schema == FRAMES["api_transaction"].schema
    assert reading.rows_in_document == 0
    assert pages.read_transactions([]).rows_in_document == 0


def test_an_equal_item_on_two_pages_is_one_row() -> None:
    reading = pages.read_transactions([page(transaction()), page(transaction())])
    assert (reading.rows_in_document, reading.findings) == (1, ())


def test_of_an_item_that_changed_between_pages_the_later_stays_and_it_is_told() -> None:
    later = transaction(status="BOOKED")
    reading = pages.read_transactions([page(transaction()), page(later)])
    assert reading.frames["api_transaction"]["transaction_status"].to_list() == ["BOOKED"]
    assert [(f.code, f.locator) for f in reading.findings] == [("RESTATED_WHILE_READING", "page 2 item 1")]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": money(100, "$1.01")}, "AMOUNTS_DISAGREE"),
        ({"amount": money(-100), "direction": "CREDIT"}, "BAD_AMOUNT"),
        ({"amount": {"value": 1.5, "currency": "USD"}}, "BAD_ITEM"),
        ({"amount": {"value": "100", "currency": "USD"}}, "BAD_ITEM"),
        ({"amount": {"value": True, "currency": "USD"}}, "BAD_ITEM"),
        ({"amount": {"value": 100, "currency": "dollars"}}, "BAD_CURRENCY"),
        ({"amount": None}, "BAD_ITEM"),
        ({"amount": money(10**20)}, "BAD_AMOUNT"),
        ({"direction": "BOTH"}, "BAD_DIRECTION"),
        ({"time_booked": "2024-06-03"}, "BAD_TIME"),
        ({"time_booked": "2024-06-03T16:09:35"}, "BAD_TIME"),
        ({"time_booked": "2024-06-03T16:09:35.1234567Z"}, "BAD_TIME"),
        ({"time_booked": None}, "BAD_ITEM"),
        ({"id": ""}, "MISSING"),
        ({"id": 7}, "BAD_ITEM"),
        ({"pocket_id": None}, "BAD_ITEM"),
    ],
)
def test_an_item_that_can_be_no_row_is_kept_aside(changes: dict[str, Any], code: str) -> None:
    item = transaction(**changes)
    assert rejected_codes(item) == [code]
    reading = pages.read_transactions([page(item, transaction(id="a-2"))])
    assert reading.frames["api_transaction"]["activity_id"].to_list() == ["a-2"]
    assert reading.rows_in_document == 2


@pytest.mark.parametrize("formatted", ["$1,234.56", "1234.56", "-$1,234.56", "($1,234.56)", "", "twelve", "US$ 1.2k"])
def test_what_is_shown_is_compared_only_where_it_is_a_number(formatted: str) -> None:
    assert rejected_codes(transaction(amount=money(123456, formatted))) == []


def test_a_negative_debit_is_one_debit() -> None:
    frame = pages.read_transactions([page(transaction(amount=money(-123456)))]).frames["api_transaction"]
    assert frame["signed_amount"].to_list() == [Decimal("-1234.56")]


@pytest.mark.fault_rows(144)
def test_unknown_words_are_kept_and_told() -> None:
    reading = pages.read_transactions([page(transaction(type="SATELLITE"))])
    assert reading.frames["api_transaction"]["transaction_type"].to_list() == ["SATELLITE"]
    assert [finding.code for finding in reading.findings] == ["UNKNOWN_WORD"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "EMPTY_DOCUMENT"),
        (b"<html>Sign in</html>", "NOT_JSON"),
        (b'{"items": [', "NOT_JSON"),
        (b'{"items": [NaN]}', "NOT_JSON"),
        (b'{"items": [Infinity]}', "NOT_JSON"),
        (b'{"items": []} trailing', "NOT_JSON"),
        (b"\xff\xfe{}", "ENCODING_REFUSED"),
        (b'{"items": [], "items": []}', "REPEATED_KEY"),
        (b'{"items": [{"id": "1", "id": "2"}]}', "REPEATED_KEY"),
        (b"[]", "NOT_A_LISTING"),
        (b'"text"', "NOT_A_LISTING"),
        (b'{"detail": "not found"}', "NOT_A_LISTING"),
        (b'{"items": {}}', "NOT_A_LISTING"),
        (b'{"items": [1]}', "NOT_A_LISTING"),
        (rb'{"items": [{"id": "\ud800"}]}', "NOT_JSON"),
        (rb'{"items": [{"\uDFff": "1"}]}', "NOT_JSON"),
        (rb'{"items": [], "\ud800": 1, "\ud800": 2}', "REPEATED_KEY"),
        (b'{"items":' + b"[" * 200_000 + b"]" * 200_000 + b"}", "NOT_JSON"),
        (b'{"items": [' + b"9" * 10_000 + b"]}", "NOT_JSON"),
        (b" " * (9 * 1024 * 1024), "TOO_LARGE"),
    ],
)
def test_a_body_that_is_no_listing_is_refused_with_its_page(body: bytes, code: str) -> None:
    with pytest.raises(RefusedDocumentError) as refusal:
        pages.read_transactions([page(), body])
    assert refusal.value.code == code
    assert str(refusal.value).encode()
    assert refusal.value.locator.startswith("page 2")


def test_a_character_that_is_written_as_two_halves_is_read() -> None:
    frame = pages.read_transactions(
        [page(transaction(description="HALVES")).replace(b"HALVES", rb"\ud83d\ude00 \\ud800")]
    )
    assert "\N{GRINNING FACE} \\ud800" in frame.frames["api_transaction"].row(0)


def test_trades_of_both_versions_become_the_same_row() -> None:
    second = trade_v2()
    first = {key: value for key, value in second.items() if key not in ("status", "pocket_id")}
    first |= {"is_settled": False, "jiko_account_id": POCKET}
    one = pages.read_trades_v1([page(first)]).frames["api_trade"]
    two = pages.read_trades_v2([page(second)]).frames["api_trade"]
    assert one.equals(two)
    row = two.row(0, named=True)
    assert (row["price"], row["notional"], row["quantity"]) == (Decimal("99.512345"), Decimal("995.12"), 10)
    assert (row["trade_status"], row["settlement_date"]) == ("BOOKED", None)


def test_a_transfer_in_kind_needs_no_price() -> None:
    bare = {
        key: trade_v2()[key]
        for key in ("id", "activity", "trade_datetime", "book_date", "settled_date", "status", "pocket_id")
    }
    reading = pages.read_trades_v2([page({**bare, "activity": "TRANSFER_IN"})])
    assert reading.frames["api_trade"]["price"].to_list() == [None]
    assert [finding.code for finding in reading.findings] == ["UNKNOWN_WORD"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"price": "0"}, "BAD_PRICE"),
        ({"price": "100.5"}, "BAD_PRICE"),
        ({"price": "99.1234567"}, "EXCESS_DIGITS"),
        ({"price": "1e2"}, "BAD_NUMBER"),
        ({"price": " 99"}, "BAD_NUMBER"),
        ({"price": 99.5}, "BAD_ITEM"),
        ({"quantity": -1}, "NOT_POSITIVE"),
        ({"quantity": 1.0}, "BAD_ITEM"),
        ({"cusip": "912796ZV5"}, "BAD_CUSIP"),
        ({"book_date": "2024-6-3"}, "BAD_DATE"),
        ({"book_date": "2024-06-03T00:00:00Z"}, "BAD_DATE"),
        ({"yield_to_maturity": "0.1234567891"}, "EXCESS_DIGITS"),
        ({"notional": money(-5)}, "BAD_AMOUNT"),
    ],
)
def test_a_trade_that_can_be_no_row_is_kept_aside(changes: dict[str, Any], code: str) -> None:
    reading = pages.read_trades_v2([page(trade_v2(**changes))])
    assert [row.code for row in reading.rejected] == [code]
    assert reading.frames["api_trade"].is_empty()


@pytest.mark.fault_rows(147)
def test_pockets_are_read_without_their_valuation() -> None:
    item = {
        "id": POCKET,
        "pocket_name": "=Operating",
        "status": "OPEN",
        "deposit_strategy_id": "UST-4W",
        "reinvestment_strategy_id": None,
        "portfolio": {"securities": [], "cash": money(1)},
    }
    frame = pages.read_pockets([page(item)]).frames["pocket"]
    assert frame.rows() == [(POCKET, "=Operating", "OPEN", "UST-4W", None, "page 1 item 1")]


def test_the_link_of_a_monthly_statement_is_kept_nowhere() -> None:
    item = {
        "id": "m-1",
        "jiko_account_id": POCKET,
        "type": "BROKERAGE",
        "key": "2024-06",
        "pdf_download_url": "https://storage.example/a?signature=canary",
        "time_created": "2024-07-10T00:00:00Z",
    }
    reading = pages.read_monthly_statements([page(item, {**item, "id": "m-2", "key": "June"})])
    frame = reading.frames["monthly_statement"]
    assert frame.select("monthly_statement_id", "pocket_id", "statement_type", "period").rows() == [
        ("m-1", POCKET, "BROKERAGE", "2024-06")
    ]
    assert [row.code for row in reading.rejected] == ["BAD_PERIOD"]
    assert "canary" not in repr(reading) + frame.write_csv()


def test_rows_that_were_not_asked_for_refuse_the_listing() -> None:
    day = date(2024, 6, 3)
    body = page(transaction())
    assert pages.read_transactions([body], Expectation(frozenset({POCKET}), day, day)).rows_in_document == 1
    for expectation in (
        Expectation(frozenset({"another"}), day, day),
        Expectation(frozenset({POCKET}), date(2024, 6, 4), date(2024, 6, 5)),
    ):
        with pytest.raises(RefusedDocumentError) as refusal:
            pages.read_transactions([body], expectation)
        assert refusal.value.code == "ECHO_MISMATCH"


@given(
    st.lists(
        st.tuples(st.integers(0, 10**16), st.sampled_from(["CREDIT", "DEBIT"]), st.datetimes(datetime(2000, 1, 1))),  # noqa: DTZ001
        max_size=15,
    ),
    st.integers(1, 5),
)
@settings(max_examples=60, deadline=None)
def test_cents_directions_and_instants_survive_any_cut_into_pages(
    rows: list[tuple[int, str, datetime]], size: int
) -> None:
    items = [
        transaction(
            id=f"a-{number}",
            direction=direction,
            amount=money(cents, f"${cents // 100:,}.{cents % 100:02d}"),
            time_booked=f"{moment.isoformat(timespec='microseconds')}Z",
        )
        for number, (cents, direction, moment) in enumerate(rows)
    ]
    parts = [page(*items[start : start + size]) for start in range(0, len(items), size)]
    frame = pages.read_transactions(parts).frames["api_transaction"]
    signed = [cents * (1 if direction == "CREDIT" else -1) for cents, direction, _ in rows]
    assert [int(amount.scaleb(2)) for amount in frame["signed_amount"]] == signed
    assert frame["booked_at_utc"].to_list() == [moment for _, _, moment in rows]

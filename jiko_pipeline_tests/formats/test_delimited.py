"""CSV that Jiko writes is read exactly; CSV that is damaged is refused or kept aside, never bent."""

import random
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiko_pipeline.formats.delimited import contracts, readers
from jiko_pipeline.formats.delimited.contracts import Contract
from jiko_pipeline.formats.frames import FRAMES
from jiko_pipeline.formats.reading import Expectation, Reading, RefusedDocumentError

POCKET = "0a1b2c3d-0000-4000-8000-00000000000a"
CUSIP = "912796ZV4"

TRADE = {
    "Trade Reference": "t-1",
    "Pocket ID": POCKET,
    "Transaction Code": "TC",
    "Side": "BUY",
    "CUSIP": CUSIP,
    "Issuer": "US Treasury",
    "Issue Date": "2024-01-04",
    "Maturity Date": "2024-07-05",
    "Trade Date": "2024-06-03",
    "Settlement Date": "2024-06-03",
    "Book Date": "2024-06-03",
    "Quantity": "10",
    "Price": "99.512345",
    "Amount": "995.12",
    "Custodian": "BNY",
}
KYRIBA_TRADE = {
    "Type": "TR",
    "Provider": "JIKO",
    "Reference": "t-1",
    "Entity": POCKET,
    **{name: value for name, value in TRADE.items() if name not in ("Trade Reference", "Pocket ID")},
}
PRICE = {"Type": "SE", "Provider": "JIKO", "CUSIP": CUSIP, "Pricing Date": "2024-06-03", "Price": "99.512345"}
POSITION = {
    "As Of Date": "2024-06-03",
    "Pocket": POCKET,
    "CUSIP": CUSIP,
    "Quantity": "10",
    "Market Price": "99.512345",
    "Market Value": "995.12",
    "Historical Cost Value": "990.00",
}
CASH = {
    **dict.fromkeys(POSITION, ""),
    "As Of Date": "2024-06-03",
    "Pocket": POCKET,
    "CUSIP": "CASH",
    "Market Value": "12.34",
}
TRANSACTION = {
    "id": "a-1",
    "transaction_id": "x-1",
    "pocket_id": POCKET,
    "type": "ACH",
    "status": "SETTLED",
    "direction": "DEBIT",
    "amount": "1234.56",
    "currency": "USD",
    "time_booked": "2024-06-03T16:09:35.775108Z",
    "time_settled": "",
    "title": "Payroll",
    "description": 'with "quotes", and commas',
}
API_TRADE = {
    "id": "t-1",
    "account_id": POCKET,
    "activity": "MATURITY",
    "cusip": CUSIP,
    "description": "UST bill",
    "quantity": "10",
    "price": "100.000000",
    "notional": "1000.00",
    "currency": "USD",
    "trade_datetime": "2024-06-04T01:30:00Z",
    "book_date": "2024-06-03",
    "settled_date": "",
    "is_settled": "false",
    "maturity_date": "2024-06-03",
    "yield_to_maturity": "0.052712345",
    "tradable_id": "77",
}
REFERENCE = {
    "cusip": CUSIP,
    "security_term": "26-Week",
    "auction_date": "2024-01-02",
    "issue_date": "2024-01-04",
    "maturity_date": "2024-07-05",
    "price_per_100": "97.4",
}

Read = Callable[..., Reading]
KINDS: dict[str, tuple[Contract, Read, dict[str, str]]] = {
    "trade report": (contracts.TRADE_REPORT_CSV, readers.read_trade_report_csv, TRADE),
    "kyriba trade report": (contracts.TRADE_REPORT_KYRIBA_CSV, readers.read_trade_report_kyriba_csv, KYRIBA_TRADE),
    "prices": (contracts.SECURITY_PRICE_KYRIBA_CSV, readers.read_security_prices, PRICE),
    "positions": (contracts.POSITION_CSV, readers.read_positions, POSITION),
    "transactions": (contracts.TRANSACTIONS_CSV, readers.read_transactions_csv, TRANSACTION),
    "trades": (contracts.TRADES_CSV, readers.read_trades_csv, API_TRADE),
    "reference": (contracts.REFERENCE_CSV, readers.read_reference_list, REFERENCE),
}


def quoted(text: str, separator: str = ",") -> str:
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in (separator, '"', "\n", "\r")) else text


def csv_of(*rows: dict[str, str], separator: str = ",", header: list[str] | None = None) -> bytes:
    names = header or list(rows[0])
    lines = [separator.join(quoted(name, separator) for name in names)]
    lines += [separator.join(quoted(row[name], separator) for name in names) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def trades(*rows: dict[str, str]) -> Reading:
    return readers.read_trade_report_csv(csv_of(*rows))


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_of_each_kind_is_read_with_its_declared_schema(kind: str) -> None:
    contract, read, row = KINDS[kind]
    reading = read(csv_of(row, separator=contract.separator))
    assert (reading.rejected, reading.findings, reading.rows_in_document) == ((), (), 1)
    for name, frame in reading.frames.items():
        assert frame.schema == FRAMES[name].schema
    assert reading.frames[contract.frame.name].height == 1
    assert reading.frames[contract.frame.name]["document_locator"].to_list() == ["line 2"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.fault_rows(82)
def test_a_header_without_rows_is_a_document_of_no_rows(kind: str) -> None:
    contract, read, row = KINDS[kind]
    reading = read((contract.separator.join(row) + "\n").encode())
    assert reading.rows_in_document == 0
    assert all(frame.schema == FRAMES[name].schema and frame.is_empty() for name, frame in reading.frames.items())


def test_values_of_a_trade_are_exact() -> None:
    row = trades(TRADE).frames["trade_report"].row(0, named=True)
    assert (row["output_format"], row["quantity"], row["amount"]) == ("CSV", 10, Decimal("995.12"))
    assert (row["price"], row["trade_date"]) == (Decimal("99.512345"), date(2024, 6, 3))


def test_cash_is_told_from_bills_in_a_position_report() -> None:
    reading = readers.read_positions(csv_of(POSITION, CASH))
    assert reading.rows_in_document == 2
    assert reading.frames["position"]["cusip"].to_list() == [CUSIP]
    assert reading.frames["position_cash"].rows() == [(POCKET, date(2024, 6, 3), Decimal("12.34"), "line 3")]


def test_a_cash_row_with_a_quantity_is_kept_aside() -> None:
    reading = readers.read_positions(csv_of(POSITION, {**CASH, "Quantity": "3"}))
    assert [(row.code, row.locator) for row in reading.rejected] == [("NOT_EMPTY", "line 3")]
    assert reading.frames["position_cash"].is_empty()
    assert reading.rows_in_document == 2


def test_the_direction_signs_a_transaction() -> None:
    credit = {**TRANSACTION, "id": "a-2", "direction": "CREDIT"}
    frame = readers.read_transactions_csv(csv_of(TRANSACTION, credit)).frames["api_transaction"]
    assert frame["signed_amount"].to_list() == [Decimal("-1234.56"), Decimal("1234.56")]
    assert frame["booked_at_utc"].to_list()[0] == datetime(2024, 6, 3, 16, 9, 35, 775108)  # noqa: DTZ001
    assert frame["description"].to_list()[0] == 'with "quotes", and commas'


def test_an_unknown_column_of_transactions_is_kept_in_the_details() -> None:
    reading = readers.read_transactions_csv(csv_of({**TRANSACTION, "zone": "x", "area": ""}))
    assert reading.frames["api_transaction"]["details"].to_list() == ['{"zone": "x"}']
    assert [finding.code for finding in reading.findings] == ["UNKNOWN_COLUMN"]


def test_a_trade_that_is_not_settled_is_booked() -> None:
    settled = {**API_TRADE, "id": "t-2", "is_settled": "true", "settled_date": "2024-06-04"}
    frame = readers.read_trades_csv(csv_of(API_TRADE, settled)).frames["api_trade"]
    assert frame["trade_status"].to_list() == ["BOOKED", "SETTLED"]
    assert frame["yield_to_maturity"].to_list()[0] == Decimal("0.052712345")


@pytest.mark.fault_rows(88)
def test_columns_may_come_in_any_order() -> None:
    shuffled = list(reversed(TRADE))
    reading = readers.read_trade_report_csv(csv_of(TRADE, header=shuffled))
    assert reading.frames["trade_report"].equals(trades(TRADE).frames["trade_report"])


@pytest.mark.parametrize("at", [0, 5, len(TRADE)])
@pytest.mark.fault_rows(87)
def test_an_added_column_is_told_and_the_rest_read(at: int) -> None:
    names = list(TRADE)
    names.insert(at, "Trader")
    reading = readers.read_trade_report_csv(csv_of({**TRADE, "Trader": "Z"}, header=names))
    assert "'Trader'" in reading.findings[0].message
    assert reading.frames["trade_report"].height == 1


@pytest.mark.parametrize("column", list(TRADE))
@pytest.mark.fault_rows(86)
def test_a_renamed_column_refuses_the_document_and_both_names_are_said(column: str) -> None:
    header = [f"New {name}" if name == column else name for name in TRADE]
    body = csv_of({f"New {name}" if name == column else name: value for name, value in TRADE.items()}, header=header)
    with pytest.raises(RefusedDocumentError) as refusal:
        readers.read_trade_report_csv(body)
    assert refusal.value.code == "HEADER"
    assert f"'{column}'" in str(refusal.value)
    assert f"'New {column}'" in str(refusal.value)


BODY = csv_of(*({**TRADE, "Trade Reference": f"t-{number}"} for number in range(600)))
LINES = BODY.decode().splitlines(keepends=True)


def changed(line: int, text: str) -> bytes:
    return "".join([*LINES[: line - 1], text, *LINES[line:]]).encode()


@pytest.mark.parametrize(
    ("body", "code", "where"),
    [
        (b"", "EMPTY_DOCUMENT", ""),
        (BODY.replace(b"Side,", b"CUSIP,", 1), "HEADER", "line 1"),
        (changed(500, LINES[499].rstrip("\n") + ",extra\n"), "FIELD_COUNT", "line 500"),
        (changed(500, "t-499,short\n"), "FIELD_COUNT", "line 500"),
        (changed(500, "\n"), "FIELD_COUNT", "line 500"),
        (changed(500, '"never closed\n'), "MALFORMED_LINE", "line 500"),
        (changed(500, LINES[499].replace("BUY", '"BUY"x')), "MALFORMED_LINE", "line 500"),
        (BODY[:-1], "CUT_OFF", "line 601"),
        (BODY[:-20], "CUT_OFF", "line 601"),
        (changed(300, LINES[299].replace("BNY", "B\x00Y")), "NUL_BYTE", "line 300"),
        (BODY.replace(b"t-7,", b"t-\xe9,", 1), "ENCODING_REFUSED", "line 9"),
        (changed(300, LINES[299].replace("BNY", "B\rY")), "LINE_END", "line 300"),
        (BODY.decode().encode("utf-16"), "NOT_CSV", "line 1"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>\n", "NOT_CSV", "line 1"),
        (b"<html>\n", "NOT_CSV", "line 1"),
        (b'{"detail": "x"}\n', "NOT_CSV", "line 1"),
        (b"[]\n", "NOT_CSV", "line 1"),
        (b"%PDF-1.7\n", "NOT_CSV", "line 1"),
        (b'<?xml version="1.0"?><Document/>\n', "NOT_CSV", "line 1"),
        (b"PK\x03\x04aaaa\n", "NOT_CSV", "line 1"),
        (b"Service unavailable\n", "HEADER", "line 1"),
        (BODY.replace(b",", b";"), "HEADER", "line 1"),
    ],
)
@pytest.mark.fault_rows(82, 84, 85, 89)
def test_a_damaged_document_is_refused_with_its_line(body: bytes, code: str, where: str) -> None:
    with pytest.raises(RefusedDocumentError) as refusal:
        readers.read_trade_report_csv(body)
    assert (refusal.value.code, refusal.value.locator) == (code, where)


def test_what_the_body_is_instead_is_said() -> None:
    with pytest.raises(RefusedDocumentError, match="an HTML page"):
        readers.read_positions(b"<!doctype html><p>maintenance</p>")


@pytest.mark.fault_rows(85)
def test_marks_and_line_ends_of_other_systems_are_no_matter() -> None:
    plain = readers.read_trade_report_csv(BODY).frames["trade_report"]
    windows = BODY.replace(b"\n", b"\r\n")
    mixed = b"\xef\xbb\xbf" + b"".join(
        line + (b"\r\n" if number % 2 else b"\n") for number, line in enumerate(BODY.splitlines())
    )
    for body in (windows, mixed, b"\xef\xbb\xbf" + BODY):
        assert readers.read_trade_report_csv(body).frames["trade_report"].equals(plain)


@pytest.mark.fault_rows(79)
def test_a_cut_that_is_not_at_the_end_of_a_line_is_always_refused() -> None:
    generator = random.Random(79)
    for offset in generator.sample(range(len(BODY)), 300):
        if BODY[offset - 1 : offset] == b"\n":
            assert readers.read_trade_report_csv(BODY[:offset]).rows_in_document == BODY[:offset].count(b"\n") - 1
        else:
            with pytest.raises(RefusedDocumentError):
                readers.read_trade_report_csv(BODY[:offset])


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("Amount", "1,234.50", "BAD_NUMBER"),
        ("Amount", "1e5", "BAD_NUMBER"),
        ("Amount", "NaN", "BAD_NUMBER"),
        ("Amount", "Infinity", "BAD_NUMBER"),
        ("Amount", "(5.00)", "BAD_NUMBER"),
        ("Amount", "١٢٣", "BAD_NUMBER"),
        ("Amount", "1_000", "BAD_NUMBER"),
        ("Amount", " 5.00", "BAD_NUMBER"),
        ("Amount", "", "MISSING"),
        ("Amount", "5.001", "EXCESS_DIGITS"),
        ("Amount", "-5.00", "NEGATIVE"),
        ("Amount", "9999999999999999.00", "BAD_NUMBER"),
        ("Price", "99.1234567", "EXCESS_DIGITS"),
        ("Price", "9999999.1", "EXCESS_DIGITS"),
        ("Price", "0", "BAD_PRICE"),
        ("Price", "100.000001", "BAD_PRICE"),
        ("Quantity", "-1", "NOT_POSITIVE"),
        ("Quantity", "0", "NOT_POSITIVE"),
        ("Quantity", "1.5", "BAD_INTEGER"),
        ("Quantity", "1e3", "BAD_INTEGER"),
        ("Quantity", "", "MISSING"),
        ("CUSIP", "912796ZV5", "BAD_CUSIP"),
        ("CUSIP", "912796zv4", "BAD_CUSIP"),
        ("CUSIP", "", "MISSING"),
        ("Trade Date", "2024-02-30", "BAD_DATE"),
        ("Trade Date", "03/06/2024", "BAD_DATE"),
        ("Trade Date", "20240603", "BAD_DATE"),
        ("Trade Date", "2024-06-03T00:00:00", "BAD_DATE"),
        ("Trade Reference", "", "MISSING"),
        ("Pocket ID", "", "MISSING"),
    ],
)
@pytest.mark.fault_rows(90, 91)
def test_a_row_with_a_wrong_value_is_kept_aside_with_line_and_column(column: str, value: str, code: str) -> None:
    good = {**TRADE, "Trade Reference": "t-2"}
    reading = trades(good, {**TRADE, column: value}, {**TRADE, "Trade Reference": "t-3"})
    (rejected,) = reading.rejected
    assert (rejected.code, rejected.locator) == (code, "line 3")
    assert "Line 3" in rejected.message
    assert f"'{column}'" in rejected.message
    assert reading.frames["trade_report"]["trade_reference"].to_list() == ["t-2", "t-3"]
    assert reading.rows_in_document == 3


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("direction", "BOTH", "BAD_DIRECTION"),
        ("currency", "usd", "BAD_CURRENCY"),
        ("time_booked", "2024-06-03 16:00", "BAD_TIME"),
        ("time_booked", "2024-06-03T16:00:00", "BAD_TIME"),
        ("time_booked", "2024-06-03T16:00:00.1234567Z", "BAD_TIME"),
        ("time_booked", "2024-06-31T16:00:00Z", "BAD_TIME"),
        ("time_booked", "", "MISSING"),
        ("amount", "-1.00", "NEGATIVE"),
    ],
)
def test_a_transaction_with_a_wrong_value_is_kept_aside(column: str, value: str, code: str) -> None:
    reading = readers.read_transactions_csv(csv_of({**TRANSACTION, column: value}))
    assert [row.code for row in reading.rejected] == [code]


def test_a_row_of_another_kind_of_record_is_kept_aside() -> None:
    body = csv_of(KYRIBA_TRADE, {**KYRIBA_TRADE, "Type": "XX", "Reference": "t-2"}, separator=";")
    reading = readers.read_trade_report_kyriba_csv(body)
    assert [row.code for row in reading.rejected] == ["UNEXPECTED_VALUE"]


def test_a_reference_that_comes_twice_is_kept_once() -> None:
    reading = trades(TRADE, {**TRADE, "Quantity": "11"})
    assert reading.frames["trade_report"]["quantity"].to_list() == [10]
    assert [(row.code, row.locator) for row in reading.rejected] == [("REPEATED_KEY", "line 3")]
    assert reading.rows_in_document == 2


def test_an_unknown_word_is_kept_and_told() -> None:
    reading = trades({**TRADE, "Side": "SHORT"})
    assert reading.frames["trade_report"]["side"].to_list() == ["SHORT"]
    assert [finding.code for finding in reading.findings] == ["UNKNOWN_WORD"]


@pytest.mark.parametrize("text", ['=HYPERLINK("http://127.0.0.1")', "<script>", "\u202eoops", "a\nb", "x" * 10_000])
def test_text_of_a_field_is_kept_as_text(text: str) -> None:
    reading = trades({**TRADE, "Custodian": text})
    assert reading.frames["trade_report"]["custodian"].to_list() == [text]


def asked(first: date, last: date, pocket: str = POCKET, **extra: str) -> Expectation:
    return Expectation(frozenset({pocket}), first, last, extra)


JUNE = (date(2024, 6, 1), date(2024, 6, 30))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "reference"])
def test_rows_of_the_days_and_pockets_asked_for_are_taken_and_others_refused(kind: str) -> None:
    contract, read, row = KINDS[kind]
    body = csv_of(row, separator=contract.separator)
    assert read(body, asked(*JUNE)).rows_in_document == 1
    with pytest.raises(RefusedDocumentError) as refusal:
        read(body, asked(date(2024, 6, 4), date(2024, 6, 30)))
    assert refusal.value.code == "ECHO_MISMATCH"
    if contract.pocket:
        with pytest.raises(RefusedDocumentError) as refusal:
            read(body, asked(*JUNE, pocket="another"))
        assert refusal.value.code == "ECHO_MISMATCH"


def test_a_trade_counts_for_the_kind_of_date_asked_for() -> None:
    body = csv_of({**TRADE, "Settlement Date": "2024-07-01"})
    assert readers.read_trade_report_csv(body, asked(*JUNE)).rows_in_document == 1
    with pytest.raises(RefusedDocumentError):
        readers.read_trade_report_csv(body, asked(*JUNE, date_type="SETTLEMENT_DATE"))


def test_an_instant_counts_for_its_day_in_new_york() -> None:
    day = date(2024, 6, 3)
    body = csv_of({**API_TRADE, "trade_datetime": "2024-06-04T03:59:59.999999Z"})
    assert readers.read_trades_csv(body, asked(day, day)).rows_in_document == 1
    with pytest.raises(RefusedDocumentError):
        readers.read_trades_csv(csv_of({**API_TRADE, "trade_datetime": "2024-06-04T04:00:00Z"}), asked(day, day))


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 10**15 - 1),
            st.decimals(min_value=Decimal("0.000001"), max_value=100, places=6),
            st.decimals(min_value=0, max_value=10**14, places=2),
            st.dates(),
            texts,
        ),
        max_size=12,
    )
)
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back_exactly(rows: list[tuple[int, Decimal, Decimal, date, str]]) -> None:
    written = [
        {
            **TRADE,
            "Trade Reference": f"t-{number}",
            "Quantity": str(quantity),
            "Price": f"{price:f}",
            "Amount": f"{amount:f}",
            "Trade Date": day.isoformat(),
            "Custodian": custodian,
        }
        for number, (quantity, price, amount, day, custodian) in enumerate(rows)
    ]
    reading = readers.read_trade_report_csv(csv_of(*written, header=list(TRADE)))
    assert reading.rejected == ()
    frame = reading.frames["trade_report"]
    read = list(frame.select("quantity", "price", "amount", "trade_date", "custodian").iter_rows())
    assert read == [(quantity, price, amount, day, text or None) for quantity, price, amount, day, text in rows]


@given(st.binary(max_size=60), st.integers(0, len(BODY)), st.integers(0, 40))
@settings(max_examples=80, deadline=None)
def test_only_a_refusal_escapes_and_no_row_is_lost(noise: bytes, at: int, cut: int) -> None:
    try:
        reading = readers.read_trade_report_csv(BODY[:at] + noise + BODY[at + cut :])
    except RefusedDocumentError as refusal:
        assert refusal.code
    else:
        assert reading.rows_in_document == reading.frames["trade_report"].height + len(reading.rejected)

"""Reports whose columns are gone or hold something else: kept out, with the difference in words."""

import pytest

from jiko_pipeline.formats.delimited import readers
from jiko_pipeline.formats.media_types import media_type_finding
from jiko_pipeline.formats.reading import RefusedDocumentError
from jiko_pipeline_tests.formats.test_delimited import KINDS, TRADE, csv_of


@pytest.mark.fault_rows(86)
@pytest.mark.parametrize("kind", KINDS)
def test_a_report_without_one_of_its_columns_is_refused_and_the_column_is_named(kind: str) -> None:
    contract, reader, row = KINDS[kind]
    for column in row:
        body = csv_of({name: value for name, value in row.items() if name != column}, separator=contract.separator)
        with pytest.raises(RefusedDocumentError) as refusal:
            reader(body)
        assert refusal.value.code == "HEADER"
        assert f"lacks '{column}'" in str(refusal.value)


@pytest.mark.fault_rows(86)
@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("Quantity", "10.0", "BAD_INTEGER"),
        ("Price", "99 12/32", "BAD_NUMBER"),
        ("Trade Date", "03.06.2024", "BAD_DATE"),
        ("CUSIP", "US912796ZV49", "BAD_CUSIP"),
    ],
)
def test_a_column_that_holds_another_type_keeps_every_row_out_and_is_named(column: str, value: str, code: str) -> None:
    rows = [{**TRADE, "Trade Reference": f"t-{number}", column: value} for number in range(3)]
    reading = readers.read_trade_report_csv(csv_of(*rows))
    assert reading.frames["trade_report"].is_empty()
    assert [row.code for row in reading.rejected] == [code] * 3
    assert all(f"'{column}'" in row.message for row in reading.rejected)


@pytest.mark.fault_rows(83)
@pytest.mark.parametrize(
    ("media_type", "body", "message"),
    [
        ("text/html; charset=utf-8", b"a,b\n", "sent as HTML and is CSV"),
        ("application/pdf", b"<Document/>", "sent as PDF and is XML"),
        ("TEXT/CSV", b'{"items": []}', "sent as CSV and is JSON"),
        ("text/csv", b"a,b\n", None),
        ("application/xml", b"<Document/>", None),
        ("application/problem+json", b"{}", None),
        ("application/octet-stream", b"a,b\n", None),
        ("text/plain", b"<Document/>", None),
        ("", b"a,b\n", None),
    ],
)
def test_a_media_type_is_worth_a_word_only_where_it_names_another_form(
    media_type: str, body: bytes, message: str | None
) -> None:
    finding = media_type_finding(media_type, body)
    assert (finding is None) is (message is None)
    assert finding is None or (finding.code == "MEDIA_TYPE" and str(message) in finding.message)

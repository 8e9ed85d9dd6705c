"""The CSV files of the simulated bank have the layout that docs/simulated-jiko.md writes down."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline_tests.bank.simulator_rig import ServedBank, served

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "simulated-jiko.md"
RANGE = {"date_from": "2024-06-03", "date_to": "2024-06-28"}
NAMES = (
    "TRADE_REPORT CSV",
    "TRADE_REPORT KYRIBA_CSV",
    "SECURITY_PRICE_REPORT KYRIBA_CSV",
    "POSITION_SUMMARY_REPORT CSV",
    "/api/v2/transactions.csv",
    "/api/v1/trades.csv",
    "reference.csv",
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Each kind of file as served, by the name that the document gives it."""
    options = ServeOptions(tmp_path_factory.mktemp("bank"), now=datetime(2025, 1, 15, 20, 0, tzinfo=UTC))
    with served(options) as bank:
        pocket = bank.get("/api/v2/pockets/", limit=1)["items"][0]["id"]
        plain, kyriba = bank.delivered("TRADE_REPORT", "CSV", "KYRIBA_CSV", **RANGE)
        (prices,) = bank.delivered("SECURITY_PRICE_REPORT", "KYRIBA_CSV", **RANGE)
        (positions,) = bank.delivered("POSITION_SUMMARY_REPORT", "CSV", pocket_ids=[pocket], date="2024-06-12")
        bodies = (
            plain,
            kyriba,
            prices,
            positions,
            _get(bank, "/api/v2/transactions.csv?time_booked_to=2024-07-01T00:00:00Z"),
            _get(bank, "/api/v1/trades.csv?trade_datetime_to=2024-07-01T00:00:00Z"),
            _get(bank, "/__simulator__/reference.csv"),
        )
        yield {name: body.decode() for name, body in zip(NAMES, bodies, strict=True)}


def _get(bank: ServedBank, path: str) -> bytes:
    answer = bank.http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.content


def _documented() -> dict[str, tuple[str, list[str]]]:
    rows = re.findall(r"^\| ([^|]+) \| `(.)` \| ([^|]+) \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: (separator, re.sub(r" \(.*\)$", "", header).split(", ")) for name, separator, header in rows}


@pytest.mark.parametrize("name", NAMES)
def test_the_header_is_the_documented_one_and_each_row_fits_it(files: dict[str, str], name: str) -> None:
    separator, header = _documented()[name]
    body = files[name]
    rows = list(csv.reader(io.StringIO(body), delimiter=separator, strict=True))
    assert body.startswith(separator.join(header) + "\n")
    assert body.endswith("\n")
    assert "\r" not in body
    assert rows[0] == header
    assert len(rows) > 4
    assert {len(row) for row in rows} == {len(header)}


def _column(files: dict[str, str], name: str, column: str) -> list[str]:
    separator, _ = _documented()[name]
    return [row[column] for row in csv.DictReader(io.StringIO(files[name]), delimiter=separator)]


@pytest.mark.parametrize(
    ("name", "column", "pattern"),
    [
        ("TRADE_REPORT CSV", "Price", r"\d+\.\d{6}"),
        ("TRADE_REPORT CSV", "Amount", r"\d+\.\d{2}"),
        ("TRADE_REPORT CSV", "Side", "BUY|SELL"),
        ("TRADE_REPORT CSV", "Trade Date", r"\d{4}-\d{2}-\d{2}"),
        ("TRADE_REPORT KYRIBA_CSV", "Type", "TR"),
        ("TRADE_REPORT KYRIBA_CSV", "Provider", "JIKO"),
        ("SECURITY_PRICE_REPORT KYRIBA_CSV", "Type", "SE"),
        ("SECURITY_PRICE_REPORT KYRIBA_CSV", "Price", r"\d+\.\d{6}"),
        ("POSITION_SUMMARY_REPORT CSV", "Market Value", r"\d+\.\d{2}"),
        ("/api/v2/transactions.csv", "amount", r"\d+\.\d{2}"),
        ("/api/v2/transactions.csv", "time_booked", r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z"),
        ("/api/v1/trades.csv", "trade_datetime", r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z"),
        ("/api/v1/trades.csv", "is_settled", "true|false"),
        ("/api/v1/trades.csv", "activity", "BUY|SELL|MATURITY"),
        ("reference.csv", "price_per_100", r"\d+\.\d{6}"),
    ],
)
def test_values_are_spelled_as_documented(files: dict[str, str], name: str, column: str, pattern: str) -> None:
    values = _column(files, name, column)
    assert values
    assert [value for value in values if not re.fullmatch(pattern, value)] == []


def test_the_amount_of_a_trade_is_quantity_times_price_in_cents(files: dict[str, str]) -> None:
    name = "TRADE_REPORT CSV"
    for quantity, price, amount in zip(
        _column(files, name, "Quantity"), _column(files, name, "Price"), _column(files, name, "Amount"), strict=True
    ):
        assert abs(int(quantity) * Decimal(price) - Decimal(amount)) <= Decimal("0.005")


def test_both_forms_of_the_trade_report_hold_the_same_trades(files: dict[str, str]) -> None:
    plain = _column(files, "TRADE_REPORT CSV", "Trade Reference")
    assert plain == _column(files, "TRADE_REPORT KYRIBA_CSV", "Reference")
    assert set(plain) <= set(_column(files, "/api/v1/trades.csv", "id"))


def test_a_position_summary_ends_with_the_cash(files: dict[str, str]) -> None:
    last = files["POSITION_SUMMARY_REPORT CSV"].splitlines()[-1].split(",")
    assert last[2:5] == ["CASH", "", ""]
    assert last[6] == ""
    assert Decimal(last[5]) >= 0

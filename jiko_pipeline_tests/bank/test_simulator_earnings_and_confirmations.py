"""Earnings, trade confirmations, position summaries as PDF and tax documents of the simulated bank."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline_tests.bank.money_rig import POCKETS, UNKNOWN, move_clock, open_pockets, statement
from jiko_pipeline_tests.bank.simulator_rig import Json, ServedBank, served

EVENING = datetime(2024, 7, 18, 2, 0, tzinfo=UTC)
"""Wednesday the 17th, ten o'clock at night in New York."""


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedBank]:
    with served(ServeOptions(tmp_path_factory.mktemp("bank"), now=EVENING)) as running:
        yield running


def _earned(bank: ServedBank, pocket_id: str, **query: str) -> Json:
    return bank.get(f"{POCKETS}{pocket_id}/earnings/", **query)


def _lines(pdf: bytes) -> list[str]:
    texts = re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", pdf)
    return [re.sub(rb"\\(.)", rb"\1", text).decode("latin-1") for text in texts]


def _fields(pdf: bytes) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in _lines(pdf) if ": " in line)


def test_earnings_of_a_range_are_the_gain_lines_of_its_statements_both_ends_included(bank: ServedBank) -> None:
    pocket_id = open_pockets(bank)[0]["id"]
    days = ["2024-07-11", "2024-07-12", "2024-07-15", "2024-07-16"]
    gains = [statement(bank, "BROKERAGE", pocket_id, day).cents("GAIN_LOSS") for day in days]
    earned = _earned(bank, pocket_id, period="range", date_from=days[0], date_to=days[-1])
    assert earned["earnings"]["value"] == sum(gains) != 0
    assert (earned["date_from"], earned["date_to"]) == (days[0], days[-1])
    inner = _earned(bank, pocket_id, period="range", date_from=days[1], date_to=days[-2])
    assert inner["earnings"]["value"] == sum(gains[1:-1])


def test_the_named_periods_end_today_and_begin_where_they_say(bank: ServedBank) -> None:
    pocket_id = open_pockets(bank)[0]["id"]
    for period, first in (("ytd", "2024-01-01"), ("mtd", "2024-07-01"), ("wtd", "2024-07-15")):
        named = _earned(bank, pocket_id, period=period)
        assert (named["date_from"], named["date_to"]) == (first, "2024-07-17")
        assert named == _earned(bank, pocket_id, period="range", date_from=first, date_to="2024-07-17")


def test_all_time_is_the_default_and_what_the_portfolio_shows(bank: ServedBank) -> None:
    pocket = open_pockets(bank)[0]
    earned = _earned(bank, pocket["id"])
    assert earned["date_from"] is None
    assert earned == _earned(bank, pocket["id"], period="all-time")
    assert earned["earnings"] == pocket["portfolio"]["all_time_earnings"]
    since_ever = _earned(bank, pocket["id"], period="range", date_from="2000-01-01", date_to="2024-07-17")
    assert earned["earnings"] == since_ever["earnings"]


def test_a_day_counts_once_its_figures_are_final(tmp_path_factory: pytest.TempPathFactory) -> None:
    with served(ServeOptions(tmp_path_factory.mktemp("bank"), now=datetime(2024, 7, 17, 20, 0, tzinfo=UTC))) as bank:
        pocket_id = open_pockets(bank)[0]["id"]
        before = _earned(bank, pocket_id)["earnings"]["value"]
        move_clock(bank, "2024-07-18T02:00:00Z")
        gain = statement(bank, "BROKERAGE", pocket_id, "2024-07-17").cents("GAIN_LOSS")
        assert _earned(bank, pocket_id)["earnings"]["value"] == before + gain
        assert gain != 0


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"period": "range", "date_from": "2024-07-01"}, "date_to"),
        ({"period": "range", "date_to": "2024-07-01"}, "date_from"),
        ({"period": "range", "date_from": "2024-07-02", "date_to": "2024-07-01"}, "date_to"),
        ({"period": "mtd", "date_from": "2024-07-01"}, "date_from"),
        ({"period": "decade"}, "period"),
    ],
)
def test_a_period_that_makes_no_sense_is_refused(bank: ServedBank, query: dict[str, str], place: str) -> None:
    answer = bank.http.get(f"{POCKETS}{open_pockets(bank)[0]['id']}/earnings/", params=query)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", place]


def test_earnings_of_an_unknown_pocket_are_not_found(bank: ServedBank) -> None:
    assert bank.http.get(f"{POCKETS}{UNKNOWN}/earnings/").status_code == 404


def _confirmation(bank: ServedBank, account_id: str, trade_id: str) -> str:
    return f"/api/v1/accounts/{account_id}/trades/{trade_id}/confirmation/"


def test_a_confirmation_states_the_fields_of_its_trade(bank: ServedBank) -> None:
    trades = {trade["activity"]: trade for trade in bank.walk("/api/v1/trades/", limit=100)}
    for activity in ("BUY", "SELL"):
        trade = trades[activity]
        answer = bank.http.get(_confirmation(bank, trade["jiko_account_id"], trade["id"]))
        assert answer.status_code == 307
        file = bank.plain.get(answer.headers["Location"])
        assert (file.status_code, file.headers["Content-Type"]) == (200, "application/pdf")
        fields = _fields(file.content)
        assert fields["Amount"] == f"{trade['notional']['value'] // 100}.{trade['notional']['value'] % 100:02d}"
        stated = {
            "Trade ID": trade["id"],
            "Account ID": trade["jiko_account_id"],
            "Activity": activity,
            "CUSIP": trade["cusip"],
            "Description": trade["description"],
            "Tradable ID": trade["tradable_id"],
            "Quantity": str(trade["quantity"]),
            "Price": trade["price"],
            "Currency": "USD",
            "Trade Datetime": trade["trade_datetime"],
            "Settlement Date": trade["settled_date"],
            "Book Date": trade["book_date"],
            "Maturity Date": trade["maturity_date"],
            "Yield To Maturity": trade["yield_to_maturity"],
        }
        assert {name: fields[name] for name in stated} == stated


def test_maturities_other_accounts_and_unknown_trades_have_no_confirmation(bank: ServedBank) -> None:
    trades = bank.walk("/api/v1/trades/", limit=100)
    matured = next(trade for trade in trades if trade["activity"] == "MATURITY")
    bought = next(trade for trade in trades if trade["activity"] == "BUY")
    other = next(trade for trade in trades if trade["jiko_account_id"] != bought["jiko_account_id"])
    for account_id, trade_id in (
        (matured["jiko_account_id"], matured["id"]),
        (other["jiko_account_id"], bought["id"]),
        (bought["jiko_account_id"], UNKNOWN),
    ):
        assert bank.http.get(_confirmation(bank, account_id, trade_id)).status_code == 404


def test_the_link_of_a_confirmation_lives_ten_minutes(tmp_path_factory: pytest.TempPathFactory) -> None:
    with served(ServeOptions(tmp_path_factory.mktemp("bank"), now=EVENING)) as bank:
        trade = next(one for one in bank.walk("/api/v1/trades/", limit=100) if one["activity"] == "BUY")
        path = _confirmation(bank, trade["jiko_account_id"], trade["id"])
        link = bank.http.get(path).headers["Location"]
        first = bank.plain.get(link)
        bank.move_clock(seconds=590)
        assert bank.plain.get(link).content == first.content
        bank.move_clock(seconds=11)
        assert bank.plain.get(link).status_code == 403


def test_a_position_summary_is_also_a_pdf_of_the_same_figures(bank: ServedBank) -> None:
    pocket = open_pockets(bank)[0]
    file, csv = sorted(
        bank.delivered("POSITION_SUMMARY_REPORT", "CSV", "PDF", pocket_ids=[pocket["id"]], date="2024-07-16"),
        key=lambda body: not body.startswith(b"%PDF"),
    )
    fields = _fields(file)
    assert (fields["As Of Date"], fields["Pocket"]) == ("2024-07-16", pocket["id"])
    rows = [line.split(",") for line in csv.decode().splitlines()[1:]]
    for _, _, cusip, quantity, price, value, cost in rows[:-1]:
        assert fields[cusip] == f"quantity {quantity}, price {price}, value {value}, cost {cost}"
    assert fields["Cash"] == rows[-1][5]


def test_tax_documents_of_a_year_are_listed_from_mid_february_with_links_that_expire(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with served(ServeOptions(tmp_path_factory.mktemp("bank"), now=datetime(2025, 2, 13, 17, tzinfo=UTC))) as bank:
        listing = "/api/v1/statements/"
        assert bank.walk(listing, type__=["1099INT", "1099B"]) == []
        assert {one["type"] for one in bank.walk(listing)} == {"BANK", "BROKERAGE"}
        move_clock(bank, "2025-02-15T17:00:00Z")
        found = bank.walk(listing, type__=["1099INT", "1099B"])
        pockets = {pocket["id"] for pocket in bank.walk(POCKETS)}
        assert {(one["jiko_account_id"], one["type"]) for one in found} == {
            (pocket, kind) for pocket in pockets for kind in ("1099INT", "1099B")
        }
        assert {one["key"] for one in found} == {"2024"}
        assert found[0] in [{**one, "pdf_download_url": found[0]["pdf_download_url"]} for one in bank.walk(listing)]
        link = found[0]["pdf_download_url"]
        assert f"{found[0]['type']} tax document 2024" in _lines(bank.plain.get(link).content)
        bank.move_clock(seconds=601)
        assert bank.plain.get(link).status_code == 403

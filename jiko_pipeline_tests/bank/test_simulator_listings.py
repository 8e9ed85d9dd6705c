"""The listings of the simulated bank over HTTP: pages, filters, shapes."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline_tests.bank.simulator_rig import Json, ServedBank, served

NOW = datetime(2024, 7, 17, 20, 30, tzinfo=UTC)
JUNE = {"time_booked_from": "2024-06-03T04:00:00Z", "time_booked_to": "2024-06-28T03:59:59.999999Z"}


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedBank]:
    with served(ServeOptions(tmp_path_factory.mktemp("bank"), now=NOW)) as running:
        yield running


@pytest.fixture(scope="module")
def transactions(bank: ServedBank) -> list[Json]:
    return bank.walk("/api/v2/transactions/", limit=100)


def _csv(bank: ServedBank, path: str, **query: Any) -> list[dict[str, str]]:
    answer = bank.http.get(path, params={name.replace("__", "[]"): value for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text)))


def _refusal(bank: ServedBank, path: str, **query: Any) -> Json:
    answer = bank.http.get(path, params={name.replace("__", "[]"): value for name, value in query.items()})
    assert answer.status_code == 422, answer.text
    detail: Json = answer.json()["detail"][0]
    return detail


@pytest.mark.parametrize(
    ("path", "export"),
    [
        ("/api/v2/transactions/", "/api/v2/transactions.csv"),
        ("/api/v1/trades/", "/api/v1/trades.csv"),
        ("/api/v2/trades/", "/api/v1/trades.csv"),
    ],
)
def test_walking_the_pages_gives_every_row_of_the_export_once(bank: ServedBank, path: str, export: str) -> None:
    walked = [item["id"] for item in bank.walk(path, limit=37)]
    exported = [row["id"] for row in _csv(bank, export)]
    assert walked == exported[::-1]
    assert len(set(walked)) == len(walked) > 74


@given(limit=st.integers(1, 100), order=st.sampled_from(["asc", "desc"]))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_of_any_size_make_up_the_same_list(
    bank: ServedBank, transactions: list[Json], limit: int, order: str
) -> None:
    inside = [item["id"] for item in transactions if "2024-06-03T04" <= item["time_booked"] < "2024-06-12T04"]
    walked = bank.walk(
        "/api/v2/transactions/",
        limit=limit,
        order=order,
        time_booked_from="2024-06-03T04:00:00Z",
        time_booked_to="2024-06-12T03:59:59.999999Z",
    )
    assert [item["id"] for item in walked] == (inside if order == "desc" else inside[::-1])


def test_the_way_back_shows_the_same_pages(bank: ServedBank) -> None:
    path, query = "/api/v2/transactions/", {"limit": 20, **JUNE}
    pages = [bank.get(path, **query)]
    while pages[-1]["next_page"] is not None:
        pages.append(bank.get(path, cursor=pages[-1]["next_page"], **query))
    assert pages[0]["prev_page"] is None
    assert len(pages) > 2
    page = pages[-1]
    for expected in pages[-2::-1]:
        page = bank.get(path, cursor=page["prev_page"], **query)
        assert page["items"] == expected["items"]
    assert page["prev_page"] is None


def test_a_page_does_not_shift_when_time_goes_on(tmp_path_factory: pytest.TempPathFactory) -> None:
    options = ServeOptions(tmp_path_factory.mktemp("bank"), now=datetime(2024, 6, 12, 15, 0, tzinfo=UTC))
    with served(options) as bank:
        whole = [item["id"] for item in bank.walk("/api/v2/transactions/", limit=100)]
        first = bank.get("/api/v2/transactions/", limit=5)
        bank.move_clock(seconds=800)
        bank.sign_in()
        bank.move_clock(to="2024-06-13T23:00:00Z")
        bank.sign_in()
        second = bank.get("/api/v2/transactions/", limit=5, cursor=first["next_page"])
        assert [item["id"] for item in second["items"]] == whole[5:10]
        assert bank.get("/api/v2/transactions/", limit=1)["items"][0]["id"] not in whole


def test_nothing_lies_after_the_present_moment(tmp_path_factory: pytest.TempPathFactory) -> None:
    now = "2024-06-12T15:00:00.000000Z"
    options = ServeOptions(tmp_path_factory.mktemp("bank"), now=datetime.fromisoformat(now))
    with served(options) as bank:
        rows = bank.walk("/api/v2/transactions/", limit=100, time_booked_to="2024-06-30T00:00:00Z")
        trades = bank.walk("/api/v2/trades/", limit=100)
        shown_until = bank.now().isoformat()
        assert max(row["time_booked"] for row in rows) <= shown_until
        assert max(trade["trade_datetime"] for trade in trades) <= shown_until
        for row in rows:
            assert (row["status"] == "SETTLED") == (row["time_settled"] is not None)
        bank.move_clock(to="2024-06-14T15:00:00Z")
        bank.sign_in()
        assert len(bank.walk("/api/v2/transactions/", limit=100)) > len(rows)


def test_bounds_of_time_are_inclusive(bank: ServedBank, transactions: list[Json]) -> None:
    at = transactions[10]["time_booked"]
    found = bank.get("/api/v2/transactions/", time_booked_from=at, time_booked_to=at)["items"]
    assert transactions[10] in found
    assert {item["time_booked"] for item in found} == {at}


def test_a_time_with_another_offset_means_the_same_instant(bank: ServedBank) -> None:
    utc = bank.walk("/api/v2/transactions/", time_booked_from="2024-07-01T04:00:00Z")
    local = bank.walk("/api/v2/transactions/", time_booked_from="2024-07-01T00:00:00-04:00")
    assert [item["id"] for item in utc] == [item["id"] for item in local]
    assert utc


@pytest.mark.parametrize(
    ("query", "keep"),
    [
        ({"type__": ["ACH"]}, lambda item: item["type"] == "ACH"),
        ({"type__": ["WIRE", "FEE"]}, lambda item: item["type"] in ("WIRE", "FEE")),
        ({"direction": "DEBIT"}, lambda item: item["direction"] == "DEBIT"),
        ({"amount_from": 1_000_000}, lambda item: item["amount"]["value"] >= 1_000_000),
        ({"amount_to": 50_000}, lambda item: item["amount"]["value"] <= 50_000),
        (JUNE, lambda item: "2024-06-03T04" <= item["time_booked"] < "2024-06-28T04"),
        (
            {"time_settled_from": "2024-06-10T12:00:00Z", "time_settled_to": "2024-06-14T12:00:00Z"},
            lambda item: "2024-06-10T12" <= (item["time_settled"] or "") < "2024-06-14T12",
        ),
    ],
)
def test_a_filter_keeps_exactly_what_it_names(
    bank: ServedBank, transactions: list[Json], query: dict[str, Any], keep: Any
) -> None:
    expected = [item["id"] for item in transactions if keep(item)]
    assert [item["id"] for item in bank.walk("/api/v2/transactions/", limit=100, **query)] == expected
    assert 0 < len(expected) < len(transactions)


@pytest.mark.parametrize(("parameter", "field"), [("wire__", "wire_id"), ("on_us_transfer__", "on_us_transfer_id")])
def test_one_transfer_is_found_by_its_id(
    bank: ServedBank, transactions: list[Json], parameter: str, field: str
) -> None:
    wanted = next(item[field] for item in transactions if item.get(field))
    found = bank.walk("/api/v2/transactions/", **{parameter: [wanted]})
    assert [item["id"] for item in found] == [item["id"] for item in transactions if item.get(field) == wanted]


def test_pocket_filters_split_each_listing_into_its_pockets(bank: ServedBank) -> None:
    pockets = [pocket["id"] for pocket in bank.walk("/api/v2/pockets/")]
    for path, parameter, field in (
        ("/api/v2/transactions/", "pocket__", "pocket_id"),
        ("/api/v1/trades/", "account__", "jiko_account_id"),
        ("/api/v2/trades/", "pocket_id__", "pocket_id"),
        ("/api/v1/statements/", "account__", "jiko_account_id"),
    ):
        whole = bank.walk(path, limit=100)
        for pocket in pockets:
            found = bank.walk(path, limit=100, **{parameter: [pocket.upper()]})
            assert [item["id"] for item in found] == [item["id"] for item in whole if item[field] == pocket]
        both = bank.walk(path, limit=100, **{parameter: pockets[:2]})
        assert [item["id"] for item in both] == [item["id"] for item in whole if item[field] in pockets[:2]]


def test_both_versions_and_the_export_tell_the_same_trades(bank: ServedBank) -> None:
    query = {"book_date_from": "2024-06-03", "book_date_to": "2024-07-05"}
    first = bank.walk("/api/v1/trades/", limit=100, **query)
    second = bank.walk("/api/v2/trades/", limit=100, **query)
    exported = {row["id"]: row for row in _csv(bank, "/api/v1/trades.csv")}
    assert {trade["activity"] for trade in first} == {"BUY", "SELL", "MATURITY"}
    for one, two in zip(first, second, strict=True):
        row = exported[one["id"]]
        shared = ("id", "activity", "cusip", "quantity", "price", "book_date", "settled_date", "maturity_date")
        assert [one[name] for name in shared] == [two[name] for name in shared]
        assert [str(one[name]) for name in shared] == [row[name] for name in shared]
        assert one["notional"] == two["notional"]
        assert one["notional"]["value"] == int(row["notional"].replace(".", ""))
        assert (one["jiko_account_id"], one["jiko_account_id"]) == (two["pocket_id"], row["account_id"])
        assert "2024-06-03" <= one["book_date"] <= "2024-07-05"


def test_dates_of_settlement_are_inclusive_bounds(bank: ServedBank) -> None:
    day = "2024-06-11"
    found = bank.walk("/api/v2/trades/", settlement_date_from=day, settlement_date_to=day, limit=100)
    whole = bank.walk("/api/v2/trades/", limit=100)
    assert [trade["id"] for trade in found] == [trade["id"] for trade in whole if trade["settled_date"] == day]
    assert found


def test_the_trade_order_can_be_turned_round(bank: ServedBank) -> None:
    newest = bank.walk("/api/v2/trades/", limit=100)
    assert bank.walk("/api/v2/trades/", limit=100, order="asc") == newest[::-1]


def test_money_is_unsigned_cents_with_a_display_string(transactions: list[Json]) -> None:
    for item in transactions:
        amount = item["amount"]
        assert amount["value"] > 0
        assert amount["formatted"] == f"${amount['value'] / 100:,.2f}"
        assert amount["currency"] == "USD"


def test_a_pocket_shows_what_it_holds_now(bank: ServedBank) -> None:
    pockets = bank.walk("/api/v2/pockets/", limit=2)
    assert {pocket["status"] for pocket in pockets} == {"OPEN", "CLOSED"}
    for pocket in pockets:
        portfolio = pocket["portfolio"]
        held = sum(security["market_value"]["value"] for security in portfolio["securities"])
        assert portfolio["total_value"]["value"] == held + portfolio["cash"]["value"]
        assert bool(portfolio["securities"]) == (pocket["status"] == "OPEN")
        for security in portfolio["securities"]:
            assert security["maturity_date"] > "2024-07-17"
            assert 0.03 < float(security["yield_to_maturity"]) < 0.07


def test_pockets_are_chosen_by_status_and_may_come_without_portfolio(bank: ServedBank) -> None:
    whole = bank.walk("/api/v2/pockets/")
    closed = bank.walk("/api/v2/pockets/", **{"filter[status]": ["CLOSED"], "omit__": ["portfolio"]})
    assert [pocket["id"] for pocket in closed] == [pocket["id"] for pocket in whole if pocket["status"] == "CLOSED"]
    assert all(pocket["portfolio"] is None for pocket in closed)
    assert _refusal(bank, "/api/v2/pockets/", **{"filter[status]": "ASLEEP"})["type"] == "enum"


def test_one_pocket_is_found_by_id_and_an_unknown_one_is_not(bank: ServedBank) -> None:
    (pocket, *_) = bank.walk("/api/v2/pockets/")
    assert bank.get(f"/api/v2/pockets/{pocket['id']}/") == pocket
    missing = bank.http.get("/api/v2/pockets/00000000-0000-4000-8000-000000000000/")
    assert (missing.status_code, missing.json()) == (404, {"detail": "Not Found"})


def test_monthly_statements_are_listed_by_month_and_fetched_as_pdf(bank: ServedBank) -> None:
    june = bank.walk("/api/v1/statements/", key="2024-06")
    assert {statement["key"] for statement in june} == {"2024-06"}
    assert {statement["type"] for statement in june} == {"BANK", "BROKERAGE"}
    bank_only = bank.walk("/api/v1/statements/", key="2024-06", type__=["BANK"])
    assert [s["id"] for s in bank_only] == [s["id"] for s in june if s["type"] == "BANK"]
    year = bank.walk("/api/v1/statements/", key="2024")
    assert {statement["id"] for statement in june} < {statement["id"] for statement in year}
    file = bank.plain.get(june[0]["pdf_download_url"])
    assert (file.status_code, file.headers["Content-Type"]) == (200, "application/pdf")
    assert file.content.startswith(b"%PDF-1.4")
    assert file.content.endswith(b"%%EOF\n")


def test_monthly_statements_of_a_month_do_not_exist_before_they_are_made(bank: ServedBank) -> None:
    assert bank.walk("/api/v1/statements/", key="2024-07") == []


@pytest.mark.parametrize(
    ("path", "query", "loc", "kind"),
    [
        ("/api/v2/transactions/", {"limit": 0}, "limit", "greater_than_equal"),
        ("/api/v2/transactions/", {"limit": 101}, "limit", "less_than_equal"),
        ("/api/v2/transactions/", {"limit": "ten"}, "limit", "int_parsing"),
        ("/api/v2/transactions/", {"cursor": "nonsense"}, "cursor", "value_error"),
        ("/api/v2/transactions/", {"cursor": "AAAA"}, "cursor", "value_error"),
        ("/api/v2/transactions/", {"order": "sideways"}, "order", "enum"),
        ("/api/v2/transactions/", {"direction": "UP"}, "direction", "enum"),
        ("/api/v2/transactions/", {"time_booked_from": "yesterday"}, "time_booked_from", "datetime_parsing"),
        ("/api/v2/transactions/", {"amount_from": "1.5"}, "amount_from", "int_parsing"),
        ("/api/v2/transactions/", {"pocket__": "mine"}, "pocket[]", "uuid_parsing"),
        ("/api/v1/trades/", {"book_date_from": "2024-06-31"}, "book_date_from", "date_parsing"),
        ("/api/v2/trades/", {"settlement_date_to": "20240603"}, "settlement_date_to", "date_parsing"),
        ("/api/v1/statements/", {"key": "June"}, "key", "string_pattern_mismatch"),
        ("/api/v2/pockets/", {"limit": -1}, "limit", "greater_than_equal"),
        ("/api/v1/report-requests/", {"limit": 1000}, "limit", "less_than_equal"),
    ],
)
def test_a_query_that_cannot_be_read_is_refused_by_field(
    bank: ServedBank, path: str, query: dict[str, Any], loc: str, kind: str
) -> None:
    refusal = _refusal(bank, path, **query)
    assert (refusal["loc"], refusal["type"]) == (["query", loc], kind)


def test_a_cursor_of_other_filters_or_another_listing_is_refused(bank: ServedBank) -> None:
    cursor = bank.get("/api/v2/transactions/", limit=1, **JUNE)["next_page"]
    assert bank.get("/api/v2/transactions/", limit=3, cursor=cursor, **JUNE)["items"]
    assert _refusal(bank, "/api/v2/transactions/", cursor=cursor)["loc"] == ["query", "cursor"]
    assert _refusal(bank, "/api/v2/trades/", cursor=cursor)["loc"] == ["query", "cursor"]


def test_ranges_at_the_ends_of_time_are_answered(bank: ServedBank) -> None:
    query = {"time_booked_from": "0001-01-01T00:00:00Z", "time_booked_to": "9999-12-31T23:59:59Z"}
    assert bank.get("/api/v2/transactions/", limit=1, **query)["items"]
    ends = {"book_date_from": "0001-01-01", "book_date_to": "9999-12-31"}
    assert bank.get("/api/v2/trades/", limit=1, **ends)["items"]
    assert bank.get("/api/v2/trades/", book_date_from="2024-07-01", book_date_to="2024-06-01")["items"] == []


def test_the_reference_list_needs_no_token_and_holds_generated_bills_only(bank: ServedBank) -> None:
    bank.move_clock(to="2025-01-15T15:00:00Z")
    answer = bank.plain.get(f"{bank.announcement['api_url']}/__simulator__/reference.csv")
    bank.move_clock(to=NOW.isoformat())
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.text.startswith("cusip,security_term,auction_date,issue_date,maturity_date,price_per_100\n")
    assert rows
    for row in rows:
        assert row["cusip"].startswith("99")
        assert row["auction_date"] < row["issue_date"] < row["maturity_date"]
        assert 90 < float(row["price_per_100"]) < 100


def test_unknown_paths_and_methods_are_answered_as_json(bank: ServedBank) -> None:
    assert bank.http.get("/api/v9/pockets/").json() == {"detail": "Not Found"}
    assert bank.http.delete("/api/v2/pockets/").status_code == 405

"""Reports of the simulated bank over HTTP: ordered, looked at, fetched from the second origin."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from jiko_pipeline.simulator.documents import camt053, delimited
from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline.simulator.world import World
from jiko_pipeline_tests.bank.simulator_rig import Json, ServedBank, served

NOW = datetime(2024, 7, 17, 20, 30, tzinfo=UTC)
DAY = date(2024, 6, 12)
RANGE = {"date_from": "2024-06-03", "date_to": "2024-06-28"}


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedBank]:
    with served(ServeOptions(tmp_path_factory.mktemp("bank"), now=NOW)) as running:
        yield running


@pytest.fixture(scope="module")
def world() -> World:
    """The same bank, asked without HTTP."""
    return World(WorldConfig())


def _pocket(world: World) -> str:
    return next(p.id for p in world.pockets(NOW.date()) if p.closed_on is None and p.opened_on <= DAY)


def _bank_statement(bank: ServedBank, pocket_id: str, day: date = DAY) -> Json:
    answer = bank.order("BANK_STATEMENT_REPORT", "CAMT053", pocket_ids=[pocket_id], date=day.isoformat())
    assert answer.status_code == 201, answer.text
    request: Json = answer.json()
    return request


def test_an_order_is_answered_as_pending_with_its_own_words(bank: ServedBank, world: World) -> None:
    request = _bank_statement(bank, _pocket(world))
    assert request["status"] == "PENDING"
    assert (request["reports"], request["error"], request["completed_at"]) == ([], None, None)
    assert request["parameters"] == {
        "report_type": "BANK_STATEMENT_REPORT",
        "output_formats": ["CAMT053"],
        "pocket_ids": [_pocket(world)],
        "date": "2024-06-12",
    }


def test_a_request_is_pending_then_in_progress_then_completed_after_two_to_four_looks(
    bank: ServedBank, world: World
) -> None:
    needed = set()
    for day in (3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 17, 18):
        request = _bank_statement(bank, _pocket(world), date(2024, 6, day))
        path = f"/api/v1/report-requests/{request['id']}/"
        words = []
        while not words or words[-1] != "COMPLETED":
            words.append(bank.get(path)["status"])
        assert words == ["PENDING", *["IN_PROGRESS"] * (len(words) - 2), "COMPLETED"]
        needed.add(len(words) - 1)
    assert needed == {2, 3, 4}


def test_a_list_is_a_look_at_each_request_on_it(bank: ServedBank, world: World) -> None:
    requests = [_bank_statement(bank, _pocket(world))["id"] for _ in range(3)]
    for _ in range(5):
        listed = {item["id"]: item for item in bank.get("/api/v1/report-requests/", limit=3)["items"]}
    assert [listed[request]["status"] for request in requests] == ["COMPLETED"] * 3


def test_a_request_is_finished_after_three_seconds_without_a_look(bank: ServedBank, world: World) -> None:
    request = _bank_statement(bank, _pocket(world))
    bank.move_clock(seconds=3)
    finished = bank.get(f"/api/v1/report-requests/{request['id']}/")
    assert finished["status"] == "COMPLETED"
    waited = datetime.fromisoformat(finished["completed_at"]) - datetime.fromisoformat(finished["created_at"])
    assert waited.total_seconds() == 3


def test_a_finished_request_names_a_report_for_each_format(bank: ServedBank, world: World) -> None:
    finished = bank.finished(bank.order("TRADE_REPORT", "CSV", "KYRIBA_CSV", **RANGE).json()["id"])
    assert [report["output_format"] for report in finished["reports"]] == ["CSV", "KYRIBA_CSV"]
    for report in finished["reports"]:
        assert report["report_request_id"] == finished["id"]
        assert report["report_type"] == "TRADE_REPORT"
        assert report["pocket_id"] is None
        assert bank.get(f"/api/v1/reports/{report['id']}/") == report


def test_statements_are_the_documents_of_the_ledger(bank: ServedBank, world: World) -> None:
    pocket_id = _pocket(world)
    for report_type, ask in (
        ("BANK_STATEMENT_REPORT", world.bank_statement),
        ("BROKERAGE_STATEMENT_REPORT", world.brokerage_statement),
    ):
        order = bank.order(report_type, "CAMT053", pocket_ids=[pocket_id], date=DAY.isoformat())
        (report,) = bank.finished(order.json()["id"])["reports"]
        facts = ask(pocket_id, DAY)
        assert facts is not None
        answer = bank.download(report["id"])
        assert answer.content == camt053.render(
            facts,
            version="08",
            message_id=report["id"].replace("-", ""),
            created_at=datetime.fromisoformat(report["created_at"]),
        )
        assert answer.headers["Content-Type"] == "application/xml"
        assert answer.headers["Content-Length"] == str(len(answer.content))
        assert report["file_name"] in answer.headers["Content-Disposition"]
        assert report["pocket_id"] == pocket_id


@pytest.mark.parametrize("date_type", ["TRADE_DATE", "SETTLEMENT_DATE", "BOOK_DATE"])
def test_the_trade_report_holds_the_purchases_and_sales_of_the_ledger(
    bank: ServedBank, world: World, date_type: str
) -> None:
    plain, kyriba = bank.delivered("TRADE_REPORT", "CSV", "KYRIBA_CSV", date_type=date_type, **RANGE)
    pockets = [pocket.id for pocket in world.pockets(NOW.date())]
    trades = world.trade_report(pockets, date(2024, 6, 3), date(2024, 6, 28), date_type)  # type: ignore[arg-type]
    assert plain == delimited.trade_report(trades)
    assert kyriba == delimited.trade_report_kyriba(trades)
    assert len(plain.splitlines()) == len(trades) + 1 > 20
    assert b"MATURITY" not in plain


def test_the_trade_report_of_one_pocket_is_its_part_of_the_whole(bank: ServedBank, world: World) -> None:
    (whole,) = bank.delivered("TRADE_REPORT", "CSV", **RANGE)
    parts = [
        bank.delivered("TRADE_REPORT", "CSV", pocket_ids=[pocket.id], **RANGE)[0].splitlines()[1:]
        for pocket in world.pockets(NOW.date())
    ]
    assert sorted(row for part in parts for row in part) == sorted(whole.splitlines()[1:])


def test_prices_and_positions_are_those_of_the_ledger(bank: ServedBank, world: World) -> None:
    (prices,) = bank.delivered("SECURITY_PRICE_REPORT", "KYRIBA_CSV", **RANGE)
    assert prices == delimited.security_prices(world.prices(date(2024, 6, 3), date(2024, 6, 28)))
    (positions,) = bank.delivered("POSITION_SUMMARY_REPORT", "CSV", pocket_ids=[_pocket(world)], date=DAY.isoformat())
    summary = world.position_summary(_pocket(world), DAY)
    assert summary is not None
    assert positions == delimited.position_summaries([summary])
    assert positions.splitlines()[-1].split(b",")[2] == b"CASH"


def test_without_a_pocket_a_statement_is_made_for_each_that_was_open(bank: ServedBank, world: World) -> None:
    day = date(2024, 6, 4)
    request = bank.order("BANK_STATEMENT_REPORT", "CAMT053", date=day.isoformat()).json()
    reports = bank.finished(request["id"])["reports"]
    open_then = {
        pocket.id for pocket in world.pockets(NOW.date()) if pocket.opened_on <= day <= (pocket.closed_on or day)
    }
    assert {report["pocket_id"] for report in reports} == open_then
    assert 0 < len(open_then) < len(world.pockets(NOW.date()))


@pytest.mark.parametrize(
    ("changes", "loc"),
    [
        ({"report_type": "WEATHER_REPORT"}, "report_type"),
        ({"report_type": None}, "report_type"),
        ({"report_type": ["BANK_STATEMENT_REPORT"]}, "report_type"),
        ({"output_formats": ["PDF"]}, "output_formats"),
        ({"output_formats": []}, "output_formats"),
        ({"output_formats": "CAMT053"}, "output_formats"),
        ({"date": None}, "date"),
        ({"date": "12 June 2024"}, "date"),
        ({"date": "2024-07-18"}, "date"),
        ({"date": "2024-06-15"}, "date"),
        ({"date": "2024-06-19"}, "date"),
        ({"date": "2020-06-12"}, "date"),
        ({"pocket_ids": []}, "pocket_ids"),
        ({"pocket_ids": ["mine"]}, "pocket_ids"),
        ({"pocket_ids": ["00000000-0000-4000-8000-000000000000"]}, "pocket_ids"),
        ({"report_type": "TRADE_REPORT", "output_formats": ["CAMT053"], **RANGE}, "output_formats"),
        ({"report_type": "TRADE_REPORT", "output_formats": ["CSV"]}, "date_from"),
        (
            {
                "report_type": "TRADE_REPORT",
                "output_formats": ["CSV"],
                "date_from": "2024-06-01",
                "date_to": "2024-07-02",
            },
            "date_to",
        ),
        (
            {
                "report_type": "SECURITY_PRICE_REPORT",
                "output_formats": ["KYRIBA_CSV"],
                "date_from": "2024-06-05",
                "date_to": "2024-06-04",
            },
            "date_to",
        ),
        (
            {"report_type": "TRADE_REPORT", "output_formats": ["CSV"], "date_type": "MOON_DATE", **RANGE},
            "date_type",
        ),
        ({"report_type": "POSITION_SUMMARY_REPORT", "output_formats": ["KYRIBA_CSV"]}, "output_formats"),
    ],
)
def test_an_order_the_bank_has_no_report_for_is_refused_by_field(
    bank: ServedBank, world: World, changes: dict[str, Any], loc: str
) -> None:
    body = {
        "report_type": "BANK_STATEMENT_REPORT",
        "output_formats": ["CAMT053"],
        "pocket_ids": [_pocket(world)],
        "date": "2024-06-12",
        **changes,
    }
    before = bank.get("/api/v1/report-requests/", limit=1)["items"][0]["id"]
    refused = bank.http.post("/api/v1/report-requests/", json=body)
    assert refused.status_code == 422, refused.text
    assert refused.json()["detail"][0]["loc"] == ["body", loc]
    assert bank.get("/api/v1/report-requests/", limit=1)["items"][0]["id"] == before


def test_one_request_names_at_most_one_pocket_for_a_statement(bank: ServedBank, world: World) -> None:
    pockets = [pocket.id for pocket in world.pockets(NOW.date())][:2]
    refused = bank.order("BANK_STATEMENT_REPORT", "CAMT053", pocket_ids=pockets, date="2024-06-12")
    assert refused.json()["detail"][0]["loc"] == ["body", "pocket_ids"]


def test_statements_exist_from_the_day_a_pocket_opens_to_the_day_it_closes(bank: ServedBank, world: World) -> None:
    closed = next(pocket for pocket in world.pockets(NOW.date()) if pocket.closed_on is not None)
    late = next(pocket for pocket in world.pockets(NOW.date()) if pocket.opened_on > date(2024, 6, 4))
    assert closed.closed_on is not None
    for pocket_id, day, status in (
        (closed.id, closed.closed_on, 201),
        (closed.id, date(2024, 7, 16), 422),
        (late.id, late.opened_on, 201),
        (late.id, date(2024, 6, 3), 422),
    ):
        answer = bank.order("BANK_STATEMENT_REPORT", "CAMT053", pocket_ids=[pocket_id], date=day.isoformat())
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(bank: ServedBank, body: bytes) -> None:
    assert bank.http.post("/api/v1/report-requests/", content=body).status_code == 422


def test_a_very_long_body_is_refused(bank: ServedBank) -> None:
    assert bank.http.post("/api/v1/report-requests/", content=b" " * 100_000).status_code == 413


def test_unknown_requests_and_reports_are_not_found(bank: ServedBank) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    assert bank.http.get(f"/api/v1/report-requests/{nobody}/").status_code == 404
    assert bank.http.get(f"/api/v1/reports/{nobody}/").status_code == 404
    assert bank.http.post(f"/api/v1/reports/{nobody}/download/").status_code == 404


def test_equal_orders_are_different_requests(bank: ServedBank, world: World) -> None:
    first, second = _bank_statement(bank, _pocket(world)), _bank_statement(bank, _pocket(world))
    assert first["parameters"] == second["parameters"]
    assert first["id"] != second["id"]


def test_the_same_orders_have_the_same_ids_at_another_place(tmp_path: Path, world: World) -> None:
    ids = []
    for name in ("one", "two"):
        with served(ServeOptions(tmp_path / name, now=NOW)) as bank:
            ids.append([bank.finished(_bank_statement(bank, _pocket(world))["id"]) for _ in range(2)])
    assert [request["id"] for request in ids[0]] == [request["id"] for request in ids[1]]
    assert [request["reports"][0]["id"] for request in ids[0]] == [request["reports"][0]["id"] for request in ids[1]]


def test_the_list_is_newest_first_in_pages_and_filtered_by_day(tmp_path: Path, world: World) -> None:
    with served(ServeOptions(tmp_path / "state", now=datetime(2024, 7, 16, 3, 59, tzinfo=UTC))) as bank:
        late_on_monday = [_bank_statement(bank, _pocket(world))["id"] for _ in range(3)]
        bank.move_clock(seconds=120)
        on_tuesday = [_bank_statement(bank, _pocket(world))["id"] for _ in range(4)]
        walked = [item["id"] for item in bank.walk("/api/v1/report-requests/", limit=2)]
        assert walked == [*on_tuesday[::-1], *late_on_monday[::-1]]
        monday = bank.walk("/api/v1/report-requests/", date_to="2024-07-15")
        assert [item["id"] for item in monday] == late_on_monday[::-1]
        tuesday = bank.walk("/api/v1/report-requests/", date_from="2024-07-16", date_to="2024-07-16")
        assert [item["id"] for item in tuesday] == on_tuesday[::-1]


def test_a_restart_meets_the_same_requests_reports_and_bytes(tmp_path: Path, world: World) -> None:
    options = ServeOptions(tmp_path / "state", now=NOW)
    with served(options) as bank:
        requests = [
            bank.finished(_bank_statement(bank, _pocket(world))["id"]),
            bank.finished(bank.order("TRADE_REPORT", "CSV", "KYRIBA_CSV", **RANGE).json()["id"]),
        ]
        half_way = _bank_statement(bank, _pocket(world))
        assert bank.get(f"/api/v1/report-requests/{half_way['id']}/")["status"] == "PENDING"
        reports = [report["id"] for request in requests for report in request["reports"]]
        files = [bank.download(report).content for report in reports]
        assert bank.control("GET", "counters")["reports_delivered"] == 3
    with served(options) as bank:
        for request in requests:
            assert bank.get(f"/api/v1/report-requests/{request['id']}/") == request
        assert bank.get(f"/api/v1/report-requests/{half_way['id']}/")["status"] == "IN_PROGRESS"
        assert [bank.download(report).content for report in reports] == files
        assert bank.control("GET", "counters")["reports_delivered"] == 3


def test_a_statement_asked_for_before_the_end_of_its_day_is_provisional_for_ever(tmp_path: Path, world: World) -> None:
    day = date(2024, 6, 12)
    pocket_id = _pocket(world)
    # 20:59 in New York is 00:59 UTC of the next day.
    with served(ServeOptions(tmp_path / "state", now=datetime(2024, 6, 13, 0, 59, tzinfo=UTC))) as bank:
        body = {"pocket_ids": [pocket_id], "date": day.isoformat()}
        early = bank.finished(bank.order("BROKERAGE_STATEMENT_REPORT", "CAMT053", **body).json()["id"])
        provisional = bank.download(early["reports"][0]["id"]).content
        bank.move_clock(seconds=120)
        late = bank.finished(bank.order("BROKERAGE_STATEMENT_REPORT", "CAMT053", **body).json()["id"])
        final = bank.download(late["reports"][0]["id"]).content
        assert bank.download(early["reports"][0]["id"]).content == provisional
    facts = world.brokerage_statement(pocket_id, day), world.brokerage_statement(pocket_id, day, provisional=True)
    assert facts[0] is not None
    assert facts[1] is not None
    assert facts[0].closing_cents != facts[1].closing_cents
    closing = [f"{one.closing_cents // 100}.{one.closing_cents % 100:02d}".encode() for one in facts]
    assert closing[0] in final
    assert closing[1] in provisional
    assert closing[0] not in provisional


def test_ranged_reports_show_what_was_valid_when_they_were_ordered(tmp_path: Path) -> None:
    days = {"date_from": "2024-06-10", "date_to": "2024-06-12"}
    with served(ServeOptions(tmp_path / "state", now=datetime(2024, 6, 12, 12, 0, tzinfo=UTC))) as bank:
        early = [
            bank.finished(bank.order("SECURITY_PRICE_REPORT", "KYRIBA_CSV", **days).json()["id"]),
            bank.finished(bank.order("TRADE_REPORT", "CSV", **days).json()["id"]),
        ]
        bank.move_clock(to="2024-06-13T12:00:00Z")
        bank.sign_in()
        for request in early:
            assert b"2024-06-12" not in bank.download(request["reports"][0]["id"]).content
        (prices,) = bank.delivered("SECURITY_PRICE_REPORT", "KYRIBA_CSV", **days)
        assert b"2024-06-12" in prices


@pytest.mark.parametrize("report_type", ["BANK_STATEMENT_REPORT", "BROKERAGE_STATEMENT_REPORT"])
def test_a_statement_that_a_fault_removed_fails_with_a_sentence(tmp_path: Path, report_type: str) -> None:
    config = WorldConfig(fault="statement-day-missing")
    with served(ServeOptions(tmp_path / "state", config=config, now=NOW)) as bank:
        truth = bank.control("GET", "truth")
        body = {"pocket_ids": [truth["pocket_id"]], "date": truth["business_date"]}
        failed = bank.finished(bank.order(report_type, "CAMT053", **body).json()["id"])
        assert (failed["status"], failed["reports"]) == ("FAILED", [])
        assert truth["business_date"] in failed["error"]


def test_version_02_is_served_where_the_world_says_so(tmp_path: Path, world: World) -> None:
    config = WorldConfig(camt_version="02")
    with served(ServeOptions(tmp_path / "state", config=config, now=NOW)) as bank:
        request = bank.finished(_bank_statement(bank, _pocket(world))["id"])
        body = bank.download(request["reports"][0]["id"]).content
        assert b"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02" in body


def test_a_link_ends_after_ten_minutes_of_the_banks_clock(bank: ServedBank, world: World) -> None:
    report = bank.finished(_bank_statement(bank, _pocket(world))["id"])["reports"][0]["id"]
    url = bank.link(report)
    bank.move_clock(seconds=595)
    assert bank.plain.get(url).status_code == 200
    bank.move_clock(seconds=10)
    refused = bank.plain.get(url)
    assert (refused.status_code, refused.headers["Content-Type"]) == (403, "application/xml")
    assert b"AccessDenied" in refused.content
    bank.sign_in()
    assert bank.plain.get(bank.link(report)).status_code == 200


def test_an_altered_link_is_refused(bank: ServedBank, world: World) -> None:
    report = bank.finished(_bank_statement(bank, _pocket(world))["id"])["reports"][0]["id"]
    origin, _, token = bank.link(report).rpartition("/")
    swapped = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    for wrong in (swapped, token[:-4], "A" * len(token), "x"):
        assert bank.plain.get(f"{origin}/{wrong}").status_code == 403


@pytest.mark.parametrize("header", ["Authorization", "Cookie", "X-Api-Key"])
def test_the_storage_origin_refuses_credentials_and_counts_the_incident(
    bank: ServedBank, world: World, header: str
) -> None:
    report = bank.finished(_bank_statement(bank, _pocket(world))["id"])["reports"][0]["id"]
    url = bank.link(report)
    before = bank.control("GET", "counters")["storage_incidents"]
    assert url.startswith(f"http://{bank.announcement['storage_host']}/files/")
    assert bank.plain.get(url, headers={header: "something=secret"}).status_code == 400
    assert bank.control("GET", "counters")["storage_incidents"] == before + 1
    assert bank.plain.get(url).status_code == 200
    assert bank.control("GET", "counters")["storage_incidents"] == before + 1


def test_calls_are_counted_by_operation_and_a_report_fetched_twice_is_delivered_once(
    tmp_path: Path, world: World
) -> None:
    with served(ServeOptions(tmp_path / "state", now=NOW)) as bank:
        report = bank.finished(_bank_statement(bank, _pocket(world))["id"])["reports"][0]["id"]
        bank.download(report)
        bank.download(report)
        bank.http.get("/api/v1/report-requests/?limit=1000")
        counters = bank.control("GET", "counters")
    assert counters["reports_delivered"] == 1
    assert counters["storage_incidents"] == 0
    looks = counters["calls"].pop("get_report_request")
    assert 3 <= looks <= 5
    assert counters["calls"] == {
        "create_report_request": 1,
        "download_file": 2,
        "link_report": 2,
        "list_report_requests": 1,
        "token": 1,
    }

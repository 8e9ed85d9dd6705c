"""The answers of the simulated bank have the shapes that the collected description of Jiko's API gives them."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml

from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline_tests.bank.money_rig import POCKETS, REQUESTS, counterparty, decide, open_pockets, wire
from jiko_pipeline_tests.bank.simulator_rig import Json, ServedBank, served

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def description() -> Json:
    document: Json = yaml.safe_load((DOCS / "jiko-customer-api.yaml").read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedBank]:
    options = ServeOptions(tmp_path_factory.mktemp("bank"), now=datetime(2024, 7, 17, 20, 30, tzinfo=UTC))
    with served(options) as running:
        yield running


_TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
_FORMATS = {"uuid": UUID, "date": date.fromisoformat, "date-time": datetime.fromisoformat}


def _resolved(document: Json, schema: Json) -> Json:
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def _faults(document: Json, schema: Json, value: Any, where: str) -> list[str]:
    """What is wrong with a value under a schema, for the part of JSON Schema that the description uses."""
    schema = _resolved(document, schema)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            found = [_faults(document, option, value, where) for option in schema[word]]
            if all(found):
                return [f"{where}: fits no alternative: {min(found, key=len)}"]
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(
        isinstance(value, _TYPES[name]) and not (isinstance(value, bool) and name != "boolean") for name in types
    ):
        return [f"{where}: {value!r} is not {types}"]
    faults = []
    if "const" in schema and value != schema["const"]:
        faults.append(f"{where}: {value!r} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        faults.append(f"{where}: {value!r} is none of {schema['enum']}")
    if isinstance(value, str):
        if not re.search(schema.get("pattern", ""), value):
            faults.append(f"{where}: {value!r} does not match {schema['pattern']}")
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            faults.append(f"{where}: {value!r} has the wrong length")
        if schema.get("format") in _FORMATS:
            try:
                _FORMATS[schema["format"]](value)
            except ValueError:
                faults.append(f"{where}: {value!r} is no {schema['format']}")
    if isinstance(value, dict):
        faults += [f"{where}: {name} is missing" for name in schema.get("required", []) if name not in value]
        for name, part in schema.get("properties", {}).items():
            if name in value:
                faults += _faults(document, part, value[name], f"{where}.{name}")
    if isinstance(value, list):
        for number, item in enumerate(value):
            faults += _faults(document, schema.get("items", {}), item, f"{where}[{number}]")
    return faults


def _schema_of(document: Json, method: str, path: str, status: int) -> Json:
    response = _resolved(document, document["paths"][path][method]["responses"][str(status)])
    schema: Json = response["content"]["application/json"]["schema"]
    return schema


def _assert_as_described(document: Json, method: str, path: str, answer: Any) -> None:
    schema = _schema_of(document, method, path, answer.status_code)
    assert _faults(document, schema, answer.json(), "body") == []


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/v2/pockets/", ""),
        ("/api/v2/transactions/", "?limit=100"),
        ("/api/v1/trades/", "?limit=100"),
        ("/api/v2/trades/", "?limit=100"),
        ("/api/v1/statements/", ""),
        ("/api/v1/report-requests/", ""),
        ("/api/v1/events/", ""),
        ("/api/v1/notifications/", ""),
    ],
)
def test_each_listing_its_refusal_of_a_query_and_of_a_stranger_are_as_described(
    bank: ServedBank, description: Json, path: str, query: str
) -> None:
    bank.order("TRADE_REPORT", "CSV", date_from="2024-06-03", date_to="2024-06-28")
    for _ in range(5):
        answer = bank.http.get(path + query)
    assert answer.json()["items"]
    _assert_as_described(description, "get", path, answer)
    refused = bank.http.get(path + "?limit=0")
    assert refused.status_code == 422
    _assert_as_described(description, "get", path, refused)
    stranger = bank.plain.get(bank.announcement["api_url"] + path)
    assert stranger.status_code == 401
    _assert_as_described(description, "get", path, stranger)


def test_every_kind_of_transaction_is_among_those_checked(bank: ServedBank) -> None:
    kinds = {item["type"] for item in bank.get("/api/v2/transactions/", limit=100)["items"]}
    assert kinds >= {"ACH", "WIRE", "CARD", "ON_US", "FEE"}


def test_the_way_of_a_report_is_as_described(bank: ServedBank, description: Json) -> None:
    ordered = bank.order("TRADE_REPORT", "CSV", "KYRIBA_CSV", date_from="2024-06-03", date_to="2024-06-28")
    _assert_as_described(description, "post", "/api/v1/report-requests/", ordered)
    bank.finished(ordered.json()["id"])
    looked = bank.http.get(f"/api/v1/report-requests/{ordered.json()['id']}/")
    _assert_as_described(description, "get", "/api/v1/report-requests/{report_request_id}/", looked)
    (report, _) = looked.json()["reports"]
    found = bank.http.get(f"/api/v1/reports/{report['id']}/")
    _assert_as_described(description, "get", "/api/v1/reports/{report_id}/", found)
    linked = bank.http.post(f"/api/v1/reports/{report['id']}/download/")
    _assert_as_described(description, "post", "/api/v1/reports/{report_id}/download/", linked)
    refused = bank.order("TRADE_REPORT", "PDF")
    _assert_as_described(description, "post", "/api/v1/report-requests/", refused)


def test_one_pocket_and_a_missing_one_are_as_described(bank: ServedBank, description: Json) -> None:
    path = "/api/v2/pockets/{pocket_id}/"
    pocket = bank.get("/api/v2/pockets/")["items"][0]["id"]
    _assert_as_described(description, "get", path, bank.http.get(path.format(pocket_id=pocket)))
    missing = bank.http.get(path.format(pocket_id="00000000-0000-4000-8000-000000000000"))
    assert missing.status_code == 404
    _assert_as_described(description, "get", path, missing)


def test_the_way_of_a_transfer_is_as_described(bank: ServedBank, description: Json) -> None:
    origin = open_pockets(bank)[0]["id"]
    body = wire(origin, counterparty(bank, "wire"), 100_00)
    made = bank.http.post(REQUESTS, json=body)
    _assert_as_described(description, "post", REQUESTS, made)
    body["transfer"]["amount"]["amount_usdc"] = 1
    conflict = bank.http.post(REQUESTS, json=body)
    assert conflict.status_code == 409
    _assert_as_described(description, "post", REQUESTS, conflict)
    status, one = f"{REQUESTS}{{transfer_id}}/status/", f"{REQUESTS}{{transfer_id}}/"
    with bank.approver() as approver:
        _assert_as_described(description, "patch", status, decide(bank.http, made.json()))
        _assert_as_described(description, "patch", status, decide(approver, made.json()))
        _assert_as_described(description, "patch", status, decide(approver, made.json()))
    for path in (one, REQUESTS, f"{REQUESTS}reviewers/"):
        _assert_as_described(description, "get", path, bank.http.get(path.format(transfer_id=made.json()["id"])))
    _assert_as_described(description, "delete", one, bank.http.delete(one.format(transfer_id=made.json()["id"])))
    transaction = bank.http.get("/api/v2/transactions/", params={"wire[]": made.json()["id"]})
    _assert_as_described(description, "get", "/api/v2/transactions/", transaction)


def test_a_pocket_that_is_opened_changed_and_not_closed_is_as_described(bank: ServedBank, description: Json) -> None:
    made = bank.http.post(POCKETS, json={"pocket_name": "Reserve", "trading_strategy_id": "UST-4W"})
    _assert_as_described(description, "post", POCKETS, made)
    path, pocket_id = f"{POCKETS}{{pocket_id}}/", made.json()["id"]
    for body in ({"pocket_name": "Other"}, {"status": "CLOSED", "closure_reason": "x"}, {"pocket_name": ""}):
        changed = bank.http.patch(path.format(pocket_id=pocket_id), json=body)
        _assert_as_described(description, "patch", path, changed)
    earned = bank.http.get(f"{path.format(pocket_id=pocket_id)}earnings/")
    _assert_as_described(description, "get", f"{path}earnings/", earned)


def test_the_checker_finds_what_is_wrong(description: Json) -> None:
    schema = description["components"]["schemas"]["Amount"]
    assert _faults(description, schema, {"value": 1, "currency": "USD"}, "x") == []
    assert _faults(description, schema, {"value": "1"}, "x") == [
        "x: currency is missing",
        "x.value: '1' is not ['integer']",
    ]

"""Listings of people, paper, requests and messages to frames: what is kept, what is left out, what is refused."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from jiko_pipeline.formats.frames import FRAMES
from jiko_pipeline.formats.readers import READERS
from jiko_pipeline.formats.reading import Expectation, Reading, RefusedDocumentError
from jiko_pipeline.warehouse.kinds import KINDS

ID = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
AT = "2024-06-05T15:30:00.000001Z"
ANY_DAY = Expectation()
JUNE_5 = Expectation(first=date(2024, 6, 5), last=date(2024, 6, 5))

COUNTERPARTY = {"id": ID, "type": "wire", "status": "LINKED", "account_number": "000123", "time_created": AT}
SUBSCRIPTION = {
    "id": ID,
    "events": ["b", "a"],
    "url": "https://user:word@hook.example/jiko?token=hidden#x",
    "status": "enabled",
    "shared_secret": "never-to-be-kept",
    "time_created": AT,
    "updated_at": AT,
}
REQUEST = {
    "id": ID,
    "status": "PENDING",
    "transfer": {
        "id": OTHER,
        "type": "ON_US",
        "origin_pocket_id": ID,
        "amount": {"type": "REQUESTED_AMOUNT", "amount_usdc": 10123},
        "details": {"type": "PEER_TO_PEER", "destination_counterparty_id": OTHER},
    },
    "reviewers": [{"user_id": "z"}, {"user_id": "a"}],
    "created_by": {"user_id": ID},
    "created_at": AT,
}
ATTEMPT = {
    "delivery_attempt_id": OTHER,
    "subscription_id": ID,
    "success": False,
    "response_code": 500,
    "response_message": None,
    "called_at": AT,
}
EVENT = {
    "event": {
        "event_id": ID,
        "event_type": "transfers.wire.out.success",
        "timestamp": AT,
        "payload": {"wire_id": OTHER, "pdf_download_url": "https://files.example/x?signature=hidden"},
    },
    "delivery_attempts": [ATTEMPT],
}
AUDIT = {"id": ID, "timestamp": AT, "member_id": OTHER, "action": "SIGNED_IN", "details": {"b": 1, "a": [2.50]}}
AGREEMENTS = {
    "version": "3",
    "release_date": "2024-01-31",
    "documents": [
        {"title": "Terms", "pdf_download_url": "https://files.example/a?signature=hidden", "category": "BANK"}
    ],
}


def listing(*items: object) -> bytes:
    return json.dumps({"prev_page": None, "next_page": None, "items": items}).encode()


def read(kind: str, body: object, expectation: Expectation = ANY_DAY) -> Reading:
    return READERS[kind]([body if isinstance(body, bytes) else json.dumps(body).encode()], expectation)


def only_row(kind: str, body: object, expectation: Expectation = ANY_DAY) -> dict[str, Any]:
    reading = read(kind, body, expectation)
    assert reading.rejected == ()
    return reading.frames[KINDS[kind].counted[0]].row(0, named=True)


BODIES: dict[str, object] = {
    "PORTALS": {
        "count": 1,
        "portals": [{"id": ID, "jiko_account_id": OTHER, "status": "OPEN", "name": "Main", "account_number": "1"}],
    },
    "TRADING_STRATEGIES": {"offset": 0, "count": 1, "items": [{"id": "UST-4W", "applicable_to": ["DEPOSIT"]}]},
    "COUNTERPARTIES": listing(COUNTERPARTY),
    "REVIEWERS": {"items": [{"user_id": ID, "first_name": "Ada"}], "count": 1},
    "SUBSCRIPTIONS": listing(SUBSCRIPTION),
    "CUSTOMER": {"type": "INDIVIDUAL", "name": {"first_name": "Ada", "last_name": "Byron"}, "address": {"city": "X"}},
    "BENEFICIAL_OWNERS": {"items": [{"id": ID, "roles": ["OWNER"], "ownership_percentage": "25.5"}], "count": 1},
    "TEAM": {"id": OTHER, "members": [{"status": "ACTIVE", "members": [{"id": ID, "role": "ADMIN"}]}]},
    "USER": {"user_id": ID, "email": "a@example.com"},
    "MEMBERSHIPS": [{"team_id": ID, "role": "ADMIN"}],
    "AGREEMENTS": AGREEMENTS,
    "TRANSFER_REQUESTS": listing(REQUEST),
    "EVENTS": listing(EVENT),
    "NOTIFICATIONS": listing({"id": ID, "title": "T", "description": "D", "status": "READ", "created_at": AT}),
    "AUDIT_LOGS": listing(AUDIT),
    "REPORT_REQUESTS": listing({"id": ID, "status": "COMPLETED", "reports": [{"id": OTHER}], "created_at": AT}),
}


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_each_answer_becomes_one_row_of_the_declared_frames(kind: str) -> None:
    reading = read(kind, BODIES[kind])
    assert set(reading.frames) == set(KINDS[kind].frames)
    for name, frame in reading.frames.items():
        assert frame.schema == FRAMES[name].schema
        assert frame.height == 1
    assert (reading.rows_in_document, reading.rejected, reading.findings) == (1, (), ())


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_no_link_and_no_secret_is_in_any_column(kind: str) -> None:
    text = str([frame.rows() for frame in read(kind, BODIES[kind]).frames.values()])
    assert "hidden" not in text
    assert "never-to-be-kept" not in text


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_what_is_no_such_answer_is_refused(kind: str) -> None:
    with pytest.raises(RefusedDocumentError):
        read(kind, b'"words"')
    with pytest.raises(RefusedDocumentError):
        read(kind, b'{"a": 1, "a": 2}')


def test_unknown_fields_are_kept_and_unknown_words_are_told_of() -> None:
    reading = read("COUNTERPARTIES", listing({**COUNTERPARTY, "type": "carrier_pigeon", "mood": {"b": 1, "a": 2}}))
    row = reading.frames["counterparty"].row(0, named=True)
    assert row["counterparty_type"] == "carrier_pigeon"
    assert json.loads(row["details"]) == {"mood": {"a": 2, "b": 1}}
    assert [finding.code for finding in reading.findings] == ["UNKNOWN_WORD"]


@pytest.mark.parametrize("missing", ["id", "type", "status"])
def test_a_row_without_a_required_field_is_kept_aside(missing: str) -> None:
    item = {name: value for name, value in COUNTERPARTY.items() if name != missing}
    reading = read("COUNTERPARTIES", listing(item, {**COUNTERPARTY, "id": OTHER}))
    (rejected,) = reading.rejected
    assert (rejected.code, rejected.locator) == ("MISSING", "page 1 item 1")
    assert reading.rows_in_document == 2
    assert reading.frames["counterparty"].height == 1


def test_a_transfer_request_keeps_cents_exactly_and_names_whom_it_pays() -> None:
    row = only_row("TRANSFER_REQUESTS", BODIES["TRANSFER_REQUESTS"], JUNE_5)
    assert (row["transfer_id"], row["amount"]) == (OTHER, Decimal("101.23"))
    assert (row["counterparty_id"], row["created_by_id"], row["reviewer_ids"]) == (OTHER, ID, "a,z")
    assert row["created_at_utc"] == datetime(2024, 6, 5, 15, 30, 0, 1)  # noqa: DTZ001 - UTC by its name


@pytest.mark.parametrize("kind", ["TRANSFER_REQUESTS", "NOTIFICATIONS", "EVENTS", "REPORT_REQUESTS"])
def test_rows_of_other_days_are_left_to_the_documents_of_those_days(kind: str) -> None:
    body = BODIES[kind]
    assert isinstance(body, bytes)
    other = json.loads(body.replace(ID.encode(), b"another").replace(b"2024-06-05T15", b"2024-06-06T04"))["items"]
    both = listing(*json.loads(body)["items"], *other)
    reading = read(kind, both, JUNE_5)
    assert reading.rows_in_document == 1
    assert all(frame.height == 1 for frame in reading.frames.values())


def test_an_audit_log_of_another_day_than_asked_for_is_refused() -> None:
    other_day = Expectation(first=date(2024, 6, 6), last=date(2024, 6, 6))
    with pytest.raises(RefusedDocumentError, match="not asked for"):
        read("AUDIT_LOGS", BODIES["AUDIT_LOGS"], other_day)


def test_json_and_csv_of_the_audit_log_give_the_same_row() -> None:
    details = '"{""a"":[2.50],""b"":1}"'
    body = f"id,timestamp,member_id,action,details,ip_address\n{ID},{AT},{OTHER},SIGNED_IN,{details},\n".encode()
    csv, listed = only_row("AUDIT_LOGS_CSV", body, JUNE_5), only_row("AUDIT_LOGS", BODIES["AUDIT_LOGS"], JUNE_5)
    assert {**csv, "document_locator": ""} == {**listed, "document_locator": ""} | {
        "action_details": csv["action_details"]
    }
    assert json.loads(csv["action_details"]) == {"a": ["2.50"], "b": 1}


@pytest.mark.parametrize("details", ["[1]", '"{""a"":""\\ud800""}"'])
def test_details_of_the_audit_csv_that_are_no_object_keep_their_row_aside(details: str) -> None:
    body = f"id,timestamp,member_id,action,details,ip_address\n{ID},{AT},,X,{details},\n".encode()
    (rejected,) = read("AUDIT_LOGS_CSV", body).rejected
    assert rejected.code == "BAD_JSON"


def test_earnings_belong_to_the_pocket_that_was_asked_for() -> None:
    asked = Expectation(pocket_ids=frozenset({ID}), first=date(2024, 5, 1), last=date(2024, 5, 1))
    body = {"earnings": {"value": -250, "currency": "USD"}, "date_from": "2024-05-01", "date_to": "2024-05-31"}
    row = only_row("EARNINGS", body, asked)
    assert (row["pocket_id"], row["earnings"], row["last_date"]) == (ID, Decimal("-2.50"), date(2024, 5, 31))
    with pytest.raises(RefusedDocumentError, match="not asked for"):
        read("EARNINGS", {**body, "date_from": "2024-04-30"}, asked)


def test_the_yields_and_sign_ins_of_the_moment_make_no_new_version() -> None:
    for name, column in (("trading_strategy", "discount_yield"), ("team_member", "last_login_at_utc")):
        (found,) = [one for one in FRAMES[name].columns if one.name == column]
        assert found.role.value == "provenance"

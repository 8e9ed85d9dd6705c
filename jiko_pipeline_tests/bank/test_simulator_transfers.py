"""Transfer requests of the simulated bank over HTTP: dual control, and the money that moves."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline_tests.bank.money_rig import (
    REQUESTS,
    UNKNOWN,
    approved,
    counterparty,
    decide,
    move_clock,
    open_pockets,
    payment,
    reallocation,
    requested,
    statement,
    wire,
)
from jiko_pipeline_tests.bank.simulator_rig import Json, ServedBank, again, served

MORNING = datetime(2024, 7, 10, 14, 0, tzinfo=UTC)
"""Wednesday, ten o'clock in New York."""
TODAY, TOMORROW = "2024-07-10", "2024-07-11"
AFTER_TODAY, AFTER_TOMORROW = "2024-07-11T02:00:00Z", "2024-07-12T02:00:00Z"


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[ServedBank]:
    with served(ServeOptions(tmp_path, now=MORNING)) as running:
        yield running


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedBank]:
    """A bank whose tests leave no money moved."""
    with served(ServeOptions(tmp_path_factory.mktemp("bank"), now=MORNING)) as running:
        yield running


def _listed(bank: ServedBank, transfer_id: str) -> list[Json]:
    return [row for row in bank.walk("/api/v2/transactions/") if row["transaction_id"] == transfer_id]


def _events(bank: ServedBank, subject: str) -> list[str]:
    events = (item["event"] for item in bank.walk("/api/v1/events/", after="2024-07-09T00:00:00Z"))
    return [event["event_type"] for event in events if subject in event["payload"].values()]


def test_an_approved_wire_is_a_transaction_a_statement_entry_a_sweep_and_a_sale_of_bills(bank: ServedBank) -> None:
    origin = open_pockets(bank)[0]["id"]
    party = counterparty(bank, "wire")
    body = wire(origin, party, 1_234_567_89, description="Invoice 17", end_to_end_identification="INV-17")
    request = approved(bank, body)
    assert request["status"] == "APPROVED"
    wire_id = request["id"]
    (row,) = bank.walk("/api/v2/transactions/", wire__=wire_id)
    assert (row["type"], row["direction"], row["amount"]["value"]) == ("WIRE", "DEBIT", 1_234_567_89)
    assert (row["wire_id"], row["transaction_id"], row["pocket_id"]) == (wire_id, wire_id, origin)
    assert (row["description"], row["end_to_end_identification"]) == ("Invoice 17 / INV-17", "INV-17")
    move_clock(bank, AFTER_TODAY)
    fees = [fee for fee in bank.walk("/api/v2/transactions/", type__="FEE") if fee["related_transaction_id"] == wire_id]
    assert [fee["amount"]["value"] for fee in fees] == [2_500]

    banked = statement(bank, "BANK", origin, TODAY)
    assert (banked.opening, banked.closing) == (0, 0)
    assert sum(entry.cents for entry in banked.entries) == 0
    (entry,) = (entry for entry in banked.entries if entry.end_to_end_id == row["id"].replace("-", ""))
    assert (entry.code, entry.cents, entry.remittance) == ("WIRE_OUT", -1_234_567_89, "Invoice 17 / INV-17")
    assert banked.cents("SWEEP_IN") >= 1_234_592_89
    invested = statement(bank, "BROKERAGE", origin, TODAY)
    assert invested.cents("SUBTRACTION") == -banked.cents("SWEEP_IN")
    assert invested.closing == invested.opening + sum(entry.cents for entry in invested.entries)
    sales = [
        trade
        for trade in bank.walk("/api/v2/trades/", **{"pocket_id[]": origin, "book_date_from": TODAY})
        if trade["activity"] == "SELL" and trade["book_date"] == TODAY
    ]
    sold = sum(trade["notional"]["value"] for trade in sales)
    assert sold >= 1_234_567_89 - banked.cents("ACH_CREDIT") - banked.cents("WIRE_IN") - banked.cents("ON_US_IN")

    assert bank.get(f"{REQUESTS}{wire_id}/")["status"] == "COMPLETED"
    assert _events(bank, wire_id) == ["transfers.wire.out.processing", "transfers.wire.out.success"]


def test_money_between_two_pockets_is_conserved_and_booked_on_the_next_trading_day(bank: ServedBank) -> None:
    first, second = (pocket["id"] for pocket in open_pockets(bank)[:2])
    request = approved(bank, reallocation(first, second, 2_000_000_00))
    assert _listed(bank, request["id"]) == []
    move_clock(bank, AFTER_TODAY)
    assert _listed(bank, request["id"]) == []
    assert bank.get(f"{REQUESTS}{request['id']}/")["status"] == "APPROVED"
    move_clock(bank, AFTER_TOMORROW)
    legs = bank.walk("/api/v2/transactions/", on_us_transfer__=request["id"])
    assert {(leg["pocket_id"], leg["direction"], leg["amount"]["value"]) for leg in legs} == {
        (first, "DEBIT", 2_000_000_00),
        (second, "CREDIT", 2_000_000_00),
    }
    ids = {leg["id"].replace("-", "") for leg in legs}
    both = [statement(bank, "BANK", pocket, TOMORROW) for pocket in (first, second)]
    booked = [entry for one in both for entry in one.entries if entry.end_to_end_id in ids]
    assert sorted((entry.code, entry.cents) for entry in booked) == [
        ("ON_US_IN", 2_000_000_00),
        ("ON_US_OUT", -2_000_000_00),
    ]
    assert [(one.opening, one.closing) for one in both] == [(0, 0), (0, 0)]
    assert bank.get(f"{REQUESTS}{request['id']}/")["status"] == "COMPLETED"
    assert sorted(_events(bank, request["id"])) == [
        "transfers.on-us.processing",
        "transfers.on-us.received",
        "transfers.on-us.success",
    ]


def test_a_payment_to_another_customer_leaves_at_once_and_is_received_by_nobody_here(bank: ServedBank) -> None:
    origin = open_pockets(bank)[0]["id"]
    request = approved(bank, payment(origin, counterparty(bank, "on_us"), 50_000_00))
    (leg,) = _listed(bank, request["id"])
    assert (leg["direction"], leg["on_us_transfer_type"]) == ("DEBIT", "PEER_TO_PEER")
    assert leg["time_booked"] == request["updated_at"]


def test_what_is_approved_after_the_sale_of_bills_began_is_paid_on_the_next_trading_day(bank: ServedBank) -> None:
    move_clock(bank, "2024-07-12T19:30:00Z")
    origin = open_pockets(bank)[0]["id"]
    trades, rows = bank.walk("/api/v2/trades/"), bank.walk("/api/v2/transactions/", limit=100)
    request = approved(bank, wire(origin, counterparty(bank, "wire"), 1_000_000_00))
    assert bank.walk("/api/v2/trades/") == trades
    assert [row["id"] for row in bank.walk("/api/v2/transactions/", limit=100)] == [row["id"] for row in rows]
    move_clock(bank, "2024-07-16T02:00:00Z")
    (row,) = bank.walk("/api/v2/transactions/", wire__=request["id"])
    assert row["time_booked"].startswith("2024-07-15T13:")
    assert statement(bank, "BANK", origin, "2024-07-15").cents("WIRE_OUT") <= -1_000_000_00


def test_what_was_said_before_an_order_stays_as_it_was_byte_for_byte(bank: ServedBank) -> None:
    origin = open_pockets(bank)[0]["id"]
    orders = [
        bank.order("BANK_STATEMENT_REPORT", "CAMT053", pocket_ids=[origin], date=day).json()["id"]
        for day in ("2024-06-28", "2024-07-09", TODAY)
    ]
    orders.append(bank.order("TRADE_REPORT", "CSV", date_from="2024-06-10", date_to=TODAY).json()["id"])
    reports = [report["id"] for order in orders for report in bank.finished(order)["reports"]]
    before = [bank.download(report).content for report in reports]
    rows = bank.walk("/api/v2/transactions/", limit=100)
    request = approved(bank, wire(origin, counterparty(bank, "wire"), 3_000_000_00))
    assert [bank.download(report).content for report in reports] == before
    known = {row["id"] for row in rows}
    new = [row for row in bank.walk("/api/v2/transactions/", limit=100) if row["id"] not in known]
    assert {row["transaction_id"] for row in new if row["type"] == "WIRE"} == {request["id"]}
    assert len(new) == 2


def test_a_restart_keeps_what_was_ordered_and_what_came_of_it(tmp_path: Path) -> None:
    options = ServeOptions(tmp_path / "one", now=MORNING)
    with served(options) as bank:
        first, second = (pocket["id"] for pocket in open_pockets(bank)[:2])
        approved(bank, reallocation(first, second, 2_000_000_00))
        approved(bank, wire(first, counterparty(bank, "wire"), 250_000_00))
        move_clock(bank, "2024-08-06T02:00:00Z")
        before = _said(bank, first)
    with served(again(options, now=None)) as bank:
        assert _said(bank, first) == before


def _said(bank: ServedBank, pocket: str) -> list[Any]:
    return [
        bank.walk("/api/v2/transactions/", limit=100, time_booked_to="2024-08-06T00:00:00Z"),
        bank.walk("/api/v2/trades/", limit=100, trade_datetime_to="2024-08-06T00:00:00Z"),
        statement(bank, "BANK", pocket, "2024-07-11"),
        statement(bank, "BROKERAGE", pocket, "2024-08-05"),
        bank.walk(REQUESTS),
    ]


def test_more_than_the_pocket_holds_is_rejected_and_nothing_moves(quiet: ServedBank) -> None:
    pocket = open_pockets(quiet)[0]
    total = pocket["portfolio"]["total_value"]["value"]
    for body in (
        wire(pocket["id"], counterparty(quiet, "wire"), total),
        payment(pocket["id"], counterparty(quiet, "on_us"), 10 * total),
    ):
        request = approved(quiet, body)
        assert (request["status"], request["status_reason"]) == ("REJECTED", "Insufficient funds.")
        assert _listed(quiet, request["id"]) == []
    assert _events(quiet, request["id"]) == ["transfers.on-us.rejected"]
    titles = [one["title"] for one in quiet.walk("/api/v1/notifications/") if _is_about(one, request["id"])]
    assert sorted(titles) == ["A transfer waits for approval", "A transfer was rejected"]


def _is_about(notification: Json, transfer_id: str) -> bool:
    metadata: Json = notification["notification_metadata"] or {}
    return metadata.get("transfer_id") == transfer_id


def test_two_transfers_cannot_spend_the_same_money(bank: ServedBank) -> None:
    pocket = open_pockets(bank)[0]
    most = pocket["portfolio"]["total_value"]["value"] * 6 // 10
    party = counterparty(bank, "wire")
    assert approved(bank, wire(pocket["id"], party, most))["status"] == "APPROVED"
    assert approved(bank, wire(pocket["id"], party, most))["status"] == "REJECTED"


def test_usdc_is_requested_and_then_rejected_because_the_bank_pays_out_none(quiet: ServedBank) -> None:
    body = wire(open_pockets(quiet)[0]["id"], counterparty(quiet, "wire"), 100, type="USDC")
    assert approved(quiet, body)["status_reason"] == "The bank does not pay out USDC for this customer."


def test_the_creator_may_neither_approve_nor_deny(quiet: ServedBank) -> None:
    request = requested(quiet, wire(open_pockets(quiet)[0]["id"], counterparty(quiet, "wire"), 100_00))
    assert [decide(quiet.http, request, word).status_code for word in ("APPROVED", "DENIED")] == [403, 403]
    assert quiet.get(f"{REQUESTS}{request['id']}/")["status"] == "PENDING"


def test_only_a_named_reviewer_decides(quiet: ServedBank) -> None:
    people = quiet.get(f"{REQUESTS}reviewers/")["items"]
    approver = next(one["user_id"] for one in people if one["first_name"] == "simulated-approver")
    other = next(one["user_id"] for one in people if not one["first_name"].startswith("simulated"))
    body = wire(open_pockets(quiet)[0]["id"], counterparty(quiet, "wire"), 100_00)
    not_asked = requested(quiet, {**body, "reviewers": [other]})
    asked = requested(quiet, {"transfer": {**body["transfer"], "id": str(uuid.uuid4())}, "reviewers": [approver]})
    assert [one["user_id"] for one in asked["reviewers"]] == [approver]
    with quiet.approver() as client:
        assert decide(client, not_asked).status_code == 403
        assert decide(client, asked, "DENIED").json()["reviewed_by"]["user_id"] == approver
    listed = quiet.walk(REQUESTS, reviewer=other)
    assert not_asked["id"] in {one["id"] for one in listed}
    assert asked["id"] not in {one["id"] for one in listed}


def test_a_denied_or_cancelled_request_is_decided_for_good(quiet: ServedBank) -> None:
    body = wire(open_pockets(quiet)[0]["id"], counterparty(quiet, "wire"), 100_00)
    denied = requested(quiet, body)
    cancelled = requested(quiet, {**body, "transfer": {**body["transfer"], "id": str(uuid.uuid4())}})
    with quiet.approver() as approver:
        assert decide(approver, denied, "DENIED").json()["status"] == "DENIED"
        assert approver.delete(f"{REQUESTS}{cancelled['id']}/").status_code == 403
        assert quiet.http.delete(f"{REQUESTS}{cancelled['id']}/").status_code == 204
        for request, status in ((denied, "DENIED"), (cancelled, "CANCELLED")):
            refused = decide(approver, request)
            assert refused.status_code == 409
            assert status in refused.json()["detail"]
            assert quiet.http.delete(f"{REQUESTS}{request['id']}/").status_code == 409
            assert request["id"] in {one["id"] for one in quiet.walk(REQUESTS, status=status)}
            assert _listed(quiet, request["id"]) == []


def test_the_same_id_and_body_is_the_same_request_and_another_body_a_conflict(quiet: ServedBank) -> None:
    body = wire(open_pockets(quiet)[0]["id"], counterparty(quiet, "wire"), 100_00)
    assert requested(quiet, body) == requested(quiet, body)
    body["transfer"]["amount"]["amount_usdc"] = 101_00
    assert quiet.http.post(REQUESTS, json=body).status_code == 409
    ids = [one["id"] for one in quiet.walk(REQUESTS, limit=2)]
    assert ids.count(body["transfer"]["id"]) == 1


def test_requests_are_listed_newest_first_page_by_page(quiet: ServedBank) -> None:
    body = wire(open_pockets(quiet)[0]["id"], counterparty(quiet, "wire"), 100_00)
    made = [
        requested(quiet, {**body, "transfer": {**body["transfer"], "id": str(uuid.uuid4())}})["id"] for _ in range(3)
    ]
    walked = [one["id"] for one in quiet.walk(REQUESTS, limit=1)]
    assert walked[:3] == made[::-1]


def test_every_step_is_in_the_audit_log_under_who_made_it(quiet: ServedBank) -> None:
    body = wire(open_pockets(quiet)[0]["id"], counterparty(quiet, "wire"), 100_00)
    request = requested(quiet, body)
    with quiet.approver() as approver:
        decided = decide(approver, request, "DENIED").json()
    entries = quiet.walk("/api/v1/team/audit-logs/", timestamp_from="2024-07-10T00:00:00Z", limit=100)
    steps = {entry["action"]: entry for entry in entries if request["id"] in str(entry)}
    assert set(steps) == {"TRANSFER_REQUEST_CREATED", "TRANSFER_REQUEST_DENIED"}
    assert decided["reviewed_by"]["user_id"] in str(steps["TRANSFER_REQUEST_DENIED"])
    assert decided["created_by"]["user_id"] in str(steps["TRANSFER_REQUEST_CREATED"])


def test_what_breaks_a_rule_is_refused_with_the_rule(quiet: ServedBank) -> None:
    first, second = (pocket["id"] for pocket in open_pockets(quiet)[:2])
    securities = reallocation(first, second, 100_00)
    securities["transfer"]["details"]["transfer_type"] = "SECURITY_TRANSFER"
    broken = {
        "origin-pocket-unknown": wire(UNKNOWN, counterparty(quiet, "wire"), 100_00),
        "counterparty-not-usable": wire(first, counterparty(quiet, "on_us"), 100_00),
        "destination-pocket-unknown": reallocation(first, first, 100_00),
        "security-transfer-not-offered": securities,
    }
    for rule, body in broken.items():
        answer = quiet.http.post(REQUESTS, json=body)
        assert (answer.status_code, answer.json()["type"]) == (422, rule)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"amount": {"type": "REQUESTED_AMOUNT", "amount_usdc": 0}}, "amount_usdc"),
        ({"amount": {"type": "REQUESTED_AMOUNT", "amount_usdc": 10.5}}, "amount_usdc"),
        ({"amount": {"type": "REQUESTED_AMOUNT"}}, "amount_usdc"),
        ({"type": "ACH"}, "type"),
        ({"id": "17"}, "id"),
        ({"counterparty_id": None}, "counterparty_id"),
    ],
)
def test_a_wrong_field_is_named(quiet: ServedBank, change: Json, place: str) -> None:
    body = wire(open_pockets(quiet)[0]["id"], counterparty(quiet, "wire"), 100_00)
    answer = quiet.http.post(REQUESTS, json={**body, "transfer": {**body["transfer"], **change}})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][-1] == place


def test_a_reviewer_who_may_not_review_is_refused(quiet: ServedBank) -> None:
    body = wire(open_pockets(quiet)[0]["id"], counterparty(quiet, "wire"), 100_00)
    creator = requested(quiet, body)["created_by"]["user_id"]
    for reviewer in (UNKNOWN, creator):
        transfer = {**body["transfer"], "id": str(uuid.uuid4())}
        answer = quiet.http.post(REQUESTS, json={"transfer": transfer, "reviewers": [reviewer]})
        assert answer.json()["detail"][0]["loc"] == ["body", "reviewers", 0]


def test_an_unknown_request_is_not_found(quiet: ServedBank) -> None:
    assert quiet.http.get(f"{REQUESTS}{UNKNOWN}/").status_code == 404
    assert quiet.http.delete(f"{REQUESTS}{UNKNOWN}/").status_code == 404
    with quiet.approver() as approver:
        assert decide(approver, {"id": UNKNOWN}).status_code == 404


def _drawn_ids(bank: ServedBank, kind: str) -> dict[str, list[Json]]:
    """The transactions of a type by the id that events name them by, as the ledger made them."""
    name = "wire_id" if kind == "WIRE" else "on_us_transfer_id"
    rows = bank.walk("/api/v2/transactions/", type__=kind, time_booked_from="2024-06-15T00:00:00Z")
    return {row[name]: [leg for leg in rows if leg[name] == row[name]] for row in rows}


@pytest.mark.parametrize("kind", ["WIRE", "ON_US"])
def test_the_id_of_a_payment_of_the_ledger_names_a_request_that_another_person_approved(
    quiet: ServedBank, kind: str
) -> None:
    told = 0
    listed = quiet.walk(REQUESTS)
    log = quiet.walk("/api/v1/team/audit-logs/", timestamp_from="2024-06-14T00:00:00Z", limit=100)
    names = {one["id"]: one["name_on_account"] for one in quiet.walk("/api/v2/counterparties/")}
    for transfer_id, legs in _drawn_ids(quiet, kind).items():
        paid = [leg for leg in legs if leg["direction"] == "DEBIT"]
        answer = quiet.http.get(f"{REQUESTS}{transfer_id}/")
        if not paid:
            assert answer.status_code == 404
            continue
        request, (leg,) = answer.json(), paid
        told += 1
        assert request["status"] == ("COMPLETED" if leg["status"] == "SETTLED" else "APPROVED")
        transfer = request["transfer"]
        assert (transfer["id"], transfer["type"], transfer["origin_pocket_id"]) == (transfer_id, kind, leg["pocket_id"])
        assert transfer["amount"]["amount_usdc"] == leg["amount"]["value"]
        assert request["created_by"]["user_id"] != request["reviewed_by"]["user_id"]
        assert [request["reviewed_by"]] == request["reviewers"]
        assert request in listed
        entries = [entry for entry in log if transfer_id in str(entry)]
        assert {(entry["action"], entry["member_id"]) for entry in entries} == {
            ("TRANSFER_REQUEST_CREATED", request["created_by"]["user_id"]),
            ("TRANSFER_REQUEST_APPROVED", request["reviewed_by"]["user_id"]),
        }
        assert max(entry["timestamp"] for entry in entries) < leg["time_booked"]
        received = [other["pocket_id"] for other in legs if other["direction"] == "CREDIT"]
        if received:
            assert transfer["details"]["destination_pocket_id"] == received[0]
        else:
            party = transfer.get("counterparty_id") or transfer["details"]["destination_counterparty_id"]
            assert names[party] in leg["title"]
    assert told > 0


def test_a_payment_of_the_ledger_is_neither_cancelled_nor_decided_on(quiet: ServedBank) -> None:
    ids = _drawn_ids(quiet, "WIRE")
    transfer_id = next(one for one, legs in ids.items() if legs[0]["direction"] == "DEBIT")
    assert quiet.http.delete(f"{REQUESTS}{transfer_id}/").status_code == 409
    assert decide(quiet.http, {"id": transfer_id}).status_code == 409


@pytest.mark.parametrize("field", ["description", "end_to_end_identification"])
@pytest.mark.parametrize("text", ["Invoice\x0017", "Invoice\n17", "\x1b[31m", "\ufffe"])
def test_a_text_that_no_statement_can_carry_is_refused(quiet: ServedBank, field: str, text: str) -> None:
    body = wire(open_pockets(quiet)[0]["id"], counterparty(quiet, "wire"), 100, **{field: text})
    answer = quiet.http.post(REQUESTS, json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "transfer", field]


@pytest.mark.parametrize("spell", [str.upper, lambda identifier: identifier.replace("-", "")])
def test_a_request_is_shown_with_identifiers_as_the_bank_spells_them(
    quiet: ServedBank, spell: Callable[[str], str]
) -> None:
    first, second, *_ = (pocket["id"] for pocket in open_pockets(quiet))
    for kind, receiver in ((reallocation, second), (payment, counterparty(quiet, "on_us"))):
        wanted = str(uuid.uuid4())
        request = requested(quiet, kind(spell(first), spell(receiver), 100.0, id=spell(wanted)))
        shown = request["transfer"]
        assert request["id"] == shown["id"] == wanted
        assert (shown["origin_pocket_id"], repr(shown["amount"]["amount_usdc"])) == (first, "100")
        assert receiver in shown["details"].values()
    assert requested(quiet, kind(first, receiver, 100, id=wanted)) == request


def test_an_id_that_a_movement_of_the_ledger_bears_is_taken(quiet: ServedBank) -> None:
    moved = quiet.walk("/api/v2/transactions/", limit=100)
    on_us = {row["on_us_transfer_id"] for row in moved if row["type"] == "ON_US"}
    one_of_each = {(row["type"], row["direction"]): row["transaction_id"] for row in moved}
    assert {("WIRE", "DEBIT"), ("WIRE", "CREDIT")} <= one_of_each.keys()
    origin, party = open_pockets(quiet)[0]["id"], counterparty(quiet, "wire")
    before = quiet.walk(REQUESTS)
    for taken in (*one_of_each.values(), *sorted(on_us)[:1]):
        answer = quiet.http.post(REQUESTS, json=wire(origin, party, 100_00, id=taken))
        assert (answer.status_code, answer.json()["type"]) == (409, "transfer-id-taken")
    assert quiet.walk(REQUESTS) == before
    request = requested(quiet, wire(origin, party, 100_00))
    assert request["status"] == "PENDING"


@pytest.mark.parametrize(("role", "status"), [("VIEWER", 403), ("ANALYST", 403), ("SERVICE", 201)])
def test_only_a_role_that_may_move_money_requests_a_transfer_and_changes_pockets(
    bank: ServedBank, role: str, status: int
) -> None:
    pocket, party = open_pockets(bank)[0]["id"], counterparty(bank, "wire")
    before = bank.walk(REQUESTS)
    with bank.approver() as client:
        member = client.get("/api/v1/user/").json()["user_id"]
        assert bank.http.put(f"/api/v1/team/{member}/", json={"role": role}).status_code == 200
        answers = [
            client.post(REQUESTS, json=wire(pocket, party, 100_00)),
            client.post("/api/v2/pockets/", json={"pocket_name": "Reserve", "trading_strategy_id": "UST-4W"}),
            client.patch(f"/api/v2/pockets/{pocket}/", json={"pocket_name": "Renamed"}),
        ]
        assert client.get(f"/api/v2/pockets/{pocket}/").status_code == 200
    assert [answer.status_code for answer in answers] == [status, status, 403 if status == 403 else 200]
    if status == 403:
        assert all("role" in answer.json()["detail"] for answer in answers)
        assert bank.walk(REQUESTS) == before
        assert "Renamed" not in {one["pocket_name"] for one in open_pockets(bank)}

"""The typed client against the second bank: models, lists, changes that are never repeated blindly, own sign-ins."""

import logging
import traceback
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import BaseModel, ValidationError

from jiko_pipeline.bank.client.jiko import JikoClient
from jiko_pipeline.bank.client.models.activity import TransactionActivity, WireTransactionActivity
from jiko_pipeline.bank.client.models.base import Money
from jiko_pipeline.bank.client.models.messages import CreateSubscriptionRequest, RetryPolicy, UpdateSubscriptionRequest
from jiko_pipeline.bank.client.models.people import EditTeamMemberRequest
from jiko_pipeline.bank.client.models.pockets import CreatePocketRequest, Pocket, UpdatePocketRequest
from jiko_pipeline.bank.client.models.reports import CreateReportRequest
from jiko_pipeline.bank.client.models.transfers import (
    CreateTransferRequest,
    OtherTransfer,
    RequestedAmount,
    WireTransfer,
)
from jiko_pipeline.bank.client.opening import open_client
from jiko_pipeline.bank.connection import connect
from jiko_pipeline.bank.contract import JIKO
from jiko_pipeline.bank.errors import (
    AmbiguousOutcomeError,
    AuthenticationError,
    ContractBrokenError,
    DownloadRefusedError,
    NotFoundError,
    PermissionRefusedError,
    RateLimitedError,
    ScopeError,
    UnavailableError,
)
from jiko_pipeline.bank.line import ClientKey
from jiko_pipeline.bank.retry import RetryBudget
from jiko_pipeline.errors import JikoPipelineError, SettingsError
from jiko_pipeline.settings import Settings
from jiko_pipeline_tests.bank.second_bank import CLIENT_ID, KEY_ID, Reply, SecondBank, Seen, StillClock, free_port

Make = Callable[..., Settings]

POCKET_ID = "0c5d6a5e-6c0b-4ad7-9a53-3a5f4d0f6e11"
POCKET = {
    "id": POCKET_ID,
    "pocket_name": "Operating",
    "portfolio": None,
    "status": "OPEN",
    "deposit_strategy_id": "UST-4W",
    "reinvestment_strategy_id": None,
}
TRANSFERS = "/api/v1/transfer-requests/"
NAIVE = datetime(2026, 1, 30, tzinfo=UTC).replace(tzinfo=None)


def page(items: list[Any], following: object = None) -> Reply:
    return Reply(200, {"prev_page": None, "next_page": following, "items": items, "object_type": "CursorList"})


def wire(**changes: Any) -> CreateTransferRequest:
    transfer = {
        "origin_pocket_id": POCKET_ID,
        "amount": RequestedAmount(amount_usdc=12_345),
        "counterparty_id": str(uuid4()),
        **changes,
    }
    return CreateTransferRequest(transfer=WireTransfer(**transfer))


@pytest.fixture
def client(second_bank: SecondBank, settings_for: Make, still: StillClock) -> Iterator[JikoClient]:
    with connect(settings_for(), clock=still.clock) as bank:
        yield bank.client


def test_unknown_fields_and_unknown_words_are_kept(second_bank: SecondBank, client: JikoClient) -> None:
    strange = {**POCKET, "status": "HIBERNATING", "colour": {"hue": 7}, "type": "VAULT"}
    second_bank.plant("GET /api/v2/pockets/", page([strange]))
    (pocket,) = client.pockets.list()
    assert (pocket.status, pocket.type) == ("HIBERNATING", "VAULT")
    assert pocket.model_extra == {"colour": {"hue": 7}}


def movement(kind: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "id": str(uuid4()),
        "transaction_id": str(uuid4()),
        "description": "",
        "title": "",
        "amount": {"value": 10_123, "currency": "USD", "formatted": "$101.23"},
        "direction": "CREDIT",
        "status": "BOOKED",
        "time_booked": "2026-01-30T16:09:35.775108Z",
        "time_settled": None,
        **fields,
    }


def test_a_transaction_is_of_its_type_and_one_of_an_unknown_type_is_plain(
    second_bank: SecondBank, client: JikoClient
) -> None:
    second_bank.plant(
        "GET /api/v2/transactions/", page([movement("WIRE", wire_id=POCKET_ID), movement("PIGEON", ring="r-1")])
    )
    known, unknown = client.transactions.list(pockets=[POCKET_ID], order="asc", amount_from=1, limit=7)
    assert isinstance(known, WireTransactionActivity)
    assert known.wire_id == POCKET_ID
    assert known.amount.cents == 10_123
    assert known.time_booked == datetime(2026, 1, 30, 16, 9, 35, 775_108, tzinfo=UTC)
    assert type(unknown) is TransactionActivity
    assert unknown.model_extra == {"ring": "r-1"}
    (seen,) = second_bank.calls("GET /api/v2/transactions/")
    assert seen.query == {"pocket[]": [POCKET_ID], "order": ["asc"], "amount_from": ["1"], "limit": ["7"]}


@pytest.mark.parametrize(
    ("value", "formatted"),
    [("10123", "$101.23"), (101.23, "$101.23"), (True, "$0.01"), (10_123, "$101.24"), (10_123, "$10,123.00")],
)
def test_money_that_is_no_whole_number_or_contradicts_itself_is_refused(value: object, formatted: str) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"value": value, "currency": "USD", "formatted": formatted})


@pytest.mark.parametrize(
    "formatted", ["$101.23", "-$101.23", "($101.23)", "101.23", "", "USD 101,23", "about a hundred"]
)
def test_money_that_agrees_or_is_shown_in_another_way_is_taken(formatted: str) -> None:
    assert Money.model_validate({"value": 10_123, "currency": "USD", "formatted": formatted}).cents == 10_123


def strategy(answer: str) -> Reply:
    text = f'{{"id":"UST-4W","description":"","applicable_to":["DEPOSIT"],"yield_to_maturity":{answer}}}'
    return Reply(200, body=f'{{"offset":0,"count":1,"items":[{text}]}}'.encode())


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('"0.0625"', "0.0625"),
        ("0.1", "0.1"),
        ("0.30000000000000004", "0.30000000000000004"),
        ("5", "5"),
        ("1e-7", "1E-7"),
    ],
)
def test_a_decimal_is_read_to_the_last_digit(
    second_bank: SecondBank, client: JikoClient, written: str, read: str
) -> None:
    second_bank.plant("GET /api/v2/trading-strategies/", strategy(written))
    (found,) = client.trading_strategies.list()
    assert found.yield_to_maturity == Decimal(read)


@pytest.mark.parametrize("written", ['"NaN"', '"1_000"', '" 1"', '"1,5"', "true", '"٣"', "[]"])
def test_what_is_no_decimal_is_refused(second_bank: SecondBank, client: JikoClient, written: str) -> None:
    second_bank.plant("GET /api/v2/trading-strategies/", strategy(written))
    with pytest.raises(ContractBrokenError, match=r"0\.yield_to_maturity"):
        list(client.trading_strategies.list())


def test_an_answer_of_another_form_is_told_by_places_and_never_by_what_stood_there(
    second_bank: SecondBank, client: JikoClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    second_bank.plant("GET /api/v1/portals/", Reply(200, {"count": "canary-1", "portals": [{"id": ["canary-2"]}]}))
    with pytest.raises(ContractBrokenError) as caught:
        client.portals.list()
    said = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert "count (int_type)" in str(caught.value)
    assert "portals.0.account_number (missing)" in str(caught.value)
    assert "canary" not in said


def test_a_list_is_walked_anew_each_time_and_page_by_page(second_bank: SecondBank, client: JikoClient) -> None:
    def answer(seen: Seen) -> Reply:
        cursor = seen.query.get("cursor", [""])[0]
        number = int(cursor or 0)
        return page([{**POCKET, "pocket_name": f"P{number}"}], str(number + 1) if number < 2 else "")

    second_bank.handlers[("GET", "/api/v2/pockets/")] = answer
    listed = client.pockets.list(limit=1)
    assert second_bank.calls("GET /api/v2/pockets/") == []
    assert [pocket.pocket_name for pocket in listed] == ["P0", "P1", "P2"]
    assert [len(found.items) for found in listed.pages()] == [1, 1, 1]
    second = listed.page(listed.page().next_page)
    assert (second.items[0].pocket_name, second.next_page) == ("P1", "2")


@pytest.mark.parametrize(("tokens", "problem"), [(["a", "b", "a"], "circle"), (["https://evil.example/"], "address")])
def test_a_list_that_cannot_be_followed_is_refused(
    second_bank: SecondBank, client: JikoClient, tokens: list[str], problem: str
) -> None:
    second_bank.plant("GET /api/v1/subscriptions/", *[page([], token) for token in tokens])
    with pytest.raises(ContractBrokenError, match=problem):
        list(client.subscriptions.list())
    assert len(second_bank.calls("GET /api/v1/subscriptions/")) == len(tokens)


def test_a_list_without_an_end_stops_at_the_cap(second_bank: SecondBank, settings_for: Make, still: StillClock) -> None:
    second_bank.plant("GET /api/v1/events/", *[page([], f"t{number}") for number in range(9)])
    contract = JIKO.model_copy(update={"page_cap": 4})
    with (
        connect(settings_for(), clock=still.clock, contract=contract) as bank,
        pytest.raises(ContractBrokenError, match="did not end after 4 pages"),
    ):
        list(bank.client.events.list(after=still.now))


def test_strategies_are_walked_by_offset_and_a_repeated_page_is_refused(
    second_bank: SecondBank, client: JikoClient
) -> None:
    def item(number: int) -> dict[str, Any]:
        return {"id": f"UST-{number}W", "description": "", "applicable_to": ["DEPOSIT"]}

    def answer(seen: Seen) -> Reply:
        offset = int(seen.query["offset"][0])
        return Reply(200, {"offset": offset, "count": 2, "items": [item(n) for n in range(offset, min(offset + 2, 5))]})

    second_bank.handlers[("GET", "/api/v2/trading-strategies/")] = answer
    assert [found.id for found in client.trading_strategies.list(limit=2)] == [f"UST-{n}W" for n in range(5)]
    stuck = Reply(200, {"offset": 0, "count": 2, "items": [item(1), item(2)]})
    second_bank.plant("GET /api/v2/trading-strategies/", stuck, stuck)
    with pytest.raises(ContractBrokenError, match="circle"):
        list(client.trading_strategies.list(limit=2))


@pytest.mark.parametrize("body", [[{"role": "ADMIN"}], {"items": [{"role": "ADMIN"}]}])
def test_memberships_are_read_with_and_without_an_envelope(
    second_bank: SecondBank, client: JikoClient, body: object
) -> None:
    second_bank.plant("GET /api/v1/user/memberships/", Reply(200, body))
    assert [found.role for found in client.user.memberships()] == ["ADMIN"]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(hang_up=True),
        Reply(500, {}),
        Reply(503, {}, {"Retry-After": "1"}),
        Reply(201, body=b"<html>"),
        Reply(201, {"status": "PENDING"}),
        Reply(204, body=b""),
        Reply(200, {}, {"Content-Encoding": "gzip"}),
    ],
    ids=["lost", "500", "503", "not json", "another form", "no content", "coded"],
)
def test_a_change_whose_outcome_is_not_known_is_sent_once(
    second_bank: SecondBank, client: JikoClient, reply: Reply
) -> None:
    second_bank.plant(f"POST {TRANSFERS}", reply, Reply(201, {}))
    request = wire()
    with pytest.raises(AmbiguousOutcomeError) as caught:
        client.transfer_requests.create(request)
    (sent,) = second_bank.calls(f"POST {TRANSFERS}")
    assert request.transfer.id.encode() in sent.body
    assert "transfer_requests.get" in caught.value.remedy


def test_after_an_ambiguous_outcome_the_transfer_is_found_by_its_id(
    second_bank: SecondBank, client: JikoClient
) -> None:
    request = wire()
    second_bank.plant(f"POST {TRANSFERS}", Reply(hang_up=True))
    with pytest.raises(AmbiguousOutcomeError):
        client.transfer_requests.create(request)
    with pytest.raises(NotFoundError):
        client.transfer_requests.get(request.transfer.id)
    found = {"id": request.transfer.id, "status": "PENDING", "transfer": {"id": request.transfer.id, "type": "PIGEON"}}
    second_bank.plant(f"GET {TRANSFERS}{request.transfer.id}/", Reply(200, found))
    answer = client.transfer_requests.get(request.transfer.id)
    assert isinstance(answer.transfer, OtherTransfer)


def test_a_change_that_was_refused_before_it_was_looked_at_is_sent_again(
    second_bank: SecondBank, client: JikoClient
) -> None:
    second_bank.plant("POST /api/v2/pockets/", Reply(429, {}, {"Retry-After": "1"}), Reply(201, POCKET))
    made = client.pockets.create(CreatePocketRequest(pocket_name="Operating", trading_strategy_id="UST-4W"))
    assert made.id == POCKET_ID
    assert len(second_bank.calls("POST /api/v2/pockets/")) == 2


def test_a_change_that_cannot_have_arrived_is_tried_again_and_is_not_ambiguous(still: StillClock) -> None:
    auth = httpx.BasicAuth("user", "password")
    with (
        open_client(f"http://127.0.0.1:{free_port()}", auth, clock=still.clock) as client,
        pytest.raises(UnavailableError, match="5 tries"),
    ):
        client.team.resend_invitation(uuid4())


def test_each_transfer_has_an_id_of_its_own_that_the_caller_can_set() -> None:
    first, second = wire(), wire()
    assert UUID(first.transfer.id) != UUID(second.transfer.id)
    own = uuid4()
    assert wire(id=own).transfer.id == str(own)


def test_a_patch_sends_what_was_given_and_null_where_it_was_given(second_bank: SecondBank, client: JikoClient) -> None:
    path = f"PATCH /api/v2/pockets/{POCKET_ID}/"
    second_bank.plant(path, Reply(200, POCKET), Reply(200, POCKET))
    client.pockets.update(POCKET_ID, UpdatePocketRequest(pocket_name="Payroll"))
    client.pockets.update(POCKET_ID, UpdatePocketRequest(reinvestment_strategy_id=None))
    assert [seen.body for seen in second_bank.calls(path)] == [
        b'{"pocket_name": "Payroll"}',
        b'{"reinvestment_strategy_id": null}',
    ]


def test_put_and_delete_go_out_as_such(second_bank: SecondBank, client: JikoClient) -> None:
    member = str(uuid4())
    second_bank.plant(f"PUT /api/v1/team/{member}/", Reply(200, {"id": member, "role": "VIEWER"}))
    second_bank.plant(f"DELETE {TRANSFERS}{member}/", Reply(204, body=b""))
    assert client.team.edit(member, EditTeamMemberRequest(role="VIEWER")).role == "VIEWER"
    client.transfer_requests.cancel(member)
    assert [seen.method for seen in second_bank.seen][-2:] == ["PUT", "DELETE"]


def test_a_document_is_uploaded_as_it_stands(second_bank: SecondBank, client: JikoClient) -> None:
    second_bank.plant("POST /api/v1/documents/PASSPORT/", Reply(200, {"document_id": POCKET_ID}))
    assert client.customer.upload_document("PASSPORT", b"%PDF-\x00\xff").document_id == POCKET_ID
    (seen,) = second_bank.calls("POST /api/v1/documents/PASSPORT/")
    assert (seen.body, seen.headers["content-type"]) == (b"%PDF-\x00\xff", "application/pdf")


def test_a_secret_is_sent_and_shown_nowhere_else(second_bank: SecondBank, client: JikoClient) -> None:
    request = CreateSubscriptionRequest(
        events=("transfers.wire.in.success",),
        url="http://127.0.0.1:9/hook",
        shared_secret="canary-secret-of-the-webhook",
        retry_policy=RetryPolicy(
            retry_on_status_codes=(500,),
            backoff_coefficient=Decimal("1.5"),
            maximum_attempts=3,
            initial_interval_seconds=Decimal(1),
            maximum_interval_seconds=Decimal(60),
        ),
    )
    change = UpdateSubscriptionRequest(shared_secret="canary-secret-of-the-webhook")
    for model in (request, change):
        assert "canary" not in f"{model!r} {model} {model.model_dump()} {model.model_dump_json()}"
    second_bank.plant("POST /api/v1/subscriptions/", Reply(422, {"detail": "no"}))
    with pytest.raises(JikoPipelineError) as caught:
        client.subscriptions.create(request)
    assert "canary" not in "".join(traceback.format_exception(caught.value))
    (seen,) = second_bank.calls("POST /api/v1/subscriptions/")
    assert b'"shared_secret": "canary-secret-of-the-webhook"' in seen.body
    assert b'"backoff_coefficient": 1.5, "maximum_attempts": 3, "initial_interval_seconds": 1' in seen.body


CONFIRMATION = f"/api/v1/accounts/{POCKET_ID}/trades/{POCKET_ID}/confirmation/"


@pytest.mark.fault_rows(77)
def test_a_confirmation_is_fetched_in_one_hop_without_credentials_and_not_kept(
    second_bank: SecondBank, settings_for: Make, still: StillClock
) -> None:
    second_bank.files["c-1"] = b"%PDF-1.4 confirmation"
    link = f"{second_bank.storage}/files/c-1?signature=canary"
    second_bank.plant(f"GET {CONFIRMATION}", Reply(307, body=b"", headers={"Location": link}))
    settings = settings_for()
    with connect(settings, clock=still.clock) as bank:
        assert bank.client.trades.confirmation(POCKET_ID, POCKET_ID) == b"%PDF-1.4 confirmation"
    assert second_bank.incidents == []
    (seen,) = second_bank.storage_seen
    assert "authorization" not in seen.headers
    assert list((settings.data_dir / "bank" / "incoming").iterdir()) == []


@pytest.mark.fault_rows(77)
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(307, {}, {"Location": "https://evil.example/file?signature=canary"}), DownloadRefusedError),
        (Reply(307, {}, {"Location": "/elsewhere"}), DownloadRefusedError),
        (Reply(307, {}), DownloadRefusedError),
        (Reply(200, {"url": "https://evil.example/canary"}), ContractBrokenError),
        (Reply(302, {}, {"Location": "https://evil.example/canary"}), ContractBrokenError),
        (Reply(404, {}), NotFoundError),
    ],
    ids=["other host", "relative", "no address", "a document", "another hop", "none for a maturity"],
)
def test_a_confirmation_that_leads_elsewhere_is_refused(
    second_bank: SecondBank, client: JikoClient, reply: Reply, error: type[Exception]
) -> None:
    second_bank.plant(f"GET {CONFIRMATION}", reply)
    with pytest.raises(error) as caught:
        client.trades.confirmation(POCKET_ID, POCKET_ID)
    assert second_bank.storage_seen == []
    assert "canary" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("body", [b"<html>please sign in</html>", b'{"detail": "no"}'])
def test_an_export_that_is_no_csv_is_refused(second_bank: SecondBank, client: JikoClient, body: bytes) -> None:
    second_bank.plant("GET /api/v1/trades.csv", Reply(200, body=body))
    with pytest.raises(ContractBrokenError, match="not CSV"):
        client.trades.export()


@pytest.mark.parametrize("pocket_id", ["../team", "a/b", "", "x?y", "a b", "%2e%2e", None, 7])
def test_an_id_that_would_lead_elsewhere_is_not_sent(
    second_bank: SecondBank, client: JikoClient, pocket_id: Any
) -> None:
    with pytest.raises(ValueError, match="pocket_id"):
        client.pockets.get(pocket_id)
    assert second_bank.seen == []


@pytest.mark.parametrize(
    ("time", "error"), [(date(2026, 1, 30), TypeError), ("2026-01-30", TypeError), (NAIVE, ValueError)]
)
def test_a_day_or_a_time_without_a_zone_is_not_sent_where_an_instant_is_due(
    second_bank: SecondBank, client: JikoClient, time: Any, error: type[Exception]
) -> None:
    for ask in (
        lambda: client.transactions.list(time_booked_from=time),
        lambda: client.transactions.list(time_settled_to=time),
        lambda: client.transactions.export(time_booked_to=time),
        lambda: client.trades.list(trade_datetime_from=time),
        lambda: client.trades.list_v1(trade_datetime_to=time),
        lambda: client.trades.export(trade_datetime_from=time),
        lambda: client.events.list(after=time),
        lambda: client.team_audits.list(timestamp_from=time),
        lambda: client.team_audits.list_for_member(POCKET_ID, timestamp_to=time),
        lambda: client.team_audits.export(timestamp_from=time),
    ):
        with pytest.raises(error, match="zone"):
            ask()
    assert second_bank.seen == []


def test_a_request_of_another_kind_is_not_sent_and_the_model_that_is_due_is_named(
    second_bank: SecondBank, client: JikoClient
) -> None:
    request: Any = {"pocket_name": "Reserve"}
    for model, ask in {
        "CreatePocketRequest": lambda: client.pockets.create(request),
        "UpdatePocketRequest": lambda: client.pockets.update(POCKET_ID, request),
        "CreateWireCounterpartyRequest": lambda: client.counterparties.create(request),
        "UpdateCounterpartyRequest": lambda: client.counterparties.update(POCKET_ID, request),
        "CreateTransferRequest": lambda: client.transfer_requests.create(request),
        "UpdateTransferRequestStatus": lambda: client.transfer_requests.decide(POCKET_ID, request),
        "CreateSubscriptionRequest": lambda: client.subscriptions.create(request),
        "UpdateSubscriptionRequest": lambda: client.subscriptions.update(POCKET_ID, request),
        "UpdateCustomerNotificationStatus": lambda: client.notifications.mark(POCKET_ID, request),
        "EditTeamMemberRequest": lambda: client.team.edit(POCKET_ID, request),
        "InviteMemberRequest": lambda: client.team.invite(request),
        "CreateServiceUserRequest": lambda: client.team.create_service_user(request),
        "CreateReportRequest": lambda: client.reports.order(request),
    }.items():
        with pytest.raises(TypeError, match=f"{model}.*not a dict"):
            ask()
    assert second_bank.seen == []


def test_a_selection_is_sent_value_by_value_and_an_empty_one_is_not_everything(
    second_bank: SecondBank, client: JikoClient
) -> None:
    second_bank.plant("GET /api/v2/pockets/", page([]))
    assert list(client.pockets.list(status={"OPEN", "FROZEN"})) == []  # type: ignore[arg-type]  # as a person may
    with pytest.raises(ValueError, match="selects nothing"):
        client.transactions.list(pockets=[])
    with pytest.raises(TypeError, match="generator"):
        client.pockets.list(status=(word for word in ("OPEN",)))  # type: ignore[arg-type]
    (seen,) = second_bank.calls("GET /api/v2/.*")
    assert sorted(seen.query["filter[status]"]) == ["FROZEN", "OPEN"]


def test_a_refusal_says_why_where_the_bank_does(second_bank: SecondBank, client: JikoClient) -> None:
    reason = "The member who created a transfer request may not decide on it"
    second_bank.plant(f"PATCH {TRANSFERS}.*", Reply(403, {"detail": reason}))
    with pytest.raises(ScopeError, match=reason):
        client.transfer_requests.approve(POCKET_ID)


@pytest.mark.parametrize("scopes", [None, "transfers.write", "pockets.read"])
def test_a_change_that_is_refused_says_that_nothing_was_changed_and_whom_to_ask(
    second_bank: SecondBank, settings_for: Make, still: StillClock, scopes: str | None
) -> None:
    second_bank.granted_scope = scopes
    second_bank.plant(f"PATCH {TRANSFERS}.*", Reply(403, {"detail": "no"}))
    with connect(settings_for(), clock=still.clock) as bank, pytest.raises(ScopeError) as caught:
        bank.client.transfer_requests.approve(POCKET_ID)
    assert "Nothing was changed" in caught.value.means
    assert "figures" not in caught.value.remedy
    assert "scope" in caught.value.remedy


def test_a_read_that_is_refused_says_what_is_missing(
    second_bank: SecondBank, settings_for: Make, still: StillClock
) -> None:
    second_bank.granted_scope = "pockets.read reports.write"
    second_bank.plant("GET /api/v2/pockets/.*", Reply(403, {"detail": "no"}))
    second_bank.plant("POST /api/v1/report-requests/", Reply(403, {"detail": "no"}))
    order = CreateReportRequest(report_type="TRADE_REPORT", output_formats=("CSV",))
    with connect(settings_for(), clock=still.clock) as bank:
        for ask in (lambda: bank.client.pockets.get(POCKET_ID), lambda: bank.client.reports.order(order)):
            with pytest.raises(PermissionRefusedError) as caught:
                ask()
            assert "missing from the figures" in caught.value.means


def test_paths_and_names_of_another_bank_are_settings(
    second_bank: SecondBank, settings_for: Make, still: StillClock
) -> None:
    contract = JIKO.model_copy(
        update={
            "paths": {"pockets.list": "/api/v9/pots/", "pockets.update": "/api/v9/pots/{pocket_id}"},
            "names": {"Pocket.pocket_name": "label", "Pocket.status": "state", "pockets.list.valuation_type": "v"}
            | {"UpdatePocketRequest.pocket_name": "label"},
            "items": "rows",
            "next_page": "more",
        }
    )
    other = {own: value for own, value in POCKET.items() if own not in ("pocket_name", "status")}
    other |= {"label": "Operating", "state": "open"}
    second_bank.plant("GET /api/v9/pots/", Reply(200, {"rows": [other]}))
    second_bank.plant(f"PATCH /api/v9/pots/{POCKET_ID}", Reply(200, other))
    with connect(settings_for(), clock=still.clock, contract=contract) as bank:
        (pocket,) = bank.client.pockets.list(valuation_type="x")
        bank.client.pockets.update(pocket.id, UpdatePocketRequest(pocket_name="New"))
    assert (pocket.pocket_name, pocket.status, pocket.model_extra) == ("Operating", "open", {})
    assert second_bank.calls("GET /api/v9/pots/")[0].query == {"v": ["x"]}
    assert second_bank.calls("PATCH .*")[0].body == b'{"label": "New"}'


def test_the_settings_of_a_report_hold_for_the_client_too(
    second_bank: SecondBank, settings_for: Make, still: StillClock
) -> None:
    contract = JIKO.model_copy(update={"report_day": "as_of", "report_status": "state"})
    made = {"id": POCKET_ID, "state": "QUEUED"}
    second_bank.plant("POST /api/v1/report-requests/", Reply(201, made))
    request = CreateReportRequest(report_type="POSITION_SUMMARY_REPORT", output_formats=("CSV",), date=date(2024, 7, 3))
    with connect(settings_for(), clock=still.clock, contract=contract) as bank:
        assert bank.client.reports.order(request).status == "QUEUED"
    (seen,) = second_bank.calls("POST /api/v1/report-requests/")
    assert seen.body == (
        b'{"report_type": "POSITION_SUMMARY_REPORT", "output_formats": ["CSV"], "as_of": "2024-07-03"}'
    )


def test_a_bank_that_takes_no_request_says_when_it_may_be_tried_again(
    second_bank: SecondBank, client: JikoClient, still: StillClock
) -> None:
    second_bank.plant("GET /api/v1/customer/", *[Reply(429, {}, {"Retry-After": "7"})] * 5)
    with pytest.raises(RateLimitedError) as caught:
        client.customer.get()
    assert len(second_bank.calls("GET /api/v1/customer/")) == 5
    assert (caught.value.retry_at - still.now).total_seconds() == 7


def test_a_bank_that_fails_every_request_gets_fifty_further_tries_and_no_more(
    second_bank: SecondBank, client: JikoClient
) -> None:
    second_bank.handlers[("GET", "/api/v1/customer/")] = lambda _: Reply(503, {})
    for _ in range(100):
        with pytest.raises(UnavailableError):
            client.customer.get()
    assert len(second_bank.calls("GET /api/v1/customer/")) == 150
    second_bank.handlers[("GET", "/api/v1/customer/")] = lambda _: Reply(429, {}, {"Retry-After": "1"})
    with pytest.raises(RateLimitedError):
        client.customer.get()
    assert len(second_bank.calls("GET /api/v1/customer/")) == 155, "waits that the bank asks for are not counted"


def test_answers_give_further_tries_back_up_to_as_many_as_there_were() -> None:
    budget = RetryBudget(free=2, each_answer=0.5)
    assert [budget.allow() for _ in range(3)] == [True, True, False]
    budget.answered()
    assert not budget.allow()
    budget.answered()
    assert [budget.allow() for _ in range(2)] == [True, False]
    for _ in range(30):
        budget.answered()
    assert [budget.allow() for _ in range(3)] == [True, True, False]


class CountingAuth(httpx.Auth):
    """Somebody's own way of signing in, made anew for each try."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.tries = 0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        self.tries += 1
        request.headers["Authorization"] = f"Bearer {self.token}"
        request.headers["X-Try"] = str(self.tries)
        yield request


class Signer(httpx.Auth):
    """Signs what it sees: the credentials and the body."""

    requires_request_body = True

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Signature"] = f"{request.headers['Authorization']}|{request.content!r}"
        yield request


def test_any_httpx_auth_signs_each_try_in(second_bank: SecondBank, still: StillClock) -> None:
    second_bank.tokens.add("of-a-person")
    second_bank.plant("GET /api/v1/user/", Reply(500, {}), Reply(200, {"user_id": POCKET_ID, "email": "a@b.example"}))
    auth = CountingAuth("of-a-person")
    with open_client(second_bank.origin, auth, clock=still.clock) as client:
        assert client.user.get().user_id == POCKET_ID
    assert [seen.headers["x-try"] for seen in second_bank.seen] == ["1", "2"]
    assert second_bank.calls("POST /api/oauth2/token") == []


def test_a_401_to_somebodys_own_sign_in_is_final(second_bank: SecondBank, still: StillClock) -> None:
    with (
        open_client(second_bank.origin, CountingAuth("unknown"), clock=still.clock) as client,
        pytest.raises(AuthenticationError),
    ):
        client.user.get()
    assert len(second_bank.seen) == 1


def test_a_signer_sees_each_try_with_its_credentials_and_its_body(
    second_bank: SecondBank, settings_for: Make, still: StillClock
) -> None:
    second_bank.plant("POST /api/v2/pockets/", Reply(429, {}, {"Retry-After": "1"}), Reply(201, POCKET))
    with connect(settings_for(), clock=still.clock, signer=Signer()) as bank:
        bank.client.pockets.create(CreatePocketRequest(pocket_name="P", trading_strategy_id="UST-4W"))
    tries = second_bank.calls("POST /api/v2/pockets/")
    assert len(tries) == 2
    for seen in tries:
        assert seen.headers["signature"] == f"{seen.headers['authorization']}|{seen.body!r}"


class ChallengedAuth(httpx.Auth):
    """A sign-in that answers a challenge with a second request."""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = "none"
        response = yield request
        if response.status_code == 401:
            request.headers["Authorization"] = "Bearer of-a-person"
            yield request


def test_a_sign_in_of_two_steps_is_signed_at_both(second_bank: SecondBank, still: StillClock) -> None:
    second_bank.tokens.add("of-a-person")
    second_bank.handlers[("GET", "/api/v1/user/")] = lambda _: Reply(200, {"user_id": "u", "email": "a@b.example"})
    with open_client(second_bank.origin, ChallengedAuth(), signer=Signer(), clock=still.clock) as client:
        client.user.get()
    assert [seen.headers["signature"] for seen in second_bank.seen] == ["none|b''", "Bearer of-a-person|b''"]


def test_a_client_opens_with_a_key_and_no_settings_and_leaves_nothing(
    second_bank: SecondBank, settings_for: Make, still: StillClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_for()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    second_bank.plant("GET /api/v2/pockets/", page([POCKET]))
    key = ClientKey(CLIENT_ID, tmp_path / "client-key.pem", KEY_ID)
    with open_client(second_bank.origin, key, scopes=["pockets.read"], clock=still.clock) as client:
        assert [type(pocket) for pocket in client.pockets.list()] == [Pocket]
    assert list((tmp_path / "temporary").iterdir()) == []
    (signed_in,) = second_bank.calls("POST /api/oauth2/token")
    assert b"scope=pockets.read" in signed_in.body
    assert signed_in.body.count(b"scope=") == 1


@pytest.mark.parametrize("url", ["http://bank.example", "https://bank.example/v2", "bank.example", "https://a:b@c"])
def test_a_client_is_opened_for_https_origins_only(url: str) -> None:
    with pytest.raises(SettingsError), open_client(url, httpx.BasicAuth("a", "b")):
        pass


def test_no_model_takes_a_float_anywhere() -> None:
    pending: list[type[BaseModel]] = [BaseModel]
    names = []
    while pending:
        model = pending.pop()
        pending += model.__subclasses__()
        if model.__module__.startswith("jiko_pipeline.bank.client.models."):
            names += [
                f"{model.__name__}.{name}"
                for name, field in model.model_fields.items()
                if "float" in str(field.annotation)
            ]
            assert model.model_config["extra"] == "allow", model
            assert model.model_config["hide_input_in_errors"], model
    assert names == []

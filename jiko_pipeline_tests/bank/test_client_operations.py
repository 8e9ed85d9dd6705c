"""Each of the 56 operations through the typed client against the simulated bank, once done and once refused.

`ROWS` has one row for each operation; an operation without one fails.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from uuid import uuid4

import pytest

from jiko_pipeline.bank.client.jiko import JikoClient
from jiko_pipeline.bank.client.models.activity import TradeV2
from jiko_pipeline.bank.client.models.base import Address
from jiko_pipeline.bank.client.models.messages import (
    CreateSubscriptionRequest,
    Subscription,
    UpdateCustomerNotificationStatus,
    UpdateSubscriptionRequest,
)
from jiko_pipeline.bank.client.models.people import (
    CreateServiceUserRequest,
    EditTeamMemberRequest,
    InviteMemberRequest,
    TeamMemberResponse,
)
from jiko_pipeline.bank.client.models.pockets import CreatePocketRequest, UpdatePocketRequest
from jiko_pipeline.bank.client.models.reports import CreateReportRequest, ReportRequest
from jiko_pipeline.bank.client.models.transfers import (
    Counterparty,
    CreateOnUsCounterpartyRequest,
    CreateTransferRequest,
    CreateWireCounterpartyRequest,
    RequestedAmount,
    UpdateCounterpartyRequest,
    UpdateTransferRequestStatus,
    WireTransfer,
)
from jiko_pipeline.bank.client.opening import open_client
from jiko_pipeline.bank.errors import (
    ConflictError,
    NotFoundError,
    PermissionRefusedError,
    ScopeError,
    ValidationRefusedError,
)
from jiko_pipeline.bank.line import ClientKey
from jiko_pipeline.bank.operations import OPERATIONS, SCOPES
from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline.simulator.server.app import ALL_OPERATIONS
from jiko_pipeline_tests.bank.simulator_rig import ServedBank, served
from jiko_pipeline_tests.reading.operations_page import simulator_names

NOW = datetime(2024, 7, 17, 18, 30, tzinfo=UTC)
SINCE = datetime(2024, 7, 1, tzinfo=UTC)
NOBODY = "11111111-2222-4333-8444-555555555555"


@dataclass
class Team:
    """A served bank and three clients: one that asks, one that approves, one that may read notifications only."""

    bank: ServedBank
    client: JikoClient
    approver: JikoClient
    narrow: JikoClient

    @cached_property
    def pocket_id(self) -> str:
        return next(pocket.id for pocket in self.client.pockets.list(status=["OPEN"]))

    def trade(self, activity: str) -> TradeV2:
        return next(
            trade
            for trade in self.client.trades.list(trade_datetime_from=datetime(2024, 1, 1, tzinfo=UTC))
            if trade.activity == activity
        )

    def wire_counterparty(self) -> Counterparty:
        return next(
            found for found in self.client.counterparties.list(type="wire", status="LINKED") if found.type == "wire"
        )

    def transfer(self, cents: int = 12_345) -> CreateTransferRequest:
        return CreateTransferRequest(
            transfer=WireTransfer(
                origin_pocket_id=self.pocket_id,
                amount=RequestedAmount(amount_usdc=cents),
                counterparty_id=self.wire_counterparty().id,
            )
        )

    def requested(self) -> str:
        request = self.transfer()
        self.client.transfer_requests.create(request)
        return request.transfer.id

    def subscribed(self) -> Subscription:
        return self.client.subscriptions.create(subscription("http://127.0.0.1:9/hook"))

    def invited(self) -> TeamMemberResponse:
        return self.client.team.invite(invitation(f"guest-{uuid4().hex}@example.com"))

    def member_id(self) -> str:
        groups = self.client.team.get().members
        return str(
            next(
                member.id
                for group in groups
                for member in group.members
                if member.role == "ANALYST" and member.status == "ACTIVE"
            )
        )

    def completed(self) -> ReportRequest:
        ordered = self.client.reports.order(report(self.pocket_id))
        for _ in range(10):
            found = self.client.reports.get_request(ordered.id)
            if found.status == "COMPLETED":
                return found
        raise AssertionError(f"still {found.status} after ten looks")


def subscription(url: str) -> CreateSubscriptionRequest:
    return CreateSubscriptionRequest(events=("transfers.wire.in.success",), url=url, shared_secret="0123456789abcdef")


def invitation(email: str, role: str = "VIEWER") -> InviteMemberRequest:
    return InviteMemberRequest(first_name="Ada", last_name="Guest", email=email, phone_number="+12025550123", role=role)


def report(pocket_id: str, kind: str = "POSITION_SUMMARY_REPORT") -> CreateReportRequest:
    return CreateReportRequest(
        report_type=kind, output_formats=("CSV", "PDF"), pocket_ids=(pocket_id,), date=date(2024, 7, 16)
    )


def wire_counterparty(routing_number: str = "021000021") -> CreateWireCounterpartyRequest:
    return CreateWireCounterpartyRequest(
        name_on_account="Ada Guest",
        account_number=str(uuid4().int)[:12],
        routing_number=routing_number,
        address=Address(street_address="1 Main", city="Albany", postal_code="12207", state="NY", country="US"),
    )


Action = Callable[[Team], object]


@dataclass(frozen=True)
class Row:
    """What is done, what shows that it was done, what is refused, and how."""

    done: Action
    shows: Callable[[Any, Team], bool]
    refused: Action
    error: type[Exception]


def narrow(action: Callable[[JikoClient], object]) -> Action:
    """The same with the credentials of the client that may read notifications only."""
    return lambda team: action(team.narrow)


ROWS: Final[Mapping[str, Row]] = MappingProxyType(
    {
        "pockets.list": Row(
            lambda t: list(t.client.pockets.list(limit=2)),
            lambda found, t: len(found) >= 3 and t.pocket_id in {pocket.id for pocket in found},
            lambda t: list(t.client.pockets.list(status=["ASLEEP"])),
            ValidationRefusedError,
        ),
        "pockets.create": Row(
            lambda t: t.client.pockets.create(CreatePocketRequest(pocket_name="Taxes", trading_strategy_id="UST-13W")),
            lambda made, t: t.client.pockets.get(made.id).deposit_strategy_id == "UST-13W",
            lambda t: t.client.pockets.create(CreatePocketRequest(pocket_name="X", trading_strategy_id="NO-SUCH")),
            ValidationRefusedError,
        ),
        "pockets.get": Row(
            lambda t: t.client.pockets.get(t.pocket_id, omit=["portfolio"]),
            lambda found, t: found.id == t.pocket_id and found.portfolio is None,
            lambda t: t.client.pockets.get(NOBODY),
            NotFoundError,
        ),
        "pockets.update": Row(
            lambda t: t.client.pockets.update(t.pocket_id, UpdatePocketRequest(pocket_name="Renamed")),
            lambda changed, t: t.client.pockets.get(changed.id).pocket_name == "Renamed",
            lambda t: t.client.pockets.update(
                t.pocket_id, UpdatePocketRequest(status="CLOSED", closure_reason="not needed")
            ),
            ValidationRefusedError,
        ),
        "pockets.earnings": Row(
            lambda t: t.client.pockets.earnings(
                t.pocket_id, period="range", date_from=date(2024, 7, 1), date_to=date(2024, 7, 12)
            ),
            lambda earned, t: earned.earnings.cents > 0 and earned.date_to == date(2024, 7, 12),
            lambda t: t.client.pockets.earnings(t.pocket_id, period="range"),
            ValidationRefusedError,
        ),
        "portals.list_for_pocket": Row(
            lambda t: t.client.portals.list_for_pocket(t.pocket_id),
            lambda found, t: {portal.jiko_account_id for portal in found.portals} == {t.pocket_id},
            lambda t: t.client.portals.list_for_pocket(NOBODY),
            NotFoundError,
        ),
        "portals.list": Row(
            lambda t: t.client.portals.list(),
            lambda found, t: found.count == len(found.portals) > 0,
            narrow(lambda client: client.portals.list()),
            ScopeError,
        ),
        "transactions.list": Row(
            lambda t: list(t.client.transactions.list(time_booked_from=SINCE, types=["WIRE"], limit=5)),
            lambda found, t: bool(found) and {item.type for item in found} == {"WIRE"},
            lambda t: list(t.client.transactions.list(limit=0)),
            ValidationRefusedError,
        ),
        "transactions.export": Row(
            lambda t: t.client.transactions.export(time_booked_from=SINCE),
            lambda body, t: body.startswith(b"id,") and body.count(b"\n") > 2,
            lambda t: t.client.transactions.export(pockets=["no-pocket"]),
            ValidationRefusedError,
        ),
        "trading_strategies.list": Row(
            lambda t: list(t.client.trading_strategies.list(applicable_to="DEPOSIT", limit=2)),
            lambda found, t: len(found) > 2 and "UST-4W" in {item.id for item in found},
            lambda t: list(t.client.trading_strategies.list(applicable_to="SAVING")),
            ValidationRefusedError,
        ),
        "trades.list_v1": Row(
            lambda t: list(t.client.trades.list_v1(pockets=[t.pocket_id], trade_datetime_from=SINCE)),
            lambda found, t: bool(found) and {trade.jiko_account_id for trade in found} == {t.pocket_id},
            lambda t: list(t.client.trades.list_v1(pockets=["no-pocket"])),
            ValidationRefusedError,
        ),
        "trades.export": Row(
            lambda t: t.client.trades.export(trade_datetime_from=SINCE),
            lambda body, t: body.startswith(b"id,") and body.count(b"\n") > 2,
            lambda t: t.client.trades.export(pockets=["no-pocket"]),
            ValidationRefusedError,
        ),
        "trades.confirmation": Row(
            lambda t: (lambda trade: t.client.trades.confirmation(trade.pocket_id, trade.id))(t.trade("BUY")),
            lambda body, t: body.startswith(b"%PDF-"),
            lambda t: (lambda trade: t.client.trades.confirmation(trade.pocket_id, trade.id))(t.trade("MATURITY")),
            NotFoundError,
        ),
        "trades.list": Row(
            lambda t: list(t.client.trades.list(book_date_from=date(2024, 7, 15), order="asc", limit=7)),
            lambda found, t: (
                bool(found) and [x.trade_datetime for x in found] == sorted(x.trade_datetime for x in found)
            ),
            lambda t: list(t.client.trades.list(order="sideways")),  # type: ignore[arg-type]  # refused by the bank
            ValidationRefusedError,
        ),
        "counterparties.list": Row(
            lambda t: list(t.client.counterparties.list(type="ach")),
            lambda found, t: bool(found) and {item.type for item in found} == {"ach"},
            lambda t: list(t.client.counterparties.list(limit=0)),
            ValidationRefusedError,
        ),
        "counterparties.create": Row(
            lambda t: t.client.counterparties.create(wire_counterparty()),
            lambda made, t: t.client.counterparties.get(made.id).routing_number == "021000021",
            lambda t: t.client.counterparties.create(wire_counterparty("021000022")),
            ValidationRefusedError,
        ),
        "counterparties.get": Row(
            lambda t: t.client.counterparties.get(t.wire_counterparty().id),
            lambda found, t: found.type == "wire",
            lambda t: t.client.counterparties.get(NOBODY),
            NotFoundError,
        ),
        "counterparties.update": Row(
            lambda t: t.client.counterparties.update(
                t.client.counterparties.create(wire_counterparty()).id, UpdateCounterpartyRequest(status="UNLINKED")
            ),
            lambda changed, t: t.client.counterparties.get(changed.id).status == "UNLINKED",
            lambda t: t.client.counterparties.update(NOBODY, UpdateCounterpartyRequest(status="UNLINKED")),
            NotFoundError,
        ),
        "transfer_requests.create": Row(
            lambda t: t.client.transfer_requests.create(t.transfer()),
            lambda made, t: t.client.transfer_requests.get(made.id).transfer.amount.amount_usdc == 12_345,
            lambda t: t.client.transfer_requests.create(t.transfer(cents=-1)),
            ValidationRefusedError,
        ),
        "transfer_requests.list": Row(
            lambda t: (t.requested(), list(t.client.transfer_requests.list(status="PENDING", limit=1)))[1],
            lambda found, t: bool(found) and {item.status for item in found} == {"PENDING"},
            lambda t: list(t.client.transfer_requests.list(reviewer="nobody")),
            ValidationRefusedError,
        ),
        "transfer_requests.reviewers": Row(
            lambda t: t.client.transfer_requests.reviewers(),
            lambda found, t: found.count == len(found.items) > 0,
            narrow(lambda client: client.transfer_requests.reviewers()),
            ScopeError,
        ),
        "transfer_requests.get": Row(
            lambda t: t.client.transfer_requests.get(t.requested()),
            lambda found, t: isinstance(found.transfer, WireTransfer) and found.status == "PENDING",
            lambda t: t.client.transfer_requests.get(NOBODY),
            NotFoundError,
        ),
        "transfer_requests.cancel": Row(
            lambda t: (lambda made: (t.client.transfer_requests.cancel(made), made)[1])(t.requested()),
            lambda made, t: t.client.transfer_requests.get(made).status == "CANCELLED",
            lambda t: t.client.transfer_requests.cancel(t.approver.transfer_requests.approve(t.requested()).id),
            ConflictError,
        ),
        "transfer_requests.decide": Row(
            lambda t: t.approver.transfer_requests.decide(t.requested(), UpdateTransferRequestStatus(status="DENIED")),
            lambda decided, t: t.client.transfer_requests.get(decided.id).status == "DENIED",
            lambda t: t.client.transfer_requests.approve(t.requested()),
            PermissionRefusedError,
        ),
        "subscriptions.create": Row(
            lambda t: t.subscribed(),
            lambda made, t: t.client.subscriptions.get(made.id).url == "http://127.0.0.1:9/hook",
            lambda t: t.client.subscriptions.create(subscription("ftp://127.0.0.1/")),
            ValidationRefusedError,
        ),
        "subscriptions.list": Row(
            lambda t: (t.subscribed(), t.subscribed(), list(t.client.subscriptions.list(limit=1)))[2],
            lambda found, t: len(found) >= 2,
            lambda t: list(t.client.subscriptions.list(limit=0)),
            ValidationRefusedError,
        ),
        "subscriptions.update": Row(
            lambda t: t.client.subscriptions.update(t.subscribed().id, UpdateSubscriptionRequest(status="disabled")),
            lambda changed, t: t.client.subscriptions.get(changed.id).status == "disabled",
            lambda t: t.client.subscriptions.update(t.subscribed().id, UpdateSubscriptionRequest(status="asleep")),
            ValidationRefusedError,
        ),
        "subscriptions.get": Row(
            lambda t: t.client.subscriptions.get(t.subscribed().id),
            lambda found, t: found.events == ("transfers.wire.in.success",),
            lambda t: t.client.subscriptions.get(NOBODY),
            NotFoundError,
        ),
        "subscriptions.delete": Row(
            lambda t: (lambda made: (t.client.subscriptions.delete(made), made)[1])(t.subscribed().id),
            lambda made, t: made not in {item.id for item in t.client.subscriptions.list()},
            lambda t: t.client.subscriptions.delete(NOBODY),
            NotFoundError,
        ),
        "events.list": Row(
            lambda t: list(t.client.events.list(after=SINCE, limit=3)),
            lambda found, t: bool(found) and min(item.event.timestamp for item in found) > SINCE,
            lambda t: list(t.client.events.list(subscription_id="none")),
            ValidationRefusedError,
        ),
        "notifications.list": Row(
            lambda t: list(t.narrow.notifications.list(limit=3)),
            lambda found, t: bool(found),
            lambda t: list(t.client.notifications.list(limit=101)),
            ValidationRefusedError,
        ),
        "notifications.get": Row(
            lambda t: t.client.notifications.get(next(iter(t.client.notifications.list())).id),
            lambda found, t: bool(found.title),
            lambda t: t.client.notifications.get(NOBODY),
            NotFoundError,
        ),
        "notifications.mark": Row(
            lambda t: t.client.notifications.mark(
                next(iter(t.client.notifications.list())).id, UpdateCustomerNotificationStatus(status="READ")
            ),
            lambda marked, t: t.client.notifications.get(marked.id).status == "READ",
            lambda t: t.client.notifications.mark(
                next(iter(t.client.notifications.list())).id, UpdateCustomerNotificationStatus(status="SKIMMED")
            ),
            ValidationRefusedError,
        ),
        "statements.list": Row(
            lambda t: list(t.client.statements.list(key="2024-05", types=["BANK"], limit=1)),
            lambda found, t: bool(found) and {(item.key, item.type) for item in found} == {("2024-05", "BANK")},
            lambda t: list(t.client.statements.list(key="May")),
            ValidationRefusedError,
        ),
        "reports.order": Row(
            lambda t: t.client.reports.order(report(t.pocket_id)),
            lambda made, t: t.client.reports.get_request(made.id).report_type == "POSITION_SUMMARY_REPORT",
            lambda t: t.client.reports.order(report(t.pocket_id, "WEATHER_REPORT")),
            ValidationRefusedError,
        ),
        "reports.list_requests": Row(
            lambda t: (t.completed(), list(t.client.reports.list_requests(date_from=date(2024, 7, 1), limit=1)))[1],
            lambda found, t: bool(found),
            lambda t: list(t.client.reports.list_requests(limit=0)),
            ValidationRefusedError,
        ),
        "reports.get_request": Row(
            lambda t: t.completed(),
            lambda found, t: {made.output_format for made in found.reports} == {"CSV", "PDF"},
            lambda t: t.client.reports.get_request(NOBODY),
            NotFoundError,
        ),
        "reports.get": Row(
            lambda t: t.client.reports.get(t.completed().reports[0].id),
            lambda found, t: found.report_type == "POSITION_SUMMARY_REPORT",
            lambda t: t.client.reports.get(NOBODY),
            NotFoundError,
        ),
        "reports.link": Row(
            lambda t: {x.output_format: t.client.reports.download(x.id) for x in t.completed().reports},
            lambda files, t: files["PDF"].startswith(b"%PDF-") and files["CSV"].startswith(b"As Of Date,"),
            lambda t: t.client.reports.link(NOBODY),
            NotFoundError,
        ),
        "user.get": Row(
            lambda t: (t.client.user.get(), t.approver.user.get()),
            lambda both, t: both[0].user_id != both[1].user_id,
            narrow(lambda client: client.user.get()),
            ScopeError,
        ),
        "user.memberships": Row(
            lambda t: t.client.user.memberships(),
            lambda found, t: [item.team_id for item in found] == [t.client.team.get().id],
            narrow(lambda client: client.user.memberships()),
            ScopeError,
        ),
        "team.get": Row(
            lambda t: t.client.team.get(),
            lambda team, t: "ACTIVE" in {group.status for group in team.members},
            narrow(lambda client: client.team.get()),
            ScopeError,
        ),
        "team.member": Row(
            lambda t: t.client.team.member(t.member_id()),
            lambda found, t: found.role == "ANALYST",
            lambda t: t.client.team.member(NOBODY),
            NotFoundError,
        ),
        "team.edit": Row(
            lambda t: t.client.team.edit(t.invited().id, EditTeamMemberRequest(role="ANALYST")),
            lambda changed, t: t.client.team.member(changed.id).role == "ANALYST",
            lambda t: t.client.team.edit(t.client.user.get().user_id, EditTeamMemberRequest(role="ADMIN")),
            ConflictError,
        ),
        "team.deactivate": Row(
            lambda t: t.client.team.deactivate(t.member_id()),
            lambda changed, t: t.client.team.member(changed.id).status == "INACTIVE",
            lambda t: t.client.team.deactivate(t.client.user.get().user_id),
            ConflictError,
        ),
        "team.invite": Row(
            lambda t: t.invited(),
            lambda made, t: t.client.team.member(made.id).status == "PENDING",
            lambda t: t.client.team.invite(invitation("king@example.com", "KING")),
            ValidationRefusedError,
        ),
        "team.resend_invitation": Row(
            lambda t: t.client.team.resend_invitation(t.invited().id),
            lambda nothing, t: nothing is None,
            lambda t: t.client.team.resend_invitation(NOBODY),
            NotFoundError,
        ),
        "team.cancel_invitation": Row(
            lambda t: (lambda made: (t.client.team.cancel_invitation(made), made)[1])(t.invited().id),
            lambda made, t: made not in {m.id for group in t.client.team.get().members for m in group.members},
            lambda t: t.client.team.cancel_invitation(NOBODY),
            NotFoundError,
        ),
        "team.create_service_user": Row(
            lambda t: t.client.team.create_service_user(CreateServiceUserRequest(name=f"robot {uuid4().hex[:8]}")),
            lambda made, t: bool(made.client_id) and t.client.team.member(made.id).id == made.id,
            lambda t: t.client.team.create_service_user(CreateServiceUserRequest(name="robot", role="KING")),
            ValidationRefusedError,
        ),
        "team_audits.list": Row(
            lambda t: (t.subscribed(), list(t.client.team_audits.list(timestamp_from=NOW, limit=1)))[1],
            lambda found, t: t.client.user.get().user_id in {entry.member_id for entry in found},
            lambda t: list(t.client.team_audits.list(limit=0)),
            ValidationRefusedError,
        ),
        "team_audits.list_for_member": Row(
            lambda t: (t.subscribed(), list(t.client.team_audits.list_for_member(t.client.user.get().user_id)))[1],
            lambda found, t: {entry.member_id for entry in found} == {t.client.user.get().user_id},
            lambda t: list(t.client.team_audits.list_for_member(NOBODY)),
            NotFoundError,
        ),
        "team_audits.export": Row(
            lambda t: t.client.team_audits.export(timestamp_from=SINCE),
            lambda body, t: body.startswith(b"id,timestamp,") and body.count(b"\n") > 1,
            lambda t: t.client.team_audits.export(member_id="nobody"),
            ValidationRefusedError,
        ),
        "customer.get": Row(
            lambda t: t.client.customer.get(),
            lambda found, t: found.type == "BUSINESS" and found.address.country == "US",
            narrow(lambda client: client.customer.get()),
            ScopeError,
        ),
        "customer.upload_document": Row(
            lambda t: t.client.customer.upload_document("OTHER", b"%PDF-1.4 a letter"),
            lambda taken, t: taken.success and bool(taken.document_id),
            lambda t: t.client.customer.upload_document("OTHER", b""),
            ValidationRefusedError,
        ),
        "customer.beneficial_owners": Row(
            lambda t: t.client.customer.beneficial_owners(),
            lambda found, t: found.count == len(found.items) > 0,
            narrow(lambda client: client.customer.beneficial_owners()),
            ScopeError,
        ),
        "agreements.list": Row(
            lambda t: t.client.agreements.list(),
            lambda found, t: len(found.documents) > 0,
            narrow(lambda client: client.agreements.list()),
            ScopeError,
        ),
    }
)
"""By operation."""


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with ExitStack() as stack:
        state = tmp_path_factory.mktemp("bank")
        bank = stack.enter_context(served(ServeOptions(state, now=NOW)))
        told = bank.announcement

        def opened(prefix: str, *scopes: str) -> JikoClient:
            key = ClientKey(
                told[f"{prefix}client_id"],
                Path(told[f"{prefix}private_key_file"]),
                told[f"{prefix}key_id"],
                told["auth_url"],
            )
            return stack.enter_context(
                open_client(told["api_url"], key, download_hosts=[told["storage_host"]], scopes=scopes)
            )

        yield Team(bank, opened("", *SCOPES), opened("approver_", *SCOPES), opened("", "notifications.read"))


def calls_of(team: Team, operation: str) -> int:
    calls: dict[str, int] = team.bank.control("GET", "counters")["calls"]
    return calls.get(simulator_names()[operation], 0)


def test_every_operation_has_a_row_and_the_simulator_answers_nothing_else() -> None:
    assert set(ROWS) == set(OPERATIONS)
    assert len(OPERATIONS) == len(ALL_OPERATIONS) == 56


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_is_done_and_refused(team: Team, operation: str) -> None:
    row = ROWS[operation]
    before = calls_of(team, operation)
    answer = row.done(team)
    assert calls_of(team, operation) > before, "another operation of the bank was called"
    assert row.shows(answer, team)
    with pytest.raises(row.error) as caught:
        row.refused(team)
    assert type(caught.value) is row.error
    path = OPERATIONS[operation].path.split("{")[0]
    assert path in str(caught.value)


def test_the_same_transfer_sent_again_is_one_request_and_another_with_its_id_a_conflict(team: Team) -> None:
    request = team.transfer()
    first = team.client.transfer_requests.create(request)
    assert team.client.transfer_requests.create(request).created_at == first.created_at
    other = CreateTransferRequest(
        transfer=WireTransfer(
            id=request.transfer.id,
            origin_pocket_id=team.pocket_id,
            amount=RequestedAmount(amount_usdc=1),
            counterparty_id=team.wire_counterparty().id,
        )
    )
    with pytest.raises(ConflictError):
        team.client.transfer_requests.create(other)


def test_a_counterparty_of_another_kind_is_created_too(team: Team) -> None:
    address = str(uuid4().int)[:12]
    made = team.client.counterparties.create(CreateOnUsCounterpartyRequest(name="Partner", account_number=address))
    assert (made.type, made.account_number) == ("on_us", address)
    with pytest.raises(ConflictError):
        team.client.counterparties.create(CreateOnUsCounterpartyRequest(name="Again", account_number=address))

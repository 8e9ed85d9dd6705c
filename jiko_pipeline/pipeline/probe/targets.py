"""What the probe asks, and what the contract expects in answer: every operation that reads.

Belongs here: for each operation the form of its answer and where the parameters of its path come from. Does not belong
here: asking (`jiko_pipeline.pipeline.probe.walk`), comparing (`differences`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from pydantic import create_model

from jiko_pipeline.bank.client.models import activity, customer, messages, people, pockets, reports, transfers
from jiko_pipeline.bank.client.models.base import Known, Model, Whole
from jiko_pipeline.bank.contract import Contract
from jiko_pipeline.formats.delimited import contracts as layouts

REDIRECTS: Final = 307
OK: Final = 200


@dataclass(frozen=True, slots=True)
class Ids:
    """Where the parameters of a path come from: objects in the answers to the list `source`.

    `at` leads to the objects field by field (`Model.field`), through lists; `parameters` says which of their fields is
    which parameter; `unless` is a field and a word of objects to leave out. At most `most` objects are taken.
    """

    source: str
    at: tuple[str, ...]
    parameters: Mapping[str, str]
    unless: tuple[str, str] | None = None
    most: int = 3


@dataclass(frozen=True, slots=True)
class Target:
    """One operation and its expected answer: JSON of the form `expected`, CSV of `layout`, or a redirect."""

    operation: str
    expected: Any = None
    layout: layouts.Contract | None = None
    ids: Ids | None = None
    status: int = OK
    pages: bool = False
    query: Mapping[str, str] = field(default_factory=dict)
    """Settings of the contract that name the two ends of a range of time, by `first` and `last`."""


def cursor_list(item: Any) -> type[Model]:
    """The form of one page of a list that goes by cursors."""
    word = Annotated[str, Known(("CursorList",))]
    return create_model(
        "CursorList",
        __base__=Model,
        prev_page=(str | None, ...),
        next_page=(str | None, ...),
        items=(tuple[item, ...], ...),
        object_type=(word, ...),
    )


def offset_list(item: Any) -> type[Model]:
    """The form of one page of a list that goes by offsets."""
    return create_model(
        "OffsetList",
        __base__=Model,
        offset=(Whole | None, None),
        count=(Whole | None, None),
        items=(tuple[item, ...], ...),
        object_type=(str | None, None),
    )


def wire_names(contract: Contract) -> Mapping[str, str]:
    """The bank's own names of fields by `Model.field`, those of lists among them."""
    return {
        "CursorList.items": contract.items,
        "CursorList.next_page": contract.next_page,
        "OffsetList.items": contract.items,
        **contract.wire_names(),
    }


_POCKETS = Ids("pockets.list", ("CursorList.items",), {"pocket_id": "Pocket.id"})
_MEMBERS = Ids("team.get", ("TeamResponse.members", "MemberGroup.members"), {"member_id": "TeamMemberResponse.id"})
_REPORTS = Ids("reports.list_requests", ("CursorList.items", "ReportRequest.reports"), {"report_id": "Report.id"})
_MEMBERSHIPS = (
    tuple[people.MembershipInfo, ...] | cursor_list(people.MembershipInfo) | offset_list(people.MembershipInfo)
)

TARGETS: Final = (
    Target("pockets.list", cursor_list(pockets.Pocket), pages=True),
    Target("pockets.get", pockets.Pocket, ids=_POCKETS),
    Target("pockets.earnings", pockets.PocketEarnings, ids=_POCKETS),
    Target("portals.list", pockets.ListPortalsResponse),
    Target(
        "portals.list_for_pocket",
        pockets.ListPortalsResponse,
        ids=Ids("pockets.list", ("CursorList.items",), {"account_id": "Pocket.id"}),
    ),
    Target("transactions.list", cursor_list(activity.Transaction), pages=True),
    Target(
        "transactions.export",
        layout=layouts.TRANSACTIONS_CSV,
        query={"first": "transactions_from", "last": "transactions_to"},
    ),
    Target("trading_strategies.list", offset_list(pockets.TradingStrategy)),
    Target("trades.list_v1", cursor_list(activity.Trade), pages=True),
    Target("trades.list", cursor_list(activity.TradeV2), pages=True),
    Target("trades.export", layout=layouts.TRADES_CSV, query={"first": "trades_from", "last": "trades_to"}),
    Target(
        "trades.confirmation",
        ids=Ids(
            "trades.list_v1",
            ("CursorList.items",),
            {"account_id": "Trade.jiko_account_id", "trade_id": "Trade.id"},
            unless=("Trade.activity", "MATURITY"),
            most=1,
        ),
        status=REDIRECTS,
    ),
    Target("counterparties.list", cursor_list(transfers.Counterparty), pages=True),
    Target(
        "counterparties.get",
        transfers.Counterparty,
        ids=Ids("counterparties.list", ("CursorList.items",), {"counterparty_id": "Counterparty.id"}),
    ),
    Target("transfer_requests.list", cursor_list(transfers.TransferRequest), pages=True),
    Target("transfer_requests.reviewers", transfers.DualAuthUserList),
    Target(
        "transfer_requests.get",
        transfers.TransferRequest,
        ids=Ids(
            "transfer_requests.list",
            ("CursorList.items", "TransferRequest.transfer"),
            {"transfer_id": "OnUsTransfer.id"},
        ),
    ),
    Target("subscriptions.list", cursor_list(messages.Subscription), pages=True),
    Target(
        "subscriptions.get",
        messages.Subscription,
        ids=Ids("subscriptions.list", ("CursorList.items",), {"subscription_id": "Subscription.id"}),
    ),
    Target("events.list", cursor_list(messages.Event), pages=True),
    Target("notifications.list", cursor_list(messages.CustomerNotification), pages=True),
    Target(
        "notifications.get",
        messages.CustomerNotification,
        ids=Ids("notifications.list", ("CursorList.items",), {"notification_id": "CustomerNotification.id"}),
    ),
    Target("statements.list", cursor_list(activity.Statement), pages=True),
    Target("reports.list_requests", cursor_list(reports.ReportRequest), pages=True),
    Target(
        "reports.get_request",
        reports.ReportRequest,
        ids=Ids("reports.list_requests", ("CursorList.items",), {"report_request_id": "ReportRequest.id"}),
    ),
    Target("reports.get", reports.Report, ids=_REPORTS),
    Target("reports.link", reports.ReportDownload, ids=_REPORTS),
    Target("user.get", people.UserInfo),
    Target("user.memberships", _MEMBERSHIPS),
    Target("team.get", people.TeamResponse),
    Target("team.member", people.TeamMemberResponse, ids=_MEMBERS),
    Target("team_audits.list", cursor_list(people.CustomerAuditLogEntry), pages=True),
    Target("team_audits.list_for_member", cursor_list(people.CustomerAuditLogEntry), ids=_MEMBERS),
    Target("team_audits.export", layout=layouts.AUDIT_LOGS_CSV, query={"first": "audits_from", "last": "audits_to"}),
    Target("customer.get", customer.Customer),
    Target("customer.beneficial_owners", customer.ListBeneficialOwnersResponse),
    Target("agreements.list", customer.Agreement),
)
"""Every operation that reads, lists before what takes its parameters from them."""

"""The 56 operations of the Jiko Customer API: name, rate group, method, path, scope.

Belongs here: the one table of what can be called. Does not belong here: names of fields and words of status
(`contract`), calling (`api`), what is done with the answers.

Source: Jiko's reference of the Customer API for methods and paths, its rate limit table for the groups; scopes
are assumptions but for that of the pockets. A bank whose paths differ is told by `Contract.paths`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from jiko_pipeline.bank.contract import Contract, Group


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its name in counters and provenance, its rate group, how it is called.

    `path` has its parameters in braces; `public` needs no sign-in; `repeatable` is False for what must not be
    done twice, so that it is never tried again after an outcome that is not known.
    """

    name: str
    group: Group | None
    method: str = "GET"
    path: str = ""
    scope: str | None = None
    public: bool = False
    repeatable: bool = True

    @property
    def reads(self) -> bool:
        """True when calling it changes nothing at the bank."""
        return self.method == "GET" or self.name == "reports.link"


def path_of(name: str, contract: Contract, **parameters: str) -> str:
    """The path of the operation `name` at the bank of `contract`, its parameters filled in.

    The caller vouches that the parameters are safe in a path (`jiko_pipeline.bank.api.safe_id`).
    """
    return contract.paths.get(name, OPERATIONS[name].path).format(**parameters)


OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType(
    {
        operation.name: operation
        for operation in (
            Operation("pockets.list", Group.POCKETS, "GET", "/api/v2/pockets/", "pockets.read"),
            Operation("pockets.create", Group.POCKETS, "POST", "/api/v2/pockets/", "pockets.write", repeatable=False),
            Operation("pockets.get", Group.POCKETS, "GET", "/api/v2/pockets/{pocket_id}/", "pockets.read"),
            Operation(
                "pockets.update",
                Group.POCKETS,
                "PATCH",
                "/api/v2/pockets/{pocket_id}/",
                "pockets.write",
                repeatable=False,
            ),
            Operation(
                "pockets.earnings", Group.POCKETS, "GET", "/api/v2/pockets/{pocket_id}/earnings/", "pockets.read"
            ),
            Operation(
                "portals.list_for_pocket",
                Group.PORTALS,
                "GET",
                "/api/v1/accounts/{account_id}/portals/",
                "pockets.read",
            ),
            Operation("portals.list", Group.PORTALS, "GET", "/api/v1/portals/", "pockets.read"),
            Operation("transactions.list", Group.TRANSACTIONS, "GET", "/api/v2/transactions/", "pockets.read"),
            Operation("transactions.export", Group.TRANSACTIONS, "GET", "/api/v2/transactions.csv", "pockets.read"),
            Operation(
                "trading_strategies.list",
                Group.TRADING_STRATEGIES,
                "GET",
                "/api/v2/trading-strategies/",
                "pockets.read",
            ),
            Operation("trades.list_v1", Group.TRADES, "GET", "/api/v1/trades/", "pockets.read"),
            Operation("trades.export", Group.TRADES, "GET", "/api/v1/trades.csv", "pockets.read"),
            Operation(
                "trades.confirmation",
                Group.TRADES,
                "GET",
                "/api/v1/accounts/{account_id}/trades/{trade_id}/confirmation/",
                "pockets.read",
            ),
            Operation("trades.list", Group.TRADES, "GET", "/api/v2/trades/", "pockets.read"),
            Operation("counterparties.list", Group.COUNTERPARTIES, "GET", "/api/v2/counterparties/", "transfers.read"),
            Operation(
                "counterparties.create",
                Group.COUNTERPARTIES,
                "POST",
                "/api/v2/counterparties/",
                "transfers.write",
                repeatable=False,
            ),
            Operation(
                "counterparties.get",
                Group.COUNTERPARTIES,
                "GET",
                "/api/v2/counterparties/{counterparty_id}/",
                "transfers.read",
            ),
            Operation(
                "counterparties.update",
                Group.COUNTERPARTIES,
                "PATCH",
                "/api/v2/counterparties/{counterparty_id}/",
                "transfers.write",
                repeatable=False,
            ),
            Operation(
                "transfer_requests.create",
                Group.TRANSFER_REQUESTS_CREATE,
                "POST",
                "/api/v1/transfer-requests/",
                "transfers.write",
                repeatable=False,
            ),
            Operation(
                "transfer_requests.list", Group.TRANSFER_REQUESTS, "GET", "/api/v1/transfer-requests/", "transfers.read"
            ),
            Operation(
                "transfer_requests.reviewers",
                Group.TRANSFER_REQUESTS,
                "GET",
                "/api/v1/transfer-requests/reviewers/",
                "transfers.read",
            ),
            Operation(
                "transfer_requests.get",
                Group.TRANSFER_REQUESTS,
                "GET",
                "/api/v1/transfer-requests/{transfer_id}/",
                "transfers.read",
            ),
            Operation(
                "transfer_requests.cancel",
                Group.TRANSFER_REQUESTS,
                "DELETE",
                "/api/v1/transfer-requests/{transfer_id}/",
                "transfers.write",
                repeatable=False,
            ),
            Operation(
                "transfer_requests.decide",
                Group.TRANSFER_REQUESTS,
                "PATCH",
                "/api/v1/transfer-requests/{transfer_id}/status/",
                "transfers.write",
                repeatable=False,
            ),
            Operation(
                "subscriptions.create",
                Group.SUBSCRIPTIONS,
                "POST",
                "/api/v1/subscriptions/",
                "subscriptions.write",
                repeatable=False,
            ),
            Operation("subscriptions.list", Group.SUBSCRIPTIONS, "GET", "/api/v1/subscriptions/", "subscriptions.read"),
            Operation(
                "subscriptions.update",
                Group.SUBSCRIPTIONS,
                "PATCH",
                "/api/v1/subscriptions/{subscription_id}/",
                "subscriptions.write",
                repeatable=False,
            ),
            Operation(
                "subscriptions.get",
                Group.SUBSCRIPTIONS,
                "GET",
                "/api/v1/subscriptions/{subscription_id}/",
                "subscriptions.read",
            ),
            Operation(
                "subscriptions.delete",
                Group.SUBSCRIPTIONS,
                "DELETE",
                "/api/v1/subscriptions/{subscription_id}/",
                "subscriptions.write",
                repeatable=False,
            ),
            Operation("events.list", Group.EVENTS, "GET", "/api/v1/events/", "subscriptions.read"),
            Operation("notifications.list", Group.NOTIFICATIONS, "GET", "/api/v1/notifications/", "notifications.read"),
            Operation(
                "notifications.get",
                Group.NOTIFICATIONS,
                "GET",
                "/api/v1/notifications/{notification_id}/",
                "notifications.read",
            ),
            Operation(
                "notifications.mark",
                Group.NOTIFICATIONS,
                "PATCH",
                "/api/v1/notifications/{notification_id}/",
                "notifications.write",
                repeatable=False,
            ),
            Operation("statements.list", Group.STATEMENTS, "GET", "/api/v1/statements/", "pockets.read"),
            Operation(
                "reports.order", Group.REPORTS, "POST", "/api/v1/report-requests/", "reports.write", repeatable=False
            ),
            Operation("reports.list_requests", Group.REPORTS, "GET", "/api/v1/report-requests/", "reports.read"),
            Operation(
                "reports.get_request",
                Group.REPORTS,
                "GET",
                "/api/v1/report-requests/{report_request_id}/",
                "reports.read",
            ),
            Operation("reports.get", Group.REPORTS, "GET", "/api/v1/reports/{report_id}/", "reports.read"),
            Operation("reports.link", Group.REPORTS, "POST", "/api/v1/reports/{report_id}/download/", "reports.read"),
            Operation("user.get", Group.USER, "GET", "/api/v1/user/", "profile"),
            Operation("user.memberships", Group.USER, "GET", "/api/v1/user/memberships/", "profile"),
            Operation("team.get", Group.TEAM, "GET", "/api/v1/team/", "team.read"),
            Operation("team.member", Group.TEAM, "GET", "/api/v1/team/{member_id}/", "team.read"),
            Operation("team.edit", Group.TEAM, "PUT", "/api/v1/team/{member_id}/", "team.write", repeatable=False),
            Operation(
                "team.deactivate", Group.TEAM, "DELETE", "/api/v1/team/{member_id}/", "team.write", repeatable=False
            ),
            Operation("team.invite", Group.TEAM, "POST", "/api/v1/team/invite/", "team.write", repeatable=False),
            Operation(
                "team.resend_invitation",
                Group.TEAM,
                "POST",
                "/api/v1/team/{member_id}/invite/",
                "team.write",
                repeatable=False,
            ),
            Operation(
                "team.cancel_invitation",
                Group.TEAM,
                "DELETE",
                "/api/v1/team/{member_id}/invite/",
                "team.write",
                repeatable=False,
            ),
            Operation(
                "team.create_service_user",
                Group.TEAM,
                "POST",
                "/api/v1/team/service-users/",
                "team.write",
                repeatable=False,
            ),
            Operation("team_audits.list", Group.TEAM_AUDITS, "GET", "/api/v1/team/audit-logs/", "team.read"),
            Operation(
                "team_audits.list_for_member",
                Group.TEAM_AUDITS,
                "GET",
                "/api/v1/team/members/{member_id}/audit-logs/",
                "team.read",
            ),
            Operation("team_audits.export", Group.TEAM_AUDITS, "GET", "/api/v1/team/audit-logs.csv", "team.read"),
            Operation("customer.get", Group.CUSTOMER, "GET", "/api/v1/customer/", "customer.read"),
            Operation(
                "customer.upload_document",
                Group.CUSTOMER,
                "POST",
                "/api/v1/documents/{document_type}/",
                "customer.write",
                repeatable=False,
            ),
            Operation(
                "customer.beneficial_owners",
                Group.CUSTOMER,
                "GET",
                "/api/v1/customer/beneficial-owners/",
                "customer.read",
            ),
            Operation("agreements.list", Group.AGREEMENTS, "GET", "/api/v1/agreements/", "agreements.read"),
        )
    }
)
"""Every operation by name, in the order of the reference."""

SCOPES: Final = tuple(sorted({operation.scope for operation in OPERATIONS.values() if operation.scope is not None}))
"""Every scope that some operation needs, those that write included."""

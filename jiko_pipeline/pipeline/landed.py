"""Where what each operation of the API answers is landed.

Belongs here: one line an operation: a table, or a sentence why nothing is landed. Does not belong here: how it is
fetched (`fetching`, `listing_fetch`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_WRITES: Final = "Nothing: it changes something at the bank; the pipeline never calls it."


def _detail(table: str) -> str:
    return f"Nothing of its own: one row of what {table} has from the listing."


LANDED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pockets.list": "core.pocket, core.pocket_history",
        "pockets.create": _WRITES,
        "pockets.get": _detail("core.pocket"),
        "pockets.update": _WRITES,
        "pockets.earnings": "core.earnings",
        "portals.list_for_pocket": _detail("core.portal"),
        "portals.list": "core.portal",
        "transactions.list": "core.api_transaction",
        "transactions.export": "staging.api_transaction (compared row by row by K51)",
        "trading_strategies.list": "core.trading_strategy",
        "trades.list_v1": "staging.api_trade (compared row by row by K51)",
        "trades.export": "staging.api_trade (compared row by row by K51)",
        "trades.confirmation": "core.trade_confirmation_check (hash and result; by `jiko confirmations check`)",
        "trades.list": "core.trade",
        "counterparties.list": "core.counterparty",
        "counterparties.create": _WRITES,
        "counterparties.get": _detail("core.counterparty"),
        "counterparties.update": _WRITES,
        "transfer_requests.create": _WRITES,
        "transfer_requests.list": "core.transfer_request, core.transfer_trail",
        "transfer_requests.reviewers": "core.reviewer",
        "transfer_requests.get": _detail("core.transfer_request"),
        "transfer_requests.cancel": _WRITES,
        "transfer_requests.decide": _WRITES,
        "subscriptions.create": _WRITES,
        "subscriptions.list": "core.subscription",
        "subscriptions.update": _WRITES,
        "subscriptions.get": _detail("core.subscription"),
        "subscriptions.delete": _WRITES,
        "events.list": "core.event, core.event_delivery_attempt",
        "notifications.list": "core.notification",
        "notifications.get": _detail("core.notification"),
        "notifications.mark": _WRITES,
        "statements.list": "core.monthly_statement; the files by `jiko documents fetch`",
        "reports.order": "raw.document (report_request_id); the pipeline's only write",
        "reports.list_requests": "core.report_request",
        "reports.get_request": _detail("core.report_request"),
        "reports.get": _detail("core.report_request"),
        "reports.link": "Nothing: the link is used at once and forgotten; the file behind it is landed by its kind.",
        "user.get": "core.signed_in_user",
        "user.memberships": "core.membership",
        "team.get": "core.team_member",
        "team.member": _detail("core.team_member"),
        "team.edit": _WRITES,
        "team.deactivate": _WRITES,
        "team.invite": _WRITES,
        "team.resend_invitation": _WRITES,
        "team.cancel_invitation": _WRITES,
        "team.create_service_user": _WRITES,
        "team_audits.list": "core.audit_log",
        "team_audits.list_for_member": _detail("core.audit_log"),
        "team_audits.export": "staging.audit_log (compared row by row by K51)",
        "customer.get": "core.customer",
        "customer.upload_document": _WRITES,
        "customer.beneficial_owners": "core.beneficial_owner",
        "agreements.list": "core.agreement",
    }
)
"""Operation -> where it lands, or why nowhere."""

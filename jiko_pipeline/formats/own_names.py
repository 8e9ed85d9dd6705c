"""Archived JSON of a bank that names its fields otherwise, told in our names before it is read.

Belongs here: the form of each kind of JSON document, and telling a body anew. Does not belong here: which names
differ (`jiko_pipeline.bank.contract`), reading the items (`pages`, `parties`, `messages`).

The archive keeps what came; it is told anew whenever it is read, so a corrected contract holds for it too.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from pydantic import create_model

from jiko_pipeline.bank.client.models import activity, customer, messages, people, pockets, reports, transfers
from jiko_pipeline.bank.client.models.base import Model
from jiko_pipeline.bank.client.naming import in_our_names
from jiko_pipeline.bank.contract import Contract


def _page_of(item: Any) -> Any:
    return create_model("Page", __base__=Model, items=(tuple[item, ...], ...), next_page=(str | None, None))


_TRANSACTIONS: Final = _page_of(activity.Transaction)
_FORMS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "API_TRANSACTIONS": _TRANSACTIONS,
        "POCKET_LIVES": _TRANSACTIONS,
        "API_TRADES": _page_of(activity.TradeV2),
        "API_TRADES_V1": _page_of(activity.Trade),
        "MONTHLY_STATEMENTS": _page_of(activity.Statement),
        "POCKETS": _page_of(pockets.Pocket),
        "PORTALS": pockets.ListPortalsResponse,
        "TRADING_STRATEGIES": _page_of(pockets.TradingStrategy),
        "EARNINGS": pockets.PocketEarnings,
        "COUNTERPARTIES": _page_of(transfers.Counterparty),
        "TRANSFER_REQUESTS": _page_of(transfers.TransferRequest),
        "REVIEWERS": transfers.DualAuthUserList,
        "SUBSCRIPTIONS": _page_of(messages.Subscription),
        "EVENTS": _page_of(messages.Event),
        "NOTIFICATIONS": _page_of(messages.CustomerNotification),
        "REPORT_REQUESTS": _page_of(reports.ReportRequest),
        "USER": people.UserInfo,
        "MEMBERSHIPS": people.MembershipInfo | _page_of(people.MembershipInfo),
        "TEAM": people.TeamResponse,
        "AUDIT_LOGS": _page_of(people.CustomerAuditLogEntry),
        "CUSTOMER": customer.Customer,
        "BENEFICIAL_OWNERS": customer.ListBeneficialOwnersResponse,
        "AGREEMENTS": customer.Agreement,
    }
)


class _Number(str):
    """A number with a point as it stood, to stand so again."""


def in_names_of_ours(kind: str, bodies: Sequence[bytes], contract: Contract) -> list[bytes]:
    """The bodies of a document of `kind` with our names of fields, where the bank of `contract` has others.

    Bodies of other kinds, and those that are no JSON, stay as they are: their readers say what is wrong with them.
    """
    names = dict(contract.wire_names())
    if contract.items != "items":
        names["Page.items"] = contract.items
    if contract.next_page != "next_page":
        names["Page.next_page"] = contract.next_page
    form = _FORMS.get(kind)
    return list(bodies) if form is None or not names else [_told_anew(body, form, names) for body in bodies]


def _told_anew(body: bytes, form: Any, names: Mapping[str, str]) -> bytes:
    try:
        document = json.loads(body.decode("utf-8-sig"), parse_float=_Number, object_pairs_hook=_without_repeated_keys)
        return _text(in_our_names(document, form, names)).encode()
    except (ValueError, RecursionError):
        return body


def _without_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key stands twice")
    return document


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{_text(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_text(item) for item in value) + "]"
    return str(value) if isinstance(value, _Number) else json.dumps(value)

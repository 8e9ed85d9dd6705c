"""The API's answers about people, paper and other sides: each to one frame.

Belongs here: where the items of each answer stand, and which field fills which column. Does not belong here:
what a field must be (`fields`), pages (`listing_reader`).
"""

from collections.abc import Sequence
from typing import Any, Final

from jiko_pipeline.formats import party_frames as frames
from jiko_pipeline.formats.fields import (
    Field,
    address_only,
    day,
    decimal,
    instant,
    person_name,
    row_of,
    structure,
    text,
    words,
)
from jiko_pipeline.formats.frame_spec import FrameSpec
from jiko_pipeline.formats.items import Item
from jiko_pipeline.formats.listing_reader import Body, Listing, read_listing
from jiko_pipeline.formats.reading import Expectation, Reading

_YIELD: Final = decimal(18, 9)


def _t(*at: str) -> Field:
    return Field(at, text)


def _listing(
    spec: FrameSpec,
    fields: dict[str, Field],
    *,
    words: dict[str, frozenset[str]] | None = None,
    items: Any = None,
    identity: tuple[str, ...] = ("id",),
) -> Listing[Item]:
    row = row_of(spec, fields)
    if items is None:
        return Listing(spec, Item, row, words or {}, identity=identity)
    return Listing(spec, Item, row, words or {}, items=items, identity=identity, is_one_item=items is _itself)


def _portals_of(body: Body) -> Any:
    return body.get("portals", body.get("items")) if isinstance(body, dict) else None


def _list_or_items(body: Body) -> Any:
    return body if isinstance(body, list) else body.get("items")


def _itself(body: Body) -> Any:
    return [body] if isinstance(body, dict) and body else None


def _members_of(body: Body) -> Any:
    """The members of all groups, each with the status of its group where it states none."""
    groups = body.get("members") if isinstance(body, dict) else None
    if not isinstance(groups, list):
        return None
    found: list[Any] = []
    for group in groups:
        members = group.get("members") if isinstance(group, dict) else None
        if not isinstance(members, list):
            return None
        found += [{"status": group.get("status"), **member} for member in members if isinstance(member, dict)]
    return found


def _documents_of(body: Body) -> Any:
    """The documents of an agreement, or of a list of agreements, each with version and release date."""
    agreements = _list_or_items(body)
    if agreements is None:
        agreements = [body]
    if not isinstance(agreements, list):
        return None
    found: list[Any] = []
    for agreement in agreements:
        documents = agreement.get("documents") if isinstance(agreement, dict) else None
        if not isinstance(documents, list):
            return None
        version = {"version": agreement.get("version"), "release_date": agreement.get("release_date")}
        found += [{**document, **version} for document in documents if isinstance(document, dict)]
    return found


PORTALS: Final = _listing(
    frames.PORTAL,
    {
        "portal_id": _t("id"),
        "pocket_id": _t("jiko_account_id"),
        "portal_name": _t("name"),
        "portal_status": _t("status"),
        "routing_number": _t("routing_number"),
        "account_number": _t("account_number"),
    },
    words={"portal_status": frozenset({"OPEN", "CLOSED"})},
    items=_portals_of,
)
TRADING_STRATEGIES: Final = _listing(
    frames.TRADING_STRATEGY,
    {
        "strategy_id": _t("id"),
        "description": _t("description"),
        "applicable_to": Field(("applicable_to",), words),
        "yield_to_maturity": Field(("yield_to_maturity",), _YIELD),
        "discount_yield": Field(("discount_yield",), _YIELD),
    },
)
COUNTERPARTIES: Final = _listing(
    frames.COUNTERPARTY,
    {
        "counterparty_id": _t("id"),
        "counterparty_type": _t("type"),
        "counterparty_status": _t("status"),
        "name_on_account": _t("name_on_account"),
        "account_number": _t("account_number"),
        "routing_number": _t("routing_number"),
        "account_type": _t("account_type"),
        "institution_name": _t("institution_name"),
        "identifier_code": _t("identifier_code"),
        "identifier_type": _t("identifier_type"),
        "address": Field(("address",), structure),
        "wire_instructions": _t("wire_instructions"),
        "verification_type": _t("verification", "type"),
        "created_at_utc": Field(("time_created",), instant),
    },
    words={"counterparty_type": frozenset({"ach", "wire", "international_wire", "on_us"})},
)
REVIEWERS: Final = _listing(
    frames.REVIEWER,
    {
        "user_id": _t("user_id"),
        "first_name": _t("first_name"),
        "last_name": _t("last_name"),
        "email": _t("email"),
    },
    items=_list_or_items,
    identity=("user_id",),
)
SUBSCRIPTIONS: Final = _listing(
    frames.SUBSCRIPTION,
    {
        "subscription_id": _t("id"),
        "description": _t("description"),
        "event_types": Field(("events",), words),
        "target_address": Field(("url",), address_only),
        "retry_policy": Field(("retry_policy",), structure),
        "subscription_status": _t("status"),
        "created_at_utc": Field(("time_created",), instant),
        "updated_at_utc": Field(("updated_at",), instant),
    },
    words={"subscription_status": frozenset({"enabled", "disabled"})},
)
CUSTOMER: Final = _listing(
    frames.CUSTOMER,
    {
        "customer_type": _t("type"),
        "customer_name": Field(("name",), person_name),
        "account_status": _t("account_status"),
        "email": _t("email"),
        "phone_number": _t("phone_number"),
        "identification_number": Field(("identification_number",), structure),
        "date_of_birth": Field(("date_of_birth",), day),
        "address": Field(("address",), structure),
    },
    words={"account_status": frozenset({"OPEN", "CLOSED", "FROZEN", "PENDING"})},
    items=_itself,
)
BENEFICIAL_OWNERS: Final = _listing(
    frames.BENEFICIAL_OWNER,
    {
        "owner_id": _t("id"),
        "owner_name": Field(("name",), person_name),
        "title": _t("title"),
        "roles": Field(("roles",), words),
        "ownership_percentage": Field(("ownership_percentage",), decimal(38, 6)),
        "date_of_birth": Field(("date_of_birth",), day),
        "citizenship": _t("citizenship"),
        "address": Field(("address",), structure),
    },
    items=_list_or_items,
)
TEAM: Final = _listing(
    frames.TEAM_MEMBER,
    {
        "member_id": _t("id"),
        "first_name": _t("first_name"),
        "last_name": _t("last_name"),
        "email": _t("email"),
        "phone_number": _t("phone_number"),
        "role": _t("role"),
        "member_status": _t("status"),
        "created_at_utc": Field(("created_at",), instant),
        "last_login_at_utc": Field(("last_login_at",), instant),
    },
    items=_members_of,
)
USER: Final = _listing(
    frames.SIGNED_IN_USER,
    {
        "user_id": _t("user_id"),
        "email": _t("email"),
        "user_name": _t("name"),
        "role": _t("role"),
        "bank_customer_id": _t("customer_id"),
        "phone_number": _t("phone_number"),
    },
    items=_itself,
    identity=("user_id",),
)
MEMBERSHIPS: Final = _listing(
    frames.MEMBERSHIP,
    {
        "team_id": _t("team_id"),
        "team_name": _t("team_name"),
        "role": _t("role"),
        "membership_status": _t("status"),
    },
    items=_list_or_items,
    identity=("team_id",),
)
AGREEMENTS: Final = _listing(
    frames.AGREEMENT,
    {
        "agreement_version": _t("version"),
        "document_title": _t("title"),
        "release_date": Field(("release_date",), day),
        "document_type": _t("type"),
        "category": _t("category"),
    },
    items=_documents_of,
)

LISTINGS: Final = {
    "PORTALS": PORTALS,
    "TRADING_STRATEGIES": TRADING_STRATEGIES,
    "COUNTERPARTIES": COUNTERPARTIES,
    "REVIEWERS": REVIEWERS,
    "SUBSCRIPTIONS": SUBSCRIPTIONS,
    "CUSTOMER": CUSTOMER,
    "BENEFICIAL_OWNERS": BENEFICIAL_OWNERS,
    "TEAM": TEAM,
    "USER": USER,
    "MEMBERSHIPS": MEMBERSHIPS,
    "AGREEMENTS": AGREEMENTS,
}
"""Kind of document -> its listing."""


def read_party(kind: str, parts: Sequence[bytes], expectation: Expectation | None = None) -> Reading:
    """All pages of a listing of `kind` (a key of LISTINGS) to its frame. Raises RefusedDocumentError."""
    return read_listing(LISTINGS[kind], parts, expectation)

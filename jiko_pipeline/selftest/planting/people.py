"""Faults of authorization: requests, approvals, people, counterparties, strategies, and what is told of them.

Belongs here: everything about who asked, who approved, who was listed and what events told. Does not belong here: the
movements themselves (`transactions`), the customer's own lists (`customer_records`).
"""

import json
from datetime import datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from jiko_pipeline.selftest import documents
from jiko_pipeline.selftest.facts import Row
from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.site import NothingToHit, Site
from jiko_pipeline.warehouse.kinds import SNAPSHOT_DATE

_REQUESTS = "staging.transfer_request"
_LOGS = ("AUDIT_LOGS", "AUDIT_LOGS_CSV")
_APPROVED = "TRANSFER_REQUEST_APPROVED"
_DOLLAR = Decimal("1.00")
_BEFORE_THE_DAY_ENDS = time(22)
"""UTC; in New York it is before the end of the business day all year round."""
_NEW_FOR = timedelta(days=10)
_WEEK_DAYS = 7
_HOLIDAY_DAYS = 4


def _id(site: Site) -> str:
    return str(UUID(int=site.draw.getrandbits(128)))


def _wire(site: Site) -> tuple[Row, Row]:
    """A wire that left the pocket on the day, with its request. Raises NothingToHit."""
    wires = [
        row
        for row in site.transactions()
        if row["transaction_type"] == "WIRE"
        and row["signed_amount"] < 0
        and row["booked_at_utc"] < datetime.combine(site.day, _BEFORE_THE_DAY_ENDS)
    ]
    wire = site.any(wires)
    requests = site.facts.find(_REQUESTS, transfer_id=json.loads(wire["details"])["wire_id"])
    if len(requests) != 1:
        raise NothingToHit
    return wire, requests[0]


def _entries(site: Site, action: str, transfer_id: str) -> list[Row]:
    """The entries of the audit log about a transfer, in both forms of the listing."""
    return [
        row
        for row in site.facts.all("staging.audit_log")
        if row["action"] == action and json.loads(row["action_details"] or "{}").get("transfer_id") == transfer_id
    ]


def _log(site: Site, at: datetime, member_id: str | None, action: str, **about: str) -> str:
    """Enters an entry into both forms of the audit log; its id."""
    identifier = _id(site)
    for kind in _LOGS:
        listed = site.facts.find("raw.delivery", document_kind=kind, scope_pocket_id="", scope_date=at.date())
        if not listed:
            raise NothingToHit
        site.facts.put(
            "staging.audit_log",
            {
                "document_kind": kind,
                "scope_pocket_id": "",
                "scope_date": at.date(),
                "document_id": listed[0]["document_id"],
                "entry_id": identifier,
                "occurred_at_utc": at,
                "member_id": member_id,
                "action": action,
                "action_details": json.dumps(about, sort_keys=True) if about else None,
                "document_locator": "planted",
            },
        )
    return identifier


def _listing(site: Site, kind: str, at: datetime, outcome: str = "NEW_VERSION") -> Row:
    """A further listing of a kind that has no as-of date; what is put into it names its document."""
    version = f"|{at:%Y%m%dT%H%M%S}"
    current = outcome == "NEW_VERSION"
    document = documents.deliver(
        site.facts, kind, "", [], version=version, known_from=at, outcome=outcome, is_current=current
    )
    return {
        "document_kind": kind,
        "scope_pocket_id": "",
        "scope_date": SNAPSHOT_DATE,
        "document_id": document["document_id"],
        "known_from_utc": at,
    }


def _noon(site: Site, days_back: int = 0) -> datetime:
    return datetime.combine(site.day - timedelta(days=days_back), time(16))


@plants("payment-without-request")
def _without_request(site: Site) -> Names:
    wire, request = _wire(site)
    site.facts.drop(_REQUESTS, request)
    return {"payment": wire["activity_id"]}


@plants("payment-of-a-denied-request")
def _denied(site: Site) -> Names:
    wire, request = _wire(site)
    request.update(request_status="DENIED", details=None)
    for entry in _entries(site, _APPROVED, request["transfer_id"]):
        site.facts.drop("staging.audit_log", entry)
    return {"payment": wire["activity_id"]}


@plants("payment-asked-for-twice")
def _twice(site: Site) -> Names:
    wire, request = _wire(site)
    site.facts.put(_REQUESTS, {**request, "request_id": _id(site)})
    return {"payment": wire["activity_id"]}


def _approved_by(site: Site, member_id: str) -> Names:
    wire, request = _wire(site)
    for entry in _entries(site, _APPROVED, request["transfer_id"]):
        entry["member_id"] = member_id
    return {"payment": wire["activity_id"]}


@plants("payment-approved-by-its-maker")
def _by_its_maker(site: Site) -> Names:
    wire, request = _wire(site)
    for entry in _entries(site, _APPROVED, request["transfer_id"]):
        entry["member_id"] = request["created_by_id"]
    return {"payment": wire["activity_id"]}


@plants("payment-of-another-amount")
def _another_amount(site: Site) -> Names:
    wire, request = _wire(site)
    request["amount"] -= _DOLLAR
    return {"payment": wire["activity_id"]}


@plants("payment-from-another-pocket")
def _another_pocket(site: Site) -> Names:
    wire, request = _wire(site)
    others = [row for row in site.facts.all("staging.pocket") if row["pocket_id"] != site.pocket_id]
    request["origin_pocket_id"] = site.any(others)["pocket_id"]
    return {"payment": wire["activity_id"]}


@plants("payment-to-another-party")
def _another_party(site: Site) -> Names:
    wire, request = _wire(site)
    booked = {site.detail(row)["end_to_end_id"] for row in site.movements()}
    if wire["activity_id"].replace("-", "") not in booked:
        raise NothingToHit
    paid = site.facts.one("staging.counterparty", counterparty_id=request["counterparty_id"])
    others = [
        row
        for row in site.facts.all("staging.counterparty")
        if row["counterparty_type"] == "wire"
        and row["name_on_account"] != paid["name_on_account"]
        and row["created_at_utc"] < _noon(site) - 2 * _NEW_FOR
    ]
    request["counterparty_id"] = site.any(others)["counterparty_id"]
    return {"payment": wire["activity_id"]}


def _reviewers(site: Site) -> set[str]:
    return {row["user_id"] for row in site.facts.all("staging.reviewer")}


@plants("payment-approved-by-one-who-left")
def _by_one_who_left(site: Site) -> Names:
    gone = [row for row in site.facts.all("staging.team_member") if row["member_status"] == "INACTIVE"]
    return _approved_by(site, site.any(gone)["member_id"])


@plants("payment-approved-by-a-stranger")
def _by_a_stranger(site: Site) -> Names:
    return _approved_by(site, _id(site))


@plants("payment-approved-by-an-onlooker")
def _by_an_onlooker(site: Site) -> Names:
    may = _reviewers(site)
    others = [
        row
        for row in site.facts.all("staging.team_member")
        if row["member_status"] == "ACTIVE" and row["member_id"] not in may
    ]
    return _approved_by(site, site.any(others)["member_id"])


@plants("counterparty-changed-after-approval")
def _changed_after_approval(site: Site) -> Names:
    wire, request = _wire(site)
    party = request["counterparty_id"]
    for other in site.facts.find(_REQUESTS, counterparty_id=party):
        later = other["created_at_utc"] - request["created_at_utc"]
        if other is not request and timedelta(0) <= later <= _NEW_FOR + timedelta(days=1):
            raise NothingToHit
    approval = site.any(_entries(site, _APPROVED, request["transfer_id"]))
    at = approval["occurred_at_utc"] + (wire["booked_at_utc"] - approval["occurred_at_utc"]) / 2
    before = site.facts.one("staging.counterparty", counterparty_id=party)
    before["known_to_utc"] = at
    scope = _listing(site, "COUNTERPARTIES", at)
    after = {**before, **scope, "known_to_utc": None, "account_number": f"{site.draw.randrange(10**9):010d}"}
    site.facts.put("staging.counterparty", after)
    _log(site, at - timedelta(seconds=1), request["created_by_id"], "COUNTERPARTY_EDITED", counterparty_id=party)
    return {"payment": wire["activity_id"]}


@plants("request-never-paid")
def _never_paid(site: Site) -> Names:
    made = _id(site)
    requests = [row for row in site.facts.all(_REQUESTS) if row["counterparty_id"] is not None]
    like = site.any(requests)
    if not site.transactions():
        raise NothingToHit
    at = _noon(site)
    site.facts.put(
        _REQUESTS,
        {
            **like,
            "scope_date": site.day,
            "request_id": made,
            "transfer_id": made,
            "origin_pocket_id": site.pocket_id,
            "request_status": "COMPLETED",
            "created_at_utc": at,
            "updated_at_utc": at + timedelta(hours=1),
        },
    )
    return {"transfer": made}


@plants("request-of-an-unlisted-pocket")
def _unlisted_destination(site: Site) -> Names:
    made, unlisted = _id(site), _id(site)
    like = site.any(list(site.facts.all(_REQUESTS)))
    site.facts.put(
        _REQUESTS,
        {
            **like,
            "scope_date": site.day,
            "request_id": made,
            "transfer_id": made,
            "transfer_type": "ON_US",
            "origin_pocket_id": site.pocket_id,
            "destination_pocket_id": unlisted,
            "counterparty_id": None,
            "request_status": "DENIED",
            "created_at_utc": _noon(site),
            "updated_at_utc": _noon(site) + timedelta(hours=1),
        },
    )
    return {"unlisted": unlisted}


@plants("portal-of-an-unlisted-pocket")
def _unlisted_portal(site: Site) -> Names:
    unlisted = _id(site)
    like = site.any(list(site.facts.all("staging.portal")))
    scope = _listing(site, "PORTALS", _noon(site))
    site.facts.put("staging.portal", {**like, **scope, "portal_id": _id(site), "pocket_id": unlisted})
    return {"unlisted": unlisted}


def _listed_the_day_before(site: Site, kind: str) -> None:
    """The same listing on the calendar day before: what follows has changed since then."""
    _listing(site, kind, _noon(site, 1), outcome="UNCHANGED")


@plants("counterparty-made-unlogged")
def _made_unlogged(site: Site) -> Names:
    party = _id(site)
    like = site.any(list(site.facts.all("staging.counterparty")))
    _listed_the_day_before(site, "COUNTERPARTIES")
    scope = _listing(site, "COUNTERPARTIES", _noon(site))
    made = {**like, **scope, "counterparty_id": party, "created_at_utc": _noon(site) - timedelta(hours=2)}
    site.facts.put("staging.counterparty", made)
    return {"party": party}


@plants("role-changed-unlogged")
def _role_changed(site: Site) -> Names:
    may = _reviewers(site)
    others = [
        row
        for row in site.facts.all("staging.team_member")
        if row["member_id"] not in may and row.get("known_to_utc") is None
    ]
    before = site.any(others)
    _listed_the_day_before(site, "TEAM")
    before["known_to_utc"] = _noon(site)
    scope = _listing(site, "TEAM", _noon(site))
    role = "ANALYST" if before["role"] != "ANALYST" else "VIEWER"
    site.facts.put("staging.team_member", {**before, **scope, "known_to_utc": None, "role": role})
    return {"member": before["member_id"]}


@plants("payment-to-a-new-counterparty")
def _to_a_new_counterparty(site: Site) -> Names:
    wire, request = _wire(site)
    party = _id(site)
    like = site.facts.one("staging.counterparty", counterparty_id=request["counterparty_id"])
    site.facts.put("staging.counterparty", {**like, "counterparty_id": party, "created_at_utc": _noon(site, 3)})
    request["counterparty_id"] = party
    return {"payment": wire["activity_id"]}


@plants("pipeline-made-a-counterparty")
def _pipeline_wrote(site: Site) -> Names:
    own = site.any(list(site.facts.all("staging.signed_in_user")))
    entry = _log(site, _noon(site), own["user_id"], "COUNTERPARTY_CREATED", counterparty_id=_id(site))
    return {"entry": entry}


@plants("bill-longer-than-strategy")
def _longer_than_strategy(site: Site) -> Names:
    longest = _WEEK_DAYS + _HOLIDAY_DAYS
    bought = [row for row in site.trades("BUY") if (row["maturity_date"] - site.day).days > longest + 1]
    if not bought or len(bought) != len(site.trades("BUY")):
        raise NothingToHit
    listed = site.facts.find("staging.pocket", pocket_id=site.pocket_id)
    if len(listed) != 1:
        raise NothingToHit  # it was listed otherwise before
    usual = listed[0]
    begins = datetime.combine(site.day - timedelta(days=1), time(23, 30))
    ends = datetime.combine(site.day + timedelta(days=1), time(5))
    usual["known_to_utc"] = begins
    for at, until, strategy in ((begins, ends, "UST-1W"), (ends, None, usual["deposit_strategy_id"])):
        scope = _listing(site, "POCKETS", at)
        changed = {"deposit_strategy_id": strategy, "reinvestment_strategy_id": strategy, "known_to_utc": until}
        site.facts.put("staging.pocket", {**usual, **scope, **changed})
        _log(site, at - timedelta(minutes=15), None, "POCKET_CHANGED", pocket_id=site.pocket_id)
    return {"trades": [row["trade_id"] for row in bought]}


def _tell(site: Site, event_type: str, wire_id: str) -> str:
    listed = site.facts.find("raw.delivery", document_kind="EVENTS", scope_pocket_id="", scope_date=site.day)
    if not listed:
        raise NothingToHit
    identifier = _id(site)
    site.facts.put(
        "staging.event",
        {
            "document_kind": "EVENTS",
            "scope_pocket_id": "",
            "scope_date": site.day,
            "document_id": listed[0]["document_id"],
            "event_id": identifier,
            "event_type": event_type,
            "occurred_at_utc": _noon(site),
            "payload": json.dumps({"wire_id": wire_id}),
            "document_locator": "planted",
        },
    )
    return identifier


@plants("event-of-a-wire-that-never-was")
def _wire_that_never_was(site: Site) -> Names:
    if (site.day - site.first).days < _WEEK_DAYS:
        raise NothingToHit
    return {"event": _tell(site, "transfers.wire.out.success", _id(site))}


@plants("rejected-wire-was-booked")
def _rejected_and_booked(site: Site) -> Names:
    _, request = _wire(site)
    return {"event": _tell(site, "transfers.wire.out.rejected", request["transfer_id"])}

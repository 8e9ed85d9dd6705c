"""Faults of documents of a pocket that is made for them: stated twice, stated anew, set aside, asked for by two dates.

Belongs here: what arrives of documents whose content is chosen. Does not belong here: documents of drawn worlds
(`arrivals`, `layouts`).
"""

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from jiko_pipeline import calendars
from jiko_pipeline.selftest.facts import KNOWN_FROM, Row
from jiko_pipeline.selftest.planting.made_pockets import MadePocket, opened
from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.site import NothingToHit, Site
from jiko_pipeline.warehouse.kinds import kind_of

_ANEW = KNOWN_FROM + timedelta(days=400)
"""When something was stated anew: after every fetch of a world."""
_LISTINGS = ("API_TRANSACTIONS", "API_TRADES")


def _entry(made: MadePocket, day: date, reference: str) -> tuple[Row, Row]:
    """An entry of the pocket's bank statement with its detail."""
    scope = {"document_kind": "BANK_STATEMENT", "scope_pocket_id": made.pocket_id, "scope_date": day}
    facts = made.site.facts
    found = facts.find("staging.statement_entry", account_servicer_reference=reference, **scope)
    row = max(found, key=lambda one: int(one["entry_seq"]))
    return row, facts.one("staging.statement_entry_detail", entry_seq=row["entry_seq"], **scope)


@plants("entries-twice-at-the-edges")
def _entries_twice(site: Site) -> Names:
    made = opened(site, 5)
    day = [site.after(offset) for offset in range(6)]
    gaps: Mapping[str, tuple[Any, Any]] = {
        "currency": (None, "EUR"),
        "booking_date": (None, day[2]),
        "value_date": (None, day[2]),
        "proprietary_code": (None, "ADJUSTMENT"),
    }
    details: Mapping[str, tuple[Any, Any]] = {
        "end_to_end_id": (None, "another"),
        "debtor_name": (None, "Somebody Else"),
        "remittance_unstructured": (None, "another"),
    }
    alike: list[str] = []
    unlike: list[str] = []
    for number in range(len(gaps) + len(details)):
        for on, keys in ((1, alike), (2, unlike)):
            reference = f"{made.pocket_id[:8]}-{on}-{number}"
            for _ in range(2):
                made.book(day[on], "ACH_CREDIT", (100 + number) * 100, reference=reference)
            keys.append(reference)
    made.book(day[3], "ACH_CREDIT", 200_00, reference="nameless-1")
    made.book(day[3], "ACH_CREDIT", 200_00, reference="nameless-2")
    named = made.new_id().replace("-", "")
    made.book(day[4], "ACH_CREDIT", 201_00, named, reference="named-1")
    made.book(day[4], "ACH_CREDIT", 201_00, named, reference="named-2")
    made.deliver()
    for number, (name, (nothing, other)) in enumerate([*gaps.items(), *details.items()]):
        for on, keys, value in ((1, alike, nothing), (2, unlike, other)):
            rows = site.facts.find(
                "staging.statement_entry", scope_pocket_id=made.pocket_id, scope_date=day[on],
                account_servicer_reference=keys[number],
            )  # fmt: skip
            for place, row in enumerate(rows):
                detail = site.facts.one(
                    "staging.statement_entry_detail", document_kind="BANK_STATEMENT",
                    scope_pocket_id=made.pocket_id, scope_date=day[on], entry_seq=row["entry_seq"],
                )  # fmt: skip
                (row if name in gaps else detail)[name] = nothing if on == 1 or place == 0 else value
    for on, reference in ((3, "nameless-1"), (3, "nameless-2"), (4, "named-1"), (4, "named-2")):
        _entry(made, day[on], reference)[0]["account_servicer_reference"] = None
    return {"pocket": made.pocket_id, "alike": alike, "unlike": unlike, "named": named}


@plants("brokerage-entries-of-unknown-kind-twice")
def _unknown_twice(site: Site) -> Names:
    made = opened(site, 3)
    day = site.after(1)
    for _ in range(2):
        made.flow(day, "REVALUATION", 5_00, "made-unknown")
    made.deliver()
    return {"pocket": made.pocket_id}


def _state_anew(made: MadePocket, kind: str, day: date, at: datetime, version: int = 2) -> None:
    """A later version of what a document says of a day, with the content that it had."""
    facts = made.site.facts
    lines = facts.find("raw.delivery", document_kind=kind, scope_pocket_id=made.pocket_id, scope_date=day)
    line = max(lines, key=lambda one: one["version_no"] or 0)
    later = f"{line['document_id']}|{day}|{version}"
    document = facts.one("raw.document", document_id=line["document_id"])
    facts.put("raw.document", {**document, "document_id": later, "document_sha256": later, "fetched_at_utc": at,
                               "loaded_at_utc": at, "first_date": day, "last_date": day})  # fmt: skip
    facts.put("raw.delivery", {**line, "document_id": later, "content_hash": later, "version_no": version,
                               "known_from_utc": at})  # fmt: skip
    line["is_current"] = False
    for frame in kind_of(kind).frames:
        for row in facts.find(f"staging.{frame}", document_kind=kind, scope_pocket_id=made.pocket_id, scope_date=day):
            row.update(document_id=later, known_from_utc=at)


def _sign(made: MadePocket, first: date, last: date, at: datetime, pocket_id: str | None = None) -> None:
    facts = made.site.facts
    signed = made.pocket_id if pocket_id is None else pocket_id
    texts = ("controls", "totals", "accepted_breaks", "open_timing", "basis", "baseline", "days")
    nothing = ("result_hash", "inputs_hash", "rules_hash", "calendar_version", "reason", "digest")
    facts.put(
        "recon.signoff",
        {
            "signoff_seq": sum(1 for _ in facts.all("recon.signoff")) + 1,
            "scope": "POCKET" if signed else "ENTITY",
            "pocket_id": signed,
            "period": "DAY",
            "first_date": first,
            "last_date": last,
            "status": "SIGNED",
            "run_id": "earlier",
            **dict.fromkeys(texts, "[]"),
            **dict.fromkeys(nothing, ""),
            "actor": "reviewer",
            "identity": "IDENTITY_NOT_VERIFIED",
            "at_utc": at,
        },
    )


@plants("restatements-at-the-edges")
def _restatements(site: Site) -> Names:
    made, other = opened(site, 9), opened(site, 9)
    day = [site.after(offset) for offset in range(10)]
    weekend = next(
        (one, one + timedelta(days=1))
        for one in day
        if not calendars.is_fed_business_day(one + timedelta(days=1)) and one < day[9]
    )
    monday = calendars.next_fed_business_day(weekend[0])
    if monday > day[9]:
        raise NothingToHit
    before, after = _ANEW - timedelta(seconds=1), _ANEW + timedelta(seconds=1)
    made.deliver()
    other.deliver()
    for on in range(1, 8):
        _state_anew(made, "POSITION", day[on], _ANEW)
    _state_anew(made, "POSITION", day[7], after + timedelta(days=1), 3)
    _state_anew(made, "BANK_STATEMENT", day[1], after + timedelta(days=1))
    _sign(made, day[1], day[1], after)  # after the positions were stated anew, before the statement was
    _sign(made, day[2], day[2], before)
    _sign(made, day[3], day[3], _ANEW)
    _sign(made, day[4], day[4], before, other.pocket_id)
    _sign(made, day[6], day[6], before)  # not day 5, on either side of it
    _sign(made, day[7], day[7], after)  # before the last version, after the one before it
    _state_anew(other, "TRADE_REPORT_CSV", weekend[1], _ANEW)
    _state_anew(other, "TRADE_REPORT_CSV", monday, after + timedelta(days=1))
    _sign(other, monday, monday, after)
    return {
        "pocket": made.pocket_id,
        "other": other.pocket_id,
        "monday": monday.isoformat(),
        "saturday": weekend[1].isoformat(),
    }


@plants("listings-set-aside-the-day-after")
def _listings_set_aside(site: Site) -> Names:
    one = opened(site, 5)
    day = [site.after(offset) for offset in range(6)]
    if not calendars.is_fed_business_day(day[2] - timedelta(days=1)):
        raise NothingToHit  # the next listing alone is wanting
    transfer = one.new_id()
    told = {"on_us_transfer_id": transfer, "on_us_transfer_type": "INTERNAL_REALLOCATION"}
    received = one.move(day[1], 70_00, "ON_US_IN", "ON_US", details=told)
    names = {
        "next_day": one.book(day[3], "ACH_CREDIT", 71_00),
        "again": one.book(day[3], "ON_US_IN", 70_00, received),
        "two_days": one.book(day[4], "ACH_CREDIT", 72_00),
        "three_days": one.book(day[5], "ACH_CREDIT", 73_00),
        "card": one.book(day[5], "CARD", -74_00),
    }
    one.deliver()
    pockets = sorted(
        row["scope_pocket_id"] for row in site.facts.find("raw.delivery", document_kind="POSITION", scope_date=day[2])
    )
    for kind in _LISTINGS:
        (line,) = site.facts.find("raw.delivery", document_kind=kind, scope_pocket_id="", scope_date=day[2])
        line.update(outcome="QUARANTINED", version_no=None, is_current=False)
        (frame,) = kind_of(kind).frames
        for row in site.facts.find(f"staging.{frame}", document_kind=kind, scope_pocket_id="", scope_date=day[2]):
            site.facts.drop(f"staging.{frame}", row)
        site.facts.put(
            "staging.quarantine",
            {
                "document_kind": kind,
                "scope_pocket_id": "",
                "scope_date": day[2],
                "document_id": line["document_id"],
                "reason_code": "NOT_WELL_FORMED",
                "message": "The listing ends in the middle of an item.",
                "is_whole_document": True,
                "rejected_locator": "",
            },
        )
    return {
        "pocket": one.pocket_id,
        "pockets": pockets,
        "transfer": transfer,
        "received": received,
        **names,
    }


@plants("trade-report-asked-by-two-dates")
def _two_dates(site: Site) -> Names:
    made = opened(site, 8)
    day = [site.after(offset) for offset in range(9)]
    hole = next(one for one in day[1:7] if calendars.is_fed_business_day(one + timedelta(days=1)))
    week_end = [one for one in day[1:8] if not calendars.is_fed_business_day(one + timedelta(days=1))]
    monday = calendars.next_fed_business_day(week_end[0])
    if monday > day[8]:
        raise NothingToHit
    ranges = {
        "before": (day[0], hole - timedelta(days=1)),
        "after": (hole + timedelta(days=1), week_end[0]),
        "next week": (monday, day[8]),
    }
    if any(first > last for first, last in ranges.values()):
        raise NothingToHit
    made.deliver()
    like = site.facts.find("raw.document", pocket_id=made.pocket_id, document_kind="TRADE_REPORT_CSV")[0]
    for name, (first, last) in ranges.items():
        site.facts.put(
            "raw.document",
            {
                **like,
                "document_id": f"{like['document_id']}|{name}",
                "document_sha256": f"{like['document_id']}|{name}",
                "first_date": first,
                "last_date": last,
                "parameters": json.dumps({"date_type": "SETTLEMENT_DATE"}),
                "rows_in_document": 0,
                "rows_loaded": 0,
            },
        )
    return {"pocket": made.pocket_id, "hole": hole.isoformat(), "monday": monday.isoformat()}

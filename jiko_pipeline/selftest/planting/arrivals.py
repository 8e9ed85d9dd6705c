"""Faults of arrival: documents that are missing, early, cut off or not whole.

Belongs here: what happens to a document as such. Does not belong here: what a whole document says.
"""

from collections.abc import Sequence
from typing import Final

from jiko_pipeline import calendars
from jiko_pipeline.selftest.facts import Row
from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.site import REPORTED_TRADES, SWEPT, NothingToHit, Site
from jiko_pipeline.warehouse.kinds import kind_of

_STATEMENTS: Final = ("BANK_STATEMENT", "BROKERAGE_STATEMENT")


def _delivery(site: Site, kind: str, scope_pocket_id: str | None = None) -> Row:
    pocket = site.pocket_id if scope_pocket_id is None else scope_pocket_id
    found = site.facts.find("raw.delivery", document_kind=kind, scope_pocket_id=pocket, scope_date=site.day)
    if len(found) != 1:
        raise NothingToHit
    return found[0]


def _lose(site: Site, kind: str, scope_pocket_id: str | None = None) -> None:
    """Takes a day of a document away, as if it had never come."""
    line = _delivery(site, kind, scope_pocket_id)
    pocket = line["scope_pocket_id"]
    site.facts.drop("raw.delivery", line)
    others = site.facts.find("raw.delivery", document_id=line["document_id"])
    if not others:
        site.facts.drop("raw.document", site.facts.one("raw.document", document_id=line["document_id"]))
    for frame in kind_of(kind).frames:
        table = f"staging.{frame}"
        for row in site.facts.find(table, document_kind=kind, scope_pocket_id=pocket, scope_date=site.day):
            site.facts.drop(table, row)


def _living(site: Site) -> Sequence[str]:
    """The pockets whose documents of the day are there."""
    lines = site.facts.find("raw.delivery", document_kind="POSITION", scope_date=site.day)
    return sorted(row["scope_pocket_id"] for row in lines)


def _later_day_landed(site: Site) -> None:
    """A document counts as missing, and not as late, once the next business day has landed."""
    site.after(1)


def _kind(site: Site, kinds: Sequence[str]) -> str:
    kind = site.draw.choice(kinds)
    _delivery(site, kind)
    return kind


def _awaited(site: Site, *kinds: str) -> Sequence[str]:
    """The sweeps of the business day before that the brokerage statement of the day shows, if it is one of `kinds`."""
    if "BROKERAGE_STATEMENT" not in kinds:
        return []
    before = calendars.previous_fed_business_day(site.day)
    left = {site.detail(row)["end_to_end_id"] for row in site.entries("BANK", *SWEPT, day=before)}
    return sorted(left & {site.detail(row)["end_to_end_id"] for row in site.entries("BROKERAGE")})


@plants("statement-day-missing")
def _statement_day_missing(site: Site) -> Names:
    _later_day_landed(site)
    for kind in _STATEMENTS:
        _delivery(site, kind)
    awaited = _awaited(site, *_STATEMENTS)
    for kind in _STATEMENTS:
        _lose(site, kind)
    return {"awaited": awaited}


@plants("document-missing")
def _document_missing(site: Site) -> Names:
    _later_day_landed(site)
    kind = _kind(site, (*_STATEMENTS, "POSITION"))
    awaited = _awaited(site, kind)
    _lose(site, kind)
    return {"kind": kind, "awaited": awaited}


@plants("trade-report-missing")
def _trade_report_missing(site: Site) -> Names:
    _later_day_landed(site)
    kind = _kind(site, REPORTED_TRADES)
    _lose(site, kind)
    return {"kind": kind}


@plants("document-not-yet-there")
def _not_yet_there(site: Site) -> Names:
    if site.day != site.last:
        raise NothingToHit
    kind = _kind(site, (*_STATEMENTS, "POSITION"))
    awaited = _awaited(site, kind)
    _lose(site, kind)
    return {"kind": kind, "awaited": awaited}


@plants("document-provisional-only")
def _provisional_only(site: Site) -> Names:
    kind = _kind(site, (*_STATEMENTS, "POSITION"))
    line = _delivery(site, kind)
    line["finality"] = "PROVISIONAL"
    site.facts.one("raw.document", document_id=line["document_id"])["finality"] = "PROVISIONAL"
    return {"kind": kind}


@plants("listing-day-missing")
def _listing_day_missing(site: Site) -> Names:
    _later_day_landed(site)
    kind = site.draw.choice(("SECURITY_PRICE", "API_TRADES", "API_TRANSACTIONS"))
    pockets = _living(site)
    _lose(site, kind, "")
    return {"kind": kind, "pockets": pockets}


@plants("corrupt-statement")
def _corrupt(site: Site) -> Names:
    kind = _kind(site, _STATEMENTS)
    awaited = _awaited(site, kind)
    line = _delivery(site, kind)
    document = site.facts.one("raw.document", document_id=line["document_id"])
    for frame in kind_of(kind).frames:
        table = f"staging.{frame}"
        for row in site.facts.find(table, document_kind=kind, scope_pocket_id=site.pocket_id, scope_date=site.day):
            site.facts.drop(table, row)
    line.update(outcome="QUARANTINED", version_no=None, is_current=False)
    document.update(outcome="QUARANTINED", rows_in_document=0, rows_loaded=0)
    _set_aside(site, line, "NOT_WELL_FORMED", "The document ends in the middle of an element.", whole=True)
    return {"kind": kind, "awaited": awaited}


def _set_aside(site: Site, line: Row, code: str, message: str, *, whole: bool) -> None:
    site.facts.add(
        "staging.quarantine",
        document_kind=line["document_kind"],
        scope_pocket_id=line["scope_pocket_id"],
        scope_date=line["scope_date"],
        document_id=line["document_id"],
        reason_code=code,
        message=message,
        is_whole_document=whole,
        rejected_locator="" if whole else "line 2",
    )


@plants("row-refused")
def _row_refused(site: Site) -> Names:
    line = _delivery(site, "POSITION")
    row = site.any(site.positions())
    site.facts.drop("staging.position", row)
    site.facts.one("raw.document", document_id=line["document_id"])["rows_rejected"] = 1
    _set_aside(site, line, "BAD_NUMBER", "The market value is not a plain decimal number.", whole=False)
    return {}


@plants("row-lost-in-reading")
def _row_lost(site: Site) -> Names:
    kind = _kind(site, (*_STATEMENTS, "POSITION"))
    document = site.facts.one("raw.document", document_id=_delivery(site, kind)["document_id"])
    counted = kind_of(kind).counted
    rows = sum(
        len(site.facts.find(f"staging.{frame}", document_kind=kind, scope_pocket_id=site.pocket_id,
                            scope_date=site.day))
        for frame in counted
    )  # fmt: skip
    document.update(rows_in_document=rows + 1, rows_loaded=rows)
    return {"kind": kind}


@plants("statement-declares-more-entries")
def _declares_more(site: Site) -> Names:
    kind = _kind(site, _STATEMENTS)
    site.statement(kind.removesuffix("_STATEMENT"))["summary_entries"] += 1
    return {"kind": kind}


@plants("statement-declares-more-money")
def _declares_more_money(site: Site) -> Names:
    kind = _kind(site, _STATEMENTS)
    site.statement(kind.removesuffix("_STATEMENT"))["summary_net_amount"] += 1
    return {"kind": kind}

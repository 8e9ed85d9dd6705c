"""How a terminal tells one break: sentences and short tables for a person who knows treasury.

Belongs here: words and layout. Does not belong here: finding the facts (`reconciliation.explaining`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from jiko_pipeline.cli.terminal import label, out, text
from jiko_pipeline.reconciliation.explaining import Explanation, LifeEvent, SourceRow

_UNITS: Final = {
    "USD": "USD",
    "PRICE": "per 100 of face",
    "FACE": "USD of face",
    "BP": "basis points",
    "COUNT": "",
    "NONE": "",
}
_SEVERITIES: Final = {
    "S1": "S1, stops the close",
    "S2": "S2, to be explained within one business day",
    "S3": "S3, for information",
}
_EVENTS: Final = {
    "OPENED": "found",
    "CHANGED": "its amounts changed",
    "OVERDUE": "not cleared in time",
    "REOPENED": "open again",
    "CLEARED_AUTO": "cleared by its control",
    "RESOLVED": "resolved",
    "ACCEPTANCE_ASKED": "acceptance asked for, a second person must agree",
    "ACCEPTED": "accepted",
    "ASSIGNED": "assigned",
    "NOTED": "note",
}
_STATUSES: Final = {
    "OPEN": "open",
    "ACCEPTED": "accepted",
    "RESOLVED": "resolved",
    "CLEARED_AUTO": "cleared by its control",
}
_SIDES: Final = {"left": "left", "right": "right", "both": "both"}
_SHORT_HASH: Final = 16
_AMOUNT: Final = re.compile(r"(?<![\w.,-])(-?\d{4,15})(\.\d{2})(?!\w|[.,]\d)")


def as_json(told: Explanation) -> Mapping[str, Any]:
    """Everything, with the columns of `recon.break` as they are named there."""
    return {
        **told.facts,
        "left_label": told.left_label,
        "right_label": told.right_label,
        "left_rule": told.left_rule,
        "right_rule": told.right_rule,
        "evidence_words": told.evidence_words,
        "sources": [{**asdict(row), "says": dict(row.says)} for row in told.sources],
        "rows_left_out": told.rows_left_out,
        "names": dict(told.names),
        "blocks": dict(told.blocks),
        "blocked_by": None if told.blocked_by is None else {"break_id": told.blocked_by[0], "why": told.blocked_by[1]},
        "life": [asdict(event) for event in told.life],
    }


def print_explanation(told: Explanation) -> None:
    """Prints the break to standard output."""
    facts = told.facts
    _line(_with_thousands(facts["cause"] or facts["title"]))
    _line("")
    _pairs(_heading(told))
    _line("")
    _pairs(_sides(told))
    _line("")
    _pairs(_context(told))
    _sources(told)
    _life(told.life)
    _line("")
    _line(f"Next: {facts['next_step']}")


def _heading(told: Explanation) -> list[tuple[str, str]]:
    facts = told.facts
    pocket = label(facts["pocket_name"] or "") or facts["pocket_id"] or "all pockets of the customer"
    state = _STATUSES.get(facts["status"], facts["status"])
    if facts["acceptance_asked_by"]:
        state += f"; {facts['acceptance_asked_by']} wants to accept it, a second person must agree"
    if facts["accepted_until"]:
        state += f" until {facts['accepted_until']} by {facts['decided_by']}"
    severity = _SEVERITIES[facts["effective_severity"]]
    if facts["effective_severity"] != facts["severity"]:
        severity += f" (began as {facts['severity']}, risen with its age)"
    if facts["is_immaterial"]:
        severity += f"; immaterial (limit {_amount(facts['materiality_threshold'], 'USD')})"
    code = f"{facts['code']} {facts['sub_code']}".strip()
    lines = [
        ("Break", f"{facts['control_id']} {code}, {_class_words(facts)}, {facts['break_id'][:_SHORT_HASH]}"),
        ("Pocket, day", f"{pocket}, {facts['business_date']}"),
        ("Key", facts["entity_key"]),
        *(("Named", f"{identifier} is {label(words)}") for identifier, words in told.names.items()),
        ("State", state),
        ("Severity", severity),
        ("Owner", facts["owner"] or "nobody yet"),
        ("Should hold", f"{facts['title']} ({facts['identity']})"),
    ]
    return [(name, words) for name, words in lines if words]


def _class_words(facts: Mapping[str, Any]) -> str:
    words = str(facts["effective_class"]).lower().replace("_", " ")
    if facts["clear_by"] and facts["effective_class"] == "TIMING":
        return f"{words}, should clear by {facts['clear_by']}"
    if facts["clear_by"]:
        return f"{words}, should have cleared by {facts['clear_by']}"
    return words


def _sides(told: Explanation) -> list[tuple[str, str]]:
    facts, unit = told.facts, told.unit
    lines = [
        (told.left_label, _side(told, "left", told.left_rule)),
        (told.right_label, _side(told, "right", told.right_rule)),
    ]
    if facts["difference"] is not None:
        lines.append(("difference", _amount(facts["difference"], unit)))
    lines.append(("tolerance", facts["tolerance"]))
    if facts["hides"]:
        lines.append(("what it hides", facts["hides"]))
    return lines


def _side(told: Explanation, side: str, rule: str) -> str:
    """The side's amount; without one what its only row says, or what it asks for."""
    value = told.facts[f"{side}_value"]
    if value is not None:
        return _amount(value, told.unit)
    rows = [row for row in told.sources if row.side == side]
    if len(rows) == 1:
        return _said(rows[0])
    if rule:
        return rule
    if any(row.side in (side, "both") for row in told.sources):
        return "not an amount, see the sentence above"
    return "nothing there"


def _said(row: SourceRow) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {text(value)}" for name, value in row.says if value not in (None, ""))


def _amount(value: Decimal | None, unit: str) -> str:
    if value is None:
        return "none"
    if unit in ("COUNT", "NONE"):
        return f"{value.normalize():,f}"
    return f"{text(value)} {_UNITS[unit]}".strip()


def _context(told: Explanation) -> list[tuple[str, str]]:
    facts = told.facts
    days = facts["age_business_days"]
    age = "today" if days == 0 else f"{days} business day{'' if days == 1 else 's'}"
    first = f"{facts['first_seen_business_date']}, found {facts['first_seen_utc']:%Y-%m-%d %H:%M} UTC"
    if facts["case_days"] > 1:
        first += f"; it has failed on {facts['case_days']} business days in a row"
    blocks = ", ".join(f"{control} {number}" for control, number in told.blocks.items())
    lines = [
        ("First seen", first),
        ("Age", age),
        ("Evidence", f"{facts['evidence_class']}: {told.evidence_words}" if told.evidence_words else ""),
        ("Blocks", f"{sum(told.blocks.values())} results that wait for it ({blocks})" if blocks else "no other result"),
        ("Blocked by", f"{told.blocked_by[1]} ({told.blocked_by[0][:_SHORT_HASH]})" if told.blocked_by else ""),
        ("Reason", facts["reason"]),
        ("Cleared by", facts["cleared_by_document_sha256"] or ""),
        ("Last note", facts["last_note"]),
    ]
    return [(name, words) for name, words in lines if words]


def _sources(told: Explanation) -> None:
    _line("")
    if not told.sources:
        _line("Sources: no document of this pocket and day is there.")
        return
    _line("Sources (a file in the archive is named by its hash; `jiko verify` proves it):")
    for row in told.sources:
        _line(f"  {_SIDES[row.side]:<5} {_source(row)}")
    if told.rows_left_out:
        _line(f"  and {told.rows_left_out} more rows")


def _source(row: SourceRow) -> str:
    kind = (row.document_kind or row.table).lower().replace("_", " ")
    where = f", at {row.locator}" if row.locator else ""
    report = f", report {row.report_id}" if row.report_id else ""
    fetched = f", fetched {row.fetched_at_utc:%Y-%m-%d %H:%M} UTC" if row.fetched_at_utc else ""
    document = row.document_sha256 or "unknown"
    return f"{_said(row)}: {kind} of {row.business_date}, document {document}{where}{report}{fetched}"


def _life(life: Sequence[LifeEvent]) -> None:
    _line("")
    _line("Life:")
    for event in life:
        more = [_EVENTS.get(event.event, event.event)]
        if event.owner:
            more.append(f"to {event.owner}")
        if event.accepted_until and event.event in ("ACCEPTED", "ACCEPTANCE_ASKED"):
            more.append(f"until {event.accepted_until}")
        who = "" if event.actor == "pipeline" else f" by {event.actor}"
        document = f" (document {event.document_sha256[:_SHORT_HASH]})" if event.document_sha256 else ""
        reason = f": {event.reason}" if event.reason else ""
        _line(f"  {_time(event.at_utc)}  {' '.join(more)}{who}{reason}{document}")


def _time(at_utc: datetime) -> str:
    return f"{at_utc:%Y-%m-%d %H:%M} UTC"


def _pairs(lines: Sequence[tuple[str, str]]) -> None:
    width = max((len(name) for name, _ in lines), default=0)
    for name, words in lines:
        _line(f"{name:<{width}}  {text(words)}")


def _with_thousands(words: str) -> str:
    """The amounts of a sentence as those of the lines below it: 529138.97 is 529,138.97."""
    return _AMOUNT.sub(lambda found: f"{int(found[1]):,}{found[2]}", words)


def _line(words: str) -> None:
    out().print(text(words), markup=False)

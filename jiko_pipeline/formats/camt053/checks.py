"""What a statement's figures say about each other, as findings.

Belongs here: footing, details against their entry, the declared summary, pagination, copies. Does not belong
here: anything across documents, and the decision what a finding means for the books (`reconciliation`).
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from jiko_pipeline.formats.camt053.findings import Findings
from jiko_pipeline.formats.camt053.records import Balance, Detail, Entry, Pagination, StatementHeader, Totals
from jiko_pipeline.formats.reading import Severity

KNOWN_VERSIONS: Final = frozenset(f"{number:02d}" for number in range(1, 15))
KNOWN_STATUSES: Final = frozenset({"BOOK", "PDNG", "INFO", "FUTR"})


def opening_and_closing(balances: Sequence[Balance]) -> tuple[Balance | None, Balance | None]:
    """The booked balances a statement begins and ends with.

    Opening is OPBD, else PRCD, else the first ITBD; closing is CLBD, else the last ITBD. A single ITBD cannot
    be both, and is the closing one. Available balances and credit lines are neither.
    """
    opening = _first(balances, "OPBD") or _first(balances, "PRCD")
    closing = _first(balances, "CLBD")
    interim = [balance for balance in balances if balance.balance_code == "ITBD"]
    if closing is None and interim:
        closing = interim.pop()
    if opening is None and interim:
        opening = interim[0]
    return opening, closing


def _first(balances: Sequence[Balance], code: str) -> Balance | None:
    return next((balance for balance in balances if balance.balance_code == code), None)


def foots(opening: Balance | None, closing: Balance | None, totals: Totals) -> bool | None:
    """Whether opening plus booked entries is closing; None when that cannot be told."""
    if opening is None or closing is None or totals.unreadable:
        return None
    if opening.signed_amount is None or closing.signed_amount is None:
        return None
    return opening.signed_amount + totals.net_booked == closing.signed_amount


def check_statement(
    findings: Findings,
    locator: str,
    header: StatementHeader,
    pagination: Pagination,
    totals: Totals,
    opening: Balance | None,
    closing: Balance | None,
) -> None:
    """All checks of one statement but those of its single entries."""
    if foots(opening, closing, totals) is False and opening and closing:
        message = (
            f"Opening {opening.signed_amount} and booked entries {totals.net_booked} do not make the closing "
            f"{closing.signed_amount}."
        )
        findings.add("FOOTING", Severity.WARNING, message, locator)
    for message in _summary_differences(header, totals):
        findings.add("SUMMARY_MISMATCH", Severity.WARNING, message, f"{locator}/TxsSummry")
    page, last = pagination
    if last is False or (page is not None and page.lstrip("0") not in ("", "1")):
        part = "not the last one" if last is False else "the last one" if last else "maybe not the last one"
        findings.add("PAGINATION", Severity.WARNING, f"This is page {page or '?'} and {part}.", locator)
    if header.copy_duplicate is not None:
        message = f"The statement says it is a copy or duplicate ({header.copy_duplicate[:10]})."
        findings.add("COPY_OR_DUPLICATE", Severity.WARNING, message, locator)
    if totals.without_status:
        message = f"{totals.without_status} entries state no status; they count as booked."
        findings.add("MISSING_STATUS", Severity.WARNING, message, locator)
    foreign = [currency for currency in totals.currencies if currency != header.account_currency]
    if (foreign and header.account_currency) or len(foreign) > 1:
        message = f"Entries are in {', '.join(foreign)}, the account in {header.account_currency or 'no currency'}."
        findings.add("MIXED_CURRENCY", Severity.WARNING, message, locator)


def _summary_differences(header: StatementHeader, totals: Totals) -> Iterator[str]:
    if header.summary is None:
        return
    count, net = header.summary
    if count is not None and count != totals.entries:
        yield f"The summary declares {count} entries; there are {totals.entries}."
    if net is not None and not totals.unreadable and net not in (totals.net_all, totals.net_booked):
        yield f"The summary declares a net of {net}; the entries make {totals.net_all}."


def check_entry(findings: Findings, entry: Entry, details: Sequence[Detail]) -> None:
    """Checks of one entry and its transactions."""
    if entry.entry_status is not None and entry.entry_status not in KNOWN_STATUSES:
        message = f"The status '{entry.entry_status[:20]}' is not known; the entry counts as booked."
        findings.add("UNKNOWN_STATUS", Severity.WARNING, message, entry.document_locator)
    if not details or entry.signed_amount is None:
        return
    total = Decimal(0)
    for detail in details:
        if detail.signed_amount is None or detail.currency not in (entry.currency, None):
            return
        total += detail.signed_amount
    if total != entry.signed_amount:
        message = f"The transactions sum to {total}, the entry is {entry.signed_amount}."
        findings.add("DETAILS_RESIDUAL", Severity.WARNING, message, entry.document_locator)

"""What a statement's figures say about each other, as findings.

Belongs here: footing, details against their entry, the declared summary, pagination, copies. Does not belong
here: anything across several documents, and the decision what a finding means for the books (`reconciliation`).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Context, Decimal
from itertools import pairwise
from typing import Final

import polars as pl

from jiko_pipeline.formats.camt053.findings import Findings
from jiko_pipeline.formats.camt053.layouts import BATCH
from jiko_pipeline.formats.camt053.records import (
    NOT_BOOKED,
    Balance,
    Pagination,
    Part,
    Piece,
    Statement,
    StatementHeader,
    Totals,
)
from jiko_pipeline.formats.reading import Severity

KNOWN_VERSIONS: Final = frozenset(f"{number:02d}" for number in range(1, 15))
_NOTHING: Final = Decimal(0)
_CENT: Final = Decimal("0.01")
_EXACT: Final = Context(prec=100)
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


def check_document(findings: Findings, statements: Sequence[Statement]) -> None:
    """What statements of one document say about each other: the same one twice, gaps between their numbers."""
    met: dict[tuple[str | None, ...], str] = {}
    numbers: dict[str | None, dict[int, Statement]] = {}
    for statement in statements:
        header = statement.header
        sequence = header.electronic_sequence_number
        key = (header.account_identification, header.statement_id, sequence, statement.pagination.page_number)
        first = met.setdefault(key, statement.locator)
        if first != statement.locator and header.statement_id is not None:
            message = f"The statement has the account, identification, number and page of {first}."
            findings.add("DUPLICATE_STATEMENT", Severity.WARNING, message, statement.locator)
        if sequence is not None and sequence.isascii() and sequence.isdigit() and len(sequence) <= 18:
            numbers.setdefault(header.account_identification, {}).setdefault(int(sequence), statement)
    for by_number in numbers.values():
        for number, following in pairwise(sorted(by_number)):
            statement = by_number[following]
            if following != number + 1:
                message = f"The numbers of the account's statements go from {number} to {following}."
                findings.add("SEQUENCE_GAP", Severity.WARNING, message, statement.locator)
            else:
                _check_continuity(findings, by_number[number], statement)


def _check_continuity(findings: Findings, before: Statement, statement: Statement) -> None:
    closing, opening = before.closing, statement.opening
    if closing is None or opening is None or None in (closing.signed_amount, opening.signed_amount):
        return
    if closing.signed_amount != opening.signed_amount:
        message = f"Opening {opening.signed_amount} is not the closing {closing.signed_amount} of {before.locator}."
        findings.add("CONTINUITY", Severity.WARNING, message, statement.locator)


def check_piece(findings: Findings, piece: Piece) -> None:
    """Checks of single entries and their transactions."""
    entries = piece.entries
    statuses = entries.statuses if set(entries.statuses) - KNOWN_STATUSES - {None} else ()
    for status, place in zip(statuses, entries.places, strict=False):
        if status is not None and status not in KNOWN_STATUSES:
            message = f"The status '{status[:20]}' is not known; the entry counts as booked."
            findings.add("UNKNOWN_STATUS", Severity.WARNING, message, place)
    if piece.details is not None:
        _check_details(findings, entries, piece.details)
    if BATCH in piece.begun:
        _check_batches(findings, entries, piece.begun[BATCH])


def _check_batches(findings: Findings, entries: Part, batches: pl.DataFrame) -> None:
    """A batch has the transactions that it declares; one that lists none at all is as usual as one that does."""
    declared: Counter[int] = Counter()
    for entry_seq, transactions in zip(batches["entry_seq"], batches["transactions"], strict=True):
        declared[entry_seq] += transactions or 0
    details = dict(zip(entries.frame["entry_seq"], entries.frame["details"], strict=True))
    first = entries.frame["entry_seq"][0]
    for entry_seq, number in declared.items():
        listed = details[entry_seq]
        if number > listed:
            severity = Severity.WARNING if listed else Severity.INFO
            message = f"The batch declares {number} transactions; {listed or 'none'} of them stand in the document."
            findings.add("BATCH_INCOMPLETE", severity, message, entries.places[entry_seq - first])


def _check_details(findings: Findings, entries: Part, details: Part) -> None:
    """Transactions that all state an amount in their entry's currency sum to the entry."""
    first = 0
    for index, (number, amount) in enumerate(zip(entries.frame["details"], entries.amounts, strict=True)):
        last = first + number
        if number == 1 and details.amounts[first] == amount:
            first = last
            continue
        parts, currencies = details.amounts[first:last], details.currencies[first:last]
        first = last
        comparable = (None, entries.currencies[index])
        if not number or amount is None or None in parts or any(each not in comparable for each in currencies):
            continue
        together = sum((part for part in parts if part is not None), _NOTHING)
        if together != amount:
            message = f"The transactions sum to {plain(together)}, the entry is {plain(amount)}."
            findings.add("DETAILS_RESIDUAL", Severity.WARNING, message, entries.places[index])


class Tally:
    """Totals of one statement, piece by piece."""

    def __init__(self) -> None:
        self._entries = self._details = self._unreadable = self._without_status = 0
        self._net_all = self._net_booked = _NOTHING
        self._currencies: dict[str, None] = {}

    def add(self, piece: Piece) -> None:
        """Count one more piece."""
        entries = piece.entries
        self._entries += len(entries.amounts)
        self._details += 0 if piece.details is None else len(piece.details.amounts)
        self._without_status += entries.statuses.count(None)
        self._unreadable += entries.amounts.count(None)
        together = sum(filter(None, entries.amounts), _NOTHING)
        self._net_all += together
        if NOT_BOOKED.isdisjoint(entries.statuses):
            self._net_booked += together
        else:
            for amount, status in zip(entries.amounts, entries.statuses, strict=True):
                if amount is not None and status not in NOT_BOOKED:
                    self._net_booked += amount
        self._currencies.update(dict.fromkeys(each for each in entries.currencies if each is not None))

    def totals(self) -> Totals:
        """What was counted."""
        return Totals(
            self._entries,
            self._details,
            plain(self._net_all),
            plain(self._net_booked),
            self._unreadable,
            self._without_status,
            tuple(self._currencies),
        )


def plain(value: Decimal) -> Decimal:
    """The same number with two decimals, or more where it has more."""
    cents = value.quantize(_CENT, context=_EXACT)
    return cents if cents == value else value.normalize(_EXACT)

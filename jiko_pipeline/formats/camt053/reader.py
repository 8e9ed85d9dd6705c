"""camt.053 bytes to a Reading: parse, refuse what cannot be taken, compare with what was asked for.

Belongs here: which findings refuse a document for the pipeline. Does not belong here: how anything is found.
"""

from jiko_pipeline.formats.camt053.gate import MOST_BYTES
from jiko_pipeline.formats.camt053.records import Document, Statement
from jiko_pipeline.formats.camt053.stream import parse
from jiko_pipeline.formats.camt053.tables import StatementFrames
from jiko_pipeline.formats.echo import normalised
from jiko_pipeline.formats.reading import Expectation, Finding, Reading, RefusedDocumentError, Severity


def read(
    body: bytes, expectation: Expectation | None = None, *, most_bytes: int = MOST_BYTES, matched: bool = True
) -> Reading:
    """The frames of `frames.STATEMENT_FRAMES` of one document.

    Raises RefusedDocumentError for what `stream.parse` refuses, for any finding of severity ERROR (an amount
    that is missing, unreadable, without direction, or finer than a cent: a statement less one entry would be
    another statement), and, given an expectation, with code ECHO_MISMATCH for another account or day.
    """
    frames = StatementFrames()
    document = parse(body, frames.take, most_bytes=most_bytes, matched=matched)
    findings = all_findings(document)
    error = next((finding for finding in findings if finding.severity is Severity.ERROR), None)
    if error is not None:
        raise RefusedDocumentError(error.code, f"{error.locator}: {error.message}", error.locator)
    if expectation is not None:
        _refuse_other_than(expectation, document)
    return Reading(
        frames=frames.frames(document.version, document.statements),
        findings=findings,
        rows_in_document=sum(statement.totals.entries for statement in document.statements),
    )


def all_findings(document: Document) -> tuple[Finding, ...]:
    """Findings of the document and of each of its statements."""
    return (*document.findings, *(finding for each in document.statements for finding in each.findings))


def _refuse_other_than(expectation: Expectation, document: Document) -> None:
    seen: set[tuple[str, object]] = set()
    wanted = None if expectation.pocket_ids is None else {normalised(pocket) for pocket in expectation.pocket_ids}
    for statement in document.statements:
        account = normalised(statement.header.account_identification or "")
        if wanted is not None and account not in wanted:
            _mismatch(statement, "the statement is of another account than the one asked for")
        _refuse_other_day(expectation, statement)
        if statement.pagination.is_last_page is False:
            message = "The statement says that more pages follow, and they are not in the document."
            raise RefusedDocumentError("INCOMPLETE", message, statement.locator)
        if any(finding.code == "MIXED_CURRENCY" for finding in statement.findings):
            message = "Entries are in another currency than the account; they cannot be summed."
            raise RefusedDocumentError("MIXED_CURRENCY", message, statement.locator)
        if (account, statement.day) in seen:
            message = "The document holds two statements of the same account and day."
            raise RefusedDocumentError("SEVERAL_STATEMENTS", message, statement.locator)
        seen.add((account, statement.day))


def _refuse_other_day(expectation: Expectation, statement: Statement) -> None:
    first, last, day = expectation.first, expectation.last, statement.day
    if first is None and last is None:
        return
    if day is None:
        _mismatch(statement, "the statement does not say which day it is for")
    elif (first is not None and day < first) or (last is not None and day > last):
        _mismatch(statement, f"the statement is for {day}, which was not asked for")


def _mismatch(statement: Statement, what: str) -> None:
    raise RefusedDocumentError("ECHO_MISMATCH", f"{statement.locator}: {what}.", statement.locator)

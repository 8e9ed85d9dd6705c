"""Which reader reads which kind of document, and which kind a body is.

Belongs here: the table of readers and telling kinds apart by their bytes. Does not belong here: any format.

Kinds are those of the archive. CAMT053 is a kind only here: a statement's bytes do not say whether it is of
the bank or of the brokerage account.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final

from jiko_pipeline.formats import camt053, messages, pages, parties
from jiko_pipeline.formats.delimited import readers as delimited
from jiko_pipeline.formats.delimited.contracts import CONTRACTS
from jiko_pipeline.formats.delimited.strict import open_table, other_than_csv
from jiko_pipeline.formats.lives import read_pocket_lives
from jiko_pipeline.formats.reading import Expectation, Reading, RefusedDocumentError
from jiko_pipeline.formats.supplied_lists import CUSTOMER_LISTS, TREASURY_LISTS, read_supplied_list

Reader = Callable[[Sequence[bytes], Expectation], Reading]
"""All parts of one document (one part, or one a page) and what was asked for, to a Reading."""

CAMT053: Final = "CAMT053"
_HEAD: Final = 64 * 1024
_MARKS_OF_ITEMS: Final = (
    (frozenset({"transaction_id", "time_booked"}), "API_TRANSACTIONS"),
    (frozenset({"trade_datetime", "pocket_id"}), "API_TRADES"),
    (frozenset({"trade_datetime", "jiko_account_id"}), "API_TRADES_V1"),
    (frozenset({"jiko_account_id", "key"}), "MONTHLY_STATEMENTS"),
    (frozenset({"pocket_name"}), "POCKETS"),
)


def _single(read: Callable[[bytes, Expectation | None], Reading]) -> Reader:
    def read_parts(parts: Sequence[bytes], expectation: Expectation) -> Reading:
        if len(parts) != 1:
            raise RefusedDocumentError("PARTS", f"The document has {len(parts)} parts; its kind has one.")
        return read(parts[0], expectation)

    return read_parts


READERS: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        CAMT053: _single(camt053.read),
        "BANK_STATEMENT": _single(camt053.read),
        "BROKERAGE_STATEMENT": _single(camt053.read),
        "TRADE_REPORT_CSV": _single(delimited.read_trade_report_csv),
        "TRADE_REPORT_KYRIBA_CSV": _single(delimited.read_trade_report_kyriba_csv),
        "SECURITY_PRICE": _single(delimited.read_security_prices),
        "POSITION": _single(delimited.read_positions),
        "API_TRANSACTIONS": pages.read_transactions,
        "API_TRANSACTIONS_CSV": _single(delimited.read_transactions_csv),
        "API_TRADES": pages.read_trades_v2,
        "API_TRADES_V1": pages.read_trades_v1,
        "API_TRADES_CSV": _single(delimited.read_trades_csv),
        "MONTHLY_STATEMENTS": pages.read_monthly_statements,
        "TRANSFER_REQUESTS": messages.read_transfer_requests,
        "EVENTS": messages.read_events,
        "NOTIFICATIONS": messages.read_notifications,
        "AUDIT_LOGS": messages.read_audit_logs,
        "AUDIT_LOGS_CSV": _single(delimited.read_audit_logs_csv),
        "EARNINGS": messages.read_earnings,
        "REPORT_REQUESTS": messages.read_report_requests,
        **{kind: partial(parties.read_party, kind) for kind in parties.LISTINGS},
        "POCKETS": pages.read_pockets,
        "POCKET_LIVES": read_pocket_lives,
        "SECURITY_REFERENCE": _single(delimited.read_reference_list),
        **{kind: _single(partial(read_supplied_list, kind)) for kind in (*CUSTOMER_LISTS, *TREASURY_LISTS)},
    }
)
"""The reader of each kind of document."""


def identify(body: bytes) -> str | None:
    """The kind of a body by its bytes, or None when it is like no kind that has a reader.

    XML counts as CAMT053, right or not: its reader says best what is wrong with it.
    """
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    what = other_than_csv(body)
    if what is None:
        return _kind_of_csv(start[:_HEAD])
    if what == "XML or HTML":
        return CAMT053
    if what == "JSON" and start.startswith(b"{"):
        return _kind_of_listing(body)
    return None


def _kind_of_csv(head: bytes) -> str | None:
    line = head.partition(b"\n")[0].rstrip(b"\r") + b"\n"
    best: tuple[float, str] | None = None
    for contract in CONTRACTS:
        try:
            header = set(open_table(line, contract.separator).header)
        except RefusedDocumentError:
            return None
        share = len(header & set(contract.header)) / len(contract.header)
        if share > 0.5 and (best is None or share > best[0]):
            best = (share, contract.kind)
    return best[1] if best else None


def _kind_of_listing(body: bytes) -> str | None:
    try:
        items = pages.items_of(body)
    except RefusedDocumentError:
        return None
    names = set(items[0]) if items else set()
    return next((kind for marks, kind in _MARKS_OF_ITEMS if marks <= names), None)

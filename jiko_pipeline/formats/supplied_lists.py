"""Lists that a person supplies as CSV files: expected payments, allowed debits, Treasury's auctions and prices.

Belongs here: telling the lists apart by their header, reading them strictly. Does not belong here: text and line ends
(`delimited.strict`), archive and versions (`jiko_pipeline.pipeline.lists`).

Auctions are read in two layouts: that of the table which travels with the package, and that of TreasuryDirect's
auction query. FedInvest's price file has neither a header line nor its date; the date is then that of the
expectation. Rows of other securities than bills are passed over and counted in a finding.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from jiko_pipeline.formats.columns import typed_frame
from jiko_pipeline.formats.delimited.strict import Table, open_table, positions
from jiko_pipeline.formats.exact import day_of, decimal_of, fits
from jiko_pipeline.formats.frame_spec import FrameSpec
from jiko_pipeline.formats.frames import SECURITY_REFERENCE
from jiko_pipeline.formats.list_frames import DEBIT_ALLOWANCE, EXPECTED_PAYMENT, TREASURY_PRICE
from jiko_pipeline.formats.reading import (
    Expectation,
    Finding,
    Reading,
    RefusedDocumentError,
    RejectedRow,
    Severity,
)
from jiko_pipeline.tbill import is_valid_cusip

EXPECTED_PAYMENTS: Final = "EXPECTED_PAYMENTS"
DEBIT_ALLOW_LIST: Final = "DEBIT_ALLOW_LIST"
TREASURY_AUCTIONS: Final = "TREASURY_AUCTIONS"
TREASURY_PRICES: Final = "TREASURY_PRICES"
CUSTOMER_LISTS: Final = (EXPECTED_PAYMENTS, DEBIT_ALLOW_LIST)
TREASURY_LISTS: Final = (TREASURY_AUCTIONS, TREASURY_PRICES)

FEDINVEST_HEADER: Final = (
    "CUSIP", "Security Type", "Rate", "Maturity Date", "Call Date", "Buy", "Sell", "End Of Day",
)  # fmt: skip
_EXPECTED_HEADER: Final = (
    "id", "pocket", "direction", "amount_lo", "amount_hi", "date_lo", "date_hi", "counterparty", "reference", "type",
)  # fmt: skip
_SHOWN: Final = 40
_BILL: Final = "BILL"


class _WrongValueError(Exception):
    """A value that cannot be taken: its column in the file, a code, what is wrong."""

    def __init__(self, column: str, code: str, what: str) -> None:
        super().__init__(what)
        self.column = column
        self.code = code


class _OtherSecurityError(Exception):
    """The row is of a note or bond, which is none of ours."""


class _Row:
    """One row of a file by the names of its header."""

    def __init__(self, fields: Sequence[str], places: Mapping[str, int]) -> None:
        self._fields = fields
        self._places = places

    def text(self, column: str, *, required: bool = False) -> str | None:
        value = self._fields[self._places[column]].strip()
        if not value and required:
            raise _WrongValueError(column, "MISSING", "is missing")
        return value or None

    def needed(self, column: str) -> str:
        return self.text(column, required=True) or ""

    def word(self, column: str, *words: str) -> str:
        value = self.needed(column).upper()
        if value not in words:
            raise _WrongValueError(column, "UNKNOWN_WORD", f"{value[:_SHOWN]!r} is none of {', '.join(words)}")
        return value

    def day(self, column: str, *, required: bool = True) -> date | None:
        """YYYY-MM-DD, the same with a time of midnight, or MM/DD/YYYY as Treasury writes it."""
        value = self.text(column, required=required)
        if value is None:
            return None
        written = value.removesuffix("T00:00:00")
        if len(value) == len("MM/DD/YYYY") and value[2] == value[5] == "/":
            written = f"{value[6:]}-{value[:2]}-{value[3:5]}"
        found = day_of(written) if len(written) == len("YYYY-MM-DD") else None
        if found is None:
            raise _WrongValueError(column, "BAD_DATE", f"{value[:_SHOWN]!r} is no date written as YYYY-MM-DD")
        return found

    def number(self, column: str, precision: int, scale: int, *, required: bool = True) -> Decimal | None:
        value = self.text(column, required=required)
        if value is None:
            return None
        found = decimal_of(value)
        if found is None:
            raise _WrongValueError(column, "BAD_NUMBER", f"{value[:_SHOWN]!r} is no plain decimal number")
        if not fits(found, precision, scale):
            raise _WrongValueError(column, "EXCESS_DIGITS", f"{value[:_SHOWN]!r} has more than {scale} decimal places")
        return found

    def money(self, column: str) -> Decimal:
        found = self.number(column, 38, 2)
        assert found is not None
        if found < 0:
            raise _WrongValueError(column, "NEGATIVE", f"{found} is below zero; amounts have no sign")
        return found

    def price(self, column: str) -> Decimal | None:
        """A price per 100; nothing and zero mean that there is none."""
        found = self.number(column, 12, 6, required=False)
        if found is not None and not 0 <= found <= 100:
            raise _WrongValueError(column, "BAD_PRICE", f"{found} is no price of a bill")
        return found or None

    def cusip(self, column: str) -> str:
        value = self.needed(column)
        if not is_valid_cusip(value):
            raise _WrongValueError(column, "BAD_CUSIP", f"{value[:_SHOWN]!r} is no CUSIP with a right check digit")
        return value


@dataclass(frozen=True, slots=True)
class _Layout:
    """A header and how its rows become rows of a frame, less the locator."""

    kind: str
    frame: FrameSpec
    header: tuple[str, ...]
    row: Callable[[_Row, date | None], tuple[Any, ...]]


def _expected(row: _Row, _: date | None) -> tuple[Any, ...]:
    low, high = row.money("amount_lo"), row.money("amount_hi")
    if high < low:
        raise _WrongValueError("amount_hi", "BOUNDS", f"{high} lies below amount_lo, {low}")
    first, last = row.day("date_lo"), row.day("date_hi")
    assert first is not None
    assert last is not None
    if last < first:
        raise _WrongValueError("date_hi", "BOUNDS", f"{last} lies before date_lo, {first}")
    return (
        row.needed("id"),
        row.needed("pocket"),
        row.word("direction", "IN", "OUT"),
        low,
        high,
        first,
        last,
        row.text("counterparty"),
        row.text("reference"),
        (row.text("type") or "").upper() or None,
    )


def _allowance(row: _Row, _: date | None) -> tuple[Any, ...]:
    return row.needed("company_id"), row.money("limit")


def _shipped_auction(row: _Row, _: date | None) -> tuple[Any, ...]:
    return _auction(row, ("cusip", "security_term", "issue_date", "maturity_date", "price_per_100"))


def _exported_auction(row: _Row, _: date | None) -> tuple[Any, ...]:
    if row.needed("Security Type").upper() not in (_BILL, "CMB"):
        raise _OtherSecurityError
    return _auction(row, ("CUSIP", "Security Term", "Issue Date", "Maturity Date", "Price per $100"))


def _auction(row: _Row, names: tuple[str, str, str, str, str]) -> tuple[Any, ...]:
    cusip, term, issue, maturity, price = names
    issued, matures = row.day(issue), row.day(maturity)
    assert issued is not None
    assert matures is not None
    if matures <= issued:
        raise _WrongValueError(maturity, "BOUNDS", f"{matures} does not follow the issue on {issued}")
    return row.cusip(cusip), row.text(term), issued, matures, row.price(price), "TREASURY"


def _fedinvest(row: _Row, price_date: date | None) -> tuple[Any, ...]:
    if _BILL not in row.needed("Security Type").upper():
        raise _OtherSecurityError
    assert price_date is not None
    return (
        row.cusip("CUSIP"),
        price_date,
        row.day("Maturity Date", required=False),
        row.price("Buy"),
        row.price("Sell"),
        row.price("End Of Day"),
    )


_LAYOUTS: Final = (
    _Layout(
        EXPECTED_PAYMENTS,
        EXPECTED_PAYMENT,
        _EXPECTED_HEADER,
        _expected,
    ),
    _Layout(DEBIT_ALLOW_LIST, DEBIT_ALLOWANCE, ("company_id", "limit"), _allowance),
    _Layout(
        TREASURY_AUCTIONS,
        SECURITY_REFERENCE,
        ("cusip", "security_term", "auction_date", "issue_date", "maturity_date", "price_per_100"),
        _shipped_auction,
    ),
    _Layout(
        TREASURY_AUCTIONS,
        SECURITY_REFERENCE,
        ("CUSIP", "Security Type", "Security Term", "Auction Date", "Issue Date", "Maturity Date", "Price per $100"),
        _exported_auction,
    ),
    _Layout(TREASURY_PRICES, TREASURY_PRICE, FEDINVEST_HEADER, _fedinvest),
)


def kind_of_list(body: bytes, kinds: Sequence[str]) -> str:
    """Which of `kinds` a file is, by its header.

    Raises RefusedDocumentError, naming the columns of each list, when it is none of them or no sound CSV.
    """
    return _layout_of(_opened(body)[0], kinds).kind


def read_supplied_list(kind: str, body: bytes, expectation: Expectation | None = None) -> Reading:
    """One list: frame expected_payment, debit_allowance, security_reference or treasury_price.

    Prices are those of the expectation's first day. Raises RefusedDocumentError when the body is no sound CSV with
    the header of that kind, or when a price file comes without its day.
    """
    table, lines_before = _opened(body)
    layout = _layout_of(table, (kind,))
    price_date = expectation.first if expectation is not None else None
    if kind == TREASURY_PRICES and price_date is None:
        raise RefusedDocumentError("DATE", "A price file does not say its day; the day has to be given.")
    places, unknown = positions(table.header, layout.header)
    rows, rejected, others = _taken(layout, table, places, lines_before, price_date)
    findings = []
    if unknown:
        names = ", ".join(repr(name[:_SHOWN]) for name in unknown)
        findings.append(Finding("UNKNOWN_COLUMN", Severity.INFO, f"Columns that are not used: {names}.", "line 1"))
    if others:
        findings.append(Finding("OTHER_SECURITY", Severity.INFO, f"{others} rows are of securities that are no bills."))
    frame = typed_frame(layout.frame, zip(*rows, strict=True)) if rows else layout.frame.empty()
    return Reading({layout.frame.name: frame}, tuple(findings), tuple(rejected), len(rows) + len(rejected))


def _taken(
    layout: _Layout, table: Table, places: Mapping[str, int], lines_before: int, price_date: date | None
) -> tuple[list[tuple[Any, ...]], list[RejectedRow], int]:
    names = [column.name for column in layout.frame.columns]
    key = [names.index(name) for name in layout.frame.key]
    rows: list[tuple[Any, ...]] = []
    rejected: list[RejectedRow] = []
    seen: dict[tuple[Any, ...], str] = {}
    others = 0
    for line, fields in _numbered(table, lines_before):
        where = f"line {line}"
        try:
            row = (*layout.row(_Row(fields, places), price_date), where)
        except _OtherSecurityError:
            others += 1
            continue
        except _WrongValueError as wrong:
            message = f"Line {line}, column '{wrong.column}': {wrong}."
            rejected.append(RejectedRow(where, wrong.code, message, ",".join(fields)))
            continue
        of_key = tuple(row[place] for place in key)
        if of_key in seen:
            message = f"Line {line}, column '{layout.header[0]}': it repeats {seen[of_key]}."
            rejected.append(RejectedRow(where, "REPEATED_KEY", message, ",".join(fields)))
            continue
        seen[of_key] = where
        rows.append(row)
    return rows, rejected, others


def _numbered(table: Table, lines_before: int) -> Iterator[tuple[int, list[str]]]:
    for line, fields in table.rows():
        yield line - lines_before, fields


def _opened(body: bytes) -> tuple[Table, int]:
    """The table, and how many lines stand before its rows that the file does not have."""
    table = open_table(body, ",")
    if table.header and is_valid_cusip(table.header[0]):
        header = ",".join(FEDINVEST_HEADER).encode()
        return open_table(header + b"\n" + body.removeprefix(b"\xef\xbb\xbf"), ","), 1
    return table, 0


def _layout_of(table: Table, kinds: Sequence[str]) -> _Layout:
    candidates = [layout for layout in _LAYOUTS if layout.kind in kinds]
    for layout in candidates:
        if set(layout.header) <= set(table.header):
            return layout
    wanted = "; or ".join(",".join(layout.header) for layout in candidates)
    found = ",".join(table.header)[:200]
    raise RefusedDocumentError("HEADER", f"Line 1: the header is {found}; it should have {wanted}.", "line 1")

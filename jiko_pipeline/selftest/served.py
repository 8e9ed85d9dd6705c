"""A simulated bank that answers out of rows: what a planted fault changed among them is what its documents say.

Belongs here: rows back to the records of the bank, and what of a change no document can say. Does not belong here: how
records become rows (`documents`), the way over HTTP (`over_http`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from jiko_pipeline import calendars
from jiko_pipeline.selftest.facts import Facts, Row
from jiko_pipeline.simulator.bills import bill
from jiko_pipeline.simulator.model import (
    Mark,
    Position,
    PositionSummary,
    StatementFacts,
    StatementLine,
    Trade,
    Transaction,
    WorldConfig,
)
from jiko_pipeline.simulator.world import DateType, TradeListing, TransactionListing, World

_TRADES: Final[Mapping[TradeListing, str]] = {
    "trades_v1": "API_TRADES_V1",
    "trades_v2": "API_TRADES",
    "trades_csv": "API_TRADES_CSV",
}
_TRANSACTIONS: Final[Mapping[TransactionListing, str]] = {
    "transactions": "API_TRANSACTIONS",
    "transactions_csv": "API_TRANSACTIONS_CSV",
}
_NOT_YET: Final = timedelta(days=36_500)
"""How long after its trade a trade settles that never does."""

_STATEMENTS: Final = ("BANK_STATEMENT", "BROKERAGE_STATEMENT")
_MONEY: Final = "signed_amount"
_SAID: Final[Mapping[str, frozenset[str]]] = {
    "staging.statement": frozenset({"summary_entries", "summary_net_amount"}),
    "staging.statement_balance": frozenset({_MONEY}),
    "staging.statement_entry": frozenset(
        {_MONEY, "account_servicer_reference", "booking_date", "value_date", "entry_seq", "proprietary_code",
         "domain_code", "family_code", "sub_family_code"}
    ),
    "staging.statement_entry_detail": frozenset({_MONEY, "end_to_end_id", "entry_seq"}),
    "staging.position": frozenset({"cusip", "quantity", "market_price", "market_value", "historical_cost"}),
    "staging.position_cash": frozenset({"cash"}),
    "staging.security_price": frozenset({"price", "cusip"}),
    "staging.trade_report": frozenset(
        {"side", "quantity", "price", "amount", "trade_date", "settlement_date", "book_date"}
    ),
    "staging.api_trade": frozenset(
        {"activity", "quantity", "price", "notional", "traded_at_utc", "book_date", "settlement_date", "trade_status",
         "yield_to_maturity", "cusip", "trade_id", "pocket_id"}
    ),
    "staging.api_transaction": frozenset({_MONEY, "booked_at_utc", "settled_at_utc", "transaction_status"}),
}  # fmt: skip
"""What the documents of this bank can say otherwise, by table."""
_WHERE: Final = frozenset({"scope_date", "document_id", "row_ordinal", "document_locator", "entry_seq"})
_ELSEWHERE: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("staging.expected_payment", "staging.expected_list", "staging.debit_allowance"),
        "it is in the customer's own list, which no bank sends",
    ),
    **dict.fromkeys(
        ("staging.security_reference", "staging.treasury_price"), "it is in reference data, which no bank sends"
    ),
    "core.classification_rule": "it is in a rule of our own",
}
_OF_PEOPLE: Final = "it is in a list of people, requests, messages or pockets, which the bank makes of its own state"
_OF_ARRIVAL: Final = frozenset({"raw.delivery", "raw.document", "staging.quarantine"})


def _cents(amount: Decimal) -> int:
    return int(amount.scaleb(2))


def _micros(price: Decimal) -> int:
    return int(price.scaleb(6))


class ServedWorld(World):
    """The bank of a config whose documents say what `facts` say; they are of the same bank, and faults are planted.

    What is said of days outside `facts` is what the bank itself says.
    """

    def __init__(self, config: WorldConfig, facts: Facts, **more: Any) -> None:
        super().__init__(config, **more)
        self._facts = facts
        spoken = {row["scope_date"] for row in facts.find("raw.delivery", document_kind="API_TRADES")}
        self._first, self._last = min(spoken), max(spoken)

    def bank_statement(self, pocket_id: str, day: date, **asked: Any) -> StatementFacts | None:
        return self._statement(super().bank_statement(pocket_id, day, **asked), "BANK_STATEMENT")

    def brokerage_statement(self, pocket_id: str, day: date, **asked: Any) -> StatementFacts | None:
        return self._statement(super().brokerage_statement(pocket_id, day, **asked), "BROKERAGE_STATEMENT")

    def _statement(self, said: StatementFacts | None, kind: str) -> StatementFacts | None:
        if said is None or not self._first <= said.day <= self._last:
            return said
        scope = {"document_kind": kind, "scope_pocket_id": said.pocket.id, "scope_date": said.day}
        delivered = self._facts.find("raw.delivery", **scope)
        if not delivered:
            return None
        if any(row["outcome"] == "QUARANTINED" for row in delivered):
            return replace(said, corrupt=True)
        names = {row["entry_seq"]: row for row in self._facts.find("staging.statement_entry_detail", **scope)}
        words = {line.reference: line for line in said.lines}
        rows = sorted(self._facts.find("staging.statement_entry", **scope), key=lambda row: row["entry_seq"])
        money = {
            row["balance_code"]: _cents(row[_MONEY]) for row in self._facts.find("staging.statement_balance", **scope)
        }
        return replace(
            said,
            opening_cents=money["OPBD"],
            closing_cents=money["CLBD"],
            lines=tuple(
                _line(row, names[row["entry_seq"]], words.get(row["account_servicer_reference"])) for row in rows
            ),
        )

    def position_summary(self, pocket_id: str, day: date, **asked: Any) -> PositionSummary | None:
        said = super().position_summary(pocket_id, day, **asked)
        if said is None or not self._first <= day <= self._last:
            return said
        scope = {"scope_pocket_id": pocket_id, "scope_date": day}
        if not self._facts.find("raw.delivery", document_kind="POSITION", **scope):
            return None
        (cash,) = self._facts.find("staging.position_cash", **scope)
        return replace(
            said,
            cash_cents=_cents(cash["cash"]),
            positions=tuple(
                Position(
                    cusip=row["cusip"],
                    quantity=row["quantity"],
                    mark_micros=_micros(row["market_price"]),
                    market_value_cents=_cents(row["market_value"]),
                    historical_cost_cents=_cents(row["historical_cost"]),
                )
                for row in self._facts.find("staging.position", **scope)
            ),
        )

    def prices(self, first: date, last: date) -> tuple[Mark, ...]:
        before = super().prices(first, min(last, self._first - timedelta(days=1)))
        after = super().prices(max(first, self._last + timedelta(days=1)), last)
        between = [
            Mark(row["cusip"], row["price_date"], _micros(row["price"]))
            for day in self._days(first, last)
            for row in self._facts.find("staging.security_price", scope_pocket_id="", scope_date=day)
        ]
        return (*before, *between, *after)

    def listed_transactions(self, listing: TransactionListing, first: date, last: date) -> Sequence[Transaction]:
        said = super().listed_transactions(listing, first, last)
        known = {row.id: row for row in super().transactions(self._first, self._last)}
        outside = [row for row in said if not self._first <= calendars.new_york_date(row.booked_at) <= self._last]
        made = [
            replace(
                known[row["activity_id"]],
                credit=row[_MONEY] > 0,
                amount_cents=abs(_cents(row[_MONEY])),
                booked_at=_aware(row["booked_at_utc"]),
                settled_at=_aware(row["settled_at_utc"] or row["booked_at_utc"] + _NOT_YET),
            )
            for row in self._rows("staging.api_transaction", first, last, document_kind=_TRANSACTIONS[listing])
        ]
        return [*outside, *made]

    def listed_trades(self, listing: TradeListing, first: date, last: date) -> Sequence[Trade]:
        said = super().listed_trades(listing, first, last)
        outside = [row for row in said if not self._first <= calendars.new_york_date(row.traded_at) <= self._last]
        known = {row.id: row for row in super().trades(self._first, self._last)}
        rows = self._rows("staging.api_trade", first, last, document_kind=_TRADES[listing])
        return [*outside, *(_listed(row, known.get(row["trade_id"])) for row in rows)]

    def reported_trades(
        self, output_format: str, pocket_ids: Sequence[str], first: date, last: date, date_type: DateType
    ) -> Sequence[Trade]:
        said = super().reported_trades(output_format, pocket_ids, first, last, date_type)
        outside = [row for row in said if not self._first <= calendars.new_york_date(row.traded_at) <= self._last]
        known = {row.id: row for row in super().trades(self._first, self._last)}
        made = []
        for pocket_id in pocket_ids:
            for day in self._days(first, last):
                for row in self._facts.find("staging.trade_report", scope_pocket_id=pocket_id, scope_date=day):
                    if row["output_format"] == output_format:
                        made.append(_reported(row, known[row["trade_reference"]]))
        return [*outside, *made]

    def _rows(self, table: str, first: date, last: date, **wanted: Any) -> Iterator[Row]:
        for day in self._days(first, last):
            yield from self._facts.find(table, scope_pocket_id="", scope_date=day, **wanted)

    def _days(self, first: date, last: date) -> list[date]:
        return calendars.days(max(first, self._first), min(last, self._last))


def _aware(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC)


def _line(row: Row, detail: Row, like: StatementLine | None) -> StatementLine:
    return StatementLine(
        reference=row["account_servicer_reference"],
        end_to_end_id=detail["end_to_end_id"],
        code=row["proprietary_code"],
        credit=row[_MONEY] > 0,
        amount_cents=abs(_cents(row[_MONEY])),
        booking_date=row["booking_date"],
        value_date=row["value_date"],
        counterparty="" if like is None else like.counterparty,
        remittance="" if like is None else like.remittance,
    )


def _listed(row: Row, like: Trade | None) -> Trade:
    at = _aware(row["traded_at_utc"])
    settles = row["settlement_date"]
    rate = row["yield_to_maturity"]
    return Trade(
        id=row["trade_id"],
        pocket_id=row["pocket_id"],
        activity=row["activity"],
        bill=bill(row["cusip"]) if like is None else like.bill,
        quantity=row["quantity"],
        price_micros=_micros(row["price"]),
        cash_cents=_cents(row["notional"]),
        traded_at=at,
        book_date=row["book_date"],
        settlement_date=at.date() + _NOT_YET if settles is None else settles,
        yield_to_maturity="0.000000" if rate is None else f"{rate:.6f}",
        reference=row["trade_id"],
    )


def _reported(row: Row, like: Trade) -> Trade:
    moved = row["trade_date"] - calendars.new_york_date(like.traded_at)
    return replace(
        like,
        activity=row["side"],
        quantity=row["quantity"],
        price_micros=_micros(row["price"]),
        cash_cents=_cents(row["amount"]),
        traded_at=like.traded_at + moved,
        book_date=row["book_date"],
        settlement_date=row["settlement_date"],
    )


def unsaid(clean: Facts, planted: Facts) -> str:
    """Why the documents of a served bank cannot say what was planted among rows that were clean; empty if they can."""
    reasons = set()
    for table, gone, new in _changes(clean, planted):
        name = table.split(".")[1]
        if table in _OF_ARRIVAL:
            reasons |= {why for row in (*gone, *new) if (why := _of_arrival(table, row))}
        elif table not in _SAID:
            reasons.add(_ELSEWHERE.get(table, _OF_PEOPLE))
        else:
            before = {_key(row): row for row in gone}
            for row in new:
                held = before.get(_key(row), {})
                columns = {column for column in row if held and row[column] != held.get(column)} - _WHERE
                reasons |= {f"{name}.{column} is written by the bank" for column in columns - _SAID[table]}
                if name == "statement" and not _sums_up(planted, row):
                    reasons.add("a statement of the bank declares what it lists")
                if name == "api_transaction" and not held:
                    reasons.add("a transaction that the bank has not made has no wire, transfer or payment behind it")
    return "; ".join(sorted(reasons))


def _key(row: Row) -> tuple[Any, ...]:
    names = (
        "document_kind",
        "scope_pocket_id",
        "scope_date",
        "statement_seq",
        "balance_seq",
        "entry_seq",
        "detail_seq",
        "trade_id",
        "trade_reference",
        "activity_id",
        "document_locator",
        "output_format",
    )
    return tuple(row.get(name) for name in names)


def _of_arrival(table: str, row: Row) -> str:
    if row["document_kind"] not in (*_STATEMENTS, "POSITION"):
        return "a listing or a report of many days is one document, of which no day is missing by itself"
    if table == "raw.document" and row["rows_rejected"]:
        return "the bank writes no row that cannot be read"
    if row.get("finality", "AFTER_CUTOFF") != "AFTER_CUTOFF" or row.get("version_no") not in (None, 1):
        return "it depends on when the document was asked for"
    if row["document_kind"] == "POSITION" and row.get("outcome") == "QUARANTINED":
        return "the bank cuts off statements only"
    return ""


def _sums_up(facts: Facts, statement: Row) -> bool:
    scope = {name: statement[name] for name in ("document_kind", "scope_pocket_id", "scope_date")}
    rows = facts.find("staging.statement_entry", **scope)
    net = sum((row[_MONEY] for row in rows), Decimal(0))
    return (statement["summary_entries"], statement["summary_net_amount"]) == (len(rows), net)


def _changes(clean: Facts, planted: Facts) -> Iterator[tuple[str, list[Row], list[Row]]]:
    """By table the rows that are gone and those that are new; a changed row is both."""
    for table in sorted({*clean.tables, *planted.tables}):
        before, after = list(clean.all(table)), list(planted.all(table))
        if before == after:
            continue
        left = {_whole(row) for row in after}
        had = {_whole(row) for row in before}
        gone = [row for row in before if _whole(row) not in left]
        new = [row for row in after if _whole(row) not in had]
        if gone or new or len(before) != len(after):
            yield table, gone, new


def _whole(row: Row) -> str:
    return repr(sorted(row.items()))

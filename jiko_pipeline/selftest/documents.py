"""What a simulated bank's documents say, as the rows that reading and loading them would leave in staging.

Belongs here: records of the ledger to rows, with the manifest's lines of each document. Does not belong here: which
documents a world has (`worlds`), people and messages (`messages`). That these rows are those of the way over HTTP is
what `jiko_pipeline_tests/reconciliation/test_selftest_worlds.py` holds against a real sync.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from jiko_pipeline import calendars, tbill
from jiko_pipeline.selftest.facts import KNOWN_FROM, Facts, Row
from jiko_pipeline.simulator.documents.camt053 import domain_code
from jiko_pipeline.simulator.documents.delimited import (
    CUSTODIAN,
    ISSUER,
    bill_description,
    tradable_id,
    trade_date,
    transaction_code,
)
from jiko_pipeline.simulator.model import Mark, PositionSummary, StatementFacts, StatementLine, Trade, Transaction
from jiko_pipeline.warehouse.kinds import SNAPSHOT_DATE, kind_of

SCOPE: Final = ("document_kind", "scope_pocket_id", "scope_date", "document_id")
_FINAL: Final = "AFTER_CUTOFF"


def money(cents: int) -> Decimal:
    """Cents as dollars."""
    return Decimal(cents).scaleb(-2)


def price(micros: int) -> Decimal:
    """Millionths as a price per 100 of face."""
    return Decimal(micros).scaleb(-6)


def naive(instant: datetime) -> datetime:
    """An aware instant as the warehouse keeps it: UTC without a zone."""
    return instant.astimezone(UTC).replace(tzinfo=None)


def deliver(
    facts: Facts,
    kind: str,
    pocket_id: str,
    days: Sequence[date],
    *,
    version: str = "",
    known_from: datetime = KNOWN_FROM,
    **delivery: Any,
) -> Row:
    """Enters a document of `kind` that speaks of `days` (none for a snapshot) and answers its line of the manifest.

    Counts are left open: `settled` fills them from the rows that name the document. `delivery` goes into its lines
    of `raw.delivery` (finality, outcome, version_no, is_current).
    """
    span = f"{days[0]}-{days[-1]}" if days else "snapshot"
    document_id = f"{kind}|{pocket_id}|{span}{version}"
    for day in days or [SNAPSHOT_DATE]:
        facts.put(
            "raw.delivery",
            {
                "document_id": document_id,
                "document_kind": kind,
                "scope_pocket_id": pocket_id,
                "scope_date": day,
                "finality": _FINAL,
                "outcome": "NEW_VERSION",
                "version_no": 1,
                "is_current": True,
                "content_hash": document_id,
                "row_count": None,
                "known_from_utc": known_from,
                **delivery,
            },
        )
    return facts.put(
        "raw.document",
        {
            "document_id": document_id,
            "document_kind": kind,
            "pocket_id": pocket_id or None,
            "first_date": days[0] if days else None,
            "last_date": days[-1] if days else None,
            "parameters": "{}",
            "source_operation": "selftest",
            "document_sha256": document_id,
            "parts": "[]",
            "byte_length": 0,
            "fetched_at_utc": known_from,
            "finality": delivery.get("finality", _FINAL),
            "outcome": "QUARANTINED" if delivery.get("outcome") == "QUARANTINED" else "LOADED",
            "rows_in_document": None,
            "rows_loaded": None,
            "rows_rejected": 0,
            "findings": "[]",
            "loaded_at_utc": known_from,
        },
    )


def settled(facts: Facts) -> None:
    """Fills the counts that nobody has stated: what a load counts in the rows of each document and scope."""
    rows_of: dict[tuple[str, str], int] = {}
    rows_at: dict[tuple[str, str, date], int] = {}
    tables = {f"staging.{name}" for row in facts.all("raw.document") for name in kind_of(row["document_kind"]).frames}
    for table in tables:
        frame = table.removeprefix("staging.")
        for row in facts.all(table):
            key = row.get("document_id", ""), row["document_kind"]
            if frame in kind_of(row["document_kind"]).counted:
                rows_of[key] = rows_of.get(key, 0) + 1
            at = *key, row["scope_date"]
            rows_at[at] = rows_at.get(at, 0) + 1
    for document in facts.all("raw.document"):
        if document["rows_loaded"] is None:
            document["rows_loaded"] = rows_of.get((document["document_id"], document["document_kind"]), 0)
        if document["rows_in_document"] is None:
            document["rows_in_document"] = document["rows_loaded"] + document["rows_rejected"]
    for line in facts.all("raw.delivery"):
        if line["row_count"] is None:
            line["row_count"] = rows_at.get((line["document_id"], line["document_kind"], line["scope_date"]), 0)


def _scope(document: Row, day: date | None = None) -> Row:
    return {
        "document_kind": document["document_kind"],
        "scope_pocket_id": document["pocket_id"] or "",
        "scope_date": day or document["first_date"] or SNAPSHOT_DATE,
        "document_id": document["document_id"],
    }


def state(facts: Facts, statement: StatementFacts) -> None:
    """Enters a bank or brokerage statement."""
    document = deliver(facts, f"{statement.kind}_STATEMENT", statement.pocket.id, [statement.day])
    scope = _scope(document)
    facts.put(
        "staging.statement",
        {
            **scope,
            "statement_seq": 1,
            "account_identification": statement.pocket.id.replace("-", ""),
            "account_currency": "USD",
            "account_name": statement.pocket.name[:70],
            "account_type": "CACC" if statement.kind == "BANK" else "BROKERAGE",
            "electronic_sequence_number": str(statement.sequence_number),
            "from_date": statement.day,
            "to_date": statement.day,
            "page_number": "1",
            "is_last_page": True,
            "message_version": "08",
            "summary_entries": len(statement.lines),
            "summary_net_amount": money(sum(_signed(line) for line in statement.lines)),
            "document_locator": "Stmt[1]",
        },
    )
    balances = (
        ("OPBD", statement.opening_cents, statement.previous_day),
        ("CLBD", statement.closing_cents, statement.day),
    )
    for number, (code, cents, day) in enumerate(balances, start=1):
        facts.put(
            "staging.statement_balance",
            {
                **scope,
                "statement_seq": 1,
                "balance_seq": number,
                "balance_code": code,
                "signed_amount": money(cents),
                "currency": "USD",
                "balance_date": day,
                "balance_date_text": day.isoformat(),
                "document_locator": f"Stmt[1]/Bal[{number}]",
            },
        )
    for number, line in enumerate(statement.lines, start=1):
        enter(facts, scope, number, line, statement.pocket.name)


def _signed(line: StatementLine) -> int:
    return line.amount_cents if line.credit else -line.amount_cents


def enter(facts: Facts, scope: Row, number: int, line: StatementLine, own_name: str) -> None:
    """Enters one line of a statement: an entry with its only detail."""
    domain, family, sub_family = domain_code(line)
    us, them = own_name[:140], line.counterparty[:140]
    debtor, creditor = (them, us) if line.credit else (us, them)
    facts.put(
        "staging.statement_entry",
        {
            **scope,
            "statement_seq": 1,
            "entry_seq": number,
            "signed_amount": money(_signed(line)),
            "currency": "USD",
            "account_servicer_reference": line.reference,
            "entry_status": "BOOK",
            "booking_date": line.booking_date,
            "value_date": line.value_date,
            "domain_code": domain,
            "family_code": family,
            "sub_family_code": sub_family,
            "proprietary_code": line.code,
            "proprietary_issuer": "JIKO",
            "details": 1,
            "document_locator": f"Stmt[1]/Ntry[{number}]",
        },
    )
    facts.put(
        "staging.statement_entry_detail",
        {
            **scope,
            "statement_seq": 1,
            "entry_seq": number,
            "detail_seq": 1,
            "signed_amount": money(_signed(line)),
            "currency": "USD",
            "end_to_end_id": line.end_to_end_id,
            "debtor_name": debtor if line.counterparty else None,
            "creditor_name": creditor if line.counterparty else None,
            "remittance_unstructured": line.remittance or None,
            "document_locator": f"Stmt[1]/Ntry[{number}]/NtryDtls[1]/TxDtls[1]",
        },
    )


def hold(facts: Facts, summary: PositionSummary) -> None:
    """Enters a position summary."""
    document = deliver(facts, "POSITION", summary.pocket.id, [summary.day])
    scope = {**_scope(document), "pocket_id": summary.pocket.id, "as_of_date": summary.day}
    for number, position in enumerate(summary.positions, start=2):
        facts.put(
            "staging.position",
            {
                **scope,
                "cusip": position.cusip,
                "quantity": position.quantity,
                "market_price": price(position.mark_micros),
                "market_value": money(position.market_value_cents),
                "historical_cost": money(position.historical_cost_cents),
                "document_locator": f"line {number}",
            },
        )
    facts.put(
        "staging.position_cash",
        {
            **scope,
            "cash": money(summary.cash_cents),
            "document_locator": f"line {len(summary.positions) + 2}",
        },
    )


def report_trades(facts: Facts, pocket_id: str, days: Sequence[date], trades: Iterable[Trade]) -> None:
    """Enters the trade reports of a pocket over `days` in both of their forms; `trades` are those of the pocket."""
    rows = list(trades)
    for form in ("CSV", "KYRIBA_CSV"):
        document = deliver(facts, f"TRADE_REPORT_{form}", pocket_id, days)
        for number, trade in enumerate(rows, start=2):
            facts.put("staging.trade_report", {**_scope(document, trade_date(trade)), **_reported(trade, form, number)})


def _reported(trade: Trade, form: str, line: int) -> Row:
    return {
        "output_format": form,
        "trade_reference": trade.id,
        "pocket_id": trade.pocket_id,
        "transaction_code": transaction_code(trade),
        "side": trade.activity,
        "cusip": trade.bill.cusip,
        "issuer": ISSUER,
        "issue_date": trade.bill.issue_date,
        "maturity_date": trade.bill.maturity_date,
        "trade_date": trade_date(trade),
        "settlement_date": trade.settlement_date,
        "book_date": trade.book_date,
        "quantity": trade.quantity,
        "price": price(trade.price_micros),
        "amount": money(trade.cash_cents),
        "custodian": CUSTODIAN,
        "document_locator": f"line {line}",
    }


def quote(facts: Facts, days: Sequence[date], marks: Iterable[Mark]) -> None:
    """Enters the price report over `days`."""
    document = deliver(facts, "SECURITY_PRICE", "", days)
    for number, mark in enumerate(marks, start=2):
        facts.put(
            "staging.security_price",
            {
                **_scope(document, mark.day),
                "cusip": mark.cusip,
                "price_date": mark.day,
                "price": price(mark.price_micros),
                "provider": "JIKO",
                "document_locator": f"line {number}",
            },
        )


def list_trades(facts: Facts, days: Sequence[date], trades: Sequence[Trade], asked_on: date) -> None:
    """Enters the listings of trades over `days`, in their three forms, as they were on `asked_on`."""
    for kind in ("API_TRADES", "API_TRADES_V1", "API_TRADES_CSV"):
        document = deliver(facts, kind, "", days)
        for number, trade in enumerate(trades, start=1):
            done = trade.settlement_date <= asked_on
            facts.put(
                "staging.api_trade",
                {
                    **_scope(document, trade_date(trade)),
                    "trade_id": trade.id,
                    "pocket_id": trade.pocket_id,
                    "activity": trade.activity,
                    "cusip": trade.bill.cusip,
                    "quantity": trade.quantity,
                    "price": price(trade.price_micros),
                    "notional": money(trade.cash_cents),
                    "currency": "USD",
                    "traded_at_utc": naive(trade.traded_at),
                    "book_date": trade.book_date,
                    "settlement_date": trade.settlement_date if done else None,
                    "trade_status": "SETTLED" if done else "BOOKED",
                    "maturity_date": trade.bill.maturity_date,
                    "yield_to_maturity": Decimal(trade.yield_to_maturity),
                    "tradable_id": None if kind == "API_TRADES" else tradable_id(trade.bill),
                    "description": bill_description(trade.bill),
                    "document_locator": f"page 1 item {number}",
                },
            )


def list_transactions(facts: Facts, days: Sequence[date], rows: Sequence[Transaction], asked_at: datetime) -> None:
    """Enters the listings of transactions over `days`, in both of their forms, as they were at `asked_at`."""
    for kind in ("API_TRANSACTIONS", "API_TRANSACTIONS_CSV"):
        document = deliver(facts, kind, "", days)
        for number, row in enumerate(rows, start=1):
            done = row.settled_at <= asked_at
            facts.put(
                "staging.api_transaction",
                {
                    **_scope(document, calendars.new_york_date(row.booked_at)),
                    "activity_id": row.id,
                    "transaction_id": row.transaction_id,
                    "pocket_id": row.pocket_id,
                    "transaction_type": row.type,
                    "transaction_status": "SETTLED" if done else "BOOKED",
                    "direction": "CREDIT" if row.credit else "DEBIT",
                    "signed_amount": money(row.amount_cents if row.credit else -row.amount_cents),
                    "currency": "USD",
                    "booked_at_utc": naive(row.booked_at),
                    "settled_at_utc": naive(row.settled_at) if done else None,
                    "title": row.title,
                    "description": row.description,
                    "details": _details(row) if kind == "API_TRANSACTIONS" else None,
                    "document_locator": f"page 1 item {number}",
                },
            )


def _details(row: Transaction) -> str | None:
    """The fields of the transaction's type as JSON with sorted keys; a wire is known by the id of its transaction."""
    told = {"wire_id": row.transaction_id, **row.details} if row.type == "WIRE" else dict(row.details)
    kept = {name: value for name, value in told.items() if value is not None}
    return json.dumps(kept, sort_keys=True, ensure_ascii=False) if kept else None


def refer(facts: Facts, auctions: Iterable[tbill.Auction], source: str) -> None:
    """Enters a reference list of bills; it belongs to no customer."""
    document = deliver(facts, "SECURITY_REFERENCE", "", [], version=f"|{source}")
    nobody = {"customer_id": "", "legal_entity_id": ""}
    document.update(nobody)
    for line in facts.find("raw.delivery", document_id=document["document_id"]):
        line.update(nobody)
    for number, auction in enumerate(auctions, start=2):
        facts.put(
            "staging.security_reference",
            {
                **_scope(document),
                **nobody,
                "cusip": auction.cusip,
                "security_term": auction.security_term,
                "issue_date": auction.issue_date,
                "maturity_date": auction.maturity_date,
                "auction_price": auction.price_per_100,
                "reference_source": source,
                "document_locator": f"line {number}",
            },
        )

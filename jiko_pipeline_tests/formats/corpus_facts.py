"""What a document of the corpus says, as this project reads it and as an independent witness read it.

Belongs here: the facts that are compared, one by one. Does not belong here: what follows from a difference.
"""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from jiko_pipeline.formats import camt053
from jiko_pipeline.formats.camt053.layouts import CHARGE
from jiko_pipeline.formats.camt053.records import Balance, Piece, Statement

Row = dict[str, Any]
Fact = tuple[str, object, object]


def _balance(balance: Balance | None) -> tuple[object, ...] | None:
    if balance is None:
        return None
    day = balance.balance_date.isoformat() if balance.balance_date else None
    return balance.balance_code, balance.signed_amount, day


def _true_balance(balance: dict[str, Any] | None) -> tuple[object, ...] | None:
    if balance is None:
        return None
    return balance["code"], Decimal(balance["amount"]), balance["date"].strip()[:10] if balance["date"] else None


def statement_facts(statement: Statement) -> dict[str, Any]:
    """A statement as it was read, by the words of the witness."""
    return {
        "id": statement.header.statement_id,
        "account": statement.header.account_identification,
        "currency": statement.currency,
        "electronic sequence": statement.header.electronic_sequence_number,
        "legal sequence": statement.header.legal_sequence_number,
        "copy": statement.header.copy_duplicate,
        "opening": _balance(statement.opening),
        "closing": _balance(statement.closing),
        "balances": len(statement.header.balances),
        "entries": statement.totals.entries,
        "details": statement.totals.details,
        "net booked": statement.totals.net_booked,
        "foots": statement.foots,
    }


def true_statement_facts(statement: dict[str, Any]) -> dict[str, Any]:
    """A statement as the witness read it."""
    return {
        "id": statement["id"],
        "account": statement["account"],
        "currency": statement["ccy"],
        "electronic sequence": statement["seq"],
        "legal sequence": statement["legal_seq"],
        "copy": statement["copy_dup"],
        "opening": _true_balance(statement["opening"]),
        "closing": _true_balance(statement["closing"]),
        "balances": len(statement["balances"]),
        "entries": statement["n_entries"],
        "details": statement["n_txdtls"],
        "net booked": Decimal(statement["sum_credit_booked"]) - Decimal(statement["sum_debit_booked"]),
        "foots": statement["foots"],
    }


def rows_of(body: bytes) -> tuple[list[Row], dict[tuple[int, int], list[Row]], dict[tuple[int, int, int], list[Row]]]:
    """Entries, transactions by entry, charges by transaction (0: the entry's own), as read."""
    pieces: list[Piece] = []
    camt053.parse(body, pieces.append)
    entries: list[Row] = []
    details: dict[tuple[int, int], list[Row]] = defaultdict(list)
    charges: dict[tuple[int, int, int], list[Row]] = defaultdict(list)
    for piece in pieces:
        entries += piece.entries.frame.to_dicts()
        for row in piece.details.frame.to_dicts() if piece.details else ():
            details[row["statement_seq"], row["entry_seq"]].append(row)
        for row in piece.begun[CHARGE].to_dicts() if CHARGE in piece.begun else ():
            charges[row["statement_seq"], row["entry_seq"], row["detail_seq"] or 0].append(row)
    return entries, details, charges


def _code_facts(row: Row, true: dict[str, Any] | None) -> list[Fact]:
    true = true or {}
    return [
        ("domain", row["domain_code"], true.get("domain")),
        ("family", row["family_code"], true.get("family")),
        ("sub-family", row["sub_family_code"], true.get("subfamily")),
        ("proprietary code", row["proprietary_code"], true.get("prtry")),
        ("issuer", row["proprietary_issuer"], true.get("prtry_issuer")),
    ]


def _money_facts(row: Row, name: str, true: dict[str, Any] | None) -> list[Fact]:
    value = row[f"{name}_amount"]
    return [
        (f"{name} amount", None if value is None else value, Decimal(true["value"]) if true else None),
        (f"{name} currency", row[f"{name}_currency"], true["ccy"] if true else None),
    ]


def _exchange_facts(row: Row, true: dict[str, Any] | None) -> list[Fact]:
    true = true or {}
    rate = true.get("rate")
    return [
        ("source currency", row["exchange_source_currency"], true.get("src")),
        ("target currency", row["exchange_target_currency"], true.get("trgt")),
        ("unit currency", row["exchange_unit_currency"], true.get("unit")),
        ("rate", row["exchange_rate"], None if rate is None else Decimal(rate)),
    ]


def entry_facts(row: Row, true: dict[str, Any]) -> list[Fact]:
    """(what, as read, as the witness read it) of an entry."""
    return [
        ("reference", row["entry_reference"], true["ref"]),
        ("servicer's reference", row["account_servicer_reference"], true["acct_svcr_ref"]),
        ("status", row["entry_status"], true["status"]),
        ("information", row["additional_information"], true["info"]),
        ("booking date", str(row["booking_date"]) if row["booking_date"] else None, _day(true["booking"])),
        ("value date", str(row["value_date"]) if row["value_date"] else None, _day(true["value"])),
        ("reversal", bool(row["is_reversal"]), bool(true["reversal"])),
        ("currency", row["currency"], true["amt"]["ccy"] if true["amt"] else None),
        *_code_facts(row, true["btc"]),
        *_money_facts(row, "instructed", true["instd_amt"]),
        *_money_facts(row, "transaction", true["tx_amt"]),
        *_exchange_facts(row, true["fx"]),
    ]


def detail_facts(row: Row, true: dict[str, Any], charges: list[Row]) -> list[Fact]:
    """(what, as read, as the witness read it) of a transaction."""
    return [
        ("end to end", row["end_to_end_id"], true["end_to_end"]),
        ("transaction id", row["transaction_id"], true["tx_id"]),
        ("instruction", row["instruction_id"], true["instr_id"]),
        ("uetr", row["uetr"], true["uetr"]),
        ("servicer's reference", row["account_servicer_reference"], true["acct_svcr_ref"]),
        ("payment information", row["payment_information_id"], true["pmt_inf_id"]),
        ("mandate", row["mandate_id"], true["mandate"]),
        ("cheque", row["cheque_number"], true["cheque"]),
        ("debtor", row["debtor_name"], true["debtor"]),
        ("creditor", row["creditor_name"], true["creditor"]),
        ("debtor's account", row["debtor_account"], true["debtor_acct"]),
        ("creditor's account", row["creditor_account"], true["creditor_acct"]),
        ("remittance", row["remittance_unstructured"], "\n".join(true["ustrd"]) or None),
        ("creditor's references", row["creditor_references"], "\n".join(true["strd_ref"]) or None),
        ("return reason", row["return_reason"], true["return_reason"]),
        ("isin", row["isin"], true["isin"]),
        ("information", row["additional_information"], true["info"]),
        ("charges", len(charges), len(true["charges"])),
        *_code_facts(row, true["btc"]),
        *_money_facts(row, "instructed", true["instd_amt"]),
        *_money_facts(row, "transaction", true["tx_amt"]),
        *_money_facts(row, "counter_value", true["cntrval_amt"]),
        *_exchange_facts(row, true["fx"]),
    ]


def _day(text: str | None) -> str | None:
    stripped = (text or "").strip()[:10]
    return stripped if len(stripped) == 10 and stripped[4] == stripped[7] == "-" else None


def squeezed(value: object) -> object:
    """Text with one space wherever it has any; empty is nothing."""
    return " ".join(value.split()) or None if isinstance(value, str) else value


def compared(name: str, body: bytes, expected: dict[str, Any]) -> tuple[int, list[tuple[object, ...]]]:
    """How many facts of entries and transactions the witness saw, and each that was read otherwise."""
    wrong: list[tuple[object, ...]] = []
    facts = 0
    entries, details, charges = rows_of(body)
    true_entries = [entry for statement in expected["statements"] for entry in statement["entries"]]
    for entry, true in zip(entries, true_entries, strict=True):
        found = entry_facts(entry, true)
        key = (entry["statement_seq"], entry["entry_seq"])
        for detail, true_detail in zip(details[key], true["details"], strict=True):
            found += detail_facts(detail, true_detail, charges[(*key, detail["detail_seq"])])
        facts += sum(theirs not in (None, False, 0) for _, _, theirs in found)
        wrong += [
            (name, entry["document_locator"], what, ours, theirs)
            for what, ours, theirs in found
            if squeezed(ours) != squeezed(theirs)
        ]
    return facts, wrong

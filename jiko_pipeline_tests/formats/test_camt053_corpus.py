"""Statements that real projects ship, against the truth an independent reader established."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jiko_pipeline.formats import camt053
from jiko_pipeline.formats.camt053.records import Balance, Detail, Entry, Statement
from jiko_pipeline.formats.frames import FRAMES
from jiko_pipeline.formats.reading import RefusedDocumentError, Severity

VERSION_01 = "Nivaes-Iso20022Net__camt.053.001.01.xml"
"""The witness knows no root element BkToCstmrStmtV01, so it saw no statement where there is one."""


@pytest.fixture(scope="module")
def truth(corpus: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((corpus / "expected.json").read_text())
    return loaded


def _balance(balance: Balance | None) -> tuple[object, ...] | None:
    if balance is None:
        return None
    day = balance.balance_date.isoformat() if balance.balance_date else None
    return balance.balance_code, balance.signed_amount, day


def _true_balance(balance: dict[str, Any] | None) -> tuple[object, ...] | None:
    if balance is None:
        return None
    return balance["code"], Decimal(balance["amount"]), balance["date"].strip()[:10] if balance["date"] else None


def _facts(statement: Statement) -> dict[str, Any]:
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


def _true_facts(statement: dict[str, Any]) -> dict[str, Any]:
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


def test_every_document_of_the_corpus_is_read_as_the_witness_read_it(corpus: Path, truth: dict[str, Any]) -> None:
    wrong: dict[str, Any] = {}
    right = 0
    for name, expected in truth.items():
        if not expected["statements"]:
            continue
        document = camt053.parse((corpus / "corpus" / name).read_bytes())
        got = [_facts(statement) for statement in document.statements]
        true = [_true_facts(statement) for statement in expected["statements"]]
        if got == true and document.version == expected["version"]:
            right += 1
        else:
            wrong[name] = [
                (key, one[key], other[key])
                for one, other in zip(got, true, strict=False)
                for key in one
                if one[key] != other[key]
            ] or "another number of statements or version"
    assert not wrong
    assert right == sum(bool(expected["statements"]) for expected in truth.values())


def test_every_document_without_a_readable_statement_is_refused(corpus: Path, truth: dict[str, Any]) -> None:
    codes = {}
    for name, expected in truth.items():
        if expected["statements"] or name == VERSION_01:
            continue
        with pytest.raises(RefusedDocumentError) as refusal:
            camt053.parse((corpus / "corpus" / name).read_bytes())
        codes[name] = refusal.value.code
        if "error" in expected:
            assert "line" in str(refusal.value)
    assert set(codes.values()) == {"NOT_WELL_FORMED", "NO_STATEMENT"}


def test_entries_and_details_carry_the_references_dates_and_codes_of_the_witness(
    corpus: Path, truth: dict[str, Any]
) -> None:
    wrong: list[object] = []
    facts = 0
    for name, expected in truth.items():
        read: list[tuple[Entry, list[Detail]]] = []
        if not expected["statements"]:
            continue

        def keep(entry: Entry, details: object, into: list[Any] = read) -> None:
            into.append((entry, list(details)))  # type: ignore[call-overload]

        camt053.parse((corpus / "corpus" / name).read_bytes(), keep)
        true = [entry for statement in expected["statements"] for entry in statement["entries"]]
        for (entry, details), other in zip(read, true, strict=True):
            code = other["btc"] or {}
            pairs = [
                (entry.entry_reference, other["ref"]),
                (entry.account_servicer_reference, other["acct_svcr_ref"]),
                (entry.entry_status, other["status"]),
                (entry.domain_code, code.get("domain")),
                (entry.family_code, code.get("family")),
                (entry.sub_family_code, code.get("subfamily")),
                (entry.proprietary_code, code.get("prtry")),
                (entry.proprietary_issuer, code.get("prtry_issuer")),
                (entry.additional_information, other["info"]),
                (str(entry.booking_date) if entry.booking_date else None, _day(other["booking"])),
                (str(entry.value_date) if entry.value_date else None, _day(other["value"])),
            ]
            for detail, true_detail in zip(details, other["details"], strict=True):
                pairs += [
                    (detail.end_to_end_id, true_detail["end_to_end"]),
                    (detail.transaction_id, true_detail["tx_id"]),
                    (detail.instruction_id, true_detail["instr_id"]),
                    (detail.uetr, true_detail["uetr"]),
                    (detail.account_servicer_reference, true_detail["acct_svcr_ref"]),
                    (detail.debtor_name, true_detail["debtor"]),
                    (detail.creditor_name, true_detail["creditor"]),
                    (_squeezed(detail.remittance_unstructured), _squeezed(" ".join(true_detail["ustrd"]))),
                    (detail.additional_information, true_detail["info"]),
                ]
            facts += sum(theirs is not None for _, theirs in pairs)
            wrong += [
                (name, entry.document_locator, ours, theirs)
                for ours, theirs in pairs
                if _squeezed(ours) != _squeezed(theirs)
            ]
    assert facts > 3000
    assert not wrong, f"{len(wrong)} of {facts}: {wrong[:15]}"


def _day(text: str | None) -> str | None:
    stripped = (text or "").strip()[:10]
    return stripped if len(stripped) == 10 and stripped[4] == stripped[7] == "-" else None


def _squeezed(text: str | None) -> str | None:
    return " ".join(text.split()) or None if text else None


def test_frames_have_their_declared_schema_and_a_row_for_each_entry(corpus: Path, truth: dict[str, Any]) -> None:
    read = 0
    for name, expected in truth.items():
        body = (corpus / "corpus" / name).read_bytes()
        try:
            reading = camt053.read(body)
        except RefusedDocumentError as refusal:
            assert not expected["statements"] or refusal.code.startswith(("AMOUNT", "MISSING_SIGN")), name
            continue
        read += 1
        for frame_name, frame in reading.frames.items():
            assert frame.schema == FRAMES[frame_name].schema, name
            required = [column.name for column in FRAMES[frame_name].columns if column.required]
            assert not any(frame[column].null_count() for column in required), name
        entries = sum(statement["n_entries"] for statement in expected["statements"])
        if name != VERSION_01:
            assert reading.frames["statement_entry"].height == reading.rows_in_document == entries
        assert not any(finding.severity is Severity.ERROR for finding in reading.findings)
    assert read >= 105

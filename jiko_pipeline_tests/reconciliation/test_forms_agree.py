"""K51: JSON and CSV of transactions, trades and the audit log, and both trades listings, are the same rows."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from jiko_pipeline_tests.reconciliation.small_bank import DAYS, NEW, OLD, Answer, Row, ask, breaks, clean_facts

DAY = DAYS[4]
LATER = timedelta(days=1)
AT = datetime(DAY.year, DAY.month, DAY.day, 15, 30)  # noqa: DTZ001 - UTC, as the warehouse stores it
KINDS = {
    "API_TRANSACTIONS": "staging.api_transaction",
    "API_TRANSACTIONS_CSV": "staging.api_transaction",
    "API_TRADES": "staging.api_trade",
    "API_TRADES_V1": "staging.api_trade",
    "API_TRADES_CSV": "staging.api_trade",
    "AUDIT_LOGS": "staging.audit_log",
    "AUDIT_LOGS_CSV": "staging.audit_log",
}
FACTS: dict[str, Row] = {
    "staging.api_transaction": {
        "activity_id": "movement-1",
        "transaction_id": "both-1",
        "pocket_id": OLD,
        "transaction_type": "ACH",
        "transaction_status": "BOOKED",
        "direction": "CREDIT",
        "signed_amount": Decimal("12.34"),
        "currency": "USD",
        "booked_at_utc": AT,
    },
    "staging.api_trade": {
        "trade_id": "trade-1",
        "pocket_id": OLD,
        "activity": "BUY",
        "cusip": "912797KJ5",
        "quantity": 3,
        "price": Decimal("99.500000"),
        "notional": Decimal("298.50"),
        "currency": "USD",
        "traded_at_utc": AT,
        "trade_status": "SETTLED",
        "book_date": DAY,
    },
    "staging.audit_log": {"entry_id": "entry-1", "occurred_at_utc": AT, "action": "SIGNED_IN"},
}
Bend = Callable[[dict[str, list[Row]]], None]


def stated(kind: str, **more: Any) -> Row:
    """A row of `kind` as staging holds it."""
    table = KINDS[kind]
    return {
        **FACTS[table],
        "document_kind": kind,
        "scope_pocket_id": "",
        "scope_date": DAY,
        "row_ordinal": 1,
        "row_hash": kind,
        "document_id": f"document-{kind}",
        "document_sha256": "0" * 64,
        "known_from_utc": AT,
        **more,
    }


def answers(
    tmp_path: Path,
    bend: Bend = lambda forms: None,
    *,
    finality: str = "AFTER_CUTOFF",
    fetched: Mapping[str, tuple[datetime, ...]] = MappingProxyType({}),
) -> dict[str, Any]:
    """What K51 says of one row in each form, after `bend` changed the forms; by kind, `forms` also by answer.

    `fetched` names the times at which a form was fetched, where it was not once and with the others.
    """
    forms = {kind: [stated(kind)] for kind in KINDS}
    bend(forms)
    facts = clean_facts()
    for kind, rows in forms.items():
        facts.rows.setdefault(KINDS[kind], []).extend(rows)
        facts.rows.setdefault("raw.delivery", []).extend(
            {
                "document_id": f"document-{kind}-{at}",
                "document_kind": kind,
                "scope_pocket_id": "",
                "scope_date": DAY,
                "content_hash": kind,
                "row_count": len(rows),
                "finality": finality,
                "outcome": "NEW_VERSION",
                "version_no": 1,
                "is_current": True,
                "known_from_utc": at,
            }
            for at in fetched.get(kind, (AT,))
        )
    found = [answer for answer in ask(tmp_path, facts, "K51")["K51"] if answer.business_date == DAY]
    return {"rows": found, "breaks": breaks({"K51": found})}


def of_old(found: list[Answer]) -> dict[str, str]:
    """entity key -> status or reason, of the pocket that the rows are about."""
    return {row.entity_key: row.reason or row.status for row in found if row.pocket_id == OLD}


def test_equal_forms_pass_row_by_row(tmp_path: Path) -> None:
    found = answers(tmp_path)
    assert found["breaks"] == set()
    passed = {row.entity_key for row in found["rows"] if row.status == "PASS"}
    assert {
        "API_TRANSACTIONS_CSV movement-1",
        "API_TRADES_V1 trade-1",
        "API_TRADES_CSV trade-1",
        "AUDIT_LOGS_CSV entry-1",
    } <= passed


def test_an_entry_of_the_audit_log_is_judged_once(tmp_path: Path) -> None:
    found = answers(tmp_path)["rows"]
    assert [row.pocket_id for row in found if row.entity_key == "AUDIT_LOGS_CSV entry-1"] == [min(OLD, NEW)]


@pytest.mark.parametrize(
    ("kind", "key", "field", "value", "told"),
    [
        ("API_TRANSACTIONS_CSV", "movement-1", "signed_amount", Decimal("12.35"), "amount"),
        ("API_TRANSACTIONS_CSV", "movement-1", "settled_at_utc", AT, "settled_at_utc"),
        ("API_TRADES_V1", "trade-1", "quantity", 4, "quantity"),
        ("API_TRADES_CSV", "trade-1", "price", Decimal("99.500001"), "price"),
        ("API_TRADES_CSV", "trade-1", "book_date", date(2024, 6, 1), "book_date"),
        ("AUDIT_LOGS_CSV", "entry-1", "member_id", "somebody", "member_id"),
    ],
)
def test_a_field_that_differs_breaks_its_row_alone(
    tmp_path: Path, kind: str, key: str, field: str, value: object, told: str
) -> None:
    def bend(forms: dict[str, list[Row]]) -> None:
        forms[kind] = [stated(kind, **{field: value})]

    pocket = min(OLD, NEW) if kind == "AUDIT_LOGS_CSV" else OLD
    assert answers(tmp_path, bend)["breaks"] == {("K51", "FORMAT_DIFF", told, pocket, DAY, f"{kind} {key}")}


def test_a_row_that_one_form_lacks_breaks_either_way(tmp_path: Path) -> None:
    def bend(forms: dict[str, list[Row]]) -> None:
        forms["API_TRANSACTIONS_CSV"] = []
        forms["API_TRADES_CSV"] = [stated("API_TRADES_CSV"), stated("API_TRADES_CSV", trade_id="trade-2")]

    assert answers(tmp_path, bend)["breaks"] == {
        ("K51", "FORMAT_DIFF", "MISSING", OLD, DAY, "API_TRANSACTIONS_CSV movement-1"),
        ("K51", "FORMAT_DIFF", "ONLY_THERE", OLD, DAY, "API_TRADES_CSV trade-2"),
    }


def test_a_transfer_in_kind_that_only_the_newer_listing_has_is_no_difference(tmp_path: Path) -> None:
    def bend(forms: dict[str, list[Row]]) -> None:
        forms["API_TRADES"].append(stated("API_TRADES", trade_id="trade-2", activity="TRANSFER_IN"))

    assert answers(tmp_path, bend)["breaks"] == set()


def test_a_form_that_was_not_fetched_is_not_tested_and_the_others_are(tmp_path: Path) -> None:
    facts = clean_facts()
    found = of_old([answer for answer in ask(tmp_path, facts, "K51")["K51"] if answer.business_date == DAY])
    assert found["AUDIT_LOGS_CSV"] == "NO_INPUT"
    assert found["API_TRADES_V1"] == "NO_INPUT"


def test_forms_fetched_before_the_day_was_over_are_not_compared(tmp_path: Path) -> None:
    def bend(forms: dict[str, list[Row]]) -> None:
        forms["AUDIT_LOGS_CSV"] = []

    found = answers(tmp_path, bend, finality="PROVISIONAL")
    assert found["breaks"] == set()
    assert of_old(found["rows"])["AUDIT_LOGS_CSV"] == "PROVISIONAL"


@pytest.mark.parametrize(
    ("fetched_again", "row_key"),
    [("API_TRADES", "API_TRADES_CSV"), ("AUDIT_LOGS", "AUDIT_LOGS_CSV"), ("AUDIT_LOGS_CSV", "AUDIT_LOGS_CSV")],
)
def test_a_form_that_the_last_fetch_did_not_bring_is_not_compared_with_the_one_it_did(
    tmp_path: Path, fetched_again: str, row_key: str
) -> None:
    def bend(forms: dict[str, list[Row]]) -> None:
        forms[fetched_again] = [stated(fetched_again, description="changed")] if "TRADES" in fetched_again else []

    found = answers(tmp_path, bend, fetched={fetched_again: (AT, AT + LATER)})
    assert found["breaks"] == set()
    assert row_key in {row.entity_key for row in found["rows"] if row.reason == "OTHER_FETCH"}


def test_forms_that_were_both_fetched_again_are_compared(tmp_path: Path) -> None:
    def bend(forms: dict[str, list[Row]]) -> None:
        forms["AUDIT_LOGS_CSV"] = []

    twice = dict.fromkeys(KINDS, (AT, AT + LATER))
    assert {told[1] for told in answers(tmp_path, bend, fetched=twice)["breaks"]} == {"FORMAT_DIFF"}

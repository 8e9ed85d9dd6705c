"""Edges of who may pay whom: the customer's own lists, people, counterparties and pockets listed anew.

Belongs here: lists and their versions. Does not belong here: single columns (`bending`).
"""

import json
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

from jiko_pipeline.selftest import documents
from jiko_pipeline.selftest.edges.days import listed_pockets
from jiko_pipeline.selftest.facts import Facts, Row
from jiko_pipeline.warehouse.kinds import SNAPSHOT_DATE

_CENT: Final = Decimal("0.01")


def list_customers_own(facts: Facts, draw: Random) -> None:
    """Lists of the customer: debits expected to the cent and the day, next to both, and companies with and without."""
    rows = facts.find("staging.api_transaction", document_kind="API_TRANSACTIONS")
    debits = [row for row in rows if row["signed_amount"] < 0 and row["transaction_type"] not in ("FEE", "WIRE")]
    pockets = listed_pockets(facts)
    expected = [_expected(row, number, draw) for number, row in enumerate(debits)
                if row["pocket_id"] not in pockets[::3] and draw.random() < 0.6]  # fmt: skip
    names = sorted({_company(row) for row in debits})
    allowed = [
        {"company_id": name, "limit_amount": -draw.choice([row for row in debits if _company(row) == name])[
            "signed_amount"] - draw.choice((0, 0, 1)) * _CENT} for name in names[::2]
    ]  # fmt: skip
    for kind, table, listed in (
        ("EXPECTED_PAYMENTS", "staging.expected_payment", expected),
        ("DEBIT_ALLOW_LIST", "staging.debit_allowance", allowed if len(pockets) % 2 else []),
    ):
        if not listed:
            continue
        document = documents.deliver(facts, kind, "", [])
        for row in listed:
            scope = {"document_kind": kind, "scope_pocket_id": "", "scope_date": SNAPSHOT_DATE}
            facts.put(table, {**scope, "document_id": document["document_id"], "document_locator": "line", **row})


def _company(row: Row) -> str:
    told = json.loads(row["details"] or "{}")
    return str(told.get("company_name") or row["transaction_type"])


def _expected(row: Row, number: int, draw: Random) -> Row:
    amount, day = -row["signed_amount"], row["scope_date"]
    low, high = draw.choice([(0, 0), (0, 0), (1, 5), (-5, -1), (-5, 5), (0, 5), (-5, 0)])
    early, late = draw.choice([(0, 0), (0, 0), (1, 4), (-4, -1), (-2, 2), (0, 2), (-2, 0)])
    return {
        "expected_id": f"expected-{number}",
        "pocket": row["pocket_id"],
        "direction": draw.choice(["OUT", "OUT", "OUT", "IN"]),
        "amount_low": amount + low * _CENT,
        "amount_high": amount + high * _CENT,
        "date_low": day + timedelta(days=early),
        "date_high": day + timedelta(days=late),
        "counterparty": draw.choice([None, None, _company(row), "somebody else"]),
        "reference": draw.choice([None, None, row["activity_id"].replace("-", ""), "another reference"]),
        "transaction_type": draw.choice([None, None, row["transaction_type"], "CARD"]),
    }


_VERSIONED: Final[dict[str, tuple[str, str, tuple[tuple[str, Any], ...]]]] = {
    "staging.team_member": ("TEAM", "member_id", (("member_status", "INACTIVE"), ("role", "VIEWER"))),
    "staging.reviewer": ("REVIEWERS", "user_id", (("last_name", "Renamed"),)),
    "staging.counterparty": (
        "COUNTERPARTIES",
        "counterparty_id",
        (
            ("account_number", "0000000001"),
            ("account_number", "0000000002"),
            ("name_on_account", "Another Name"),
            ("counterparty_status", "verified"),
        ),
    ),
    "staging.pocket": (
        "POCKETS",
        "pocket_id",
        (("deposit_strategy_id", "UST-1W"), ("pocket_status", "FROZEN"), ("reinvestment_strategy_id", "UST-8W")),
    ),
}


def list_anew(facts: Facts, draw: Random) -> None:
    """People, counterparties and pockets that a later listing shows changed, or no longer, or shows for the first time.

    The listings are of the instants at which payments were approved and booked, and a second before and after.
    """
    approved = sorted(
        row["occurred_at_utc"] for row in facts.all("staging.audit_log") if row["action"].endswith("APPROVED")
    )
    wires = sorted(
        row["booked_at_utc"]
        for row in facts.find("staging.api_transaction", document_kind="API_TRANSACTIONS")
        if row["transaction_type"] in ("WIRE", "ON_US") and row["signed_amount"] < 0
    )
    second = timedelta(seconds=1)
    instants = [at + step for at in (*approved, *wires) for step in (-second, timedelta(0), second)]
    instants += [at - timedelta(days=days) for at in wires for days in (9, 10, 11)]
    for table, (kind, _, changes) in _VERSIONED.items():
        for row in list(facts.all(table)):
            if draw.random() < 0.4:
                continue
            at = draw.choice(instants)
            document = documents.deliver(facts, kind, "", [], version=f"|{at:%Y%m%dT%H%M%S}|{draw.random()}",
                                         known_from=at)  # fmt: skip
            way = draw.randrange(4)
            if way == 3:
                row["known_from_utc"] = at
                continue
            row["known_to_utc"] = at
            if way < 2:
                name, value = draw.choice(changes)
                later = {"known_from_utc": at, "known_to_utc": None, "document_id": document["document_id"]}
                facts.put(table, {**row, **later, name: value})

"""Faults of transactions, as the API lists them.

Belongs here: movements in the listings, their forms, their status. Does not belong here: bank entries
(`bank_statements`).
"""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from jiko_pipeline.selftest.facts import Row
from jiko_pipeline.selftest.planting.bank_statements import booked_same_day, both_sides
from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.site import NothingToHit, Site

_DOLLAR: Final = Decimal("1.00")
_TABLE: Final = "staging.api_transaction"
_WAITING_BUSINESS_DAYS: Final = 4


def _booked_without_fee(site: Site) -> tuple[Row, Row]:
    """As `booked_same_day`, for a movement that no fee is charged for."""
    entry, transaction = booked_same_day(site, "ACH")
    if any(transaction["transaction_id"] in (row.get("details") or "") for row in site.transactions()
           if row["transaction_type"] == "FEE"):  # fmt: skip
        raise NothingToHit
    return entry, transaction


@plants("transaction-missing-from-api")
def _missing_from_api(site: Site) -> Names:
    entry, transaction = _booked_without_fee(site)
    for row in site.forms_of_transaction(transaction["activity_id"]):
        site.facts.drop(_TABLE, row)
    return {**both_sides(entry, transaction), "entry": f"{entry['account_servicer_reference']}#1"}


@plants("transaction-missing-from-csv")
def _missing_from_csv(site: Site) -> Names:
    transaction = site.any(site.transactions())
    (row,) = [
        row
        for row in site.forms_of_transaction(transaction["activity_id"])
        if row["document_kind"] == "API_TRANSACTIONS_CSV"
    ]
    site.facts.drop(_TABLE, row)
    return {"transaction": transaction["activity_id"]}


@plants("transaction-only-in-csv")
def _only_in_csv(site: Site) -> Names:
    entry, transaction = _booked_without_fee(site)
    site.facts.drop(_TABLE, transaction)
    return {**both_sides(entry, transaction), "entry": f"{entry['account_servicer_reference']}#1"}


@plants("transaction-amount-wrong")
def _amount_wrong(site: Site) -> Names:
    entry, transaction = booked_same_day(site, "ACH")
    amount = transaction["signed_amount"] * 2
    for row in site.forms_of_transaction(transaction["activity_id"]):
        row["signed_amount"] = amount
    return both_sides(entry, transaction)


@plants("transaction-title-differs-in-csv")
def _title_differs(site: Site) -> Names:
    transaction = site.any(site.transactions())
    (row,) = [
        row
        for row in site.forms_of_transaction(transaction["activity_id"])
        if row["document_kind"] == "API_TRANSACTIONS_CSV"
    ]
    row["title"] = f"{row['title']} (copy)"
    return {"transaction": transaction["activity_id"]}


@plants("transaction-twice")
def _twice(site: Site) -> Names:
    entry, transaction = booked_same_day(site, "ACH")
    site.facts.again(_TABLE, transaction)
    return both_sides(entry, transaction)


@plants("transaction-invented")
def _invented(site: Site) -> Names:
    entry, transaction = booked_same_day(site, "ACH")
    if transaction["transaction_status"] != "SETTLED":
        raise NothingToHit
    site.statement("BANK", site.after(1))
    made = _another_id(transaction["activity_id"])
    for row in site.forms_of_transaction(transaction["activity_id"]):
        site.facts.put(_TABLE, {**row, "activity_id": made, "transaction_id": made})
    return {**both_sides(entry, transaction), "transaction": made}


def _another_id(identifier: str) -> str:
    """An id that differs in its first character."""
    return f"{'0' if identifier[0] != '0' else '1'}{identifier[1:]}"


@plants("transaction-in-flight")
def _in_flight(site: Site) -> Names:
    site.after(1)
    try:
        site.after(_WAITING_BUSINESS_DAYS + 1)
    except NothingToHit:
        entry, transaction = booked_same_day(site, "ACH")
    else:
        raise NothingToHit  # by now the bank should have booked it
    site.statement("BANK", site.after(1))
    site.strike(entry)
    for row in site.forms_of_transaction(transaction["activity_id"]):
        row.update(transaction_status="BOOKED", settled_at_utc=None)
    return both_sides(entry, transaction)


@plants("transactions-ambiguous")
def _ambiguous(site: Site) -> Names:
    entry, transaction = booked_same_day(site, "ACH")
    amount = transaction["signed_amount"]
    for day in (site.day, site.after(1)):
        if sum(row["signed_amount"] == amount for row in site.movements(day)) > (day == site.day):
            raise NothingToHit
    made = _another_id(transaction["activity_id"])
    for row in site.forms_of_transaction(transaction["activity_id"]):
        later = row["booked_at_utc"] + timedelta(seconds=1)
        site.facts.put(_TABLE, {**row, "activity_id": made, "transaction_id": made, "booked_at_utc": later})
    site.detail(entry)["end_to_end_id"] = "NOTPROVIDED"
    return {
        **both_sides(entry, transaction),
        "transactions": [transaction["activity_id"], made],
        "entry": f"{entry['account_servicer_reference']}#1",
    }

"""Faults of the customer's list of expected payments, over a pocket that is made for it.

Belongs here: lines of the list at the edges of their amounts and days, with references and without. Does not belong
here: lines about the movements of drawn worlds (`customer_records`).
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from jiko_pipeline.selftest import documents
from jiko_pipeline.selftest.facts import Row
from jiko_pipeline.selftest.planting.made_pockets import MadePocket, opened
from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.site import NothingToHit, Site
from jiko_pipeline.warehouse.kinds import SNAPSHOT_DATE

_LATEST = timedelta(days=14)
_KIND = "EXPECTED_PAYMENTS"


class _List:
    """Lines of the list and receipts that fit them, or do not."""

    def __init__(self, made: MadePocket, day: list[date]) -> None:
        self.made, self.day = made, day
        self.lines: list[Row] = []
        self.names: dict[str, str] = {}

    def expect(self, name: str, low: str, high: str, first: int, last: int | date, **more: Any) -> None:
        """A line of the list that expects a receipt, known from now on by `name`."""
        self.names[name] = f"{name.replace('_', '-')}-{self.made.pocket_id[:8]}"
        self.lines.append(
            {
                "expected_id": self.names[name],
                "pocket": self.made.pocket_id,
                "direction": "IN",
                "amount_low": Decimal(low),
                "amount_high": Decimal(high),
                "date_low": self.day[first],
                "date_high": last if isinstance(last, date) else self.day[last],
                **more,
            }
        )

    def receive(self, name: str, on: int | date, amount: str, **more: Any) -> None:
        """A receipt; `name` is followed by `_paid`."""
        day = on if isinstance(on, date) else self.day[on]
        self.names[f"{name}_paid"] = self.made.move(day, int(Decimal(amount) * 100), **more)

    def deliver(self) -> None:
        """Enters the list as a document of its own."""
        facts = self.made.site.facts
        document = documents.deliver(facts, _KIND, "", [], version=f"|{self.made.pocket_id}")
        for number, row in enumerate(self.lines, start=2):
            scope = {"document_kind": _KIND, "scope_pocket_id": "", "scope_date": SNAPSHOT_DATE}
            facts.put(
                "staging.expected_payment",
                {**scope, "document_id": document["document_id"], "document_locator": f"line {number}", **row},
            )


@plants("expected-payments-at-the-edges")
def _at_the_edges(site: Site) -> Names:
    made, other = opened(site, 13), opened(site, 3)
    day = [site.after(offset) for offset in range(14)]
    lists = _List(made, day)
    expect, receive = lists.expect, lists.receive
    latest = day[1] + _LATEST
    if latest not in day or latest + timedelta(days=1) not in day or latest + timedelta(days=1) >= day[13]:
        raise NothingToHit
    for name, low, high, came in (
        ("exact", "10.00", "10.00", "10.00"),
        ("lowest", "11.00", "11.50", "11.00"),
        ("highest", "12.00", "12.50", "12.50"),
        ("too_low", "13.00", "13.50", "12.99"),
        ("too_high", "14.00", "14.50", "14.51"),
    ):
        expect(name, low, high, 1, 1)
        receive(name, 1, came)
    for name, amount, first, last, on in (
        ("day_before", "20.00", 2, 3, 1),
        ("first_day", "21.00", 2, 3, 2),
        ("late", "22.00", 1, 1, 3),
        ("latest", "23.00", 1, 1, latest),
        ("too_late", "24.00", 1, 1, latest + timedelta(days=1)),
    ):
        expect(name, amount, amount, first, last)
        receive(name, on, amount)
    expect("either", "30.00", "30.00", 2, 2)
    receive("either", 2, "30.00")
    receive("either_too", 2, "30.00")
    expect("claimed", "31.00", "31.00", 2, 2)
    expect("claimed_too", "31.00", "31.00", 2, 2)
    receive("claimed", 2, "31.00")
    for name, amount, more in (
        ("of_sender", "32.00", {"counterparty": "Made counterparty"}),
        ("of_company", "33.00", {"counterparty": "Made Company"}),
        ("of_stranger", "34.00", {"counterparty": "Nobody"}),
        ("of_type", "35.00", {"transaction_type": "ACH"}),
        ("of_other_type", "36.00", {"transaction_type": "WIRE"}),
    ):
        expect(name, amount, amount, 3, 3, **more)
        receive(name, 3, amount, details={"company_name": "Made Company"})
    for name, low, high, parts in (
        ("in_parts", "40.00", "40.00", ("25.00", "15.00")),
        ("at_most", "40.00", "41.00", ("21.00", "20.00")),
        ("at_least", "42.00", "43.00", ("21.00", "21.00")),
        ("part", "44.00", "45.00", ("21.00", "22.99")),
        ("above", "46.00", "47.00", ("24.00", "23.01")),
    ):
        expect(name, low, high, 4, 4, reference=f"Inv-{name}-x")
        for which, amount in zip(("first", "second"), parts, strict=True):
            receive(f"{name}_{which}", 4, amount, title=f"Pays INV-{name.upper()}-X")
    expect("unreferenced", "50.00", "50.00", 5, 5, reference="Inv-50")
    receive("unreferenced", 5, "50.00")
    expect("taken", "51.00", "51.00", 5, 5)
    expect("taker", "51.00", "51.00", 5, 5, reference="Inv-51")
    receive("taker", 5, "51.00", title="inv-51")
    expect("referenced_before", "52.00", "52.00", 6, 6, reference="Inv-52")
    receive("referenced_before", 5, "52.00", title="Inv-52")
    expect("went_out", "53.00", "53.00", 6, 6, reference="Inv-53")
    made.move(day[6], -53_00, title="Inv-53")
    expect("of_the_other", "54.00", "54.00", 2, 2, reference="Inv-54")
    other.move(day[2], 54_00, title="Inv-54")
    expect("referenced_in_parts", "55.00", "55.00", 6, 7, reference="Inv-55")
    receive("referenced_in_parts", 6, "27.00", title="Inv-55")
    receive("referenced_in_parts_too", 7, "28.00", title="Inv-55")
    expect("plain", "58.00", "58.00", 7, 7)
    receive("plain", 7, "58.00")
    expect("referred", "58.00", "58.00", 7, 7, reference="Inv-58")
    receive("referred", 7, "58.00", title="Inv-58")
    expect("empty_reference", "59.00", "59.00", 7, 7, reference="")
    receive("empty_reference", 7, "59.00")
    receive("nothing", 7, "0.00")
    expect("fee", "56.00", "56.00", 6, 6)
    made.move(day[6], 56_00, "CREDIT", "FEE")
    weekend = next(one + timedelta(days=1) for one in day if one + timedelta(days=1) not in day[:-1] and one >= day[1])
    monday = next(one for one in day if one > weekend)
    expect("by_weekend", "57.00", "57.00", 1, weekend)
    receive("unknown", 1, "60.00")
    expect("never", "61.00", "61.00", 8, 8)
    receive("last_listed_day", 8, "62.00")
    receive("day_after_list", 9, "63.00")
    lists.deliver()
    made.deliver()
    other.deliver()
    return {**lists.names, "pocket": made.pocket_id, "other": other.pocket_id, "monday": monday.isoformat()}

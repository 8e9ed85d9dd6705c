"""Where a fault is planted: one pocket and one business day of one world.

Belongs here: the site, and what every planting needs of it (days, statements kept whole). Does not belong here: any
fault (`planting`).
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any, Final

from jiko_pipeline import calendars
from jiko_pipeline.selftest.facts import Facts, Row

LISTED_TRADES: Final = ("API_TRADES", "API_TRADES_V1", "API_TRADES_CSV")
LISTED_TRANSACTIONS: Final = ("API_TRANSACTIONS", "API_TRANSACTIONS_CSV")
REPORTED_TRADES: Final = ("TRADE_REPORT_CSV", "TRADE_REPORT_KYRIBA_CSV")

SWEPT: Final = ("SWEEP_OUT", "SWEEP_IN")

CENT: Final = Decimal("0.01")
_NOTHING: Final = Decimal("0.00")


class NothingToHit(Exception):
    """The pocket and day have nothing that the fault could change."""


@dataclass(frozen=True, slots=True)
class Site:
    """One pocket and Fed business day of `facts`; `draw` is the site's own, so that a site is planted alike again.

    `first` and `last` bound the world's business days, the take-on (the day before the data) left out.
    """

    facts: Facts
    pocket_id: str
    day: date
    draw: Random
    first: date
    last: date

    def after(self, business_days: int = 1) -> date:
        """The Fed business day so many after the site's (before it, when negative). Raises NothingToHit outside."""
        day = self.day
        for _ in range(abs(business_days)):
            day = (
                calendars.next_fed_business_day(day) if business_days > 0 else calendars.previous_fed_business_day(day)
            )
        if not self.first <= day <= self.last:
            raise NothingToHit
        return day

    def any(self, rows: list[Row]) -> Row:
        """One of `rows`, drawn. Raises NothingToHit when there is none."""
        if not rows:
            raise NothingToHit
        return self.draw.choice(rows)

    def statement(self, kind: str, day: date | None = None) -> Row:
        """The statement of the pocket (BANK or BROKERAGE). Raises NothingToHit when there is none."""
        found = self._of_statement("statement", kind, day)
        if len(found) != 1:
            raise NothingToHit
        return found[0]

    def balance(self, kind: str, code: str, day: date | None = None) -> Row:
        """A balance of a statement (OPBD or CLBD). Raises NothingToHit when there is none."""
        found = [row for row in self._of_statement("statement_balance", kind, day) if row["balance_code"] == code]
        if len(found) != 1:
            raise NothingToHit
        return found[0]

    def entries(self, kind: str, *codes: str, day: date | None = None) -> list[Row]:
        """The entries of a statement, those of these proprietary codes when there are any."""
        found = self._of_statement("statement_entry", kind, day)
        return [row for row in found if not codes or row["proprietary_code"] in codes]

    def movements(self, day: date | None = None) -> list[Row]:
        """The entries of the bank statement that are no sweeps."""
        return [row for row in self.entries("BANK", day=day) if row["proprietary_code"] not in SWEPT]

    def other_leg(self, entry: Row) -> date:
        """The day on whose statement the other account shows a sweep: that of `entry` or a neighbouring business day.

        Raises NothingToHit when none of them does.
        """
        reference = self.detail(entry)["end_to_end_id"]
        other = "BROKERAGE" if entry["document_kind"] == "BANK_STATEMENT" else "BANK"
        on: date = entry["scope_date"]
        for day in (on, calendars.next_fed_business_day(on), calendars.previous_fed_business_day(on)):
            if any(self.detail(row)["end_to_end_id"] == reference for row in self.entries(other, day=day)):
                return day
        raise NothingToHit

    def detail(self, entry: Row) -> Row:
        """The only detail of an entry."""
        scope = {name: entry[name] for name in ("document_kind", "scope_pocket_id", "scope_date", "entry_seq")}
        return self.facts.one("staging.statement_entry_detail", **scope)

    def book(self, entry: Row, **values: Any) -> None:
        """Changes an entry and, in the same columns, its detail; what the statement declares of itself follows."""
        detail = self.detail(entry)
        gap = self._gap(entry["document_kind"], entry["scope_date"])
        entry.update(values)
        detail.update({name: value for name, value in values.items() if name in ("signed_amount", "currency")})
        self.resum(entry["document_kind"], entry["scope_date"], gap)

    def strike(self, entry: Row) -> None:
        """Takes an entry with its detail out of its statement; what the statement declares of itself follows."""
        gap = self._gap(entry["document_kind"], entry["scope_date"])
        self.facts.drop("staging.statement_entry_detail", self.detail(entry))
        self.facts.drop("staging.statement_entry", entry)
        self.resum(entry["document_kind"], entry["scope_date"], gap)

    def repeat(self, entry: Row, **values: Any) -> Row:
        """Enters a second entry like `entry`, but for `values`, as the statement's last; answers it."""
        number = 1 + max(row["entry_seq"] for row in self.entries(entry["document_kind"].removesuffix("_STATEMENT"),
                                                                  day=entry["scope_date"]))  # fmt: skip
        gap = self._gap(entry["document_kind"], entry["scope_date"])
        detail = dict(self.detail(entry))
        detail.update(entry_seq=number, **{name: value for name, value in values.items() if name in detail})
        self.facts.put("staging.statement_entry_detail", detail)
        made = self.facts.put("staging.statement_entry", {**entry, "entry_seq": number, **values})
        self.resum(entry["document_kind"], entry["scope_date"], gap)
        return made

    def resum(self, document_kind: str, day: date, gap: tuple[int, Decimal] = (0, _NOTHING)) -> None:
        """Makes what a statement declares of its entries true again, or as wrong by `gap` as another fault made it."""
        statement, number, net = self._declared(document_kind, day)
        statement["summary_entries"] = number + gap[0]
        statement["summary_net_amount"] = net + gap[1]

    def _declared(self, document_kind: str, day: date) -> tuple[Row, int, Decimal]:
        """A statement with the number and the net of its entries."""
        scope = {"document_kind": document_kind, "scope_pocket_id": self.pocket_id, "scope_date": day}
        entries = self.facts.find("staging.statement_entry", **scope)
        net = sum((row["signed_amount"] for row in entries), _NOTHING)
        return self.facts.one("staging.statement", **scope), len(entries), net

    def _gap(self, document_kind: str, day: date) -> tuple[int, Decimal]:
        """By how much a statement declares more than it has."""
        statement, number, net = self._declared(document_kind, day)
        return statement["summary_entries"] - number, statement["summary_net_amount"] - net

    def positions(self, day: date | None = None) -> list[Row]:
        """The bills that the position summary lists."""
        return self.facts.find("staging.position", scope_pocket_id=self.pocket_id, scope_date=day or self.day)

    def cash(self, day: date | None = None) -> Row:
        """The cash line of the position summary. Raises NothingToHit when there is none."""
        found = self.facts.find("staging.position_cash", scope_pocket_id=self.pocket_id, scope_date=day or self.day)
        if len(found) != 1:
            raise NothingToHit
        return found[0]

    def trades(self, *activities: str, day: date | None = None) -> list[Row]:
        """The pocket's trades as the newest listing states them, those of these activities when there are any."""
        found = self.facts.find(
            "staging.api_trade", document_kind="API_TRADES", scope_pocket_id="", scope_date=day or self.day
        )
        return [
            row
            for row in found
            if row["pocket_id"] == self.pocket_id and (not activities or row["activity"] in activities)
        ]

    def forms_of_trade(self, trade_id: str, day: date | None = None) -> list[Row]:
        """A trade in every form of the listings."""
        return self.facts.find("staging.api_trade", scope_pocket_id="", scope_date=day or self.day, trade_id=trade_id)

    def reports_of_trade(self, trade_id: str, day: date | None = None) -> list[Row]:
        """A trade in every form of the trade report."""
        return self.facts.find(
            "staging.trade_report",
            scope_pocket_id=self.pocket_id,
            scope_date=day or self.day,
            trade_reference=trade_id,
        )

    def transactions(self, day: date | None = None) -> list[Row]:
        """The pocket's transactions of a New York day as the JSON listing states them."""
        found = self.facts.find(
            "staging.api_transaction", document_kind="API_TRANSACTIONS", scope_pocket_id="", scope_date=day or self.day
        )
        return [row for row in found if row["pocket_id"] == self.pocket_id]

    def forms_of_transaction(self, activity_id: str, day: date | None = None) -> list[Row]:
        """A transaction in every form of the listings."""
        return self.facts.find(
            "staging.api_transaction", scope_pocket_id="", scope_date=day or self.day, activity_id=activity_id
        )

    def _of_statement(self, table: str, kind: str, day: date | None) -> list[Row]:
        return self.facts.find(
            f"staging.{table}",
            document_kind=f"{kind}_STATEMENT",
            scope_pocket_id=self.pocket_id,
            scope_date=day or self.day,
        )

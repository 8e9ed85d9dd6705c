"""Pockets made from nothing, whose every movement is chosen: for the edges that drawn worlds only meet by chance.

Belongs here: entering a pocket of cash with its movements and all its documents. Does not belong here: which movements
prove what (the modules of their subjects).

A made pocket holds no bill. What its bank account takes in is swept to the brokerage account on the same day, and the
reverse, unless a scene says otherwise; the brokerage statement closes at the cash.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Any, Final
from uuid import UUID

from jiko_pipeline import calendars
from jiko_pipeline.selftest import documents
from jiko_pipeline.selftest.facts import Row
from jiko_pipeline.selftest.site import LISTED_TRADES, LISTED_TRANSACTIONS, NothingToHit, Site
from jiko_pipeline.simulator.documents.camt053 import PROPRIETARY_CODES
from jiko_pipeline.simulator.model import Pocket, PositionSummary, StatementFacts, StatementLine

_ACTIVITY: Final = "staging.api_transaction"
_NOON: Final = time(16)
"""UTC; noon in New York in summer."""
_DEBITS_ONLY: Final = frozenset({"CARD", "BANK_FEE"})
_MOST_DAYS: Final = 31
UNNAMED: Final = "NOTPROVIDED"
"""The end-to-end id of an entry that names nothing."""


@dataclass
class MadePocket:
    """A pocket of its own, from `first` to `last` (Fed business days); `deliver` enters it with all its documents.

    `opened_on` and `closed_on` are what is told of its life. Amounts are cents with the sign of the account.
    """

    site: Site
    first: date
    last: date
    opened_on: date | None = None
    closed_on: date | None = None
    pocket_id: str = ""
    like: Row = field(default_factory=dict)
    """The listed pocket that this one is like."""
    bank: dict[date, list[StatementLine]] = field(default_factory=dict)
    brokerage: dict[date, list[StatementLine]] = field(default_factory=dict)
    stays: dict[date, int] = field(default_factory=dict)
    """Cents that the bank account keeps overnight, by the day."""
    empties: bool = True
    """Whether a pocket that is closed pays out what it has on its last day."""
    skipped: set[tuple[str, date]] = field(default_factory=set)
    """Statements and position summaries that never come, by kind and day."""
    pending: list[tuple[str, Row]] = field(default_factory=list)
    """Rows of listings, by table; they are entered with the documents, so that a scene may still find no place."""
    number: int = 0

    def __post_init__(self) -> None:
        self.pocket_id = self.pocket_id or self.new_id()
        listed = self.site.facts.find("staging.pocket", pocket_id=self.site.pocket_id)
        self.like = self.site.any([row for row in listed if row.get("known_to_utc") is None])

    def new_id(self) -> str:
        """An id that nothing else has."""
        return str(UUID(int=self.site.draw.getrandbits(128)))

    @property
    def days(self) -> list[date]:
        """The Fed business days of its documents."""
        return calendars.fed_business_days(self.first, self.last)

    def book(
        self,
        day: date,
        code: str,
        cents: int,
        named: str = UNNAMED,
        *,
        reference: str = "",
        counterparty: str = "Made Counterparty",
    ) -> str:
        """Enters a line of the bank statement; `named` is the movement that it names. Answers its key."""
        self.number += 1
        line = StatementLine(
            reference=reference or f"{self.pocket_id[:8]}{self.number:04d}",
            end_to_end_id=named.replace("-", "") if named != UNNAMED else named,
            code=code,
            credit=cents >= 0,
            amount_cents=abs(cents),
            booking_date=day,
            value_date=day,
            counterparty=counterparty,
            remittance="",
        )
        self.bank.setdefault(day, []).append(line)
        return f"{line.reference}#1"

    def list_movement(
        self,
        day: date,
        cents: int,
        kind: str = "ACH",
        *,
        is_settled: bool = True,
        at: datetime | None = None,
        details: Mapping[str, str] | None = None,
        title: str = "Made",
    ) -> str:
        """Enters a movement into both listings of transactions; answers its id, which is its transaction's as well."""
        made = self.new_id()
        at = at or datetime.combine(day, _NOON)
        listed_on = calendars.new_york_date(at.replace(tzinfo=UTC))
        for form in LISTED_TRANSACTIONS:
            line = _listing(self.site, form, listed_on)
            self.pending.append(
                (
                    _ACTIVITY,
                    {
                        "document_kind": form,
                        "scope_pocket_id": "",
                        "scope_date": listed_on,
                        "document_id": line["document_id"],
                        "activity_id": made,
                        "transaction_id": made,
                        "pocket_id": self.pocket_id,
                        "transaction_type": kind,
                        "transaction_status": "SETTLED" if is_settled else "BOOKED",
                        "direction": "CREDIT" if cents >= 0 else "DEBIT",
                        "signed_amount": documents.money(cents),
                        "currency": "USD",
                        "booked_at_utc": at,
                        "settled_at_utc": at if is_settled else None,
                        "title": title,
                        "description": "",
                        "details": json.dumps(details, sort_keys=True)
                        if details and form == "API_TRANSACTIONS"
                        else None,
                        "document_locator": "made",
                    },
                )
            )
        return made

    def move(
        self, day: date, cents: int, code: str = "", kind: str = "ACH", *, booked_on: date | None = None, **more: Any
    ) -> str:
        """A movement that both sides have, at the bank on `booked_on` (by default its day); answers its id."""
        made = self.list_movement(day, cents, kind, **more)
        self.book(booked_on or day, code or ("ACH_CREDIT" if cents >= 0 else "ACH_DEBIT"), cents, made)
        return made

    def sweep(self, cents: int, bank_day: date | None, brokerage_day: date | None, brokerage_cents: int = 0) -> str:
        """Enters the legs of a sweep, positive towards the brokerage account; answers the reference of both."""
        reference = self.new_id().replace("-", "")[:16]
        there = brokerage_cents or cents
        if bank_day is not None:
            self.book(bank_day, "SWEEP_OUT" if cents > 0 else "SWEEP_IN", -cents, reference, counterparty="")
        if brokerage_day is not None:
            self.flow(brokerage_day, "ADDITION" if there > 0 else "SUBTRACTION", there, reference)
        return reference

    def flow(self, day: date, code: str, cents: int, named: str = UNNAMED) -> str:
        """Enters a line of the brokerage statement; answers its reference."""
        self.number += 1
        reference = f"{self.pocket_id[:8]}{self.number:04d}"
        self.brokerage.setdefault(day, []).append(
            StatementLine(reference, named, code, cents >= 0, abs(cents), day, day, "", "")
        )
        return reference

    def deliver(self) -> None:
        """Enters the pocket, its statements, position summaries and empty trade reports."""
        self._enter()
        pocket = Pocket(self.pocket_id, f"Made {self.pocket_id[:8]}", "", self.first, self.closed_on, "")
        balance = value = 0
        for number, day in enumerate(self.days, start=1):
            before = calendars.previous_fed_business_day(day)
            lines = self.bank.setdefault(day, [])
            if day == self.last and self.closed_on is not None and self.empties:
                self.move(day, -(balance + _net(lines) + value + _net(self.brokerage.get(day, []))))
            left = balance + _net(lines) - self.stays.get(day, 0)
            if left:
                self.sweep(left, day, day)
            for kind, entries, opening in (
                ("BANK", lines, balance),
                ("BROKERAGE", self.brokerage.get(day, []), value),
            ):
                closing = opening + _net(entries)
                if (f"{kind}_STATEMENT", day) in self.skipped:
                    continue
                said = tuple(_sayable(line) for line in entries)
                statement = StatementFacts(kind, pocket, day, before, number, opening, closing, said, False)
                documents.state(self.site.facts, statement)
                self._recode(kind, day, entries)
            balance += _net(lines)
            value += _net(self.brokerage.get(day, []))
            if ("POSITION", day) not in self.skipped:
                documents.hold(self.site.facts, PositionSummary(pocket, day, (), value))
        every = calendars.days(self.first, self.last)
        for at in range(0, len(every), _MOST_DAYS):
            documents.report_trades(self.site.facts, self.pocket_id, every[at : at + _MOST_DAYS], ())
        for table, row in self.pending:
            self.site.facts.put(table, row)

    def _recode(self, kind: str, day: date, lines: list[StatementLine]) -> None:
        """Gives entries back the codes that no statement of the simulated bank shows."""
        for line in lines:
            if _sayable(line) is not line:
                self.site.facts.one(
                    "staging.statement_entry",
                    document_kind=f"{kind}_STATEMENT",
                    scope_pocket_id=self.pocket_id,
                    scope_date=day,
                    account_servicer_reference=line.reference,
                )["proprietary_code"] = line.code

    def _enter(self) -> None:
        facts = self.site.facts
        facts.put(
            "staging.pocket",
            {
                **self.like,
                "pocket_id": self.pocket_id,
                "pocket_name": f"Made {self.pocket_id[:8]}",
                "pocket_status": "OPEN" if self.closed_on is None else "CLOSED",
            },
        )
        if self.opened_on is None and self.closed_on is None:
            return
        life = facts.one("staging.pocket_life", pocket_id=self.site.pocket_id)
        told: Row = {"first_activity_on": self.opened_on, "last_activity_on": self.closed_on}
        facts.put("staging.pocket_life", {**life, "pocket_id": self.pocket_id, **told})


def _sayable(line: StatementLine) -> StatementLine:
    """The line with a code that the simulated bank shows."""
    known = line.code in PROPRIETARY_CODES and not (line.credit and line.code in _DEBITS_ONLY)
    return line if known else replace(line, code="ACH_CREDIT" if line.credit else "ACH_DEBIT")


def _net(lines: list[StatementLine]) -> int:
    return sum(line.amount_cents if line.credit else -line.amount_cents for line in lines)


def _listing(site: Site, kind: str, day: date) -> Row:
    listed = site.facts.find("raw.delivery", document_kind=kind, scope_pocket_id="", scope_date=day)
    if len(listed) != 1:
        raise NothingToHit
    return listed[0]


def all_listed(site: Site, first: date, last: date) -> None:
    """Raises NothingToHit unless every listing of these days is there: what is made would stand on none."""
    for day in calendars.days(first, last):
        for kind in (*LISTED_TRANSACTIONS, *LISTED_TRADES):
            _listing(site, kind, day)


def opened(site: Site, business_days: int, cents: int = 100_000_00) -> MadePocket:
    """A pocket that opens on the site's day with a deposit and lives for so many business days more, then is closed.

    Where that is the world's last day it stays open. Raises NothingToHit where the world is too short.
    """
    last = site.after(business_days)
    all_listed(site, site.day, last)
    made = MadePocket(site, site.day, last, site.day, None if last == site.last else last)
    made.move(site.day, cents)
    return made

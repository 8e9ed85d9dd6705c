"""Worlds whose whole answers are kept: what every control says of them, passes and keys not tested included.

Belongs here: which worlds these are, what is answered of them, what was kept (`kept_answers.csv`). Does not belong
here: worlds in which faults are planted, of whose breaks somebody has foretold each one (`campaign`).

Clean books in which a control finds nothing, and breaks that were foretold, leave a control room to say less than it
did: to lose keys, or to call untested what it used to test. So some worlds are without a basis, without documents
that no gate asks for, or disturbed, and any answer other than the one kept is told. A change of a control that is
meant changes them too; `python -m jiko_pipeline_tests.reconciliation.kept_answers` keeps them anew.
"""

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from importlib import resources
from random import Random
from typing import Final

import duckdb

from jiko_pipeline.reconciliation.basis import Basis
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.selftest.catalogue import catalogue
from jiko_pipeline.selftest.disturbance import disturb
from jiko_pipeline.selftest.edges.registry import EDGES
from jiko_pipeline.selftest.facts import Facts
from jiko_pipeline.selftest.proof import cells, judged, plant
from jiko_pipeline.selftest.site import NothingToHit
from jiko_pipeline.selftest.worlds import START, WorldSpan, basis_of, clean_facts, span_of, switch_rows

COLUMNS: Final = ("scene", "control_id", "answers")
FILE: Final = "kept_answers.csv"
_DIGITS: Final = 12
_BEFORE_GOOD_FRIDAY: Final = date(2025, 4, 7)
"""Banks are open on that day, and bills do not trade."""
_NEVER_ASKED: Final = (
    ("API_TRANSACTIONS", "TRADE_REPORT_CSV", "EARNINGS", "TEAM", "TREASURY_PRICES"),
    ("API_TRADES", "API_TRANSACTIONS_CSV", "TRANSFER_REQUESTS", "COUNTERPARTIES", "TREASURY_AUCTIONS"),
    ("SECURITY_PRICE", "API_TRADES_V1", "EVENTS", "REVIEWERS", "TRADING_STRATEGIES"),
    ("TRADE_REPORT_KYRIBA_CSV", "API_TRADES_CSV", "AUDIT_LOGS", "EXPECTED_PAYMENTS", "DEBIT_ALLOW_LIST"),
    ("SECURITY_REFERENCE", "AUDIT_LOGS_CSV", "PORTALS", "USER", "SUBSCRIPTIONS"),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """A world, perhaps without the basis of its bank, without documents, disturbed, or with a few faults.

    Kinds of `never_asked` are in it as if nobody had ever asked the bank for them, which no gate refuses. `edges` names
    what of `EDGES` is done to it. `disturbed` is the share of rows that are bent. Each of the `faults` is planted once,
    where it first finds a place.
    """

    seed: int
    pockets: int
    days: int
    switch_row: int = 0
    has_basis: bool = True
    never_asked: tuple[str, ...] = ()
    disturbed: float = 0.0
    edges: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    start: date = START

    @property
    def span(self) -> WorldSpan:
        """The days that are judged."""
        return span_of(self.days, self.start)

    @property
    def name(self) -> str:
        """For people, and what its answers are kept by."""
        what = [f"seed {self.seed} switches {self.switch_row} ({self.pockets} pockets; {self.days} days)"]
        if not self.has_basis:
            what.append("no basis")
        if self.never_asked:
            what.append(f"no {' '.join(self.never_asked)}")
        if self.disturbed:
            what.append(f"{self.disturbed:.1%} disturbed")
        if self.edges:
            what.append(f"edges {' and '.join(self.edges)}")
        if self.start != START:
            what.append(f"from {self.start}")
        what.extend(self.faults)
        return "; ".join(what)

    def world(self) -> tuple[Facts, Basis | None]:
        """What its documents say, and the basis that is confirmed."""
        switches = switch_rows()[self.switch_row]
        facts = clean_facts(self.seed, switches, pockets=self.pockets, days=self.days, start=self.start)
        for table in facts.tables:
            for row in [row for row in facts.all(table) if row.get("document_kind") in self.never_asked]:
                facts.drop(table, row)
        for name in self.edges:
            EDGES[name](facts, Random(f"{name}|{self.seed}"))
        disturb(facts, self.seed, self.disturbed)
        for name in self.faults:
            _plant(name, facts, self.span, self.seed)
        return facts, basis_of(switches) if self.has_basis else None


def _plant(name: str, facts: Facts, span: WorldSpan, seed: int) -> None:
    for pocket, days in cells(facts, span, name):
        for day in days:
            try:
                plant(catalogue()[name], facts, span, pocket, day, seed)
            except NothingToHit:
                continue
            return
    raise LookupError(f"{name} finds no place")


_MADE: Final = (
    (
        "movements-at-the-edges", "next-statement-missing", "fees-at-the-edges", "returns-at-the-edges",
        "returns-at-the-end-of-their-time", "return-in-a-pocket-of-unknown-life", "transfers-at-the-edges",
    ),
    (
        "sweeps-at-the-edges", "bank-keeps-money-overnight", "pocket-of-unknown-life",
        "pockets-that-do-not-end-empty", "expected-payments-at-the-edges", "in-kind-legs-at-the-edges",
        "bills-move-in-kind-after-the-close", "trade-report-asked-by-two-dates",
    ),
    (
        "entries-twice-at-the-edges", "brokerage-entries-of-unknown-kind-twice", "restatements-at-the-edges",
        "listings-set-aside-the-day-after", "transfer-on-the-last-day", "in-kind-transfer-on-the-last-day",
    ),
)  # fmt: skip
"""Faults of made pockets: what their breaks leave unsaid is kept as well."""

_EVERYTHING: Final = (
    *(kind for kinds in _NEVER_ASKED for kind in kinds), "BANK_STATEMENT", "BROKERAGE_STATEMENT", "POSITION",
)  # fmt: skip

SCENES: Final = (
    Scene(7, 4, 12, has_basis=False),
    *(Scene(8, 3, 8, never_asked=kinds) for kinds in _NEVER_ASKED),
    *(Scene(40 + row, 8, 25, row, disturbed=0.01) for row in range(8)),
    *(Scene(50 + row, 6, 20, row, disturbed=0.04) for row in range(4)),
    Scene(60, 8, 30, 0, edges=("trades listed", "taken on")),
    Scene(61, 8, 30, 2, edges=("trades listed", "weekends", "stated in time")),
    Scene(62, 8, 30, 3, edges=("trades listed", "in kind", "balances", "stated in time")),
    Scene(63, 8, 30, 1, edges=("trades reported", "cash", "opened between")),
    Scene(64, 8, 20, 0, edges=("own references", "weekends", "Treasury")),
    Scene(65, 8, 25, 4, edges=("positions", "cash", "opened between", "own lists")),
    Scene(66, 8, 25, 2, edges=("prices", "Treasury", "listed anew", "requests")),
    Scene(67, 8, 25, 5, edges=("positions", "prices unchanged", "references")),
    Scene(68, 5, 16, 0, edges=("lives unknown", "events")),
    Scene(69, 6, 18, 3, edges=("lives unknown", "trades listed")),
    Scene(70, 9, 20, 0, edges=("own lists", "transactions", "requests")),
    Scene(71, 10, 20, 0, edges=("listed anew", "log", "events")),
    Scene(72, 8, 30, 0, edges=("listed late", "listed anew", "events", "older transactions")),
    Scene(73, 6, 20, 0, edges=("fetched again", "older trades listed", "older transactions", "log")),
    Scene(74, 10, 45, 1, edges=("earnings", "balances", "portals", "counterparties")),
    Scene(75, 4, 12, 5, never_asked=("POCKETS", "AUDIT_LOGS"), edges=("lives unknown",)),
    Scene(76, 6, 14, 0, edges=("prices", "prices unchanged"), start=_BEFORE_GOOD_FRIDAY),
    Scene(77, 8, 16, 2, edges=("trades listed", "prices unchanged"), start=_BEFORE_GOOD_FRIDAY),
    Scene(78, 4, 20, edges=("yields in doubt",)),
    Scene(83, 6, 25, edges=("odd maturities", "yields in doubt")),
    Scene(84, 5, 20, 3, edges=("yields in doubt",)),
    Scene(79, 2, 5, never_asked=_EVERYTHING),
    *(Scene(80 + number, 4, days, faults=_MADE[number]) for number, days in enumerate((60, 45, 22))),
)
SHORT_SCENES: Final = SCENES[:2]


@dataclass(frozen=True, slots=True)
class Changed:
    """A control that answers a scene otherwise than was kept; `kept` is empty when nothing was."""

    scene: str
    control_id: str
    kept: str
    now: str


def answers_of(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What a run has stored, by control: keys by status and reason, and a digest of every key with its answer."""
    told: dict[str, dict[str, int]] = {}
    lines: dict[str, list[str]] = {}
    for control_id, status, reason, *key in con.execute(
        "select control_id, status, reason, pocket_id, business_date, entity_key, code, sub_code"
        " from recon.result order by all"
    ).fetchall():
        word = f"{status} {reason}".strip()
        counts = told.setdefault(control_id, {})
        counts[word] = counts.get(word, 0) + 1
        lines.setdefault(control_id, []).append("|".join(map(str, (status, reason, *key))))
    return {
        control_id: ", ".join(f"{word} {number}" for word, number in sorted(counts.items()))
        + f", digest {sha256(chr(10).join(lines[control_id]).encode()).hexdigest()[:_DIGITS]}"
        for control_id, counts in told.items()
    }


def answered(scene: Scene) -> dict[str, str]:
    """What all controls say of a scene, as `answers_of` tells it."""
    facts, basis = scene.world()
    with judged(facts, scene.span, basis) as con:
        return answers_of(con)


def changed(scene: Scene) -> tuple[Changed, ...]:
    """The controls that answer a scene otherwise than was kept."""
    now = answered(scene)
    kept = kept_answers()
    return tuple(
        Changed(scene.name, control.control_id, before, now.get(control.control_id, ""))
        for control in Registry.load().controls
        if (before := kept.get((scene.name, control.control_id), "")) != now.get(control.control_id, "")
    )


@cache
def kept_answers() -> dict[tuple[str, str], str]:
    """The answers kept, by name of scene and control."""
    text = (resources.files("jiko_pipeline.selftest") / FILE).read_text(encoding="utf-8")
    return {(row["scene"], row["control_id"]): row["answers"] for row in csv.DictReader(text.splitlines())}

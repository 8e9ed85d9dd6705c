"""Learning how a bank books from what it wrote: which tuples the history leaves, and why.

Belongs here: trying every possible tuple against a history, the verdict, keeping it. Does not belong here: what a
tuple is and its confirmation by a person (`basis`), the identities (`evidence/basis_fit.sql`), what controls do with
tuples that survive (`runner`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

import duckdb

from jiko_pipeline.reconciliation.basis import Basis, basis_values
from jiko_pipeline.reconciliation.evidence import evidence, sql_text
from jiko_pipeline.warehouse.connection import transaction

DISCRIMINATING_DAYS: Final = 5
"""Pocket-days on which one choice agrees and another does not that it takes to prefer the one."""

HISTORY_DAYS: Final = 90
"""Calendar days of history that are learned from: some 60 business days."""

_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "LEDGER": ("pos_basis", "cash_basis", "close_basis", "gain_basis"),
    "UNIT": ("quantity_factor",),
    "FEE": ("fee_path",),
    "MARK": ("mark_settlement",),
}
"""The parts of a basis that the history is asked about one by one, with their elements."""


_SAME_DATES: Final = "on every day they say the same, for no trade is booked or settled on a day that tells them apart."
_SAME_ON_EVERY_DAY: Final = {
    "pos_basis": _SAME_DATES,
    "cash_basis": _SAME_DATES,
    "close_basis": "on every day they say the same, for no money of trades is pending at the end of a day.",
    "gain_basis": "on every day they say the same, for a gain that is left over is the gain of the bills where the"
    " close holds the cash and no cent is rounded away; every control answers alike under both.",
    "quantity_factor": "no trade of the history tells them apart.",
    "fee_path": "no fee of the history tells them apart.",
    "mark_settlement": "no price of the history tells them apart.",
}
"""Why no document tells the values of an element apart, after 'may be A or B:'."""


class Verdict(StrEnum):
    """What the history says of a tuple. SURVIVES: not told from others that survive too."""

    CHOSEN = "CHOSEN"
    SURVIVES = "SURVIVES"
    BEATEN = "BEATEN"
    UNEXPLAINED = "UNEXPLAINED"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One tuple with its evidence, in pocket-days; a day counts as agreeing when every part of the tuple does.

    `days_telling` are those of them on which another tuple disagrees.
    """

    basis: Basis
    days_tested: int
    days_agreeing: int
    days_telling: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Undecided:
    """An element that the history leaves open: the values that are left, and on how many days they differ at all.

    `days_apart` is the most for any two tuples that are left and differ in the element, in pocket-days.
    """

    element: str
    values: tuple[str, ...]
    days_apart: int

    @property
    def sentence(self) -> str:
        """Why it is open."""
        values = f"{', '.join(self.values[:-1])} or {self.values[-1]}"
        if self.days_apart == 0:
            return f"{self.element} may be {values}: {_SAME_ON_EVERY_DAY[self.element]}"
        if self.days_apart < DISCRIMINATING_DAYS:
            return (
                f"{self.element} may be {values}: the documents differ on {self.days_apart} days only;"
                f" {DISCRIMINATING_DAYS} are needed."
            )
        return f"{self.element} may be {values}: of {self.days_apart} days on which they differ some speak for each."


@dataclass(frozen=True, slots=True)
class Learned:
    """What the history from `first` to `last` says. `apart` are the pockets that it contradicts on their own.

    Such pockets book otherwise than the others; no tuple is chosen for the customer then. `undecided` says why
    elements are open where more than one tuple is left.
    """

    first: date | None
    last: date | None
    candidates: tuple[Candidate, ...]
    apart: tuple[str, ...] = ()
    undecided: tuple[Undecided, ...] = ()

    @property
    def surviving(self) -> tuple[Basis, ...]:
        """The tuples that the history leaves; one when it is decided, none when it is explained by none."""
        if self.apart:
            return ()
        return tuple(one.basis for one in self.candidates if _is_left(one))

    @property
    def chosen(self) -> Basis | None:
        """The only tuple that is left, or None."""
        return self.surviving[0] if len(self.surviving) == 1 else None

    @property
    def undetermined(self) -> tuple[str, ...]:
        """The elements on which the tuples that are left differ; all of them when none is left."""
        return undetermined(self.surviving)


def undetermined(bases: Sequence[Basis]) -> tuple[str, ...]:
    """The elements of a basis on which these differ; all of them when there is none."""
    names = [field.name for field in fields(Basis)]
    if not bases:
        return tuple(names)
    return tuple(name for name in names if len({getattr(one, name) for one in bases}) > 1)


def learn_basis(con: duckdb.DuckDBPyConnection, *, customer_id: str, first: date, last: date) -> Learned:
    """Tries every possible tuple against the judged days from `first` to `last`; stores nothing.

    Works on any connection to a warehouse or a published file: it makes session tables only.
    """
    with evidence(con, customer_id=customer_id, first=first, last=last) as span:
        if span is None:
            return Learned(None, None, ())
        candidates = _candidates(con, None)
        surviving = {one.basis for one in candidates if _is_left(one)}
        pockets = [
            row[0]
            for row in con.execute(
                "select distinct pocket_id from basis_fit where part = 'LEDGER' order by pocket_id"
            ).fetchall()
        ]
        apart = tuple(
            pocket for pocket in pockets if len(pockets) > 1 and _differs(_candidates(con, pocket), surviving)
        )
        undecided = () if apart else _undecided(con, [one.basis for one in candidates if _is_left(one)])
    return Learned(span.first, span.last, candidates, apart, undecided)


def _is_left(candidate: Candidate) -> bool:
    return candidate.verdict in (Verdict.CHOSEN, Verdict.SURVIVES)


def _differs(candidates: tuple[Candidate, ...], surviving: set[Basis]) -> bool:
    """True when a pocket's own history leaves tuples, and none of those that all pockets together leave."""
    own = {one.basis for one in candidates if _is_left(one)}
    return bool(own) and own.isdisjoint(surviving)


def _candidates(con: duckdb.DuckDBPyConnection, pocket_id: str | None) -> tuple[Candidate, ...]:
    rows = con.execute(
        sql_text("learning", "candidates.sql"), {"pocket": pocket_id, "enough": DISCRIMINATING_DAYS}
    ).fetchall()
    return tuple(Candidate(Basis(*row[:7]), row[7], row[8], row[9], Verdict(row[10])) for row in rows)


def _undecided(con: duckdb.DuckDBPyConnection, left: Sequence[Basis]) -> tuple[Undecided, ...]:
    """Why the elements are open in which the tuples that are left differ; none where fewer than two are."""
    if len(left) < 2:
        return ()
    apart = {
        (part, frozenset(pair)): days
        for part, *pair, days in con.execute(sql_text("learning", "told_apart.sql")).fetchall()
    }
    found = []
    for element in undetermined(left):
        part = next(part for part, names in _PARTS.items() if element in names)
        choices = {_choice(part, one): str(getattr(one, element)) for one in left}
        days = [
            apart.get((part, frozenset((a, b))), 0) for a in choices for b in choices if choices[a] != choices[b]
        ]  # fmt: skip
        values = tuple(dict.fromkeys(sorted(choices.values())))
        found.append(Undecided(element, values, max(days)))
    return tuple(found)


def _choice(part: str, basis: Basis) -> str:
    """How `basis_fit` calls the choice of a part."""
    values = [getattr(basis, name) for name in _PARTS[part]]
    return " ".join(f"{value.normalize():f}" if isinstance(value, Decimal) else value for value in values)


def learn_and_keep(con: duckdb.DuckDBPyConnection, *, customer_id: str, legal_entity_id: str, last: date) -> Learned:
    """Learns from the `HISTORY_DAYS` up to `last` and keeps the candidates in place of those before.

    `con` is the writer's connection without an open transaction.
    """
    learned = learn_basis(con, customer_id=customer_id, first=last - timedelta(days=HISTORY_DAYS), last=last)
    rows = [
        [
            customer_id,
            legal_entity_id,
            *basis_values(one.basis),
            learned.first,
            learned.last,
            one.days_tested,
            one.days_agreeing,
            one.days_telling,
            (one.verdict if one.basis in learned.surviving or not _is_left(one) else Verdict.UNEXPLAINED).value,
        ]
        for one in learned.candidates
    ]
    with transaction(con):
        con.execute("delete from recon.basis_candidate where customer_id = ?", [customer_id])
        if rows:
            con.executemany(f"insert into recon.basis_candidate values ({', '.join('?' * len(rows[0]))})", rows)
    return learned


def kept_survivors(con: duckdb.DuckDBPyConnection, customer_id: str) -> tuple[Basis, ...]:
    """The tuples that the history left when it was last learned from; none when it never was."""
    rows = con.execute(
        """
        select pos_basis, cash_basis, close_basis, gain_basis, quantity_factor, fee_path, mark_settlement
        from recon.basis_candidate
        where customer_id = ? and verdict in ('CHOSEN', 'SURVIVES')
        order by all
        """,
        [customer_id],
    ).fetchall()
    return tuple(Basis(*row) for row in rows)

"""Learning how a bank books from what it wrote: which tuples the history leaves, and why.

Belongs here: trying every possible tuple against a history, the verdict, keeping it. Does not belong here: what a
tuple is and its confirmation by a person (`basis`), the identities (`evidence/basis_fit.sql`), what controls do with
tuples that survive (`runner`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
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

FAMILY: Final = ""
"""The pocket of candidates that hold for all pockets of a customer."""


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
class Learned:
    """What the history from `first` to `last` says. `apart` are the pockets that it contradicts on their own.

    Such pockets book otherwise than the others; no tuple is chosen for the customer then.
    """

    first: date | None
    last: date | None
    candidates: tuple[Candidate, ...]
    apart: tuple[str, ...] = ()

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
    return Learned(span.first, span.last, candidates, apart)


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

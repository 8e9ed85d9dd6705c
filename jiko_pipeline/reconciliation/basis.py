"""How the bank books, as a person confirmed it: what K11, K31 and K33 to K35 rest on.

Belongs here: the tuple, confirming it, the one of the simulated bank. Does not belong here: learning it from
history (`basis_learning`). Without a confirmed basis those controls pass only where they pass under every tuple that
the history leaves, else they are NOT_TESTED(BASIS), and no day is ready to book.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, Literal

import duckdb

from jiko_pipeline.errors import JikoPipelineError

DateBasis = Literal["TRADE", "BOOK", "SETTLE"]


@dataclass(frozen=True, slots=True)
class Basis:
    """One basis. `quantity_factor`: money = quantity times price per 100 times this factor."""

    pos_basis: DateBasis
    cash_basis: DateBasis
    close_basis: Literal["MV", "MV+CASH", "MV+CASH+PEND"]
    gain_basis: Literal["ECONOMIC", "PLUG"]
    quantity_factor: Decimal
    fee_path: Literal["BROKERAGE", "BANK"]
    mark_settlement: Literal["T0", "T1"]


DEMO_BASIS: Final = Basis("TRADE", "TRADE", "MV+CASH", "ECONOMIC", Decimal(1), "BROKERAGE", "T0")
"""What the simulated bank does. It says nothing about a real one."""

SIMULATED_BANK: Final = "simulated bank"
"""Who confirms `DEMO_BASIS`."""


ELEMENTS: Final = (
    "pos_basis",
    "cash_basis",
    "close_basis",
    "gain_basis",
    "quantity_factor",
    "fee_path",
    "mark_settlement",
)
"""The names of a basis's elements, in their order."""


def basis_values(basis: Basis) -> list[str | Decimal]:
    """The elements in the order of the columns of `recon.basis`."""
    return [getattr(basis, name) for name in ELEMENTS]


class ImpossibleBasisError(JikoPipelineError):
    """The parts of a basis contradict each other; no statement could ever satisfy them."""

    remedy = "Confirm a basis whose closing value holds what its gain implies."


class BasisConflictError(JikoPipelineError):
    """Another basis is already confirmed from the same day on; a basis never changes silently."""

    remedy = "Confirm the new basis from a later day on."


def confirm_basis(
    con: duckdb.DuckDBPyConnection,
    *,
    customer_id: str,
    legal_entity_id: str,
    basis: Basis,
    effective_from: date,
    confirmed_by: str,
    at: datetime | None = None,
) -> bool:
    """Enters `basis` as confirmed from `effective_from` on; True when that is new, False when it stood already.

    `at` (aware) is when the person said so. Raises ImpossibleBasisError for a tuple that contradicts itself and
    BasisConflictError when another one holds from the same day on.
    """
    refuse_impossible(basis)
    known = con.execute(
        """
        select pos_basis, cash_basis, close_basis, gain_basis, quantity_factor, fee_path, mark_settlement
        from recon.basis where customer_id = ? and effective_from = ?
        """,
        [customer_id, effective_from],
    ).fetchall()
    values = tuple(basis_values(basis))
    if known:
        if known[0] != values:
            raise BasisConflictError(
                f"From {effective_from} on the basis {known[0]} is confirmed; {values} differs from it."
            )
        return False
    said_at = None if at is None else at.astimezone(UTC).replace(tzinfo=None)
    con.execute(
        f"insert into recon.basis values ({', '.join('?' * 12)})",
        [customer_id, legal_entity_id, effective_from, *values, confirmed_by, said_at],
    )
    return True


def refuse_impossible(basis: Basis) -> None:
    """Raises ImpossibleBasisError for a tuple whose parts contradict each other."""
    if basis.close_basis == "MV" and basis.gain_basis == "ECONOMIC":
        raise ImpossibleBasisError(
            "A closing value of bills alone contradicts an economic gain: cash would be counted by neither."
        )
    if basis.pos_basis != basis.cash_basis and basis.close_basis != "MV+CASH+PEND":
        raise ImpossibleBasisError("Positions and cash on different dates need pending trades in the closing value.")
    if basis.close_basis == "MV+CASH+PEND" and basis.pos_basis == basis.cash_basis:
        raise ImpossibleBasisError("With positions and cash on the same date, pending trades would be counted twice.")
    if "SETTLE" == basis.pos_basis != basis.cash_basis or (basis.pos_basis, basis.cash_basis) == ("BOOK", "TRADE"):
        raise ImpossibleBasisError("Cash cannot move before the bills that it pays for are held.")


def confirmed_bases(con: duckdb.DuckDBPyConnection, customer_id: str) -> list[tuple[date, Basis, str]]:
    """Every confirmed basis with the day it holds from and who confirmed it, oldest first."""
    rows = con.execute(
        """
        select
            effective_from, pos_basis, cash_basis, close_basis, gain_basis, quantity_factor, fee_path,
            mark_settlement, confirmed_by
        from recon.basis where customer_id = ? order by effective_from
        """,
        [customer_id],
    ).fetchall()
    return [(row[0], Basis(*row[1:8]), row[8]) for row in rows]

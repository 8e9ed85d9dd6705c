"""How the bank books, as a person confirmed it: what K11, K31 and K33 to K35 rest on.

Belongs here: the tuple, confirming it, the one of the simulated bank. Does not belong here: guessing it from
history. Without a confirmed basis those controls are NOT_TESTED(BASIS), and no day is ready to book.
"""

from dataclasses import dataclass
from datetime import date
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
) -> bool:
    """Enters `basis` as confirmed from `effective_from` on; True when that is new, False when it stood already.

    Raises ImpossibleBasisError for a tuple that contradicts itself and BasisConflictError when another one
    holds from the same day on.
    """
    if basis.close_basis == "MV" and basis.gain_basis == "ECONOMIC":
        raise ImpossibleBasisError(
            "A closing value of bills alone contradicts an economic gain: cash would be counted by neither."
        )
    if basis.pos_basis != basis.cash_basis and basis.close_basis != "MV+CASH+PEND":
        raise ImpossibleBasisError("Positions and cash on different dates need pending trades in the closing value.")
    known = con.execute(
        """
        select pos_basis, cash_basis, close_basis, gain_basis, quantity_factor, fee_path, mark_settlement
        from recon.basis where customer_id = ? and effective_from = ?
        """,
        [customer_id, effective_from],
    ).fetchall()
    values = (
        basis.pos_basis,
        basis.cash_basis,
        basis.close_basis,
        basis.gain_basis,
        basis.quantity_factor,
        basis.fee_path,
        basis.mark_settlement,
    )
    if known:
        if known[0] != values:
            raise BasisConflictError(
                f"From {effective_from} on the basis {known[0]} is confirmed; {values} differs from it."
            )
        return False
    con.execute(
        "insert into recon.basis values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [customer_id, legal_entity_id, effective_from, *values, confirmed_by],
    )
    return True


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

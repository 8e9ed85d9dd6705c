"""What the statements and the position summary of a pocket's day say, as records.

Belongs here: the lines of a bank and a brokerage statement, their references and words. Does not belong here:
how a day comes about (`ledger`), how a statement is laid out in a file (`documents`).
"""

from datetime import date, datetime
from typing import Final

from jiko_pipeline import calendars
from jiko_pipeline.simulator.draws import drawn_uuid
from jiko_pipeline.simulator.model import PositionSummary, StatementFacts, StatementLine, Transaction
from jiko_pipeline.simulator.pocket_day import PocketDay

BANK: Final = "BANK"
BROKERAGE: Final = "BROKERAGE"
NO_REFERENCE: Final = "NOTPROVIDED"
"""ISO 20022's word for an end-to-end reference that nobody gave."""

SWEEP_CODES: Final = frozenset({"SWEEP_OUT", "SWEEP_IN"})
_CODES: Final = {
    ("ACH", True): "ACH_CREDIT",
    ("ACH", False): "ACH_DEBIT",
    ("WIRE", True): "WIRE_IN",
    ("WIRE", False): "WIRE_OUT",
    ("ON_US", True): "ON_US_IN",
    ("ON_US", False): "ON_US_OUT",
    ("CARD", False): "CARD",
    ("FEE", False): "BANK_FEE",
}


def _reference(done: PocketDay, code: str, prefix: str) -> str:
    digest = drawn_uuid("line", done.plan.id, done.day, code)
    return f"{prefix}{done.day:%y%m%d}{digest[:8].upper()}"


def _sweep_reference(done: PocketDay, direction: str, swept_on: date | None = None) -> str:
    day = swept_on or done.day
    digest = drawn_uuid("line", done.plan.id, day, f"sweep {direction}")
    return f"SW{day:%y%m%d}{digest[:8].upper()}"


def _line(
    done: PocketDay, code: str, *, credit: bool, cents: int, end_to_end: str, other: str, words: str, which: str = ""
) -> StatementLine:
    return StatementLine(
        reference=_reference(done, f"{code}{which}", "JL"),
        end_to_end_id=end_to_end,
        code=code,
        credit=credit,
        amount_cents=cents,
        booking_date=done.day,
        value_date=done.day,
        counterparty=other,
        remittance=words,
    )


def _transaction_line(row: Transaction) -> StatementLine:
    return StatementLine(
        reference=row.bank_reference,
        end_to_end_id=row.id.replace("-", ""),
        code=_CODES[row.type, row.credit],
        credit=row.credit,
        amount_cents=row.amount_cents,
        booking_date=row.bank_date,
        value_date=row.bank_date,
        counterparty=row.counterparty,
        remittance=row.description,
    )


def _statement(
    done: PocketDay,
    kind: str,
    opening: int,
    closing: int,
    lines: list[StatementLine],
    provisional: bool,
    known_at: datetime | None,
) -> StatementFacts:
    opened = calendars.business_day_index(done.plan.opened_on)
    return StatementFacts(
        kind=kind,
        pocket=done.plan.pocket(done.day, known_at),
        day=done.day,
        previous_day=calendars.previous_fed_business_day(done.day),
        sequence_number=calendars.business_day_index(done.day) - opened + 1,
        opening_cents=opening,
        closing_cents=closing,
        lines=tuple(line for line in lines if line.amount_cents),
        provisional=provisional,
    )


def bank_statement(done: PocketDay, *, provisional: bool = False, known_at: datetime | None = None) -> StatementFacts:
    """The bank statement of a pocket's day: every movement and the sweeps that bring it back to zero.

    The pocket is named as it was at `known_at`, by default at the end of the day.
    """
    lines = [_transaction_line(row) for row in done.transactions]
    lines.append(
        _line(
            done,
            "SWEEP_OUT",
            credit=False,
            cents=done.deposits_cents,
            end_to_end=_sweep_reference(done, "out"),
            other="Jiko brokerage account",
            words="Sweep to brokerage account",
        )
    )
    lines.append(
        _line(
            done,
            "SWEEP_IN",
            credit=True,
            cents=done.payments_cents,
            end_to_end=_sweep_reference(done, "in"),
            other="Jiko brokerage account",
            words="Sweep from brokerage account",
        )
    )
    if done.fee_through_bank:
        lines.append(
            _line(
                done,
                "SWEEP_IN",
                credit=True,
                cents=done.fee_cents,
                end_to_end=_sweep_reference(done, "fee"),
                other="Jiko brokerage account",
                words="Sweep from brokerage account",
                which=" fee",
            )
        )
    return _statement(done, BANK, 0, 0, lines, provisional, known_at)


def brokerage_statement(
    done: PocketDay, *, provisional: bool = False, known_at: datetime | None = None
) -> StatementFacts:
    """The brokerage statement of a pocket's day: the sweeps that it books, the gain, the fee."""
    lines = []
    for sweep in done.posted:
        which = "" if sweep.day == done.day else f" of {sweep.day}"
        lines += [
            _line(
                done,
                "ADDITION",
                credit=True,
                cents=sweep.deposits_cents,
                end_to_end=_sweep_reference(done, "out", sweep.day),
                other="Jiko bank account",
                words="Addition from bank account",
                which=which,
            ),
            _line(
                done,
                "SUBTRACTION",
                credit=False,
                cents=sweep.payments_cents,
                end_to_end=_sweep_reference(done, "in", sweep.day),
                other="Jiko bank account",
                words="Subtraction to bank account",
                which=which,
            ),
        ]
    lines += [
        _line(
            done,
            "GAIN_LOSS",
            credit=done.gain_cents > 0,
            cents=abs(done.gain_cents),
            end_to_end=NO_REFERENCE,
            other="Jiko Securities",
            words="Change in value of Treasury bills",
        ),
        _line(
            done,
            "MANAGEMENT_FEE",
            credit=False,
            cents=done.fee_cents,
            end_to_end=_sweep_reference(done, "fee") if done.fee_through_bank else NO_REFERENCE,
            other="Jiko Securities",
            words="Management fee",
        ),
    ]
    opening, closing = done.before.closing_cents, done.after.closing_cents
    return _statement(done, BROKERAGE, opening, closing, lines, provisional, known_at)


def position_summary(done: PocketDay, known_at: datetime | None = None) -> PositionSummary:
    """What the pocket holds at the end of the day; named as for `bank_statement`."""
    return PositionSummary(
        pocket=done.plan.pocket(done.day, known_at),
        day=done.day,
        positions=done.positions,
        cash_cents=done.after.shown_cash_cents,
    )

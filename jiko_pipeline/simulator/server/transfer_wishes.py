"""What a transfer request asks for, and whether the bank can carry it out.

Belongs here: reading the body of a request, the transfer that it becomes, the reasons to reject an approved one.
Does not belong here: who may ask and approve (`transfers`), how the money moves (`orders`, `history`).
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from jiko_pipeline.simulator.bookings import WIRE_FEE_CENTS
from jiko_pipeline.simulator.documents.numbers import money_text
from jiko_pipeline.simulator.orders import Transfer, TransferKind
from jiko_pipeline.simulator.server.answers import Json
from jiko_pipeline.simulator.server.bank import Call
from jiko_pipeline.simulator.server.bodies import LARGEST_NUMBER, Body
from jiko_pipeline.simulator.server.counterparties import LINKED, Counterparty, counterparty
from jiko_pipeline.simulator.server.counterparty_forms import INTERNATIONAL_WIRE, ON_US, WIRE
from jiko_pipeline.simulator.server.holdings import OPEN, status_of
from jiko_pipeline.simulator.server.pockets import find_pocket

SURELY_WORTH_PERCENT: Final = 99
"""Of the last close: what may be paid out, since nobody knows yet what the bills will bring."""
_TYPES: Final = ("ON_US", "USDC", "WIRE")
_DETAILS: Final = ("PEER_TO_PEER", "INTERNAL_REALLOCATION")
_AMOUNTS: Final = ("REQUESTED_AMOUNT", "FULL_WITHDRAWAL")
_LONGEST_TEXT: Final = 140
_LONGEST_END_TO_END: Final = 35


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request asks for, read from its body. `amount_cents` None is all the money of the pocket."""

    id: str
    type: str
    origin_id: str
    amount_cents: int | None
    counterparty_id: str | None
    target_id: str | None
    in_securities: bool
    description: str | None
    end_to_end_identification: str | None
    reviewers: tuple[str, ...]

    @property
    def kind(self) -> TransferKind | None:
        """How the ledger carries it out; None for USDC, which it does not."""
        if self.type == "USDC":
            return None
        if self.type == "WIRE":
            return TransferKind.WIRE
        return TransferKind.PEER_TO_PEER if self.target_id is None else TransferKind.INTERNAL_REALLOCATION

    @property
    def words(self) -> str:
        """The amount for a person."""
        return "all the money" if self.amount_cents is None else f"USD {money_text(self.amount_cents)}"


def read_wish(body: Body) -> Wish:
    """The transfer in the body of a request. Raises RefusedError(422) naming the field that is wrong."""
    transfer = body.object("transfer")
    kind = transfer.choice("type", *_TYPES)
    amount = transfer.object("amount")
    whole = amount.choice("type", *_AMOUNTS) == "FULL_WITHDRAWAL"
    target = party = None
    in_securities = False
    if kind == "ON_US":
        details = transfer.object("details")
        if details.choice("type", *_DETAILS) == "INTERNAL_REALLOCATION":
            target = details.identifier("destination_pocket_id")
            way = details.optional_choice("transfer_type", "BANK_TRANSFER", "SECURITY_TRANSFER")
            in_securities = way == "SECURITY_TRANSFER"
        else:
            party = details.identifier("destination_counterparty_id")
    else:
        party = transfer.identifier("counterparty_id")
    return Wish(
        id=transfer.identifier("id"),
        type=kind,
        origin_id=transfer.identifier("origin_pocket_id"),
        amount_cents=None if whole else amount.number("amount_usdc", least=1, most=LARGEST_NUMBER),
        counterparty_id=party,
        target_id=target,
        in_securities=in_securities,
        description=transfer.optional_text("description", longest=_LONGEST_TEXT) or None,
        end_to_end_identification=transfer.optional_text("end_to_end_identification", longest=_LONGEST_END_TO_END)
        or None,
        reviewers=tuple(dict.fromkeys(body.identifiers("reviewers"))),
    )


def as_read(body: Body, wish: Wish) -> Json:
    """The fields of a body with identifiers and amount spelled as they were read, as the bank keeps and shows them."""
    transfer = {**body.fields["transfer"], "id": wish.id, "origin_pocket_id": wish.origin_id}
    if wish.amount_cents is not None:
        transfer["amount"] = {**transfer["amount"], "amount_usdc": wish.amount_cents}
    if wish.target_id is not None:
        transfer["details"] = {**transfer["details"], "destination_pocket_id": wish.target_id}
    elif wish.type == "ON_US":
        transfer["details"] = {**transfer["details"], "destination_counterparty_id": wish.counterparty_id}
    else:
        transfer["counterparty_id"] = wish.counterparty_id
    return {**body.fields, "transfer": transfer, "reviewers": list(wish.reviewers)}


def cannot_receive(wish: Wish, party: Counterparty | None) -> str | None:
    """Why a counterparty cannot be paid, or None."""
    if party is None:
        return "The counterparty is not one of this customer."
    if party.status != LINKED:
        return f"The counterparty is {party.status}."
    if wish.type == "WIRE" and party.type not in (WIRE, INTERNATIONAL_WIRE):
        return f"A counterparty of type {party.type} cannot receive wires."
    if wish.type == "ON_US" and party.type != ON_US:
        return f"A counterparty of type {party.type} cannot receive on-us transfers."
    return None


def transfer_of(call: Call, wish: Wish) -> Transfer | None:
    """The transfer that a wish becomes when it is approved now; None for what the ledger does not carry out."""
    kind = wish.kind
    if kind is None:
        return None
    if wish.target_id is not None:
        target = find_pocket(call, wish.target_id)
        name = "" if target is None else target.name
    else:
        party = counterparty(call.bank, wish.counterparty_id or "")
        name = "" if party is None else party.name_on_account or party.account_number
    return Transfer(
        id=wish.id,
        kind=kind,
        origin_id=wish.origin_id,
        amount_cents=wish.amount_cents,
        approved_at=call.now,
        counterparty=name,
        target_id=wish.target_id,
        description=wish.description,
        end_to_end_identification=wish.end_to_end_identification,
    )


def rejection(call: Call, wish: Wish, transfer: Transfer | None) -> str | None:
    """Why the bank cannot carry out an approved transfer, or None."""
    if transfer is None:
        return "The bank does not pay out USDC for this customer."
    for pocket_id in filter(None, (wish.origin_id, wish.target_id)):
        pocket = find_pocket(call, pocket_id)
        end = call.bank.world.drawn_end(pocket_id)
        closes_first = end is not None and transfer.booking.bank_date >= end
        if pocket is None or status_of(pocket, call.now) != OPEN or closes_first:
            return f"Pocket {pocket_id} is closed or being closed."
    if wish.target_id is None:
        reason = cannot_receive(wish, counterparty(call.bank, wish.counterparty_id or ""))
        if reason is not None:
            return reason
    emptied = {row.origin_id for row in call.bank.world.orders.transfers if _empties_from(row, call.today)}
    if wish.origin_id in emptied:
        return "All the money of the pocket is on its way out already."
    if wish.amount_cents is None and wish.target_id in emptied:
        return "All the money of the destination pocket is on its way out."
    fee = WIRE_FEE_CENTS if wish.kind is TransferKind.WIRE else 0
    if _available_cents(call, wish.origin_id) < (wish.amount_cents or 1) + fee:
        return "Insufficient funds."
    return None


def _empties_from(transfer: Transfer, day: date) -> bool:
    return transfer.amount_cents is None and transfer.booking.bank_date >= day


def _available_cents(call: Call, pocket_id: str) -> int:
    standing = call.bank.world.standing(pocket_id, call.today)
    return standing.closing_cents * SURELY_WORTH_PERCENT // 100 - standing.owed_cents

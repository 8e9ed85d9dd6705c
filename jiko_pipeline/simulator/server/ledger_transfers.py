"""Transfers that the ledger made by itself, shown as the transfer requests that they would have come from.

Belongs here: finding the movement that an id names, the request in whose form it is told. Does not belong here:
requests that were made over the API (`transfers`).

The wire and on-us ids of events name transfer requests. A transfer that nobody ordered over the API was decided
long ago by nobody whom the team knows: it is told without people, and nobody cancels it or decides on it. Money
that came from elsewhere was no request of this customer, and its id names none.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

from jiko_pipeline.simulator.documents.numbers import instant_text
from jiko_pipeline.simulator.draws import drawn_uuid
from jiko_pipeline.simulator.model import Transaction
from jiko_pipeline.simulator.server.answers import Json
from jiko_pipeline.simulator.server.bank import Call

_WIRE = "WIRE"
_ON_US = "ON_US"


def request_of_ledger(call: Call, transfer_id: str) -> Json | None:
    """The request of a payment out that the ledger made, APPROVED until it is settled; None for any other id."""
    legs = _legs(call, transfer_id)
    paid = next((row for row in legs if not row.credit), None)
    if paid is None:
        return None
    received = next((row for row in legs if row.credit), None)
    settled = paid.settled_at <= call.now
    return {
        "id": transfer_id,
        "status": "COMPLETED" if settled else "APPROVED",
        "status_reason": None,
        "transfer": _transfer(call, transfer_id, paid, received),
        "reviewers": [],
        "created_by": None,
        "created_at": instant_text(paid.booked_at),
        "reviewed_by": None,
        "updated_at": instant_text(paid.settled_at if settled else paid.booked_at),
        "object_type": "TransferRequest",
    }


def is_of_ledger(call: Call, transfer_id: str) -> bool:
    """True when a movement of the ledger so far, of whatever type and direction, bears the id already."""
    return bool(_movements(call, lambda row: transfer_id in (row.transaction_id, *_names(row))))


def _transfer(call: Call, transfer_id: str, paid: Transaction, received: Transaction | None) -> Json:
    transfer: Json = {
        "id": transfer_id,
        "type": paid.type,
        "origin_pocket_id": paid.pocket_id,
        "amount": {"type": "REQUESTED_AMOUNT", "amount_usdc": paid.amount_cents},
        "description": paid.description,
    }
    party = drawn_uuid(call.bank.world.config.seed, "paid party", paid.counterparty)
    if paid.type == _WIRE:
        return {**transfer, "counterparty_id": party}
    details: Json = {"type": "PEER_TO_PEER", "destination_counterparty_id": party}
    if received is not None:
        details = {"type": "INTERNAL_REALLOCATION", "destination_pocket_id": received.pocket_id}
    return {**transfer, "details": details}


def _legs(call: Call, transfer_id: str) -> list[Transaction]:
    """The movements of the transfer so far, all of one New York day."""
    return _movements(call, lambda row: transfer_id in _names(row))


def _movements(call: Call, wanted: Callable[[Transaction], bool]) -> list[Transaction]:
    """The movements so far that are wanted, of the latest month that has any, looked for from today back."""
    world = call.bank.world
    first = min((pocket.opened_on for pocket in world.pockets(call.today)), default=call.today)
    last = call.today
    while last >= first:
        month_first = last.replace(day=1)
        found = [
            row
            for row in world.transactions(max(month_first, first), last)
            if row.booked_at <= call.now and wanted(row)
        ]
        if found:
            return found
        last = month_first - timedelta(days=1)
    return []


def _names(row: Transaction) -> Iterator[str | None]:
    if row.type == _WIRE:
        yield row.transaction_id
    elif row.type == _ON_US:
        yield row.details.get("on_us_transfer_id")

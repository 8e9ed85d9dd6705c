"""Transfers that the ledger made by itself, shown as the transfer requests that they came from.

Belongs here: the requests of a span of days, the request behind the movement that an id names, what the audit log
says of them. Does not belong here: requests that were made over the API (`transfers`).

The wire and on-us ids of events name transfer requests. Each payment of the ledger was asked for by the treasurer
and approved by the approver of the team (or who stood in for them) within the hour before it; it is told from the
moment on at which the money moved, so nobody cancels it or decides on it. Money that came from elsewhere was no
request of this customer, and its id names none.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from jiko_pipeline.simulator.documents.numbers import instant_text
from jiko_pipeline.simulator.draws import Draws, drawn_uuid
from jiko_pipeline.simulator.model import Transaction
from jiko_pipeline.simulator.server.answers import Json
from jiko_pipeline.simulator.server.bank import Call
from jiko_pipeline.simulator.server.members import members
from jiko_pipeline.simulator.server.paid_parties import paid_party
from jiko_pipeline.simulator.server.population import APPROVER, TREASURER, Member, PastEntry, address_of
from jiko_pipeline.simulator.world import World

_WIRE = "WIRE"
_ON_US = "ON_US"
_REALLOCATION = "INTERNAL_REALLOCATION"
_ASKING = (TREASURER, "CONTROLLER", "OWNER")
_APPROVING = (APPROVER, "CONTROLLER", TREASURER, "OWNER")


@dataclass(frozen=True, slots=True)
class LedgerRequest:
    """A payment of the ledger with the request that it came from; `received` is the leg in an own pocket."""

    id: str
    created_at: datetime
    approved_at: datetime
    creator: Member
    approver: Member
    paid: Transaction
    received: Transaction | None

    def status_at(self, now: datetime) -> str:
        """APPROVED until the money is settled."""
        return "COMPLETED" if self.paid.settled_at <= now else "APPROVED"


def requests_of_ledger(
    world: World, team: Sequence[Member], first: date, last: date, now: datetime
) -> list[LedgerRequest]:
    """The requests of the payments that moved by `now` on the New York days `first` to `last`, oldest first.

    `team` are the members who were there. A request was made on the day of its payment. What the customer ordered over
    the API is left out.
    """
    legs: dict[str, list[Transaction]] = {}
    for row in world.transactions(first, last):
        if row.booked_at <= now:
            for name in _names(row):
                legs.setdefault(name, []).append(row)
    ordered = {transfer.id for transfer in world.orders.transfers}
    found = [_request(world, team, name, rows) for name, rows in legs.items() if name not in ordered]
    return sorted((one for one in found if one is not None), key=lambda one: (instant_text(one.created_at), one.id))


def request_of_ledger(call: Call, transfer_id: str) -> LedgerRequest | None:
    """The request of a payment out that the ledger made; None for any other id."""
    return _request(
        call.bank.world, members(call.bank), transfer_id, _movements(call, lambda row: transfer_id in _names(row))
    )


def is_of_ledger(call: Call, transfer_id: str) -> bool:
    """True when a movement of the ledger so far, of whatever type and direction, bears the id already."""
    return bool(_movements(call, lambda row: transfer_id in (row.transaction_id, *_names(row))))


def entries_of_ledger(
    world: World, team: Sequence[Member], first: date, last: date, now: datetime
) -> Iterator[PastEntry]:
    """What the audit log says of the requests of these days: each was made, then approved."""
    seed = world.config.seed
    for one in requests_of_ledger(world, team, first, last, now):
        made: dict[str, object] = {
            "transfer_id": one.id,
            "type": one.paid.type,
            "pocket_id": one.paid.pocket_id,
            "amount_cents": one.paid.amount_cents,
            "reviewers": [one.approver.id],
        }
        for at, who, action, details in (
            (one.created_at, one.creator, "TRANSFER_REQUEST_CREATED", made),
            (one.approved_at, one.approver, "TRANSFER_REQUEST_APPROVED", {"transfer_id": one.id}),
        ):
            identifier = drawn_uuid(seed, "ledger entry", action, one.id)
            yield PastEntry(identifier, at, who.id, action, details, address_of(world.config, who))


def transfer_of_ledger(world: World, one: LedgerRequest) -> Json:
    """The transfer of a request as the API shows it."""
    paid = one.paid
    transfer: Json = {
        "id": one.id,
        "type": paid.type,
        "origin_pocket_id": paid.pocket_id,
        "amount": {"type": "REQUESTED_AMOUNT", "amount_usdc": paid.amount_cents},
        "description": paid.description,
    }
    if paid.type == _WIRE:
        return {**transfer, "counterparty_id": paid_party(world.config, paid.type, paid.counterparty)}
    if one.received is not None:
        return {**transfer, "details": {"type": _REALLOCATION, "destination_pocket_id": one.received.pocket_id}}
    party = paid_party(world.config, paid.type, paid.counterparty)
    return {**transfer, "details": {"type": "PEER_TO_PEER", "destination_counterparty_id": party}}


def _request(world: World, team: Sequence[Member], transfer_id: str, legs: list[Transaction]) -> LedgerRequest | None:
    paid = next((row for row in legs if not row.credit), None)
    if paid is None:
        return None
    draws = Draws(world.config.seed, "request", transfer_id)
    approved_at = paid.booked_at - timedelta(seconds=draws.between(20, 600))
    created_at = approved_at - timedelta(seconds=draws.between(60, 3_000))
    creator = _acting(team, created_at, _ASKING)
    return LedgerRequest(
        id=transfer_id,
        created_at=created_at,
        approved_at=approved_at,
        creator=creator,
        approver=_acting([one for one in team if one.id != creator.id], approved_at, _APPROVING),
        paid=paid,
        received=next((row for row in legs if row.credit), None),
    )


def _acting(team: Sequence[Member], at: datetime, roles: Sequence[str]) -> Member:
    """The person with the first of `roles` that anybody active then has; the owner is always there."""
    present = [one for one in team if one.client_id is None and one.created_at <= at and one.active_at(at)]
    return next(one for role in roles for one in present if one.role == role)


def _movements(call: Call, wanted: Callable[[Transaction], bool]) -> list[Transaction]:
    """The movements so far that are wanted, of the latest month that has any, looked for from today back."""
    world = call.bank.world
    first, last = first_day_of_ledger(call), call.today
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


def _names(row: Transaction) -> Iterator[str]:
    if row.type == _WIRE:
        yield row.transaction_id
    elif row.type == _ON_US:
        transfer = row.details.get("on_us_transfer_id")
        if transfer is not None:
            yield transfer


def first_day_of_ledger(call: Call) -> date:
    """The day of the first money of any pocket, today when there was none."""
    return min((pocket.opened_on for pocket in call.bank.world.pockets(call.today)), default=call.today)

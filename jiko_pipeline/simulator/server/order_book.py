"""The customer's orders as the state keeps them, and how a new one reaches the ledger.

Belongs here: writing and reading them. Does not belong here: whether an order is allowed (`pockets`,
`transfers`), what it does to the money (`orders`, `history`).

A new order is entered last of all that a call does, because the ledger in memory does not roll back.
"""

from datetime import datetime
from sqlite3 import Connection
from typing import Any

from jiko_pipeline.simulator.documents.numbers import instant_text
from jiko_pipeline.simulator.orders import OpenedPocket, Orders, Transfer, TransferKind
from jiko_pipeline.simulator.roster import PocketChange
from jiko_pipeline.simulator.server.bank import Call, SimulatedBank
from jiko_pipeline.simulator.server.bodies import rule_broken
from jiko_pipeline.simulator.server.state import State


def read_orders(state: State) -> Orders:
    """Everything ordered so far."""
    with state.transaction() as connection:
        pockets = _rows(
            connection,
            "select number, id, name, strategy_id, reinvestment_strategy_id, account_number, opened_at"
            " from opened_pocket order by number",
        )
        changes = _rows(
            connection,
            "select pocket_id, at, name, strategy_id, reinvestment_strategy_id, closure_reason"
            " from pocket_change order by number",
        )
        transfers = _rows(
            connection,
            "select id, kind, origin_id, amount_cents, approved_at, counterparty, target_id, description,"
            " end_to_end_identification from transfer order by number",
        )
    return Orders(
        tuple(
            OpenedPocket(number, identifier, name, strategy, reinvestment, account, datetime.fromisoformat(opened_at))
            for number, identifier, name, strategy, reinvestment, account, opened_at in pockets
        ),
        tuple(PocketChange(row[0], datetime.fromisoformat(row[1]), *row[2:]) for row in changes),
        tuple(
            Transfer(row[0], TransferKind(row[1]), row[2], row[3], datetime.fromisoformat(row[4]), *row[5:])
            for row in transfers
        ),
    )


def _rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query).fetchall()


def check_time_goes_on(call: Call) -> None:
    """Refuse an order that lies before one that was carried out, as after the clock was moved back."""
    orders = call.bank.world.orders
    moments = [transfer.approved_at for transfer in orders.transfers]
    moments += [change.at for change in orders.changes] + [opened.opened_at for opened in orders.pockets]
    if moments and call.now < max(moments):
        raise rule_broken(call, "orders-out-of-order", "The bank has carried out orders of a later time already.")


def keep_pocket(bank: SimulatedBank, opened: OpenedPocket) -> None:
    """Enter a new pocket."""
    with bank.state.transaction() as connection:
        connection.execute(
            "insert into opened_pocket values (?, ?, ?, ?, ?, ?, ?)",
            (
                opened.number,
                opened.id,
                opened.name,
                opened.strategy_id,
                opened.reinvestment_strategy_id,
                opened.account_number,
                instant_text(opened.opened_at),
            ),
        )
    _follow(bank, opened.opened_at)


def keep_change(bank: SimulatedBank, change: PocketChange) -> None:
    """Enter a change of a pocket."""
    with bank.state.transaction() as connection:
        connection.execute(
            "insert into pocket_change (pocket_id, at, name, strategy_id, reinvestment_strategy_id, closure_reason)"
            " values (?, ?, ?, ?, ?, ?)",
            (
                change.pocket_id,
                instant_text(change.at),
                change.name,
                change.strategy_id,
                change.reinvestment_strategy_id,
                change.closure_reason,
            ),
        )
    _follow(bank, change.at)


def keep_transfer(bank: SimulatedBank, transfer: Transfer) -> None:
    """Enter a transfer that is to be carried out."""
    with bank.state.transaction() as connection:
        connection.execute(
            "insert into transfer (id, kind, origin_id, amount_cents, approved_at, counterparty, target_id,"
            " description, end_to_end_identification) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                transfer.id,
                transfer.kind.value,
                transfer.origin_id,
                transfer.amount_cents,
                instant_text(transfer.approved_at),
                transfer.counterparty,
                transfer.target_id,
                transfer.description,
                transfer.end_to_end_identification,
            ),
        )
    _follow(bank, transfer.approved_at)


def _follow(bank: SimulatedBank, since: datetime) -> None:
    bank.world.follow(read_orders(bank.state), since)

"""What customers order moves money by the ledger's own rules, and never changes what was before it."""

import random
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from jiko_pipeline import calendars
from jiko_pipeline.simulator.model import Pocket, Transaction, WorldConfig
from jiko_pipeline.simulator.orders import OpenedPocket, Orders, Transfer, TransferKind, account_number, pocket_id
from jiko_pipeline.simulator.roster import TERM_OF_STRATEGY, PocketChange
from jiko_pipeline.simulator.server.transfer_wishes import SURELY_WORTH_PERCENT
from jiko_pipeline.simulator.world import World

STARTS = (date(2024, 6, 3), date(2026, 2, 2), date(2008, 5, 1), date(2029, 12, 3))
STRATEGIES = tuple(TERM_OF_STRATEGY)
ORDERS = 20


@dataclass
class Customer:
    """A customer who orders at random, often as much as the bank lets out."""

    draws: random.Random
    world: World
    now: datetime

    @property
    def today(self) -> date:
        return calendars.new_york_date(self.now)

    def order(self) -> Orders | None:
        """The orders with one more, or None where nothing can be ordered."""
        orders = self.world.orders
        pockets = [pocket for pocket in self.world.pockets(self.today) if pocket.closed_on is None]
        turn = self.draws.randrange(10) if orders.pockets else 0
        if turn == 0:
            return replace(orders, pockets=(*orders.pockets, self._pocket()))
        pocket = self.draws.choice(pockets)
        if turn == 1:
            changed = PocketChange(pocket.id, self.now, "Renamed", strategy_id=self.draws.choice(STRATEGIES))
            return replace(orders, changes=(*orders.changes, changed))
        transfer = self._transfer(pocket, [other for other in pockets if other.id != pocket.id])
        return None if transfer is None else replace(orders, transfers=(*orders.transfers, transfer))

    def _pocket(self) -> OpenedPocket:
        seed = self.world.config.seed
        number = self.world.config.pockets + len(self.world.orders.pockets)
        strategy, reinvestment = self.draws.choices(STRATEGIES, k=2)
        identifier, account = pocket_id(seed, number), account_number(seed, number)
        return OpenedPocket(number, identifier, f"Opened {number}", strategy, reinvestment, account, self.now)

    def _transfer(self, origin: Pocket, others: list[Pocket]) -> Transfer | None:
        standing = self.world.standing(origin.id, self.today)
        most = standing.closing_cents * SURELY_WORTH_PERCENT // 100 - standing.owed_cents - 2_500
        kind = self.draws.choice(tuple(TransferKind))
        target = self.draws.choice(others).id if kind is TransferKind.INTERNAL_REALLOCATION else None
        emptied = {
            row.origin_id
            for row in self.world.orders.transfers
            if row.amount_cents is None and row.booking.bank_date >= self.today
        }
        if most <= 0 or origin.id in emptied:
            return None
        amount = self.draws.choice((None, most, most * 9 // 10, self.draws.randrange(1, most + 1)))
        identifier = str(UUID(int=self.draws.getrandbits(128), version=4))
        transfer = Transfer(identifier, kind, origin.id, amount, self.now, "Outside", target)
        ends = [self.world.drawn_end(one) for one in (origin.id, target) if one is not None]
        closing = any(end is not None and end <= transfer.booking.bank_date for end in ends)
        return None if closing or (amount is None and target in emptied) else transfer


def _past(world: World, now: datetime) -> tuple[list[Any], list[Any]]:
    today = calendars.new_york_date(now)
    rows = [row for row in world.transactions(world.config.start, today) if row.booked_at <= now]
    trades = [trade for trade in world.trades(world.config.start, today) if trade.traded_at <= now]
    return rows, trades


def _without(rows: list[Transaction], transfer_ids: set[str]) -> list[Transaction]:
    return [
        row
        for row in rows
        if row.transaction_id not in transfer_ids and row.details.get("related_transaction_id") not in transfer_ids
    ]


def _ordered(seed: int, *, look_back: bool) -> World:
    """A bank after a customer's orders; with `look_back` it is checked that none of them changed its past."""
    draws = random.Random(seed)
    start = draws.choice(STARTS)
    world = World(WorldConfig(seed=draws.randrange(50), pockets=draws.choice((3, 4, 5)), start=start))
    customer = Customer(draws, world, datetime.combine(start, time(15), tzinfo=UTC) + timedelta(draws.randrange(2, 40)))
    for _ in range(ORDERS):
        customer.now += timedelta(seconds=draws.randrange(60, 6 * 86_400))
        orders = customer.order()
        if orders is None:
            continue
        rows, trades = _past(world, customer.now) if look_back else ([], [])
        world.follow(orders, customer.now)
        if look_back:
            now_rows, now_trades = _past(world, customer.now)
            new = {transfer.id for transfer in orders.transfers if transfer.approved_at == customer.now}
            assert _without(now_rows, new) == rows
            assert now_trades == trades
    return world


def _last(world: World) -> date:
    return max(transfer.approved_on for transfer in world.orders.transfers) + timedelta(days=60)


def _signed(line: Any) -> int:
    return line.amount_cents if line.credit else -line.amount_cents


@pytest.mark.parametrize("seed", range(12))
def test_orders_of_any_kind_leave_a_bank_that_obeys_its_rules(seed: int) -> None:
    world = _ordered(seed, look_back=False)
    first, last = world.config.start, _last(world)
    booked: dict[tuple[str, date], list[Transaction]] = defaultdict(list)
    for row in world.transactions(first - timedelta(days=10), last):
        assert row.bank_date == calendars.business_date_of(row.booked_at, time(19))
        booked[row.pocket_id, row.bank_date].append(row)
    paid = {row.transaction_id for rows in booked.values() for row in rows}
    assert {transfer.id for transfer in world.orders.transfers if transfer.amount_cents is not None} <= paid
    for pocket in world.pockets(last):
        closing = 0 if pocket.opened_on >= first else None
        for day in calendars.fed_business_days(max(first, pocket.opened_on), min(last, pocket.closed_on or last)):
            bank, brokerage = world.bank_statement(pocket.id, day), world.brokerage_statement(pocket.id, day)
            summary = world.position_summary(pocket.id, day)
            assert bank is not None
            assert brokerage is not None
            assert summary is not None
            assert sum(map(_signed, bank.lines)) == 0
            lines = [(line.end_to_end_id, _signed(line)) for line in bank.lines if not line.code.startswith("SWEEP")]
            assert sorted(lines) == sorted(
                (row.id.replace("-", ""), _signed(row)) for row in booked[pocket.id, day] if row.amount_cents
            )
            assert closing is None or brokerage.opening_cents == closing
            closing = brokerage.opening_cents + sum(map(_signed, brokerage.lines))
            value = sum(position.market_value_cents for position in summary.positions)
            assert brokerage.closing_cents == closing == value + summary.cash_cents
            assert summary.cash_cents >= 0
            assert not calendars.is_trading_day(day) or summary.cash_cents <= 10_000


@pytest.mark.parametrize("seed", range(100, 103))
def test_an_order_changes_nothing_that_was_before_it(seed: int) -> None:
    assert _ordered(seed, look_back=True).orders.transfers


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1_000, 1_200))
def test_an_order_changes_nothing_that_was_before_it_at_length(seed: int) -> None:
    assert _ordered(seed, look_back=True).orders.transfers


def test_the_same_orders_are_the_same_bank_however_it_came_to_them() -> None:
    grown = _ordered(3, look_back=True)
    born = World(grown.config, orders=grown.orders)
    first, last = grown.config.start, _last(grown)
    assert born.transactions(first, last) == grown.transactions(first, last)
    assert born.trades(first, last) == grown.trades(first, last)
    assert born.prices(first, last) == grown.prices(first, last)
    month = (last - timedelta(days=40)).replace(day=1)
    assert born.snapshot(month) == grown.snapshot(month)


def test_only_the_months_from_the_order_on_are_computed_anew() -> None:
    store = _Store()
    world = World(WorldConfig(), snapshots=store)
    origin = world.pockets(date(2024, 9, 2))[0].id
    world.transactions(date(2024, 11, 1), date(2024, 11, 2))
    kept = {month: text for month, text in store.texts.items() if month <= date(2024, 9, 1)}
    at = datetime(2024, 9, 12, 14, tzinfo=UTC)
    party = Transfer(str(UUID(int=1, version=4)), TransferKind.WIRE, origin, 1_000_000_00, at, "Outside")
    world.follow(Orders(transfers=(party,)), at)
    assert store.texts == kept
    world.transactions(date(2024, 11, 1), date(2024, 11, 2))
    assert {month: store.texts[month] for month in kept} == kept
    assert store.texts[date(2024, 10, 1)] == World(WorldConfig(), orders=world.orders).snapshot(date(2024, 10, 1))
    assert store.texts[date(2024, 10, 1)] != World(WorldConfig()).snapshot(date(2024, 10, 1))


class _Store:
    def __init__(self) -> None:
        self.texts: dict[date, str] = {}

    def get(self, month: date) -> str | None:
        return self.texts.get(month)

    def put(self, month: date, text: str) -> None:
        self.texts[month] = text

    def forget_after(self, month: date) -> None:
        self.texts = {known: text for known, text in self.texts.items() if known <= month}

"""The same config is the same bank, whatever is asked first and wherever the ledger is re-entered."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiko_pipeline import calendars
from jiko_pipeline.simulator.model import CloseBasisSwitch, DatesSwitch, MarkSwitch, SettlementSwitch, WorldConfig
from jiko_pipeline.simulator.world import World

START = date(2024, 6, 3)


class RecordingStore:
    """A snapshot store that counts what it keeps."""

    def __init__(self) -> None:
        self.texts: dict[date, str] = {}
        self.puts = 0

    def get(self, month: date) -> str | None:
        return self.texts.get(month)

    def put(self, month: date, text: str) -> None:
        self.puts += 1
        self.texts[month] = text


def _said(world: World, first: date, last: date) -> list[object]:
    said: list[object] = [world.trades(first, last), world.transactions(first, last), world.prices(first, last)]
    for day in calendars.fed_business_days(first, last):
        for pocket in world.pockets(day):
            if pocket.closed_on is None or day <= pocket.closed_on:
                said.append(world.bank_statement(pocket.id, day))
                said.append(world.brokerage_statement(pocket.id, day))
                said.append(world.position_summary(pocket.id, day))
    return said


@settings(max_examples=5, deadline=None)
@given(months=st.lists(st.integers(0, 14), min_size=1, max_size=6))
def test_the_order_of_questions_does_not_change_an_answer(months: list[int]) -> None:
    config = WorldConfig(seed=5, start=START)
    world = World(config)
    for month in months:
        day = START + timedelta(days=31 * month)
        world.transactions(day, day + timedelta(days=3))
    first, last = date(2025, 1, 28), date(2025, 2, 5)
    assert _said(world, first, last) == _said(World(config), first, last)


def test_a_late_month_entered_from_a_snapshot_equals_the_one_replayed_from_the_start() -> None:
    config = WorldConfig(seed=5, start=START)
    store = RecordingStore()
    World(config, snapshots=store).snapshot(date(2025, 5, 1))
    only = RecordingStore()
    only.put(date(2025, 5, 1), store.texts[date(2025, 5, 1)])
    first, last = date(2025, 5, 1), date(2025, 5, 30)
    assert _said(World(config, snapshots=only), first, last) == _said(World(config), first, last)


def test_a_snapshot_is_enough_so_that_a_late_month_replays_no_past_month() -> None:
    config = WorldConfig(seed=5, start=START)
    store = RecordingStore()
    World(config, snapshots=store).snapshot(date(2025, 5, 1))
    only = RecordingStore()
    only.put(date(2025, 5, 1), store.texts[date(2025, 5, 1)])
    World(config, snapshots=only).trades(date(2025, 5, 5), date(2025, 5, 9))
    assert set(only.texts) == {date(2025, 5, 1), date(2025, 6, 1)}


def test_snapshots_are_small_and_the_same_from_any_process_history() -> None:
    config = WorldConfig(seed=5, start=START)
    texts = [World(config).snapshot(date(2025, 3, 1))]
    wandering = World(config)
    wandering.trades(date(2025, 8, 1), date(2025, 8, 2))
    texts.append(wandering.snapshot(date(2025, 3, 1)))
    assert texts[0] == texts[1]
    assert len(texts[0]) < 20_000


def test_the_world_before_its_first_pocket_is_empty() -> None:
    world = World(WorldConfig(seed=5, start=START))
    assert world.pockets(date(2024, 1, 2)) == ()
    assert world.transactions(date(2023, 1, 1), date(2024, 1, 31)) == ()
    assert world.prices(date(2023, 1, 1), date(2024, 1, 31)) == ()


def test_another_seed_is_another_bank() -> None:
    one, other = World(WorldConfig(seed=1, start=START)), World(WorldConfig(seed=2, start=START))
    days = (START, START + timedelta(days=20))
    assert {pocket.id for pocket in one.pockets(START)}.isdisjoint(pocket.id for pocket in other.pockets(START))
    assert {row.id for row in one.transactions(*days)}.isdisjoint(row.id for row in other.transactions(*days))
    assert [row.amount_cents for row in one.transactions(*days)] != [
        row.amount_cents for row in other.transactions(*days)
    ]
    marks = {(mark.cusip, mark.day): mark.price_micros for mark in one.prices(*days)}
    others = {(mark.cusip, mark.day): mark.price_micros for mark in other.prices(*days)}
    both = marks.keys() & others.keys()
    assert both
    assert sum(marks[key] != others[key] for key in both) > len(both) // 2


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8},
        {"pockets": 5},
        {"start": date(2024, 6, 4)},
        {"camt_version": "02"},
        {"fault": "bank-entry-twice"},
        {"settlement": SettlementSwitch.T1},
        {"mark": MarkSwitch.SETTLES_NEXT_DAY},
        {"dates": DatesSwitch.SETTLED},
    ],
)
def test_the_world_id_depends_on_every_part_of_the_config(change: dict[str, object]) -> None:
    config = WorldConfig()
    assert World(config).world_id == World(WorldConfig()).world_id
    assert len(World(config).world_id) == 64
    assert World(config).world_id != World(replace(config, **change)).world_id  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"close_basis": CloseBasisSwitch.BILLS},
        {"close_basis": CloseBasisSwitch.BILLS_CASH_AND_PENDING, "dates": DatesSwitch.SETTLED},
    ],
)
def test_switches_that_contradict_each_other_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="bills"):
        World(replace(WorldConfig(), **change))  # type: ignore[arg-type]


def test_a_bank_without_pockets_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one pocket"):
        World(WorldConfig(pockets=0))

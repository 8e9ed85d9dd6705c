"""The pockets of the demo: their lives, what happens in them, and what is asked for before the day ends."""

from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest

from jiko_pipeline import calendars
from jiko_pipeline.simulator.model import Pocket, WorldConfig
from jiko_pipeline.simulator.world import World

FIRST, LAST = date(2024, 6, 3), date(2024, 7, 17)


@pytest.fixture(scope="module")
def world() -> World:
    return World(WorldConfig())


@pytest.fixture(scope="module")
def pockets(world: World) -> tuple[Pocket, ...]:
    return world.pockets(LAST)


@pytest.mark.parametrize("seed", range(6))
def test_of_four_pockets_one_is_older_one_opens_one_closes_and_one_is_steady(seed: int) -> None:
    world = World(WorldConfig(seed=seed))
    pockets = world.pockets(LAST)
    assert [pocket.strategy_id for pocket in pockets] == ["UST-4W", "UST-13W", "UST-26W", "UST-52W"]
    lives = Counter(
        "older"
        if pocket.opened_on < FIRST
        else "late"
        if pocket.opened_on > FIRST
        else "closing"
        if pocket.closed_on
        else "steady"
        for pocket in pockets
    )
    assert lives == {"older": 1, "late": 1, "closing": 1, "steady": 1}
    closed = next(pocket for pocket in pockets if pocket.closed_on)
    assert closed.closed_on is not None
    assert 22 <= len(calendars.fed_business_days(FIRST, closed.closed_on)) <= 26


@pytest.mark.parametrize("seed", range(6))
def test_every_pocket_of_the_demo_sees_deposits_payments_purchases_and_sales(seed: int) -> None:
    world = World(WorldConfig(seed=seed))
    moved: dict[str, set[str]] = defaultdict(set)
    for row in world.transactions(FIRST, LAST):
        moved[row.pocket_id].add("deposit" if row.credit else "payment")
    matured: Counter[str] = Counter()
    for trade in world.trades(FIRST, LAST):
        moved[trade.pocket_id].add(trade.activity)
        matured[trade.pocket_id] += trade.activity == "MATURITY"
    pockets = world.pockets(LAST)
    for pocket in pockets:
        assert moved[pocket.id] >= {"deposit", "payment", "BUY", "SELL"}
    assert matured[pockets[0].id] >= 2


def test_a_pocket_opens_with_a_deposit_on_its_first_day(world: World, pockets: tuple[Pocket, ...]) -> None:
    for pocket in pockets:
        rows = [
            row for row in world.transactions(pocket.opened_on - timedelta(days=90), LAST) if row.pocket_id == pocket.id
        ]
        assert calendars.new_york_date(rows[0].booked_at) == pocket.opened_on
        assert rows[0].credit
        statement = world.brokerage_statement(pocket.id, pocket.opened_on)
        assert statement is not None
        assert statement.opening_cents == 0
        assert statement.closing_cents > 0


def test_a_closed_pocket_ends_empty_with_its_last_payment_on_its_last_day(
    world: World, pockets: tuple[Pocket, ...]
) -> None:
    pocket = next(pocket for pocket in pockets if pocket.closed_on)
    assert pocket.closed_on is not None
    statement = world.brokerage_statement(pocket.id, pocket.closed_on)
    summary = world.position_summary(pocket.id, pocket.closed_on)
    assert statement is not None
    assert summary is not None
    assert statement.opening_cents > 0
    assert statement.closing_cents == 0
    assert (summary.positions, summary.cash_cents) == ((), 0)
    rows = [row for row in world.transactions(FIRST, LAST) if row.pocket_id == pocket.id]
    assert [row.type for row in rows if row.bank_date == pocket.closed_on] == ["WIRE", "FEE"]
    assert max(row.bank_date for row in rows) == pocket.closed_on


def test_a_pocket_is_not_known_as_closed_before_it_closes(world: World, pockets: tuple[Pocket, ...]) -> None:
    pocket = next(pocket for pocket in pockets if pocket.closed_on)
    assert pocket.closed_on is not None
    before = world.pockets(pocket.closed_on - timedelta(days=1))
    assert all(one.closed_on is None for one in before)
    assert FIRST <= pocket.closed_on <= LAST


def test_the_older_pocket_holds_bills_before_the_data_starts(world: World, pockets: tuple[Pocket, ...]) -> None:
    summary = world.position_summary(pockets[0].id, calendars.previous_fed_business_day(FIRST))
    assert summary is not None
    assert summary.positions


def test_outside_a_pockets_life_and_off_business_days_there_is_no_statement(
    world: World, pockets: tuple[Pocket, ...]
) -> None:
    closed = next(pocket for pocket in pockets if pocket.closed_on)
    assert closed.closed_on is not None
    for pocket_id, day in (
        (closed.id, calendars.next_fed_business_day(closed.closed_on)),
        (closed.id, calendars.previous_fed_business_day(closed.opened_on)),
        (pockets[0].id, date(2024, 6, 19)),
        (pockets[0].id, date(2024, 6, 8)),
        ("00000000-0000-4000-8000-000000000000", FIRST),
    ):
        for ask in (world.bank_statement, world.brokerage_statement, world.position_summary):
            with pytest.raises(LookupError):
                ask(pocket_id, day)


def test_any_number_of_pockets_cycles_over_the_strategies() -> None:
    for count in (1, 2, 3, 9):
        pockets = World(WorldConfig(pockets=count)).pockets(LAST)
        assert len(pockets) == count
        assert len({pocket.id for pocket in pockets}) == count
        assert [pocket.strategy_id for pocket in pockets[:4]] == ["UST-4W", "UST-13W", "UST-26W", "UST-52W"][:count]


def test_a_year_has_movements_of_every_kind_also_in_the_evening_and_at_weekends(world: World) -> None:
    rows = world.transactions(FIRST, date(2025, 6, 2))
    kinds = {(row.type, row.credit) for row in rows}
    assert kinds == {
        ("ACH", True),
        ("ACH", False),
        ("WIRE", True),
        ("WIRE", False),
        ("ON_US", True),
        ("ON_US", False),
        ("CARD", False),
        ("FEE", False),
    }
    weekend = {row.type for row in rows if calendars.new_york_date(row.booked_at).weekday() >= 5}
    assert weekend == {"CARD", "ON_US"}
    assert any(row.booked_at.date() > calendars.new_york_date(row.booked_at) for row in rows)
    assert any(row.details.get("on_us_transfer_type") == "PEER_TO_PEER" for row in rows)
    assert any(row.details.get("on_us_transfer_type") == "INTERNAL_REALLOCATION" for row in rows)
    assert min(row.amount_cents for row in rows) < 10_000
    assert max(row.amount_cents for row in rows) > 100_000_000


def test_some_days_have_no_activity_at_all(world: World, pockets: tuple[Pocket, ...]) -> None:
    quiet = [
        day
        for day in calendars.fed_business_days(FIRST, LAST)
        if (statement := world.bank_statement(pockets[0].id, day)) is not None and not statement.lines
    ]
    assert quiet


def test_a_document_asked_for_before_the_day_ends_differs_and_adds_up(
    world: World, pockets: tuple[Pocket, ...]
) -> None:
    differing = 0
    for day in calendars.fed_business_days(FIRST, LAST):
        for pocket in world.pockets(day):
            if pocket.closed_on is not None and day >= pocket.closed_on:
                continue
            bank = world.bank_statement(pocket.id, day, provisional=True)
            brokerage = world.brokerage_statement(pocket.id, day, provisional=True)
            summary = world.position_summary(pocket.id, day, provisional=True)
            final = world.brokerage_statement(pocket.id, day)
            assert bank is not None
            assert brokerage is not None
            assert summary is not None
            assert final is not None
            assert bank.provisional
            assert brokerage.provisional
            assert not final.provisional
            moved = sum(line.amount_cents if line.credit else -line.amount_cents for line in brokerage.lines)
            assert brokerage.opening_cents == final.opening_cents
            assert brokerage.closing_cents == brokerage.opening_cents + moved
            value = sum(row.market_value_cents for row in summary.positions)
            assert brokerage.closing_cents == value + summary.cash_cents
            assert sum(line.amount_cents if line.credit else -line.amount_cents for line in bank.lines) == 0
            differing += brokerage.closing_cents != final.closing_cents
    assert differing > 50


def test_monthly_statements_come_on_the_fifth_business_day_for_each_account_and_month(
    world: World, pockets: tuple[Pocket, ...]
) -> None:
    # 1 to 8 July 2024 without the 4th: the fifth Fed business day is Monday 8 July.
    before = world.monthly_statements(date(2024, 7, 7))
    after = world.monthly_statements(date(2024, 7, 8))
    new = {one.id for one in after} - {one.id for one in before}
    rows = [one for one in after if one.id in new]
    assert {(one.pocket_id, one.type, one.key) for one in rows} == {
        (pocket.id, kind, "2024-06") for pocket in pockets for kind in ("BANK", "BROKERAGE")
    }
    assert {one.created_at.isoformat() for one in rows} == {"2024-07-08T10:00:00+00:00"}
    assert {one.key for one in before} == {"2024-04", "2024-05"}
    closed = next(pocket for pocket in pockets if pocket.closed_on)
    assert [one.key for one in world.monthly_statements(date(2024, 12, 31)) if one.pocket_id == closed.id] == [
        "2024-06",
        "2024-06",
        "2024-07",
        "2024-07",
    ]

"""Each planted fault changes exactly what it says, in any world, and says what must be noticed."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from jiko_pipeline import calendars
from jiko_pipeline.simulator import faults
from jiko_pipeline.simulator.bills import bill
from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.world import World

FIRST, LAST = date(2024, 6, 3), date(2024, 7, 17)
EXPECTED = {
    "bank-entry-off-by-a-cent": [
        ("K10", "FOOT_BANK", None, 0),
        ("K21", "TX_AMT", None, 0),
        ("K22", "SWEEP_NE_NET_ACTIVITY", None, 0),
    ],
    "bank-entry-twice": [("K04", "DUP_IDENTICAL", None, 0)],
    "transaction-missing-from-api": [("K21", "TX_BANK_ONLY", None, 0)],
    "statement-day-missing": [("K01", "GAP_MISSING", None, 0), ("K01", "GAP_MISSING", None, 0)],
    "trade-missing-from-report": [("K30", "TRD_API_ONLY", None, 0)],
    "position-off-by-one-bill": [
        ("K32", "POS_ROLL", "POS_UNEXPLAINED_UP", 0),
        ("K32", "POS_ROLL", "POS_UNEXPLAINED_DOWN", 1),
        ("K36", "MV_MATH", None, 0),
    ],
    "price-stale-in-one-source": [("K37", "PX_SRC_DIFF", None, 0), ("K38", "PX_STALE", "SECURITY_PRICE", 0)],
    "price-stale-everywhere": [("K38", "PX_STALE", "POSITION,SECURITY_PRICE", 0)],
    "transaction-missing-from-csv": [("K51", "FORMAT_DIFF", "MISSING", 0)],
    "trade-differs-in-csv": [("K51", "FORMAT_DIFF", "notional", 0)],
    "maturity-missing": [
        ("K32", "POS_ROLL", "POS_MISSING_MATURITY", 0),
        ("K33", "GAIN_PROOF", None, 0),
        ("K34", "CASH_PROOF", None, 0),
        ("K40", "MAT_MISSING", None, 0),
    ],
    "corrupt-statement": [("K03", "DOC_CORRUPT", None, 0)],
}
CONFIG = WorldConfig()


def _answers(world: World) -> dict[tuple[object, ...], object]:
    """Everything that the world says over the demo's dates, by what was asked."""
    said: dict[tuple[object, ...], object] = {}
    for row in world.transactions(FIRST, LAST):
        said["transaction", row.id] = row
    for trade in world.trades(FIRST, LAST):
        said["trade", trade.id] = trade
    for trade in world.trade_report(None, FIRST, LAST):
        said["trade report", trade.id] = trade
    for mark in world.prices(FIRST, LAST):
        said["price", mark.cusip, mark.day] = mark.price_micros
    for day in calendars.fed_business_days(FIRST, LAST):
        for pocket in world.pockets(day):
            if pocket.closed_on is None or day <= pocket.closed_on:
                said["bank", pocket.id, day] = world.bank_statement(pocket.id, day)
                said["brokerage", pocket.id, day] = world.brokerage_statement(pocket.id, day)
                said["positions", pocket.id, day] = world.position_summary(pocket.id, day)
    return said


def _planted(name: str) -> tuple[World, dict[str, Any], dict[tuple[object, ...], tuple[object, object]]]:
    """The world with a fault, its truth, and what differs: question -> (sound answer, planted answer)."""
    world = World(replace(CONFIG, fault=name))
    sound, planted = _answers(World(CONFIG)), _answers(world)
    different = {
        key: (sound.get(key), planted.get(key))
        for key in sound.keys() | planted.keys()
        if sound.get(key) != planted.get(key)
    }
    return world, world.truth(), different


def test_the_catalogue_lists_every_fault_in_order() -> None:
    assert faults.names() == tuple(sorted(EXPECTED))


@pytest.mark.parametrize("name", sorted(EXPECTED))
@pytest.mark.parametrize("seed", [7, 1])
def test_the_truth_names_the_breaks_with_concrete_keys(name: str, seed: int) -> None:
    truth = World(WorldConfig(seed=seed, fault=name)).truth()
    assert json.loads(json.dumps(truth)) == truth
    day = date.fromisoformat(truth["business_date"])
    following = calendars.next_fed_business_day(day)
    days = (day.isoformat(), following.isoformat())
    found = [
        (row["control"], row["code"], row["sub_code"], days.index(row["business_date"])) for row in truth["expected"]
    ]
    assert sorted(set(found), key=str) == sorted(set(EXPECTED[name]), key=str)
    assert len(found) >= len(EXPECTED[name])
    assert truth["title"].endswith(".")


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_target_lies_on_or_after_the_eighth_business_day_within_the_first_window(name: str) -> None:
    for seed in (7, 1, 2, 3):
        world = World(WorldConfig(seed=seed, fault=name))
        truth = world.truth()
        day = date.fromisoformat(truth["business_date"])
        assert date(2024, 6, 12) <= day <= date(2024, 7, 2)
        pocket = next(one for one in world.pockets(date(2024, 12, 31)) if one.id == truth["pocket_id"])
        assert pocket.closed_on is None
        assert pocket.opened_on < day


@pytest.mark.parametrize("name", sorted(set(EXPECTED) - {"price-stale-in-one-source", "price-stale-everywhere"}))
@pytest.mark.parametrize("pockets", [1, 2, 6])
def test_a_fault_finds_its_target_in_a_bank_of_any_size_and_time(name: str, pockets: int) -> None:
    for start in (date(2009, 3, 2), date(2026, 6, 1)):
        truth = World(WorldConfig(seed=3, pockets=pockets, start=start, fault=name)).truth()
        assert truth["name"] == name


def test_a_fault_without_a_target_says_so() -> None:
    # A bank whose only pocket buys 4-week bills holds none with 40 days to maturity.
    world = World(WorldConfig(pockets=1, fault="price-stale-everywhere"))
    with pytest.raises(LookupError, match="finds nothing to hit"):
        world.truth()


def test_an_unknown_fault_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(LookupError, match="bank-entry-twice"):
        World(WorldConfig(fault="bank-entry-thrice"))


def test_a_sound_bank_has_nothing_planted() -> None:
    assert World(CONFIG).truth() == {"fault": None, "expected": []}


def test_the_entry_off_by_a_cent_is_all_that_differs_and_the_statement_no_longer_foots() -> None:
    _, truth, different = _planted("bank-entry-off-by-a-cent")
    ((key, (sound, planted)),) = different.items()
    assert key == ("bank", truth["pocket_id"], date.fromisoformat(truth["business_date"]))
    changed = [
        (one, other)
        for one, other in zip(sound.lines, planted.lines, strict=True)  # type: ignore[attr-defined]
        if one != other
    ]
    ((one, other),) = changed
    assert other == replace(one, amount_cents=one.amount_cents + 1)
    assert one.end_to_end_id == truth["transaction_id"].replace("-", "")
    assert not one.code.startswith("SWEEP")


def test_the_entry_twice_is_listed_twice_and_nothing_else_differs() -> None:
    _, truth, different = _planted("bank-entry-twice")
    ((key, (sound, planted)),) = different.items()
    assert key == ("bank", truth["pocket_id"], date.fromisoformat(truth["business_date"]))
    lines = sound.lines  # type: ignore[attr-defined]
    hit = truth["transaction_id"].replace("-", "")
    (place,) = [place for place, line in enumerate(lines) if line.end_to_end_id == hit]
    assert planted.lines == (*lines[: place + 1], *lines[place:])  # type: ignore[attr-defined]


def test_the_missing_transaction_is_gone_from_the_api_and_still_on_the_statement() -> None:
    world, truth, different = _planted("transaction-missing-from-api")
    ((key, (sound, planted)),) = different.items()
    assert key == ("transaction", truth["transaction_id"])
    assert planted is None
    assert calendars.new_york_date(sound.booked_at) == sound.bank_date  # type: ignore[attr-defined]
    statement = world.bank_statement(truth["pocket_id"], date.fromisoformat(truth["business_date"]))
    assert statement is not None
    assert truth["transaction_id"].replace("-", "") in {line.end_to_end_id for line in statement.lines}


def test_the_missing_day_has_neither_statement_and_still_its_positions() -> None:
    world, truth, different = _planted("statement-day-missing")
    day = date.fromisoformat(truth["business_date"])
    assert set(different) == {(kind, truth["pocket_id"], day) for kind in ("bank", "brokerage")}
    assert world.bank_statement(truth["pocket_id"], day) is None
    assert world.brokerage_statement(truth["pocket_id"], day) is None
    assert world.position_summary(truth["pocket_id"], day) is not None
    assert {row["report_type"] for row in truth["expected"]} == {
        "BANK_STATEMENT_REPORT",
        "BROKERAGE_STATEMENT_REPORT",
    }


def test_the_trade_missing_from_the_report_is_still_in_the_api() -> None:
    _, truth, different = _planted("trade-missing-from-report")
    assert set(different) == {("trade report", truth["trade_id"])}


def test_the_position_off_by_one_bill_keeps_its_value_and_is_right_the_day_after() -> None:
    world, truth, different = _planted("position-off-by-one-bill")
    ((key, (sound, planted)),) = different.items()
    day = date.fromisoformat(truth["business_date"])
    assert key == ("positions", truth["pocket_id"], day)
    ((one, other),) = [
        pair
        for pair in zip(sound.positions, planted.positions, strict=True)  # type: ignore[attr-defined]
        if pair[0] != pair[1]
    ]
    assert other == replace(one, quantity=one.quantity + 1)
    assert one.cusip == truth["cusip"]
    following = calendars.next_fed_business_day(day)
    assert truth["cusip"] not in {
        trade.bill.cusip for trade in world.trades(day, following) if trade.pocket_id == truth["pocket_id"]
    }
    assert [row["difference"] for row in truth["expected"]] == ["100.00", "-100.00", None]


def test_the_price_stale_in_one_source_differs_in_the_price_report_alone() -> None:
    world, truth, different = _planted("price-stale-in-one-source")
    day = date.fromisoformat(truth["business_date"])
    ((key, (_, planted)),) = different.items()
    assert key == ("price", truth["cusip"], day)
    before = calendars.previous_fed_business_day(day)
    assert day - before == timedelta(days=1)
    assert calendars.is_trading_day(day)
    (yesterday,) = [mark for mark in world.prices(before, before) if mark.cusip == truth["cusip"]]
    assert planted == yesterday.price_micros
    assert (bill(truth["cusip"]).maturity_date - day).days >= 40


def test_the_price_stale_everywhere_is_the_same_in_every_source_and_still_adds_up() -> None:
    world, truth, different = _planted("price-stale-everywhere")
    day = date.fromisoformat(truth["business_date"])
    before = calendars.previous_fed_business_day(day)
    prices = {mark.day: mark.price_micros for mark in world.prices(before, day) if mark.cusip == truth["cusip"]}
    assert prices[day] == prices[before]
    holders = {row["pocket_id"] for row in truth["expected"]}
    following = calendars.next_fed_business_day(day)
    assert set(different) == (
        {("price", truth["cusip"], day)}
        | {("positions", holder, day) for holder in holders}
        | {("brokerage", holder, each) for holder in holders for each in (day, following)}
    )
    for holder in holders:
        summary = world.position_summary(holder, day)
        statement = world.brokerage_statement(holder, day)
        assert summary is not None
        assert statement is not None
        value = sum(row.market_value_cents for row in summary.positions) + summary.cash_cents
        assert statement.closing_cents == value
        assert {row.cusip: row.mark_micros for row in summary.positions}[truth["cusip"]] == prices[before]


def test_a_stale_price_is_expected_of_every_pocket_that_holds_the_bill() -> None:
    world = World(WorldConfig(seed=7, pockets=12, fault="price-stale-in-one-source"))
    truth = world.truth()
    day = date.fromisoformat(truth["business_date"])
    holders = {
        pocket.id
        for pocket in world.pockets(day)
        if (summary := world.position_summary(pocket.id, day)) is not None
        and truth["cusip"] in {row.cusip for row in summary.positions}
    }
    assert len(holders) > 1
    assert {row["pocket_id"] for row in truth["expected"]} == holders
    assert {row["cusip"] for row in truth["expected"]} == {truth["cusip"]}


def test_the_missing_maturity_is_gone_from_the_trades_and_nothing_else_differs() -> None:
    _, truth, different = _planted("maturity-missing")
    ((key, (sound, planted)),) = different.items()
    assert key == ("trade", truth["trade_id"])
    assert planted is None
    assert sound.activity == "MATURITY"  # type: ignore[attr-defined]
    assert truth["amount"] == f"{sound.quantity * 100}.00"  # type: ignore[attr-defined]


def test_the_corrupt_statement_is_marked_and_nothing_else_differs() -> None:
    _, truth, different = _planted("corrupt-statement")
    ((key, (sound, planted)),) = different.items()
    assert key == ("bank", truth["pocket_id"], date.fromisoformat(truth["business_date"]))
    assert planted == replace(sound, corrupt=True)  # type: ignore[type-var]

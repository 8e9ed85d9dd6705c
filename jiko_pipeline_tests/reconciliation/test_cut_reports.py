"""A report cut just after a row looks whole to its reader; what other sources state of the same day finds it."""

import copy
import random
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from jiko_pipeline.formats.delimited import readers
from jiko_pipeline.simulator.documents import delimited as writer
from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.world import World
from jiko_pipeline_tests.reconciliation.small_bank import Answer, Facts, ask
from jiko_pipeline_tests.reconciliation.test_holdings_controls_simulated import END, START, simulated

DAY = date(2024, 7, 3)
CUTS = 4


@pytest.fixture(scope="module")
def world() -> World:
    return World(WorldConfig(seed=7, start=START))


def clean() -> Facts:
    facts, _ = simulated()
    return copy.deepcopy(facts)


def answered(folder: Path, facts: Facts, *controls: str) -> Mapping[str, list[Answer]]:
    folder.mkdir()
    return ask(folder, facts, *controls, first=START, last=END)


def cuts_after_rows(body: bytes, seed: int) -> list[bytes]:
    """The body cut just after its header, after the row before the last one, and after some rows between."""
    ends = [place + 1 for place, byte in enumerate(body[:-1]) if byte == ord("\n")]
    return [body[:end] for end in {ends[0], ends[-1], *random.Random(seed).sample(ends, min(CUTS, len(ends)))}]


@pytest.mark.parametrize("form", ["CSV", "KYRIBA_CSV"])
@pytest.mark.fault_rows(80, 82)
def test_every_trade_that_a_cut_took_from_the_trade_report_is_a_break(tmp_path: Path, world: World, form: str) -> None:
    trades = world.trade_report(None, START, END)
    write, read = {
        "CSV": (writer.trade_report, readers.read_trade_report_csv),
        "KYRIBA_CSV": (writer.trade_report_kyriba, readers.read_trade_report_kyriba_csv),
    }[form]
    for number, body in enumerate(cuts_after_rows(write(trades), 80)):
        kept = set(read(body).frames["trade_report"]["trade_reference"])
        facts = clean()
        rows = facts.rows["core.trade_report"]
        stated = [row for row in rows if row["output_format"] != form or row["trade_reference"] in kept]
        facts.rows["core.trade_report"] = stated
        (answers,) = answered(tmp_path / str(number), facts, "K30").values()
        found = {answer.entity_key for answer in answers if answer.status == "BREAK"}
        assert found == {trade.id for trade in trades} - kept


@pytest.mark.fault_rows(80, 82)
def test_every_held_bill_whose_price_a_cut_took_is_a_break(tmp_path: Path, world: World) -> None:
    for number, body in enumerate(cuts_after_rows(writer.security_prices(world.prices(START, END)), 80)):
        prices = readers.read_security_prices(body).frames["security_price"]
        kept = set(prices.select("cusip", "price_date").rows())
        facts = clean()
        rows = facts.rows["core.security_price"]
        facts.rows["core.security_price"] = [row for row in rows if (row["cusip"], row["price_date"]) in kept]
        (answers,) = answered(tmp_path / str(number), facts, "K37").values()
        broken = {(each.entity_key, each.business_date) for each in answers if each.status == "BREAK"}
        held = {(row["cusip"], row["business_date"]) for row in facts.rows["core.position_daily"]}
        assert broken == held - kept
        assert broken


@pytest.mark.fault_rows(80, 82)
def test_a_position_report_that_was_cut_does_not_pass(tmp_path: Path, world: World) -> None:
    pocket = world.pockets(DAY)[0].id
    summary = world.position_summary(pocket, DAY)
    assert summary is not None
    for number, body in enumerate(cuts_after_rows(writer.position_summaries([summary]), 80)):
        frames = readers.read_positions(body).frames
        kept = set(frames["position"]["cusip"])
        facts = clean()
        mine = {"pocket_id": pocket, "business_date": DAY}
        held = facts.find("core.position_daily", **mine)
        facts.rows["core.position_daily"] = [
            row for row in facts.rows["core.position_daily"] if row not in held or row["cusip"] in kept
        ]
        assert frames["position_cash"].is_empty(), "cash is the last row, so every cut takes it"
        facts.one("core.brokerage_daily", **mine)["cash_balance"] = None
        answers = answered(tmp_path / str(number), facts, "K32", "K34", "K35")
        of_the_day = [
            (control, answer.status)
            for control, rows in answers.items()
            for answer in rows
            if (answer.pocket_id, answer.business_date) == (pocket, DAY) and answer.status != "PASS"
        ]
        assert "K35" in {control for control, _ in of_the_day}
        if len(kept) < len(held):
            assert ("K32", "BREAK") in of_the_day

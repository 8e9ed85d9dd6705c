"""What the simulated bank writes is read without a finding or a lost row, and to the bank's own figures."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from jiko_pipeline.calendars import fed_business_days
from jiko_pipeline.formats import camt053
from jiko_pipeline.formats.delimited import readers
from jiko_pipeline.formats.reading import Expectation, Reading
from jiko_pipeline.simulator.documents import camt053 as camt_writer
from jiko_pipeline.simulator.documents import delimited as csv_writer
from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.world import World

FIRST, LAST = date(2024, 6, 3), date(2024, 7, 17)
MADE_AT = datetime(2024, 7, 18, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> World:
    return World(WorldConfig())


def cents(amount: Decimal) -> int:
    return int(amount.scaleb(2))


def without_loss(reading: Reading) -> Reading:
    assert reading.findings == ()
    assert reading.rejected == ()
    return reading


@pytest.mark.parametrize("version", camt_writer.VERSIONS)
def test_every_statement_foots_and_holds_the_lines_of_the_ledger(world: World, version: str) -> None:
    entries = 0
    for pocket in world.pockets(LAST):
        for day in fed_business_days(max(FIRST, pocket.opened_on), min(LAST, pocket.closed_on or LAST)):
            for facts in (world.bank_statement(pocket.id, day), world.brokerage_statement(pocket.id, day)):
                assert facts is not None
                body = camt_writer.render(facts, version=version, message_id="m", created_at=MADE_AT)
                asked = Expectation(frozenset({pocket.id}), day, day)
                read = without_loss(camt053.read(body, asked)).frames
                lines = read["statement_entry"]
                assert [cents(amount) for amount in lines["signed_amount"]] == [
                    line.amount_cents if line.credit else -line.amount_cents for line in facts.lines
                ]
                references = read["statement_entry_detail"]["end_to_end_id"].to_list()
                assert references == [line.end_to_end_id for line in facts.lines]
                assert lines["proprietary_code"].to_list() == [line.code for line in facts.lines]
                assert camt053.parse(body).statements[0].foots is True
                entries += lines.height
    assert entries > 300


def test_every_csv_holds_the_rows_of_the_ledger(world: World) -> None:
    days = Expectation(None, FIRST, LAST)
    trades = world.trade_report(None, FIRST, LAST)
    for read in (
        readers.read_trade_report_csv(csv_writer.trade_report(trades), days),
        readers.read_trade_report_kyriba_csv(csv_writer.trade_report_kyriba(trades), days),
    ):
        frame = without_loss(read).frames["trade_report"]
        assert [cents(amount) for amount in frame["amount"]] == [trade.cash_cents for trade in trades]
    marks = world.prices(FIRST, LAST)
    prices = without_loss(readers.read_security_prices(csv_writer.security_prices(marks), days)).frames[
        "security_price"
    ]
    assert [int(price.scaleb(6)) for price in prices["price"]] == [mark.price_micros for mark in marks]
    moves = world.transactions(FIRST, LAST)
    body = csv_writer.transactions_export(moves, MADE_AT)
    read_moves = without_loss(readers.read_transactions_csv(body, days)).frames["api_transaction"]
    signed = [move.amount_cents if move.credit else -move.amount_cents for move in moves]
    assert [cents(amount) for amount in read_moves["signed_amount"]] == signed
    assert read_moves["booked_at_utc"].to_list() == [
        move.booked_at.astimezone(UTC).replace(tzinfo=None) for move in moves
    ]
    all_trades = world.trades(FIRST, LAST)
    read_trades = without_loss(readers.read_trades_csv(csv_writer.trades_export(all_trades, LAST), days)).frames[
        "api_trade"
    ]
    assert read_trades["quantity"].to_list() == [trade.quantity for trade in all_trades]
    auctions = world.reference_auctions(LAST)
    reference = without_loss(readers.read_reference_list(csv_writer.reference_list(auctions)))
    assert reference.frames["security_reference"].height == len(auctions)


def test_every_position_report_holds_the_bills_and_the_cash(world: World) -> None:
    for day in fed_business_days(FIRST, LAST):
        alive = [pocket for pocket in world.pockets(day) if pocket.closed_on is None or day <= pocket.closed_on]
        summaries = [found for pocket in alive if (found := world.position_summary(pocket.id, day)) is not None]
        read = without_loss(
            readers.read_positions(csv_writer.position_summaries(summaries), Expectation(None, day, day))
        ).frames
        assert read["position"]["quantity"].to_list() == [
            position.quantity for summary in summaries for position in summary.positions
        ]
        assert [cents(cash) for cash in read["position_cash"]["cash"]] == [summary.cash_cents for summary in summaries]

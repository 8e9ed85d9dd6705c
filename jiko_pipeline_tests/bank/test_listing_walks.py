"""Listings that the bank pages in other ways, or that it cannot be told the days of."""

import json
from datetime import date
from typing import Any

import pytest

from jiko_pipeline.bank import listings
from jiko_pipeline.bank.errors import ContractBrokenError
from jiko_pipeline_tests.bank.second_bank import Reply, SecondBank
from jiko_pipeline_tests.bank.test_client_calls import Walk, page, walk

__all__ = ["walk"]

STRATEGIES = "GET /api/v2/trading-strategies/"
NOTES = "GET /api/v1/notifications/"
EVENTS = "GET /api/v1/events/"
DAY = date(2024, 6, 5)


def offset_page(items: list[object], offset: object, count: int = 5) -> Reply:
    return Reply(200, {"offset": offset, "count": count, "items": items, "object_type": "List"})


def note(day: int, hour: int = 12) -> dict[str, Any]:
    return {"id": f"note-{day}-{hour}", "created_at": f"2024-06-{day:02d}T{hour:02d}:00:00Z"}


def test_pages_by_offset_are_walked_until_one_is_empty_whatever_count_means(
    second_bank: SecondBank, walk: Walk
) -> None:
    replies = [offset_page(["a", "b"], 0), offset_page(["c"], 2), offset_page([], 3)]
    second_bank.plant(STRATEGIES, *replies, *replies)
    pages = walk(listings.trading_strategies())
    assert [seen.query["offset"] for seen in second_bank.calls(STRATEGIES)] == [["0"], ["2"], ["3"]] * 2
    assert [item.is_last for item in pages] == [False, False, True]


@pytest.mark.parametrize("second", [offset_page(["a"], 1), offset_page(["b"], 0)])
def test_a_bank_that_does_not_heed_the_offset_is_noticed(second_bank: SecondBank, walk: Walk, second: Reply) -> None:
    second_bank.plant(STRATEGIES, offset_page(["a"], 0), second)
    with pytest.raises(ContractBrokenError, match="another page than the one asked for"):
        walk(listings.trading_strategies())


def test_a_falling_listing_is_not_walked_beyond_the_first_day_asked_for(second_bank: SecondBank, walk: Walk) -> None:
    replies = [page([note(9), note(7)], "b"), page([note(5), note(3)], "c")]
    second_bank.plant(NOTES, *replies, *replies, page([note(2)], None))
    pages = walk(listings.notifications(DAY, DAY))
    assert len(second_bank.calls(NOTES)) == 4
    assert pages[-1].is_last


def test_a_rising_listing_is_not_walked_beyond_the_last_day_asked_for(second_bank: SecondBank, walk: Walk) -> None:
    def event(day: int) -> dict[str, Any]:
        return {"event": {"event_id": f"event-{day}", "timestamp": f"2024-06-{day:02d}T12:00:00Z"}}

    second_bank.plant(EVENTS, page([event(5), event(6)], "b"), page([event(7), event(8)], None))
    walk(listings.events(DAY, DAY))
    (call,) = second_bank.calls(EVENTS)
    assert call.query["after"] == ["2024-06-05T03:59:59.999999Z"]


def test_a_listing_in_no_order_of_time_is_walked_to_its_end(second_bank: SecondBank, walk: Walk) -> None:
    replies = [page([note(2), note(9), note(1)], "b"), page([note(5)], None)]
    second_bank.plant(NOTES, *replies, *replies)
    assert len(walk(listings.notifications(DAY, DAY))) == 2


def test_a_row_that_slipped_between_two_pages_brings_the_page_that_shows_it(
    second_bank: SecondBank, walk: Walk
) -> None:
    second_bank.plant(NOTES, page([note(9), note(8)], "b"), page([note(6)], None))
    for _ in range(2):
        second_bank.plant(NOTES, page([note(9)], "b"), page([note(8), note(7)], "c"), page([note(6)], None))
    pages = walk(listings.notifications(date(2024, 6, 1), date(2024, 6, 30)))
    assert [json.loads(item.body)["items"] for item in pages] == [
        [note(9), note(8)],
        [note(6)],
        [note(8), note(7)],
    ]
    assert [item.is_last for item in pages] == [False, False, True]
    assert len(second_bank.calls(NOTES)) == 8


def test_a_listing_that_grew_at_its_end_while_it_was_read_is_believed(second_bank: SecondBank, walk: Walk) -> None:
    second_bank.plant(NOTES, page([note(9)], "b"), page([note(6)], None))
    second_bank.plant(NOTES, page([note(10), note(9)], "b"), page([note(6)], None))
    pages = walk(listings.notifications(date(2024, 6, 1), date(2024, 6, 30)))
    assert [json.loads(item.body)["items"] for item in pages] == [[note(9)], [note(6)], [note(10), note(9)]]
    assert len(second_bank.calls(NOTES)) == 4


def test_earnings_are_asked_for_by_pocket_and_range(second_bank: SecondBank, walk: Walk) -> None:
    where = "GET /api/v2/pockets/pocket-1/earnings/"
    second_bank.plant(where, Reply(200, {"earnings": {"value": 1, "currency": "USD"}}))
    walk(listings.earnings("pocket-1", date(2024, 5, 1), date(2024, 5, 31)))
    (call,) = second_bank.calls(where)
    assert call.query == {"period": ["range"], "date_from": ["2024-05-01"], "date_to": ["2024-05-31"]}

"""Lists of the client whose cursor expires while they are read."""

from collections.abc import Callable

import pytest

from jiko_pipeline.bank.connection import connect
from jiko_pipeline.bank.errors import ValidationRefusedError
from jiko_pipeline.settings import Settings
from jiko_pipeline_tests.bank.second_bank import Reply, SecondBank, StillClock

Make = Callable[..., Settings]
GET_POCKETS = "GET /api/v2/pockets/"
EXPIRED = Reply(422, {"detail": [{"loc": ["query", "cursor"], "msg": "expired", "type": "value_error"}]})


def page(*identifiers: str, following: str | None = None) -> Reply:
    items = [{"id": one, "pocket_name": one, "status": "OPEN", "deposit_strategy_id": "UST-4W"} for one in identifiers]
    return Reply(200, {"items": items, "next_page": following})


def test_a_list_whose_cursor_expired_goes_on_without_giving_an_item_twice(
    second_bank: SecondBank, settings_for: Make, still: StillClock
) -> None:
    second_bank.plant(GET_POCKETS, page("a", "b", following="1"), EXPIRED, page("new", "a", following="2"))
    second_bank.plant(GET_POCKETS, page("b", "c"))
    with connect(settings_for(), clock=still.clock) as bank:
        assert [pocket.id for pocket in bank.client.pockets.list()] == ["a", "b", "new", "c"]
    assert [seen.query.get("cursor") for seen in second_bank.calls(GET_POCKETS)] == [None, ["1"], None, ["2"]]


def test_a_list_begins_anew_once(second_bank: SecondBank, settings_for: Make, still: StillClock) -> None:
    second_bank.plant(GET_POCKETS, page("a", following="1"), EXPIRED, page("a", following="2"), EXPIRED)
    given = []
    with connect(settings_for(), clock=still.clock) as bank, pytest.raises(ValidationRefusedError):
        for pocket in bank.client.pockets.list():
            given.append(pocket.id)  # what was given before the error counts
    assert given == ["a"]
    assert len(second_bank.calls(GET_POCKETS)) == 4


def test_a_first_page_that_is_refused_is_not_asked_for_again(
    second_bank: SecondBank, settings_for: Make, still: StillClock
) -> None:
    second_bank.plant(GET_POCKETS, EXPIRED)
    with connect(settings_for(), clock=still.clock) as bank, pytest.raises(ValidationRefusedError):
        list(bank.client.pockets.list())
    assert len(second_bank.calls(GET_POCKETS)) == 1

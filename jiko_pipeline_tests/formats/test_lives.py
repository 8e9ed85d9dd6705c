"""The life of a pocket from listings of its first and last movement."""

import json
from datetime import date

from jiko_pipeline.formats.lives import read_pocket_lives
from jiko_pipeline.formats.reading import Expectation


def test_the_life_of_a_pocket_is_that_of_the_first_row_of_a_page() -> None:
    def page(*days: int) -> bytes:
        rows = [
            {
                "id": f"a{day}",
                "transaction_id": f"t{day}",
                "pocket_id": "p",
                "type": "ACH",
                "status": "SETTLED",
                "direction": "CREDIT",
                "amount": {"value": 1, "currency": "USD"},
                "time_booked": f"2024-07-{day:02}T15:00:00Z",
            }
            for day in days
        ]
        return json.dumps({"items": rows}).encode()

    def life(*pages: bytes) -> tuple[object, ...]:
        reading = read_pocket_lives(pages, Expectation())
        (row,) = reading.frames["pocket_life"].select("first_activity_on", "last_activity_on").rows()
        return row

    assert life(page(1, 2, 3)) == (date(2024, 7, 1), None)
    assert life(page(1, 2, 3), page(9, 8, 7)) == (date(2024, 7, 1), date(2024, 7, 9))

"""Whole syncs at a bank that misbehaves in each of its ways: what was published stays, and the next sync is whole.

"Whole" is shown by the controls, which compare the listings with the statements, and by a sync that asks for everything
again and changes nothing.
"""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from jiko_pipeline.bank.request_log import LoggedRequest, read_requests
from jiko_pipeline_tests.bank import chaos_rig
from jiko_pipeline_tests.bank.chaos_oracle import endings, unexplained
from jiko_pipeline_tests.bank.chaos_rig import rule
from jiko_pipeline_tests.operation.command_line import DataDirectory, data_directories
from jiko_pipeline_tests.operation.conftest import ONE_POCKET

DAYS = ("2024-06-27", "2024-06-28", "2024-07-01", "2024-07-02", "2024-07-03", "2024-07-05")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataDirectory]:
    """One pocket, its listings read in small pages; each test disturbs a day of its own."""
    settings = {**ONE_POCKET, "JIKO_PAGE_LIMIT": "3", "JIKO_POLL_DEADLINE_SECONDS": "2"}
    with data_directories() as made:
        made.append(DataDirectory(tmp_path_factory.mktemp("faults") / "data", settings))
        assert made[0].sync(DAYS[0], DAYS[0]).exit_code == 0
        yield made[0]


def ready(directory: DataDirectory) -> list[str]:
    """The days that are closed and proved."""
    query = "select business_date::varchar from mart.daily_close where ready_to_book order by 1"
    return [day for (day,) in directory.rows(query)]


def close_the_days_before(directory: DataDirectory, day: str) -> None:
    """Sync what other tests, had they run before in this directory, would have."""
    before = [each for each in DAYS if each < day]
    if not set(before) <= set(ready(directory)):
        assert directory.sync(before[0], before[-1]).exit_code == 0


def days_before(directory: DataDirectory, day: str) -> dict[str, list[tuple[Any, ...]]]:
    """The facts that are published of the days before `day`, by table, and which of these days are proved.

    What judges them is made anew by each run.
    """
    with duckdb.connect(str(directory.path / "treasury.duckdb"), read_only=True) as con:
        tables = con.execute(
            "select distinct table_schema || '.' || table_name from information_schema.columns"
            " where column_name = 'business_date' and table_schema = 'core'"
        ).fetchall()
        facts = {
            table: con.execute(f"select * from {table} where business_date < ? order by all", [day]).fetchall()
            for (table,) in sorted(tables)
        }
    return {**facts, "proved": [(each,) for each in ready(directory) if each < day]}


def requests(directory: DataDirectory) -> dict[str, LoggedRequest]:
    """What the syncs of a directory noted of their requests."""
    return read_requests(sorted((directory.path / "bank" / "requests").glob("*.jsonl")))


@pytest.mark.fault_rows(34, 44, 45, 53)
def test_lists_that_move_and_lose_their_token_while_they_are_read_are_loaded_whole(
    directory: DataDirectory,
) -> None:
    day = DAYS[1]
    close_the_days_before(directory, day)
    lists = {"path": "/api/v2/transactions/", "query": {"cursor": "*"}}
    with chaos_rig.chaos(
        directory,
        rule("drift", change="shift", times=1, match=lists),
        rule("drift", change="repeat", times=1, match=lists),
        rule("unsorted", match={"path": "/api/v2/transactions/"}),
        rule("revoke_token", times=1, match=lists),
    ):
        disturbed = directory.sync(day, day)
        assert {"drift", "unsorted", "revoke_token"} == set(chaos_rig.injected(directory))
        assert unexplained(chaos_rig.log(directory), requests(directory)) == []
    # Every control passes, those among them that compare the listings with the statements.
    assert disturbed.exit_code == 0, disturbed.out + disturbed.err


@pytest.mark.fault_rows(2, 58, 71)
@pytest.mark.parametrize(
    ("day", "fault", "exit_code", "said"),
    [
        (DAYS[2], rule("down", origin="storage"), 20, "no connection"),
        (
            DAYS[3],
            rule("field_value", name="status", value="PENDING", match={"path": "/api/v1/report-requests/*"}),
            20,
            "not ready yet",
        ),
        (DAYS[4], rule("link_to", to="evil", match={"path": "/api/v1/reports/*"}), 30, "the host is not allowed"),
    ],
    ids=["storage is down", "pending for ever", "address elsewhere"],
)
def test_reports_that_do_not_come_leave_the_days_before_whole_and_are_taken_up_with_the_same_orders(
    directory: DataDirectory, day: str, fault: chaos_rig.Json, exit_code: int, said: str
) -> None:
    close_the_days_before(directory, day)
    before, orders = days_before(directory, day), directory.orders()
    with chaos_rig.chaos(directory, fault):
        disturbed = directory.sync(day, day)
        assert disturbed.exit_code == exit_code, disturbed.out + disturbed.err
        assert said in " ".join(disturbed.told["notes"])
        assert chaos_rig.incidents(directory)["evil"] == []
    assert day not in ready(directory)
    assert days_before(directory, day) == before
    ordered = directory.orders()
    assert ordered > orders
    answer = directory.sync(day, day)
    assert answer.exit_code == 0, answer.out + answer.err
    assert directory.orders() == ordered
    assert day in ready(directory)


def test_every_fault_of_a_storm_is_explained_and_three_quiet_syncs_at_most_prove_the_day(
    directory: DataDirectory,
) -> None:
    day = DAYS[5]
    close_the_days_before(directory, day)
    before = days_before(directory, day)
    chaos_rig.reset(directory, profile="storm", seed=1)
    answer = directory.sync(day, day)
    injected = chaos_rig.log(directory)
    chaos_rig.reset(directory)
    assert "Traceback" not in answer.err, answer.err
    found = endings(injected, requests(directory))
    assert [ending for ending in found.values() if ending.startswith("unexplained")] == []
    assert len(found) == len(injected) > 0
    assert days_before(directory, day) == before
    for _ in range(3):
        if day not in ready(directory):
            answer = directory.sync(day, day)
    assert answer.exit_code == 0, answer.out + answer.err
    assert day in ready(directory)

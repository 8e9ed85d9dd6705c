"""`jiko sync` at a bank that misbehaves: what can be loaded is loaded, what was published stays, nothing is lost."""

from collections.abc import Iterator

import pytest

from jiko_pipeline_tests.bank import chaos_rig
from jiko_pipeline_tests.bank.chaos_rig import rule
from jiko_pipeline_tests.operation.command_line import DataDirectory, data_directories

THREADS = 8


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataDirectory]:
    """Two pockets, one day of them synced; each test goes on with a day of its own."""
    with data_directories() as made:
        made.append(DataDirectory(tmp_path_factory.mktemp("faults") / "data", {"JIKO_SIMULATOR_POCKETS": "2"}))
        assert made[0].sync("2024-06-27", "2024-06-27").exit_code == 0
        yield made[0]


@pytest.mark.fault_rows(27)
def test_a_listing_that_is_none_publishes_nothing_and_the_next_sync_loses_nothing(directory: DataDirectory) -> None:
    day = "2024-06-28"
    before = directory.hashes()
    with chaos_rig.chaos(directory, rule("json_error", match={"path": "/api/v2/transactions/"})):
        disturbed = directory.sync(day, day)
        assert disturbed.exit_code == 30
        assert "without a list of items" in disturbed.err
    assert directory.hashes() == before
    # Every control passes, those among them that compare the listings with the statements.
    assert directory.sync(day, day).exit_code == 0
    assert directory.hashes() != before


def test_listings_that_fail_are_told_and_the_day_is_closed_without_them(directory: DataDirectory) -> None:
    day = "2024-07-01"
    # A day can be booked on the day before it, whichever test ran first.
    assert directory.sync("2024-06-28", "2024-06-28").exit_code == 0
    with chaos_rig.chaos(
        directory,
        rule("json_error", match={"path": "/api/v1/notifications/"}),
        rule("status", match={"path": "/api/v1/events/"}, status=422),
        rule("status", match={"path": "/api/v1/team/audit-logs/"}, status=403),
        rule("status", match={"path": "/api/v1/statements/"}, status=404),
        rule("html", match={"path": "/api/v1/team/"}),
        rule("json_error", match={"path": "/api/v1/customer/"}),
    ):
        answer = directory.sync(day, day)
    assert answer.exit_code == 40, answer.err
    for kind in ("NOTIFICATIONS", "EVENTS", "AUDIT_LOGS", "MONTHLY_STATEMENTS", "TEAM"):
        assert f"{kind} is not landed" in " ".join(answer.told["notes"])
    closed = "select count(*) from mart.daily_close where business_date = ? and ready_to_book"
    assert directory.rows(closed, [day]) == [(2,)]
    assert directory.rows("select count(*) from core.customer where known_to_utc is null") == [(1,)]
    assert directory.rows("select count(*) > 0 from core.team_member where known_to_utc is null") == [(True,)]


@pytest.mark.fault_rows(30)
def test_a_pocket_that_is_closed_to_us_is_told_and_the_others_are_loaded(directory: DataDirectory) -> None:
    day = "2024-07-02"
    closed, other = [pocket for (pocket,) in directory.rows("select pocket_id from core.pocket order by pocket_id")]
    forbidden = {"status": 403, "body": {"detail": "forbidden"}}
    with chaos_rig.chaos(
        directory,
        rule("status", match={"path": "/api/*", "body": closed}, **forbidden),
        rule("status", match={"path": "/api/*", "query": {"pocket[]": closed}}, **forbidden),
    ):
        answer = directory.sync(day, day)
    assert answer.exit_code == 30
    assert closed[:8] in answer.out + answer.err
    loaded = directory.rows(
        "select distinct pocket_id from raw.document where document_kind = 'BANK_STATEMENT' and first_date = ?", [day]
    )
    assert loaded == [(other,)]


@pytest.mark.fault_rows(149)
def test_without_the_scope_of_orders_the_other_streams_go_on(directory: DataDirectory) -> None:
    day = "2024-07-03"
    listed = "select count(*) from raw.document where document_kind = 'API_TRANSACTIONS' and last_date = ?"
    assert directory.rows(listed, [day]) == [(0,)]
    orders = directory.orders()
    with chaos_rig.chaos(directory, rule("scope_reduced", without=["reports.write"])):
        answer = directory.sync(day, day)
    assert answer.exit_code == 40
    assert "reports.write" in answer.out + answer.err
    assert directory.rows(listed, [day]) == [(1,)]
    # Those that were under way when the first was refused.
    assert directory.orders() - orders <= THREADS

"""The embedded simulator as the pipeline meets it: one process a data directory, found, started, taken up again."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from jiko_pipeline import calendars
from jiko_pipeline.bank import listings
from jiko_pipeline.bank.clock import SYSTEM_CLOCK, Clock
from jiko_pipeline.bank.connection import connect
from jiko_pipeline.bank.contract import OutputFormat, ReportType
from jiko_pipeline.bank.order_book import OrderBook
from jiko_pipeline.bank.orders import DeliveredReport, Outcome, fetch_reports
from jiko_pipeline.bank.processes import start_mark
from jiko_pipeline.bank.report_requests import LIST_REQUESTS, ReportPull
from jiko_pipeline.bank.simulator_process import find_or_start
from jiko_pipeline.errors import ExitCode, JikoPipelineError, SettingsError
from jiko_pipeline.settings import Settings, load_settings

FIRST, LAST = date(2024, 6, 12), date(2024, 6, 21)
Make = Callable[..., Settings]


def announcement(settings: Settings) -> dict[str, Any]:
    return json.loads((settings.simulator_dir / "simulator.json").read_text())


def end_process(pid: int, number: int) -> None:
    os.kill(pid, number)
    while start_mark(pid) is not None:
        time.sleep(0.01)


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Make]:
    """Settings of a data directory of this test; its simulator is ended afterwards."""
    made: list[Settings] = []

    def make(**overrides: object) -> Settings:
        settings = load_settings(**{"data_dir": tmp_path / "data", "threads": 4, **overrides})
        made.append(settings)
        return settings

    yield make
    for settings in made:
        file = settings.simulator_dir / "simulator.json"
        if file.exists() and start_mark(announcement(settings)["pid"]) is not None:
            end_process(announcement(settings)["pid"], signal.SIGTERM)


def counters(settings: Settings) -> dict[str, Any]:
    state = announcement(settings)
    headers = {"X-Simulator-Token": state["control_token"]}
    with httpx.Client(trust_env=False) as client:
        return client.get(f"{state['api_url']}/__simulator__/counters", headers=headers).json()


def statements(settings: Settings) -> list[ReportPull]:
    """Bank and brokerage statements and positions of a pocket that moved early."""
    with connect(settings) as bank:
        (page, *_) = bank.pages(listings.transactions(date(2024, 6, 3), date(2024, 6, 3)))
    pocket = min(item["pocket_id"] for item in json.loads(page.body)["items"])
    forms = {
        ReportType.BANK_STATEMENT: OutputFormat.CAMT053,
        ReportType.BROKERAGE_STATEMENT: OutputFormat.CAMT053,
        ReportType.POSITION_SUMMARY: OutputFormat.CSV,
    }
    days = calendars.fed_business_days(FIRST, LAST)
    return [ReportPull(kind, (form,), pocket, day, day) for day in days for kind, form in forms.items()]


def fetch(
    settings: Settings, pulls: list[ReportPull], deliver: Callable[[DeliveredReport], object] = lambda _report: None
) -> Outcome:
    with connect(settings) as bank, OrderBook(settings.data_dir / "bank" / "orders.sqlite") as book:
        return fetch_reports(bank, book, pulls, deliver)


def test_it_is_started_once_and_found_again(embedded: Make) -> None:
    settings = embedded()
    first = find_or_start(settings)
    assert find_or_start(settings) == first
    with connect(settings) as bank:
        assert bank.identity.world_id == first.world_id
        assert (bank.identity.environment, bank.identity.api_origin) == ("simulator", "simulator")


def test_processes_that_need_it_at_once_start_one(embedded: Make) -> None:
    settings = embedded()
    code = (
        "import sys; from jiko_pipeline.settings import load_settings;"
        "from jiko_pipeline.bank.simulator_process import find_or_start;"
        "print(find_or_start(load_settings(data_dir=sys.argv[1])).pid)"
    )
    command = [sys.executable, "-c", code, str(settings.data_dir)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = {process.communicate()[0].strip() for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(answers) == 1


def test_it_outlives_the_process_that_started_it_and_speaks_to_nobody_elses_terminal(embedded: Make) -> None:
    running = find_or_start(embedded())
    assert os.getsid(running.pid) != os.getsid(0)


def test_settings_of_another_world_are_refused_while_it_runs_and_afterwards(embedded: Make) -> None:
    settings = embedded()
    running = find_or_start(settings)
    other = settings.model_copy(update={"simulator_seed": 8})
    with pytest.raises(SettingsError, match="JIKO_SIMULATOR_SEED") as caught:
        find_or_start(other)
    assert caught.value.exit_code == ExitCode.CREDENTIALS_OR_SETTINGS
    end_process(running.pid, signal.SIGTERM)
    with pytest.raises(SettingsError, match="does not start with these settings"):
        find_or_start(other)


def test_other_limits_start_it_anew_as_the_same_bank(embedded: Make) -> None:
    settings = embedded()
    before = find_or_start(settings)
    after = find_or_start(settings.model_copy(update={"simulator_limits": "documented"}))
    assert after.pid != before.pid
    assert after.world_id == before.world_id


def test_a_record_of_a_process_number_that_now_is_another_process_is_not_believed(embedded: Make) -> None:
    settings = embedded()
    running = find_or_start(settings)
    state = announcement(settings)
    end_process(running.pid, signal.SIGKILL)
    file = settings.simulator_dir / "simulator.json"
    file.write_text(json.dumps({**state, "pid": os.getpid()}))
    assert find_or_start(settings).pid not in (running.pid, os.getpid())


def test_a_killed_simulator_comes_back_as_the_same_bank_and_orders_are_taken_up(embedded: Make) -> None:
    settings = embedded()
    pulls = statements(settings)
    never = settings.model_copy(update={"poll_deadline_seconds": 1e-6})
    assert len(fetch(never, pulls).pending) == len(pulls)
    world = announcement(settings)["world_id"]
    end_process(announcement(settings)["pid"], signal.SIGKILL)
    outcome = fetch(settings, pulls)
    assert len(outcome.delivered) == len(pulls)
    assert announcement(settings)["world_id"] == world
    with connect(settings) as bank:
        assert bank.calls["reports.order"] == 0


def test_calls_stay_near_two_for_each_report(embedded: Make) -> None:
    settings = embedded()
    pulls = statements(settings)
    with connect(settings) as bank, OrderBook(settings.data_dir / "bank" / "orders.sqlite") as book:
        outcome = fetch_reports(bank, book, pulls, lambda _report: None)
        api_calls = bank.calls.total() - bank.calls["download"] - bank.calls["sign_in"]
    assert len(outcome.delivered) == len(pulls)
    assert 2 <= api_calls / len(pulls) <= 2.5
    assert fetch(settings, pulls).already == pulls


@pytest.mark.parametrize("survived", [0, 5])
def test_a_run_killed_while_delivering_orders_nothing_twice(embedded: Make, survived: int) -> None:
    settings = embedded()
    pulls = statements(settings)
    kept = multiprocessing.get_context("fork").Value("i", 0)

    def run_and_die() -> None:
        def deliver(_report: DeliveredReport) -> None:
            if kept.value == survived:
                os._exit(9)
            kept.value += 1

        fetch(settings, pulls, deliver)

    child = multiprocessing.get_context("fork").Process(target=run_and_die)
    child.start()
    child.join()
    assert child.exitcode == 9
    outcome = fetch(settings, pulls)
    assert len(outcome.delivered) + len(outcome.already) == len(pulls)
    assert len(outcome.already) == survived
    assert orders_at_the_bank(settings) == len(pulls)


@pytest.mark.parametrize("survived", [0, 3])
def test_a_run_killed_between_ordering_and_writing_it_down_orders_nothing_twice(
    embedded: Make, survived: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = embedded().model_copy(update={"threads": 1})
    pulls = statements(settings)[:6]

    def run_and_die() -> None:
        record = OrderBook.record_order
        left = [survived]

        def die_before_recording(*arguments: Any) -> bool:
            if left[0] == 0:
                os._exit(9)
            left[0] -= 1
            return record(*arguments)

        monkeypatch.setattr(OrderBook, "record_order", die_before_recording)
        fetch(settings, pulls)

    child = multiprocessing.get_context("fork").Process(target=run_and_die)
    child.start()
    child.join()
    assert child.exitcode == 9
    assert orders_at_the_bank(settings) == survived + 1
    assert len(fetch(settings, pulls).delivered) == len(pulls)
    assert orders_at_the_bank(settings) == len(pulls)


def orders_at_the_bank(settings: Settings) -> int:
    """How many report requests exist, counted by walking the bank's own list."""
    with connect(settings) as bank:
        path, query = "/api/v1/report-requests/", [("limit", "100")]
        document = json.loads(bank.api.call(LIST_REQUESTS, path, query=query).body)
    assert document["next_page"] is None
    return len(document["items"])


def test_every_listing_is_answered(embedded: Make) -> None:
    day = (FIRST, LAST)
    wanted = [
        listings.pockets(),
        listings.transactions(*day),
        listings.transactions_csv(*day),
        listings.trades_v1(*day),
        listings.trades_v2(*day),
        listings.trades_csv(*day),
        listings.monthly_statements("2024-06"),
        listings.reference_list(),
    ]
    with connect(embedded(page_limit=7)) as bank:
        for listing in wanted:
            pages = list(bank.pages(listing))
            assert pages[-1].is_last, listing
            assert all(page.body for page in pages), listing
        walked = [item for page in bank.pages(listings.transactions(*day)) for item in json.loads(page.body)["items"]]
        csv_lines = b"".join(page.body for page in bank.pages(listings.transactions_csv(*day))).count(b"\n") - 1
    assert len(walked) == csv_lines > 7
    assert len({item["id"] for item in walked}) == len(walked)


def test_the_client_of_a_real_bank_works_against_it_by_settings_alone(embedded: Make, tmp_path: Path) -> None:
    simulated = embedded()
    find_or_start(simulated)
    state = announcement(simulated)
    settings = load_settings(
        environment="sandbox",
        api_url=state["api_url"],
        auth_url=state["auth_url"],
        download_hosts=state["storage_host"],
        client_id=state["client_id"],
        key_id=state["key_id"],
        private_key_file=state["private_key_file"],
        data_dir=tmp_path / "other",
        poll_base_seconds=0.05,
    )
    pulls = statements(settings)[:3]
    assert len(fetch(settings, pulls).delivered) == 3
    with connect(settings) as bank:
        assert bank.identity.world_id == "jiko"
        assert bank.identity.api_origin == state["api_url"]


def test_tight_limits_are_kept_to_and_never_run_into(embedded: Make) -> None:
    settings = embedded(simulator_limits="tight")
    find_or_start(settings)
    state = announcement(settings)
    moved_on = [0.0]

    def sleep(seconds: float) -> None:
        # Nobody waits: the client's clock and the bank's are moved on together.
        moved_on[0] += seconds
        with httpx.Client(trust_env=False) as client:
            client.post(
                f"{state['api_url']}/__simulator__/clock",
                json={"advance_seconds": seconds},
                headers={"X-Simulator-Token": state["control_token"]},
            ).raise_for_status()

    clock = Clock(
        wall=lambda: SYSTEM_CLOCK.wall() + timedelta(seconds=moved_on[0]),
        monotonic=lambda: SYSTEM_CLOCK.monotonic() + moved_on[0],
        sleep=sleep,
    )
    with connect(settings, clock=clock) as bank:
        for _ in range(40):
            list(bank.pages(listings.trades_v2(FIRST, FIRST)))
        # A request that was answered 429 would have been sent, and counted, once more.
        assert bank.calls["list_trades_v2"] == 40
    assert moved_on[0] > 60


def test_a_simulator_that_does_not_start_says_why(embedded: Make) -> None:
    with pytest.raises(JikoPipelineError) as caught:
        find_or_start(embedded(simulator_fault="no-such-fault"))
    assert "no-such-fault" in str(caught.value)


def test_what_it_writes_is_for_its_owner_only(embedded: Make) -> None:
    settings = embedded()
    fetch(settings, statements(settings)[:2])
    for path in [settings.simulator_dir, *settings.simulator_dir.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_its_storage_saw_no_credential(embedded: Make) -> None:
    settings = embedded()
    fetch(settings, statements(settings)[:3])
    counted = counters(settings)
    assert counted["storage_incidents"] == 0

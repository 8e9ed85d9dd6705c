"""Sign-in and rate limits under the load they are made for: many threads, and two processes at once.

The short forms run in every test run; the long ones, with the whole figures, are marked `soak`.
"""

import multiprocessing
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import monotonic

import pytest

from jiko_pipeline import calendars
from jiko_pipeline.bank.connection import connect
from jiko_pipeline.bank.operations import OPERATIONS
from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline.simulator.server.limits import LimitGroup, LimitProfile
from jiko_pipeline_tests.bank import statement_courier
from jiko_pipeline_tests.bank.chaos_rig import chaos, rule
from jiko_pipeline_tests.bank.simulator_rig import ServedBank, served
from jiko_pipeline_tests.bank.statement_courier import Errand, Told, simulator_settings
from jiko_pipeline_tests.bank.virtual_clock import SharedTime

THREADS = 8
LAST_DAY = date(2024, 9, 30)
TOKEN_SECONDS = 2
PROCESSES = 2
REPORT_CALLS = ("reports.order", "reports.list_requests", "reports.get_request", "reports.link")


def calls_by_operation(bank: ServedBank) -> Counter[str]:
    return Counter(bank.control("GET", "counters")["calls"])


@pytest.mark.fault_rows(38)
@pytest.mark.parametrize("requests", [1_000, pytest.param(10_000, marks=pytest.mark.soak)])
def test_short_lived_tokens_are_renewed_once_a_period_and_no_request_fails(
    tmp_path: Path, requests: int, record_property: Callable[[str, object], None]
) -> None:
    # A period is the whole life of a token. Time is the real one.
    operation = OPERATIONS["trading_strategies.list"]
    with served(ServeOptions(tmp_path / "simulator"), signed_in=False) as bank:
        with chaos(bank, rule("token_life", seconds=TOKEN_SECONDS)):
            settings = simulator_settings(bank.announcement, tmp_path / "data", threads=THREADS)
            with connect(settings) as connection, ThreadPoolExecutor(THREADS) as pool:
                started = monotonic()
                answers = list(
                    pool.map(lambda _: connection.api.call(operation, operation.path).status, range(requests))
                )
                elapsed = monotonic() - started
                calls = connection.calls
        arrived = calls_by_operation(bank)
    assert answers == [200] * requests
    assert calls["sign_in"] <= elapsed / TOKEN_SECONDS + 1
    # The bank refuses an assertion whose jti it has seen; each of these was accepted.
    assert arrived["token"] == calls["sign_in"]
    record_property("figures", f"{requests} requests in {elapsed:.1f} s, {calls['sign_in']} sign-ins")


@pytest.mark.parametrize(
    ("limits", "pockets", "days"),
    [
        (LimitProfile.TIGHT, 10, 5),
        pytest.param(LimitProfile.DOCUMENTED, 100, 31, marks=pytest.mark.soak),
    ],
)
def test_two_processes_at_once_use_most_of_the_limit_and_never_pass_it(
    tmp_path: Path, limits: LimitProfile, pockets: int, days: int, record_property: Callable[[str, object], None]
) -> None:
    wanted = [LAST_DAY]
    while len(wanted) < days:
        wanted.append(calendars.previous_fed_business_day(wanted[-1]))
    # All pockets have opened by then, and some have closed.
    options = ServeOptions(
        tmp_path / "simulator",
        config=WorldConfig(pockets=2 * pockets),
        limits=limits,
        now=datetime.combine(LAST_DAY + timedelta(days=2), time(16), UTC),
    )
    context = multiprocessing.get_context("spawn")
    with served(options) as bank:
        listed = bank.walk("/api/v2/pockets/", limit=100)
        ids = [str(pocket["id"]) for pocket in listed if pocket["status"] == "OPEN"][:pockets]
        assert len(ids) == pockets
        ahead = (bank.now() - datetime.now(UTC)).total_seconds()
        shared = context.Array("d", SharedTime.slots(PROCESSES))
        told: multiprocessing.Queue[Told | str] = context.Queue()
        before = calls_by_operation(bank)
        children = [
            context.Process(
                target=statement_courier.run,
                args=(
                    Errand(
                        number,
                        bank.announcement,
                        tmp_path / "data",
                        tuple(ids[number - 1 :: PROCESSES]),
                        tuple(wanted),
                        ahead,
                    ),
                    shared,
                    told,
                ),
            )
            for number in range(1, PROCESSES + 1)
        ]
        for child in children:
            child.start()
        ends = [told.get() for _ in children]
        for child in children:
            child.join()
        arrived = calls_by_operation(bank) - before
    fetched = [end for end in ends if isinstance(end, Told)]
    assert len(fetched) == PROCESSES, ends
    reports = pockets * days * 2
    assert (sum(end.delivered for end in fetched), sum(end.left for end in fetched)) == (reports, 0), fetched
    sent = sum((end.calls for end in fetched), Counter[str]())
    calls = sum(sent[name] for name in REPORT_CALLS)
    minutes = (max(end.ended for end in fetched) - min(end.started for end in fetched)) / 60
    limit = limits.limit_of(LimitGroup.REPORTS)
    assert limit is not None
    used = calls / (minutes * limit)
    record_property(
        "figures", f"{reports} reports, {calls} calls, {minutes:.1f} minutes, {used:.1%} of the limit, {arrived}"
    )
    # A request that was answered by 429 would have come again, and be counted by the bank twice.
    assert (arrived["create_report_request"], arrived["link_report"]) == (reports, reports)
    assert arrived["list_report_requests"] == sent["reports.list_requests"]
    assert used >= 0.72
    assert calls / reports <= 2.2

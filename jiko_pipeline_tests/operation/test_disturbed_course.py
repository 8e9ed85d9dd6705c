"""Any course of days on which the bank trades, restates and deletes and runs fail at any step, against one undisturbed.

Two banks of one seed do the same. One pipeline is disturbed, the other one never. Whenever both have gone over the
same days of the same banks their tables are equal.
"""

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from jiko_pipeline.errors import ExitCode
from jiko_pipeline.failpoints import EXIT_CODE, FAILPOINTS
from jiko_pipeline.simulator.documents import delimited
from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline.simulator.world import World
from jiko_pipeline.warehouse.tables import TABLES
from jiko_pipeline_tests.bank import chaos_rig
from jiko_pipeline_tests.bank.simulator_rig import ServedBank, served
from jiko_pipeline_tests.operation.command_line import DataDirectory
from jiko_pipeline_tests.operation.disturbed_runs import OUT_OF_MEMORY, Run, exit_codes_of, warm_processes
from jiko_pipeline_tests.operation.warm_sync import doubled

CONFIG: Final = WorldConfig(seed=7, pockets=1, start=date(2024, 6, 3))
DAYS: Final = (date(2024, 7, 1), date(2024, 7, 2), date(2024, 7, 3))
"""One pocket; the first day has the fees and the monthly statements of June."""
NOW: Final = datetime(2024, 9, 2, 15, tzinfo=UTC)
"""The bank's clock at the start, long after those days, so that no order of ours is among what they list."""
FILES: Final = {"path": "/files/*"}
KINDS: Final = ("exit", "enospc", "eio", "memory")
FOUND_FAILING: Final = {EXIT_CODE, int(ExitCode.STORAGE), OUT_OF_MEMORY}
"""How a run ends that a failpoint has met."""
FINE: Final = {int(ExitCode.OK), int(ExitCode.NOT_PROVED)}
"""How any other run ends: what the bank has done to its books may keep a document out."""
MOST_RUNS: Final = 12
"""Runs after which a course only makes up for failures: a run takes long, and what is left of it is one more."""


def _swap(find: str, put: str, match: Mapping[str, str] = FILES) -> chaos_rig.Json:
    return chaos_rig.rule("replace", match=dict(match), find=find, put=put)


@cache
def _world() -> World:
    return World(CONFIG)


def _reported(day: date) -> list[str]:
    """The lines of a day's trades, in both forms of the report."""
    trades = _world().trade_report(None, day, day)
    written = (delimited.trade_report(trades), delimited.trade_report_kyriba(trades))
    return [line for body in written for line in body.decode().splitlines(keepends=True)[1:]]


def late_trades(bank: ServedBank) -> list[chaos_rig.Json]:
    """The trades of the second day are in no report yet."""
    return [_swap(line, "") for line in _reported(DAYS[1])]


def restated_price(bank: ServedBank) -> list[chaos_rig.Json]:
    """The first day's trades are stated with another price."""
    price = _reported(DAYS[0])[0].split(",")[12]
    return [_swap(price, f"{price[:-1]}{9 - int(price[-1])}")]


def restated_statement(bank: ServedBank) -> list[chaos_rig.Json]:
    """The first entry of a bank statement is a cent more than it was, which its balances do not bear out."""
    statement = _world().bank_statement(_world().pockets(DAYS[1])[0].id, DAYS[1])
    assert statement is not None
    cents = statement.lines[0].amount_cents
    before, after = (f'<Amt Ccy="USD">{each // 100}.{each % 100:02d}</Amt>' for each in (cents, cents + 1))
    return [_swap(before, after)]


def cut_positions(bank: ServedBank) -> list[chaos_rig.Json]:
    """The positions of the third day are a page for people."""
    summary = _world().position_summary(_world().pockets(DAYS[2])[0].id, DAYS[2])
    assert summary is not None
    return [_swap(delimited.position_summaries([summary]).decode(), "<html>Sign in</html>\n")]


def deleted_transaction(bank: ServedBank) -> list[chaos_rig.Json]:
    """A movement of the first day is in no listing any more."""
    bank.sign_in()
    gone = _world().transactions(DAYS[0], DAYS[0])[0].id
    bounds = {"time_booked_from": f"{DAYS[0]}T04:00:00Z", "time_booked_to": f"{DAYS[1]}T04:00:00Z", "limit": "100"}
    page = bank.http.get("/api/v2/transactions/", params=bounds).text
    start = page.rindex('{"type"', 0, page.index(f'"id":"{gone}"'))
    _, end = json.JSONDecoder().raw_decode(page, start)
    words = page[start:end]
    lines = bank.http.get("/api/v2/transactions.csv", params=bounds).text.splitlines(keepends=True)
    (line,) = [line for line in lines if line.startswith(gone)]
    listing = {"path": "/api/v2/transactions/"}
    return [
        _swap(f"{words},", "", listing),
        _swap(f",{words}", "", listing),
        _swap(f"[{words}]", "[]", listing),
        _swap(line, "", {"path": "/api/v2/transactions.csv"}),
    ]


ALTERATIONS: Final[Mapping[str, Callable[[ServedBank], list[chaos_rig.Json]]]] = {
    each.__name__: each
    for each in (late_trades, restated_price, restated_statement, cut_positions, deleted_transaction)
}
"""What a bank may do to its books, and undo: the trades come, the right price is stated again."""


class Course(RuleBasedStateMachine):
    """Two pipelines at two equal banks, over the days that have come so far.

    `path` is what a run meets: the alterations in force, the days and the clock. Runs of one path give the same
    tables, version for version. A run that fails on one path and is made up for on another may have seen what the
    undisturbed pipeline never saw: from then on (`strayed`) only what is current is compared, once all documents
    were asked for again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.folder = Path(mkdtemp(prefix="course-"))
        self.processes = warm_processes()
        self.banks: list[ServedBank] = []
        for name in ("disturbed", "twin"):
            options = ServeOptions(state_dir=self.folder / f"{name}-bank", config=CONFIG, now=NOW)
            self.banks.append(self.stack.enter_context(served(options)))
        self.disturbed, self.twin = (DataDirectory(self.folder / name) for name in ("disturbed", "twin"))
        self.alterations = {name: alter(self.banks[0]) for name, alter in ALTERATIONS.items()}
        self.in_force = {"late_trades"}
        self.passed = 0
        self.runs = 0
        self.failed_on: object = None
        self.strayed = False
        self._state_to_banks()

    @property
    def path(self) -> tuple[frozenset[str], int]:
        return frozenset(self.in_force), self.passed

    @rule(name=st.sampled_from(sorted(ALTERATIONS)))
    def the_bank_alters_its_books(self, name: str) -> None:
        self.in_force ^= {name}
        self._state_to_banks()

    @rule()
    def a_day_passes(self) -> None:
        self.passed += 1

    @rule(
        step=st.sampled_from(sorted(set(FAILPOINTS) - {"sign-in-token-taken"})),
        passes=st.integers(1, 4),
        kind=st.sampled_from(KINDS),
    )
    def a_run_fails(self, step: str, passes: int, kind: str) -> None:
        self._stray_if_moved_on()
        (code,) = exit_codes_of(self.processes, self._next(0, f"{step}:{passes}:{kind}"))
        assert code in FOUND_FAILING | FINE
        self.failed_on = self.path

    @precondition(lambda self: self.failed_on is not None or self.runs < MOST_RUNS)
    @rule()
    def a_run(self) -> None:
        self._stray_if_moved_on()
        codes = exit_codes_of(self.processes, *(self._next(which) for which in range(2)))
        assert codes[0] == codes[1]
        assert codes[0] in FINE
        self.failed_on = None
        self._compare()

    def teardown(self) -> None:
        try:
            # After a failure the course is over: another run would tell of what followed from it.
            if self.runs and sys.exc_info()[0] is None:
                self.a_day_passes()
                self.a_run()
        finally:
            self.stack.close()
            shutil.rmtree(self.folder)

    def _stray_if_moved_on(self) -> None:
        if self.failed_on is not None and self.failed_on != self.path:
            self.strayed = True

    def _state_to_banks(self) -> None:
        for bank in self.banks:
            chaos_rig.reset(bank)
            chaos_rig.rules(bank, *[each for name in sorted(self.in_force) for each in self.alterations[name]])

    def _next(self, which: int, failpoint: str = "") -> Run:
        self.runs += 1
        bank, directory = self.banks[which], (self.disturbed, self.twin)[which]
        now = NOW + timedelta(days=self.passed, minutes=10 * self.runs)
        bank.move_clock(to=now.isoformat())
        last = DAYS[min(self.passed, len(DAYS) - 1)]
        reason = "CONFIRM" if self.passed else "DAILY"
        return Run(bank.announcement, directory.path, DAYS[0], last, reason, now, failpoint)

    def _compare(self) -> None:
        assert doubled(self.disturbed) == []
        if not self.strayed:
            assert self.disturbed.hashes() == self.twin.hashes()
            orders = [bank.control("GET", "counters")["calls"]["create_report_request"] for bank in self.banks]
            assert orders[0] == orders[1]
        elif self.passed:
            found = [current(directory) for directory in (self.disturbed, self.twin)]
            assert {name: rows for name, rows in found[0].items() if rows != found[1][name]} == {}


def current(directory: DataDirectory) -> dict[str, Any]:
    """What is known now, without what was known before: of each table its content, what days are worth, what breaks.

    K06 is left out, and with it whether a day is ready: it tells who has seen a row that the row was stated anew.
    """
    found: dict[str, Any] = {
        "close": directory.rows("select business_date, closing_value from mart.daily_close order by all"),
        "breaks": directory.rows(
            "select control_id, code, business_date, entity_key from recon.result"
            " where status = 'BREAK' and control_id <> 'K06' order by all"
        ),
    }
    for name, spec in TABLES.items():
        if spec.schema in ("staging", "core"):
            content = ", ".join(f'"{column.name}"' for column in spec.content_columns)
            has_versions = any(column.name == "known_to_utc" for column in spec.columns)
            where = "where known_to_utc is null" if has_versions else ""
            found[name] = directory.rows(f"select {content} from {name} {where} order by all")
    return found


def test_a_course_of_a_trade_a_restatement_a_deletion_and_failing_runs_ends_as_an_undisturbed_one() -> None:
    course = Course()
    try:
        course.a_run_fails("load-committed", 1, "exit")
        course.a_run()
        course.the_bank_alters_its_books("late_trades")
        course.the_bank_alters_its_books("deleted_transaction")
        course.a_run_fails("build-before-commit", 1, "enospc")
    finally:
        course.teardown()


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_any_course_ends_as_an_undisturbed_one() -> None:
    run_state_machine_as_test(
        Course,
        settings=settings(
            max_examples=100,
            stateful_step_count=8,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )

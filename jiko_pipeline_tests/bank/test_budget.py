"""The rate budget: how many requests are let through, in one process and in several, and what headers change."""

import multiprocessing
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiko_pipeline.bank.budget import RateBudget
from jiko_pipeline.bank.clock import Clock
from jiko_pipeline.bank.contract import Group
from jiko_pipeline.bank.errors import RateLimitedError
from jiko_pipeline.bank.exchange import Answer
from jiko_pipeline_tests.bank.second_bank import StillClock

LIMITS = dict.fromkeys(Group, 50)
Open = Callable[..., RateBudget]


def budget_at(file: Path, clock: Clock, share: float = 0.8) -> RateBudget:
    return RateBudget(file, limits_per_minute=LIMITS, share=share, clock=clock)


def answer(still: StillClock, **headers: object) -> Answer:
    named = {f"x-ratelimit-{name}": str(value) for name, value in headers.items()}
    return Answer(200, named, b"", still.now, 0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "budget.sqlite"


def test_the_share_of_the_limit_passes_at_once_and_the_next_waits_for_the_minute(file: Path, still: StillClock) -> None:
    budget = budget_at(file, still.clock)
    for _ in range(40):
        budget.take(Group.REPORTS)
    assert still.slept == []
    budget.take(Group.REPORTS)
    assert 60 <= still.elapsed <= 61


def test_groups_do_not_use_up_each_other(file: Path, still: StillClock) -> None:
    budget = budget_at(file, still.clock)
    for group in Group:
        for _ in range(40):
            budget.take(group)
    assert still.slept == []


@settings(max_examples=25, deadline=None)
@given(pauses=st.lists(st.floats(0, 20), min_size=50, max_size=150), share=st.sampled_from([0.2, 0.8, 1.0]))
def test_no_sixty_seconds_ever_see_more_than_the_share(
    tmp_path_factory: pytest.TempPathFactory, pauses: list[float], share: float
) -> None:
    still = StillClock()
    budget = budget_at(tmp_path_factory.mktemp("budget") / "b.sqlite", still.clock, share)
    sent: list[float] = []
    for pause in pauses:
        still.advance(pause / 10)
        budget.take(Group.TRADES)
        sent.append(still.elapsed)
    budget.close()
    allowed = int(50 * share)
    assert all(later - earlier >= 60 for earlier, later in zip(sent, sent[allowed:], strict=False))


def test_processes_share_one_budget(file: Path, still: StillClock) -> None:
    def take_twenty() -> None:
        budget = budget_at(file, still.clock)
        for _ in range(20):
            budget.take(Group.REPORTS)

    children = [multiprocessing.get_context("fork").Process(target=take_twenty) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    budget_at(file, still.clock).take(Group.REPORTS)
    assert still.elapsed >= 60


def test_the_limit_that_the_bank_states_replaces_the_assumed_one(file: Path, still: StillClock) -> None:
    budget = budget_at(file, still.clock)
    budget.observe(Group.REPORTS, answer(still, limit=10, remaining=9, reset=0))
    for _ in range(8):
        budget.take(Group.REPORTS)
    assert still.slept == []
    budget.take(Group.REPORTS)
    assert still.elapsed >= 60


def test_when_others_have_used_the_limit_up_it_waits_for_the_reset(file: Path, still: StillClock) -> None:
    budget = budget_at(file, still.clock)
    reset = int((still.now + timedelta(seconds=20)).timestamp())
    budget.observe(Group.REPORTS, answer(still, limit=50, remaining=0, reset=reset))
    budget.take(Group.REPORTS)
    assert still.elapsed == pytest.approx(20)


@pytest.mark.fault_rows(137)
@pytest.mark.parametrize("reset", ["past", "milliseconds", "-5", "soon", "", "9" * 30, "١٢"])
def test_a_reset_that_makes_no_sense_is_ignored(file: Path, still: StillClock, reset: str) -> None:
    seconds = int(still.now.timestamp())
    value = {"past": seconds - 10, "milliseconds": (seconds + 20) * 1000}.get(reset, reset)
    budget = budget_at(file, still.clock)
    budget.observe(Group.REPORTS, answer(still, limit=50, remaining=0, reset=value))
    budget.take(Group.REPORTS)
    assert still.slept == []


@pytest.mark.parametrize("limit", ["0", "-3", "many", ""])
def test_a_limit_that_makes_no_sense_is_ignored(file: Path, still: StillClock, limit: str) -> None:
    budget = budget_at(file, still.clock)
    budget.observe(Group.REPORTS, answer(still, limit=limit, remaining=0, reset=0))
    for _ in range(40):
        budget.take(Group.REPORTS)
    assert still.slept == []


def test_a_bank_without_limits_is_not_counted(file: Path, still: StillClock) -> None:
    budget = budget_at(file, still.clock)
    budget.observe(Group.REPORTS, answer(still, limit=1_000_000, remaining=999_999, reset=0))
    for _ in range(500):
        budget.take(Group.REPORTS)
    assert still.slept == []


def test_a_clock_set_back_by_an_hour_does_not_stop_everything(file: Path, still: StillClock) -> None:
    budget = budget_at(file, still.clock)
    for _ in range(40):
        budget.take(Group.REPORTS)
    still.start -= timedelta(hours=1)
    budget.take(Group.REPORTS)
    assert still.slept == []


def test_a_wait_of_more_than_two_minutes_is_told_instead(file: Path, still: StillClock) -> None:
    budget = budget_at(file, still.clock)
    reset = int((still.now + timedelta(seconds=1800)).timestamp())
    budget.observe(Group.REPORTS, answer(still, limit=50, remaining=0, reset=reset))
    with pytest.raises(RateLimitedError) as caught:
        budget.take(Group.REPORTS)
    assert caught.value.retry_at == still.now + timedelta(seconds=1800)
    assert still.slept == []


def test_its_file_is_for_its_owner_only(file: Path, still: StillClock) -> None:
    budget_at(file, still.clock).take(Group.AUTH)
    assert {oct(path.stat().st_mode & 0o777) for path in file.parent.iterdir()} == {"0o600"}


def test_each_of_many_askers_waits_once(file: Path, still: StillClock) -> None:
    budget = budget_at(file, still.clock)
    with still.clock.pool(80, "askers") as pool:
        list(pool.map(lambda _: budget.take(Group.REPORTS), range(80)))
    # Whoever is overtaken by a later asker would have to wait again.
    assert still.slept == [61.0] * 40


def test_a_place_that_was_overslept_is_lost(file: Path, still: StillClock) -> None:
    sleepy = Clock(
        wall=still.clock.wall,
        monotonic=still.clock.monotonic,
        sleep=lambda seconds: still.clock.sleep(seconds + (30 if not still.slept else 0)),
    )
    budget = budget_at(file, sleepy)
    for _ in range(40):
        budget.take(Group.REPORTS)
    budget.take(Group.REPORTS)
    assert still.elapsed == pytest.approx(91)
    for _ in range(39):
        budget.take(Group.REPORTS)
    assert still.elapsed == pytest.approx(91)
    budget.take(Group.REPORTS)
    assert still.elapsed >= 151

"""`sync`: the steps over windows without Dagster.

Belongs here: the order of the steps, and how far to go on when one of them fails. Does not belong here: the
terminal (`cli`) and Dagster (`orchestration`).
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from jiko_pipeline.bank.orders import Progress
from jiko_pipeline.errors import ExitCode
from jiko_pipeline.pipeline import steps
from jiko_pipeline.pipeline.report import StepReport, combined
from jiko_pipeline.pipeline.turn import end_turn
from jiko_pipeline.pipeline.windows import Window
from jiko_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class WindowOutcome:
    """What became of one window."""

    window: Window
    run_id: str
    reports: tuple[StepReport, ...]

    @property
    def exit_code(self) -> ExitCode:
        """The most serious of its steps."""
        return combined(self.reports)[0]

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for a person, each once."""
        return combined(self.reports)[1]

    @property
    def unfinished(self) -> frozenset[date]:
        """Days for which something is still to come."""
        return frozenset(day for report in self.reports for day in report.unfinished)

    def total(self, name: str) -> int:
        """The sum of a count over all steps and days."""
        return sum(report.total(name) for report in self.reports)


StepObserver = Callable[[Window, str], None]
"""Called with the window and what is going on, before each step."""


def new_run_id() -> str:
    """A name for a run that no other run has."""
    return f"sync-{secrets.token_hex(8)}"


def sync_window(
    settings: Settings,
    window: Window,
    *,
    reason: str = "DAILY",
    observe: StepObserver | None = None,
    progress: Progress | None = None,
) -> WindowOutcome:
    """One window, fetched, loaded, built, judged, closed, published; each step as Dagster runs it."""
    run_id = new_run_id()
    order: Sequence[tuple[str, Callable[[Settings, Window, str, str], StepReport]]] = (
        ("ordering and downloading reports", partial(steps.fetch_reports, progress=progress)),
        ("listing transactions and trades", steps.fetch_activity),
        ("reading statements", steps.load_statements),
        ("reading holdings", steps.load_holdings),
        ("reading activity", steps.load_activity),
        ("building facts", steps.build_core),
        ("running controls", steps.run_controls),
        ("closing days", steps.build_close),
        ("publishing", steps.publish),
    )
    reports = []
    try:
        for what, step in order:
            if observe is not None:
                observe(window, what)
            reports.append(step(settings, window, run_id, reason))
    finally:
        end_turn(settings)
    return WindowOutcome(window, run_id, tuple(reports))

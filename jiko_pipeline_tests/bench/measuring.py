"""Taking a measurement: wall and CPU seconds of a function, the best of several goes, and the table of all.

Belongs here: clocks and the printed table. Does not belong here: what is measured.
"""

import gc
import resource
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds on the wall, and CPU seconds of this process and of the children it waited for."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: what was done, over how much, its cost, and the cost of the yardstick."""

    what: str
    amount: str
    cost: Cost
    yardstick: str = ""
    against: Cost | None = None

    @property
    def ratio(self) -> str:
        """CPU seconds over those of the yardstick."""
        if self.against is None or self.against.cpu <= 0:
            return ""
        return f"{self.cost.cpu / self.against.cpu:.1f}"


def _cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def cost_of(work: Callable[[], object], *, goes: int = 3) -> Cost:
    """The go of `work` that took the least CPU, of `goes`."""
    best: Cost | None = None
    for _ in range(goes):
        gc.collect()
        wall, cpu = time.perf_counter(), _cpu()
        work()
        cost = Cost(time.perf_counter() - wall, _cpu() - cpu)
        if best is None or cost.cpu < best.cpu:
            best = cost
    assert best is not None
    return best


def table(figures: Iterable[Figure]) -> str:
    """The figures as text: seconds with three decimals, the ratio of CPU seconds."""
    names = ("measured", "over", "wall s", "CPU s", "ratio", "yardstick", "wall s", "CPU s")
    rows = [
        (
            figure.what,
            figure.amount,
            f"{figure.cost.wall:.3f}",
            f"{figure.cost.cpu:.3f}",
            figure.ratio,
            figure.yardstick,
            f"{figure.against.wall:.3f}" if figure.against else "",
            f"{figure.against.cpu:.3f}" if figure.against else "",
        )
        for figure in figures
    ]
    widths = [max(len(row[place]) for row in (names, *rows)) for place in range(len(names))]
    to_the_right = {2, 3, 4, 6, 7}
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place in to_the_right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (names, tuple("-" * width for width in widths), *rows)
    )

"""The verdict as lines for a person and as records for JSON."""

from collections.abc import Sequence

from jiko_pipeline.cli.terminal import label, out
from jiko_pipeline.reporting.verdict import PocketVerdict


def verdict_line(verdict: PocketVerdict) -> str:
    """One line a pocket: how many days may be booked, the last value, what is wrong."""
    value = "no value" if verdict.closing_value is None else f"USD {verdict.closing_value:,.2f}"
    days = f"{verdict.ready_days} of {verdict.days} days ready to book"
    wrong = []
    if verdict.breaks:
        wrong.append(f"{verdict.breaks} {'break' if verdict.breaks == 1 else 'breaks'}")
    if verdict.not_ready:
        shown = ", ".join(str(day) for day, _ in verdict.not_ready[:3])
        more = f" and {len(verdict.not_ready) - 3} more" if len(verdict.not_ready) > 3 else ""
        wrong.append(f"not ready: {shown}{more}")
    bridged = "" if verdict.days_with_bridge == verdict.days else f" on {verdict.days_with_bridge} days with a bridge"
    unexplained = "" if verdict.unexplained is None else f", unexplained {verdict.unexplained:,.2f}{bridged}"
    word = "READY" if verdict.is_clean else "NOT READY"
    tail = f" · {'; '.join(wrong)}" if wrong else f"{unexplained}"
    strategy = f" ({label(verdict.strategy)})" if verdict.strategy else ""
    return f"{word:<9} {label(verdict.pocket_name)}{strategy}: {days}, {value} on {verdict.last_date}{tail}"


def print_verdicts(verdicts: Sequence[PocketVerdict]) -> None:
    """One line a pocket."""
    for verdict in verdicts:
        out().print(verdict_line(verdict), markup=False)


def verdict_records(verdicts: Sequence[PocketVerdict]) -> list[dict[str, object]]:
    """The verdicts for JSON."""
    return [
        {
            "pocket_id": verdict.pocket_id,
            "pocket_name": verdict.pocket_name,
            "strategy": verdict.strategy,
            "days": verdict.days,
            "ready_days": verdict.ready_days,
            "last_date": verdict.last_date,
            "closing_value": verdict.closing_value,
            "breaks": verdict.breaks,
            "unexplained": verdict.unexplained,
            "not_ready": [{"date": day, "reasons": reasons} for day, reasons in verdict.not_ready],
        }
        for verdict in verdicts
    ]

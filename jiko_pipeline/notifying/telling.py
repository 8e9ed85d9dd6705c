"""When somebody is told, and of what: `tell` and the notices that the pipeline makes.

Belongs here: making the notices, asking every way out once, recording what became of each. Does not belong here: the
ways out (`channels`), masking (`notice`).

No function here raises: what is told of has happened already, and telling must not be what stops it.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from importlib import resources
from typing import Final

import duckdb

from jiko_pipeline.errors import JikoPipelineError
from jiko_pipeline.notifying.channels import Channel, channels
from jiko_pipeline.notifying.notice import Notice, NoticeKind, masked, masked_name
from jiko_pipeline.notifying.record import Delivery, enter, told_subjects
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.publish import published

_log = logging.getLogger(__name__)
_MOST_LINES: Final = 20


def tell(settings: Settings, notice: Notice) -> tuple[Delivery, ...]:
    """Sends a notice on every configured way out, once, and records each; empty where none is configured."""
    if notice.kind.value not in settings.notify_of:
        return ()
    deliveries = tuple(_delivered(name, channel, notice) for name, channel in channels(settings).items())
    if not deliveries:
        return ()
    for delivery in deliveries:
        if not delivery.sent:
            _log.warning("A notice was not delivered by %s: %s", delivery.channel, delivery.why)
    try:
        enter(settings, notice, deliveries)
    except JikoPipelineError as error:
        _log.warning("%s", error)
    return deliveries


def tell_of_failure(
    settings: Settings,
    what: str,
    why: str,
    *,
    run_id: str | None = None,
    first: date | None = None,
    last: date | None = None,
    now: datetime | None = None,
) -> tuple[Delivery, ...]:
    """Tells that work failed: `what` it was, and `why` in a sentence of an error."""
    return tell(
        settings,
        Notice(
            kind=NoticeKind.FAILURE,
            profile=settings.profile,
            environment=settings.environment.value,
            at=now or datetime.now(UTC),
            summary=f"{masked(what)} failed",
            lines=(masked(why), "What was published before is as it was."),
            first=first,
            last=last,
            run_id=run_id,
        ),
    )


def tell_of_error(settings: Settings, what: str, error: Exception) -> tuple[Delivery, ...]:
    """Tells that work ended with an error; of one that is not ours only the type, for its message may hold anything."""
    if isinstance(error, JikoPipelineError):
        return tell_of_failure(settings, what, f"{error} {error.remedy}")
    return tell_of_failure(settings, what, f"A defect: {type(error).__name__}.")


def tell_of_breaks(
    settings: Settings,
    *,
    run_id: str | None = None,
    first: date | None = None,
    last: date | None = None,
    now: datetime | None = None,
) -> tuple[Delivery, ...]:
    """Tells of the open breaks of the published file, when one is among them that nobody was told of yet."""
    if not channels(settings) or NoticeKind.BREAKS.value not in settings.notify_of:
        return ()
    try:
        with published(settings) as con:
            text = (resources.files("jiko_pipeline.notifying") / "open_breaks.sql").read_text(encoding="utf-8")
            rows = con.execute(text, [settings.profile]).fetchall()
        told = told_subjects(settings)
    except (JikoPipelineError, duckdb.Error) as error:
        _log.warning("Open breaks cannot be told of: %s", type(error).__name__)
        return ()
    new = [row for row in rows if row[0] not in told]
    if not new:
        return ()
    number = f"{len(rows)} open {'break' if len(rows) == 1 else 'breaks'}"
    return tell(
        settings,
        Notice(
            kind=NoticeKind.BREAKS,
            profile=settings.profile,
            environment=settings.environment.value,
            at=now or datetime.now(UTC),
            summary=f"{number}, {len(new)} of them new",
            lines=(*_break_lines(new), "`jiko breaks` shows what differs, `jiko explain` why."),
            first=first,
            last=last,
            run_id=run_id,
            subjects=tuple(row[0] for row in new),
        ),
    )


def tell_of_late_day(settings: Settings, day: date, why: str, now: datetime) -> tuple[Delivery, ...]:
    """Tells once that a business day that is due is not there."""
    subject = f"late-{day}"
    try:
        if subject in told_subjects(settings):
            return ()
    except JikoPipelineError as error:
        _log.warning("%s", error)
    return tell(
        settings,
        Notice(
            kind=NoticeKind.LATE,
            profile=settings.profile,
            environment=settings.environment.value,
            at=now,
            summary=f"{day} is not there",
            lines=(masked(why),),
            first=day,
            last=day,
            subjects=(subject,),
        ),
    )


def _break_lines(rows: Sequence[tuple[str, str, str, date, str]]) -> tuple[str, ...]:
    counts = Counter(
        (severity, control, masked_name(name) or "no pocket", day) for _, control, severity, day, name in rows
    )
    lines = [
        f"{severity} {control} on {day}, {name}{f' ({number} times)' if number > 1 else ''}"
        for (severity, control, name, day), number in counts.items()
    ]
    more = len(lines) - _MOST_LINES
    return (*lines[:_MOST_LINES], *((f"and {more} more",) if more > 0 else ()))


def _delivered(name: str, channel: Channel, notice: Notice) -> Delivery:
    try:
        channel(notice)
    except JikoPipelineError as error:
        return Delivery(name, False, str(error))
    except Exception as error:  # noqa: BLE001 - a defect in telling must not become one of the work told of
        return Delivery(name, False, f"A defect: {type(error).__name__}.")
    return Delivery(name, True)

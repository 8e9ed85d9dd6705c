"""The whole examination: which checks there are and in which order."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from jiko_pipeline.errors import ExitCode, JikoPipelineError
from jiko_pipeline.pipeline.doctor.configuration import (
    KEY,
    SETTINGS,
    check_hosts,
    check_key,
    check_settings,
    check_variables,
    check_webhook_secret,
)
from jiko_pipeline.pipeline.doctor.connection import BANK, check_bank
from jiko_pipeline.pipeline.doctor.findings import Finding, Grade, fail, failed, warn
from jiko_pipeline.pipeline.doctor.machine import (
    DIRECTORY,
    DISK,
    LOCK,
    WORLD,
    check_calendars,
    check_directory,
    check_disk,
    check_lock,
    check_world,
)
from jiko_pipeline.settings import Settings


def examine(load: Callable[[], Settings], *, offline: bool, now: datetime | None = None) -> list[Finding]:
    """Every check, in the order in which a person would repair what they find. `load` reads the settings.

    With `offline` nobody is asked. The bank is not asked either when the settings or the directory forbid it.
    """
    now = now or datetime.now(UTC)
    try:
        settings = load()
    except JikoPipelineError as error:
        return [failed(SETTINGS, error), *check_variables(os.environ)]
    findings = [
        *check_settings(settings, now),
        *check_variables(os.environ),
        check_key(settings),
        *check_webhook_secret(settings),
        *check_hosts(settings),
        *_on_disk(DIRECTORY, lambda: check_directory(settings)),
        *_on_disk(WORLD, lambda: [check_world(settings)]),
        *_on_disk(DISK, lambda: [check_disk(settings)]),
        *_on_disk(LOCK, lambda: [check_lock(settings)]),
        *check_calendars(settings, now),
    ]
    if offline:
        return findings
    if any(finding.grade is Grade.FAIL and finding.check in (SETTINGS, KEY, DIRECTORY, WORLD) for finding in findings):
        return [*findings, warn(BANK, "Not asked, for what failed above.", "Repair that first.")]
    return [*findings, *_on_disk(BANK, lambda: check_bank(settings))]


def _on_disk(check: str, look: Callable[[], list[Finding]]) -> Iterator[Finding]:
    """What `look` finds, or that the disk did not let it look."""
    try:
        yield from look()
    except JikoPipelineError as error:
        yield failed(check, error)
    except OSError as error:
        yield fail(
            check,
            f"{error.filename or 'A file'} cannot be used: {error.strerror or type(error).__name__}.",
            "Make it usable for this user.",
            ExitCode.STORAGE,
        )

"""Failures as Dagster is told of them: transient ones may be tried again, permanent ones stop every mechanism of retry.

Belongs here: which error is which, and how it looks in a run. Does not belong here: further tries of single requests
(`jiko_pipeline.bank.retry`), which end before an error comes here.

Dagster has two mechanisms beside ours: the retry policy of an asset, and the retries of whole runs by the daemon, which
a tag of the run governs. `allow_retries` reaches the first one only. https://docs.dagster.io/deployment/execution/run-retries
"""

import traceback
from collections.abc import Mapping
from typing import Any, Final

import dagster as dg

from jiko_pipeline.errors import ExitCode, JikoPipelineError
from jiko_pipeline.settings import Settings

TRANSIENT: Final = frozenset({ExitCode.TRY_LATER, ExitCode.ALREADY_RUNNING})
"""Exit codes of errors that the same work may be free of a little later."""

FETCH_RETRIES: Final = 2
"""How often Dagster asks the bank again after a transient failure of a whole fetch."""

NO_RUN_RETRIES: Final[Mapping[str, str]] = {
    "dagster/max_retries": "0",
    "dagster/retry_on_asset_or_op_failure": "false",
}
"""Tags that keep the daemon from running a run again."""


def fetch_retry_policy(settings: Settings) -> dg.RetryPolicy:
    """The policy of the assets that ask the bank: pauses of `JIKO_FETCH_RETRY_SECONDS`, doubled each time."""
    return dg.RetryPolicy(
        max_retries=FETCH_RETRIES,
        delay=settings.fetch_retry_seconds,
        backoff=dg.Backoff.EXPONENTIAL,
        jitter=dg.Jitter.PLUS_MINUS,
    )


def is_transient(exit_code: ExitCode) -> bool:
    """True when trying again may help."""
    return exit_code in TRANSIENT


def told_as_failure(context: dg.AssetExecutionContext, error: Exception) -> dg.Failure:
    """The failure that the step ends with. A permanent one also marks its run, so that the daemon leaves it alone.

    The message of an error that is not ours may hold anything, an address with its signature included, so only its
    type and the places it passed are told.
    """
    if isinstance(error, JikoPipelineError):
        metadata: dict[str, Any] = {
            "what it means": error.means,
            "what to do": error.remedy,
            "exit code": int(error.exit_code),
        }
        return failure(context, str(error), metadata, transient=is_transient(error.exit_code))
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    return failure(
        context,
        f"A defect: {type(error).__name__} in {places[-1] if places else 'an unknown place'}.",
        {"places": dg.MetadataValue.json(places), "exit code": int(ExitCode.DEFECT)},
        transient=False,
    )


def failure(
    context: dg.AssetExecutionContext,
    description: str,
    metadata: Mapping[str, Any],
    *,
    transient: bool,
) -> dg.Failure:
    """A failure of this step with these sentences."""
    if not transient:
        context.instance.add_run_tags(context.run.run_id, dict(NO_RUN_RETRIES))
    return dg.Failure(description=description, metadata=metadata, allow_retries=transient)

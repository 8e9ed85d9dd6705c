"""What a check finds: one line for a person, a remedy, and what it means for the exit code."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from jiko_pipeline.errors import ExitCode, JikoPipelineError, most_serious


class Grade(StrEnum):
    """How a check went."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check.

    `remedy` is what to do about a WARN or FAIL; `exit_code` is what a FAIL means, OK for any other grade.
    """

    check: str
    grade: Grade
    says: str
    remedy: str | None = None
    exit_code: ExitCode = ExitCode.OK


def ok(check: str, says: str) -> Finding:
    """All is well."""
    return Finding(check, Grade.OK, says)


def warn(check: str, says: str, remedy: str) -> Finding:
    """The work goes on, yet somebody should act."""
    return Finding(check, Grade.WARN, says, remedy)


def fail(check: str, says: str, remedy: str, exit_code: ExitCode) -> Finding:
    """The work cannot be done, or not rightly, until somebody acts."""
    return Finding(check, Grade.FAIL, says, remedy, exit_code)


def failed(check: str, error: JikoPipelineError) -> Finding:
    """The finding that an error is."""
    return fail(check, str(error), error.remedy, error.exit_code)


def worst(findings: Sequence[Finding]) -> ExitCode:
    """The exit code of all of them together."""
    return most_serious(*(finding.exit_code for finding in findings))

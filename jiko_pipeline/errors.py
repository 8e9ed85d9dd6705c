"""The errors a caller can act on, and the exit code that each of them means.

Belongs here: the base types and the exit codes of the command line. A room adds its own subclasses beside
the code that raises them. Every message is one sentence for a person; `means` says what it does to today's
figures and `remedy` what to do. Messages never carry a secret, a query string or an account number in full.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What `jiko` answers. Where several hold, `most_serious` decides."""

    OK = 0
    DEFECT = 1
    USAGE = 2
    BREAKS_OPEN = 10
    TRY_LATER = 20
    NOT_PROVED = 30
    CREDENTIALS_OR_SETTINGS = 40
    STORAGE = 50
    ALREADY_RUNNING = 60


_BY_GRAVITY = (
    ExitCode.DEFECT,
    ExitCode.USAGE,
    ExitCode.STORAGE,
    ExitCode.CREDENTIALS_OR_SETTINGS,
    ExitCode.ALREADY_RUNNING,
    ExitCode.NOT_PROVED,
    ExitCode.TRY_LATER,
    ExitCode.BREAKS_OPEN,
    ExitCode.OK,
)


def most_serious(*codes: ExitCode) -> ExitCode:
    """The code that is reported when several hold; OK when none is given."""
    return next((code for code in _BY_GRAVITY if code in codes), ExitCode.OK)


class JikoPipelineError(Exception):
    """Base of all errors this project raises on purpose: three lines for a person and an exit code."""

    exit_code = ExitCode.DEFECT
    means = "Nothing of today's figures has changed."
    remedy = "Report this with the message above."

    def __init__(self, message: str, *, means: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message)
        if means is not None:
            self.means = means
        if remedy is not None:
            self.remedy = remedy


class SettingsError(JikoPipelineError):
    """A setting is missing, contradicts another one, or a key file is not as it must be."""

    exit_code = ExitCode.CREDENTIALS_OR_SETTINGS
    remedy = "Correct the setting and run the same command again."


class TryLaterError(JikoPipelineError):
    """The other side cannot answer now; the same call may pass later. Nothing is lost meanwhile."""

    exit_code = ExitCode.TRY_LATER
    remedy = "Run the same command again later."


class NotProvedError(JikoPipelineError):
    """What arrived cannot be trusted: it is kept in the archive and stays out of the figures."""

    exit_code = ExitCode.NOT_PROVED


class StorageError(JikoPipelineError):
    """The data directory cannot be written or read."""

    exit_code = ExitCode.STORAGE


class AlreadyRunningError(JikoPipelineError):
    """Another process holds the lock that this work needs."""

    exit_code = ExitCode.ALREADY_RUNNING
    remedy = "Wait until it has ended and run the same command again."

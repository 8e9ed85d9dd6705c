"""What can go wrong between us and the bank, as types a caller can act on.

Belongs here: one type for each thing a caller would do differently. A message carries host, path and status,
never a query string, a header, a body of the token endpoint or the address of a download link.
"""

from datetime import datetime

from jiko_pipeline.errors import ExitCode, NotProvedError, SettingsError, TryLaterError


class AuthenticationError(SettingsError):
    """The bank does not accept our credentials."""

    remedy = (
        "Check JIKO_CLIENT_ID, JIKO_PRIVATE_KEY_FILE and JIKO_KEY_ID, and that the public key is registered with Jiko."
    )


class ScopeError(SettingsError):
    """The credentials are good, yet this operation is not allowed to them (403)."""

    remedy = "Ask Jiko to grant the client the scope that this operation needs."


class PermissionRefusedError(ScopeError):
    """The token has the scope, and yet this one thing is not open to it (403); others may be."""

    exit_code = ExitCode.NOT_PROVED
    means = "What was asked for is missing from the figures, and nothing says that it is empty."
    remedy = "Ask Jiko to open it to the client; everything else is fetched without it."


class CertificateError(SettingsError):
    """The other side's certificate is not one we trust. It is never tried again without verification."""

    remedy = "Check JIKO_API_URL and JIKO_AUTH_URL, and the clock and the certificate store of this machine."


class ValidationRefusedError(SettingsError):
    """The bank refuses a request as not valid (400, 422).

    `detail` says why, without the values it was sent.
    """

    remedy = "Check the dates, pockets and formats that were asked for against what the message says."

    def __init__(self, message: str, *, detail: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.detail = detail


class NotFoundError(NotProvedError):
    """The bank knows nothing of this name (404)."""


class ConflictError(TryLaterError):
    """The request contradicts the present state at the bank (409)."""


class RateLimitedError(TryLaterError):
    """The bank takes no more requests for now: it asks for a longer wait than a run should make, or said so at
    every try.

    `retry_at` is when it may be tried again, UTC.
    """

    def __init__(self, message: str, *, retry_at: datetime, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.retry_at = retry_at


class UnavailableError(TryLaterError):
    """The bank cannot be reached or answers with an error of its own, after all tries."""


class AmbiguousOutcomeError(TryLaterError):
    """A request that must not be sent twice may or may not have been carried out; it was not sent again."""

    remedy = (
        "Before it is sent again, look whether it was carried out: a transfer request by the id it was given"
        " (transfer_requests.get), anything else in the listing of its kind."
    )


class ContractBrokenError(NotProvedError):
    """The bank answers in a way the contract does not know; nothing of the answer is used."""

    remedy = "Run `jiko probe`, and say in JIKO_CONTRACT_FILE how the bank differs; see docs/contract.md."


class DownloadRefusedError(NotProvedError):
    """A download link or the file behind it is not one we accept."""

    means = "The report is not in today's figures; its request at the bank stays known and is taken up again."
    remedy = "Check JIKO_DOWNLOAD_HOSTS against the host in the message, then run the same command again."


class LinkExpiredError(DownloadRefusedError):
    """A download link is no longer honoured (403, 404 or 410 of the storage); a new one can be asked for."""

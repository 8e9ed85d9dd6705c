"""The signature of a webhook: base64 of HMAC-SHA256 over the raw body, keyed with the shared secret.

Belongs here: computing and comparing it, reading the secret from its file. Does not belong here: the body's
meaning (`event`). Source: Jiko's sample code for partners; not confirmed for the Customer API.
"""

import base64
import hashlib
import hmac
import stat
from pathlib import Path
from typing import Final

from jiko_pipeline.errors import SettingsError

SIGNATURE_HEADER: Final = "x-jiko-signature"
SHORTEST_SECRET: Final = 16
"""Jiko accepts no shorter shared secret, in characters."""


def signature_of(secret: bytes, body: bytes) -> bytes:
    """The value of the signature header for a body."""
    return base64.b64encode(hmac.digest(secret, body, hashlib.sha256))


def is_signed(secret: bytes, body: bytes, signature: bytes) -> bool:
    """True when `signature` is that of exactly these bytes; takes the same time wherever it differs.

    The texts are compared, not what they decode to: base64 has several spellings of one value.
    """
    return hmac.compare_digest(signature_of(secret, body), signature)


def load_secret(file: Path | None) -> bytes:
    """The shared secret in `file`, which nobody but its owner may read; a line end after it does not count.

    Raises SettingsError.
    """
    if file is None:
        raise SettingsError(
            "No file with the shared secret of the webhooks is named.",
            remedy="Set JIKO_WEBHOOK_SECRET_FILE to a file that holds the subscription's shared_secret.",
        )
    try:
        mode = file.stat().st_mode
        # Reading a FIFO would wait for whoever writes to it.
        content = file.read_bytes() if stat.S_ISREG(mode) else None
    except OSError as error:
        raise SettingsError(f"The webhook secret file {file} cannot be read: {error.strerror}.") from None
    if content is None:
        raise SettingsError(f"The webhook secret file {file} is no regular file.")
    if stat.S_IMODE(mode) & 0o077:
        raise SettingsError(
            f"The webhook secret file {file} can be read by other users.", remedy=f"Run: chmod 600 {file}"
        )
    secret = content.removesuffix(b"\n").removesuffix(b"\r")
    if len(secret.decode("utf-8", "replace")) < SHORTEST_SECRET or b"\n" in secret:
        raise SettingsError(
            f"The webhook secret file {file} does not hold one line of at least {SHORTEST_SECRET} characters."
        )
    return secret

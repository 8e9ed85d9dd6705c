"""Temporary download links on the storage origin.

Belongs here: making and reading the token of a link: what it gives, until when, and a signature. Nothing is
kept for a link, so it works after a restart and ends by the simulator's clock. Does not belong here: the
bytes.
"""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Final

from jiko_pipeline.simulator.server.bank import SimulatedBank

LINK_SECONDS: Final = 600
REPORT: Final = "report"
MONTHLY_STATEMENT: Final = "monthly-statement"
AGREEMENT: Final = "agreement"
TRADE_CONFIRMATION: Final = "trade-confirmation"


class LinkRefusedError(Exception):
    """A link that was altered, never made, or has expired; the message is for the answer."""


def make_link(bank: SimulatedBank, subject: str, subject_id: str, now: datetime) -> tuple[str, datetime]:
    """(url, expiry) of a link to one report or monthly statement."""
    expires = now + timedelta(seconds=LINK_SECONDS)
    body = f"{subject} {subject_id} {int(expires.timestamp() * 1_000_000)}".encode()
    token = base64.urlsafe_b64encode(_tag(bank, body) + body).decode().rstrip("=")
    return f"{bank.storage_origin}/files/{token}", expires


def read_link(bank: SimulatedBank, token: str, now: datetime) -> tuple[str, str]:
    """(subject, subject id) of a link that is valid at `now`. Raises LinkRefusedError otherwise."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    tag, body = raw[:16], raw[16:]
    if not body or not hmac.compare_digest(tag, _tag(bank, body)):
        raise LinkRefusedError("The link is not valid")
    subject, subject_id, expires = body.decode().split(" ")
    if now >= datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(expires)):
        raise LinkRefusedError("The link has expired")
    return subject, subject_id


def _tag(bank: SimulatedBank, body: bytes) -> bytes:
    return hmac.digest(bank.signing_secret.encode(), b"link\0" + body, hashlib.sha256)[:16]

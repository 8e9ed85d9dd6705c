"""Rate limits: how many requests a client may make in a minute, by group of operations.

Belongs here: the profiles and the headers that report them. Windows are whole minutes of the simulator's
clock. Source of the documented figures: Jiko's rate limit table; events, statements and audits are not listed.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from jiko_pipeline.simulator.server.answers import RefusedError
from jiko_pipeline.simulator.server.state import State

WINDOW_SECONDS: Final = 60
UNLIMITED: Final = 1_000_000
"""What the headers say where nothing is counted."""


class LimitGroup(StrEnum):
    """Operations that share one limit."""

    AGREEMENTS = "agreements"
    AUTH = "auth"
    COUNTERPARTIES = "counterparties"
    CUSTOMER = "customer"
    EVENTS = "events"
    NOTIFICATIONS = "notifications"
    POCKETS = "pockets"
    PORTALS = "portals"
    REPORTS = "reports"
    STATEMENTS = "statements"
    SUBSCRIPTIONS = "subscriptions"
    TEAM = "team"
    TEAM_AUDITS = "team audits"
    TRADES = "trades"
    TRADING_STRATEGIES = "trading strategies"
    TRANSACTIONS = "transactions"
    TRANSFER_REQUESTS = "transfer requests"
    TRANSFER_REQUESTS_CREATE = "transfer requests created"
    USER = "user"


class LimitProfile(StrEnum):
    """How strict the bank is: not at all, as documented, or a tenth of that."""

    OFF = "off"
    DOCUMENTED = "documented"
    TIGHT = "tight"

    def limit_of(self, group: LimitGroup) -> int | None:
        """Requests a minute, or None where nothing is counted."""
        documented = _DOCUMENTED.get(group)
        if documented is None or self is LimitProfile.OFF:
            return None
        return documented if self is LimitProfile.DOCUMENTED else documented // 10


_DOCUMENTED: Final = {
    LimitGroup.AGREEMENTS: 300,
    LimitGroup.AUTH: 300,
    LimitGroup.COUNTERPARTIES: 300,
    LimitGroup.CUSTOMER: 300,
    LimitGroup.NOTIFICATIONS: 300,
    LimitGroup.POCKETS: 120,
    LimitGroup.PORTALS: 300,
    LimitGroup.REPORTS: 300,
    LimitGroup.SUBSCRIPTIONS: 300,
    LimitGroup.TEAM: 300,
    LimitGroup.TRADES: 120,
    LimitGroup.TRADING_STRATEGIES: 300,
    LimitGroup.TRANSACTIONS: 120,
    LimitGroup.TRANSFER_REQUESTS: 120,
    LimitGroup.TRANSFER_REQUESTS_CREATE: 60,
    LimitGroup.USER: 300,
}


@dataclass(frozen=True, slots=True)
class Allowance:
    """Where a client stands in the present window."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """The X-RateLimit headers; `reset` is a unix time."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


def spend(
    state: State, profile: LimitProfile, group: LimitGroup, client_id: str | None, now: datetime
) -> tuple[Allowance, RefusedError | None]:
    """Count one request of a client (None: not signed in, not counted); the refusal when it is too many."""
    seconds = now.timestamp()
    window = int(seconds // WINDOW_SECONDS)
    reset = (window + 1) * WINDOW_SECONDS
    limit = profile.limit_of(group)
    if limit is None:
        return Allowance(UNLIMITED, UNLIMITED, reset), None
    if client_id is None:
        return Allowance(limit, limit, reset), None
    used = state.use_limit(client_id, group.value, window)
    if used <= limit:
        return Allowance(limit, limit - used, reset), None
    wait = max(1, math.ceil(reset - seconds))
    refusal = RefusedError(429, {"detail": "Rate limit exceeded"}, {"Retry-After": str(wait)})
    return Allowance(limit, 0, reset), refusal

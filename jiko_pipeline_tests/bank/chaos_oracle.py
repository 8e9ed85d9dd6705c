"""Joins what the chaos switch injected with what the client noted: every fault ends in exactly one way.

Belongs here: the judgement, for the log of any simulator and the request log of any data directory. Does not belong
here: running something under chaos.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from jiko_pipeline.bank.request_log import Ending, LoggedRequest

HARMLESS: Final = frozenset(
    {
        # Slow answers, and connections that end after a whole one.
        *("latency", "jitter", "bandwidth", "slicer", "drip", "slow_close"),
        # Waits between two answers, and lives of tokens.
        *("rate_headers", "clock_skew", "token_expires_in", "token_life"),
        # Lists that are read to their end all the same, and again where rows have moved.
        *("drift", "page_size", "empty_page", "trailing_empty_page", "unsorted"),
    }
)
"""Faults of an answer that may be taken as it is; all others have to be noticed."""

STANDING: Final = frozenset({"down"})
"""Faults that no single request meets: those that find nobody at the port are noted by their own names."""


def endings(
    injected: Sequence[Mapping[str, Any]],
    requests: Mapping[str, LoggedRequest],
    quarantined: Collection[str] = (),
) -> dict[int, str]:
    """By number of the chaos log, how each fault ended; "unexplained: ..." for one that went by unnoticed.

    `quarantined` are the SHA-256 of files that were kept out when they were read.
    """
    return {
        entry["n"]: _ending(entry, requests.get(entry["request_id"]), quarantined)
        for entry in injected
        if entry["fault"] not in STANDING
    }


def _ending(entry: Mapping[str, Any], request: LoggedRequest | None, quarantined: Collection[str]) -> str:
    if request is None:
        return f"unexplained: {entry['fault']} of {entry['route']} met a request that nobody noted"
    if request.ending is not Ending.ANSWERED:
        return str(request.ending)
    if request.sha256 is not None and request.sha256 in quarantined:
        return str(Ending.QUARANTINED)
    if entry["fault"] in HARMLESS:
        return str(Ending.RECOVERED)
    return f"unexplained: {entry['fault']} of {entry['route']} was taken for a good answer"


def unexplained(
    injected: Sequence[Mapping[str, Any]],
    requests: Mapping[str, LoggedRequest],
    quarantined: Collection[str] = (),
) -> list[str]:
    """The faults that went by unnoticed; empty when every one is explained."""
    return [said for said in endings(injected, requests, quarantined).values() if said.startswith("unexplained")]

"""Named sets of rules.

Belongs here: what each profile contains. `storm` has every kind of trouble at once, each rarely. Does not belong
here: how a rule is followed.
"""

from collections.abc import Mapping
from typing import Any, Final

from jiko_pipeline.simulator.chaos.rules import Rule, rule_of

_BUSY: Final = {"status": 429, "headers": {"Retry-After": "1"}, "body": {"detail": "Rate limit exceeded"}}
_FILES: Final = "/files/*"
_LISTS: Final = "/api/v*/*"

_FLAKY: Final = (
    {"id": "busy", "fault": "status", "args": _BUSY, "match": {"p": 0.05}},
    *(
        {"id": f"error-{status}", "fault": "status", "args": {"status": status}, "match": {"p": 0.02}}
        for status in (500, 502, 503, 504)
    ),
    {"id": "slow-answers", "fault": "jitter", "args": {"ms": 100}, "match": {"p": 0.2}},
    {"id": "resets", "fault": "reset_peer", "args": {"bytes": 100}, "match": {"method": "GET", "p": 0.02}},
)

_DRIFT: Final = (
    {"id": "late-row", "fault": "drift", "args": {"change": "insert"}, "match": {"path": _LISTS, "p": 0.3}},
    {"id": "moved-up", "fault": "drift", "args": {"change": "shift"}, "match": {"path": _LISTS, "p": 0.3}},
    {"id": "repeated-row", "fault": "drift", "args": {"change": "repeat"}, "match": {"path": _LISTS, "p": 0.3}},
    {"id": "changed-row", "fault": "drift", "args": {"change": "change"}, "match": {"path": _LISTS, "p": 0.3}},
    {
        "id": "small-pages",
        "fault": "page_size",
        "args": {"limit": 5},
        "match": {"path": "/api/v2/*", "query": {"limit": "*"}},
    },
)

_HOSTILE: Final = (
    {"id": "page-for-people", "fault": "html", "match": {"path": "/api/v*", "p": 0.03}},
    {"id": "error-as-success", "fault": "json_error", "match": {"path": "/api/v*", "p": 0.03}},
    {"id": "echo", "fault": "echo_input", "match": {"path": "/api/v*", "p": 0.02}},
    {"id": "evil-page", "fault": "next_absolute", "match": {"path": _LISTS, "p": 0.03}},
    {"id": "evil-link", "fault": "link_to", "args": {"to": "evil"}, "match": {"p": 0.05}},
    {"id": "evil-redirect", "fault": "redirect", "match": {"path": _FILES, "p": 0.05}},
    {"id": "cut-file", "fault": "cut", "match": {"path": _FILES, "p": 0.05}},
    {"id": "cut-gzip", "fault": "gz_cut", "match": {"path": _FILES, "p": 0.03}},
    {"id": "bomb", "fault": "gz_bomb", "match": {"path": _FILES, "p": 0.02}},
    {"id": "no-http", "fault": "garbage", "match": {"p": 0.02}},
)

_SLOW: Final = (
    {"id": "latency", "fault": "latency", "args": {"ms": 150}},
    {"id": "jitter", "fault": "jitter", "args": {"ms": 150}},
    {"id": "narrow", "fault": "bandwidth", "args": {"bytes_per_second": 262144}, "match": {"path": _FILES}},
)

_RARE: Final = 0.05

_STORM: Final = (
    {"id": "busy", "fault": "status", "args": _BUSY, "match": {"p": _RARE}},
    {"id": "down", "fault": "status", "args": {"status": 503}, "match": {"p": _RARE}},
    {
        "id": "done-but-failed",
        "fault": "status",
        "args": {"status": 502, "effect": True},
        "match": {"method": "POST", "p": _RARE},
    },
    {"id": "page-for-people", "fault": "html", "match": {"path": "/api/v*", "p": _RARE}},
    {"id": "revoked", "fault": "revoke_token", "match": {"p": _RARE}},
    {"id": "old-cursor", "fault": "cursor_expired", "match": {"p": _RARE}},
    {"id": "late-row", "fault": "drift", "args": {"change": "insert"}, "match": {"path": _LISTS, "p": _RARE}},
    {"id": "moved-up", "fault": "drift", "args": {"change": "shift"}, "match": {"path": _LISTS, "p": _RARE}},
    {"id": "empty-page", "fault": "empty_page", "match": {"p": _RARE}},
    {"id": "mixed-rows", "fault": "unsorted", "match": {"path": _LISTS, "p": _RARE}},
    {"id": "used-up", "fault": "rate_headers", "args": {"reset_in": 2}, "match": {"p": _RARE}},
    {"id": "jitter", "fault": "jitter", "args": {"ms": 50}, "match": {"p": _RARE}},
    {"id": "reset", "fault": "reset_peer", "args": {"bytes": None}, "match": {"p": _RARE}},
    {"id": "reset-within", "fault": "reset_peer", "args": {"bytes": 200}, "match": {"p": _RARE}},
    {"id": "short", "fault": "bad_length", "match": {"p": _RARE}},
    {"id": "unfinished", "fault": "bad_chunk", "match": {"p": _RARE}},
    {"id": "cut-gzip", "fault": "gz_cut", "match": {"path": _FILES, "p": _RARE}},
    {"id": "no-length", "fault": "close_delimited", "match": {"path": _FILES, "p": _RARE}},
    {"id": "hung-up", "fault": "slow_close", "match": {"p": _RARE}},
)

PROFILES: Final[Mapping[str, tuple[Mapping[str, Any], ...]]] = {
    "none": (),
    "flaky": _FLAKY,
    "drift": _DRIFT,
    "hostile": _HOSTILE,
    "slow": _SLOW,
    "storm": _STORM,
}
"""The profiles by name, as rules are written on the wire."""


def rules_of(profile: str) -> tuple[Rule, ...]:
    """The rules of a profile. Raises KeyError for a name that is none."""
    return tuple(rule_of(document, f"{profile}-{number}") for number, document in enumerate(PROFILES[profile], start=1))

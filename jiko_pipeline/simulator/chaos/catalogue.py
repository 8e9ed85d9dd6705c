"""Every fault by name: its layer, its arguments with their defaults, what the client sees.

Belongs here: the declaration that rules are checked against. Does not belong here: how a fault is made
(`answers`, `pages`, `requests` for the application layer, `wire` and `broken_answers` for the wire).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

TOKEN_PATH: Final = "/api/oauth2/token"
REPORT_REQUESTS: Final = "/api/v1/report-requests/*"

Argument = str | int | float | bool | list[object] | dict[str, object] | None


class Layer(StrEnum):
    """Where a fault is made: in the bank's answers, or on the connection."""

    APPLICATION = "application"
    WIRE = "wire"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault. `path` is what a rule without a path matches; `sole` faults bar all others from the same request.

    A `standing` fault lasts as long as its rule, whatever is asked.
    """

    name: str
    layer: Layer
    what: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    sole: bool = False
    path: str = "*"
    standing: bool = False


def _answer(fault: str, what: str, /, *, sole: bool = False, path: str = "*", **arguments: Argument) -> Fault:
    return Fault(fault, Layer.APPLICATION, what, arguments, sole, path)


def _wire(fault: str, what: str, /, *, sole: bool = False, **arguments: Argument) -> Fault:
    return Fault(fault, Layer.WIRE, what, arguments, sole)


FAULTS: Final[Mapping[str, Fault]] = {
    fault.name: fault
    for fault in (
        # In place of the bank's answer.
        _answer(
            "status",
            "any status; `body` is JSON, a text or absent; with `effect` the bank does what was asked first",
            sole=True,
            status=503,
            body=None,
            headers={},
            media_type=None,
            effect=False,
        ),
        _answer("html", "200 with a page for people", sole=True, title="Scheduled maintenance"),
        _answer("json_error", "200 with a JSON error object", sole=True, error="internal_error"),
        _answer(
            "echo_input",
            "422 whose `input` repeats the request: Authorization header, query and body, and `secret`",
            sole=True,
            secret="",
        ),
        _answer(
            "redirect",
            "a redirect; `to` is `evil`, `http` (the same path, plain) or a URL",
            sole=True,
            status=307,
            to="evil",
        ),
        _answer("cursor_expired", "400 to a request that carries a cursor", sole=True, path="/api/*"),
        _answer(
            "token_error",
            "the token endpoint refuses; with `echo` its description repeats the form that was sent",
            sole=True,
            path=TOKEN_PATH,
            status=400,
            error="invalid_grant",
            echo=False,
        ),
        # The bank is asked something else, or under other circumstances.
        _answer("revoke_token", "the token of the request is revoked before the bank looks at it", path="/api/*"),
        _answer("page_size", "the bank takes this `limit` whatever was asked for", path="/api/*", limit=30),
        _answer("clock_skew", "the bank's clock is that many minutes off: Date header and sign-in", minutes=10),
        _answer(
            "token_expires_in",
            "what a new token says of its life: `value`, or nothing with `absent`; its true life is unchanged",
            path=TOKEN_PATH,
            value=0,
            absent=False,
        ),
        _answer("token_life", "a new token lives `seconds` and says so", path=TOKEN_PATH, seconds=2),
        _answer("scope_reduced", "a new token lacks the scopes `without`", path=TOKEN_PATH, without=["reports.write"]),
        # Pages of a cursor list.
        _answer(
            "drift",
            "the list moves while it is read. `change`: insert (the row at `index` of the first page comes only"
            " after it), remove (the first page's first row goes, its successors move up), shift (they move up, it"
            " stays for the next reader), repeat (a page begins with the row that ended the one before), change"
            " (the last row of a page is shown with `set`, and again as it is on the next one)",
            path="/api/*",
            change="insert",
            index=0,
            set={"status": "BOOKED", "time_settled": None},
        ),
        _answer("repeat_token", "a page names its own token as the next one", path="/api/*"),
        _answer("token_cycle", "after `length` tokens the first one comes again", path="/api/*", length=2),
        _answer(
            "endless_tokens",
            "fresh tokens to empty pages: after `pages` of them the list ends, with 0 never",
            path="/api/*",
            pages=0,
        ),
        _answer("empty_page", "an empty page in the middle, the rows on the next one", path="/api/*"),
        _answer("trailing_empty_page", "the last page names a token to an empty page", path="/api/*"),
        _answer(
            "unsorted",
            "the rows of a page are mixed; with `across` its last row comes on the next page",
            path="/api/*",
            across=False,
        ),
        _answer("next_absolute", "the next page is a URL on the evil origin", path="/api/*"),
        _answer("total_count", "a `total_count` that is `by` more than the page has rows", path="/api/*", by=7),
        _answer(
            "cursor_form",
            "how the end of a list is told: empty, blank, null, absent, or url (an address on the bank's own origin)",
            path="/api/*",
            form="empty",
        ),
        # Fields of an answer.
        _answer("new_field", "each row has a field more", path="/api/*", name="surprise", value="new"),
        _answer("missing_field", "each row lacks the field `name` (a dotted path)", path="/api/*", name="status"),
        _answer(
            "field_value",
            "the field `name` (a dotted path) of each row has `value`",
            path="/api/*",
            name="status",
            value="ARCHIVED",
        ),
        _answer(
            "amount_disagrees", "value and formatted text of every amount differ by `cents`", path="/api/*", cents=1
        ),
        _answer(
            "report_ids",
            "finished report requests name one report more (longer) or less (shorter) than asked for",
            path=REPORT_REQUESTS,
            change="longer",
        ),
        _answer("link_to", "download links lead elsewhere: `evil` or a URL", path="/api/*", to="evil"),
        # Headers and bytes of an answer.
        _answer(
            "rate_headers",
            "X-RateLimit headers: `remaining`, and a reset `reset_in` seconds ahead or literally `reset`;"
            " with `milliseconds` in those",
            path="/api/*",
            limit=120,
            remaining=0,
            reset_in=20,
            reset=None,
            milliseconds=False,
        ),
        _answer(
            "header",
            "the header `name` is `value`, or absent when that is null",
            name="Content-Type",
            value="text/html",
        ),
        _answer("replace", "each `find` in the body is `put`; `count` 0 means all", find="", put="", count=0),
        _answer(
            "cut", "the body is cut after `bytes`, or at `share` of it, and its length says so", bytes=None, share=0.5
        ),
        _answer("other_body", "the body is that of the answer before it on the same route and of the same media type"),
        # As long as the rule is in force.
        Fault(
            "down", Layer.WIRE, "no connection is accepted at the port of `origin`", {"origin": "api"}, standing=True
        ),
        # On the connection, around an answer that is whole.
        _wire("latency", "the answer comes `ms` later", ms=200),
        _wire("jitter", "the answer comes up to `ms` later, each time another", ms=200),
        _wire("bandwidth", "the answer comes at `bytes_per_second`", bytes_per_second=65536),
        _wire("slicer", "the answer comes in slices of `bytes`, `ms` apart", bytes=512, ms=1),
        _wire("drip", "the body comes in drips of `bytes`, one each `ms`", bytes=1, ms=300),
        _wire("slow_close", "the connection is closed `ms` after an answer that kept it alive", ms=0),
        # On the connection, in place of an answer that is whole.
        _wire(
            "timeout",
            "silence for `ms`, then the answer, or with `then` = close nothing",
            sole=True,
            ms=60000,
            then="answer",
        ),
        _wire("refuse", "the connection is reset; the bank does not see the request", sole=True),
        _wire(
            "reset_peer",
            "the connection is reset after `bytes` of the body; with null before any answer, which the bank has made",
            sole=True,
            bytes=None,
        ),
        _wire(
            "limit_data",
            "the connection is closed after `bytes` of the body, or at `share` of it",
            sole=True,
            bytes=None,
            share=0.5,
        ),
        _wire("bad_length", "Content-Length is `by` more than what comes before the close", sole=True, by=100),
        _wire(
            "bad_length2", "Content-Length is two different ones, negative or no number: `how`", sole=True, how="two"
        ),
        _wire(
            "bad_chunk",
            "chunked and never ended, or with a chunk size that is none: `how`",
            sole=True,
            how="unfinished",
        ),
        _wire(
            "close_delimited", "no length at all; the connection is closed at `share` of the body", sole=True, share=0.5
        ),
        _wire("gz_cut", "gzip cut at `share`, with the length of what is sent", sole=True, share=0.5),
        _wire("gz_crc", "gzip whose checksum is wrong", sole=True),
        _wire("gz_bomb", "gzip that unpacks to `megabytes`", sole=True, megabytes=400),
        _wire("gz_bomb2", "gzip within gzip that unpacks to `megabytes`", sole=True, megabytes=400),
        _wire(
            "hdr",
            "a header of `bytes`, and with `endless` headers that never end",
            sole=True,
            bytes=2000000,
            endless=False,
        ),
        _wire("garbage", "`bytes` that are no HTTP", sole=True, bytes=200),
        _wire(
            "informational",
            "an answer of 1xx, then the real one, or with `then` = close nothing",
            sole=True,
            status=103,
            then="close",
        ),
    )
}

"""Faults of the circumstances under which the bank answers: its clock, tokens and page size.

Belongs here: what is changed for one request before the bank sees it, and new tokens after. Does not belong here:
changes of answers (`changes`).
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.types import Scope

from jiko_pipeline.simulator.chaos.answer import Answer
from jiko_pipeline.simulator.chaos.switch import Firing
from jiko_pipeline.simulator.server.bank import SimulatedBank, hashed

OF_NEW_TOKENS: Final = frozenset({"token_expires_in", "token_life", "scope_reduced"})
"""Faults that change a token which the bank has just made."""


@contextmanager
def around(bank: SimulatedBank, scope: Scope, fired: Sequence[Firing]) -> Iterator[tuple[Scope, list[Firing]]]:
    """The bank under changed circumstances for one request: (scope to ask with, faults that took effect)."""
    early: list[Firing] = []
    with ExitStack() as stack:
        for firing in fired:
            match firing.fault:
                case "clock_skew":
                    stack.enter_context(bank.state.skewed(timedelta(minutes=float(firing.arguments["minutes"]))))
                    early.append(firing)
                case "revoke_token":
                    if _revoke(bank, header(scope, b"authorization")):
                        early.append(firing)
                case "page_size":
                    other = _with_limit(scope, str(int(firing.arguments["limit"])))
                    if other is not None:
                        scope = other
                        early.append(firing)
        yield scope, early


def _with_limit(scope: Scope, limit: str) -> Scope | None:
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    others = [pair for pair in pairs if pair[0] != "limit"]
    if ("limit", limit) in pairs:
        return None
    return {**scope, "query_string": urlencode([*others, ("limit", limit)]).encode()}


def _revoke(bank: SimulatedBank, authorization: str) -> bool:
    token = authorization.partition(" ")[2].strip()
    with bank.state.transaction() as connection:
        gone = connection.execute("delete from access_token where token_hash = ?", (hashed(token),)).rowcount
    return bool(gone)


def change_token(bank: SimulatedBank, firing: Firing, answer: Answer) -> bool:
    """Change a token that the bank has just made; False when it made none."""
    document = answer.document()
    if document is None or not isinstance(document.get("access_token"), str):
        return False
    key = hashed(document["access_token"])
    arguments = firing.arguments
    match firing.fault:
        case "token_expires_in":
            document.pop("expires_in", None)
            if not arguments["absent"]:
                document["expires_in"] = arguments["value"]
        case "token_life":
            seconds = arguments["seconds"]
            document["expires_in"] = seconds
            with bank.state.transaction() as connection:
                connection.execute(
                    "update access_token set expires_at = ? where token_hash = ?",
                    (bank.state.now().timestamp() + float(seconds), key),
                )
        case _:
            kept = [word for word in str(document.get("scope", "")).split() if word not in arguments["without"]]
            document["scope"] = " ".join(kept)
            with bank.state.transaction() as connection:
                connection.execute("update access_token set scope = ? where token_hash = ?", (document["scope"], key))
    answer.write(document)
    return True


def header(scope: Scope, name: bytes) -> str:
    """A header of a request; empty without."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")

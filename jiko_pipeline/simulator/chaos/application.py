"""The application layer: faults between the bank and its server, semantic and whole.

Belongs here: the way of a request through the rules. Does not belong here: the rules' decisions (`switch`), the
faults (`changes`, `pages`, `circumstances`), what is broken on the connection (`wire`).
"""

from urllib.parse import parse_qs, parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jiko_pipeline.simulator.chaos import changes, circumstances
from jiko_pipeline.simulator.chaos.answer import Answer
from jiko_pipeline.simulator.chaos.catalogue import Layer
from jiko_pipeline.simulator.chaos.pages import Walks, asked_cursor
from jiko_pipeline.simulator.chaos.switch import CONTROL_PREFIXES, Firing, Seen
from jiko_pipeline.simulator.server.bank import SimulatedBank

_LONGEST_BODY_BYTES = 65_536
_PAGE_FAULTS = frozenset(
    {"drift", "repeat_token", "token_cycle", "endless_tokens", "empty_page", "trailing_empty_page", "unsorted"}
    | {"next_absolute", "total_count", "cursor_form"}
)


class Disturbed:
    """An application with the rules of the chaos switch in front of it; without rules, the application."""

    def __init__(self, application: ASGIApp, bank: SimulatedBank) -> None:
        self._application = application
        self._bank = bank
        self._walks = Walks(bank.chaos.seed)
        self._rounds = bank.chaos.rounds
        self._before: dict[tuple[str, str | None], bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        switch = self._bank.chaos
        if (
            scope["type"] != "http"
            or not switch.has_rules(Layer.APPLICATION)
            or scope["path"].startswith(CONTROL_PREFIXES)
        ):
            await self._application(scope, receive, send)
            return
        if self._rounds != switch.rounds:
            self._walks, self._rounds = Walks(switch.seed), switch.rounds
            self._before.clear()
        body, again = await _read(receive)
        seen = _seen(scope, body)
        await self._disturbed(scope, again, send, seen, switch.decide(Layer.APPLICATION, seen))

    async def _disturbed(self, scope: Scope, receive: Receive, send: Send, seen: Seen, fired: list[Firing]) -> None:
        bank, switch = self._bank, self._bank.chaos
        if fired and fired[0].rule.declared.sole:
            (firing,) = fired
            authorization = circumstances.header(scope, b"authorization")
            instead = changes.in_place(firing, authorization, switch.evil_origin, bank.api_origin)
            if instead is not None:
                if firing.arguments.get("effect"):
                    await self._asked(scope, receive)
                switch.injected(firing)
                await _send(send, instead)
                return
            switch.spared(firing)
            fired = []
        cursor, own = self._walks.lead(seen)
        if cursor is not None:
            scope = _with_query(scope, "cursor", cursor)
        with circumstances.around(bank, scope, fired) as (scope, early):
            answer = own or await self._asked(scope, receive)
            done = set(early)
            if own is None:
                self._walks.follow(seen, answer)
            kind = (seen.route, answer.header("content-type"))
            before, own_body = self._before.get(kind), answer.body
            for firing in fired:
                if firing.fault == "other_body" and before not in (None, answer.body):
                    answer.set_body(before or b"")
                    done.add(firing)
                if firing in done or self._change(firing, seen, answer):
                    switch.injected(firing)
                else:
                    switch.spared(firing)
            if answer.status == 200:
                self._before[kind] = own_body
            self._walks.remember(seen, asked_cursor(seen), answer)
            await _send(send, answer)

    def _change(self, firing: Firing, seen: Seen, answer: Answer) -> bool:
        bank = self._bank
        if firing.fault in _PAGE_FAULTS:
            return self._walks.change(firing, asked_cursor(seen), answer, bank.chaos.evil_origin, bank.api_origin)
        if firing.fault in circumstances.OF_NEW_TOKENS:
            return circumstances.change_token(bank, firing, answer)
        return changes.change(
            firing,
            answer,
            now_seconds=bank.state.now().timestamp(),
            evil_origin=bank.chaos.evil_origin,
            storage_origin=bank.storage_origin,
        )

    async def _asked(self, scope: Scope, receive: Receive) -> Answer:
        """The bank's whole answer."""
        answer = Answer(500, [], b"")
        parts: list[bytes] = []

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = [(bytes(name).lower(), bytes(value)) for name, value in message.get("headers", ())]
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))

        await self._application(scope, receive, collect)
        answer.body = b"".join(parts)
        return answer


async def _send(send: Send, answer: Answer) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _read(receive: Receive) -> tuple[bytes, Receive]:
    """The request's body as far as a rule looks at it, and a way to receive it again."""
    messages: list[Message] = []
    body, more = b"", True
    while more and len(body) <= _LONGEST_BODY_BYTES:
        message = await receive()
        messages.append(message)
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
    waiting = iter(messages)

    async def again() -> Message:
        for message in waiting:
            return message
        return await receive()

    return body, again


def _seen(scope: Scope, body: bytes) -> Seen:
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    request_id = circumstances.header(scope, b"x-request-id") or None
    return Seen(scope["method"], scope["path"], query, body, request_id)


def _with_query(scope: Scope, name: str, value: str) -> Scope:
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    kept = [pair for pair in pairs if pair[0] != name]
    return {**scope, "query_string": urlencode([*kept, (name, value)]).encode()}

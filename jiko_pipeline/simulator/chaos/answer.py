"""An answer of the bank on its way out, open to change.

Belongs here: status, headers and bytes, and the way from bytes to JSON and back. Does not belong here: faults.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(slots=True)
class Answer:
    """A complete answer. Header names are lower case."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @classmethod
    def of_json(cls, status: int, document: object, headers: Mapping[str, str] | None = None) -> Self:
        """An answer with a JSON body."""
        answer = cls(status, [], b"")
        answer.set_header("content-type", "application/json")
        for name, value in (headers or {}).items():
            answer.set_header(name, value)
        answer.write(document)
        return answer

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        wanted = name.lower().encode()
        return next((value.decode("latin-1") for key, value in self.headers if key == wanted), None)

    def set_header(self, name: str, value: str | None) -> None:
        """Put a header in place of all of its name; None removes them."""
        wanted = name.lower().encode()
        self.headers = [(key, kept) for key, kept in self.headers if key != wanted]
        if value is not None:
            self.headers.append((wanted, value.encode("latin-1", "replace")))

    def set_body(self, body: bytes) -> None:
        """Put another body, and its length."""
        self.body = body
        self.set_header("content-length", str(len(body)))

    def document(self) -> dict[str, Any] | None:
        """The JSON object of a successful answer, or None."""
        if self.status not in (200, 201):
            return None
        try:
            document = json.loads(self.body)
        except ValueError:
            return None
        return document if isinstance(document, dict) else None

    def write(self, document: object) -> None:
        """Put a JSON body."""
        self.set_body(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())


def rows_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a list, or the document itself where it is one thing."""
    items = document.get("items")
    if isinstance(items, list):
        return [item for item in items if isinstance(item, dict)]
    return [document]


def objects_within(value: object) -> Iterable[dict[str, Any]]:
    """Every JSON object within a value, itself included."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from objects_within(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from objects_within(inner)

"""Changes of the contract on request: answers that are right but for one thing that a newer bank does otherwise.

Belongs here: the changes by name, each of one operation, and making them in a finished answer. Does not belong here:
faults of the way (`jiko_pipeline.simulator.chaos`), faults in the data (`jiko_pipeline.simulator.faults`).

Only successful answers are changed. A change that finds nothing to change (an empty list) leaves the answer alone.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from starlette.responses import Response

Json = dict[str, Any]
ELSEWHERE: Final = "https://files.elsewhere.example/confirmation.pdf"


class UnknownChangeError(ValueError):
    """A name that no change has."""


@dataclass(frozen=True, slots=True)
class ContractChange:
    """One change: the operation it is of, where, and what a client should notice. `make` gives the other answer."""

    name: str
    method: str
    path: str
    place: str
    notice: str
    make: Callable[[Response], Response]


def _of_json(alter: Callable[[Json], None]) -> Callable[[Response], Response]:
    def make(response: Response) -> Response:
        document = json.loads(bytes(response.body))
        alter(document)
        return _with_body(response, json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())

    return make


def _of_items(alter: Callable[[Json], None]) -> Callable[[Response], Response]:
    def each(document: Json) -> None:
        for item in document["items"]:
            alter(item)

    return _of_json(each)


def _of_csv(
    header: Callable[[str], str], row: Callable[[str], str] = lambda line: line
) -> Callable[[Response], Response]:
    def make(response: Response) -> Response:
        first, end, rest = bytes(response.body).decode().partition("\n")
        rows = "\n".join(row(line) if line else line for line in rest.split("\n"))
        return _with_body(response, (header(first) + end + rows).encode())

    return make


def _with_body(response: Response, body: bytes, status: int | None = None) -> Response:
    headers = {name: value for name, value in response.headers.items() if name.lower() != "content-length"}
    return Response(body, status or response.status_code, headers)


def _with_status(status: int) -> Callable[[Response], Response]:
    return lambda response: _with_body(response, bytes(response.body), status)


def _redirect(status: int, location: str) -> Callable[[Response], Response]:
    return lambda response: Response(
        b"",
        status,
        {
            **{name: value for name, value in response.headers.items() if not name.lower().startswith("content-")},
            "Location": location,
        },
    )


def _set(name: str, value: object) -> Callable[[Json], None]:
    return lambda item: item.__setitem__(name, value)


def _drop(name: str) -> Callable[[Json], None]:
    return lambda item: item.pop(name, None)


def _renamed(name: str, old: str, new: str) -> Callable[[Json], None]:
    def alter(item: Json) -> None:
        if item[name] == old:
            item[name] = new

    return alter


def _priced_coupon(pocket: Json) -> None:
    for security in pocket["portfolio"]["securities"]:
        security["coupon"] = {"rate": "0", "frequency": "NONE"}


def _earned_as_text(earned: Json) -> None:
    earned["earnings"]["value"] = str(earned["earnings"]["value"])


def _add_column(line: str) -> str:
    end = "\r" if line.endswith("\r") else ""
    return line.removesuffix("\r") + ",ONLINE" + end


def _add_column_name(line: str) -> str:
    end = "\r" if line.endswith("\r") else ""
    return line.removesuffix("\r") + ",channel" + end


_ALL: Final = (
    ContractChange(
        "unknown-field", "GET", "/api/v2/pockets/", "items[].nickname", "a field nobody knows",
        _of_items(_set("nickname", "Reserve")),
    ),
    ContractChange(
        "missing-field", "GET", "/api/v2/transactions/", "items[].title", "a field that is gone",
        _of_items(_drop("title")),
    ),
    ContractChange(
        "new-word", "GET", "/api/v2/trades/", "items[].activity", "EXCHANGE", _of_items(_set("activity", "EXCHANGE"))
    ),
    ContractChange(
        "renamed-status", "GET", "/api/v2/pockets/{pocket_id}/", "status", "ACTIVE",
        _of_json(_renamed("status", "OPEN", "ACTIVE")),
    ),
    ContractChange(
        "other-csv-header", "GET", "/api/v1/trades.csv", "header", "security_cusip in place of cusip",
        _of_csv(lambda line: line.replace("cusip", "security_cusip", 1)),
    ),
    ContractChange(
        "added-csv-column", "GET", "/api/v2/transactions.csv", "header", "channel, a column more",
        _of_csv(_add_column_name, _add_column),
    ),
    ContractChange("other-status", "GET", "/api/v1/statements/", "", "203 in place of 200", _with_status(203)),
    ContractChange(
        "other-type", "GET", "/api/v2/pockets/{pocket_id}/earnings/", "earnings.value", "text in place of a number",
        _of_json(_earned_as_text),
    ),
    ContractChange(
        "no-object-type", "GET", "/api/v1/trades/", "object_type", "a list that does not say what it is",
        _of_json(_drop("object_type")),
    ),
    ContractChange(
        "moved", "GET", "/api/v1/portals/", "", "a redirect where none is due", _redirect(308, "/api/v2/portals/")
    ),
    ContractChange(
        "nested-field", "GET", "/api/v2/pockets/", "items[].portfolio.securities[].coupon", "a field deep within",
        _of_items(_priced_coupon),
    ),
    ContractChange(
        "null-where-none-was", "GET", "/api/v2/trading-strategies/", "items[].description", "null in place of text",
        _of_items(_set("description", None)),
    ),
    ContractChange(
        "new-report-status", "GET", "/api/v1/report-requests/", "items[].status", "QUEUED",
        _of_items(_set("status", "QUEUED")),
    ),
    ContractChange(
        "new-report-type", "GET", "/api/v1/reports/{report_id}/", "report_type", "LADDER_REPORT",
        _of_json(_set("report_type", "LADDER_REPORT")),
    ),
    ContractChange(
        "confirmation-elsewhere", "GET", "/api/v1/accounts/{account_id}/trades/{trade_id}/confirmation/", "Location",
        "a host that is not the storage's", _redirect(307, ELSEWHERE),
    ),
)  # fmt: skip

CHANGES: Final[Mapping[str, ContractChange]] = MappingProxyType({change.name: change for change in _ALL})
"""Every change by name."""


def checked(names: Collection[str]) -> frozenset[str]:
    """`names` as a set. Raises UnknownChangeError with those that there are for one that is none."""
    unknown = sorted(set(names) - set(CHANGES))
    if unknown:
        raise UnknownChangeError(f"There is no contract change {', '.join(unknown)}; there are: {', '.join(CHANGES)}.")
    return frozenset(names)


def changed(response: Response, method: str, path: str, names: Collection[str]) -> Response:
    """The answer of an operation (its path with parameters in braces) with the changes of it among `names`."""
    if response.status_code < 400:
        for change in _of_operation(method, path, names):
            response = change.make(response)
    return response


def _of_operation(method: str, path: str, names: Collection[str]) -> Iterator[ContractChange]:
    for change in _ALL:
        if change.name in names and (change.method, change.path) == (method, path):
            yield change

"""Moves money through the served bank: requests, approvals, statements as plain rows.

Belongs here: bodies of requests, the way from a request to an approval, a statement read without the pipeline's
own reader. Does not belong here: assertions on what came of it.
"""

import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
from lxml import etree

from jiko_pipeline_tests.bank.simulator_rig import Json, ServedBank

REQUESTS = "/api/v1/transfer-requests/"
POCKETS = "/api/v2/pockets/"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def open_pockets(bank: ServedBank) -> list[Json]:
    """The open pockets, richest first."""
    found: list[Json] = bank.get(POCKETS, **{"filter[status]": "OPEN"})["items"]
    return sorted(found, key=lambda pocket: -pocket["portfolio"]["total_value"]["value"])


def worth(bank: ServedBank, pocket_id: str) -> int:
    """The value of a pocket now, in cents."""
    value: int = bank.get(f"{POCKETS}{pocket_id}/")["portfolio"]["total_value"]["value"]
    return value


def counterparty(bank: ServedBank, kind: str) -> str:
    """The id of a linked counterparty of a type."""
    found = bank.walk("/api/v2/counterparties/", type=kind, status="LINKED")
    identifier: str = found[0]["id"]
    return identifier


def reallocation(origin: str, target: str, cents: int | None, **more: Any) -> Json:
    """The body of a request for a transfer between two pockets; `cents` None takes all the money."""
    details = {"type": "INTERNAL_REALLOCATION", "destination_pocket_id": target}
    return _body({"type": "ON_US", "origin_pocket_id": origin, "details": details, **more}, cents)


def payment(origin: str, counterparty_id: str, cents: int | None, **more: Any) -> Json:
    """The body of a request for an on-us payment to another customer."""
    details = {"type": "PEER_TO_PEER", "destination_counterparty_id": counterparty_id}
    return _body({"type": "ON_US", "origin_pocket_id": origin, "details": details, **more}, cents)


def wire(origin: str, counterparty_id: str, cents: int | None, **more: Any) -> Json:
    """The body of a request for a wire."""
    return _body({"type": "WIRE", "origin_pocket_id": origin, "counterparty_id": counterparty_id, **more}, cents)


def _body(transfer: Json, cents: int | None) -> Json:
    amount: Json = {"type": "REQUESTED_AMOUNT", "amount_usdc": cents}
    if cents is None:
        amount = {"type": "FULL_WITHDRAWAL"}
    return {"transfer": {"id": str(uuid.uuid4()), "amount": amount, **transfer}, "reviewers": []}


def requested(bank: ServedBank, body: Json) -> Json:
    """The request that a body makes."""
    answer = bank.http.post(REQUESTS, json=body)
    assert answer.status_code == 201, answer.text
    request: Json = answer.json()
    return request


def decide(client: httpx.Client, request: Json, decision: str = "APPROVED") -> httpx.Response:
    """The answer to a decision of a client."""
    return client.patch(f"{REQUESTS}{request['id']}/status/", json={"status": decision})


def approved(bank: ServedBank, body: Json) -> Json:
    """A request made by the one person and approved by the other, as it stands then."""
    request = requested(bank, body)
    with bank.approver() as approver:
        answer = decide(approver, request)
    assert answer.status_code == 200, answer.text
    decided: Json = answer.json()
    return decided


def move_clock(bank: ServedBank, to: str) -> None:
    """Set the clock and sign in again, since tokens live minutes only."""
    bank.move_clock(to=to)
    bank.sign_in()


def funded_pocket(bank: ServedBank, cents: int, *, strategy: str = "UST-13W") -> str:
    """A new pocket that the richest one is to send `cents` to on the next trading day."""
    answer = bank.http.post(POCKETS, json={"pocket_name": "Acquisition reserve", "trading_strategy_id": strategy})
    assert answer.status_code == 201, answer.text
    pocket_id: str = answer.json()["id"]
    bank.move_clock(seconds=11)
    origin = open_pockets(bank)[0]["id"]
    assert approved(bank, reallocation(origin, pocket_id, cents))["status"] == "APPROVED"
    return pocket_id


@dataclass(frozen=True)
class Entry:
    """One entry of a statement; `cents` is signed."""

    code: str
    cents: int
    end_to_end_id: str
    remittance: str


@dataclass(frozen=True)
class Statement:
    """One statement, its balances in cents."""

    opening: int
    closing: int
    entries: tuple[Entry, ...]

    def cents(self, code: str) -> int:
        """The sum of the entries of a proprietary code."""
        return sum(entry.cents for entry in self.entries if entry.code == code)


def statement(bank: ServedBank, kind: str, pocket_id: str, day: str) -> Statement:
    """The BANK or BROKERAGE statement of a pocket and day."""
    (file,) = bank.delivered(f"{kind}_STATEMENT_REPORT", "CAMT053", pocket_ids=[pocket_id], date=day)
    (found,) = etree.fromstring(file).iterfind(".//{*}Stmt")
    balances = {_text(one, "Tp/CdOrPrtry/Cd"): _signed(one) for one in found.iterfind("{*}Bal")}
    entries = tuple(
        Entry(
            _text(one, "BkTxCd/Prtry/Cd"),
            _signed(one),
            _text(one, "NtryDtls/TxDtls/Refs/EndToEndId"),
            _text(one, "NtryDtls/TxDtls/RmtInf/Ustrd"),
        )
        for one in found.iterfind("{*}Ntry")
    )
    return Statement(balances["OPBD"], balances["CLBD"], entries)


def _text(element: Any, path: str) -> str:
    text: str = element.findtext("/".join(f"{{*}}{part}" for part in path.split("/")))
    return text


def _signed(element: Any) -> int:
    cents = int(Decimal(_text(element, "Amt")) * 100)
    return cents if _text(element, "CdtDbtInd") == "CRDT" else -cents

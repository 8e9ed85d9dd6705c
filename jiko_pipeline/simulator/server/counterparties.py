"""Counterparties: outside accounts that money goes to and comes from.

Belongs here: their four types, how each is verified, linking and unlinking. A verification ends by the
simulator's clock, so a status is computed, never kept:

- `pre_verified`, `plaid`, `unverified`: LINKED at once (`unverified` is for wires only);
- `name_match`: LINKED at once, or REJECTED when the account number ends in 0000;
- `micro_deposits`: LINKED at 9:00 New York on the second Fed business day after it was made;
- `incoming_wire`: the same on the third day;
- `supporting_documents`: LINKED at 9:00 New York on the Fed business day after a document was uploaded.

An account number that ends in 0000 is REJECTED where the others are LINKED. Does not belong here: transfers.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from starlette.responses import Response

from jiko_pipeline.calendars import new_york_date, new_york_instant, next_fed_business_day, on_or_after
from jiko_pipeline.simulator.documents.numbers import instant_text
from jiko_pipeline.simulator.draws import Draws, drawn_uuid
from jiko_pipeline.simulator.server.answers import Json, not_found
from jiko_pipeline.simulator.server.audits import record
from jiko_pipeline.simulator.server.bank import Call, Operation, SimulatedBank, json_response
from jiko_pipeline.simulator.server.bodies import read_body, rule_broken
from jiko_pipeline.simulator.server.counterparty_forms import (
    ACH,
    INTERNATIONAL_WIRE,
    METHODS,
    ON_US,
    WIRE,
    read_counterparty,
)
from jiko_pipeline.simulator.server.documents_upload import first_upload_after
from jiko_pipeline.simulator.server.limits import LimitGroup
from jiko_pipeline.simulator.server.paging import Cursors, Key, cut
from jiko_pipeline.simulator.server.paid_parties import PARTIES, id_of_party
from jiko_pipeline.simulator.server.portals import ROUTING_NUMBER

PENDING: Final = "PENDING"
LINKED: Final = "LINKED"
UNLINKED: Final = "UNLINKED"
REJECTED: Final = "REJECTED"

_DAYS: Final = {"micro_deposits": 2, "incoming_wire": 3}
_NEVER_MATCHES: Final = "0000"
_BEFORE_DAYS: Final = 90
_LATER_BY_DAYS: Final = 4


@dataclass(frozen=True, slots=True)
class Counterparty:
    """One counterparty as it stands at a moment. `account_number` of an on-us one is its Jiko network address."""

    id: str
    type: str
    status: str
    created_at: datetime
    name_on_account: str | None
    account_number: str
    verification: str
    details: Mapping[str, Any]


def counterparty(bank: SimulatedBank, counterparty_id: str) -> Counterparty | None:
    """One counterparty at the simulator's present moment, or None."""
    return next((one for one in _all(bank, bank.state.now()) if one.id == counterparty_id), None)


def list_counterparties(call: Call) -> Response:
    """GET /api/v2/counterparties/, newest first; unknown types and statuses match nothing."""
    query = call.query
    limit = query.limit(30)
    kind, status = query.text("type"), query.text("status")
    kind = ON_US if kind == "on-us" else kind
    found = sorted(
        (one for one in _all(call.bank, call.now) if kind in (None, one.type) and status in (None, one.status)),
        key=_key,
    )

    def walk(descending: bool, _: Key | None) -> Iterable[Counterparty]:
        return reversed(found) if descending else found

    page = cut(
        walk,
        _key,
        cursors=Cursors(call.bank.signing_secret, "counterparties", call.filters()),
        cursor=query.text("cursor"),
        limit=limit,
        descending=True,
    )
    return json_response(page.as_cursor_list(_shown))


def get_counterparty(call: Call) -> Response:
    """GET /api/v2/counterparties/{counterparty_id}/."""
    return json_response(_shown(_found(call)))


def create_counterparty(call: Call) -> Response:
    """POST /api/v2/counterparties/."""
    details = read_counterparty(read_body(call))
    kind = details["type"]
    made = json.dumps(details, sort_keys=True)
    for one in _all(call.bank, call.now):
        same = (one.type, one.account_number, one.details.get("routing_number"), one.details.get("identifier_code"))
        if one.status != UNLINKED and same == (
            kind,
            details["account_number"],
            details.get("routing_number"),
            details.get("identifier_code"),
        ):
            raise rule_broken(call, "counterparty-exists", "A counterparty with this account exists already.", 409)
    with call.bank.state.transaction() as connection:
        (number,) = connection.execute("select coalesce(max(number), 0) + 1 from counterparty").fetchone()
        identifier = drawn_uuid(call.bank.world.config.seed, "counterparty made", number)
        connection.execute(
            "insert into counterparty values (?, ?, ?, ?)", (number, identifier, instant_text(call.now), made)
        )
    record(call, "COUNTERPARTY_CREATED", {"counterparty_id": identifier, "type": kind})
    stored = counterparty(call.bank, identifier)
    assert stored is not None
    return json_response(_shown(stored), 201)


def update_counterparty(call: Call) -> Response:
    """PATCH /api/v2/counterparties/{counterparty_id}/: link and unlink."""
    before = _found(call)
    status = read_body(call).choice("status", LINKED, UNLINKED)
    if status == before.status:
        return json_response(_shown(before))
    if status == LINKED:
        verified = _verified_status(call.bank, before, call.now)
        if verified != LINKED:
            raise rule_broken(
                call, "counterparty-not-verified", f"The verification of the counterparty stands at {verified}."
            )
    with call.bank.state.transaction() as connection:
        connection.execute(
            """
            insert into counterparty_link values (?, ?, ?)
            on conflict (id) do update set status = excluded.status, at = excluded.at
            """,
            (before.id, status, instant_text(call.now)),
        )
    record(
        call,
        "COUNTERPARTY_STATUS_CHANGED",
        {"counterparty_id": before.id, "status_before": before.status, "status": status},
    )
    after = counterparty(call.bank, before.id)
    assert after is not None
    return json_response(_shown(after))


def _found(call: Call) -> Counterparty:
    found = counterparty(call.bank, call.identifier("counterparty_id"))
    if found is None:
        raise not_found()
    return found


def _key(one: Counterparty) -> Key:
    return instant_text(one.created_at), one.id


def _shown(one: Counterparty) -> Json:
    names = (
        "routing_number",
        "account_type",
        "institution_name",
        "identifier_code",
        "identifier_type",
        "address",
        "wire_instructions",
    )
    return {
        "id": one.id,
        "type": one.type,
        "status": one.status,
        "name_on_account": one.name_on_account,
        "account_number": one.account_number,
        **{name: one.details.get(name) for name in names},
        "verification": {"type": one.verification},
        "time_created": instant_text(one.created_at),
    }


def _all(bank: SimulatedBank, now: datetime) -> list[Counterparty]:
    with bank.state.transaction() as connection:
        rows = connection.execute("select id, created_at, details from counterparty order by number").fetchall()
        links = dict(connection.execute("select id, status from counterparty_link"))
    known = [
        *_before(bank),
        *(
            _counterparty(identifier, datetime.fromisoformat(at), json.loads(details))
            for identifier, at, details in rows
        ),
    ]
    return [_as_of(bank, one, links.get(one.id), now) for one in known]


def _counterparty(identifier: str, created_at: datetime, details: Mapping[str, Any]) -> Counterparty:
    return Counterparty(
        id=identifier,
        type=details["type"],
        status=PENDING,
        created_at=created_at,
        name_on_account=details.get("name_on_account"),
        account_number=details["account_number"],
        verification=details["verification"],
        details=details,
    )


def _as_of(bank: SimulatedBank, one: Counterparty, link: str | None, now: datetime) -> Counterparty:
    status = link if link == UNLINKED else _verified_status(bank, one, now)
    return replace(one, status=status)


def _verified_status(bank: SimulatedBank, one: Counterparty, now: datetime) -> str:
    due: datetime | None = one.created_at
    if one.verification in _DAYS:
        due = _business_morning(one.created_at, _DAYS[one.verification])
    elif one.verification == "supporting_documents":
        uploaded = first_upload_after(bank, one.created_at)
        due = None if uploaded is None else _business_morning(uploaded, 1)
    if due is None or now < due:
        return PENDING
    checked = one.verification in ("name_match", "micro_deposits", "incoming_wire", "supporting_documents")
    return REJECTED if checked and one.account_number.endswith(_NEVER_MATCHES) else LINKED


def _business_morning(at: datetime, number: int) -> datetime:
    """9:00 New York on the `number`-th Fed business day after a time."""
    day: date = new_york_date(at)
    for _ in range(number):
        day = next_fed_business_day(day)
    return new_york_instant(day, time(9))


def _before(bank: SimulatedBank) -> Iterable[Counterparty]:
    """The counterparties of the time before the API was used: functions of the seed."""
    config = bank.world.config
    for number, (kind, name) in enumerate(PARTIES):
        draws = Draws(config.seed, "counterparty", number)
        details: Json = {
            "type": kind,
            "name_on_account": name,
            "account_number": f"{draws.below(10**9):09d}7",
            "verification": METHODS[kind][0],
        }
        if kind in (ACH, WIRE):
            details |= {"routing_number": ROUTING_NUMBER, "institution_name": "First Example Bank"}
        if kind == ACH:
            details["account_type"] = "CHECKING"
        if kind == INTERNATIONAL_WIRE:
            # The example IBAN of the Swiss banks and a code in the form of ISO 9362 that no bank has.
            details |= {
                "account_number": "CH9300762011623852957",
                "identifier_code": "XMPLCHZZXXX",
                "identifier_type": "IBAN",
                "institution_name": "Beispielbank AG",
            }
        if kind in (WIRE, INTERNATIONAL_WIRE):
            details["address"] = {
                "street_address": f"{draws.between(1, 90)} Market Street",
                "street_address2": None,
                "city": "Zurich" if kind == INTERNATIONAL_WIRE else "Chicago",
                "postal_code": "8001" if kind == INTERNATIONAL_WIRE else "60601",
                "state": None if kind == INTERNATIONAL_WIRE else "IL",
                "country": "CH" if kind == INTERNATIONAL_WIRE else "US",
            }
        made_on = on_or_after(config.start - timedelta(days=_BEFORE_DAYS - _LATER_BY_DAYS * number))
        made_at = new_york_instant(made_on, time(11, draws.below(60), draws.below(60)))
        yield _counterparty(id_of_party(config, number), made_at, details)


def _operation(method: str, path: str, name: str, answer: Callable[[Call], Response]) -> Operation:
    access = "read" if method == "GET" else "write"
    return Operation(
        method, f"/api/v2/counterparties/{path}", name, LimitGroup.COUNTERPARTIES, f"transfers.{access}", answer
    )


OPERATIONS: Final = (
    _operation("GET", "", "list_counterparties", list_counterparties),
    _operation("POST", "", "create_counterparty", create_counterparty),
    _operation("GET", "{counterparty_id}/", "get_counterparty", get_counterparty),
    _operation("PATCH", "{counterparty_id}/", "update_counterparty", update_counterparty),
)

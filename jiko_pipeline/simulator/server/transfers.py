"""Transfer requests under dual control: create, list, look at, cancel, approve or deny.

Belongs here: who may do what with a request, its status words. Does not belong here: what a request asks for and
why the bank rejects an approved one (`transfer_wishes`), how the money moves (`orders`, `history`).

PENDING until somebody decides; then CANCELLED (its creator took it back), DENIED, REJECTED (approved, but the bank
cannot carry it out, with the reason in `status_reason`), or APPROVED and, once the money is booked, COMPLETED.
Who created a request never decides on it; where reviewers are named, only they do.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Final

from starlette.responses import Response

from jiko_pipeline.calendars import new_york_date
from jiko_pipeline.simulator.documents.numbers import instant_text
from jiko_pipeline.simulator.server import audits
from jiko_pipeline.simulator.server.answers import Json, RefusedError, not_found
from jiko_pipeline.simulator.server.bank import Call, Operation, SimulatedBank, json_response
from jiko_pipeline.simulator.server.bodies import Body, read_body, rule_broken, wrong
from jiko_pipeline.simulator.server.counterparties import counterparty
from jiko_pipeline.simulator.server.events import emit
from jiko_pipeline.simulator.server.holdings import OPEN, status_of
from jiko_pipeline.simulator.server.ledger_messages import months_walk
from jiko_pipeline.simulator.server.ledger_transfers import (
    LedgerRequest,
    first_day_of_ledger,
    is_of_ledger,
    request_of_ledger,
    requests_of_ledger,
    transfer_of_ledger,
)
from jiko_pipeline.simulator.server.limits import LimitGroup
from jiko_pipeline.simulator.server.members import APPROVING_ROLES, acting_member, check_may_move_money, members
from jiko_pipeline.simulator.server.notifications import notify
from jiko_pipeline.simulator.server.order_book import check_time_goes_on, keep_transfer
from jiko_pipeline.simulator.server.paging import Cursors, Key, cut
from jiko_pipeline.simulator.server.pockets import find_pocket
from jiko_pipeline.simulator.server.population import ACTIVE, Member
from jiko_pipeline.simulator.server.transfer_wishes import (
    Wish,
    as_read,
    cannot_receive,
    read_wish,
    rejection,
    transfer_of,
)

PENDING: Final = "PENDING"
APPROVED: Final = "APPROVED"
DENIED: Final = "DENIED"
CANCELLED: Final = "CANCELLED"
REJECTED: Final = "REJECTED"
COMPLETED: Final = "COMPLETED"

_COLUMNS: Final = "id, body, created_by, created_at, status, reviewed_by, updated_at, reason"


@dataclass(frozen=True, slots=True)
class Request:
    """A transfer request as the state keeps it."""

    id: str
    body: Json
    created_by: str
    created_at: datetime
    status: str
    reviewed_by: str | None
    updated_at: datetime | None
    reason: str | None

    @property
    def wish(self) -> Wish:
        """What it asks for."""
        return read_wish(Body(self.body, ("body",)))


def _request(row: tuple[Any, ...]) -> Request:
    identifier, body, created_by, created_at, status, reviewed_by, updated_at, reason = row
    return Request(
        identifier,
        json.loads(body),
        created_by,
        datetime.fromisoformat(created_at),
        status,
        reviewed_by,
        None if updated_at is None else datetime.fromisoformat(updated_at),
        reason,
    )


def create_request(call: Call) -> Response:
    """POST /api/v1/transfer-requests/: the same id and body again is the same request."""
    check_may_move_money(call)
    body = read_body(call)
    wish = read_wish(body)
    asked = as_read(body, wish)
    known = _find(call.bank, wish.id)
    if known is not None:
        if known.created_by == acting_member(call) and known.body == asked:
            return json_response(_show(call, known), 201)
        raise rule_broken(call, "transfer-id-taken", "Another transfer request has this transfer.id.", 409)
    if is_of_ledger(call, wish.id):
        raise rule_broken(call, "transfer-id-taken", "A movement of the ledger has this transfer.id.", 409)
    _check_wish(call, body, wish)
    with call.bank.state.transaction() as connection:
        connection.execute(
            "insert into transfer_request (id, body, created_by, created_at, status) values (?, ?, ?, ?, ?)",
            (
                wish.id,
                json.dumps(asked, sort_keys=True),
                acting_member(call),
                instant_text(call.now),
                PENDING,
            ),
        )
    audits.record(
        call,
        "TRANSFER_REQUEST_CREATED",
        {
            "transfer_id": wish.id,
            "type": wish.type,
            "pocket_id": wish.origin_id,
            "amount_cents": wish.amount_cents,
            "reviewers": list(wish.reviewers),
        },
    )
    _notify(call, wish, "TRANSFER_APPROVAL_NEEDED", "A transfer waits for approval", "waits for approval")
    return json_response(_show(call, _found(call, wish.id)), 201)


def _check_wish(call: Call, body: Body, wish: Wish) -> None:
    origin = find_pocket(call, wish.origin_id)
    if origin is None:
        raise rule_broken(call, "origin-pocket-unknown", "The origin pocket is not one of this customer.")
    if status_of(origin, call.now) != OPEN:
        raise rule_broken(call, "origin-pocket-not-open", "The origin pocket is not open.")
    if wish.in_securities:
        raise rule_broken(
            call,
            "security-transfer-not-offered",
            "Securities move between JikoNet pockets only; the customer has none.",
        )
    if wish.target_id is not None:
        target = find_pocket(call, wish.target_id)
        if target is None or wish.target_id == wish.origin_id:
            raise rule_broken(
                call, "destination-pocket-unknown", "The destination is no other pocket of this customer."
            )
        if status_of(target, call.now) != OPEN:
            raise rule_broken(call, "destination-pocket-not-open", "The destination pocket is not open.")
    else:
        party = counterparty(call.bank, wish.counterparty_id or "")
        reason = cannot_receive(wish, party)
        if reason is not None:
            raise rule_broken(call, "counterparty-not-usable", reason)
    allowed = {one.id for one in _reviewers(call.bank)}
    for place, reviewer in enumerate(wish.reviewers):
        if reviewer not in allowed or reviewer == acting_member(call):
            message = "Value error, not a member who may review this request"
            raise wrong((*body.at("reviewers"), place), message, "value_error", reviewer)


def list_requests(call: Call) -> Response:
    """GET /api/v1/transfer-requests/, newest first, those of the ledger's payments among them.

    An unknown status matches nothing.
    """
    query = call.query
    limit = query.limit(30)
    status, reviewers = query.text("status"), query.identifiers("reviewer")
    with call.bank.state.transaction() as connection:
        rows = connection.execute(f"select {_COLUMNS} from transfer_request order by created_at, id").fetchall()
    made = [
        request
        for request in map(_request, rows)
        if status in (None, _progress(call, request)[0])
        and (reviewers is None or not reviewers.isdisjoint(request.wish.reviewers))
    ]

    def ask(first: date, last: date) -> list[Request | LedgerRequest]:
        found: list[Request | LedgerRequest] = [
            request for request in made if first <= new_york_date(request.created_at) <= last
        ]
        found += [
            request
            for request in requests_of_ledger(call.bank.world, members(call.bank), first, last, call.now)
            if status in (None, request.status_at(call.now)) and (reviewers is None or request.approver.id in reviewers)
        ]
        return sorted(found, key=_key)

    page = cut(
        months_walk(ask, first_day_of_ledger(call), call.today),
        _key,
        cursors=Cursors(call.bank.signing_secret, "transfer-requests", call.filters()),
        cursor=query.text("cursor"),
        limit=limit,
        descending=True,
    )
    return json_response(page.as_cursor_list(partial(_show, call)))


def list_reviewers(call: Call) -> Response:
    """GET /api/v1/transfer-requests/reviewers/: the members who may approve."""
    users = [_user(one) for one in _reviewers(call.bank)]
    return json_response({"items": users, "count": len(users), "object_type": "List"})


def get_request(call: Call) -> Response:
    """GET /api/v1/transfer-requests/{transfer_id}/, by the id of a transfer that the ledger made as well."""
    transfer_id = call.identifier("transfer_id")
    request = _find(call.bank, transfer_id)
    if request is not None:
        return json_response(_show(call, request))
    made = request_of_ledger(call, transfer_id)
    if made is None:
        raise not_found()
    return json_response(_show(call, made))


def cancel_request(call: Call) -> Response:
    """DELETE /api/v1/transfer-requests/{transfer_id}/: its creator takes it back before anybody decided."""
    request = _found(call, call.identifier("transfer_id"))
    if request.created_by != acting_member(call):
        raise RefusedError(403, {"detail": "Only the member who created a transfer request may cancel it"})
    _check_pending(call, request)
    _end(call, request, CANCELLED, None)
    audits.record(call, "TRANSFER_REQUEST_CANCELLED", {"transfer_id": request.id})
    return Response(status_code=204)


def decide_request(call: Call) -> Response:
    """PATCH /api/v1/transfer-requests/{transfer_id}/status/: approve or deny."""
    request = _found(call, call.identifier("transfer_id"))
    decision = read_body(call).choice("status", APPROVED, DENIED)
    wish, reviewer = request.wish, acting_member(call)
    if request.created_by == reviewer:
        raise RefusedError(403, {"detail": "The member who created a transfer request may not decide on it"})
    if wish.reviewers and reviewer not in wish.reviewers:
        raise RefusedError(403, {"detail": "Only a named reviewer may decide on this transfer request"})
    if reviewer not in {one.id for one in _reviewers(call.bank)}:
        raise RefusedError(403, {"detail": "The role of the member does not allow to decide on transfer requests"})
    _check_pending(call, request)
    if decision == DENIED:
        _end(call, request, DENIED, None, reviewer)
        audits.record(call, "TRANSFER_REQUEST_DENIED", {"transfer_id": request.id})
        _notify(call, wish, "TRANSFER_DENIED", "A transfer was denied", "was denied")
        return json_response(_show(call, _found(call, request.id)))
    check_time_goes_on(call)
    transfer = transfer_of(call, wish)
    reason = rejection(call, wish, transfer)
    audits.record(call, "TRANSFER_REQUEST_APPROVED", {"transfer_id": request.id})
    if reason is not None or transfer is None:
        _end(call, request, REJECTED, reason, reviewer)
        _tell(call, wish, "rejected")
        _notify(call, wish, "TRANSFER_REJECTED", "A transfer was rejected", f"was rejected: {reason}")
    else:
        _end(call, request, APPROVED, None, reviewer)
        _tell(call, wish, "processing")
        _notify(call, wish, "TRANSFER_APPROVED", "A transfer was approved", "was approved and is carried out")
        keep_transfer(call.bank, transfer)
    return json_response(_show(call, _found(call, request.id)))


def _find(bank: SimulatedBank, transfer_id: str) -> Request | None:
    with bank.state.transaction() as connection:
        row = connection.execute(f"select {_COLUMNS} from transfer_request where id = ?", (transfer_id,)).fetchone()
    return None if row is None else _request(row)


def _found(call: Call, transfer_id: str) -> Request:
    request = _find(call.bank, transfer_id)
    if request is None:
        made = request_of_ledger(call, transfer_id)
        if made is None:
            raise not_found()
        raise _decided(call, made.status_at(call.now))
    return request


def _check_pending(call: Call, request: Request) -> None:
    if request.status != PENDING:
        status, _ = _progress(call, request)
        raise _decided(call, status)


def _decided(call: Call, status: str) -> RefusedError:
    return rule_broken(call, "transfer-request-decided", f"The transfer request is {status} already.", 409)


def _end(call: Call, request: Request, status: str, reason: str | None, reviewer: str | None = None) -> None:
    with call.bank.state.transaction() as connection:
        connection.execute(
            "update transfer_request set status = ?, reviewed_by = ?, updated_at = ?, reason = ? where id = ?",
            (status, reviewer, instant_text(call.now), reason, request.id),
        )


def _tell(call: Call, wish: Wish, outcome: str) -> None:
    """Emit the event that a transfer goes on its way or does not; the ledger tells when it has arrived."""
    if wish.type == "WIRE":
        emit(call.bank, f"transfers.wire.out.{outcome}", wish.id, {"wire_id": wish.id}, call.now)
    elif wish.type == "ON_US":
        emit(call.bank, f"transfers.on-us.{outcome}", wish.id, {"on_us_id": wish.id}, call.now)


def _notify(call: Call, wish: Wish, kind: str, title: str, verdict: str) -> None:
    pocket = find_pocket(call, wish.origin_id)
    name = wish.origin_id if pocket is None else pocket.name
    sentence = f"The transfer of {wish.words} from {name} {verdict.rstrip('.')}."
    metadata = {"transfer_id": wish.id, "pocket_id": wish.origin_id}
    notify(call.bank, kind, wish.id, title, sentence, call.now, metadata)


def _reviewers(bank: SimulatedBank) -> list[Member]:
    return [one for one in members(bank) if one.status == ACTIVE and one.role in APPROVING_ROLES]


def _user(one: Member) -> Json:
    return {"user_id": one.id, "first_name": one.first_name, "last_name": one.last_name, "email": one.email}


def _progress(call: Call, request: Request) -> tuple[str, datetime | None]:
    """(status, since when): an approved transfer is COMPLETED once its money is settled."""
    if request.status == APPROVED:
        settled_at = _settled_at(call, request.id)
        if settled_at is not None and settled_at <= call.now:
            return COMPLETED, settled_at
    return request.status, request.updated_at


def _settled_at(call: Call, transfer_id: str) -> datetime | None:
    """When the money of a transfer that was carried out has arrived, as far as it was sent by now."""
    for transfer in call.bank.world.orders.transfers:
        sent_at = transfer.booking.moved_at
        if transfer.id == transfer_id and sent_at <= call.now:
            day = new_york_date(sent_at)
            moved = (row for row in call.bank.world.transactions(day, day) if row.transaction_id == transfer_id)
            return next((row.settled_at for row in moved if not row.credit), sent_at)
    return None


def _key(request: Request | LedgerRequest) -> Key:
    return instant_text(request.created_at), request.id


def _show(call: Call, request: Request | LedgerRequest) -> Json:
    if isinstance(request, LedgerRequest):
        return _show_of_ledger(call, request)
    status, since = _progress(call, request)
    people = {one.id: _user(one) for one in members(call.bank)}
    return {
        "id": request.id,
        "status": status,
        "status_reason": request.reason,
        "transfer": request.body["transfer"],
        "reviewers": [people[one] for one in request.wish.reviewers if one in people],
        "created_by": people.get(request.created_by),
        "created_at": instant_text(request.created_at),
        "reviewed_by": None if request.reviewed_by is None else people.get(request.reviewed_by),
        "updated_at": None if since is None else instant_text(since),
        "object_type": "TransferRequest",
    }


def _show_of_ledger(call: Call, request: LedgerRequest) -> Json:
    settled = request.paid.settled_at <= call.now
    return {
        "id": request.id,
        "status": request.status_at(call.now),
        "status_reason": None,
        "transfer": transfer_of_ledger(call.bank.world, request),
        "reviewers": [_user(request.approver)],
        "created_by": _user(request.creator),
        "created_at": instant_text(request.created_at),
        "reviewed_by": _user(request.approver),
        "updated_at": instant_text(request.paid.settled_at if settled else request.approved_at),
        "object_type": "TransferRequest",
    }


_PATH: Final = "/api/v1/transfer-requests/"
OPERATIONS: Final = (
    Operation(
        "POST",
        _PATH,
        "create_transfer_request",
        LimitGroup.TRANSFER_REQUESTS_CREATE,
        "transfers.write",
        create_request,
    ),
    Operation("GET", _PATH, "list_transfer_requests", LimitGroup.TRANSFER_REQUESTS, "transfers.read", list_requests),
    Operation(
        "GET",
        f"{_PATH}reviewers/",
        "list_transfer_request_reviewers",
        LimitGroup.TRANSFER_REQUESTS,
        "transfers.read",
        list_reviewers,
    ),
    Operation(
        "GET",
        f"{_PATH}{{transfer_id}}/",
        "get_transfer_request",
        LimitGroup.TRANSFER_REQUESTS,
        "transfers.read",
        get_request,
    ),
    Operation(
        "DELETE",
        f"{_PATH}{{transfer_id}}/",
        "cancel_transfer_request",
        LimitGroup.TRANSFER_REQUESTS,
        "transfers.write",
        cancel_request,
    ),
    Operation(
        "PATCH",
        f"{_PATH}{{transfer_id}}/status/",
        "decide_transfer_request",
        LimitGroup.TRANSFER_REQUESTS,
        "transfers.write",
        decide_request,
    ),
)

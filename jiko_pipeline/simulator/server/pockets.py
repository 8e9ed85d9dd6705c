"""Opening and changing pockets: POST /api/v2/pockets/ and PATCH /api/v2/pockets/{pocket_id}/.

Belongs here: the rules of opening, renaming, another strategy, closing. Does not belong here: what pockets hold
(`holdings`), how the ledger takes it (`orders`). A pocket is closed only when it is empty, nothing is on its way
to or from it, and another one is open.
"""

from datetime import timedelta
from typing import Final

from starlette.responses import Response

from jiko_pipeline.simulator import orders
from jiko_pipeline.simulator.model import Pocket
from jiko_pipeline.simulator.orders import OpenedPocket
from jiko_pipeline.simulator.roster import TERM_OF_STRATEGY, PocketChange
from jiko_pipeline.simulator.server import audits
from jiko_pipeline.simulator.server.answers import not_found
from jiko_pipeline.simulator.server.bank import Call, Operation, json_response
from jiko_pipeline.simulator.server.bodies import Body, read_body, rule_broken, wrong
from jiko_pipeline.simulator.server.holdings import CLOSED, OPEN, show_pocket, status_of
from jiko_pipeline.simulator.server.limits import LimitGroup
from jiko_pipeline.simulator.server.members import check_may_move_money
from jiko_pipeline.simulator.server.order_book import check_time_goes_on, keep_change, keep_pocket

LONGEST_NAME: Final = 100
_SETTLES_WITHIN: Final = timedelta(days=8)
"""No movement is booked later than this after it was made."""


def find_pocket(call: Call, pocket_id: str) -> Pocket | None:
    """A pocket of the customer as it is now, or None."""
    return next((pocket for pocket in call.bank.world.pockets(call.today) if pocket.id == pocket_id), None)


def open_pocket(call: Call) -> Response:
    """POST /api/v2/pockets/: a pocket that is PENDING for a moment and then OPEN."""
    check_may_move_money(call)
    body = read_body(call)
    name = _name(body)
    strategy = body.choice("trading_strategy_id", *TERM_OF_STRATEGY)
    reinvestment = body.optional_choice("reinvestment_strategy_id", *TERM_OF_STRATEGY) or strategy
    check_time_goes_on(call)
    config = call.bank.world.config
    number = config.pockets + len(call.bank.world.orders.pockets)
    opened = OpenedPocket(
        number=number,
        id=orders.pocket_id(config.seed, number),
        name=name,
        strategy_id=strategy,
        reinvestment_strategy_id=reinvestment,
        account_number=orders.account_number(config.seed, number),
        opened_at=call.now,
    )
    audits.record(
        call,
        "POCKET_OPENED",
        {
            "pocket_id": opened.id,
            "pocket_name": name,
            "deposit_strategy_id": strategy,
            "reinvestment_strategy_id": reinvestment,
        },
    )
    keep_pocket(call.bank, opened)
    return _answer(call, opened.id, 201)


def change_pocket(call: Call) -> Response:
    """PATCH /api/v2/pockets/{pocket_id}/: another name or strategy, or the end of the pocket."""
    check_may_move_money(call)
    pocket = find_pocket(call, call.identifier("pocket_id"))
    if pocket is None:
        raise not_found()
    body = read_body(call)
    name = None if body.fields.get("pocket_name") is None else _name(body)
    strategy = body.optional_choice("deposit_strategy_id", *TERM_OF_STRATEGY)
    reinvestment = body.optional_choice("reinvestment_strategy_id", *TERM_OF_STRATEGY)
    status = body.optional_choice("status", OPEN, CLOSED)
    present = status_of(pocket, call.now)
    reason = _closure_reason(body) if status == CLOSED else None
    if present == CLOSED:
        raise rule_broken(call, "pocket-closed", "The pocket is closed and cannot be changed any more.")
    if status == OPEN and present != OPEN:
        raise rule_broken(call, "pocket-not-open", f"The bank opens a pocket that is {present} of its own accord.")
    if reason is not None:
        _check_may_close(call, pocket)
    changes = {
        "name": name if name != pocket.name else None,
        "strategy_id": strategy if strategy != pocket.strategy_id else None,
        "reinvestment_strategy_id": reinvestment if reinvestment != pocket.reinvestment_strategy_id else None,
        "closure_reason": reason,
    }
    if any(value is not None for value in changes.values()):
        check_time_goes_on(call)
        _record(call, pocket, changes)
        if changes["strategy_id"] is not None and changes["reinvestment_strategy_id"] is None:
            # A pocket that reinvested as it deposited goes on as it did.
            changes["reinvestment_strategy_id"] = pocket.reinvestment_strategy_id
        keep_change(call.bank, PocketChange(pocket.id, call.now, **changes))
    return _answer(call, pocket.id)


def _name(body: Body) -> str:
    name = body.text("pocket_name", shortest=1, longest=LONGEST_NAME)
    if not name.strip():
        raise wrong(body.at("pocket_name"), "Value error, blanks alone are no name", "value_error", name)
    return name


def _closure_reason(body: Body) -> str:
    reason = body.optional_text("closure_reason", shortest=1, longest=500)
    if reason is None:
        raise wrong(body.at("closure_reason"), "Field required", "missing", body.fields)
    return reason


def _record(call: Call, pocket: Pocket, changes: dict[str, str | None]) -> None:
    told: dict[str, object] = {"pocket_id": pocket.id}
    told |= {name: value for name, value in changes.items() if value is not None}
    before = {"name": pocket.name, "strategy_id": pocket.strategy_id}
    told |= {f"{name}_before": value for name, value in before.items() if changes[name] is not None}
    audits.record(call, "POCKET_CHANGED" if changes["closure_reason"] is None else "POCKET_CLOSED", told)


def _check_may_close(call: Call, pocket: Pocket) -> None:
    if status_of(pocket, call.now) != OPEN:
        raise rule_broken(call, "pocket-not-open", "Only an open pocket can be closed.")
    if not _is_empty(call, pocket):
        raise rule_broken(
            call, "pocket-not-empty", "The pocket holds money, or money is on its way to or from it; empty it first."
        )
    others = (other for other in call.bank.world.pockets(call.today) if other.id != pocket.id)
    if not any(status_of(other, call.now) == OPEN for other in others):
        raise rule_broken(call, "last-open-pocket", "The last open pocket cannot be closed.")


def _is_empty(call: Call, pocket: Pocket) -> bool:
    world, today = call.bank.world, call.today
    standing = world.standing(pocket.id, today)
    if standing.closing_cents or standing.owed_cents:
        return False
    under_way = (
        pocket.id in (row.origin_id, row.target_id) and row.booking.bank_date >= today for row in world.orders.transfers
    )
    # What was booked before today is in the last close; what moves today or later is not.
    moved = (
        row.pocket_id == pocket.id and row.booked_at <= call.now and row.bank_date >= today
        for row in world.transactions(today - _SETTLES_WITHIN, today)
    )
    return not any(under_way) and not any(moved)


def _answer(call: Call, pocket_id: str, status: int = 200) -> Response:
    pocket = find_pocket(call, pocket_id)
    assert pocket is not None
    return json_response(show_pocket(call, pocket, with_portfolio=True), status)


OPERATIONS: Final = (
    Operation("POST", "/api/v2/pockets/", "create_pocket", LimitGroup.POCKETS, "pockets.write", open_pocket),
    Operation(
        "PATCH", "/api/v2/pockets/{pocket_id}/", "update_pocket", LimitGroup.POCKETS, "pockets.write", change_pocket
    ),
)

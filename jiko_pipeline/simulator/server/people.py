"""The signed-in user and the team: members, invitations, service users.

Belongs here: the operations on people and their rules. Nobody changes themselves, only some roles change the
team, and one member who may do so always stays. Does not belong here: who is in the team (`members`), the
audit log (`audits`).
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from starlette.responses import Response

from jiko_pipeline.simulator.draws import drawn_uuid
from jiko_pipeline.simulator.server.answers import Json, RefusedError, instant, not_found
from jiko_pipeline.simulator.server.audits import last_sign_in, record
from jiko_pipeline.simulator.server.bank import Call, Operation, json_response
from jiko_pipeline.simulator.server.bodies import Body, read_body, rule_broken, wrong
from jiko_pipeline.simulator.server.customer import business_name
from jiko_pipeline.simulator.server.limits import LimitGroup
from jiko_pipeline.simulator.server.members import (
    TEAM_ROLES,
    acting_member,
    customer_id,
    forget,
    keep,
    member,
    members,
    revoke_tokens,
)
from jiko_pipeline.simulator.server.population import (
    ACTIVE,
    DOMAIN,
    INACTIVE,
    PENDING,
    PERSON_ROLES,
    ROLES,
    SERVICE,
    Member,
)

_EMAIL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_PHONE: Final = re.compile(r"\+?[0-9][0-9 ().-]{6,30}")
_CHANGEABLE_ROLES: Final = tuple(role for role in PERSON_ROLES if role != "OWNER")


def get_user(call: Call) -> Response:
    """GET /api/v1/user/: the service user of the client."""
    user = _acting(call)
    return json_response(
        {
            "user_id": user.id,
            "email": user.email,
            "name": user.name,
            "role": user.role,
            "customer_id": customer_id(call.bank),
            "phone_number": user.phone_number,
        }
    )


def list_memberships(call: Call) -> Response:
    """GET /api/v1/user/memberships/: one team."""
    user = _acting(call)
    membership = {
        "team_id": _team_id(call),
        "team_name": business_name(call.bank),
        "role": user.role,
        "status": user.status,
    }
    return json_response({"items": [membership]})


def get_team(call: Call) -> Response:
    """GET /api/v1/team/: the members by status."""
    groups: dict[str, list[Json]] = {}
    for one in members(call.bank):
        groups.setdefault(one.status, []).append(_shown(call, one))
    order = [status for status in (ACTIVE, PENDING, INACTIVE) if status in groups]
    return json_response(
        {"id": _team_id(call), "members": [{"status": status, "members": groups[status]} for status in order]}
    )


def get_member(call: Call) -> Response:
    """GET /api/v1/team/{member_id}/."""
    return json_response(_shown(call, _found(call)))


def edit_member(call: Call) -> Response:
    """PUT /api/v1/team/{member_id}/: another role, or active again, or no longer."""
    before = _changeable(call)
    body = read_body(call)
    roles = ROLES if before.client_id is not None else PERSON_ROLES
    role = body.optional_choice("role", *roles) or before.role
    status = body.optional_choice("status", ACTIVE, PENDING, INACTIVE) or before.status
    if PENDING in (before.status, status) and before.status != status:
        raise rule_broken(call, "invitation-open", "Only the invited person turns an invitation into a membership.")
    if role != before.role and "OWNER" in (role, before.role):
        raise rule_broken(call, "owner-stays", "The owner of the team is not changed through the API.")
    after = replace(before, role=role, status=status, absences=_absences(before, status, call.now))
    if after == before:
        return json_response(_shown(call, before))
    _check_team_stays_led(call, before, after)
    _keep(call, after)
    changes = {"member_id": before.id}
    if role != before.role:
        changes |= {"role_before": before.role, "role": role}
    if status != before.status:
        changes |= {"status_before": before.status, "status": status}
    record(call, "TEAM_MEMBER_EDITED", changes)
    return json_response(_shown(call, after))


def deactivate_member(call: Call) -> Response:
    """DELETE /api/v1/team/{member_id}/: the member stays on record as INACTIVE."""
    before = _changeable(call)
    if before.status == PENDING:
        raise rule_broken(call, "invitation-open", "An open invitation is withdrawn, not deactivated.")
    if before.status == INACTIVE:
        raise rule_broken(call, "already-inactive", "The member is not active any more.", 409)
    after = replace(before, status=INACTIVE, absences=_absences(before, INACTIVE, call.now))
    _check_team_stays_led(call, before, after)
    _keep(call, after)
    record(call, "TEAM_MEMBER_DEACTIVATED", {"member_id": before.id, "role": before.role})
    return json_response(_shown(call, after))


def invite_member(call: Call) -> Response:
    """POST /api/v1/team/invite/."""
    _check_may_change_team(call)
    body = read_body(call)
    invited = Member(
        id=_new_id(call, "member"),
        first_name=body.text("first_name", shortest=1, longest=100),
        last_name=body.text("last_name", shortest=1, longest=100),
        email=_email(body),
        phone_number=_phone(body),
        role=body.choice("role", *_CHANGEABLE_ROLES),
        status=PENDING,
        created_at=call.now,
    )
    if any(one.email.lower() == invited.email.lower() for one in members(call.bank)):
        raise rule_broken(call, "email-taken", "A member of the team has this e-mail address already.", 409)
    keep(call.bank, invited)
    record(call, "TEAM_MEMBER_INVITED", {"member_id": invited.id, "role": invited.role})
    return json_response(_shown(call, invited))


def resend_invitation(call: Call) -> Response:
    """POST /api/v1/team/{member_id}/invite/."""
    invited = _invited(call)
    record(call, "INVITATION_SENT_AGAIN", {"member_id": invited.id})
    return Response(status_code=200)


def cancel_invitation(call: Call) -> Response:
    """DELETE /api/v1/team/{member_id}/invite/: the person is no longer of the team."""
    invited = _invited(call)
    forget(call.bank, invited.id)
    record(call, "INVITATION_WITHDRAWN", {"member_id": invited.id})
    return Response(status_code=200)


def create_service_user(call: Call) -> Response:
    """POST /api/v1/team/service-users/: with a client id that signs in once its key is registered."""
    _check_may_change_team(call)
    body = read_body(call)
    name = body.text("name", shortest=1, longest=100)
    role = body.optional_choice("role", *(role for role in ROLES if role != "OWNER")) or SERVICE
    identifier = _new_id(call, "service user")
    client_id = f"client-{identifier[:8]}"
    made = Member(
        id=identifier,
        first_name=name,
        last_name="(service user)",
        email=f"{client_id}@{DOMAIN}",
        phone_number=None,
        role=role,
        status=ACTIVE,
        created_at=call.now,
        client_id=client_id,
    )
    keep(call.bank, made)
    record(call, "SERVICE_USER_CREATED", {"member_id": made.id, "client_id": client_id, "role": role})
    return json_response({"id": made.id, "name": name, "role": role, "client_id": client_id}, 201)


def _shown(call: Call, one: Member) -> Json:
    return {
        "id": one.id,
        "first_name": one.first_name,
        "last_name": one.last_name,
        "email": one.email,
        "phone_number": one.phone_number,
        "role": one.role,
        "status": one.status,
        "created_at": instant(one.created_at),
        "last_login_at": last_sign_in(call.bank, one, call.now),
    }


def _acting(call: Call) -> Member:
    user = member(call.bank, acting_member(call))
    assert user is not None, "every registered client is a service user"
    return user


def _found(call: Call) -> Member:
    found = member(call.bank, call.identifier("member_id"))
    if found is None:
        raise not_found()
    return found


def _changeable(call: Call) -> Member:
    """The member of the path, whom the caller may change."""
    _check_may_change_team(call)
    found = _found(call)
    if found.id == acting_member(call):
        raise rule_broken(call, "own-membership", "A member does not change its own membership.", 409)
    return found


def _invited(call: Call) -> Member:
    _check_may_change_team(call)
    found = _found(call)
    if found.status != PENDING:
        raise rule_broken(call, "no-open-invitation", "The member has no open invitation.")
    return found


def _check_may_change_team(call: Call) -> None:
    role = _acting(call).role
    if role not in TEAM_ROLES:
        raise RefusedError(403, {"detail": f"The role {role} may not change the team"})


def _check_team_stays_led(call: Call, before: Member, after: Member) -> None:
    if before.role == "OWNER" and after.status != ACTIVE:
        raise rule_broken(call, "owner-stays", "The owner of the team is not changed through the API.")
    led = any(
        one.status == ACTIVE and one.role in TEAM_ROLES
        for one in (*(one for one in members(call.bank) if one.id != before.id), after)
    )
    if not led:
        raise rule_broken(call, "team-needs-lead", "One active member who may change the team has to stay.")


def _absences(before: Member, status: str, now: datetime) -> tuple[tuple[datetime, datetime | None], ...]:
    if before.status == ACTIVE and status == INACTIVE:
        return (*before.absences, (now, None))
    if before.status == INACTIVE and status == ACTIVE:
        return (*before.absences[:-1], (before.absences[-1][0], now))
    return before.absences


def _keep(call: Call, after: Member) -> None:
    keep(call.bank, after)
    if after.status != ACTIVE and after.client_id is not None:
        revoke_tokens(call.bank, after.client_id)


def _team_id(call: Call) -> str:
    return drawn_uuid(call.bank.world.config.seed, "team")


def _new_id(call: Call, kind: str) -> str:
    with call.bank.state.transaction() as connection:
        (number,) = connection.execute("select coalesce(max(number), 0) + 1 from member_record").fetchone()
    return drawn_uuid(call.bank.world.config.seed, "made", kind, number)


def _email(body: Body) -> str:
    value = body.text("email", shortest=3, longest=254)
    if not _EMAIL.fullmatch(value):
        message = "value is not a valid email address"
        raise wrong(body.at("email"), message, "value_error", value, {"reason": "It is not of the form name@domain."})
    return value


def _phone(body: Body) -> str:
    value = body.text("phone_number", shortest=7, longest=32)
    if not _PHONE.fullmatch(value):
        raise wrong(body.at("phone_number"), "Value error, invalid phone number", "value_error", value)
    return value


def _operation(method: str, path: str, name: str, answer: Callable[[Call], Response]) -> Operation:
    access = "read" if method == "GET" else "write"
    return Operation(method, f"/api/v1/team/{path}", name, LimitGroup.TEAM, f"team.{access}", answer)


OPERATIONS: Final = (
    Operation("GET", "/api/v1/user/", "get_user", LimitGroup.USER, "profile", get_user),
    Operation("GET", "/api/v1/user/memberships/", "list_memberships", LimitGroup.USER, "profile", list_memberships),
    _operation("GET", "", "get_team", get_team),
    _operation("GET", "{member_id}/", "get_team_member", get_member),
    _operation("PUT", "{member_id}/", "edit_team_member", edit_member),
    _operation("DELETE", "{member_id}/", "deactivate_team_member", deactivate_member),
    _operation("POST", "invite/", "invite_team_member", invite_member),
    _operation("POST", "{member_id}/invite/", "resend_invitation", resend_invitation),
    _operation("DELETE", "{member_id}/invite/", "cancel_invitation", cancel_invitation),
    _operation("POST", "service-users/", "create_service_user", create_service_user),
)

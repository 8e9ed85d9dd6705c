"""The team: who belongs to it now, and which member makes a call.

Belongs here: the people of the seed, the service users behind the registered clients and what the API changed
about either. Every registered client is a service user: the first one may do what a treasurer may, the others
approve. Does not belong here: the operations on the team (`people`), its past (`population`).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, time, timedelta
from typing import Any, Final

from jiko_pipeline.calendars import new_york_instant, on_or_after
from jiko_pipeline.simulator.documents.numbers import instant_text
from jiko_pipeline.simulator.draws import drawn_uuid
from jiko_pipeline.simulator.server.answers import RefusedError
from jiko_pipeline.simulator.server.bank import Call, SimulatedBank
from jiko_pipeline.simulator.server.population import (
    ACTIVE,
    ADMIN,
    APPROVER,
    DOMAIN,
    SERVICE,
    TREASURER,
    Member,
    people,
)

TEAM_ROLES: Final = frozenset({"OWNER", ADMIN, TREASURER})
"""Who may change the team."""
APPROVING_ROLES: Final = frozenset({"OWNER", ADMIN, TREASURER, "CONTROLLER", APPROVER})
"""Who may approve a transfer that another member requested."""
MONEY_ROLES: Final = APPROVING_ROLES | {SERVICE}
"""Who may request transfers, open pockets and change them; the others look on."""

_CLIENTS_BEFORE_DAYS: Final = 20
_GONE: Final = "CANCELLED"


def customer_id(bank: SimulatedBank) -> str:
    """The id of the bank's one customer."""
    return drawn_uuid(bank.world.config.seed, "customer")


def member_of_client(bank: SimulatedBank, client_id: str) -> str:
    """The id of the service user that a client signs in as."""
    return drawn_uuid(bank.world.config.seed, "service user", client_id)


def acting_member(call: Call) -> str:
    """The id of the team member who makes a call."""
    return member_of_client(call.bank, call.client_id)


def check_may_move_money(call: Call) -> None:
    """Raises RefusedError(403) when the role of the acting member is none of MONEY_ROLES."""
    acting = member(call.bank, acting_member(call))
    if acting is None or acting.role not in MONEY_ROLES:
        raise RefusedError(403, {"detail": "The role of the member does not allow to move money or to change pockets"})


def members(bank: SimulatedBank) -> tuple[Member, ...]:
    """Everybody in the team in the order of joining, those no longer active among them."""
    known = {member.id: member for member in (*people(bank.world.config), *_clients(bank))}
    with bank.state.transaction() as connection:
        for (record,) in connection.execute("select record from member_record order by number"):
            member = _read(json.loads(record))
            known[member.id] = member
    return tuple(
        sorted(
            (member for member in known.values() if member.status != _GONE),
            key=lambda member: (member.created_at, member.id),
        )
    )


def member(bank: SimulatedBank, member_id: str) -> Member | None:
    """One member, or None."""
    return next((one for one in members(bank) if one.id == member_id), None)


def keep(bank: SimulatedBank, changed: Member) -> None:
    """Keep a new or changed member."""
    record = json.dumps(asdict(changed), default=_written, sort_keys=True)
    with bank.state.transaction() as connection:
        connection.execute(
            """
            insert into member_record (id, record) values (?, ?)
            on conflict (id) do update set record = excluded.record
            """,
            (changed.id, record),
        )


def forget(bank: SimulatedBank, member_id: str) -> None:
    """Take a member whose invitation was withdrawn out of the team."""
    found = member(bank, member_id)
    if found is not None:
        keep(bank, replace(found, status=_GONE))


def may_sign_in(bank: SimulatedBank, client_id: str) -> bool:
    """False for the client of a service user that was deactivated."""
    found = member(bank, member_of_client(bank, client_id))
    return found is not None and found.status == ACTIVE


def revoke_tokens(bank: SimulatedBank, client_id: str) -> None:
    """End every access token of a client at once."""
    with bank.state.transaction() as connection:
        connection.execute("delete from access_token where client_id = ?", (client_id,))


def _clients(bank: SimulatedBank) -> tuple[Member, ...]:
    joined = on_or_after(bank.world.config.start - timedelta(days=_CLIENTS_BEFORE_DAYS))
    return tuple(
        Member(
            id=member_of_client(bank, client_id),
            first_name=client_id,
            last_name="(service user)",
            email=f"service-user-{number + 1}@{DOMAIN}",
            phone_number=None,
            role=TREASURER if number == 0 else APPROVER,
            status=ACTIVE,
            created_at=new_york_instant(joined, time(9 + number % 8)),
            client_id=client_id,
        )
        for number, client_id in enumerate(bank.clients)
    )


def _written(value: object) -> str:
    assert isinstance(value, datetime)
    return instant_text(value)


def _read(record: Mapping[str, Any]) -> Member:
    return Member(
        **{
            **record,
            "created_at": datetime.fromisoformat(record["created_at"]),
            "absences": tuple(
                (datetime.fromisoformat(begin), None if end is None else datetime.fromisoformat(end))
                for begin, end in record["absences"]
            ),
        }
    )

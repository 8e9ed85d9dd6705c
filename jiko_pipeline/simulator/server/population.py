"""The people of the simulated customer as they were before anybody used the API: functions of seed and day.

Belongs here: who they are, when they were invited, when they sign in, whom they pay. Does not belong here: what
was changed through the API (`members`, `counterparties`), the answers. Nothing here knows the present moment,
so a restart and a moved clock leave the past as it was. Names are made up; numbers and domains are those
reserved for examples (NANP 555-01xx, RFC 2606, RFC 5737).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from jiko_pipeline.calendars import is_fed_business_day, new_york_instant, on_or_after
from jiko_pipeline.simulator.draws import Draws, drawn_uuid
from jiko_pipeline.simulator.model import WorldConfig

ACTIVE: Final = "ACTIVE"
PENDING: Final = "PENDING"
INACTIVE: Final = "INACTIVE"
ADMIN: Final = "ADMIN"
TREASURER: Final = "TREASURER"
APPROVER: Final = "APPROVER"
SERVICE: Final = "SERVICE"
SIGNED_IN: Final = "MEMBER_SIGNED_IN"
PERSON_ROLES: Final = ("OWNER", ADMIN, TREASURER, "CONTROLLER", "ANALYST", APPROVER, "VIEWER")
ROLES: Final = (*PERSON_ROLES, SERVICE)
DOMAIN: Final = "example.com"
SIGN_INS_BEFORE_DAYS: Final = 60
"""The team signs in from this many days before the first day of the data."""

_JOINED_BEFORE_DAYS: Final = 150
_LEFT_AFTER_DAYS: Final = 40
_SIGN_IN_PERCENT: Final = {"OWNER": 15, TREASURER: 85, "CONTROLLER": 55, "ANALYST": 70, APPROVER: 40}
_PLAN: Final = (
    ("OWNER", ACTIVE),
    (TREASURER, ACTIVE),
    ("CONTROLLER", ACTIVE),
    ("ANALYST", ACTIVE),
    (APPROVER, ACTIVE),
    ("VIEWER", INACTIVE),
    ("VIEWER", PENDING),
)
_FIRST_NAMES: Final = ("Amara", "Bruno", "Chioma", "Dana", "Elif", "Farid", "Greta", "Hugo", "Imani", "Jonas", "Kaya")
_LAST_NAMES: Final = ("Abara", "Brandt", "Castell", "Duarte", "Eklund", "Fontaine", "Gupta", "Hale", "Ito", "Jansen")


@dataclass(frozen=True, slots=True)
class Member:
    """A person or a service user of the team; `client_id` is that of a service user.

    `absences` are the times in which the member was not active, the last one open while it lasts.
    """

    id: str
    first_name: str
    last_name: str
    email: str
    phone_number: str | None
    role: str
    status: str
    created_at: datetime
    client_id: str | None = None
    absences: tuple[tuple[datetime, datetime | None], ...] = field(default=())

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    def active_at(self, at: datetime) -> bool:
        """True unless `at` lies in an absence."""
        return not any(begin <= at and (end is None or at < end) for begin, end in self.absences)


@dataclass(frozen=True, slots=True)
class PastEntry:
    """One entry of the audit log that nobody made through the API."""

    id: str
    at: datetime
    member_id: str
    action: str
    details: Mapping[str, object]
    ip_address: str


@lru_cache(maxsize=4)
def people(config: WorldConfig) -> tuple[Member, ...]:
    """The people of the team in the order in which they joined, the owner first."""
    draws = Draws(config.seed, "people")
    first_names, last_names = list(_FIRST_NAMES), list(_LAST_NAMES)
    members = []
    for number, (role, status) in enumerate(_PLAN):
        first_name = first_names.pop(draws.below(len(first_names)))
        last_name = last_names.pop(draws.below(len(last_names)))
        joined = on_or_after(config.start - timedelta(days=_JOINED_BEFORE_DAYS - 7 * number))
        created_at = _at(joined, 9, draws.below(3600 * 10**6))
        absences: tuple[tuple[datetime, datetime | None], ...] = ()
        if status == INACTIVE:
            absences = ((created_at + timedelta(days=_LEFT_AFTER_DAYS), None),)
        members.append(
            Member(
                id=drawn_uuid(config.seed, "member", number),
                first_name=first_name,
                last_name=last_name,
                email=f"{first_name}.{last_name}@{DOMAIN}".lower(),
                phone_number=f"+1202555{100 + number:04d}",
                role=role,
                status=status,
                created_at=created_at,
                absences=absences,
            )
        )
    return tuple(members)


def joined_on(config: WorldConfig) -> date:
    """The day on which the first member joined; the audit log begins on it."""
    return on_or_after(config.start - timedelta(days=_JOINED_BEFORE_DAYS))


def past_entries(config: WorldConfig, day: date) -> Iterator[PastEntry]:
    """The entries of one New York day, oldest first: invitations, their acceptance, sign-ins.

    The UTC date of an entry is its New York date, since all happens in office hours.
    """
    team = people(config)
    found = [*_joining(config, team, day), *_sign_ins(config, team, day)]
    yield from sorted(found, key=lambda entry: (entry.at, entry.id))


def _at(day: date, hour: int, microseconds: int) -> datetime:
    return new_york_instant(day, time(hour)) + timedelta(microseconds=microseconds)


def _joining(config: WorldConfig, team: tuple[Member, ...], day: date) -> Iterator[PastEntry]:
    owner = team[0]
    address = address_of(config, owner)

    def entry(kind: str, about: Member, at: datetime, by: Member) -> PastEntry:
        details = {"member_id": about.id, "role": about.role}
        return PastEntry(drawn_uuid(config.seed, kind, about.id), at, by.id, kind, details, address)

    if abs((day - joined_on(config)).days) > _JOINED_BEFORE_DAYS:
        return
    for member in team:
        created_on = member.created_at.date()
        if member is not owner and created_on == day:
            yield entry("TEAM_MEMBER_INVITED", member, member.created_at, owner)
        if member.status != PENDING and created_on == day:
            yield entry("INVITATION_ACCEPTED", member, member.created_at + timedelta(minutes=42), member)
        if member.status == INACTIVE and member.absences[0][0].date() == day:
            yield entry("TEAM_MEMBER_DEACTIVATED", member, member.absences[0][0], owner)


def _sign_ins(config: WorldConfig, team: tuple[Member, ...], day: date) -> Iterator[PastEntry]:
    if day < config.start - timedelta(days=SIGN_INS_BEFORE_DAYS) or not is_fed_business_day(day):
        return
    for member in team:
        draws = Draws(config.seed, "sign-in", member.id, day)
        if member.status == ACTIVE and draws.happens(_SIGN_IN_PERCENT[member.role]):
            yield PastEntry(
                id=drawn_uuid(config.seed, "sign-in entry", member.id, day),
                at=_at(day, 8, draws.below(9 * 3600 * 10**6)),
                member_id=member.id,
                action=SIGNED_IN,
                details={"method": draws.choice(("PASSKEY", "PASSWORD_AND_TOTP"))},
                ip_address=address_of(config, member),
            )


def address_of(config: WorldConfig, member: Member) -> str:
    """The network address that a person works from."""
    return f"192.0.2.{1 + Draws(config.seed, 'address', member.id).below(254)}"

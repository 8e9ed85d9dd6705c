"""The user, the team and its audit logs."""

from typing import Annotated, Any

from pydantic import Field

from jiko_pipeline.bank.client.models.base import Change, Identifier, Instant, Known, Model

Role = Annotated[str, Known(("OWNER", "ADMIN", "TREASURER", "CONTROLLER", "APPROVER", "ANALYST", "VIEWER", "SERVICE"))]
MemberStatus = Annotated[str, Known(("ACTIVE", "INACTIVE", "PENDING"))]


class UserInfo(Model):
    """Whom the credentials belong to."""

    user_id: Identifier
    email: str
    name: str | None = None
    role: Role | None = None
    customer_id: Identifier | None = None
    phone_number: str | None = None


class MembershipInfo(Model):
    """A team that the user is in, and the role there."""

    team_id: Identifier | None = None
    team_name: str | None = None
    role: Role | None = None
    status: MemberStatus | None = None


class TeamMemberResponse(Model):
    """A member of the team."""

    id: Identifier | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone_number: str | None = None
    role: Role | None = None
    status: MemberStatus | None = None
    created_at: Instant | None = None
    last_login_at: Instant | None = None


class MemberGroup(Model):
    """The members of one status."""

    status: MemberStatus | None = None
    members: tuple[TeamMemberResponse, ...] = ()


class TeamResponse(Model):
    """The team, its members grouped by status."""

    id: Identifier | None = None
    members: tuple[MemberGroup, ...] = ()


class EditTeamMemberRequest(Change):
    """What is to change of a member."""

    role: Role | None = None
    status: MemberStatus | None = None


class InviteMemberRequest(Model):
    """Somebody to be invited to the team."""

    first_name: str
    last_name: str
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    phone_number: str
    role: Role


class CreateServiceUserRequest(Model):
    """A user for a machine, to be created."""

    name: str
    role: Role | None = None


class ServiceUserResponse(Model):
    """A user for a machine; `client_id` is what it signs in with."""

    id: Identifier | None = None
    name: str | None = None
    role: Role | None = None
    client_id: str | None = None


class CustomerAuditLogEntry(Model):
    """Who did what and when."""

    id: Identifier | None = None
    timestamp: Instant | None = None
    member_id: Identifier | None = None
    action: str | None = None
    details: dict[str, Any] | None = None
    ip_address: str | None = None

"""The user, the team and its audit logs (`client.user`, `client.team`, `client.team_audits`)."""

from datetime import datetime
from uuid import UUID

from jiko_pipeline.bank.client.calling import Caller, due
from jiko_pipeline.bank.client.listed import Listed
from jiko_pipeline.bank.client.models.people import (
    CreateServiceUserRequest,
    CustomerAuditLogEntry,
    EditTeamMemberRequest,
    InviteMemberRequest,
    MembershipInfo,
    ServiceUserResponse,
    TeamMemberResponse,
    TeamResponse,
    UserInfo,
)


class User:
    """Whom the credentials belong to."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def get(self) -> UserInfo:
        """The user."""
        user: UserInfo = self._caller.read("user.get", UserInfo)
        return user

    def memberships(self) -> tuple[MembershipInfo, ...]:
        """The teams that the user is in; whether the bank wraps them in an object is not known, both are read."""
        document = self._caller.read_any("user.memberships")
        items = document.get(self._caller.contract.items) if isinstance(document, dict) else document
        return self._caller.models(MembershipInfo, items, "user.memberships")


class Team:
    """The people and machines of the customer."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def get(self) -> TeamResponse:
        """The team, its members grouped by status."""
        team: TeamResponse = self._caller.read("team.get", TeamResponse)
        return team

    def member(self, member_id: str | UUID) -> TeamMemberResponse:
        """One member. Raises NotFoundError."""
        member: TeamMemberResponse = self._caller.read("team.member", TeamMemberResponse, member_id=member_id)
        return member

    def edit(self, member_id: str | UUID, request: EditTeamMemberRequest) -> TeamMemberResponse:
        """Give a member another role or status."""
        member: TeamMemberResponse = self._caller.read(
            "team.edit", TeamMemberResponse, body=due(request, EditTeamMemberRequest), member_id=member_id
        )
        return member

    def deactivate(self, member_id: str | UUID) -> TeamMemberResponse:
        """End a member's access."""
        member: TeamMemberResponse = self._caller.read("team.deactivate", TeamMemberResponse, member_id=member_id)
        return member

    def invite(self, request: InviteMemberRequest) -> TeamMemberResponse:
        """Invite somebody to the team."""
        member: TeamMemberResponse = self._caller.read(
            "team.invite", TeamMemberResponse, body=due(request, InviteMemberRequest)
        )
        return member

    def resend_invitation(self, member_id: str | UUID) -> None:
        """Send an invitation again."""
        self._caller.read_nothing("team.resend_invitation", member_id=member_id)

    def cancel_invitation(self, member_id: str | UUID) -> None:
        """Take an invitation back."""
        self._caller.read_nothing("team.cancel_invitation", member_id=member_id)

    def create_service_user(self, request: CreateServiceUserRequest) -> ServiceUserResponse:
        """Create a user for a machine."""
        user: ServiceUserResponse = self._caller.read(
            "team.create_service_user", ServiceUserResponse, body=due(request, CreateServiceUserRequest)
        )
        return user


class TeamAudits:
    """Who did what and when."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self,
        *,
        timestamp_from: datetime | None = None,
        timestamp_to: datetime | None = None,
        limit: int | None = None,
    ) -> Listed[CustomerAuditLogEntry]:
        """Entries of the whole team."""
        contract = self._caller.contract
        query = self._caller.query(
            "team_audits.list", {contract.audits_from: timestamp_from, contract.audits_to: timestamp_to}
        )
        return Listed(self._caller, "team_audits.list", CustomerAuditLogEntry, query, limit)

    def list_for_member(
        self,
        member_id: str | UUID,
        *,
        timestamp_from: datetime | None = None,
        timestamp_to: datetime | None = None,
        limit: int | None = None,
    ) -> Listed[CustomerAuditLogEntry]:
        """Entries of one member."""
        contract = self._caller.contract
        query = self._caller.query(
            "team_audits.list_for_member",
            {contract.audits_from: timestamp_from, contract.audits_to: timestamp_to},
        )
        return Listed(
            self._caller, "team_audits.list_for_member", CustomerAuditLogEntry, query, limit, member_id=member_id
        )

    def export(
        self,
        *,
        member_id: str | UUID | None = None,
        timestamp_from: datetime | None = None,
        timestamp_to: datetime | None = None,
    ) -> bytes:
        """Entries as one CSV document, as its bytes."""
        contract = self._caller.contract
        query = self._caller.query(
            "team_audits.export",
            {contract.audits_from: timestamp_from, contract.audits_to: timestamp_to},
            member_id=member_id,
        )
        return self._caller.read_file("team_audits.export", query)

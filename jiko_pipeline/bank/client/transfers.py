"""Counterparties and transfer requests (`client.counterparties`, `client.transfer_requests`)."""

from typing import get_args
from uuid import UUID

from jiko_pipeline.bank.client.calling import Caller, due
from jiko_pipeline.bank.client.listed import Listed
from jiko_pipeline.bank.client.models.transfers import (
    Counterparty,
    CounterpartyStatus,
    CounterpartyType,
    CreateCounterpartyRequest,
    CreateTransferRequest,
    DualAuthUserList,
    TransferRequest,
    TransferStatus,
    UpdateCounterpartyRequest,
    UpdateTransferRequestStatus,
)


class Counterparties:
    """Whom money can be sent to."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self,
        *,
        type: CounterpartyType | None = None,
        status: CounterpartyStatus | None = None,
        limit: int | None = None,
    ) -> Listed[Counterparty]:
        """All counterparties, or those of a type or a status."""
        query = self._caller.query("counterparties.list", type=type, status=status)
        return Listed(self._caller, "counterparties.list", Counterparty, query, limit)

    def create(self, request: CreateCounterpartyRequest) -> Counterparty:
        """Add a counterparty."""
        counterparty: Counterparty = self._caller.read(
            "counterparties.create", Counterparty, body=due(request, *get_args(CreateCounterpartyRequest))
        )
        return counterparty

    def get(self, counterparty_id: str | UUID) -> Counterparty:
        """One counterparty. Raises NotFoundError."""
        counterparty: Counterparty = self._caller.read(
            "counterparties.get", Counterparty, counterparty_id=counterparty_id
        )
        return counterparty

    def update(self, counterparty_id: str | UUID, request: UpdateCounterpartyRequest) -> Counterparty:
        """Change a counterparty's status, to unlink it for instance."""
        counterparty: Counterparty = self._caller.read(
            "counterparties.update",
            Counterparty,
            body=due(request, UpdateCounterpartyRequest),
            counterparty_id=counterparty_id,
        )
        return counterparty


class TransferRequests:
    """Transfers under dual control: one person asks, another approves, approval moves the money."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def create(self, request: CreateTransferRequest) -> TransferRequest:
        """Ask for a transfer.

        The transfer's id is set by the caller (`request.transfer.id`, a new UUID unless one was given). Keep it
        before calling: after AmbiguousOutcomeError, `get(request.transfer.id)` says whether the bank has the
        request (NotFoundError: it has not), and only then may the same `request` be sent again.
        """
        made: TransferRequest = self._caller.read(
            "transfer_requests.create", TransferRequest, body=due(request, CreateTransferRequest)
        )
        return made

    def list(
        self,
        *,
        status: TransferStatus | None = None,
        reviewer: str | UUID | None = None,
        limit: int | None = None,
    ) -> Listed[TransferRequest]:
        """All transfer requests, or those of a status or for a reviewer."""
        query = self._caller.query("transfer_requests.list", status=status, reviewer=reviewer)
        return Listed(self._caller, "transfer_requests.list", TransferRequest, query, limit)

    def reviewers(self) -> DualAuthUserList:
        """Who may approve transfers."""
        people: DualAuthUserList = self._caller.read("transfer_requests.reviewers", DualAuthUserList)
        return people

    def get(self, transfer_id: str | UUID) -> TransferRequest:
        """One transfer request, by the id of its transfer (the wire_id or on_us_id of an event is good too)."""
        request: TransferRequest = self._caller.read("transfer_requests.get", TransferRequest, transfer_id=transfer_id)
        return request

    def cancel(self, transfer_id: str | UUID) -> None:
        """Take back a request that is not decided yet."""
        self._caller.read_nothing("transfer_requests.cancel", transfer_id=transfer_id)

    def decide(self, transfer_id: str | UUID, request: UpdateTransferRequestStatus) -> TransferRequest:
        """Approve or deny a request of somebody else; `approve` and `deny` know the words."""
        decided: TransferRequest = self._caller.read(
            "transfer_requests.decide",
            TransferRequest,
            body=due(request, UpdateTransferRequestStatus),
            transfer_id=transfer_id,
        )
        return decided

    def approve(self, transfer_id: str | UUID) -> TransferRequest:
        """Approve a request of somebody else: the money moves."""
        word = self._caller.contract.transfer_approved
        return self.decide(transfer_id, UpdateTransferRequestStatus(status=word))

    def deny(self, transfer_id: str | UUID) -> TransferRequest:
        """Deny a request of somebody else."""
        word = self._caller.contract.transfer_denied
        return self.decide(transfer_id, UpdateTransferRequestStatus(status=word))

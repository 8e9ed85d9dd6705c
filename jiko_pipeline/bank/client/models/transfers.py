"""Counterparties and transfer requests."""

from typing import Annotated, Literal
from uuid import uuid4

from pydantic import Field, Tag

from jiko_pipeline.bank.client.models.base import (
    Address,
    Change,
    Identifier,
    Instant,
    Known,
    Model,
    Whole,
    kind_of,
)

CounterpartyType = Annotated[str, Known(("ach", "wire", "international_wire", "on_us"))]
CounterpartyStatus = Annotated[str, Known(("PENDING", "LINKED", "UNLINKED"))]
VerificationMethod = Annotated[
    str,
    Known(
        (
            "incoming_wire",
            "micro_deposits",
            "name_match",
            "plaid",
            "pre_verified",
            "supporting_documents",
            "unverified",
        )
    ),
]
TransferStatus = Annotated[str, Known(("PENDING", "APPROVED", "DENIED", "CANCELLED", "COMPLETED", "REJECTED"))]


class Verification(Model):
    """How a counterparty was verified."""

    type: VerificationMethod


class Counterparty(Model):
    """Somebody whom money can be sent to."""

    id: Identifier
    type: CounterpartyType
    status: CounterpartyStatus
    name_on_account: str | None = None
    account_number: str | None = Field(default=None, repr=False)
    routing_number: str | None = Field(default=None, repr=False)
    account_type: str | None = None
    institution_name: str | None = None
    identifier_code: str | None = None
    identifier_type: str | None = None
    address: Address | None = None
    wire_instructions: str | None = None
    verification: Verification | None = None
    time_created: Instant | None = None


class CreateACHCounterpartyRequest(Model):
    """A bank account that is reached through the ACH network."""

    type: Literal["ach"] = "ach"
    name_on_account: str
    account_number: str = Field(repr=False)
    routing_number: str = Field(repr=False)
    account_type: Literal["CHECKING", "SAVINGS"] | None = None
    verification: Verification | None = None


class CreateOnUsCounterpartyRequest(Model):
    """Another customer of Jiko; `account_number` is its address in the Jiko network."""

    type: Literal["on_us"] = "on_us"
    name: str | None = None
    account_number: str = Field(repr=False)
    verification: Verification | None = None


class CreateWireCounterpartyRequest(Model):
    """A bank account in the United States that is reached by wire."""

    type: Literal["wire"] = "wire"
    name_on_account: str
    account_number: str = Field(repr=False)
    routing_number: str = Field(repr=False)
    address: Address | None = None
    wire_instructions: str | None = None
    verification: Verification | None = None


class CreateInternationalWireCounterpartyRequest(Model):
    """A bank account abroad; `identifier_type` says whether the number is an IBAN."""

    type: Literal["international_wire"] = "international_wire"
    name_on_account: str
    account_number: str = Field(repr=False)
    identifier_code: str
    identifier_type: str | None = None
    address: Address | None = None
    wire_instructions: str | None = None
    verification: Verification | None = None


CreateCounterpartyRequest = (
    CreateACHCounterpartyRequest
    | CreateOnUsCounterpartyRequest
    | CreateWireCounterpartyRequest
    | CreateInternationalWireCounterpartyRequest
)


class UpdateCounterpartyRequest(Change):
    """What a counterparty's status is to be."""

    status: CounterpartyStatus


class RequestedAmount(Model):
    """An amount of US dollars in whole cents; the name on the wire speaks of the dollar, not of the token.

    FULL_WITHDRAWAL takes all there is and states none.
    """

    type: Annotated[str, Known(("REQUESTED_AMOUNT", "FULL_WITHDRAWAL"))] = "REQUESTED_AMOUNT"
    amount_usdc: Whole | None = None


class PeerToPeerDetails(Model):
    """To another customer of Jiko."""

    type: Literal["PEER_TO_PEER"] = "PEER_TO_PEER"
    destination_counterparty_id: Identifier


class InternalReallocationDetails(Model):
    """To another pocket of ours: BANK_TRANSFER sells and buys again (a day later), SECURITY_TRANSFER moves bills."""

    type: Literal["INTERNAL_REALLOCATION"] = "INTERNAL_REALLOCATION"
    destination_pocket_id: Identifier
    transfer_type: Annotated[str, Known(("BANK_TRANSFER", "SECURITY_TRANSFER"))] | None = None


class OtherTransferDetails(Model):
    """A way between pockets that we do not know."""

    type: str


OnUsDetails = Annotated[
    Annotated[PeerToPeerDetails, Tag("PEER_TO_PEER")]
    | Annotated[InternalReallocationDetails, Tag("INTERNAL_REALLOCATION")]
    | Annotated[OtherTransferDetails, Tag("other")],
    kind_of("type", "PEER_TO_PEER", "INTERNAL_REALLOCATION"),
]


def _new_id() -> str:
    return str(uuid4())


class OnUsTransfer(Model):
    """Money to a pocket at Jiko. `id` is ours to set: by it the transfer can be asked for again."""

    id: Identifier = Field(default_factory=_new_id)
    type: Literal["ON_US"] = "ON_US"
    origin_pocket_id: Identifier
    amount: RequestedAmount
    details: OnUsDetails
    description: str | None = None
    end_to_end_identification: str | None = None


class UsdcTransfer(Model):
    """Money in the form of the token. `id` is ours to set: by it the transfer can be asked for again."""

    id: Identifier = Field(default_factory=_new_id)
    type: Literal["USDC"] = "USDC"
    origin_pocket_id: Identifier
    amount: RequestedAmount
    counterparty_id: Identifier


class WireTransfer(Model):
    """Money by wire. `id` is ours to set: by it the transfer can be asked for again."""

    id: Identifier = Field(default_factory=_new_id)
    type: Literal["WIRE"] = "WIRE"
    origin_pocket_id: Identifier
    amount: RequestedAmount
    counterparty_id: Identifier
    description: str | None = None
    end_to_end_identification: str | None = None


class OtherTransfer(Model):
    """A transfer of a type that we do not know."""

    id: Identifier
    type: str


TransferDetails = Annotated[
    Annotated[OnUsTransfer, Tag("ON_US")]
    | Annotated[UsdcTransfer, Tag("USDC")]
    | Annotated[WireTransfer, Tag("WIRE")]
    | Annotated[OtherTransfer, Tag("other")],
    kind_of("type", "ON_US", "USDC", "WIRE"),
]


class CreateTransferRequest(Model):
    """A transfer to be approved by somebody else, by one of `reviewers` where any are named."""

    transfer: TransferDetails
    reviewers: tuple[Identifier, ...] = ()


class DualAuthUser(Model):
    """Somebody who may ask for or approve a transfer."""

    user_id: Identifier | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None


class DualAuthUserList(Model):
    """People who may approve transfers, all at once."""

    items: tuple[DualAuthUser, ...] = ()
    count: Whole | None = None
    object_type: str | None = None


class TransferRequest(Model):
    """A transfer, who asked for it, who is to look at it, and how far it is."""

    id: Identifier
    status: TransferStatus
    transfer: TransferDetails
    reviewers: tuple[DualAuthUser, ...] = ()
    reviewed_by: DualAuthUser | None = None
    status_reason: str | None = None
    created_by: DualAuthUser | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None
    object_type: str | None = None


class UpdateTransferRequestStatus(Change):
    """The decision on a transfer request."""

    status: Annotated[str, Known(("APPROVED", "DENIED"))]

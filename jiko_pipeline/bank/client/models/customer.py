"""The customer, its owners, uploaded documents, and agreements."""

from typing import Annotated

from pydantic import Field, Tag

from jiko_pipeline.bank.client.models.base import (
    Address,
    Day,
    DecimalText,
    Flag,
    Identifier,
    Known,
    Model,
    Whole,
    kind_of,
)

AccountStatus = Annotated[str, Known(("OPEN", "CLOSED", "FROZEN", "PENDING"))]


class BusinessIdentificationNumber(Model):
    """The number under which an authority knows a business."""

    identification_number: str = Field(repr=False)
    issuing_country: str | None = None
    type: str


class PersonName(Model):
    """A person's name."""

    first_name: str
    middle_name: str | None = None
    last_name: str


class OtherCustomer(Model):
    """What every customer has, of whatever type."""

    type: Annotated[str, Known(("BUSINESS", "INDIVIDUAL"))]
    address: Address
    email: str
    phone_number: str
    account_status: AccountStatus


class Business(OtherCustomer):
    """A business."""

    name: str
    identification_number: BusinessIdentificationNumber


class Individual(OtherCustomer):
    """A person."""

    name: PersonName
    date_of_birth: Day | None = None


Customer = Annotated[
    Annotated[Business, Tag("BUSINESS")]
    | Annotated[Individual, Tag("INDIVIDUAL")]
    | Annotated[OtherCustomer, Tag("other")],
    kind_of("type", "BUSINESS", "INDIVIDUAL"),
]


class UploadDocumentResponse(Model):
    """A document that the bank has taken."""

    success: Flag | None = None
    document_id: Identifier


class BusinessIndividual(Model):
    """Somebody who owns or runs the business."""

    id: Identifier | None = None
    name: PersonName | None = None
    title: str | None = None
    roles: tuple[str, ...] = ()
    ownership_percentage: DecimalText | None = None
    address: Address | None = None
    date_of_birth: Day | None = None
    citizenship: str | None = None


class ListBeneficialOwnersResponse(Model):
    """Owners, all at once."""

    items: tuple[BusinessIndividual, ...] = ()
    count: Whole | None = None
    object_type: str | None = None


class AgreementDocument(Model):
    """A document of an agreement; the link is of short life."""

    title: str
    pdf_download_url: str = Field(repr=False)
    type: str
    category: Annotated[str, Known(("BANK", "BROKERAGE", "GENERAL", "E-SIGN"))]


class Agreement(Model):
    """The agreement in force."""

    version: str
    release_date: Day
    documents: tuple[AgreementDocument, ...]

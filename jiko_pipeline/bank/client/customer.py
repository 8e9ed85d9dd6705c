"""The customer and its agreements (`client.customer`, `client.agreements`)."""

from jiko_pipeline.bank.client.calling import Caller
from jiko_pipeline.bank.client.models import customer as models


class Customer:
    """The customer as the bank knows it."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def get(self) -> models.Business | models.Individual | models.OtherCustomer:
        """The customer, a business or a person."""
        customer: models.OtherCustomer = self._caller.read("customer.get", models.Customer)
        return customer

    def upload_document(
        self, document_type: str, content: bytes, *, media_type: str = "application/pdf"
    ) -> models.UploadDocumentResponse:
        """Hand in a document as it stands; PASSPORT, ARTICLES_OF_INCORPORATION and OTHER are known types."""
        taken: models.UploadDocumentResponse = self._caller.read(
            "customer.upload_document",
            models.UploadDocumentResponse,
            content=content,
            media_type=media_type,
            document_type=document_type,
        )
        return taken

    def beneficial_owners(self) -> models.ListBeneficialOwnersResponse:
        """Who owns and runs the business."""
        owners: models.ListBeneficialOwnersResponse = self._caller.read(
            "customer.beneficial_owners", models.ListBeneficialOwnersResponse
        )
        return owners


class Agreements:
    """What was agreed with the bank."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self) -> models.Agreement:
        """The agreement in force; the links to its documents are good for a short time only."""
        agreement: models.Agreement = self._caller.read("agreements.list", models.Agreement)
        return agreement

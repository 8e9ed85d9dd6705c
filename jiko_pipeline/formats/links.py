"""Signed links and secrets in the bytes of a listing, taken out before the listing is archived.

Belongs here: which listings carry them, and the bytes without them. Does not belong here: leaving them out of a row
(`fields`, `items`).

A signed link opens a file to whoever holds it, and is another one each time the same thing is listed. The archive
keeps everything else of a listing byte for byte.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from jiko_pipeline.bank.contract import Contract

_CARRIED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "MONTHLY_STATEMENTS": ("Statement.pdf_download_url",),
        "AGREEMENTS": ("AgreementDocument.pdf_download_url",),
        "SUBSCRIPTIONS": ("Subscription.shared_secret",),
    }
)
"""Kind of document -> model and field of what is not kept."""


def without_links(kind: str, body: bytes, contract: Contract) -> bytes:
    """The body of a listing of `kind` with an empty text in the place of each signed link and secret."""
    wire_names = contract.wire_names()
    for field in _CARRIED.get(kind, ()):
        name = re.escape(wire_names.get(field, field.rpartition(".")[2])).encode()
        body = re.sub(rb'("' + name + rb'"\s*:\s*)"(?:[^"\\]|\\.)*"', rb'\1""', body)
    return body

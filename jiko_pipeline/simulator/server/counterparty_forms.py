"""The four bodies of POST /api/v2/counterparties/, one for each type.

Belongs here: reading and refusing them, check digits and forms of account numbers among it. Does not belong here:
what becomes of a counterparty (`counterparties`).
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from jiko_pipeline.simulator.server.answers import Json
from jiko_pipeline.simulator.server.bodies import Body, wrong
from jiko_pipeline.simulator.server.portals import is_routing_number

ACH: Final = "ach"
WIRE: Final = "wire"
INTERNATIONAL_WIRE: Final = "international_wire"
ON_US: Final = "on_us"

METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    # The first one is taken when the body names none.
    ACH: ("micro_deposits", "plaid", "name_match", "incoming_wire", "pre_verified", "supporting_documents"),
    WIRE: ("unverified", "name_match", "incoming_wire", "pre_verified", "supporting_documents"),
    INTERNATIONAL_WIRE: ("unverified", "incoming_wire", "pre_verified", "supporting_documents"),
    ON_US: ("pre_verified",),
}
_ACCOUNT: Final = re.compile(r"[0-9A-Za-z]{4,34}")
_BANK_CODE: Final = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")


def read_counterparty(body: Body) -> Json:
    """What is kept of a body: `type`, `account_number`, `verification` (a method) and what the type has.

    Raises RefusedError(422) as FastAPI would for a union that `type` tells apart.
    """
    if "type" not in body:
        context = {"discriminator": "'type'"}
        message = "Unable to extract tag using discriminator 'type'"
        raise wrong(("body",), message, "union_tag_not_found", body.fields, context)
    kind = body.fields["type"]
    if not isinstance(kind, str) or kind not in METHODS:
        expected = ", ".join(repr(name) for name in METHODS)
        message = f"Input tag {str(kind)!r} found using 'type' does not match any of the expected tags: {expected}"
        context = {"discriminator": "'type'", "tag": str(kind), "expected_tags": expected}
        raise wrong(("body",), message, "union_tag_invalid", body.fields, context)
    fields = Body(body.fields, ("body", kind))
    return {**_READERS[kind](fields), "verification": _verification(fields, kind)}


def _ach(body: Body) -> Json:
    return {
        "type": ACH,
        "name_on_account": body.text("name_on_account", shortest=1, longest=140),
        "account_number": _account_number(body),
        "routing_number": _routing_number(body),
        "account_type": body.optional_choice("account_type", "CHECKING", "SAVINGS") or "CHECKING",
    }


def _on_us(body: Body) -> Json:
    return {
        "type": ON_US,
        "name_on_account": body.optional_text("name", shortest=1, longest=140),
        "account_number": _account_number(body),
    }


def _wire(body: Body) -> Json:
    return {
        "type": WIRE,
        "name_on_account": body.text("name_on_account", shortest=1, longest=140),
        "account_number": _account_number(body),
        "routing_number": _routing_number(body),
        "address": _address(body),
        "wire_instructions": body.optional_text("wire_instructions", longest=140),
    }


def _international_wire(body: Body) -> Json:
    account, code = _account_number(body), body.text("identifier_code")
    kind = body.optional_text("identifier_type", longest=20)
    if not _BANK_CODE.fullmatch(code):
        message = "Value error, a bank identifier has 8 or 11 characters (ISO 9362)"
        raise wrong(body.at("identifier_code"), message, "value_error", code)
    if kind == "IBAN" and not _is_iban(account):
        message = "Value error, not an IBAN (ISO 13616)"
        raise wrong(body.at("account_number"), message, "value_error", account)
    return {
        "type": INTERNATIONAL_WIRE,
        "name_on_account": body.text("name_on_account", shortest=1, longest=140),
        "account_number": account,
        "identifier_code": code,
        "identifier_type": kind,
        "address": _address(body),
        "wire_instructions": body.optional_text("wire_instructions", longest=140),
    }


_READERS: Final[Mapping[str, Callable[[Body], Json]]] = {
    ACH: _ach,
    WIRE: _wire,
    INTERNATIONAL_WIRE: _international_wire,
    ON_US: _on_us,
}


def _verification(body: Body, kind: str) -> str:
    given = body.optional_object("verification")
    return METHODS[kind][0] if given is None else given.choice("type", *METHODS[kind])


def _account_number(body: Body) -> str:
    value = body.text("account_number")
    if not _ACCOUNT.fullmatch(value):
        message = f"String should match pattern '^{_ACCOUNT.pattern}$'"
        context = {"pattern": f"^{_ACCOUNT.pattern}$"}
        raise wrong(body.at("account_number"), message, "string_pattern_mismatch", value, context)
    return value


def _routing_number(body: Body) -> str:
    value = body.text("routing_number")
    if not is_routing_number(value):
        message = "Value error, a routing number has nine digits, the last of which checks the others"
        raise wrong(body.at("routing_number"), message, "value_error", value)
    return value


def _address(body: Body) -> Json | None:
    address = body.optional_object("address")
    if address is None:
        return None
    country = address.text("country")
    if not _COUNTRY.fullmatch(country):
        message = "String should match pattern '^[A-Z]{2}$'"
        raise wrong(address.at("country"), message, "string_pattern_mismatch", country)
    return {
        "street_address": address.text("street_address", shortest=1, longest=200),
        "street_address2": address.optional_text("street_address2", longest=200),
        "city": address.text("city", shortest=1, longest=100),
        "postal_code": address.text("postal_code", shortest=1, longest=20),
        "state": address.optional_text("state", longest=50),
        "country": country,
    }


def _is_iban(text: str) -> bool:
    if not re.fullmatch(r"[A-Z]{2}\d{2}[0-9A-Z]{11,30}", text, re.ASCII):
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1

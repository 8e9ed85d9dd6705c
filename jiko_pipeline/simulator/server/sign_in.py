"""The token endpoint: client_credentials with private_key_jwt (RFC 6749, RFC 7523), PS256 or EdDSA.

Belongs here: what an assertion must say, which assertions were used, making access tokens. Refusals never
repeat what was sent. Does not belong here: what a scope allows.
"""

import math
import secrets
import warnings
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qs

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import OKPKey, RSAKey
from starlette.requests import Request
from starlette.responses import Response

from jiko_pipeline.simulator.server.answers import RefusedError
from jiko_pipeline.simulator.server.bank import Key, SimulatedBank, hashed, json_response
from jiko_pipeline.simulator.server.limits import LimitGroup, spend
from jiko_pipeline.simulator.server.members import may_sign_in

TOKEN_SECONDS: Final = 900
LEEWAY_SECONDS: Final = 30
LONGEST_ASSERTION_SECONDS: Final = 300
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPES: Final = tuple(
    ["profile"]
    + [f"{group}.read" for group in ("pockets", "transfers", "customer", "team", "onboarding", "agreements")]
    + [f"{group}.write" for group in ("pockets", "transfers", "customer", "team", "onboarding")]
    + [
        f"{group}.{access}"
        for group in ("subscriptions", "notifications", "reports", "approval_rules", "authorization_requests")
        for access in ("read", "write")
    ]
)
"""Every scope a machine client may ask for; without the parameter it gets them all."""


def registered_key(pem: bytes) -> Key:
    """A client's public key. Raises ValueError unless it is RSA of at least 2048 bits or Ed25519, in PEM."""
    loaded = load_pem_public_key(pem)
    if isinstance(loaded, RSAPublicKey):
        if loaded.key_size < 2048:
            raise ValueError("an RSA key needs at least 2048 bits")
        return RSAKey.import_key(pem)
    if isinstance(loaded, Ed25519PublicKey):
        return OKPKey.import_key(pem)
    raise ValueError("the public key must be RSA or Ed25519")


def _refused(error: str, description: str) -> RefusedError:
    status = 401 if error == "invalid_client" else 400
    return RefusedError(status, {"error": error, "error_description": description})


async def token(bank: SimulatedBank, request: Request) -> Response:
    """POST /api/oauth2/token."""
    body = await request.body()
    with bank.state.transaction():
        bank.state.count("token")
        now = bank.state.now()
        form = _form(request, body)
        client_id = form.get("client_id", "")
        known = client_id if client_id in bank.clients else None
        allowance, excess = spend(bank.state, bank.limits, LimitGroup.AUTH, known, now)
        try:
            if excess is not None:
                raise excess
            answer = json_response(_grant(bank, form, now))
        except RefusedError as refusal:
            answer = json_response(refusal.body, refusal.status, refusal.headers)
    answer.headers.update({**allowance.headers(), "Cache-Control": "no-store"})
    return answer


def _form(request: Request, body: bytes) -> dict[str, str]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        return {}
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items() if len(values) == 1}


def _grant(bank: SimulatedBank, form: Mapping[str, str], now: datetime) -> dict[str, Any]:
    if "grant_type" not in form:
        raise _refused("invalid_request", "A form with one grant_type is needed.")
    if form["grant_type"] != "client_credentials":
        raise _refused("unsupported_grant_type", "Only client_credentials is offered here.")
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise _refused("invalid_request", f"client_assertion_type must be {ASSERTION_TYPE}.")
    if not form.get("client_assertion"):
        raise _refused("invalid_request", "client_assertion is missing.")
    client_id = form.get("client_id", "")
    if client_id not in bank.clients:
        raise _refused("invalid_client", "The client is not known.")
    if not may_sign_in(bank, client_id):
        raise _refused("invalid_client", "The service user of this client was deactivated.")
    claims = _verified_claims(bank.clients[client_id], form["client_assertion"])
    _check_claims(claims, client_id, bank.token_url, now)
    _use_once(bank, client_id, claims, now)
    scopes = form["scope"].split() if form.get("scope") else list(SCOPES)
    if not set(scopes) <= set(SCOPES):
        raise _refused("invalid_scope", "A scope was asked for that this client may not have.")
    value = secrets.token_urlsafe(32)
    with bank.state.transaction() as connection:
        connection.execute("delete from access_token where expires_at <= ?", (now.timestamp(),))
        connection.execute(
            "insert into access_token values (?, ?, ?, ?)",
            (hashed(value), client_id, " ".join(scopes), now.timestamp() + TOKEN_SECONDS),
        )
    return {
        "access_token": value,
        "token_type": "Bearer",
        "expires_in": TOKEN_SECONDS,
        "scope": " ".join(scopes),
    }


def _verified_claims(keys: tuple[Key, ...], assertion: str) -> Mapping[str, Any]:
    for key in keys:
        algorithms = ["PS256"] if isinstance(key, RSAKey) else ["EdDSA", "Ed25519"]
        try:
            with warnings.catch_warnings():
                # RFC 9864 renames EdDSA to Ed25519; Jiko documents the older name.
                warnings.simplefilter("ignore", SecurityWarning)
                return jwt.decode(assertion, key, algorithms=algorithms).claims
        except (JoseError, ValueError):
            continue
    raise _refused("invalid_client", "The assertion is not signed by a registered key with PS256 or EdDSA.")


def _check_claims(claims: Mapping[str, Any], client_id: str, token_url: str, now: datetime) -> None:
    audience = claims.get("aud")
    expires, issued, jti = _time(claims, "exp"), _time(claims, "iat"), claims.get("jti")
    seconds = now.timestamp()
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        raise _refused("invalid_client", "iss and sub of the assertion must be the client_id.")
    if audience != token_url and audience != [token_url]:
        raise _refused("invalid_client", "aud of the assertion must be the full URL of this token endpoint.")
    if expires is None or issued is None:
        raise _refused("invalid_client", "The assertion needs exp and iat.")
    if expires + LEEWAY_SECONDS <= seconds:
        raise _refused("invalid_client", "The assertion has expired.")
    if expires > seconds + LONGEST_ASSERTION_SECONDS + LEEWAY_SECONDS:
        raise _refused("invalid_client", "exp of the assertion may lie at most 5 minutes ahead.")
    if issued > seconds + LEEWAY_SECONDS:
        raise _refused("invalid_client", "iat of the assertion lies in the future.")
    if not isinstance(jti, str) or not 1 <= len(jti) <= 255:
        raise _refused("invalid_client", "The assertion needs a jti.")


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if usable and value is not None else None


def _use_once(bank: SimulatedBank, client_id: str, claims: Mapping[str, Any], now: datetime) -> None:
    with bank.state.transaction() as connection:
        connection.execute("delete from used_assertion where expires_at <= ?", (now.timestamp(),))
        used = connection.execute(
            "insert or ignore into used_assertion values (?, ?)",
            (hashed(f"{client_id}\0{claims['jti']}"), claims["exp"] + LEEWAY_SECONDS),
        ).rowcount
    if not used:
        raise _refused("invalid_client", "The assertion was used before.")

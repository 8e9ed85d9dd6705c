"""Opening the client without the pipeline's settings and data directory.

Belongs here: `open_client`. Does not belong here: connections of the pipeline (`jiko_pipeline.bank.connection`).
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from jiko_pipeline.bank.client.jiko import JikoClient
from jiko_pipeline.bank.clock import SYSTEM_CLOCK, Clock
from jiko_pipeline.bank.contract import JIKO, Contract
from jiko_pipeline.bank.line import LOOPBACK_NAMES, ClientKey, open_line
from jiko_pipeline.errors import SettingsError


@contextmanager
def open_client(
    api_url: str,
    credentials: ClientKey | httpx.Auth,
    *,
    download_hosts: Sequence[str] = (),
    signer: httpx.Auth | None = None,
    scopes: Sequence[str] | None = None,
    directory: Path | None = None,
    contract: Contract = JIKO,
    clock: Clock = SYSTEM_CLOCK,
    threads: int = 8,
    deadline_seconds: float = 120.0,
    rate_limit_share: float = 0.8,
) -> Iterator[JikoClient]:
    """A client of the bank at `api_url`, closed at the end of the block.

    `credentials` are a registered client's key, or any `httpx.Auth`: a person's own sign-in, for instance. `signer`
    is an `httpx.Auth` that signs each request after the credentials are on it. `download_hosts` are the hosts that
    links to files may name. `scopes` are asked for at a sign-in with a key; None means those of `contract`, which
    let a client read and order reports (`jiko_pipeline.bank.operations.SCOPES` are all).

    The rate budget is kept in `directory` and shared by all who name the same one; without it, it is this client's
    own. At most `rate_limit_share` of Jiko's limits is used.

    Raises SettingsError for an address that is no https origin (http on loopback is taken too) and for a key that
    cannot be used.
    """
    origin = _origin(api_url)
    if isinstance(credentials, ClientKey) and credentials.auth_url is not None:
        credentials = replace(credentials, auth_url=_origin(credentials.auth_url))
    if scopes is not None:
        contract = contract.model_copy(update={"scopes": tuple(scopes)})
    with ExitStack() as stack:
        room = directory or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jiko-")))
        line = stack.enter_context(
            open_line(
                room=room,
                api_origin=origin,
                credentials=credentials,
                download_hosts=download_hosts,
                contract=contract,
                clock=clock,
                threads=threads,
                deadline_seconds=deadline_seconds,
                rate_limit_share=rate_limit_share,
                signer=signer,
            )
        )
        yield JikoClient(line.api, line.downloads, contract)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    plain_on_loopback = parts.scheme == "http" and parts.hostname in LOOPBACK_NAMES
    if not parts.hostname or parts.username or parts.query or parts.path not in ("", "/"):
        raise SettingsError("The address of the bank must be an origin such as https://api.business.jiko.io.")
    if parts.scheme != "https" and not plain_on_loopback:
        raise SettingsError("The bank is asked over https only; http is taken for loopback addresses.")
    return url.rstrip("/")

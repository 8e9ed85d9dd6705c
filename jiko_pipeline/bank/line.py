"""The parts of a connection, put together: two clients, the rate budget, the credentials.

Belongs here: what `connection` (by the pipeline's settings) and `client.opening` (without them) have in common.
Does not belong here: what the parts do, and whose credentials these are.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from jiko_pipeline.bank.api import ApiClient
from jiko_pipeline.bank.budget import RateBudget
from jiko_pipeline.bank.clock import Clock
from jiko_pipeline.bank.contract import Contract
from jiko_pipeline.bank.downloads import DownloadClient, LinkRule
from jiko_pipeline.bank.exchange import make_client
from jiko_pipeline.bank.private_files import private_directory
from jiko_pipeline.bank.request_log import RequestLog
from jiko_pipeline.bank.retry import RetryPolicy
from jiko_pipeline.bank.sign_in import SignIn, load_signing_key

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A registered client: it signs in with its private key (PS256 or EdDSA), kept in a PEM file of mode 0600.

    `auth_url` is the origin of the authorization server, None where it is that of the API.
    """

    client_id: str
    private_key_file: Path
    key_id: str
    auth_url: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """An open connection. `sign_in` is None where somebody else's `httpx.Auth` brings the credentials."""

    api: ApiClient
    downloads: DownloadClient
    sign_in: SignIn | None


@contextmanager
def open_line(
    *,
    room: Path,
    api_origin: str,
    credentials: ClientKey | httpx.Auth,
    download_hosts: Sequence[str],
    contract: Contract,
    clock: Clock,
    threads: int,
    deadline_seconds: float,
    rate_limit_share: float,
    signer: httpx.Auth | None = None,
) -> Iterator[Line]:
    """A connection that keeps its rate budget and files on their way in the directory `room`.

    Nothing is sent before the first call. Raises SettingsError for a key that cannot be used, StorageError for a
    directory that cannot.
    """
    private_directory(room)
    policy = RetryPolicy(total_seconds=deadline_seconds)
    log = RequestLog(room / "requests", clock)
    with ExitStack() as stack:
        api_client = stack.enter_context(make_client(threads))
        auth_client = stack.enter_context(make_client(1))
        download_client = stack.enter_context(make_client(threads))
        budget = RateBudget(
            room / "budget.sqlite", limits_per_minute=contract.limits_per_minute, share=rate_limit_share, clock=clock
        )
        stack.callback(budget.close)
        sign_in: SignIn | None = None
        auth: SignIn | httpx.Auth
        if isinstance(credentials, httpx.Auth):
            auth = credentials
        else:
            auth = sign_in = SignIn(
                auth_client,
                origin=credentials.auth_url or api_origin,
                client_id=credentials.client_id,
                key=load_signing_key(credentials.private_key_file, credentials.key_id),
                contract=contract,
                clock=clock,
                budget=budget,
                policy=policy,
                log=log,
            )
        api = ApiClient(
            api_client,
            origin=api_origin,
            auth=auth,
            contract=contract,
            clock=clock,
            budget=budget,
            policy=policy,
            signer=signer,
            log=log,
        )
        downloads = DownloadClient(
            download_client,
            rule=LinkRule(download_hosts, loopback=urlsplit(api_origin).hostname in LOOPBACK_NAMES),
            incoming=room / "incoming",
            clock=clock,
            policy=policy,
            log=log,
        )
        downloads.remove_leftovers()
        yield Line(api, downloads, sign_in)

"""One connection to one bank: which bank, with whose credentials, through which two clients.

Belongs here: putting the parts of this room together from the settings. Does not belong here: what the parts
do.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

import httpx

from jiko_pipeline.bank import listings
from jiko_pipeline.bank.api import ApiClient, json_object
from jiko_pipeline.bank.client.jiko import JikoClient
from jiko_pipeline.bank.clock import SYSTEM_CLOCK, Clock
from jiko_pipeline.bank.contract import Contract
from jiko_pipeline.bank.contract_file import contract_of
from jiko_pipeline.bank.downloads import DownloadClient
from jiko_pipeline.bank.errors import ContractBrokenError
from jiko_pipeline.bank.line import ClientKey, open_line
from jiko_pipeline.bank.listings import Listing, Page
from jiko_pipeline.bank.operations import Operation
from jiko_pipeline.bank.private_files import private_directory
from jiko_pipeline.bank.sign_in import SignIn
from jiko_pipeline.bank.simulator_process import find_or_start
from jiko_pipeline.bank.world import REAL_WORLD_ID, WorldIdentity
from jiko_pipeline.errors import SettingsError
from jiko_pipeline.settings import Environment, Settings

_HEALTH = Operation("simulator_health", None, public=True)


@dataclass(frozen=True, slots=True)
class _Credentials:
    api_origin: str
    key: ClientKey
    download_hosts: Sequence[str]
    world_id: str | None


class Bank:
    """A signed-in connection. Thread-safe; make one with `connect`.

    `identity` says which bank this is; `calls` how often each operation was sent over this connection; `client`
    has a method for every operation of the API.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        contract: Contract,
        clock: Clock,
        identity: WorldIdentity,
        api: ApiClient,
        downloads: DownloadClient,
        sign_in: SignIn,
    ) -> None:
        self.settings = settings
        self.contract = contract
        self.clock = clock
        self.identity = identity
        self.api = api
        self.downloads = downloads
        self.client = JikoClient(api, downloads, contract)
        self._sign_in = sign_in

    @property
    def calls(self) -> Counter[str]:
        """Requests sent so far by operation, tries included; `sign_in` and `download` among them."""
        counted = self.api.counter.snapshot()
        counted["sign_in"] = self._sign_in.calls
        counted["download"] = self.downloads.calls
        return counted

    @property
    def clock_skew_seconds(self) -> float:
        """How far the bank's clock is ahead of ours; 0 while it is within 30 seconds."""
        return self._sign_in.clock_skew.total_seconds()

    @property
    def clock_difference_seconds(self) -> float | None:
        """The same as last measured, however small; None before the first answer to a sign-in."""
        difference = self._sign_in.clock_difference
        return None if difference is None else difference.total_seconds()

    @property
    def granted_scopes(self) -> frozenset[str] | None:
        """What the last token allows; None when the bank has not said."""
        return self._sign_in.granted_scopes

    def now(self) -> datetime:
        """Our best guess of the bank's time, UTC."""
        return self.clock.wall() + self._sign_in.clock_skew

    def sign_in(self) -> None:
        """Make sure that the bank accepts our credentials. Raises AuthenticationError and its kin."""
        self._sign_in.token()

    def pages(self, listing: Listing) -> Iterator[Page]:
        """The pages of a listing (`jiko_pipeline.bank.listings`), as they came and in order.

        Take a listing for complete only when the page that `is_last` has come.
        """
        return listings.walk(self.api, self.contract, listing, self.settings.page_limit)

    def first_and_last_activity(self, pocket_id: str) -> tuple[date | None, date | None]:
        """New York days of the first and the last bank-side movement of a pocket; None, None without any."""
        return listings.first_and_last_activity(self.api, self.contract, pocket_id)


@contextmanager
def connect(
    settings: Settings,
    *,
    clock: Clock = SYSTEM_CLOCK,
    contract: Contract | None = None,
    signer: httpx.Auth | None = None,
) -> Iterator[Bank]:
    """A connection to the bank of `settings`; the embedded simulator is found or started first.

    Nothing is signed in until the first call that needs it. `signer` is an `httpx.Auth` that signs each request
    after the access token is on it. Without `contract` it is that of the settings' contract file. Raises
    SettingsError for credentials or a contract file that cannot be used, StorageError for a data directory that cannot.
    """
    contract = contract or contract_of(settings)
    room = settings.data_dir / "bank"
    private_directory(room)
    credentials = _credentials(settings)
    with open_line(
        room=room,
        api_origin=credentials.api_origin,
        credentials=credentials.key,
        download_hosts=credentials.download_hosts,
        contract=contract,
        clock=clock,
        threads=settings.threads,
        deadline_seconds=settings.request_deadline_seconds,
        rate_limit_share=settings.rate_limit_share,
        signer=signer,
    ) as line:
        assert line.sign_in is not None, "a key signs in"
        yield Bank(
            settings=settings,
            contract=contract,
            clock=clock,
            identity=_identity(settings, credentials, line.api, contract),
            api=line.api,
            downloads=line.downloads,
            sign_in=line.sign_in,
        )


def _credentials(settings: Settings) -> _Credentials:
    if settings.embedded_simulator:
        simulator = find_or_start(settings)
        return _Credentials(
            api_origin=simulator.api_url,
            key=ClientKey(simulator.client_id, simulator.private_key_file, simulator.key_id, simulator.auth_url),
            download_hosts=(simulator.storage_host, *settings.download_hosts),
            world_id=simulator.world_id,
        )
    api_origin = settings.api_origin
    auth_origin = settings.auth_origin or api_origin
    if (
        api_origin is None
        or auth_origin is None
        or settings.client_id is None
        or settings.private_key_file is None
        or settings.key_id is None
    ):
        raise SettingsError(
            "A simulator at JIKO_API_URL needs JIKO_CLIENT_ID, JIKO_PRIVATE_KEY_FILE and JIKO_KEY_ID; without"
            " JIKO_API_URL one is started that needs none of them."
        )
    return _Credentials(
        api_origin=api_origin,
        key=ClientKey(settings.client_id, settings.private_key_file, settings.key_id, auth_origin),
        download_hosts=settings.download_hosts,
        world_id=None,
    )


def _identity(settings: Settings, credentials: _Credentials, api: ApiClient, contract: Contract) -> WorldIdentity:
    if settings.environment is not Environment.SIMULATOR:
        return WorldIdentity(settings.environment.value, credentials.api_origin, REAL_WORLD_ID)
    world_id: object = credentials.world_id
    if world_id is None:
        where = contract.simulated_health_path
        world_id = json_object(api.call(_HEALTH, where).body, where).get("world_id")
    if not isinstance(world_id, str) or not world_id:
        raise ContractBrokenError("The bank at JIKO_API_URL is no simulator: it announces no world.")
    return WorldIdentity(settings.environment.value, "simulator", world_id)

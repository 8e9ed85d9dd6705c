"""One connection to one bank: which bank, with whose credentials, through which two clients.

Belongs here: putting the parts of this room together from the settings. Does not belong here: what the parts
do.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from urllib.parse import urlsplit

from jiko_pipeline.bank import listings
from jiko_pipeline.bank.api import ApiClient, json_object
from jiko_pipeline.bank.budget import RateBudget
from jiko_pipeline.bank.clock import SYSTEM_CLOCK, Clock
from jiko_pipeline.bank.contract import JIKO, Contract
from jiko_pipeline.bank.downloads import DownloadClient, LinkRule
from jiko_pipeline.bank.errors import ContractBrokenError
from jiko_pipeline.bank.exchange import make_client
from jiko_pipeline.bank.listings import Listing, Page
from jiko_pipeline.bank.operations import Operation
from jiko_pipeline.bank.private_files import private_directory
from jiko_pipeline.bank.retry import RetryPolicy
from jiko_pipeline.bank.sign_in import SignIn, load_signing_key
from jiko_pipeline.bank.simulator_process import find_or_start
from jiko_pipeline.bank.world import REAL_WORLD_ID, WorldIdentity
from jiko_pipeline.errors import SettingsError
from jiko_pipeline.settings import Environment, Settings

_HEALTH = Operation("simulator_health", None, public=True)
_LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class _Credentials:
    api_origin: str
    auth_origin: str
    client_id: str
    private_key_file: Path
    key_id: str
    download_hosts: Sequence[str]
    world_id: str | None


class Bank:
    """A signed-in connection. Thread-safe; make one with `connect`.

    `identity` says which bank this is; `calls` how often each operation was sent over this connection.
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
def connect(settings: Settings, *, clock: Clock = SYSTEM_CLOCK, contract: Contract = JIKO) -> Iterator[Bank]:
    """A connection to the bank of `settings`; the embedded simulator is found or started first.

    Nothing is signed in until the first call that needs it. Raises SettingsError for credentials that cannot
    be used, StorageError for a data directory that cannot.
    """
    room = private_directory(settings.data_dir / "bank")
    credentials = _credentials(settings)
    policy = RetryPolicy(total_seconds=settings.request_deadline_seconds)
    key = load_signing_key(credentials.private_key_file, credentials.key_id)
    with ExitStack() as stack:
        api_client = stack.enter_context(make_client(settings.threads))
        auth_client = stack.enter_context(make_client(1))
        download_client = stack.enter_context(make_client(settings.threads))
        budget = RateBudget(
            room / "budget.sqlite",
            limits_per_minute=contract.limits_per_minute,
            share=settings.rate_limit_share,
            clock=clock,
        )
        stack.callback(budget.close)
        sign_in = SignIn(
            auth_client,
            origin=credentials.auth_origin,
            client_id=credentials.client_id,
            key=key,
            contract=contract,
            clock=clock,
            budget=budget,
            policy=policy,
        )
        api = ApiClient(
            api_client,
            origin=credentials.api_origin,
            sign_in=sign_in,
            contract=contract,
            clock=clock,
            budget=budget,
            policy=policy,
        )
        loopback = urlsplit(credentials.api_origin).hostname in _LOOPBACK_NAMES
        downloads = DownloadClient(
            download_client,
            rule=LinkRule(credentials.download_hosts, loopback=loopback),
            incoming=room / "incoming",
            clock=clock,
            policy=policy,
        )
        downloads.remove_leftovers()
        yield Bank(
            settings=settings,
            contract=contract,
            clock=clock,
            identity=_identity(settings, credentials, api, contract),
            api=api,
            downloads=downloads,
            sign_in=sign_in,
        )


def _credentials(settings: Settings) -> _Credentials:
    if settings.embedded_simulator:
        simulator = find_or_start(settings)
        return _Credentials(
            api_origin=simulator.api_url,
            auth_origin=simulator.auth_url,
            client_id=simulator.client_id,
            private_key_file=simulator.private_key_file,
            key_id=simulator.key_id,
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
        auth_origin=auth_origin,
        client_id=settings.client_id,
        private_key_file=settings.private_key_file,
        key_id=settings.key_id,
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

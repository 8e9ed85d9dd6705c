"""Every setting, once: environment variables `JIKO_*`, a `.env` file in the working directory, a profile's table.

Belongs here: names, types, defaults and contradictions of settings, which source stands before which, and the paths
that follow from the data directory. Does not belong here: the file of profiles (`jiko_pipeline.profiles`), what
undocumented parts of the API look like (`jiko_pipeline.bank.contract`). Secrets are never settings themselves: the
private key is named by its file.
"""

import re
from contextvars import ContextVar
from datetime import date, time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Self, get_args
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from jiko_pipeline.errors import SettingsError
from jiko_pipeline.profiles import DEFAULT_PROFILE, PROFILES_FILE, ProfilesFile, read_profiles

REPORT_WINDOW_DAYS: Final = 31
"""The longest range of days that Jiko accepts for one report; every window is cut to it."""


class Environment(StrEnum):
    """Which Jiko is asked."""

    SIMULATOR = "simulator"
    SANDBOX = "sandbox"
    PRODUCTION = "production"


class MailSecurity(StrEnum):
    """How the connection to the mail server is secured."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


_API_URLS: Final = {
    Environment.SANDBOX: "https://customer-api.sandbox-api.jikoservices.com",
    Environment.PRODUCTION: "https://api.business.jiko.io",
}
_AUTH_URLS: Final = {
    Environment.SANDBOX: "https://authentication-portal.sandbox-api.jikoservices.com",
    Environment.PRODUCTION: "https://auth.jiko.io",
}


_OF_TABLE: Final[ContextVar[tuple[frozenset[str], str]]] = ContextVar("settings_of_a_table")
"""What the last profile's table gave, and which table it was: an error names where a value stands."""


class _ProfileTable(PydanticBaseSettingsSource):
    """The table of the chosen profile; stands behind what the environment and `.env` say."""

    def __call__(self) -> dict[str, Any]:
        _OF_TABLE.set((frozenset(), ""))
        chosen = self.current_state.get("profile")
        profile = chosen if isinstance(chosen, str) else DEFAULT_PROFILE
        named = self.current_state.get("profiles_file")
        file = read_profiles(Path(named or PROFILES_FILE), required=named is not None)
        if file is None:
            return {}
        table = file.table(profile, self.settings_cls.model_fields)
        beside = file.path.absolute().parent
        values = {
            name: str(beside / value) if isinstance(value, str) and self._is_path(name) else value
            for name, value in table.items()
        }
        _OF_TABLE.set((frozenset(values) - frozenset(self.current_state), f"profile {profile!r} in {file.path}"))
        return values

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Not asked for: a table is given as a whole."""
        return None, field_name, False

    def _is_path(self, name: str) -> bool:
        annotation = self.settings_cls.model_fields[name].annotation
        return annotation is Path or Path in get_args(annotation)


class Settings(BaseSettings):
    """The settings of one profile (one Jiko customer). Construct with `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix="JIKO_", env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    environment: Environment = Environment.SIMULATOR
    api_url: str | None = None
    """Origin of the API; None means the environment's own (for the simulator: the process it starts)."""
    auth_url: str | None = None
    """Origin of the authorization server; None means the environment's own."""
    download_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Hosts (exact, or a suffix that starts with a dot; `host:port` where the port is not 443) that a
    download link may name."""
    contract_file: Path | None = None
    """A TOML file that says how the bank differs from what is assumed of it; see docs/contract.md."""

    camt_schemas: Path | None = None
    """Folder with the ISO 20022 schemas `camt.053.001.NN.xsd`; where it is named, statements are checked by them."""

    data_dir: Path = Path("data")
    profiles_file: Path | None = None
    """The file of profiles; None means `profiles.toml` in the working directory, where there is one."""
    profile: str = Field(default=DEFAULT_PROFILE, pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")
    legal_entity_id: str = "default"
    person: str | None = Field(default=None, max_length=100)
    """Who decides about breaks with this profile, where a command does not say it by `--by`."""

    client_id: str | None = None
    private_key_file: Path | None = None
    key_id: str | None = None

    start_date: date = Field(default=date(2024, 6, 3), ge=date(2005, 1, 3))
    """The first day of the data: the first Dagster partition and the first day `sync` will take."""

    business_day_end: time = time(19, 0)
    """New York time from which money that moves is booked on the next Fed business day."""
    cutoff_hour: int = Field(default=21, ge=0, le=23)
    """New York hour from which a statement of the same day is no longer provisional."""
    confirm_business_days: int = Field(default=5, ge=0, le=18)
    """How many business days the trailing re-read goes back; 18 of them always fit into one window."""

    webhook_secret_file: Path | None = None
    """The file with the shared secret of our webhook subscription, one line; nobody else may read it."""
    events_poll_seconds: int = Field(default=300, ge=10)
    """How often the sensor asks the bank for events, once somebody has turned it on."""

    automation: bool = False
    """True: the schedules and sensors of Dagster are on from the first start, until a person turns one off."""
    fetch_retry_seconds: float = Field(default=60.0, gt=0)
    """Pause before Dagster repeats a whole fetch that failed for a reason that may pass; doubled the second time."""
    notify_of: Annotated[tuple[str, ...], NoDecode] = ("failure", "breaks", "late")
    """What somebody is told of: failure, breaks, late; nothing without one of the ways out below."""
    notify_command: str | None = None
    """A command that gets the notice as JSON on its standard input; split into words, run without a shell."""
    notify_webhook_file: Path | None = None
    """The file with the address that notices are posted to, one line; nobody else may read it."""
    notify_mail_to: Annotated[tuple[str, ...], NoDecode] = ()
    """Addresses that notices are mailed to."""
    notify_mail_from: str | None = None
    notify_smtp_host: str = "localhost"
    notify_smtp_port: int = Field(default=587, ge=1, le=65535)
    notify_smtp_security: MailSecurity = MailSecurity.STARTTLS
    """starttls or tls; none is accepted for a mail server on loopback only."""
    notify_smtp_user: str | None = None
    notify_smtp_password_file: Path | None = None
    """The file with the password of `notify_smtp_user`, one line; nobody else may read it."""

    history_days: int = Field(default=400, ge=1)
    """Runs that ended longer ago are removed from Dagster's history."""
    history_runs: int = Field(default=2000, ge=1)
    """Of the runs that have ended, only so many are kept in Dagster's history."""

    threads: int = Field(default=8, ge=1, le=8)
    page_limit: int = Field(default=100, ge=1, le=100)
    request_deadline_seconds: float = Field(default=120.0, gt=0)
    poll_base_seconds: float | None = Field(default=None, gt=0)
    """First pause between two polls; None means 0.05 against the simulator and 2 against Jiko."""
    poll_cap_seconds: float | None = Field(default=None, gt=0)
    """Longest pause between two polls; None means 1 against the simulator and 60 against Jiko."""
    poll_deadline_seconds: float = Field(default=3600.0, gt=0)
    """After this long unfinished reports are left pending for the next run."""
    rate_limit_share: float = Field(default=0.8, gt=0, le=1)
    """The part of Jiko's documented rate limits that all processes together may use."""

    published_group_readable: bool = False
    """False: the published file is 0400. True: 0440, in a directory of 0750."""
    allowed_signers: Path | None = None
    """The file of keys whose signatures a sign-off takes as a reviewer's, as ssh-keygen reads it (ALLOWED SIGNERS)."""
    keep_confirmations: bool = False
    """True: `jiko confirmations check` archives the trade confirmations it fetches; Jiko asks not to keep them."""
    writer_wait_seconds: float = Field(default=120.0, ge=0)
    """How long a process waits for the one writer's lock before it says who holds it."""

    simulator_seed: int = 7
    simulator_pockets: int = Field(default=4, ge=1, le=1000)
    simulator_start: date | None = None
    """First day of the simulated world's data; None means `start_date`."""
    simulator_camt_version: str = Field(default="08", pattern=r"^(02|08)$")
    simulator_fault: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9-]*$")
    simulator_limits: str = Field(default="off", pattern=r"^(off|documented|tight)$")
    simulator_chaos: str = Field(default="none", pattern=r"^(none|flaky|drift|hostile|slow|storm)$")
    """Which faults the embedded simulator shows on the way to us; see docs/chaos.md."""
    simulator_chaos_seed: int = 0

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given in the call, then the environment, `.env`, the profile's table."""
        return init_settings, env_settings, dotenv_settings, _ProfileTable(settings_cls)

    @field_validator("download_hosts", "notify_of", "notify_mail_to", mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("notify_of")
    @classmethod
    def _known_notices(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not set(value) <= {"failure", "breaks", "late"}:
            raise ValueError("must be of failure, breaks and late, with commas between them")
        return value

    @field_validator("notify_mail_to", "notify_mail_from")
    @classmethod
    def _mail_addresses(cls, value: tuple[str, ...] | str | None) -> tuple[str, ...] | str | None:
        for address in (value,) if isinstance(value, str) else value or ():
            if not re.fullmatch(r"[^\s@,<>]+@[^\s@,<>]+", address):
                raise ValueError("must be plain addresses such as treasury@example.com")
        return value

    @field_validator("api_url", "auth_url")
    @classmethod
    def _origin_only(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.query:
            raise ValueError("must be an origin such as https://api.business.jiko.io")
        if parts.path not in ("", "/"):
            raise ValueError("must be an origin without a path")
        if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("plain http is accepted for loopback addresses only")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _credentials_for_a_real_bank(self) -> Self:
        if self.environment is not Environment.SIMULATOR:
            missing = [name for name in ("client_id", "private_key_file", "key_id") if getattr(self, name) is None]
            if missing:
                names = ", ".join(f"JIKO_{name.upper()}" for name in missing)
                raise ValueError(f"the {self.environment.value} environment needs {names}")
        return self

    @model_validator(mode="after")
    def _mail_that_can_be_sent(self) -> Self:
        if self.notify_mail_to and self.notify_mail_from is None:
            raise ValueError("JIKO_NOTIFY_MAIL_TO needs JIKO_NOTIFY_MAIL_FROM")
        if (self.notify_smtp_user is None) != (self.notify_smtp_password_file is None):
            raise ValueError("JIKO_NOTIFY_SMTP_USER and JIKO_NOTIFY_SMTP_PASSWORD_FILE go together")
        loopback = self.notify_smtp_host in ("127.0.0.1", "localhost", "::1")
        if self.notify_smtp_security is MailSecurity.NONE and not loopback:
            raise ValueError("JIKO_NOTIFY_SMTP_SECURITY may be none for a mail server on loopback only")
        return self

    @model_validator(mode="after")
    def _one_environment(self) -> Self:
        # An assertion made for one environment must never be sent to another.
        for name, origin in (("JIKO_API_URL", self.api_url), ("JIKO_AUTH_URL", self.auth_url)):
            for environment in _API_URLS:
                of_it = origin in (_API_URLS[environment], _AUTH_URLS[environment])
                if of_it and environment is not self.environment:
                    raise ValueError(f"{name} is an address of the {environment.value} environment, not of this one")
        return self

    @property
    def api_origin(self) -> str | None:
        """Origin of the API, or None where the simulator is to be started first."""
        return self.api_url or _API_URLS.get(self.environment)

    @property
    def auth_origin(self) -> str | None:
        """Origin of the authorization server, or None where the simulator is to be started first."""
        return self.auth_url or _AUTH_URLS.get(self.environment)

    @property
    def embedded_simulator(self) -> bool:
        """True when this process must find or start the simulator of its data directory."""
        return self.environment is Environment.SIMULATOR and self.api_url is None

    @property
    def poll_pauses(self) -> tuple[float, float]:
        """(first, longest) pause in seconds between two polls."""
        base, cap = (0.05, 1.0) if self.environment is Environment.SIMULATOR else (2.0, 60.0)
        return self.poll_base_seconds or base, self.poll_cap_seconds or cap

    @property
    def archive_dir(self) -> Path:
        """Where every byte received is kept once."""
        return self.data_dir / "archive"

    @property
    def warehouse_file(self) -> Path:
        """The pipeline's own DuckDB file; nobody else opens it."""
        return self.data_dir / "warehouse" / "treasury.duckdb"

    @property
    def keeps_journal(self) -> bool:
        """True where what the warehouse is told beside documents goes into the archive's journal as well."""
        return True

    @property
    def published_file(self) -> Path:
        """The DuckDB file that people read."""
        return self.data_dir / "treasury.duckdb"

    @property
    def order_book_file(self) -> Path:
        """What this profile has ordered at the bank."""
        suffix = "" if self.profile == "default" else f"-{self.profile}"
        return self.data_dir / "bank" / f"orders{suffix}.sqlite"

    @property
    def request_log_dir(self) -> Path:
        """What became of every request to the bank; see docs/chaos.md."""
        return self.data_dir / "bank" / "requests"

    @property
    def event_inbox_file(self) -> Path:
        """The events that this profile was told of, by webhooks and by polling."""
        suffix = "" if self.profile == "default" else f"-{self.profile}"
        return self.data_dir / "bank" / f"events{suffix}.sqlite"

    @property
    def simulator_dir(self) -> Path:
        """Where the embedded simulator keeps its state."""
        return self.data_dir / "simulator"


def load_settings(**overrides: object) -> Settings:
    """The settings of this process: `overrides`, then the environment, `.env`, the profile's table, the defaults.

    Raises SettingsError with the names of the wrong settings, never with their values; what a profile's table says
    wrongly is named with the file.
    """
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]  # values are validated by the model
    except ValidationError as error:
        problems = "; ".join(
            f"{_named(item['loc'])}{item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_input=False, include_url=False)
        )
        raise SettingsError(f"The settings are not usable: {problems}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The file .env cannot be read as UTF-8 text ({type(error).__name__}).") from None
    return settings.model_copy(update={"data_dir": settings.data_dir.absolute()})


def _named(location: tuple[int | str, ...]) -> str:
    """How an error names a setting: as a variable, or in the table that it stands in."""
    if not location:
        return ""
    name = ".".join(str(part) for part in location)
    of_table, table = _OF_TABLE.get()
    return f"{name} of the {table}: " if location[0] in of_table else f"JIKO_{name.upper()}: "


def profiles_of(settings: Settings) -> ProfilesFile | None:
    """The file of profiles that `settings` were read with, or None where there is none. Raises SettingsError."""
    path = settings.profiles_file
    return read_profiles(Path(path or PROFILES_FILE), required=path is not None)

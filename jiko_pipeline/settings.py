"""Every setting, once: environment variables `JIKO_*` or a `.env` file in the working directory.

Belongs here: names, types, defaults and contradictions of settings, and the paths that follow from the data
directory. Does not belong here: what undocumented parts of the API look like (`jiko_pipeline.bank.contract`).
Secrets are never settings themselves: the private key is named by its file.
"""

from datetime import date, time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from jiko_pipeline.errors import SettingsError

REPORT_WINDOW_DAYS: Final = 31
"""The longest range of days that Jiko accepts for one report; every window is cut to it."""


class Environment(StrEnum):
    """Which Jiko is asked."""

    SIMULATOR = "simulator"
    SANDBOX = "sandbox"
    PRODUCTION = "production"


_API_URLS: Final = {
    Environment.SANDBOX: "https://customer-api.sandbox-api.jikoservices.com",
    Environment.PRODUCTION: "https://api.business.jiko.io",
}
_AUTH_URLS: Final = {
    Environment.SANDBOX: "https://authentication-portal.sandbox-api.jikoservices.com",
    Environment.PRODUCTION: "https://auth.jiko.io",
}


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

    data_dir: Path = Path("data")
    profile: str = Field(default="default", pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")
    legal_entity_id: str = "default"

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
    writer_wait_seconds: float = Field(default=120.0, ge=0)
    """How long a process waits for the one writer's lock before it says who holds it."""

    simulator_seed: int = 7
    simulator_pockets: int = Field(default=4, ge=1, le=1000)
    simulator_start: date | None = None
    """First day of the simulated world's data; None means `start_date`."""
    simulator_camt_version: str = Field(default="08", pattern=r"^(02|08)$")
    simulator_fault: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9-]*$")
    simulator_limits: str = Field(default="off", pattern=r"^(off|documented|tight)$")

    @field_validator("download_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
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
    def published_file(self) -> Path:
        """The DuckDB file that people read."""
        return self.data_dir / "treasury.duckdb"

    @property
    def order_book_file(self) -> Path:
        """What this profile has ordered at the bank."""
        suffix = "" if self.profile == "default" else f"-{self.profile}"
        return self.data_dir / "bank" / f"orders{suffix}.sqlite"

    @property
    def simulator_dir(self) -> Path:
        """Where the embedded simulator keeps its state."""
        return self.data_dir / "simulator"


def load_settings(**overrides: object) -> Settings:
    """The settings of this process, with `overrides` in front of environment and `.env`.

    Raises SettingsError with the names of the wrong settings, never with their values.
    """
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]  # values are validated by the model
    except ValidationError as error:
        problems = "; ".join(
            f"{'JIKO_' + '.'.join(str(part) for part in item['loc']).upper() + ': ' if item['loc'] else ''}"
            f"{item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_input=False, include_url=False)
        )
        raise SettingsError(f"The settings are not usable: {problems}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The file .env cannot be read as UTF-8 text ({type(error).__name__}).") from None
    return settings.model_copy(update={"data_dir": settings.data_dir.absolute()})

"""What the settings say, without asking anybody: contradictions, the private key, the hosts of downloads.

Does not belong here: whether a setting is well-formed by itself (`jiko_pipeline.settings` refuses it).
"""

import re
import stat
from collections.abc import Iterable
from datetime import datetime
from difflib import get_close_matches
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from jiko_pipeline.bank.sign_in import load_signing_key
from jiko_pipeline.calendars import new_york_date
from jiko_pipeline.errors import ExitCode, SettingsError
from jiko_pipeline.failpoints import VARIABLE as FAILPOINT_VARIABLE
from jiko_pipeline.pipeline.doctor.findings import Finding, fail, failed, ok, warn
from jiko_pipeline.settings import Environment, Settings
from jiko_pipeline.webhooks.signature import load_secret

SETTINGS: Final = "settings"
KEY: Final = "private key"
WEBHOOK: Final = "webhook secret"
HOSTS: Final = "download hosts"

_PREFIX: Final = "JIKO_"
_CREDENTIALS: Final = ("client_id", "private_key_file", "key_id")
_HOST: Final = re.compile(
    r"\.?(?=.{1,253}(:|$))[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*(:[0-9]{1,5})?"
)


def check_settings(settings: Settings, now: datetime) -> list[Finding]:
    """Contradictions that no single setting shows; one OK when there is none."""
    found = [*_credentials(settings), *_ignored(settings)]
    base, cap = settings.poll_pauses
    if base > cap:
        found.append(
            warn(
                SETTINGS,
                f"The first pause between two polls ({base:g} s) is longer than the longest ({cap:g} s).",
                "Set JIKO_POLL_BASE_SECONDS below JIKO_POLL_CAP_SECONDS.",
            )
        )
    if settings.start_date > new_york_date(now):
        found.append(
            fail(
                SETTINGS,
                f"JIKO_START_DATE is {settings.start_date}, which is yet to come: there is no day to sync.",
                "Set JIKO_START_DATE to the first day of the data.",
                ExitCode.CREDENTIALS_OR_SETTINGS,
            )
        )
    profile = f"{settings.environment.value}, profile {settings.profile}, legal entity {settings.legal_entity_id}"
    return found or [ok(SETTINGS, f"Environment {profile}; nothing contradicts.")]


def check_variables(names: Iterable[str]) -> list[Finding]:
    """A WARN for each variable of ours among `names` that is no setting, with the setting whose name is nearest."""
    known = {f"{_PREFIX}{name.upper()}" for name in Settings.model_fields}
    ours = (name for name in names if name.upper().startswith(_PREFIX))
    return [_unknown(name, known) for name in sorted(ours) if name.upper() not in {*known, FAILPOINT_VARIABLE}]


def _unknown(name: str, known: Iterable[str]) -> Finding:
    (nearest,) = get_close_matches(name.upper(), known, n=1, cutoff=0.0)
    return warn(
        SETTINGS,
        f"{ascii(name)[1:-1]} is set and no setting: nobody reads it.",
        f"If {nearest} is meant, name it so; otherwise leave it out.",
    )


def _credentials(settings: Settings) -> list[Finding]:
    given = [name for name in _CREDENTIALS if getattr(settings, name) is not None]
    if settings.embedded_simulator and given:
        names = ", ".join(f"JIKO_{name.upper()}" for name in given)
        return [
            warn(
                SETTINGS,
                f"{names} are not used: the simulated bank that is started has a client of its own.",
                "Set JIKO_ENVIRONMENT to the bank that they are for, or leave them out.",
            )
        ]
    if not settings.embedded_simulator and len(given) < len(_CREDENTIALS):
        missing = ", ".join(f"JIKO_{name.upper()}" for name in _CREDENTIALS if name not in given)
        return [
            fail(
                SETTINGS,
                f"A simulator at JIKO_API_URL needs {missing}.",
                "Set them, or leave JIKO_API_URL out.",
                ExitCode.CREDENTIALS_OR_SETTINGS,
            )
        ]
    return []


def _ignored(settings: Settings) -> list[Finding]:
    if settings.embedded_simulator:
        return []
    given = sorted(name for name in settings.model_fields_set if name.startswith("simulator_"))
    if not given:
        return []
    names = ", ".join(f"JIKO_{name.upper()}" for name in given)
    return [warn(SETTINGS, f"{names} are not used: no simulated bank is started.", "Leave them out.")]


def check_key(settings: Settings) -> Finding:
    """The private key: there, its owner's alone, of a kind that Jiko accepts."""
    if settings.embedded_simulator:
        return ok(KEY, "The simulated bank brings its own.")
    file, key_id = settings.private_key_file, settings.key_id
    if file is None or key_id is None:
        return fail(
            KEY,
            "No private key is named.",
            "Set JIKO_PRIVATE_KEY_FILE and JIKO_KEY_ID.",
            ExitCode.CREDENTIALS_OR_SETTINGS,
        )
    try:
        key = load_signing_key(file, key_id)
    except SettingsError as error:
        return failed(KEY, error)
    private = key.key.private_key
    bits = private.key_size if isinstance(private, RSAPrivateKey) else None
    if stat.S_IMODE(file.absolute().parent.stat().st_mode) & 0o022:
        return warn(
            KEY,
            f"Other users can replace the private key file {file}: they may write to its directory.",
            f"Run: chmod go-w {file.absolute().parent}",
        )
    kind = "Ed25519" if bits is None else f"RSA of {bits} bits"
    return ok(KEY, f"{file} is its owner's alone: {kind}, signs with {key.algorithm}.")


def check_webhook_secret(settings: Settings) -> list[Finding]:
    """The secret that webhooks are checked with, where one is named: there, its owner's alone, long enough."""
    file = settings.webhook_secret_file
    if file is None:
        return []
    try:
        load_secret(file)
    except SettingsError as error:
        return [failed(WEBHOOK, error)]
    return [ok(WEBHOOK, f"{file} is its owner's alone.")]


def check_hosts(settings: Settings) -> list[Finding]:
    """The allow-list of downloads: there is one for a real bank, and each name in it is a host or a suffix."""
    hosts = settings.download_hosts
    remedy = "List hosts (files.example), or suffixes with a dot in front (.files.example), in JIKO_DOWNLOAD_HOSTS."
    if not hosts:
        if settings.embedded_simulator:
            return [ok(HOSTS, "The simulated bank names its own.")]
        return [
            fail(
                HOSTS,
                "JIKO_DOWNLOAD_HOSTS is empty: no report can be downloaded.",
                remedy,
                ExitCode.CREDENTIALS_OR_SETTINGS,
            )
        ]
    found = []
    for host in hosts:
        name = host.partition(":")[0]
        if not _HOST.fullmatch(host.lower()):
            found.append(
                fail(
                    HOSTS,
                    "An entry of JIKO_DOWNLOAD_HOSTS is neither a host nor a suffix: "
                    f"number {hosts.index(host) + 1} of {len(hosts)}.",
                    remedy,
                    ExitCode.CREDENTIALS_OR_SETTINGS,
                )
            )
        elif name.startswith(".") and name.count(".") == 1:
            found.append(
                warn(
                    HOSTS,
                    f"JIKO_DOWNLOAD_HOSTS allows every host below {name}.",
                    "Name the bank's own domain.",
                )
            )
        elif settings.environment is Environment.PRODUCTION and name in ("localhost", "127.0.0.1"):
            found.append(warn(HOSTS, f"JIKO_DOWNLOAD_HOSTS names {name}, which is this machine.", "Leave it out."))
    return found or [ok(HOSTS, f"{len(hosts)} allowed.")]

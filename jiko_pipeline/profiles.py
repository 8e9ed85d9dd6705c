"""The file of profiles: one table of settings for each Jiko customer of a group.

Belongs here: reading `profiles.toml`, the names of its tables, refusing what is no table or no setting. Does not
belong here: what a setting may be and which one stands before which (`jiko_pipeline.settings`).

A table holds settings by their names without `JIKO_`, in lower case; its paths are relative to the file. It never
holds a secret: keys are named by their files.
"""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jiko_pipeline.errors import SettingsError

PROFILES_FILE: Final = "profiles.toml"
"""Where the file is when JIKO_PROFILES_FILE does not say: in the working directory."""
DEFAULT_PROFILE: Final = "default"
"""The profile when none is chosen; it needs no table."""
_CHOOSING: Final = frozenset({"profile", "profiles_file"})
"""What chooses a table cannot stand in one."""


@dataclass(frozen=True, slots=True)
class ProfilesFile:
    """The tables of a file by the names of their profiles, in the order of the file."""

    path: Path
    tables: Mapping[str, Mapping[str, Any]]

    def table(self, profile: str, known: Collection[str]) -> Mapping[str, Any]:
        """The settings of `profile`; `known` are the names of all settings.

        Raises SettingsError, with the file and the name, for a profile without a table and for what is no setting.
        """
        if profile not in self.tables:
            if profile == DEFAULT_PROFILE:
                return {}
            named = ", ".join(self.tables) or "none"
            raise SettingsError(
                f"The file {self.path} has no profile {profile!r}; it has: {named}.",
                remedy="Choose one of them by JIKO_PROFILE or --profile, or give the file a table of that name.",
            )
        table = self.tables[profile]
        unknown = sorted(name for name in table if name not in known or name in _CHOOSING)
        if unknown:
            raise SettingsError(
                f"The profile {profile!r} in {self.path} has what is no setting of a profile: {', '.join(unknown)}.",
                remedy="A setting stands there by its name without JIKO_, in lower case; see docs/profiles.md.",
            )
        return table


def read_profiles(path: Path, *, required: bool) -> ProfilesFile | None:
    """The profiles of `path`; None when there is no such file and it is not `required`.

    Raises SettingsError when the file is missing, cannot be read, is no TOML, has a setting outside of a table, or
    two names that Dagster could not tell apart.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        if not required:
            return None
        raise SettingsError(f"There is no file {path}, which JIKO_PROFILES_FILE names.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The file {path} cannot be read as UTF-8 text ({type(error).__name__}).") from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        # The parser's own sentence may quote what stands in the file.
        raise SettingsError(f"The file {path} is no TOML.", remedy="Correct it; see docs/profiles.md.") from None
    outside = sorted(name for name, table in document.items() if not isinstance(table, dict))
    if outside:
        raise SettingsError(f"The file {path} has settings outside of a profile's table: {', '.join(outside)}.")
    keys: dict[str, str] = {}
    for name in document:
        other = keys.setdefault(name.replace("-", "_"), name)
        if other != name:
            raise SettingsError(
                f"The profiles {other!r} and {name!r} in {path} differ in a hyphen only; they need other names."
            )
    return ProfilesFile(path, document)

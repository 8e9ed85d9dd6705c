"""`jiko profiles`: the named profiles, and the workspace file that gives Dagster a code location for each.

Belongs here: how they are shown. Does not belong here: reading them (`jiko_pipeline.profiles`).
"""

import sys
from typing import Final

from jiko_pipeline.cli.terminal import err, print_json, print_table
from jiko_pipeline.errors import ExitCode, SettingsError
from jiko_pipeline.settings import load_settings, profiles_of

_COLUMNS: Final = ("profile", "chosen", "environment", "legal_entity_id", "problem")
_MODULE: Final = "jiko_pipeline.orchestration.profiles"


def show_profiles(json_output: bool) -> int:
    """Prints the profiles; answers 40 when one of them cannot be used."""
    settings = load_settings()
    file = profiles_of(settings)
    names = () if file is None else tuple(file.tables)
    rows: list[tuple[str, bool, str | None, str | None, str | None]] = []
    for name in dict.fromkeys((settings.profile, *names)):
        try:
            found = load_settings(profile=name)
        except SettingsError as error:
            rows.append((name, name == settings.profile, None, None, str(error)))
        else:
            rows.append((name, name == settings.profile, found.environment.value, found.legal_entity_id, None))
    if json_output:
        print_json([dict(zip(_COLUMNS, row, strict=True)) for row in rows])
    else:
        print_table(_COLUMNS, rows)
    return ExitCode.CREDENTIALS_OR_SETTINGS if any(row[-1] for row in rows) else ExitCode.OK


def show_workspace() -> int:
    """Prints a `workspace.yaml` for `dagster dev -w`; every name in it is one of the file of profiles."""
    settings = load_settings()
    file = profiles_of(settings)
    names = (settings.profile,) if file is None else tuple(file.tables)
    lines = ["load_from:"]
    for name in names:
        lines += [
            "  - python_module:",
            f"      module_name: {_MODULE}",
            f"      attribute: {name.replace('-', '_')}",
            f"      location_name: {name}",
        ]
    sys.stdout.write("\n".join(lines) + "\n")
    if file is None:
        err().print("There is no file of profiles; docs/profiles.md says how to write one.", markup=False)
    return ExitCode.OK

"""`jiko expected load` and `jiko reference load`: what the customer and Treasury know beside the bank.

Belongs here: arguments, what is printed, the exit code. Does not belong here: the work (`pipeline.lists`).
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from jiko_pipeline.cli.terminal import out, print_json
from jiko_pipeline.errors import ExitCode

expected = typer.Typer(help="The customer's own lists, such as expected payments.", no_args_is_help=True)
reference = typer.Typer(help="Treasury's own data: auctions, end-of-day prices.", no_args_is_help=True)

_FILE = typer.Argument(exists=True, dir_okay=False, help="A CSV file.", metavar="FILE")
_JSON = typer.Option("--json", help="Print JSON.")


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise typer.BadParameter(f"'{value}' is no day written as YYYY-MM-DD.") from None


@expected.callback()
def _expected() -> None:
    """The customer's own lists: expected payments, allowed debits."""


@reference.callback()
def _reference() -> None:
    """Treasury's own data: auctions, end-of-day prices."""


@expected.command("load")
def load_expected(file: Annotated[Path, _FILE], json_output: Annotated[bool, _JSON] = False) -> None:
    """Load expected payments, or the companies that may debit; the file stands for the whole list."""
    from jiko_pipeline.formats.supplied_lists import CUSTOMER_LISTS

    raise typer.Exit(run_load(file, CUSTOMER_LISTS, None, json_output))


@reference.command("load")
def load_reference(
    file: Annotated[Path, _FILE],
    day: Annotated[
        date | None,
        typer.Option("--date", parser=_day, metavar="YYYY-MM-DD", help="Day of a price file, which does not state it."),
    ] = None,
    json_output: Annotated[bool, _JSON] = False,
) -> None:
    """Load Treasury's auctions, or a day's FedInvest prices."""
    from jiko_pipeline.formats.supplied_lists import TREASURY_LISTS

    raise typer.Exit(run_load(file, TREASURY_LISTS, day, json_output))


def run_load(file: Path, kinds: Sequence[str], day: date | None, json_output: bool) -> int:
    """Loads, prints what was taken and what was not; 30 when a row was kept aside or names an unknown pocket."""
    from jiko_pipeline.pipeline.lists import load_list
    from jiko_pipeline.settings import load_settings

    loaded = load_list(load_settings(), file, kinds, price_date=day)
    kept_aside = loaded.rejected
    exit_code = ExitCode.NOT_PROVED if kept_aside or loaded.unknown_pockets else ExitCode.OK
    if json_output:
        print_json(
            {
                "kind": loaded.kind,
                "sha256": loaded.sha256,
                "rows": loaded.rows,
                "rejected": [
                    {"where": row.locator, "code": row.code, "message": row.message} for row in loaded.rejected
                ],
                "notes": list(loaded.notes),
                "is_new_version": loaded.is_new_version,
                "unknown_pockets": list(loaded.unknown_pockets),
            }
        )
        return exit_code
    what = loaded.kind.lower().replace("_", " ")
    version = "a new version" if loaded.is_new_version else "the same content as before, no new version"
    out().print(f"{loaded.rows} rows of {what}, {len(kept_aside)} kept aside; {version}.", markup=False)
    for row in kept_aside:
        out().print(row.message, markup=False)
    for note in loaded.notes:
        out().print(note, markup=False)
    for name in loaded.unknown_pockets:
        out().print(f"The bank lists no pocket '{name}': nothing is compared with its rows.", markup=False)
    out().print("Controls use it from the next run on.", markup=False)
    return exit_code

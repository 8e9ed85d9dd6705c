"""`jiko documents fetch` and `jiko confirmations check`: paper that is asked for, not landed daily.

Belongs here: arguments, what is printed, the exit code. Does not belong here: the work (`pipeline.statement_files`,
`pipeline.confirmations`).
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

import typer

from jiko_pipeline.cli.terminal import out, print_json
from jiko_pipeline.errors import ExitCode

_PERIOD = "YYYY or YYYY-MM"

documents = typer.Typer(help="Monthly statements and tax documents as files.", no_args_is_help=True)
confirmations = typer.Typer(help="Trade confirmations.", no_args_is_help=True)


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise typer.BadParameter(f"'{value}' is no day written as YYYY-MM-DD.") from None


def _period(value: str) -> str:
    year, separator, month = value.partition("-")
    right = len(year) == 4 and year.isdecimal() and (not separator or (len(month) == 2 and month.isdecimal()))
    if not value.isascii() or not right or (separator and not 1 <= int(month) <= 12):
        raise typer.BadParameter(f"'{value}' is no period written as {_PERIOD}.")
    return value


@documents.callback()
def _documents() -> None:
    """Monthly statements and tax documents as files."""


@confirmations.callback()
def _confirmations() -> None:
    """Trade confirmations."""


@documents.command("fetch")
def fetch(
    year: Annotated[int | None, typer.Option(min=2000, max=2999, help="A year, its months included.")] = None,
    period: Annotated[str | None, typer.Option(parser=_period, metavar=_PERIOD, help="A month or a year.")] = None,
    types: Annotated[
        list[str] | None, typer.Option("--type", metavar="TYPE", help="BANK, BROKERAGE, 1099INT, 1099B; repeatable.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Archive the files of monthly statements and tax documents, each once, never with its link."""
    if year is not None and period is not None:
        raise typer.BadParameter("--year and --period exclude each other.")
    wanted = period if year is None else f"{year:04d}"
    raise typer.Exit(run_fetch_documents(wanted, types, json_output))


@confirmations.command("check")
def check(
    first: Annotated[date, typer.Option("--from", parser=_day, metavar="YYYY-MM-DD", help="First trade date.")],
    last: Annotated[date, typer.Option("--to", parser=_day, metavar="YYYY-MM-DD", help="Last trade date.")],
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare each purchase and sale with its confirmation; keeps hash and result."""
    if last < first:
        raise typer.BadParameter("--to lies before --from.")
    raise typer.Exit(run_check_confirmations(first, last, json_output))


def run_fetch_documents(period: str | None, types: Sequence[str] | None, json_output: bool) -> int:
    """Archives the files, prints a line each."""
    from jiko_pipeline.pipeline.statement_files import fetch_statement_files
    from jiko_pipeline.settings import load_settings

    files = fetch_statement_files(load_settings(), period, types)
    if json_output:
        print_json(
            [
                {
                    "statement_id": file.statement_id,
                    "pocket_id": file.pocket_id,
                    "type": file.statement_type,
                    "period": file.period,
                    "sha256": file.sha256,
                    "byte_length": file.byte_length,
                    "is_new": file.is_new,
                }
                for file in files
            ]
        )
        return ExitCode.OK
    for file in files:
        what = "archived" if file.is_new else "in the archive"
        out().print(
            f"{file.period:<7} {file.statement_type:<9} pocket {file.pocket_id[:8]} {file.sha256[:12]} {what}",
            markup=False,
        )
    out().print(f"{len(files)} documents, {sum(file.is_new for file in files)} of them new.", markup=False)
    return ExitCode.OK


def run_check_confirmations(first: date, last: date, json_output: bool) -> int:
    """Compares, prints what does not agree; answers 30 when a confirmation differs, is missing or not readable."""
    from jiko_pipeline.pipeline.confirmations import AGREES, check_confirmations, outcomes
    from jiko_pipeline.settings import load_settings

    checks = check_confirmations(load_settings(), first, last)
    wrong = [check for check in checks if check.outcome != AGREES]
    if json_output:
        print_json(
            [
                {
                    "trade_id": check.trade_id,
                    "pocket_id": check.pocket_id,
                    "trade_date": check.trade_date,
                    "outcome": check.outcome,
                    "fields": list(check.fields),
                    "confirmation_sha256": check.sha256,
                }
                for check in checks
            ]
        )
    else:
        for check in wrong:
            fields = f": {', '.join(check.fields)}" if check.fields else ""
            out().print(f"{check.trade_date} trade {check.trade_id} {check.outcome}{fields}", markup=False)
        told = ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes(checks).items()))
        out().print(f"{len(checks)} trades with a confirmation to compare{': ' + told if told else ''}.", markup=False)
    return ExitCode.NOT_PROVED if wrong else ExitCode.OK

"""`jiko signoff`: preparing, reviewing and reopening a day or a month, and the list of what is signed.

Belongs here: options and printing. Does not belong here: the steps (`reconciliation.signoff`).
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jiko_pipeline.errors import ExitCode

if TYPE_CHECKING:
    from jiko_pipeline.reconciliation.signoff import Period, Signoff, SignoffDesk
    from jiko_pipeline.settings import Settings

signoff = typer.Typer(invoke_without_command=True, no_args_is_help=False)


def _day(value: str) -> date:
    try:
        return datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 - a day as written, in no zone
    except ValueError:
        raise typer.BadParameter(f"'{value}' is no day written as YYYY-MM-DD.") from None


Day = Annotated[date | None, typer.Option("--date", parser=_day, metavar="YYYY-MM-DD", help="One business day.")]
Month = Annotated[str | None, typer.Option("--period", metavar="YYYY-MM", help="One calendar month.")]
Pocket = Annotated[
    str | None, typer.Option("--pocket", metavar="ID", help="Only this pocket; default: the whole legal entity.")
]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who does it; default: the setting JIKO_PERSON.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@signoff.callback()
def show_signed(context: typer.Context, json_output: JsonOption = False) -> None:
    """What is signed off, by whom, and what has changed since. Commands below take a step."""
    if context.invoked_subcommand is not None:
        return
    from jiko_pipeline.cli.terminal import out, print_json, print_table, records
    from jiko_pipeline.settings import load_settings
    from jiko_pipeline.warehouse.publish import published

    settings = load_settings()
    with published(settings) as con:
        result = con.execute(
            "select signoff_seq, scope, pocket_id, first_date, last_date, status, preparer, reviewer, identity,"
            " signed_at_utc, run_id, result_hash, superseded_by, reopened_because"
            " from recon.signed_period where customer_id = ? order by signoff_seq",
            [settings.profile],
        )
        columns = [column[0] for column in result.description or []]
        rows = result.fetchall()
    if json_output:
        print_json(records(columns, rows))
    elif not rows:
        out().print("Nothing is signed off.", markup=False)
    else:
        print_table(columns, rows)


@signoff.command()
def prepare(
    day: Day = None,
    month: Month = None,
    pocket: Pocket = None,
    by: By = None,
    as_landed: Annotated[
        bool, typer.Option("--as-landed", help="For a month: do not ask the bank for all of it again first.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Present a day or a month for review; refused while it cannot be signed off."""
    from jiko_pipeline.pipeline.signing_off import order_month_again

    settings, period, name = _asked(day, month, pocket, by)
    if period.kind == "MONTH" and not as_landed:
        order_month_again(settings, period)
    _take(settings, json_output, lambda desk: desk.prepare(period, preparer=name, now=datetime.now(UTC)))


@signoff.command()
def review(
    day: Day = None,
    month: Month = None,
    pocket: Pocket = None,
    by: By = None,
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="SSH key that signs the result hash here.")
    ] = None,
    signature: Annotated[
        Path | None, typer.Option("--signature", metavar="FILE", help="A signature of the result hash made elsewhere.")
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Sign a prepared day or month; by another person than the preparer."""
    settings, period, name = _asked(day, month, pocket, by)
    if key is not None and signature is not None:
        raise typer.BadParameter("--key and --signature do not go together.")

    def step(desk: "SignoffDesk") -> "Signoff":
        from jiko_pipeline.reconciliation.signatures import sign

        made = signature.read_text(encoding="utf-8") if signature is not None else None
        if key is not None:
            made = sign(desk.prepared_hash(period), key)
        return desk.review(
            period,
            reviewer=name,
            now=datetime.now(UTC),
            signature=made,
            allowed_signers=settings.allowed_signers,
        )

    _take(settings, json_output, step)


@signoff.command()
def reopen(
    reason: Annotated[str, typer.Option("--reason", help="Why, as a sentence; it stays beside the sign-off for ever.")],
    day: Day = None,
    month: Month = None,
    pocket: Pocket = None,
    by: By = None,
    json_output: JsonOption = False,
) -> None:
    """Reopen what is signed off, for a reason."""
    settings, period, name = _asked(day, month, pocket, by)
    _take(settings, json_output, lambda desk: desk.reopen(period, actor=name, reason=reason, now=datetime.now(UTC)))


def _asked(day: date | None, month: str | None, pocket: str | None, by: str | None) -> "tuple[Settings, Period, str]":
    from jiko_pipeline.reconciliation.signoff import Period
    from jiko_pipeline.settings import load_settings

    settings = load_settings()
    name = by or settings.person
    if not name:
        raise typer.BadParameter("Say who does it by --by, or set JIKO_PERSON.")
    if (day is None) == (month is None):
        raise typer.BadParameter("Give either --date or --period.")
    if day is not None:
        return settings, Period.of_day(day, pocket or ""), name
    written = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", month or "")
    if written is None:
        raise typer.BadParameter(f"'{month}' is no month written as YYYY-MM.")
    return settings, Period.of_month(int(written[1]), int(written[2]), pocket or ""), name


def _take(settings: "Settings", json_output: bool, step: "Callable[[SignoffDesk], Signoff]") -> None:
    from dataclasses import asdict

    from jiko_pipeline.cli.terminal import out, print_json
    from jiko_pipeline.pipeline.signing_off import take_step

    taken = take_step(settings, step)
    if json_output:
        print_json(asdict(taken))
    else:
        words = {"PREPARED": "prepared by", "SIGNED": "signed off by", "REOPENED": "reopened by"}[taken.status]
        days = str(taken.first_date) if taken.period == "DAY" else f"{taken.first_date:%Y-%m}"
        whose = f" of the pocket {taken.pocket_id}" if taken.pocket_id else ""
        out().print(f"{days}{whose}: {words} {taken.actor} (step {taken.signoff_seq}).", markup=False)
        out().print(f"result hash: {taken.result_hash}", markup=False)
        if taken.status == "SIGNED":
            out().print(f"identity:    {taken.identity}", markup=False)
    raise typer.Exit(ExitCode.OK)

"""`jiko breaks` and `jiko explain`: the breaks as a list and one in full, and what people decide about them.

Belongs here: options and printing. Does not belong here: the rules of a decision (`reconciliation.decisions`) and
gathering what is known of a break (`reconciliation.explaining`).
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Final

import typer

from jiko_pipeline.errors import ExitCode

if TYPE_CHECKING:
    from jiko_pipeline.reconciliation.decisions import Decider, Decision

breaks = typer.Typer(invoke_without_command=True, no_args_is_help=False)

_SHOWN: Final = (
    "business_date",
    "pocket_name",
    "control_id",
    "code",
    "sub_code",
    "severity",
    "left_value",
    "right_value",
    "difference",
    "age_business_days",
    "cause",
    "break_id",
)
_SHOWN_WHERE_SAID: Final = ("owner", "clear_by", "accepted_until", "acceptance_asked_by")
_STATUSES: Final = {
    "open": ("OPEN",),
    "accepted": ("ACCEPTED",),
    "resolved": ("RESOLVED",),
    "cleared": ("CLEARED_AUTO",),
    "all": None,
}


def _day(value: str) -> date:
    try:
        return datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 - a day as written, in no zone
    except ValueError:
        raise typer.BadParameter(f"'{value}' is no day written as YYYY-MM-DD.") from None


BreakId = Annotated[str, typer.Argument(metavar="BREAK_ID", help="The break's id, or at least its first 8 characters.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, as a sentence; it stays beside the break for ever.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who decides; default: the setting JIKO_PERSON.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@breaks.callback()
def show_breaks(
    context: typer.Context,
    status: Annotated[str, typer.Option(help="open, accepted, resolved, cleared or all.")] = "open",
    pocket: Annotated[str | None, typer.Option(help="Only this pocket, by id or name.")] = None,
    control: Annotated[str | None, typer.Option(help="Only this control, such as K21.")] = None,
    code: Annotated[str | None, typer.Option(help="Only this code.")] = None,
    severity: Annotated[str | None, typer.Option(help="Only S1, S2 or S3, as escalated by age.")] = None,
    break_class: Annotated[str | None, typer.Option("--class", help="Only this class, such as TIMING.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only what was given to this person.")] = None,
    first: Annotated[
        date | None, typer.Option("--from", parser=_day, metavar="YYYY-MM-DD", help="First business date.")
    ] = None,
    last: Annotated[
        date | None, typer.Option("--to", parser=_day, metavar="YYYY-MM-DD", help="Last business date.")
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """The open breaks: what differs, by how much, since when. Commands below decide about one."""
    if context.invoked_subcommand is not None:
        return
    from jiko_pipeline.cli.reading_commands import reading_settings
    from jiko_pipeline.cli.terminal import label, out, print_json, print_table, records
    from jiko_pipeline.reconciliation.breaks import BreakFilter, find_breaks
    from jiko_pipeline.warehouse.publish import published

    if status not in _STATUSES:
        raise typer.BadParameter(f"'{status}' is none of {', '.join(_STATUSES)}.", param_hint="--status")
    settings = reading_settings()
    wanted = BreakFilter(
        customer_id=settings.profile,
        statuses=_STATUSES[status],
        pocket=pocket,
        control_id=None if control is None else control.upper(),
        code=None if code is None else code.upper(),
        severity=None if severity is None else severity.upper(),
        break_class=None if break_class is None else break_class.upper(),
        owner=owner,
        first=first,
        last=last,
    )
    with published(settings) as con:
        frame = find_breaks(con, wanted)
    rows = frame.rows()
    if json_output:
        print_json(records(frame.columns, rows))
    elif not rows:
        out().print("No open breaks." if status == "open" else "No such breaks.", markup=False)
    else:
        said = [name for name in _SHOWN_WHERE_SAID if any(frame[name].cast(str).fill_null("") != "")]
        shown = [*_SHOWN[:-2], *(["status"] if status == "all" else []), *said, *_SHOWN[-2:]]
        named = frame.select(shown).rows(named=True)
        print_table(
            shown,
            [
                [label(row[name]) if name == "pocket_name" and row[name] else row[name] for name in shown]
                for row in named
            ],
            right=("left_value", "right_value", "difference", "age_business_days"),
        )
        immaterial = frame["is_immaterial"].sum()
        if immaterial:
            out().print(f"{immaterial} of them are immaterial; they count like the others.", markup=False)
    open_ones = frame.filter(frame["status"] == "OPEN").height
    raise typer.Exit(ExitCode.BREAKS_OPEN if open_ones else ExitCode.OK)


@breaks.command()
def accept(
    break_id: BreakId,
    reason: Reason,
    until: Annotated[
        date | None,
        typer.Option(
            "--until",
            parser=_day,
            metavar="YYYY-MM-DD",
            help="Last day of the acceptance, at most 30 days from now; the second person of an S1 may leave it out.",
        ),
    ] = None,
    by: By = None,
    json_output: JsonOption = False,
) -> None:
    """Accept a break until a day, for a reason. An S1 needs a second person, who runs the same command."""
    _decide(by, json_output, lambda decider: decider.accept(break_id, reason=reason, until=until))


@breaks.command()
def resolve(break_id: BreakId, reason: Reason, by: By = None, json_output: JsonOption = False) -> None:
    """Say that a break is dealt with, and how."""
    _decide(by, json_output, lambda decider: decider.resolve(break_id, reason=reason))


@breaks.command()
def reopen(break_id: BreakId, reason: Reason, by: By = None, json_output: JsonOption = False) -> None:
    """Take back an acceptance or a resolution."""
    _decide(by, json_output, lambda decider: decider.reopen(break_id, reason=reason))


@breaks.command()
def assign(
    break_id: BreakId,
    to: Annotated[str, typer.Option("--to", metavar="NAME", help="Who looks after the case from now on.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, as a sentence.")] = "",
    by: By = None,
    json_output: JsonOption = False,
) -> None:
    """Give the case of a break to a person."""
    _decide(by, json_output, lambda decider: decider.assign(break_id, to=to, reason=reason))


@breaks.command()
def note(break_id: BreakId, reason: Reason, by: By = None, json_output: JsonOption = False) -> None:
    """Write a sentence beside a break."""
    _decide(by, json_output, lambda decider: decider.note(break_id, reason=reason))


@breaks.command()
def limits(
    effective_from: Annotated[
        date | None,
        typer.Option("--from", parser=_day, metavar="YYYY-MM-DD", help="First business date that new limits hold for."),
    ] = None,
    amount: Annotated[str | None, typer.Option("--amount", help="Limit in US dollars, such as 1.00.")] = None,
    basis_points: Annotated[
        str | None, typer.Option("--basis-points", help="Limit in basis points of the closing value, such as 0.01.")
    ] = None,
    by: By = None,
    json_output: JsonOption = False,
) -> None:
    """Below which amount a break counts as immaterial; with all three options a new limit is set."""
    from jiko_pipeline.cli.reading_commands import reading_settings
    from jiko_pipeline.cli.terminal import print_json, print_table, records
    from jiko_pipeline.pipeline.deciding import set_materiality
    from jiko_pipeline.reconciliation.materiality import DEFAULT_LIMITS, Limits, limits_set
    from jiko_pipeline.warehouse.publish import published

    settings = reading_settings()
    given = (effective_from, amount, basis_points)
    if effective_from is not None and amount is not None and basis_points is not None:
        chosen = Limits(_amount(amount, "--amount"), _amount(basis_points, "--basis-points"))
        set_materiality(settings, by, chosen, effective_from)
    elif any(option is not None for option in given):
        raise typer.BadParameter("New limits need --from, --amount and --basis-points.")
    columns = ("effective_from", "amount", "basis_points", "set_by", "set_at_utc")
    with published(settings) as con:
        standing = limits_set(con, settings.profile)
    rows = [
        (None, DEFAULT_LIMITS.abs_floor, DEFAULT_LIMITS.basis_points, "by default", None),
        *((s.effective_from, s.limits.abs_floor, s.limits.basis_points, s.set_by, s.set_at_utc) for s in standing),
    ]
    if json_output:
        print_json(records(columns, rows))
    else:
        print_table(columns, rows)


def _amount(text: str, option: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite():
        raise typer.BadParameter(f"'{text}' is no amount.", param_hint=option)
    return amount


def _decide(by: str | None, json_output: bool, act: "Callable[[Decider], Decision]") -> None:
    from jiko_pipeline.cli.reading_commands import reading_settings
    from jiko_pipeline.cli.terminal import out, print_json
    from jiko_pipeline.pipeline.deciding import decide

    decision = decide(reading_settings(), by, act)
    if json_output:
        print_json({"event": decision.event, "break": asdict(decision.found), "sentence": decision.sentence})
    else:
        out().print(decision.sentence, markup=False)


def explain(break_id: BreakId, json_output: JsonOption = False) -> None:
    """One break in full, with both sides and the next step. Also where they come from, its age, what it blocks."""
    from jiko_pipeline.cli.explanation import as_json, print_explanation
    from jiko_pipeline.cli.reading_commands import reading_settings
    from jiko_pipeline.cli.terminal import print_json
    from jiko_pipeline.reconciliation.explaining import explain as told_in_full
    from jiko_pipeline.reconciliation.registry import Registry
    from jiko_pipeline.warehouse.publish import published

    settings = reading_settings()
    with published(settings) as con:
        told = told_in_full(con, Registry.load(), settings.profile, break_id)
    if json_output:
        print_json(as_json(told))
    else:
        print_explanation(told)

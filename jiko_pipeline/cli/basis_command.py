"""`jiko basis` and `jiko baseline`: how the bank books, and what was there at the start, as people confirm them.

Belongs here: options and printing. Does not belong here: the work (`pipeline.basing`) and its rules.
"""

from dataclasses import asdict, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final

import typer

basis = typer.Typer(invoke_without_command=True, no_args_is_help=False)
baseline = typer.Typer(help="The take-on: what pockets held on the first day.", no_args_is_help=True)

_DATES: Final = ("TRADE", "BOOK", "SETTLE")
_MOST_SHOWN: Final = 20


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise typer.BadParameter(f"'{value}' is no day written as YYYY-MM-DD.") from None


def _one_of(value: str | None, allowed: tuple[str, ...], option: str) -> str | None:
    if value is None or value.upper() in allowed:
        return None if value is None else value.upper()
    raise typer.BadParameter(f"'{value}' is none of {', '.join(allowed)}.", param_hint=option)


By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who confirms; default: the setting JIKO_PERSON.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@basis.callback()
def show_basis(context: typer.Context, json_output: JsonOption = False) -> None:
    """How the bank books: confirmed, and by its history. Lists every possible way with the days that agree."""
    if context.invoked_subcommand is not None:
        return
    from jiko_pipeline.cli.reading_commands import reading_settings
    from jiko_pipeline.cli.terminal import out, print_json, print_table
    from jiko_pipeline.pipeline.basing import known_of_basis
    from jiko_pipeline.reconciliation.basis import Basis

    confirmed, learned = known_of_basis(reading_settings())
    if json_output:
        print_json(
            {
                "confirmed": [
                    {"effective_from": day, **asdict(one), "confirmed_by": person} for day, one, person in confirmed
                ],
                "first_date": learned.first,
                "last_date": learned.last,
                "undetermined": learned.undetermined,
                "undecided": [{**asdict(one), "sentence": one.sentence} for one in learned.undecided],
                "pockets_apart": learned.apart,
                "candidates": [
                    {
                        **asdict(one.basis),
                        "days_tested": one.days_tested,
                        "days_agreeing": one.days_agreeing,
                        "days_telling": one.days_telling,
                        "verdict": one.verdict.value,
                    }
                    for one in learned.candidates
                ],
            }
        )
        return
    names = [field.name for field in fields(Basis)]
    if confirmed:
        rows: list[list[Any]] = [[day, *_cells(one), person] for day, one, person in confirmed]
        print_table(["from", *names, "confirmed by"], rows)
    else:
        out().print("Nobody has confirmed how the bank books; no day can be booked.", markup=False)
    if learned.first is None:
        out().print("There is no history to learn from.", markup=False)
        return
    out().print(f"\nThe history from {learned.first} to {learned.last}, in days of pockets:", markup=False)
    shown = learned.candidates[:_MOST_SHOWN]
    print_table(
        [*names, "tested", "agree", "tell", "verdict"],
        [
            [*_cells(one.basis), one.days_tested, one.days_agreeing, one.days_telling, one.verdict.value]
            for one in shown
        ],
        right=("tested", "agree", "tell"),
    )
    if len(shown) < len(learned.candidates):
        out().print(f"and {len(learned.candidates) - len(shown)} that agree on fewer days (--json).", markup=False)
    out().print(_conclusion(learned), markup=False)


def _cells(one: Any) -> list[str]:
    return [f"{value.normalize():f}" if isinstance(value, Decimal) else str(value) for value in asdict(one).values()]


def _conclusion(learned: Any) -> str:
    if learned.apart:
        return f"Pockets that book otherwise than the others: {', '.join(learned.apart)}; no basis fits all."
    if learned.chosen is not None:
        return "The history leaves one basis: `jiko basis confirm --best`."
    if learned.surviving:
        why = "".join(f"\n  {one.sentence}" for one in learned.undecided)
        return (
            f"The history leaves {len(learned.surviving)} bases. It does not decide: {', '.join(learned.undetermined)}."
            f"{why}"
        )
    return "The history is explained by no basis that we know."


@basis.command("confirm")
def confirm_basis_command(
    best: Annotated[bool, typer.Option("--best", help="What the history alone decides.")] = False,
    position: Annotated[str | None, typer.Option(help="Positions count from TRADE, BOOK or SETTLE date.")] = None,
    cash: Annotated[str | None, typer.Option(help="Cash counts from TRADE, BOOK or SETTLE date.")] = None,
    close: Annotated[str | None, typer.Option(help="The close holds MV, MV+CASH or MV+CASH+PEND.")] = None,
    gain: Annotated[str | None, typer.Option(help="The gain is ECONOMIC or PLUG.")] = None,
    unit: Annotated[str | None, typer.Option(help="Money = quantity x price x this: 1, 0.01 or 10.")] = None,
    fees: Annotated[str | None, typer.Option(help="Fees are charged at the BROKERAGE or through the BANK.")] = None,
    mark: Annotated[str | None, typer.Option(help="A mark settles the same day (T0) or the next (T1).")] = None,
    effective_from: Annotated[
        date | None, typer.Option("--from", parser=_day, metavar="YYYY-MM-DD", help="First day; default: all days.")
    ] = None,
    by: By = None,
    json_output: JsonOption = False,
) -> None:
    """Confirm how the bank books, in your name: elements left out are those that the history decides."""
    from jiko_pipeline.cli.reading_commands import reading_settings
    from jiko_pipeline.cli.terminal import out, print_json
    from jiko_pipeline.pipeline.basing import confirm

    factor = None
    if unit is not None:
        try:
            factor = Decimal(unit)
        except InvalidOperation:
            raise typer.BadParameter(f"'{unit}' is no number.", param_hint="--unit") from None
    wanted = {
        "pos_basis": _one_of(position, _DATES, "--position"),
        "cash_basis": _one_of(cash, _DATES, "--cash"),
        "close_basis": _one_of(close, ("MV", "MV+CASH", "MV+CASH+PEND"), "--close"),
        "gain_basis": _one_of(gain, ("ECONOMIC", "PLUG"), "--gain"),
        "quantity_factor": factor,
        "fee_path": _one_of(fees, ("BROKERAGE", "BANK"), "--fees"),
        "mark_settlement": _one_of(mark, ("T0", "T1"), "--mark"),
    }
    chosen = {name: value for name, value in wanted.items() if value is not None}
    if not best and not chosen:
        raise typer.BadParameter("Say --best, or choose elements.")
    confirmed, start = confirm(reading_settings(), chosen=chosen, best=best, effective_from=effective_from, by=by)
    if json_output:
        print_json({"effective_from": start, **asdict(confirmed)})
    else:
        out().print(f"Confirmed from {start} on: {', '.join(_cells(confirmed))}.", markup=False)
        out().print("The next run of each day judges it by this basis (`jiko sync --from --to`).", markup=False)


@baseline.callback()
def _baseline() -> None:
    """The take-on: what pockets held on the first day of the data."""


@baseline.command("set")
def set_baseline_command(
    day: Annotated[date, typer.Option("--date", parser=_day, metavar="YYYY-MM-DD", help="Day of the take-on.")],
    by: By = None,
    json_output: JsonOption = False,
) -> None:
    """Take on what the pockets held at the end of a day; a second person confirms by the same command."""
    from jiko_pipeline.cli.reading_commands import reading_settings
    from jiko_pipeline.cli.terminal import out, print_json, print_table
    from jiko_pipeline.pipeline.basing import take_on

    steps = take_on(reading_settings(), day, by)
    if json_output:
        print_json([asdict(step) for step in steps])
        return
    print_table(
        ["pocket", "date", "bills", "face", "cash", "status"],
        [
            [step.pocket_id, step.business_date, step.bills, step.face_amount, step.cash_balance, step.status]
            for step in steps
        ],
        right=("bills", "face", "cash"),
    )
    if any(step.status == "PROPOSED" for step in steps):
        out().print("A second person confirms by the same command under their own name.", markup=False)

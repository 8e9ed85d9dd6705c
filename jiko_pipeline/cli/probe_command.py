"""`jiko probe`: where the bank differs from the contract, a line each."""

from dataclasses import asdict

import typer

from jiko_pipeline.cli.terminal import err, print_json, print_table
from jiko_pipeline.errors import ExitCode
from jiko_pipeline.settings import load_settings


def run_probe(json_output: bool) -> int:
    """Prints the differences; answers 30 when there are any."""
    from jiko_pipeline.bank.connection import connect
    from jiko_pipeline.pipeline.probe.walk import probe
    from jiko_pipeline.warehouse.world import refuse_other_environment

    settings = load_settings()
    refuse_other_environment(settings.data_dir, settings.environment.value)
    console = err()
    with connect(settings) as bank:
        report = probe(bank, lambda name: console.print(f"asking {name}", markup=False))
    exit_code = ExitCode.NOT_PROVED if report.differences else ExitCode.OK
    if json_output:
        print_json({**asdict(report), "exit_code": int(exit_code)})
        return exit_code
    for operation, why in report.not_asked.items():
        console.print(f"not asked: {operation} ({why})", markup=False)
    conclusion = (
        f"{sum(report.answers.values())} answers to {len(report.answers)} operations, "
        f"{len(report.differences) or 'no'} differences from the contract."
    )
    if not report.differences:
        typer.echo(conclusion)
    else:
        console.print(conclusion, markup=False)
        rows = [(found.operation, found.place, f"{found.kind.value}: {found.what}") for found in report.differences]
        print_table(("operation", "place", "what"), rows)
    return exit_code

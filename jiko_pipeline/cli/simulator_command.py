"""`jiko simulator serve`: run the simulated Jiko in this process.

Belongs here: options and refusals of the command. Does not belong here: the simulator, which is imported only
when it is to run, so that no other command pays for it or depends on it.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

simulator = typer.Typer(name="simulator", help="The simulated Jiko.", no_args_is_help=True)


@simulator.callback()
def _simulator() -> None:
    """The simulated Jiko: a bank of our own on loopback."""


@simulator.command()
def serve(
    state_dir: Annotated[Path, typer.Option(help="Where the bank keeps its state.")] = Path("data/simulator"),
    port: Annotated[int, typer.Option(help="Port of the API; 0 takes a free one.")] = 0,
    storage_port: Annotated[int, typer.Option(help="Port of the download links; 0 takes a free one.")] = 0,
    seed: Annotated[int, typer.Option(help="Another seed is another bank.")] = 7,
    pockets: Annotated[int, typer.Option(min=1, max=1000, help="How many pockets the customer has.")] = 4,
    start: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", show_default="2024-06-03", help="First day of the data."
        ),
    ] = datetime(2024, 6, 3, tzinfo=UTC),
    camt_version: Annotated[str, typer.Option(help="camt.053 version of statements: 02 or 08.")] = "08",
    fault: Annotated[str | None, typer.Option(help="Plant this fault in the data.")] = None,
    limits: Annotated[str, typer.Option(help="Rate limits: off, documented or tight.")] = "off",
    client: Annotated[
        list[str] | None, typer.Option(help="A client and its key: CLIENT_ID=PUBLIC_KEY_PEM. Repeatable.")
    ] = None,
    chaos: Annotated[
        str, typer.Option(help="Faults on the way to the client: none, flaky, drift, hostile, slow or storm.")
    ] = "none",
    chaos_seed: Annotated[int, typer.Option(help="Another seed is another course of faults.")] = 0,
    contract_change: Annotated[
        list[str] | None, typer.Option(help="Answer otherwise than the contract says, in this one way. Repeatable.")
    ] = None,
    idle_exit_seconds: Annotated[
        float | None, typer.Option(min=0, help="End after this long without a request.")
    ] = None,
    now: Annotated[str | None, typer.Option(help="Start the bank's clock here (ISO 8601; UTC without a zone).")] = None,
) -> None:
    """Serve the simulated Jiko on loopback until it is stopped."""
    from jiko_pipeline.simulator.chaos.profiles import PROFILES
    from jiko_pipeline.simulator.model import WorldConfig
    from jiko_pipeline.simulator.serve import ServeOptions, ServeRefusedError, serve
    from jiko_pipeline.simulator.server.limits import LimitProfile

    if camt_version not in ("02", "08"):
        raise typer.BadParameter("camt.053 is written in version 02 or 08.", param_hint="--camt-version")
    if limits not in tuple(LimitProfile):
        raise typer.BadParameter("must be off, documented or tight.", param_hint="--limits")
    if chaos not in PROFILES:
        raise typer.BadParameter(f"must be {' or '.join(PROFILES)}.", param_hint="--chaos")
    config = WorldConfig(seed=seed, pockets=pockets, start=start.date(), camt_version=camt_version, fault=fault)
    try:
        serve(
            ServeOptions(
                state_dir=state_dir,
                config=config,
                port=port,
                storage_port=storage_port,
                limits=LimitProfile(limits),
                clients=tuple(_client(value) for value in client or ()),
                idle_exit_seconds=idle_exit_seconds,
                now=None if now is None else _instant(now),
                chaos=chaos,
                chaos_seed=chaos_seed,
                contract_changes=tuple(contract_change or ()),
            )
        )
    except ServeRefusedError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(int(error.exit_code)) from None


def _client(value: str) -> tuple[str, Path]:
    client_id, separator, file = value.partition("=")
    if not client_id or not separator or not file:
        raise typer.BadParameter("must be CLIENT_ID=PUBLIC_KEY_PEM.", param_hint="--client")
    return client_id, Path(file)


def _instant(value: str) -> datetime:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise typer.BadParameter("must be a time in ISO 8601.", param_hint="--now") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def fault_names() -> tuple[str, ...]:
    """The faults that the simulated bank can plant, by name."""
    from jiko_pipeline.simulator import faults

    return tuple(faults.names())

"""`jiko`: the commands and how an error becomes three lines and an exit code.

Belongs here: the list of commands and their options. Does not belong here: what they do; each imports its room
inside the function, so that `jiko --help` costs nothing.
"""

import os
import signal
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from jiko_pipeline.cli.basis_command import baseline, basis
from jiko_pipeline.cli.breaks_command import breaks, explain
from jiko_pipeline.cli.lists_command import expected, reference
from jiko_pipeline.cli.paper_command import confirmations, documents
from jiko_pipeline.cli.reperform_command import reperform
from jiko_pipeline.cli.selftest_command import selftest
from jiko_pipeline.cli.signoff_command import signoff
from jiko_pipeline.cli.simulator_command import simulator
from jiko_pipeline.cli.webhooks_command import webhooks
from jiko_pipeline.errors import ExitCode, JikoPipelineError, StorageError

app = typer.Typer(
    name="jiko",
    help="Treasury reconciliation over the Jiko Customer API.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog=(
        "The exit code is the answer: 0 fine, 10 breaks open, 20 try again later, 30 quarantined, refused or not "
        "proved, 40 credentials or settings, 50 storage, 60 already running, 2 usage, 1 a defect of ours. "
        "With --debug an error shows its traceback."
    ),
)
app.add_typer(breaks, name="breaks")
app.add_typer(basis, name="basis")
app.add_typer(baseline, name="baseline", help="The take-on: what pockets held on the first day.")
app.command()(explain)
app.add_typer(simulator, name="simulator", help="The simulated Jiko.")
app.add_typer(documents, name="documents", help="Monthly statements and tax documents as files.")
app.add_typer(confirmations, name="confirmations", help="Trade confirmations.")
app.add_typer(expected, name="expected", help="The customer's own lists, such as expected payments.")
app.add_typer(reference, name="reference", help="Treasury's own data: auctions, end-of-day prices.")
app.command("reperform")(reperform)
app.add_typer(signoff, name="signoff")
app.command("selftest")(selftest)
app.add_typer(webhooks, name="webhooks", help="The receiver of the bank's webhooks.")

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_DATE = "YYYY-MM-DD"


def _day(value: str) -> date:
    try:
        return datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 - a day as written, in no zone
    except ValueError:
        raise typer.BadParameter(f"'{value}' is no day written as {_DATE}.") from None


@app.callback()
def _of_profile(
    profile: Annotated[
        str | None, typer.Option("--profile", metavar="NAME", help="The settings of this profile (JIKO_PROFILE).")
    ] = None,
) -> None:
    if profile is not None:
        # Every room, and every process that a command starts, reads the settings by itself.
        os.environ["JIKO_PROFILE"] = profile


@app.command()
def demo(
    fault: Annotated[str | None, typer.Option(help="Plant one fault, in a data directory of its own.")] = None,
    json_output: JsonOption = False,
) -> None:
    """31 business days of a simulated bank, with the verdict. The Treasury bills are real; needs no account."""
    from jiko_pipeline.cli.demo_command import run_demo

    raise typer.Exit(run_demo(fault, json_output))


@app.command()
def sync(
    day: Annotated[
        date | None, typer.Option("--date", parser=_day, metavar=_DATE, help="One day; default: yesterday.")
    ] = None,
    first: Annotated[date | None, typer.Option("--from", parser=_day, metavar=_DATE, help="First day.")] = None,
    last: Annotated[date | None, typer.Option("--to", parser=_day, metavar=_DATE, help="Last day.")] = None,
    confirm: Annotated[
        bool,
        typer.Option("--confirm", help="Ask for every report again and keep what differs as a new version."),
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Fetch, load, reconcile and publish a day or a range."""
    from jiko_pipeline.cli.sync_command import run_sync

    raise typer.Exit(run_sync(day, first, last, confirm, json_output))


@app.command()
def status(json_output: JsonOption = False) -> None:
    """Last good business date, what is missing or pending. Open breaks by severity and age too; needs no network."""
    from jiko_pipeline.cli.reading_commands import show_status

    raise typer.Exit(show_status(json_output))


@app.command()
def inspect(
    files: Annotated[
        list[Path], typer.Argument(help="Statement or report files, or folders of them.", metavar="FILE...")
    ],
    json_output: JsonOption = False,
    entries: Annotated[bool, typer.Option("--entries", help="List the entries too.")] = False,
    schemas: Annotated[
        Path | None,
        typer.Option("--schemas", envvar="JIKO_CAMT_SCHEMAS", help="Folder of the schemas camt.053.001.NN.xsd."),
    ] = None,
    target: Annotated[
        Path | None,
        typer.Option("--to", metavar="FILE", help="Write what was read as .parquet, .csv or .xlsx; each kind of row."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="With --to: write over files that exist.")] = False,
) -> None:
    """Read any statement or report file on its own. Needs neither a bank nor a data directory."""
    from jiko_pipeline.cli.inspect_command import inspect_files

    raise typer.Exit(inspect_files(files, json_output, entries, schemas, target=target, force=force))


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One SQL query.")],
    json_output: JsonOption = False,
) -> None:
    """A read-only SQL query on the published file."""
    from jiko_pipeline.cli.reading_commands import run_sql

    raise typer.Exit(run_sql(query, json_output))


@app.command()
def verify(
    hashes: Annotated[bool, typer.Option("--hashes", help="Print the content hash of every table.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Check every archived byte against its hash."""
    from jiko_pipeline.cli.reading_commands import run_verify

    raise typer.Exit(run_verify(hashes, json_output))


@app.command()
def rebuild(json_output: JsonOption = False) -> None:
    """The warehouse anew from the archive; needs no network."""
    from jiko_pipeline.cli.storage_commands import run_rebuild

    raise typer.Exit(run_rebuild(json_output))


@app.command()
def prune(
    keep_days: Annotated[int, typer.Option("--keep-days", help="Everything of so many days stays.")] = 400,
    do_it: Annotated[bool, typer.Option("--yes", help="Remove it; without this it is only told.")] = False,
    json_output: JsonOption = False,
) -> None:
    """What evidence does not need; removed with --yes."""
    from jiko_pipeline.cli.storage_commands import run_prune

    raise typer.Exit(run_prune(keep_days, do_it, json_output))


@app.command()
def backup(
    directory: Annotated[Path, typer.Argument(help="Where to; backing up again copies what is new.", metavar="DIR")],
    json_output: JsonOption = False,
) -> None:
    """A verified copy of archive, decisions and settings."""
    from jiko_pipeline.cli.storage_commands import run_backup

    raise typer.Exit(run_backup(directory, json_output))


@app.command()
def restore(
    directory: Annotated[Path, typer.Argument(help="A directory that `jiko backup` made.", metavar="DIR")],
    json_output: JsonOption = False,
) -> None:
    """A back-up into an empty data directory, published."""
    from jiko_pipeline.cli.storage_commands import run_restore

    raise typer.Exit(run_restore(directory, json_output))


@app.command()
def profiles(
    workspace: Annotated[
        bool, typer.Option("--workspace", help="Print a workspace.yaml with a code location for each profile.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """The named profiles and which Jiko each one asks."""
    from jiko_pipeline.cli.profiles_command import show_profiles, show_workspace

    raise typer.Exit(show_workspace() if workspace else show_profiles(json_output))


@app.command()
def doctor(
    offline: Annotated[bool, typer.Option("--offline", help="Leave out what needs the bank.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Is this machine fit: settings, key, token, disk?"""
    from jiko_pipeline.cli.doctor_command import run_doctor

    raise typer.Exit(run_doctor(offline, json_output))


@app.command()
def probe(json_output: JsonOption = False) -> None:
    """Where the bank differs from the contract, in names."""
    from jiko_pipeline.cli.probe_command import run_probe

    raise typer.Exit(run_probe(json_output))


def _explain(error: JikoPipelineError) -> None:
    for line in (str(error), error.means, error.remedy):
        typer.echo(line, err=True)


_STOPPED = "Stopped; the next run takes up where this one ended."
_EXIT_OF_CTRL_C = 130
"""What typer makes of a KeyboardInterrupt."""


def _stop(number: int, frame: object) -> NoReturn:
    """Ctrl-C: what is under way ends in good order. A second one does not wait for that."""
    signal.signal(signal.SIGINT, _stop_at_once)
    raise KeyboardInterrupt


def _stop_at_once(number: int, frame: object) -> NoReturn:
    # No step of the pipeline needs to tidy up behind itself: a kill loses nothing.
    os.write(2, f"{_STOPPED}\n".encode())
    os._exit(ExitCode.TRY_LATER)


def main() -> NoReturn:
    """Entry point of the console script; the exit code is the answer (see `ExitCode`)."""
    os.umask(0o077)  # whatever a command makes is its user's alone, Dagster's history included
    signal.signal(signal.SIGINT, _stop)
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    if debug:
        arguments.remove("--debug")
    try:
        app(args=arguments, prog_name="jiko", standalone_mode=True)
    except JikoPipelineError as error:
        if debug:
            raise
        _explain(error)
        sys.exit(error.exit_code)
    except OSError as error:
        if debug:
            raise
        _explain(
            StorageError(
                f"{error.filename or 'A file'} cannot be used: {error.strerror or type(error).__name__}.",
                remedy="Make it usable or name another directory by JIKO_DATA_DIR, and run the same command again.",
            )
        )
        sys.exit(ExitCode.STORAGE)
    except Exception as error:
        if debug:
            raise
        typer.echo(f"jiko has a defect: {type(error).__name__}. Nothing of today's figures has changed.", err=True)
        typer.echo("Run the same command with --debug and report what it prints.", err=True)
        sys.exit(ExitCode.DEFECT)
    except KeyboardInterrupt:
        typer.echo(_STOPPED, err=True)
        sys.exit(ExitCode.TRY_LATER)
    except SystemExit as end:
        if end.code != _EXIT_OF_CTRL_C:
            raise
        typer.echo(_STOPPED, err=True)
        sys.exit(ExitCode.TRY_LATER)
    sys.exit(ExitCode.OK)


if __name__ == "__main__":
    main()

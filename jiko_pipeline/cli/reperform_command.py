"""`jiko reperform`: an earlier run, performed again from what it knew."""

from dataclasses import asdict
from typing import Annotated

import typer

from jiko_pipeline.cli.terminal import out, print_json, print_table
from jiko_pipeline.errors import ExitCode

_SHOWN = 20


def reperform(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Id of the run (recon.run).")],
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Perform an earlier run again from what it knew. Prints the same result hash, or what differs."""
    raise typer.Exit(run_reperform(run, json_output))


def run_reperform(run_id: str, json_output: bool) -> int:
    """Performs the run again; answers 30 when it does not say what it said."""
    from jiko_pipeline.reconciliation.reperform import reperform as perform_again
    from jiko_pipeline.settings import load_settings
    from jiko_pipeline.warehouse.publish import published
    from jiko_pipeline.warehouse.world import make_private_directory, refuse_other_environment

    settings = load_settings()
    refuse_other_environment(settings.data_dir, settings.environment.value)
    with published(settings):
        # Refuses a directory without a published file before anything is made.
        make_private_directory(settings.warehouse_file.parent)
    found = perform_again(
        settings.published_file,
        run_id,
        customer_id=settings.profile,
        business_day_end=settings.business_day_end,
        scratch_parent=settings.warehouse_file.parent,
    )
    if json_output:
        print_json({**asdict(found), "is_equal": found.is_equal})
    else:
        lines = (
            ("run", found.run_id),
            ("days", f"{found.first} to {found.last}"),
            ("as known at", f"{found.knowledge_time:%Y-%m-%d %H:%M:%S} UTC"),
            ("keys", found.keys),
            ("inputs then", found.inputs_hash_then),
            ("inputs now", found.inputs_hash_now),
            ("results then", found.result_hash_then),
            ("results now", found.result_hash_now),
        )
        for name, value in lines:
            out().print(f"{name + ':':<14} {value}", markup=False)
        if found.is_equal:
            out().print("The run says again what it said.", markup=False)
        else:
            out().print(f"{len(found.differing)} keys differ.", markup=False)
            columns = ("control_id", "pocket_id", "business_date", "entity_key", "code", "then", "now")
            print_table(columns, [tuple(asdict(key).values()) for key in found.differing[:_SHOWN]])
    return ExitCode.OK if found.is_equal else ExitCode.NOT_PROVED

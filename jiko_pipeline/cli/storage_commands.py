"""`jiko rebuild`, `jiko prune`, `jiko backup`, `jiko restore`: the data directory as a whole.

Belongs here: their words and exit codes. Does not belong here: what they do (`pipeline.rebuilding`,
`pipeline.pruning`, `pipeline.backup`).
"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from jiko_pipeline.cli.terminal import err, out, print_json
from jiko_pipeline.errors import ExitCode
from jiko_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from jiko_pipeline.pipeline.rebuilding import Rebuilt


def run_rebuild(json_output: bool) -> int:
    """Makes the warehouse anew from the archive alone and publishes it."""
    settings = load_settings()
    rebuilt = _rebuild_and_publish(settings)
    if json_output:
        print_json({**asdict(rebuilt), "published_file": settings.published_file})
    else:
        _tell(rebuilt)
        out().print(f"Published: {settings.published_file}", markup=False)
    return ExitCode.OK


def _rebuild_and_publish(settings: Settings) -> "Rebuilt":
    from jiko_pipeline.pipeline.rebuilding import rebuild
    from jiko_pipeline.pipeline.turn import end_turn, take_turn
    from jiko_pipeline.warehouse.publish import publish
    from jiko_pipeline.warehouse.world import refuse_other_environment

    refuse_other_environment(settings.data_dir, settings.environment.value)
    console = err()
    # Whatever is wrong with the warehouse, it is made anew; nothing is to be healed before.
    take_turn(settings, heal=False)
    try:
        rebuilt = rebuild(settings, lambda what: console.print(what, markup=False))
        console.print("publishing", markup=False)
        publish(settings, force=True)
    finally:
        end_turn(settings)
    return rebuilt


def _tell(rebuilt: "Rebuilt") -> None:
    days = f", days {rebuilt.first} to {rebuilt.last} judged" if rebuilt.first else ""
    out().print(
        f"The warehouse was made anew from {rebuilt.documents} documents ({rebuilt.rows} rows) and"
        f" {rebuilt.from_journals} entries of the journals{days}, in {rebuilt.seconds:.1f} s.",
        markup=False,
    )
    if rebuilt.set_aside is not None:
        out().print(f"The file before it is kept in {rebuilt.set_aside}.", markup=False)


def run_prune(keep_days: int, do_it: bool, json_output: bool) -> int:
    """Says what may go and why, and removes it only when asked to."""
    from jiko_pipeline.pipeline.pruning import plan, prune
    from jiko_pipeline.warehouse.world import refuse_other_environment

    settings = load_settings()
    refuse_other_environment(settings.data_dir, settings.environment.value)
    planned = prune(settings, keep_days) if do_it else plan(settings, keep_days)
    if json_output:
        print_json({"removed": do_it, "bytes": sum(item.byte_length for item in planned),
                    "items": [asdict(item) for item in planned]})  # fmt: skip
        return ExitCode.OK
    for item in planned:
        out().print(f"{item.path}  {item.byte_length} bytes: {item.why}", markup=False)
    total = sum(item.byte_length for item in planned)
    done = "were removed" if do_it else "may go; `jiko prune --yes` removes them"
    out().print(f"{len(planned)} files, {total} bytes, {done}." if planned else "Nothing may go.", markup=False)
    return ExitCode.OK


def run_backup(directory: Path, json_output: bool) -> int:
    """Copies what cannot be had again into a directory, and verifies the copy."""
    from jiko_pipeline.pipeline.backup import back_up

    done = back_up(load_settings(), directory)
    if json_output:
        print_json(asdict(done))
    else:
        out().print(
            f"{done.files} files ({done.byte_length} bytes) are in {done.directory}, {done.copied} of them copied now;"
            " every one has the hash that the list of the back-up names.",
            markup=False,
        )
    return ExitCode.OK


def run_restore(directory: Path, json_output: bool) -> int:
    """Brings a back-up into an empty data directory, makes the warehouse from it and publishes."""
    from jiko_pipeline.pipeline.backup import restore

    settings = load_settings()
    done = restore(settings, directory)
    rebuilt = _rebuild_and_publish(settings)
    if json_output:
        print_json({**asdict(done), "rebuilt": asdict(rebuilt), "published_file": settings.published_file})
    else:
        out().print(f"{done.files} files ({done.byte_length} bytes) were brought back and verified.", markup=False)
        _tell(rebuilt)
        out().print(f"Published: {settings.published_file}", markup=False)
    return ExitCode.OK

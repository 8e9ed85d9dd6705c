"""Which world a data directory was born to, and the refusal of any other.

Belongs here: `world.json` beside the data and its comparison with what the settings ask for. Does not belong
here: how a bank tells its identity (`jiko_pipeline.bank`), the same facts inside the file (`meta.world`,
written by `jiko_pipeline.warehouse.file`).

A directory that holds simulated money never takes in real money, nor the reverse.
"""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from jiko_pipeline.errors import SettingsError, StorageError

WORLD_FILE = "world.json"


class WorldIdentity(Protocol):
    """What tells one world from another: environment, origin of the API, id of the world."""

    @property
    def environment(self) -> str: ...
    @property
    def api_origin(self) -> str: ...
    @property
    def world_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class World:
    """The world of a data directory. `api_origin` is 'simulator' for the embedded simulator."""

    environment: str
    api_origin: str
    world_id: str

    @classmethod
    def of(cls, identity: WorldIdentity) -> "World":
        """A plain copy of anything that has the three attributes."""
        return cls(str(identity.environment), str(identity.api_origin), str(identity.world_id))

    def described(self) -> str:
        """For a sentence: `simulator (world 3f2a...)` or `production at https://...`."""
        if self.api_origin == "simulator":
            return f"{self.environment} (world {self.world_id})"
        world = "" if self.world_id == "jiko" else f", world {self.world_id}"
        return f"{self.environment} at {self.api_origin}{world}"


class WorldMismatchError(SettingsError):
    """The data directory belongs to another world than the one the settings name."""

    remedy = "Set JIKO_DATA_DIR to another directory, or the environment back to the one the data came from."


def identity_of(data_dir: Path) -> World | None:
    """The world of `data_dir`, or None when it has not been born yet. Opens no database.

    Raises StorageError when the file is there and cannot be read.
    """
    path = data_dir / WORLD_FILE
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
        return World(str(stated["environment"]), str(stated["api_origin"]), str(stated["world_id"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError(
            f"The file {path} does not say which world the data belongs to ({type(error).__name__}).",
            remedy="Restore it from a backup, or start with an empty data directory.",
        ) from None


def refuse_other_world(born: World, asked: World) -> None:
    """Raises WorldMismatchError, with a sentence that names both, unless the two are the same."""
    if born == asked:
        return
    raise WorldMismatchError(
        f"This data directory belongs to {born.described()} and the settings ask for {asked.described()}; "
        "data of two worlds is never mixed."
    )


def refuse_other_environment(data_dir: Path, environment: str) -> None:
    """Raises WorldMismatchError when `data_dir` was born to another environment; needs no bank to be asked."""
    born = identity_of(data_dir)
    if born is not None and born.environment != environment:
        raise WorldMismatchError(
            f"This data directory belongs to {born.described()} and the settings ask for {environment}; "
            "data of two worlds is never mixed."
        )


def claim(data_dir: Path, identity: WorldIdentity) -> World:
    """Gives a new data directory its world, or checks that it has this one already.

    The directory is made with mode 0700 and the file with 0600. Of two processes that claim at once one wins
    and the other is compared with it. Raises WorldMismatchError.
    """
    asked = World.of(identity)
    born = identity_of(data_dir)
    if born is None:
        make_private_directory(data_dir)
        path = data_dir / WORLD_FILE
        draft = data_dir / f".{WORLD_FILE}.{secrets.token_hex(8)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(asked), file, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first; its world is compared below
        finally:
            draft.unlink()
        fsync_directory(data_dir)
        born = identity_of(data_dir)
    if born is None:
        raise StorageError(f"The file {data_dir / WORLD_FILE} vanished while it was being written.")
    refuse_other_world(born, asked)
    return born


def make_private_directory(directory: Path) -> None:
    """Makes `directory` and its missing parents, each of mode 0700; leaves existing ones as they are."""
    missing = []
    at = directory
    while not at.exists():
        missing.append(at)
        at = at.parent
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)


def fsync_directory(directory: Path) -> None:
    """Makes a rename or a new name in `directory` durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

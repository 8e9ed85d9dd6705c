"""One simulator process: sockets, lock, announcement, two HTTP servers, the end.

Belongs here: `serve`, which runs until it is told to stop, and the file `simulator.json` by which others find
the process. Does not belong here: what is served (`jiko_pipeline.simulator.server`), the command line.
"""

import asyncio
import fcntl
import hashlib
import json
import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.types import ASGIApp

from jiko_pipeline.simulator.chaos.evil import EvilOrigin
from jiko_pipeline.simulator.chaos.profiles import rules_of
from jiko_pipeline.simulator.chaos.switch import Switch
from jiko_pipeline.simulator.chaos.wire import Stage
from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.server.app import api_application, storage_application
from jiko_pipeline.simulator.server.bank import Key, SimulatedBank
from jiko_pipeline.simulator.server.contract_changes import UnknownChangeError, checked
from jiko_pipeline.simulator.server.delivery import deliver
from jiko_pipeline.simulator.server.limits import LimitProfile
from jiko_pipeline.simulator.server.order_book import read_orders
from jiko_pipeline.simulator.server.sign_in import registered_key
from jiko_pipeline.simulator.server.state import AnotherWorldError, Snapshots, State
from jiko_pipeline.simulator.world import World

ANNOUNCEMENT: Final = "simulator.json"
CHAOS_LOG: Final = "chaos.jsonl"
OWN_CLIENT_ID: Final = "simulated-client"
APPROVER_CLIENT_ID: Final = "simulated-approver"
"""A second person of the customer: who requests a transfer may not approve it."""
_STARTING_SECONDS: Final = 0.005
_LOOK_SECONDS: Final = 1.0


class ServeExit(IntEnum):
    """Why a simulator does not start, as an exit code of the command line."""

    WRONG_STATE_OR_KEY = 40
    STORAGE = 50
    ALREADY_RUNNING = 60


class ServeRefusedError(Exception):
    """The simulator cannot start; the message says why and `exit_code` of which kind it is."""

    def __init__(self, message: str, exit_code: ServeExit) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """How to run a simulator. Port 0 takes any free port; `clients` are (client id, public key PEM file).

    Without clients a key pair is made in the state directory and announced. `now` sets the simulator's clock
    at the start (it runs on from there); `idle_exit_seconds` ends the process after that long without a
    request. `chaos` names the profile of faults to begin with, `chaos_seed` decides which requests meet them.
    `contract_changes` are names of `jiko_pipeline.simulator.server.contract_changes`.
    """

    state_dir: Path
    config: WorldConfig = field(default_factory=WorldConfig)
    host: str = "127.0.0.1"
    port: int = 0
    storage_port: int = 0
    limits: LimitProfile = LimitProfile.OFF
    clients: tuple[tuple[str, Path], ...] = ()
    idle_exit_seconds: float | None = None
    now: datetime | None = None
    chaos: str = "none"
    chaos_seed: int = 0
    contract_changes: tuple[str, ...] = ()
    control_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)


Announced = Callable[[Mapping[str, Any]], None]
"""Is told the content of `simulator.json` once it is written."""


def serve(
    options: ServeOptions, announced: Announced = lambda _: None, make_world: Callable[..., World] = World
) -> None:
    """Serve until SIGTERM, SIGINT, `POST /__simulator__/shutdown` or idleness.

    `make_world` makes the bank of a config, with `snapshots` and `orders`, as `World` does.

    Raises ServeRefusedError when another process serves this state directory (60), when the directory belongs
    to another simulated world or a key cannot be used (40), when it cannot be written or bound (50).
    """
    # Everything written here is for its owner only, the SQLite companions of the state file included.
    previous_mask = os.umask(0o077)
    try:
        try:
            options.state_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ServeRefusedError(
                f"The state directory {options.state_dir} cannot be made: {error.strerror}.",
                ServeExit.STORAGE,
            ) from None
        with _only_process(options.state_dir), State(options.state_dir / "state.sqlite") as state:
            _serve(options, state, announced, make_world)
    finally:
        os.umask(previous_mask)


@contextmanager
def _only_process(state_dir: Path) -> Iterator[None]:
    with (state_dir / "serving.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServeRefusedError(
                f"Another simulator already serves the state directory {state_dir}.",
                ServeExit.ALREADY_RUNNING,
            ) from None
        yield


def _serve(options: ServeOptions, state: State, announced: Announced, make_world: Callable[..., World]) -> None:
    try:
        world = make_world(options.config, snapshots=Snapshots(state), orders=read_orders(state))
        state.bind_world(world.world_id)
        # Choosing where a fault is planted may find that this world has no place for it.
        world.truth()
    except (ValueError, LookupError) as error:
        raise ServeRefusedError(f"This world cannot be simulated: {error}.", ServeExit.WRONG_STATE_OR_KEY) from None
    except AnotherWorldError as error:
        raise ServeRefusedError(
            f"The state directory {options.state_dir} cannot be used: {error}."
            " Name another directory, or start with the settings this one was born with.",
            ServeExit.WRONG_STATE_OR_KEY,
        ) from None
    if options.now is not None:
        state.set_now(options.now)
    try:
        changes = checked(options.contract_changes)
    except UnknownChangeError as error:
        raise ServeRefusedError(str(error), ServeExit.WRONG_STATE_OR_KEY) from None
    clients, own_client = _clients(options)
    with (
        _bound(options.host, options.port) as api,
        _bound(options.host, options.storage_port) as storage,
        _bound(options.host, 0) as evil,
        _bound(options.host, 0) as behind_api,
        _bound(options.host, 0) as behind_storage,
    ):
        api_origin = f"http://{options.host}:{api.getsockname()[1]}"
        storage_host = f"localhost:{storage.getsockname()[1]}"
        servers: list[uvicorn.Server] = []
        stopping = asyncio.Event()

        def stop() -> None:
            stopping.set()
            for server in servers:
                server.should_exit = True

        chaos = Switch(options.chaos_seed, rules_of(options.chaos), options.state_dir / CHAOS_LOG)
        chaos.now = state.now
        evil_host = f"localhost:{evil.getsockname()[1]}"
        chaos.evil_origin = f"http://{evil_host}"
        bank = SimulatedBank(
            world=world,
            state=state,
            clients=clients,
            limits=options.limits,
            api_origin=api_origin,
            storage_origin=f"http://{storage_host}",
            control_token=options.control_token,
            signing_secret=state.secret("signing_secret"),
            config=_plain(asdict(options.config)),
            stop=stop,
            chaos=chaos,
            contract_changes=changes,
        )
        servers += [_server(api_application(bank)), _server(storage_application(bank)), _server(EvilOrigin(chaos))]
        stages = (
            Stage("api", chaos, servers[0], api, behind_api),
            Stage("storage", chaos, servers[1], storage, behind_storage),
        )
        sockets = ([api, behind_api], [storage, behind_storage], [evil])
        announcement = {
            "pid": os.getpid(),
            "process_start": process_start(os.getpid()),
            "started_at": datetime.now(UTC).isoformat(),
            "api_url": api_origin,
            "auth_url": api_origin,
            "storage_host": storage_host,
            "evil_host": evil_host,
            "control_url": f"http://{options.host}:{behind_api.getsockname()[1]}",
            "chaos": options.chaos,
            "chaos_seed": options.chaos_seed,
            "control_token": options.control_token,
            "world_id": world.world_id,
            "config": bank.config,
            "limits": options.limits.value,
            **own_client,
        }

        def announce() -> None:
            _write_announcement(options.state_dir / ANNOUNCEMENT, announcement)
            announced(announcement)

        asyncio.run(_run(servers, sockets, stages, options, bank, announce, stopping))


async def _run(
    servers: list[uvicorn.Server],
    sockets: Sequence[list[socket.socket]],
    stages: Sequence[Stage],
    options: ServeOptions,
    bank: SimulatedBank,
    announce: Callable[[], None],
    stopping: asyncio.Event,
) -> None:
    loop = asyncio.get_running_loop()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, bank.stop)
    # A task of its own: whatever happens to a delivery, the bank answers on; a defect is told at the end.
    deliveries = asyncio.create_task(deliver(bank, stopping))
    try:
        await asyncio.gather(
            *(_one(server, bound, bank) for server, bound in zip(servers, sockets, strict=True)),
            _watch(servers, stages, options, bank, announce, stopping),
        )
    finally:
        for stage in stages:
            await stage.fall()
        # A directory that was removed and made anew may announce another process by now.
        if _is_announced(options.state_dir, options.control_token):
            (options.state_dir / ANNOUNCEMENT).unlink(missing_ok=True)
        stopping.set()
        await deliveries


async def _one(server: uvicorn.Server, bound: list[socket.socket], bank: SimulatedBank) -> None:
    try:
        await server.serve(bound)
    finally:
        # Neither origin is of use without the other.
        bank.stop()


async def _watch(
    servers: list[uvicorn.Server],
    stages: Sequence[Stage],
    options: ServeOptions,
    bank: SimulatedBank,
    announce: Callable[[], None],
    stopping: asyncio.Event,
) -> None:
    """Announce the process once its servers answer.

    End it when nobody has asked for long, and when nobody can find it any more because its announcement is
    gone, as after the removal of the state directory.
    """
    while not all(server.started for server in servers):
        if stopping.is_set():
            return
        await asyncio.sleep(_STARTING_SECONDS)

    async def adapt() -> None:
        for stage in stages:
            await stage.adapt()

    bank.chaos.adapt_wire = adapt
    await adapt()
    announce()
    while not stopping.is_set():
        pause = _LOOK_SECONDS
        if options.idle_exit_seconds is not None:
            pause = min(pause, bank.last_request + options.idle_exit_seconds - time.monotonic())
        if pause <= 0 or not _is_announced(options.state_dir, options.control_token):
            bank.stop()
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), pause)


def _write_announcement(file: Path, announcement: Mapping[str, Any]) -> None:
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_text(json.dumps(announcement, indent=1) + "\n", encoding="utf-8")
    temporary.chmod(0o600)
    temporary.replace(file)


def _is_announced(state_dir: Path, control_token: str) -> bool:
    """True while the announcement in the state directory is that of this process."""
    try:
        announcement = json.loads((state_dir / ANNOUNCEMENT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(announcement, dict) and announcement.get("control_token") == control_token


class _QuietServer(uvicorn.Server):
    """A server that leaves signals to `_run`, which stops both."""

    def capture_signals(self) -> Any:
        return nullcontext()


def _server(application: ASGIApp) -> uvicorn.Server:
    # uvicorn names the client and the path of a request at INFO; a path may hold a link's token.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    return _QuietServer(
        uvicorn.Config(
            application,
            access_log=False,
            log_config=None,
            log_level="warning",
            date_header=False,
            server_header=False,
            lifespan="off",
            ws="none",
            # Longer than clients keep idle connections, so that the server is not the one to close them.
            timeout_keep_alive=75,
            timeout_graceful_shutdown=2,
        )
    )


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    # asyncio sets TCP_NODELAY only where the protocol is named; else each answer waits 40 ms for an ACK.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, port))
        except OSError as error:
            raise ServeRefusedError(
                f"Port {port} of {host} cannot be bound: {error.strerror}.", ServeExit.STORAGE
            ) from None
        yield bound


def _clients(options: ServeOptions) -> tuple[dict[str, tuple[Key, ...]], dict[str, str]]:
    """The registered keys by client, and what to announce about the bank's own client."""
    if options.clients:
        keys: dict[str, tuple[Key, ...]] = {}
        for client_id, file in options.clients:
            try:
                keys[client_id] = (*keys.get(client_id, ()), registered_key(file.read_bytes()))
            except (OSError, ValueError) as error:
                raise ServeRefusedError(
                    f"The public key {file} of client {client_id} cannot be used: {error}.",
                    ServeExit.WRONG_STATE_OR_KEY,
                ) from None
        return keys, {}
    key_id, key_file, key = _own_key(options.state_dir.absolute() / "client_key.pem")
    approver_key_id, approver_key_file, approver_key = _own_key(options.state_dir.absolute() / "approver_key.pem")
    announced = {
        "client_id": OWN_CLIENT_ID,
        "private_key_file": str(key_file),
        "key_id": key_id,
        "approver_client_id": APPROVER_CLIENT_ID,
        "approver_private_key_file": str(approver_key_file),
        "approver_key_id": approver_key_id,
    }
    return {OWN_CLIENT_ID: (key,), APPROVER_CLIENT_ID: (approver_key,)}, announced


def _own_key(private_file: Path) -> tuple[str, Path, Key]:
    """(key id, file, registered public key) of a key pair that is made when it is first needed."""
    if not private_file.exists():
        temporary = private_file.with_suffix(".new")
        temporary.write_bytes(
            Ed25519PrivateKey.generate().private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        temporary.chmod(0o600)
        temporary.replace(private_file)
    private = serialization.load_pem_private_key(private_file.read_bytes(), password=None)
    public_pem = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(public_pem).hexdigest()[:16], private_file, registered_key(public_pem)


def process_start(pid: int) -> str | None:
    """When the kernel started a process, in its own ticks: tells a reused pid apart. None without /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[19]


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in config.items()}

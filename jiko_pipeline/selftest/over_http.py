"""Planted faults the whole way: served over HTTP, archived, read, loaded, reconciled and published by `jiko sync`.

Belongs here: which faults a served bank can have, one sync of such a bank, what it raised against what was foretold.
Does not belong here: what the bank says (`served`), faults that enter as rows (`campaign`).
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.request import ProxyHandler, Request, build_opener

import duckdb

from jiko_pipeline.selftest.catalogue import Fault, Raised, Reach, catalogue
from jiko_pipeline.selftest.facts import Facts
from jiko_pipeline.selftest.proof import Place, Planted, Verdict, cells, plant, under_way, verdict_of
from jiko_pipeline.selftest.served import ServedWorld, unsaid
from jiko_pipeline.selftest.site import NothingToHit
from jiko_pipeline.selftest.worlds import WorldSpan, clean_facts, span_of
from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.serve import ServeOptions, serve

_STARTS_WITHIN_SECONDS: Final = 60
_ENDS_WITHIN_SECONDS: Final = 30
_NEAR: Final = timedelta(days=60)
_STATEMENTS_SAY: Final = {0, 10, 30}
"""Exit codes of a sync that went through: nothing found, breaks, something that is not proved."""


class SyncFailedError(Exception):
    """The sync of a served bank did not go through; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Served:
    """One bank that was served with faults: what it came to, and the faults that its documents cannot say, with why.

    `no_place` are faults that this bank offered no place.
    """

    verdict: Verdict
    cannot: Mapping[str, str] = field(default_factory=dict)
    no_place: tuple[str, ...] = ()

    @property
    def kinds(self) -> list[str]:
        """The kinds of fault that went the whole way."""
        return sorted({one.fault for one in self.verdict.planted})

    @property
    def is_proved(self) -> bool:
        """True when the sync raised exactly what was foretold."""
        return not (self.verdict.missing or self.verdict.unexpected)


def prove_over_http(seed: int = 601, pockets: int = 20, days: int = 40, names: frozenset[str] | None = None) -> Served:
    """Plants each fault (or those of `names`) once in one bank, where its documents can say it, and syncs the bank."""
    facts, span = clean_facts(seed, pockets=pockets, days=days), span_of(days)
    anyway = under_way(facts, span)
    faults = [fault for fault in catalogue().values() if names is None or fault.name in names]
    planted, cannot, no_place = _planted(faults, facts, span, seed)
    with TemporaryDirectory(prefix="jiko-selftest-") as folder:
        raised = _synced(Path(folder), WorldConfig(seed=seed, pockets=pockets), facts, span)
    name = f"over HTTP seed {seed} ({pockets} pockets, {days} days)"
    return Served(verdict_of(name, planted, raised, anyway), cannot, tuple(no_place))


def _planted(
    faults: list[Fault], facts: Facts, span: WorldSpan, seed: int
) -> tuple[list[Planted], dict[str, str], list[str]]:
    """Each fault at the first free place that offers one; those of a whole customer or world come not together."""
    free = cells(facts, span, seed)
    planted: list[Planted] = []
    cannot: dict[str, str] = {}
    no_place = []
    tried: dict[str, tuple[Facts, Facts]] = {}
    # Faults that need most room come first.
    for fault in sorted(faults, key=lambda fault: (-list(Reach).index(fault.reach), fault.name)):
        if fault.reach in (Reach.CUSTOMER, Reach.WORLD):
            cannot[fault.name] = "it needs a bank of its own"
            continue
        done = None
        for place in free:
            done = _at(fault, facts, span, place, seed, tried)
            if done is not None:
                break
        if done is None:
            no_place.append(fault.name)
        elif isinstance(done, str):
            cannot[fault.name] = done
        else:
            planted.append(done)
            free.remove(place)
            if fault.reach is Reach.MONTH:
                free = [other for other in free if other[0] != place[0]]
    return planted, cannot, no_place


def _at(
    fault: Fault, facts: Facts, span: WorldSpan, place: Place, seed: int, tried: dict[str, tuple[Facts, Facts]]
) -> Planted | str | None:
    """The fault planted at the place; why no document can say it; None where the place offers nothing.

    `tried` keeps, by pocket, what is near it twice: to plant in, and as it was. What offers nothing changes nothing.
    """
    pocket, days = place
    for day in days:
        if pocket not in tried:
            near = facts.near(pocket, span.first - _NEAR, span.last + _NEAR)
            tried[pocket] = near, near.copy()
        near, clean = tried[pocket]
        try:
            plant(fault, near, span, pocket, day, seed)
        except NothingToHit:
            continue
        del tried[pocket]
        return unsaid(clean, near) or plant(fault, facts, span, pocket, day, seed)
    return None


def _synced(folder: Path, config: WorldConfig, facts: Facts, span: WorldSpan) -> frozenset[Raised]:
    """What a sync over the business days of `span` raises at the bank that says what `facts` say."""
    data = folder / "data"
    with _serving(data / "simulator", config, facts):
        command = [sys.executable, "-m", "jiko_pipeline", "sync", "--json",
                   "--from", f"{span.business_days[0]}", "--to", f"{span.last}"]  # fmt: skip
        answer = subprocess.run(
            command, cwd=folder, env=_environment(data, config), stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
    if answer.returncode not in _STATEMENTS_SAY:
        raise SyncFailedError(f"The sync ended with {answer.returncode}: {answer.stderr.strip()[-2000:]}")
    with duckdb.connect(str(data / "treasury.duckdb"), read_only=True) as con:
        rows = con.execute(
            "select control_id, code, sub_code, pocket_id, business_date, entity_key"
            " from recon.result where status = 'BREAK'"
        ).fetchall()
    return frozenset(Raised(*row) for row in rows)


def _environment(data: Path, config: WorldConfig) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JIKO_", "DAGSTER_"))}
    return {
        **kept,
        "JIKO_DATA_DIR": str(data),
        "JIKO_SIMULATOR_SEED": str(config.seed),
        "JIKO_SIMULATOR_POCKETS": str(config.pockets),
    }


@contextmanager
def _serving(state_dir: Path, config: WorldConfig, facts: Facts) -> Iterator[None]:
    """The bank of `facts`, served by a thread where a sync of the data directory looks for its simulator."""
    announced: SimpleQueue[Mapping[str, Any]] = SimpleQueue()
    state_dir.mkdir(parents=True, mode=0o700)
    thread = threading.Thread(
        target=serve,
        args=(ServeOptions(state_dir=state_dir, config=config), announced.put, partial(_world, facts)),
        daemon=True,
    )
    thread.start()
    try:
        told = announced.get(timeout=_STARTS_WITHIN_SECONDS)
    except Empty:
        raise SyncFailedError("The simulated bank did not start.") from None
    try:
        yield
    finally:
        end = Request(
            f"{told['api_url']}/__simulator__/shutdown",
            method="POST",
            headers={"X-Simulator-Token": str(told["control_token"])},
        )
        with build_opener(ProxyHandler({})).open(end, timeout=_ENDS_WITHIN_SECONDS):
            pass
        thread.join()


def _world(facts: Facts, config: WorldConfig, **more: Any) -> ServedWorld:
    return ServedWorld(config, facts, **more)

"""The whole self-test: clean worlds, faults alone, faults in pairs, and what it all comes to.

Belongs here: which worlds are proved, in how many processes, the report. Does not belong here: one world (`proof`),
telling people (`cli`).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context
from random import Random
from typing import Final

from jiko_pipeline.reconciliation.basis import Basis
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.selftest.books import books_of, holds
from jiko_pipeline.selftest.catalogue import Expectation, Fault, Reach, catalogue
from jiko_pipeline.selftest.facts import Facts
from jiko_pipeline.selftest.proof import Place, Planted, Verdict, cells, fill, plant, told, under_way, verdict_of
from jiko_pipeline.selftest.scenes import SCENES, SHORT_SCENES, Changed, Scene, changed
from jiko_pipeline.selftest.site import NothingToHit
from jiko_pipeline.selftest.worlds import WorldSpan, basis_of, clean_facts, span_of, switch_rows

CLEAN: Final = "clean"
_NEAR: Final = timedelta(days=45)
_OWN_POCKETS: Final = 3
_OWN_DAYS: Final = 15

ALONE: Final = "alone"
PAIRS: Final = "pairs"

Progress = Callable[[str], None]
"""Told of each world, when it is judged."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is proved.

    `clean_seeds` worlds of `clean_pockets` and `clean_days` go through the rows of ledger switches. `worlds` are filled
    with faults of single pockets, `customer_worlds` with those of the whole customer, `pair_worlds` with pairs; each
    fault that leaves no room for another has `own_worlds`, the second and later ones at banks with other switches.
    Every row of switches but the first has `other_worlds` with faults of single pockets, `other_customer_worlds` and
    `other_pair_worlds`.
    """

    clean_seeds: int
    clean_pockets: int
    clean_days: int
    worlds: int
    pockets: int
    days: int
    customer_worlds: int
    customer_pockets: int
    customer_days: int
    pair_worlds: int
    own_worlds: int = 1
    other_worlds: int = 0
    other_pockets: int = 32
    other_days: int = 60
    other_customer_worlds: int = 0
    other_pair_worlds: int = 0
    other_pair_pockets: int = 12
    scenes: tuple[Scene, ...] = ()
    """Worlds whose whole answers are compared with those kept."""


FULL: Final = Plan(
    20, 4, 25, 10, 40, 60, 8, 4, 120, 2,
    own_worlds=2, other_worlds=1, other_customer_worlds=1, other_pair_worlds=1, scenes=SCENES,
)  # fmt: skip
"""At least 2,000 planted faults."""
SHORT: Final = Plan(2, 3, 12, 2, 24, 60, 3, 4, 120, 0, scenes=SHORT_SCENES)
"""For every change: each fault once where a small world offers it a place."""


@dataclass(frozen=True, slots=True)
class Job:
    """One world to be proved."""

    kind: str
    seed: int
    pockets: int
    days: int
    switch_row: int = 0
    of_customer: bool = False
    turn: int = 0
    turns: int = 1
    """Of so many worlds of its kind this one begins with its own share of the faults."""
    only: str = ""
    """The only fault that is planted, and once."""

    @property
    def name(self) -> str:
        """For people: what is proved in which world."""
        only = f", {self.only}" if self.only else ""
        return (
            f"{self.kind} seed {self.seed} switches {self.switch_row} ({self.pockets} pockets, {self.days} days{only})"
        )


@dataclass(frozen=True, slots=True)
class Report:
    """What the self-test found; precision and recall are over all breaks of all worlds."""

    verdicts: tuple[tuple[Job, Verdict], ...]
    changed: tuple[Changed, ...] = ()

    @property
    def clean_worlds(self) -> int:
        """Worlds in which nothing was planted."""
        return sum(job.kind == CLEAN for job, _ in self.verdicts)

    @property
    def planted(self) -> Counter[str]:
        """Faults planted, by name."""
        return Counter(one.fault for _, verdict in self.verdicts for one in verdict.planted)

    @property
    def planted_under(self) -> dict[int, Counter[str]]:
        """Faults planted, by row of ledger switches and name."""
        rows: dict[int, Counter[str]] = {}
        for job, verdict in self.verdicts:
            rows.setdefault(job.switch_row, Counter()).update(one.fault for one in verdict.planted)
        return dict(sorted(rows.items()))

    @property
    def pairs_under(self) -> Counter[int]:
        """Pairs of faults planted at one pocket and day, by row of ledger switches."""
        pairs: Counter[int] = Counter()
        for job, verdict in self.verdicts:
            if job.kind == PAIRS:
                places = Counter((one.pocket_id, one.day) for one in verdict.planted)
                pairs[job.switch_row] += sum(number == 2 for number in places.values())
        return pairs

    @property
    def unmet(self) -> list[tuple[str, Expectation]]:
        """Expectations under a condition that no fault planted at such a bank had: nothing was proved of them.

        Conditions that none of the banks of these worlds meets are left out.
        """
        met: dict[tuple[str, int], set[tuple[str, str]]] = {}
        for job, verdict in self.verdicts:
            for one in verdict.planted:
                had = met.setdefault((one.fault, job.switch_row), set())
                had.update((break_.control, break_.code) for break_ in one.foretold)
        banks = {job.switch_row for job, _ in self.verdicts if job.kind == ALONE}
        books = {row: books_of(switch_rows()[row]) for row in banks}
        wanting = []
        for fault in catalogue().values():
            here = [row for row, booked in books.items() if fault.exists_under(booked)]
            for expected in fault.expects:
                rows = [row for row in here if expected.when and holds(expected.when, books[row])]
                if rows and not any(
                    (expected.control, expected.code) in met.get((fault.name, row), ()) for row in rows
                ):
                    wanting.append((fault.name, expected))
        return wanting

    @property
    def fired(self) -> dict[str, Counter[str]]:
        """By fault, how often each control had to fire for it and did."""
        table: dict[str, Counter[str]] = {}
        for _, verdict in self.verdicts:
            for one in verdict.planted:
                table.setdefault(one.fault, Counter()).update(
                    sorted({break_.control for break_ in one.foretold & verdict.raised})
                )
        return table

    @property
    def raised(self) -> int:
        """Breaks raised."""
        return sum(len(verdict.raised) for _, verdict in self.verdicts)

    @property
    def foretold(self) -> int:
        """Breaks that had to be raised."""
        return sum(len(verdict.foretold) for _, verdict in self.verdicts)

    @property
    def matched(self) -> int:
        """Breaks that had to be raised and were."""
        return sum(len(verdict.foretold & verdict.raised) for _, verdict in self.verdicts)

    @property
    def precision(self) -> float:
        """Share of the breaks raised that had to be."""
        return self.matched / self.raised if self.raised else 1.0

    @property
    def recall(self) -> float:
        """Share of the breaks that had to be raised that were."""
        return self.matched / self.foretold if self.foretold else 1.0

    @property
    def differences(self) -> list[tuple[Job, Verdict]]:
        """The worlds that were not as foretold."""
        return [
            (job, verdict)
            for job, verdict in self.verdicts
            if verdict.missing or verdict.unexpected or verdict.unanswered
        ]

    @property
    def unplanted(self) -> list[str]:
        """Faults that found no place in any world."""
        return sorted(catalogue().keys() - self.planted.keys())

    @property
    def is_proved(self) -> bool:
        """True when every world was as foretold, kept answers stand, all faults were planted, all controls have one."""
        return not (
            self.differences
            or self.changed
            or self.unplanted
            or self.unmet
            or controls_without_fault()
            or faults_without_control()
        )


def controls_without_fault() -> list[str]:
    """Controls that no fault of the catalogue must make fire."""
    hit = {expected.control for fault in catalogue().values() for expected in fault.expects}
    return [control.control_id for control in Registry.load().controls if control.control_id not in hit]


def faults_without_control() -> list[str]:
    """Faults whose expectations name a control or a code that the registry has not."""
    codes = {control.control_id: control.codes.keys() for control in Registry.load().controls}
    return [
        fault.name
        for fault in catalogue().values()
        if any(expected.code not in codes.get(expected.control, ()) for expected in fault.expects)
    ]


def jobs_of(plan: Plan, seeds: int | None = None) -> list[Job]:
    """The worlds of a plan; `seeds` replaces the number of clean ones."""
    rows = len(switch_rows())
    clean = [
        Job(CLEAN, seed, plan.clean_pockets, plan.clean_days, (seed - 1) % rows)
        for seed in range(1, (plan.clean_seeds if seeds is None else seeds) + 1)
    ]
    alone = [
        Job(ALONE, 101 + turn, plan.pockets, plan.days, turn=turn, turns=plan.worlds) for turn in range(plan.worlds)
    ]
    customers = [_customer_job(plan, 201 + turn, 0, turn, plan.customer_worlds) for turn in range(plan.customer_worlds)]
    pairs = [Job(PAIRS, seed, plan.pockets, plan.days) for seed in range(301, 301 + plan.pair_worlds)]
    # The long ones first, so that no process waits for another at the end.
    return [*alone, *pairs, *customers, *_other_jobs(plan, rows), *clean, *_own_jobs(plan, rows)]


def _customer_job(plan: Plan, seed: int, row: int, turn: int, turns: int) -> Job:
    return Job(ALONE, seed, plan.customer_pockets, plan.customer_days, row, of_customer=True, turn=turn, turns=turns)


def _other_jobs(plan: Plan, rows: int) -> list[Job]:
    """Worlds with faults at banks whose ledger switches are not the default ones."""
    banks = range(1, rows)
    alone = [(row, turn) for turn in range(plan.other_worlds) for row in banks]
    pairs = [(row, turn) for turn in range(plan.other_pair_worlds) for row in banks]
    customers = [(row, turn) for turn in range(plan.other_customer_worlds) for row in banks]
    return [
        *(
            Job(ALONE, 1000 + number, plan.other_pockets, plan.other_days, row, turn=number, turns=len(alone))
            for number, (row, _) in enumerate(alone)
        ),
        *(Job(PAIRS, 2000 + number, plan.other_pair_pockets, plan.days, row) for number, (row, _) in enumerate(pairs)),
        *(_customer_job(plan, 3000 + number, row, number, len(customers)) for number, (row, _) in enumerate(customers)),
    ]


def _own_jobs(plan: Plan, rows: int) -> list[Job]:
    """Worlds of faults that leave no room for another: the first of each at the bank with the default switches."""
    whole = [fault for fault in catalogue().values() if fault.reach is Reach.WORLD]
    places = [
        (fault, turn, 0 if turn == 0 else 1 + (number + turn) % (rows - 1))
        for number, fault in enumerate(whole)
        for turn in range(plan.own_worlds)
    ]
    return [
        Job(ALONE, 501 + turn, _OWN_POCKETS, _OWN_DAYS, row, only=fault.name)
        for fault, turn, row in places
        if fault.exists_under(books_of(switch_rows()[row]))
    ]


def filled_world(job: Job) -> tuple[Facts, Basis, tuple[Planted, ...]]:
    """The world of a job with its faults planted: what its documents say, how it books, what was planted."""
    switches = switch_rows()[job.switch_row]
    facts = clean_facts(job.seed, switches, pockets=job.pockets, days=job.days)
    return facts, basis_of(switches), _planted(job, facts)


def _planted(job: Job, facts: Facts) -> tuple[Planted, ...]:
    span = span_of(job.days)
    planted: list[Planted] = []
    if job.kind != CLEAN:
        faults = [
            fault for fault in catalogue().values() if fault.reach in _reaches(job) and fault.exists_under(facts.books)
        ]
        own = faults[job.turn :: job.turns]
        others = [fault for fault in faults if fault not in own]
        Random(f"faults|{job.seed}").shuffle(others)
        places = cells(facts, span, job.seed)
        if job.only:
            planted = fill([catalogue()[job.only]], facts, span, places, job.seed)
        elif job.kind == PAIRS:
            single = [fault for fault in faults if fault.reach is Reach.POCKET]
            planted = [one for pair in _pairs(single, facts, span, places, job.seed) for one in pair]
        else:
            planted = fill([*own, *others], facts, span, places, job.seed)
    return tuple(planted)


def _reaches(job: Job) -> tuple[Reach, ...]:
    return (Reach.CUSTOMER,) if job.of_customer else (Reach.POCKET, Reach.MONTH)


def proved(job: Job) -> Verdict:
    """Makes the world of a job, plants its faults, judges it."""
    switches = switch_rows()[job.switch_row]
    facts = clean_facts(job.seed, switches, pockets=job.pockets, days=job.days)
    span = span_of(job.days)
    anyway = under_way(facts, span)
    planted = _planted(job, facts)
    wanted = frozenset(answer for one in planted for answer in one.answers)
    found, given = told(facts, span, basis_of(switches), wanted)
    return verdict_of(job.name, planted, found, anyway, given)


def _pairs(
    faults: Sequence[Fault], facts: Facts, span: WorldSpan, places: Sequence[Place], seed: int
) -> list[list[Planted]]:
    """Two different faults of one pocket and day at each place; where only one can be planted, that one alone.

    Two that are about one thing (a trade, an entry, a bill) are no pair: one would undo or hide the other. So the
    second is tried on a copy of what is near first.
    """
    draw = Random(f"pairs|{seed}")
    done = []
    for pocket, (day, *_) in places:
        pair: list[Planted] = []
        near: Facts | None = None
        for fault in draw.sample(list(faults), len(faults)):
            try:
                if not pair:
                    pair.append(plant(fault, facts, span, pocket, day, seed))
                    continue
                near = near or facts.near(pocket, day - _NEAR, day + _NEAR)
                tried = plant(fault, near, span, pocket, day, seed)
                if pair[0].about & tried.about:
                    near = None
                    continue
                # What the copy offered, the whole world may not: a bill that is free near here is taken elsewhere.
                pair.append(plant(fault, facts, span, pocket, day, seed))
            except NothingToHit:
                continue
            break
        done.append(pair)
    return done


def run(plan: Plan, *, seeds: int | None = None, processes: int = 2, progress: Progress | None = None) -> Report:
    """Proves every world of a plan. The same plan gives the same report, whatever the number of processes."""
    jobs = jobs_of(plan, seeds)
    found: dict[Job, Verdict] = {}
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(proved, job): job for job in jobs}
        compared = [pool.submit(changed, scene) for scene in plan.scenes]
        for done in as_completed(waiting):
            if done.exception() is not None:
                # What is still to be judged would only keep the reader waiting for the error.
                pool.shutdown(wait=False, cancel_futures=True)
            verdict = found[waiting[done]] = done.result()
            if progress is not None:
                progress(_told(len(found), len(jobs), verdict))
        differing = tuple(one for scene in compared for one in scene.result())
    return Report(tuple((job, found[job]) for job in jobs), differing)


def _told(number: int, of: int, verdict: Verdict) -> str:
    wrong = len(verdict.missing) + len(verdict.unexpected) + len(verdict.unanswered)
    return f"{number} of {of}: {verdict.world}, {len(verdict.planted)} faults, {wrong} differences"

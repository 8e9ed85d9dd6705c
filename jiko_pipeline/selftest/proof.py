"""Proving the controls in one world: planting, judging, what was foretold against what was raised.

Belongs here: one world. Does not belong here: faults (`catalogue`, `planting`), which worlds there are (`campaign`).
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from random import Random
from typing import Final

import duckdb

from jiko_pipeline import calendars
from jiko_pipeline.reconciliation.basis import DEMO_BASIS, Basis
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.reconciliation.runner import run_controls
from jiko_pipeline.selftest.catalogue import Answer, Fault, Raised, Reach
from jiko_pipeline.selftest.facts import CUSTOMER, ENTITY, Facts
from jiko_pipeline.selftest.planting.registry import Names, plantings
from jiko_pipeline.selftest.site import NothingToHit, Site
from jiko_pipeline.selftest.worlds import WorldSpan, proving

APART: Final = 10
"""Business days between two faults of one pocket; what a fault causes lies well within them."""

Place = tuple[str, list[date]]
"""A pocket and the days on which one fault may be planted in it."""
Name = tuple[str, date]
"""What tells a place from the others: its pocket and its first day."""

_JUDGED_AT: Final = datetime(2025, 6, 2, 12, tzinfo=UTC)
_EARLIEST, _LATEST = 2, 6
_SWEEPS: Final = frozenset({"SWEEP_OUT", "SWEEP_IN", "ADDITION", "SUBTRACTION"})
_TRIED_DAYS_OF_LAST_BLOCK: Final = 4
_WORD: Final = re.compile(r"[\w-]{5,}")


@dataclass(frozen=True, slots=True)
class Planted:
    """A fault that was planted, and the breaks that must follow."""

    fault: str
    pocket_id: str
    day: date
    foretold: frozenset[Raised]
    about: frozenset[str] = frozenset()
    """What it changed (trades, entries, bills) and what its breaks are told of; of a break that is told of a pocket and
    day as a whole its control and day."""
    answers: frozenset[Answer] = frozenset()
    """What must be answered beside the breaks."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One world: what was planted, and how what was raised differs from what was foretold."""

    world: str
    planted: tuple[Planted, ...]
    foretold: frozenset[Raised]
    raised: frozenset[Raised]
    unanswered: frozenset[Answer] = frozenset()
    """Answers that are no break, were foretold and were not given."""

    @property
    def missing(self) -> frozenset[Raised]:
        """Foretold and not raised."""
        return self.foretold - self.raised

    @property
    def unexpected(self) -> frozenset[Raised]:
        """Raised and not foretold."""
        return self.raised - self.foretold


def verdict_of(
    world: str,
    planted: Sequence[Planted],
    raised: frozenset[Raised],
    anyway: frozenset[Raised] = frozenset(),
    given: Set[Answer] | None = None,
) -> Verdict:
    """The verdict on a world in which these faults were planted; `anyway` is told of it with none (`under_way`).

    `given` are the answers that are no break; without them those that were foretold are taken for given.
    """
    foretold = together(planted, Registry.load(), anyway)
    unanswered = frozenset() if given is None else answers_of(planted, foretold, Registry.load()) - given
    return Verdict(world, tuple(planted), foretold, raised, unanswered)


def plant(fault: Fault, facts: Facts, span: WorldSpan, pocket_id: str, day: date, seed: object = 0) -> Planted:
    """Plants a fault at a pocket and Fed business day of `facts`. Raises NothingToHit, with nothing changed.

    There is nothing to hit at a bank that cannot have the fault.
    """
    if not fault.exists_under(facts.books):
        raise NothingToHit
    days = span.business_days
    draw = Random(f"{fault.name}|{pocket_id}|{day}|{seed}")
    names = plantings()[fault.name](Site(facts, pocket_id, day, draw, days[0], days[-1]))
    foretold = frozenset(fault.foretold(pocket_id, day, names, facts.books))
    answers = frozenset(fault.answered(pocket_id, day, names, facts.books))
    return Planted(fault.name, pocket_id, day, foretold, _about(names, foretold), answers)


def _about(names: Names, foretold: frozenset[Raised]) -> frozenset[str]:
    told = [one.entity for one in foretold]
    for value in names.values():
        told.extend([value] if isinstance(value, str) else value)
    words = {word for text in told for word in _WORD.findall(text)}
    return frozenset(words | {f"{one.control} {one.business_date}" for one in foretold if not one.entity})


def cells(facts: Facts, span: WorldSpan, seed: object) -> list[Place]:
    """Places for one fault each, in random order: a pocket and the days on which it may be planted.

    Two of one pocket lie `APART` business days from each other; the last one may be on the last days, where what is
    not due yet can be shown.
    """
    draw = Random(f"cells|{seed}")
    days = span.business_days
    places = range(draw.randint(_EARLIEST, _LATEST), len(days), APART)
    made = []
    for pocket in sorted({row["pocket_id"] for row in facts.all("staging.pocket")}):
        for place in places:
            tried = [days[place]]
            if place + APART >= len(days):
                tried += reversed(days[place + 1 :][-_TRIED_DAYS_OF_LAST_BLOCK:])
            made.append((pocket, tried))
    draw.shuffle(made)
    return made


def fill(faults: Sequence[Fault], facts: Facts, span: WorldSpan, places: list[Place], seed: object) -> list[Planted]:
    """Plants the faults in turn, each once a round, until the places are taken or nothing more can be planted.

    A fault of the whole customer takes the place of every pocket for its time, one of a month those of its pocket in
    that month, one of the whole world every place.
    """
    free = list(places)
    planted: list[Planted] = []
    # A place that offers a fault nothing offers it nothing later: what is planted elsewhere does not reach it.
    refused: set[tuple[str, Name]] = set()
    while free:
        before = len(planted)
        for fault in faults:
            done = _first_that_offers(fault, facts, span, places, free, seed, refused)
            if done is None:
                continue
            place, one = done
            planted.append(one)
            free = [other for other in free if not _is_taken(other, place, fault)]
        if len(planted) == before:
            break
    return planted


def _is_taken(other: Place, place: Place, fault: Fault) -> bool:
    if _name(other) == _name(place):
        return True
    if fault.reach is Reach.WORLD:
        return True
    if fault.reach is Reach.CUSTOMER:
        return other[1][0] == place[1][0]
    return fault.reach is Reach.MONTH and other[0] == place[0] and _month(other) == _month(place)


def _name(place: Place) -> Name:
    return place[0], place[1][0]


def _month(place: Place) -> tuple[int, int]:
    return place[1][0].year, place[1][0].month


def _first_that_offers(
    fault: Fault,
    facts: Facts,
    span: WorldSpan,
    places: Sequence[Place],
    free: Sequence[Place],
    seed: object,
    refused: set[tuple[str, Name]],
) -> tuple[Place, Planted] | None:
    if fault.reach is not Reach.POCKET:
        open_ = {_name(place) for place in free}
        used = [place for place in places if _name(place) not in open_]
        free = [place for place in free if not any(_is_taken(other, place, fault) for other in used)]
    for place in free:
        if (fault.name, _name(place)) in refused:
            continue
        for day in place[1]:
            try:
                return place, plant(fault, facts, span, place[0], day, seed)
            except NothingToHit:
                continue
        refused.add((fault.name, _name(place)))
    return None


def raised(facts: Facts, span: WorldSpan, basis: Basis | None = DEMO_BASIS) -> frozenset[Raised]:
    """Every break that a run of all controls, gates included, finds in `facts`."""
    return told(facts, span, basis)[0]


def told(
    facts: Facts, span: WorldSpan, basis: Basis | None = DEMO_BASIS, wanted: Set[Answer] = frozenset()
) -> tuple[frozenset[Raised], frozenset[Answer]]:
    """As `raised`, and what was answered of the controls and days of the `wanted` answers that is no break."""
    with judged(facts, span, basis) as con:
        rows = con.execute(
            "select control_id, code, sub_code, pocket_id, business_date, entity_key"
            " from recon.result where status = 'BREAK'"
        ).fetchall()
        answers = con.execute(
            "select control_id, reason, pocket_id, business_date, entity_key from recon.result"
            " where status <> 'BREAK' and list_contains($controls, control_id) and list_contains($days, business_date)",
            {
                "controls": sorted({one.control for one in wanted}),
                "days": sorted({one.business_date for one in wanted}),
            },
        ).fetchall()
    return frozenset(Raised(*row) for row in rows), frozenset(Answer(*row) for row in answers)


@contextmanager
def judged(facts: Facts, span: WorldSpan, basis: Basis | None = DEMO_BASIS) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse that holds `facts` and the results of a run of all controls, gates included."""
    with proving(facts, basis) as con:
        run_controls(
            con,
            Registry.load(),
            customer_id=CUSTOMER,
            legal_entity_id=ENTITY,
            first=span.first,
            last=span.last,
            run_id="self-test",
            now=_JUDGED_AT,
        )
        yield con


def under_way(facts: Facts, span: WorldSpan) -> frozenset[Raised]:
    """The sweeps of the last day that arrive on the next: with nothing wrong they are timing, and told as such.

    A bank that posts both legs on one day has none.
    """
    before = calendars.previous_fed_business_day(span.last)
    legs = {day: _sweep_legs(facts, day) for day in (before, span.last)}
    living = {row["pocket_id"] for row in facts.all("staging.pocket_life") if row["last_activity_on"] is None}
    arrived = {(pocket, reference) for pocket, _, reference in legs[before]}
    here = Counter((pocket, reference) for pocket, _, reference in legs[span.last])
    return frozenset(
        Raised("K20", "IN_TRANSIT", "", pocket, span.last, reference)
        for (pocket, reference), sides in here.items()
        if sides == 1 and pocket in living and (pocket, reference) not in arrived
    )


def _sweep_legs(facts: Facts, day: date) -> set[tuple[str, str, str]]:
    """(pocket, kind of statement, reference) of every sweep that a statement of the day shows."""
    names: dict[tuple[str, str, int], str] = {
        (row["scope_pocket_id"], row["document_kind"], row["entry_seq"]): row["end_to_end_id"]
        for row in facts.find("staging.statement_entry_detail", scope_date=day)
    }
    swept = [
        (row["scope_pocket_id"], row["document_kind"], row["entry_seq"])
        for row in facts.find("staging.statement_entry", scope_date=day)
        if row["proprietary_code"] in _SWEEPS
    ]
    return {(pocket, kind, names[pocket, kind, number]) for pocket, kind, number in swept}


def together(
    planted: Sequence[Planted], registry: Registry, anyway: frozenset[Raised] = frozenset()
) -> frozenset[Raised]:
    """What faults that meet must raise: the union, less what rests on a document that a gate of theirs has blocked.

    `anyway` is raised with no fault.

    The break of a gate blocks its document for its pocket and day, and for chained controls on the day after. An
    entity that begins with the name of a document rests on that one alone; what is said of the customer rests on the
    documents of every pocket.
    """
    union = anyway.union(*(one.foretold for one in planted))
    order = {control.control_id: place for place, control in enumerate(registry.gates)}
    gates = sorted((one for one in union if one.control in order), key=lambda one: order[one.control])
    kept: set[Raised] = set()
    blocked: set[tuple[str, str, date]] = set()
    for gate in gates:
        if not _rests_on(gate, registry, blocked - {_document(one) for one in kept if one.control == gate.control}):
            kept.add(gate)
            blocked.add(_document(gate))
    return frozenset(kept | {one for one in union - set(gates) if not _rests_on(one, registry, blocked)})


def answers_of(planted: Sequence[Planted], foretold: Set[Raised], registry: Registry) -> frozenset[Answer]:
    """The answers that faults which meet must leave, less what rests on a document that a gate has blocked."""
    gates = {control.control_id for control in registry.gates}
    blocked = {_document(one) for one in foretold if one.control in gates}
    wanted = {answer for one in planted for answer in one.answers}
    return frozenset(one for one in wanted if not _rests_on(one, registry, blocked))


def _document(gate: Raised) -> tuple[str, str, date]:
    return gate.entity.split(" ")[0], gate.pocket_id, gate.business_date


def _rests_on(one: Raised | Answer, registry: Registry, blocked: set[tuple[str, str, date]]) -> bool:
    control = registry[one.control]
    if not control.gated:
        return False
    named = one.entity.split(" ")[0]
    inputs = (named,) if named in control.inputs else control.inputs
    days = [one.business_date]
    if control.chained:
        days.append(calendars.previous_fed_business_day(one.business_date))
    return any(
        kind in inputs and day in days and (one.pocket_id == "" or pocket in ("", one.pocket_id))
        for kind, pocket, day in blocked
    )

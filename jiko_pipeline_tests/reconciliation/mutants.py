"""Mutants of the controls: their selects with one thing wrong, and worlds that must tell each from the original.

Belongs here: making mutants, running one control over stored worlds. Does not belong here: how many there must be
(`test_selftest_mutants`), those known to be no different (`equivalent_mutants.toml`).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from random import Random

import duckdb
import sqlglot
from sqlglot import exp

from jiko_pipeline.reconciliation.evidence import evidence
from jiko_pipeline.reconciliation.registry import Control, Registry
from jiko_pipeline.reconciliation.runner import run_controls
from jiko_pipeline.selftest.campaign import Job, filled_world
from jiko_pipeline.selftest.facts import CUSTOMER, ENTITY
from jiko_pipeline.selftest.worlds import proving, span_of

Answer = tuple[str, date, str, str, str, str]
"""Pocket, day, entity, status, code, sub code."""
_JUDGED_AT = datetime(2025, 6, 2, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Mutant:
    """A control's select with one thing changed. `name` says which: operator, its place among those of its kind."""

    control_id: str
    name: str
    change: str
    sql: str

    @property
    def key(self) -> str:
        """How it is called in `equivalent_mutants.toml`."""
        return f"{self.control_id} {self.change}"


def _dropped(node: exp.Expression) -> exp.Expression | None:
    """A predicate of a conjunction, gone."""
    if isinstance(node, exp.And | exp.Where | exp.Join):
        return None
    parent = node.parent
    if isinstance(parent, exp.And | exp.Where) or (isinstance(parent, exp.Join) and node.arg_key == "on"):
        return exp.true() if isinstance(node, exp.Condition) else None
    return None


_TURNED: dict[type[exp.Expression], type[exp.Expression]] = {
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
    exp.LT: exp.LTE,
    exp.LTE: exp.LT,
    exp.GT: exp.GTE,
    exp.GTE: exp.GT,
    exp.NullSafeNEQ: exp.NullSafeEQ,
    exp.NullSafeEQ: exp.NullSafeNEQ,
}


def _turned(node: exp.Expression) -> exp.Expression | None:
    """A comparison that asks the opposite, or whose edge belongs to the other side."""
    other = _TURNED.get(type(node))
    return None if other is None else other(this=node.this.copy(), expression=node.expression.copy())


def _flipped(node: exp.Expression) -> exp.Expression | None:
    """A sum for a difference, and the reverse."""
    if isinstance(node, exp.Sub):
        return exp.Add(this=node.this.copy(), expression=node.expression.copy())
    if isinstance(node, exp.Add):
        return exp.Sub(this=node.this.copy(), expression=node.expression.copy())
    return node.this.copy() if isinstance(node, exp.Neg) else None


def _widened(node: exp.Expression) -> exp.Expression | None:
    """A number ten thousand times as large, where something is compared with it or multiplied by it."""
    if not isinstance(node, exp.Literal) or node.is_string:
        return None
    if not node.find_ancestor(exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between):
        return None
    return exp.Literal.number(f"{node.this}0000" if "." not in node.this else str(float(node.this) * 10_000))


def _inner(node: exp.Expression) -> exp.Expression | None:
    """An inner join for an outer one."""
    if not isinstance(node, exp.Join) or node.side not in ("LEFT", "FULL", "RIGHT"):
        return None
    made = node.copy()
    made.set("side", None)
    return made


def _shorter(node: exp.Expression) -> exp.Expression | None:
    """A case without its first branch."""
    if not isinstance(node, exp.Case) or not node.args.get("ifs"):
        return None
    made = node.copy()
    if len(made.args["ifs"]) < 2:
        return made.args.get("default") or exp.null()
    made.set("ifs", made.args["ifs"][1:])
    return made


def _unfilled(node: exp.Expression) -> exp.Expression | None:
    """A value that may be null, not filled."""
    return node.this.copy() if isinstance(node, exp.Coalesce) else None


def _other_end(node: exp.Expression) -> exp.Expression | None:
    """The largest for the smallest, and the reverse; the largest for a sum."""
    if isinstance(node, exp.Max):
        return exp.Min(this=node.this.copy())
    if isinstance(node, exp.Min | exp.Sum):
        return exp.Max(this=node.this.copy())
    return None


OPERATORS: dict[str, Callable[[exp.Expression], exp.Expression | None]] = {
    "predicate dropped": _dropped,
    "comparison turned": _turned,
    "sign flipped": _flipped,
    "number widened": _widened,
    "inner for outer join": _inner,
    "branch dropped": _shorter,
    "null not filled": _unfilled,
    "other end": _other_end,
}


_TOLD = {"left_value", "right_value", "difference", "detail"}


def _is_told(node: exp.Expression) -> bool:
    """True within a column that says how much, not whether: what a break shows has tests of its own."""
    alias = node.find_ancestor(exp.Alias)
    while alias is not None:
        if alias.alias in _TOLD:
            return True
        alias = alias.find_ancestor(exp.Alias)
    return False


def mutants_of(control: Control, most: int) -> list[Mutant]:
    """At most so many mutants of a control, of all operators alike, drawn the same way every time."""
    tree = sqlglot.parse_one(control.sql, read="duckdb")
    by_operator = []
    for operator, change in OPERATORS.items():
        found = [
            (place, node)
            for place, node in enumerate(tree.walk())
            if (made := change(node)) is not None and made != node and not _is_told(node)
        ]
        Random(f"{control.control_id}|{operator}").shuffle(found)
        by_operator.append([(operator, place, node) for place, node in found])
    chosen: list[Mutant] = []
    while len(chosen) < most and any(by_operator):
        for kind in by_operator:
            if kind and len(chosen) < most:
                operator, place, node = kind.pop()
                chosen.append(_mutant(control, tree, operator, place, node))
    return chosen


def _mutant(control: Control, tree: exp.Expression, operator: str, place: int, node: exp.Expression) -> Mutant:
    copy = tree.copy()
    there = next(other for number, other in enumerate(copy.walk()) if number == place)
    made = OPERATORS[operator](there)
    assert made is not None
    there.replace(made)
    told = " ".join(node.sql("duckdb").split())
    return Mutant(control.control_id, operator, f"{operator} @{place}: {told}", copy.sql("duckdb"))


@dataclass
class StoredWorld:
    """A judged world with its evidence at hand."""

    name: str
    con: duckdb.DuckDBPyConnection
    blocked: dict[str, set[tuple[str, date, str]]]

    def answers(self, control_id: str, sql: str) -> set[Answer]:
        """What a select answers; of keys that a gate has blocked, that it answers. Raises duckdb.Error."""
        rows = self.con.execute(
            f"select pocket_id, business_date, entity_key, status, code, sub_code from ({sql}) as control"
        ).fetchall()
        blocked = self.blocked.get(control_id, set())
        return {row if row[:3] not in blocked else (*row[:2], "", "BLOCKED", "", "") for row in rows}


@contextmanager
def stored(jobs: Sequence[Job]) -> Iterator[list[StoredWorld]]:
    """The worlds of these jobs, faults planted, judged, with the evidence of the whole time at hand."""
    with ExitStack() as stack:
        yield [stack.enter_context(_stored(job)) for job in jobs]


@contextmanager
def _stored(job: Job) -> Iterator[StoredWorld]:
    facts, basis, _ = filled_world(job)
    span = span_of(job.days)
    with proving(facts, basis) as con:
        run_controls(con, Registry.load(), customer_id=CUSTOMER, legal_entity_id=ENTITY, first=span.first,
                     last=span.last, run_id="mutants", now=_JUDGED_AT)  # fmt: skip
        blocked: dict[str, set[tuple[str, date, str]]] = {}
        for control, *key in con.execute(
            "select control_id, pocket_id, business_date, entity_key from recon.result where blocked_by <> ''"
        ).fetchall():
            blocked.setdefault(control, set()).add(tuple(key))
        with evidence(con, customer_id=CUSTOMER, first=span.first, last=span.last):
            yield StoredWorld(job.name, con, blocked)


@dataclass(frozen=True)
class Outcome:
    """What became of the mutants. A stillborn one is no select at all, so it is not counted."""

    killed: list[Mutant]
    survived: list[Mutant]
    stillborn: list[Mutant]


def hunt(worlds: Sequence[StoredWorld], controls: Sequence[Control], most: int) -> Outcome:
    """Runs at most `most` mutants of each control over the worlds; one that answers differently in any is killed."""
    outcome = Outcome([], [], [])
    for control in controls:
        sound = [world.answers(control.control_id, control.sql) for world in worlds]
        for mutant in mutants_of(control, most):
            outcome_of = _fate(mutant, worlds, sound)
            {"killed": outcome.killed, "survived": outcome.survived, "stillborn": outcome.stillborn}[outcome_of].append(
                mutant
            )
    return outcome


def _fate(mutant: Mutant, worlds: Sequence[StoredWorld], sound: Sequence[set[Answer]]) -> str:
    for world, right in zip(worlds, sound, strict=True):
        try:
            if world.answers(mutant.control_id, mutant.sql) != right:
                return "killed"
        except duckdb.Error:
            return "stillborn"
    return "survived"

"""Mutants of the controls: their selects with one thing wrong, and worlds that must tell each from the original.

Belongs here: making mutants, running one control over stored worlds. Does not belong here: how many there must be
(`test_selftest_mutants`), those known to be no different (`equivalent_mutants.toml`).
"""

from collections.abc import Callable, Iterator, Sequence, Set
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from random import Random
from threading import Timer
from typing import Final

import duckdb
import sqlglot
from sqlglot import exp

from jiko_pipeline.reconciliation.evidence import EVIDENCE_TABLES, evidence, sql_text
from jiko_pipeline.reconciliation.registry import Control
from jiko_pipeline.selftest.campaign import ALONE, FULL, Job, filled_world, jobs_of
from jiko_pipeline.selftest.catalogue import Answer
from jiko_pipeline.selftest.facts import CUSTOMER
from jiko_pipeline.selftest.proof import judged
from jiko_pipeline.selftest.scenes import SCENES, Scene
from jiko_pipeline.selftest.worlds import span_of

_DIGEST = """
select
    count(*),
    sum(hash(
        answer.pocket_id, answer.business_date, answer.entity_key,
        case when blocked.control_id is null then answer.status end,
        case when blocked.control_id is null then answer.code end,
        case when blocked.control_id is null then answer.sub_code end,
        case when blocked.control_id is null then answer.reason end
    ))
from ({sql}) as answer
left join blocked
    on blocked.control_id = $control_id
    and blocked.pocket_id = answer.pocket_id
    and blocked.business_date = answer.business_date
    and blocked.entity_key = answer.entity_key
where $is_kept
   or (answer.status = 'BREAK' and blocked.control_id is null)
   or exists (
       select 1 from foretold
       where foretold.control_id = $control_id
         and foretold.pocket_id = answer.pocket_id
         and foretold.business_date = answer.business_date
         and foretold.entity_key = answer.entity_key
   )
"""
_LONGEST_SECONDS: Final = 15.0


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


def _dropped(node: exp.Expr) -> exp.Expr | None:
    """A predicate of a conjunction, gone. The only one of a join stays: without it a join ends only in small worlds."""
    if isinstance(node, exp.And):
        return None
    if isinstance(node.parent, exp.And | exp.Where) and isinstance(node, exp.Condition):
        return exp.true()
    return None


_TURNED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
    exp.LT: exp.LTE,
    exp.LTE: exp.LT,
    exp.GT: exp.GTE,
    exp.GTE: exp.GT,
    exp.NullSafeNEQ: exp.NullSafeEQ,
    exp.NullSafeEQ: exp.NullSafeNEQ,
}


def _turned(node: exp.Expr) -> exp.Expr | None:
    """A comparison that asks the opposite, or whose edge belongs to the other side."""
    other = _TURNED.get(type(node))
    return None if other is None else other(this=node.this.copy(), expression=node.expression.copy())


def _flipped(node: exp.Expr) -> exp.Expr | None:
    """A sum for a difference, and the reverse."""
    if isinstance(node, exp.Sub):
        return exp.Add(this=node.this.copy(), expression=node.expression.copy())
    if isinstance(node, exp.Add):
        return exp.Sub(this=node.this.copy(), expression=node.expression.copy())
    return node.this.copy() if isinstance(node, exp.Neg) else None


def _widened(node: exp.Expr) -> exp.Expr | None:
    """A number ten thousand times as large, and ten thousand for none, where something is compared with it."""
    if not isinstance(node, exp.Literal) or node.is_string:
        return None
    if not node.find_ancestor(exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between):
        return None
    return exp.Literal.number(str((Decimal(node.this) or 1) * 10_000))


def _inner(node: exp.Expr) -> exp.Expr | None:
    """An inner join for an outer one."""
    if not isinstance(node, exp.Join) or node.side not in ("LEFT", "FULL", "RIGHT"):
        return None
    made = node.copy()
    made.set("side", None)
    return made


def _shorter(node: exp.Expr) -> exp.Expr | None:
    """A case without its first branch."""
    if not isinstance(node, exp.Case) or not node.args.get("ifs"):
        return None
    made = node.copy()
    if len(made.args["ifs"]) < 2:
        return made.args.get("default") or exp.null()
    made.set("ifs", made.args["ifs"][1:])
    return made


def _unfilled(node: exp.Expr) -> exp.Expr | None:
    """A value that may be null, not filled."""
    return node.this.copy() if isinstance(node, exp.Coalesce) else None


def _other_end(node: exp.Expr) -> exp.Expr | None:
    """The largest for the smallest, and the reverse; the largest for a sum."""
    if isinstance(node, exp.Max):
        return exp.Min(this=node.this.copy())
    if isinstance(node, exp.Min | exp.Sum):
        return exp.Max(this=node.this.copy())
    return None


OPERATORS: dict[str, Callable[[exp.Expr], exp.Expr | None]] = {
    "predicate dropped": _dropped,
    "comparison turned": _turned,
    "sign flipped": _flipped,
    "number widened": _widened,
    "inner for outer join": _inner,
    "branch dropped": _shorter,
    "null not filled": _unfilled,
    "other end": _other_end,
}


_KEY: Final = frozenset({"pocket_id", "business_date", "entity_key", "status", "code", "sub_code", "reason"})
_TOLD: Final = frozenset({"left_value", "right_value", "difference", "detail"})


def _told_names(tree: exp.Expr) -> frozenset[str]:
    """The names of columns that only say how much, not whether: what a break shows has tests of its own.

    All that nothing but such columns is made of; a name that means two things is told only when both are.
    """
    told = {alias.alias for alias in tree.find_all(exp.Alias)} - _KEY | _TOLD
    while True:
        live = {
            column.name
            for column in tree.find_all(exp.Column)
            if column.name in told and not _is_passed_on(column) and not _is_told(column, told)
        }
        if not live:
            return frozenset(told)
        told -= live


def _is_passed_on(column: exp.Column) -> bool:
    return isinstance(column.parent, exp.Select) and column.arg_key == "expressions"


def _is_told(node: exp.Expr, told: Set[str]) -> bool:
    """True within a column of these names."""
    alias = node.find_ancestor(exp.Alias)
    while alias is not None:
        if alias.alias in told:
            return True
        alias = alias.find_ancestor(exp.Alias)
    return False


def mutants_of(control: Control, most: int, seed: str = "") -> list[Mutant]:
    """At most so many mutants of a control, of all operators alike; the same `seed` draws the same ones."""
    tree = sqlglot.parse_one(control.sql, read="duckdb")
    told = _told_names(tree)
    by_operator = []
    for operator, change in OPERATORS.items():
        found = [
            (place, node)
            for place, node in enumerate(tree.walk())
            if (made := change(node)) is not None and made != node and not _is_told(node, told)
        ]
        Random("|".join(filter(None, (control.control_id, operator, seed)))).shuffle(found)
        by_operator.append([(operator, place, node) for place, node in found])
    chosen: list[Mutant] = []
    while len(chosen) < most and any(by_operator):
        for kind in by_operator:
            if kind and len(chosen) < most:
                operator, place, node = kind.pop()
                chosen.append(_mutant(control, tree, operator, place, node))
    return chosen


def _mutant(control: Control, tree: exp.Expr, operator: str, place: int, node: exp.Expr) -> Mutant:
    copy = tree.copy()
    there = next(other for number, other in enumerate(copy.walk()) if number == place)
    made = OPERATORS[operator](there)
    assert made is not None
    there.replace(made)
    told = " ".join(node.sql("duckdb").split())
    return Mutant(control.control_id, operator, f"{operator} @{place}: {told}", copy.sql("duckdb"))


World = Scene | Job
"""A world whose whole answers are kept, or one of which every break was foretold."""


@dataclass(frozen=True)
class StoredWorld:
    """The evidence of a judged world, as the tables of a file, and the keys that its gates have blocked."""

    world: World
    con: duckdb.DuckDBPyConnection

    def digest(self, control_id: str, sql: str) -> tuple[object, ...]:
        """Tells what the self-test sees of a select's answers from anything else that it would see.

        That is key, status, code, sub code and reason of every row where the whole answers are kept, else those of
        breaks and of what else was foretold; of a key that a gate has blocked, only that it answers. Raises
        duckdb.Error.
        """
        return self.con.execute(
            _DIGEST.format(sql=sql), {"control_id": control_id, "is_kept": isinstance(self.world, Scene)}
        ).fetchall()[0]


def store(world: World, folder: Path) -> Path:
    """Makes, judges and stores a world, unless the folder has it; answers its file."""
    file = folder / f"{sha256(world.name.encode()).hexdigest()[:16]}.duckdb"
    if file.exists():
        return file
    answers: set[Answer] = set()
    if isinstance(world, Scene):
        facts, basis = world.world()
    else:
        facts, basis, planted = filled_world(world)
        answers = {answer for one in planted for answer in one.answers}
    span = world.span if isinstance(world, Scene) else span_of(world.days)
    with judged(facts, span, basis) as con:
        unfinished = file.with_suffix(".unfinished")
        con.execute(f"attach '{unfinished}' as store")
        con.execute(
            "create table store.blocked as select control_id, pocket_id, business_date, entity_key"
            " from recon.result where blocked_by <> ''"
        )
        con.execute(
            "create table store.foretold"
            " (control_id varchar, reason varchar, pocket_id varchar, business_date date, entity_key varchar)"
        )
        if answers:
            con.executemany("insert into store.foretold values (?, ?, ?, ?, ?)", sorted(answers))
        with evidence(con, customer_id=CUSTOMER, first=span.first, last=span.last):
            for name in EVIDENCE_TABLES:
                con.execute(f"create table store.{name} as select * from temp.{name}")
        con.execute("checkpoint store")
        con.execute("detach store")
    unfinished.rename(file)
    return file


@contextmanager
def stored(wanted: Sequence[World], folder: Path, processes: int = 1) -> Iterator[list[StoredWorld]]:
    """These worlds, faults planted, judged, with the evidence of the whole time at hand."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        files = list(pool.map(store, wanted, [folder] * len(wanted)))
    with ExitStack() as stack:
        worlds = []
        for world, file in zip(wanted, files, strict=True):
            con = stack.enter_context(
                duckdb.connect(str(file), read_only=True, config={"threads": 1, "memory_limit": "2GB"})
            )
            con.execute(sql_text("", "prelude.duckdb.sql"))
            worlds.append(StoredWorld(world, con))
        yield worlds


@dataclass(frozen=True)
class Outcome:
    """What became of the mutants. A stillborn one is no select at all, an endless one was given up: neither counts."""

    killed: list[Mutant]
    survived: list[Mutant]
    stillborn: list[Mutant]
    endless: list[Mutant]


def hunt(worlds: Sequence[StoredWorld], controls: Sequence[Control], most: int, seed: str = "") -> Outcome:
    """Runs at most `most` mutants of each control over the worlds; one that answers differently in any is killed."""
    outcome = Outcome([], [], [], [])
    for control in controls:
        sound = [world.digest(control.control_id, control.sql) for world in worlds]
        for mutant in mutants_of(control, most, seed):
            getattr(outcome, _fate(mutant, worlds, sound)).append(mutant)
    return outcome


@contextmanager
def _given_up(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Interrupts what runs for as long as nothing does but a join that has lost what it joins by."""
    timer = Timer(_LONGEST_SECONDS, con.interrupt)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _fate(mutant: Mutant, worlds: Sequence[StoredWorld], sound: Sequence[tuple[object, ...]]) -> str:
    for world, right in zip(worlds, sound, strict=True):
        try:
            with _given_up(world.con):
                found = world.digest(mutant.control_id, mutant.sql)
            if found != right:
                return "killed"
        except duckdb.InterruptException:
            return "endless"
        except (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException):
            return "stillborn"
        except duckdb.Error:
            # A run stops with it, and the self-test with the run.
            return "killed"
    return "survived"


WORLDS: Final[tuple[World, ...]] = (
    *SCENES,
    Job(ALONE, 5, 6, 20),
    *(Job(ALONE, 20 + row, 8, 25, row) for row in range(1, 8)),
    *(job for job in jobs_of(replace(FULL, own_worlds=1)) if job.only),
    *(Job(ALONE, 201 + turn, 4, 120, of_customer=True, turn=turn, turns=4) for turn in range(4)),
    *(Job(ALONE, 101 + turn, 24, 60, turn=turn, turns=3) for turn in range(3)),
)
"""Worlds that hold, together, every fault of the catalogue; the small ones first, so that most mutants end there."""

"""Every table as it was known at an instant: the macros `as_known_at.<schema>_<table>(timestamp '...')`.

Belongs here: how each kind of table answers for an earlier instant. Does not belong here: what core states
(`core/*.sql`) and keeping versions of results (`warehouse.history`).

Documents: a row of staging stands from the end of the fetch that brought it (`known_from_utc`) until that of the
fetch that no longer stated it (`known_to_utc`, half-open), so a warehouse that is built again from the archive
answers alike. Core as it was known is core's own SQL over staging as it was known: nothing is stated twice. What
runs and people wrote stands in `history`, or in tables that are only appended to.
"""

import re
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Final

from jiko_pipeline.warehouse.mirror_sql import mirror_sql
from jiko_pipeline.warehouse.tables import TABLES
from jiko_pipeline.warehouse.tables.history import KEPT_BY_DAY, KEPT_WHOLE
from jiko_pipeline.warehouse.tables.mirrors import DIMENSIONS, FLOWS, Mirror
from jiko_pipeline.warehouse.tables.spec import TableSpec

SCHEMA: Final = "as_known_at"
PARAMETER: Final = "known_at_utc"

_OF_INSTANT: Final = {
    "raw.document": "fetched_at_utc",
    "raw.load": "loaded_at_utc",
    "core.trade_confirmation_check": "checked_at_utc",
    "recon.run": "known_from_utc",
    "recon.break_event": "at_utc",
    "recon.signoff": "at_utc",
}
"""Tables whose rows are never changed, with the column that says from when a row stood there."""

_FOLLOWS_RUNS: Final = ("recon.run_control", "recon.input_version")
"""Tables whose rows name the runs that they belong to."""

_BUILT: Final = (
    "pocket",
    "security",
    "bank_daily",
    "bank_transaction",
    "brokerage_flow",
    "brokerage_daily",
    "api_transaction",
    "trade",
    "trade_report",
    "position_daily",
    "security_price",
)
"""Core tables with a select of their own in `core/`."""

_TIMELESS: Final = ("core.calendar", "core.day_boundary")
"""Tables that say nothing about the bank; which calendar a run used stands in its record."""

_NAME: Final = re.compile(r'\b(raw|staging|core|recon|mart)\.("?)(\w+)\2(?P<alias>\s+as\s+\w+)?')
_COMMENT: Final = re.compile(r"^\s*--.*$", re.MULTILINE)
_SOURCES: Final = ("raw", "staging", "core", "recon", "mart")
_KEPT: Final = frozenset(spec.qualified_name for spec in (*KEPT_BY_DAY, *KEPT_WHOLE))
_MIRRORS: Final = {mirror.table.qualified_name: mirror for mirror in (*DIMENSIONS, *FLOWS)}


def macro_name(table: str) -> str:
    """`as_known_at.core_trade` for `core.trade`."""
    schema, _, name = table.replace('"', "").partition(".")
    return f"{SCHEMA}.{schema}_{name}"


@cache
def macros() -> dict[str, str]:
    """The select of each macro by the table or view it answers for, in an order in which they can be made."""
    found = {name: _select(TABLES[name]) for name in TABLES if name not in tables_without_past()}
    views = {
        "recon.break": f"select * from recon.break_known_at({PARAMETER})",
        "core.transfer_trail": _view("core_transfer_trail.sql", "core.transfer_trail"),
    }
    return _ordered({**found, **views})


@cache
def tables_without_past() -> frozenset[str]:
    """The tables of which only the present state is kept."""
    return frozenset(name for name, spec in TABLES.items() if spec.schema not in _SOURCES or not _answers(spec))


def _answers(spec: TableSpec) -> bool:
    name = spec.qualified_name
    return (
        spec.schema in ("staging", "raw")
        or name in (*_FOLLOWS_RUNS, *_OF_INSTANT, *_KEPT, *_MIRRORS, *_TIMELESS)
        or (spec.schema == "core" and spec.name in _BUILT)
    )


def macro_statements() -> list[str]:
    """Every statement that makes the macros, with their comments."""
    statements = []
    for table, select in macros().items():
        name = macro_name(table)
        statements.append(f"create or replace macro {name}({PARAMETER}) as table {select}")
        statements.append(f"comment on macro table {name} is '{described(table)}'")
    return statements


def described(table: str) -> str:
    """What the macro of a table answers, as a sentence."""
    return f"{table} as it was known at the instant {PARAMETER}."


def _select(spec: TableSpec) -> str:
    name = spec.qualified_name
    if name == "raw.delivery":
        return _core_sql("as_known_delivery.sql")
    if name in _FOLLOWS_RUNS:
        return _of_runs(spec)
    if name in _OF_INSTANT:
        return f"select {_columns(spec)} from {_quoted(spec)} where {_OF_INSTANT[name]} <= {PARAMETER}"
    if name in _KEPT:
        return f"select {_columns(spec)} from history.{spec.schema}_{spec.name} where {_stands()}"
    if spec.schema == "staging":
        columns = _columns(spec, known_to_utc="cast(null as timestamp)")
        return f"select {columns} from {_quoted(spec)} where {_stands()}"
    if name in _MIRRORS:
        return _mirror(_MIRRORS[name])
    if name in _TIMELESS:
        return f"select {_columns(spec)} from {_quoted(spec)}"
    return _built(spec)


def _stands() -> str:
    return f"known_from_utc <= {PARAMETER} and (known_to_utc is null or known_to_utc > {PARAMETER})"


def _quoted(spec: TableSpec) -> str:
    return f'{spec.schema}."{spec.name}"'


def _columns(spec: TableSpec, prefix: str = "", **instead: str) -> str:
    return ", ".join(
        f'{instead[column.name]} as "{column.name}"' if column.name in instead else f'{prefix}"{column.name}"'
        for column in spec.columns
    )


def _of_runs(spec: TableSpec) -> str:
    if spec.name == "run_control":
        runs = f"select run.customer_id, run.run_id from recon.run as run where run.known_from_utc <= {PARAMETER}"
        return f"select {_columns(spec)} from {_quoted(spec)} where (customer_id, run_id) in ({runs})"
    latest = (
        "(select max(run.run_seq) from recon.run as run where run.customer_id = input.customer_id"
        f" and run.known_from_utc <= {PARAMETER})"
    )
    ended = f"case when input.to_run_seq <= {latest} then input.to_run_seq end"
    columns = _columns(spec, "input.", to_run_seq=ended)
    return f"select {columns} from {_quoted(spec)} as input where input.from_run_seq <= {latest}"


def _mirror(mirror: Mirror) -> str:
    spec = mirror.table
    if mirror in DIMENSIONS:
        ended = f"case when known_to_utc > {PARAMETER} then null else known_to_utc end"
        columns = _columns(spec, known_to_utc=ended)
        return f"select {columns} from {_quoted(spec)} where known_from_utc <= {PARAMETER}"
    return _declared(spec, _as_known(mirror_sql("flow.sql", mirror)))


def _built(spec: TableSpec) -> str:
    return _declared(spec, _as_known(_core_sql(f"{spec.name}.sql")))


def _declared(spec: TableSpec, select: str) -> str:
    return f"select {_columns(spec)} from ({select}) as built"


def _as_known(sql: str) -> str:
    """A build's select over all customers and days, reading every table as it was known."""
    text = _COMMENT.sub("", sql).strip().removesuffix(";")
    text = re.sub(r"^insert into \S+ by name\s+", "", text)
    text = re.sub(r"\norder by [^()]*$", "", text)
    working = [
        ("build_refused", _working("build_refused.sql")),
        ("build_scope", _working("build_scope.sql")),
        ("build_instant", "select from_utc, booked_on, business_date from core.day_boundary"),
        ("build_isin", "select cusip, isin from core.security"),
    ]
    text = re.sub(r"\s+and \w+\.\w+ in \(select \w+ from build_touched_\w+\)", "", text)
    text = re.sub(r"\s+and exists \(select 1 from build_touched as w where [^()]*\)", "", text)
    needed = [(name, select) for name, select in working if re.search(rf"\b{name}\b", text)]
    if any(name == "build_scope" for name, _ in needed) and needed[0][0] != "build_refused":
        needed.insert(0, working[0])
    ctes = ", ".join(f"{name} as ({_everything(select, keep=name == 'build_isin')})" for name, select in needed)
    text = _everything(text)
    if not ctes:
        return text
    return f"with {ctes}, {text.removeprefix('with').lstrip()}" if text.startswith("with") else f"with {ctes} {text}"


def _working(file_name: str) -> str:
    text = _COMMENT.sub("", _core_sql(file_name)).strip().removesuffix(";")
    return re.sub(r"^create or replace temp table \w+ as\s+", "", text)


def _everything(sql: str, *, keep: bool = False) -> str:
    text = re.sub(r"(\w+)\.customer_id,\s+getvariable\('build_entity'\)", r"\1.customer_id, \1.legal_entity_id", sql)
    text = text.replace("= getvariable('build_customer')", "is not null")
    text = re.sub(r"between getvariable\('build_first'\) and getvariable\('build_last'\)", "> date '0001-01-01'", text)
    return text if keep else _NAME.sub(_reference, text)


def _reference(match: re.Match[str]) -> str:
    schema, _, name = match.group(1, 2, 3)
    if f"{schema}.{name}" not in TABLES or f"{schema}.{name}" in tables_without_past():
        return match.group(0)
    alias = match["alias"] or f" as {name}"
    return f"{macro_name(f'{schema}.{name}')}({PARAMETER}){alias}"


def _view(file_name: str, view: str) -> str:
    text = resources.files(__package__).joinpath("views", file_name).read_text(encoding="utf-8")
    select = _COMMENT.sub("", text).split(";\n")[0]
    select = re.sub(rf"^\s*create or replace view {re.escape(view)} as\s+", "", select.strip())
    return _NAME.sub(_reference, select)


def _core_sql(file_name: str) -> str:
    return resources.files(__package__).joinpath("core", file_name).read_text(encoding="utf-8")


def _ordered(selects: dict[str, str]) -> dict[str, str]:
    """Those that others read come first."""
    ordered: dict[str, str] = {}
    names: Callable[[str], set[str]] = lambda select: set(re.findall(rf"{SCHEMA}\.\w+", select))  # noqa: E731
    left = dict(selects)
    while left:
        made = {macro_name(table) for table in ordered}
        ready = [table for table, select in left.items() if names(select) <= made]
        if not ready:
            raise ValueError(f"the macros of {', '.join(left)} read each other")
        for table in ready:
            ordered[table] = left.pop(table)
    return ordered

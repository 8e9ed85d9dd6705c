"""Matches rows of two records of the same thing, pass by pass, by rules that are data.

Belongs here: reading the rules (`rules.csv`), which statement serves which kind of rule, the order of the passes.
Does not belong here: what the statements do (`*.sql`), which facts are in sight (`evidence`), what an unmatched row
means (the controls).

A row is consumed once: a later pass sees only what the ones before left. A match by attributes needs that neither side
has a choice; several rows belong to one only by reference; anything else is suggested, never matched.
"""

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any, Final

import duckdb

_FOLDER: Final = "jiko_pipeline.reconciliation.matching"


class RuleKind(StrEnum):
    """How a rule matches. DAY_SUMS only suggests."""

    REFERENCE = "REFERENCE"
    REFERENCE_SUM = "REFERENCE_SUM"
    ATTRIBUTES = "ATTRIBUTES"
    DAY_SUMS = "DAY_SUMS"


@dataclass(frozen=True, slots=True)
class MatchRule:
    """One pass over a subject.

    The window counts business days of the right row after the left one, both ends included, `window_last_waiting` for
    left rows that may wait. `right_reference` NONE leaves right rows that name something to the rules by reference.
    """

    rule_id: str
    version: str
    subject: str
    pass_no: int
    kind: RuleKind
    right_reference: str
    window_first: int
    window_last: int
    window_last_waiting: int
    tolerance: Decimal
    title: str


@dataclass(frozen=True, slots=True)
class MatchRules:
    """All rules by subject and pass. `content_hash` covers them and the statements that serve them."""

    rules: tuple[MatchRule, ...]
    content_hash: str

    @property
    def subjects(self) -> tuple[str, ...]:
        """What is matched, in the order of the rules."""
        return tuple(dict.fromkeys(rule.subject for rule in self.rules))

    def of(self, subject: str) -> tuple[MatchRule, ...]:
        """The rules of a subject, by pass."""
        return tuple(sorted((rule for rule in self.rules if rule.subject == subject), key=lambda rule: rule.pass_no))


@cache
def packaged_rules() -> MatchRules:
    """The rules that travel with the package. Raises ValueError when the file is not a list of rules."""
    text = _text("rules.csv")
    return MatchRules(tuple(_rule(row) for row in csv.DictReader(text.splitlines())), _content_hash())


def _rule(row: dict[str, str]) -> MatchRule:
    return MatchRule(
        rule_id=row["rule_id"],
        version=row["version"],
        subject=row["subject"],
        pass_no=int(row["pass_no"]),
        kind=RuleKind(row["kind"]),
        right_reference=row["right_reference"],
        window_first=int(row["window_first"] or 0),
        window_last=int(row["window_last"] or 0),
        window_last_waiting=int(row["window_last_waiting"] or 0),
        tolerance=Decimal(row["tolerance"] or "0"),
        title=row["title"],
    )


def _content_hash() -> str:
    files = sorted(
        (file for file in resources.files(_FOLDER).iterdir() if file.name.endswith((".csv", ".sql"))),
        key=lambda file: file.name,
    )
    told = "\n".join(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files)
    return hashlib.sha256(told.encode()).hexdigest()


def match_evidence(con: duckdb.DuckDBPyConnection) -> None:
    """Makes the session table `matched` from the evidence tables at hand, all subjects."""
    rules = packaged_rules()
    con.execute(_text("matched.sql"))
    con.executemany(
        "insert into match_rule values (?, ?, ?, ?, ?)",
        [[rule.subject, rule.pass_no, rule.rule_id, rule.version, rule.kind.value] for rule in rules.rules],
    )
    try:
        for subject in rules.subjects:
            for side in ("left", "right"):
                con.execute(f"create or replace temp table match_{side} as\n{_text(f'{subject.lower()}.{side}.sql')}")
            match_sides(con, rules.of(subject))
            con.execute(_text("tell.sql"), {"subject": subject})
    finally:
        con.execute(_text("end.sql"))


def match_sides(con: duckdb.DuckDBPyConnection, rules: Sequence[MatchRule]) -> None:
    """Applies the rules of one subject to `match_left` and `match_right`.

    Both have row_no (unique), pocket_id, business_date, row_key, reference, scope (where references are unique),
    attributes, family (null on the right: any), amount, bd_idx and may_wait. Leaves `match_pair`, `match_candidate` and
    `match_suggestion`.
    """
    con.execute(_text("begin.sql"))
    for rule in rules:
        _apply(con, rule)


def _apply(con: duckdb.DuckDBPyConnection, rule: MatchRule) -> None:
    given: dict[str, Any] = {"pass_no": rule.pass_no}
    window = {"window_first": rule.window_first, "window_last": rule.window_last}
    match rule.kind:
        case RuleKind.REFERENCE:
            con.execute(_text("by_reference.sql"), given)
        case RuleKind.REFERENCE_SUM:
            con.execute(_text("by_reference_sum.sql"), {**given, **window, "tolerance": rule.tolerance})
        case RuleKind.ATTRIBUTES:
            attributes = {
                **given,
                **window,
                "window_last_waiting": rule.window_last_waiting,
                "right_reference": rule.right_reference,
            }
            if rule.tolerance == 0:
                # Equal amounts are a hash join; a range of amounts is not.
                con.execute(_text("candidates.sql"), attributes)
            else:
                con.execute(_text("candidates_near.sql"), {**attributes, "tolerance": rule.tolerance})
            con.execute(_text("by_attributes.sql"), given)
        case RuleKind.DAY_SUMS:
            con.execute(
                _text("suggest_day_sums.sql"),
                {**given, **window, "right_reference": rule.right_reference, "tolerance": rule.tolerance},
            )


def store_matches(con: duckdb.DuckDBPyConnection, *, legal_entity_id: str, run_id: str) -> None:
    """Keeps `matched` for the pocket-days of `replaced_scope`. The caller holds a transaction."""
    delete, insert = _text("store.sql").strip().removesuffix(";").split(";\n")
    con.execute(delete)
    con.execute(insert, {"legal_entity_id": legal_entity_id, "run_id": run_id})


def _text(name: str) -> str:
    return (resources.files(_FOLDER) / name).read_text(encoding="utf-8")

"""Control files keep to the SQL that more than one engine understands alike; this reads their tokens."""

import re
from itertools import pairwise

import pytest

from jiko_pipeline.reconciliation.registry import Control, Registry

CONTROLS = Registry.load().controls
RESULT_COLUMNS = (
    "pocket_id", "business_date", "entity_key", "status", "code", "sub_code", "reason", "left_value",
    "right_value", "difference", "detail",
)  # fmt: skip

TOKEN = re.compile(
    r"""
    (?P<comment>--[^\n]*)
  | (?P<string>'(?:[^']|'')*')
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<word>[A-Za-z_][A-Za-z_0-9]*)
  | (?P<symbol>\|\||::|<=|>=|<>|!=|//|==|->|[-+*/%(),.;=<>\[\]{}:$"@?^~&|])
  | (?P<space>\s+)
    """,
    re.VERBOSE,
)

ALLOWED_FUNCTIONS = {
    "abs", "bool_and", "cast", "ceil", "coalesce", "count", "days_between", "floor", "greatest", "lag", "lead",
    "least", "lower", "max", "min", "mv_of", "nullif", "position", "round", "row_number", "substr", "sum", "upper",
    "length", "replace", "rank", "dense_rank", "trim",
}  # fmt: skip
BEFORE_PARENTHESIS = {
    "as", "and", "or", "not", "in", "on", "when", "then", "else", "case", "select", "from", "join", "over", "using",
    "where", "filter", "exists", "decimal", "varchar", "values", "by", "union", "all", "between", "having", "distinct",
    "is", "limit",
}  # fmt: skip
FORBIDDEN_WORDS = {
    "qualify", "exclude", "asof", "pivot", "unpivot", "lateral", "lambda", "ilike", "similar", "glob",
    "current_date", "current_timestamp", "interval", "insert", "update", "delete", "merge", "create", "drop", "alter",
    "attach", "copy", "pragma", "set", "offset", "div", "float", "double", "real", "sample", "varchar",
}  # fmt: skip
DOUBLE_ALLOWED = {"K38", "K43", "K44"}
"""Yields, basis points and shares of a cost may be doubles, with a tolerance that is not at the edge."""


def tokens(sql: str) -> list[tuple[str, str]]:
    """(kind, text) without blanks and comments; a character that no token knows is itself a finding."""
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(sql):
        match = TOKEN.match(sql, at)
        if match is None:
            found.append(("unknown", sql[at]))
            at += 1
            continue
        at = match.end()
        if match.lastgroup not in ("space", "comment"):
            found.append((str(match.lastgroup), match.group()))
    return found


def findings(control_id: str, sql: str) -> list[str]:
    """What in `sql` another engine would refuse or read otherwise."""
    found: list[str] = []
    words = tokens(sql)
    depth = 0
    inside: list[str] = []
    for number, (kind, text) in enumerate(words):
        before = words[number - 1][1].lower() if number else ""
        after = words[number + 1][1].lower() if number + 1 < len(words) else ""
        if kind == "unknown" or text in {"[", "]", "{", "}", "::", "//", "==", "->", "!=", ";", "$", '"', "@", "?"}:
            found.append(f"symbol {text}")
        if text == "/" and control_id not in DOUBLE_ALLOWED and "floor" not in inside:
            found.append("symbol /")
        if kind == "word" and text != text.lower():
            found.append(f"upper case {text}")
        is_double = text == "double" and control_id in DOUBLE_ALLOWED
        if kind == "word" and text.lower() in FORBIDDEN_WORDS and "." not in (before, after) and not is_double:
            found.append(f"word {text}")
        is_called = kind == "word" and after == "(" and text.lower() not in ALLOWED_FUNCTIONS | BEFORE_PARENTHESIS
        is_table = before in {"with", ","} or re.search(rf"\b{re.escape(text)}\s*\([^)]*\)\s+as\s+\(", sql)
        if is_called and not is_table:
            found.append(f"function {text}")
        depth += {"(": 1, ")": -1}.get(text, 0)
        if text == "(":
            inside.append(before)
        elif text == ")" and inside:
            inside.pop()
        if text == "*" and depth == 0 and before == "select":
            found.append("outer select *")
    return found


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.control_id)
def test_a_control_uses_portable_sql_only(control: Control) -> None:
    assert findings(control.control_id, control.sql) == []


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.control_id)
def test_a_control_names_no_schema(control: Control) -> None:
    words = [text for _, text in tokens(control.sql)]
    schemas = {"raw", "staging", "core", "recon", "mart", "meta", "temp"}
    assert [a for a, b in pairwise(words) if a in schemas and b == "."] == []


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.control_id)
def test_a_control_says_in_sentences_what_holds_and_what_it_hides(control: Control) -> None:
    assert control.title.endswith(".")
    assert control.title[0].isupper()
    assert all((control.key, control.identity, control.tolerance, control.hides))
    assert re.fullmatch(r"\d+\.\d+", control.version)


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.control_id)
def test_every_code_a_control_declares_stands_in_its_select(control: Control) -> None:
    assert [code for code in control.codes if f"'{code}'" not in control.sql] == []


@pytest.mark.parametrize(
    "sql",
    [
        "select a[1] from t",
        "select a / b from t",
        "select a::int from t",
        "select avg(a) from t",
        "select a from t qualify row_number() over (order by a) = 1",
        "select * from t",
        "select list_sum(a) from t",
        "select extract(dow from d) from t",
        "select d + interval 1 day from t",
        "select now()",
        "SELECT a from t",
        "select a from t where a != 1",
        "select hash(a) from t",
    ],
)
def test_the_reader_of_tokens_finds_what_is_not_portable(sql: str) -> None:
    assert findings("K00", sql) != []


def test_the_reader_of_tokens_lets_portable_sql_pass() -> None:
    sql = """
    with a as (select x.*, lag(y, 1, 0) over (partition by p order by d) as z from x)
    select mv_of(z, px) as left_value, count(*) filter (where z is distinct from 0) as n, 'a/b[1]' as detail
    from a group by z, px
    """
    assert findings("K00", sql) == []

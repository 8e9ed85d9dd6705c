"""What matching costs at ten million rows a side, against a bare integer hash join of the same size.

Belongs here: the two sides, the yardstick. Does not belong here: matching within a run (`years`).
"""

import resource
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import duckdb

from jiko_pipeline.reconciliation.matching.engine import match_sides, packaged_rules
from jiko_pipeline_tests.bench.measuring import Figure, cost_of

ROWS: Final = 10_000_000
_MEMORY: Final = "1800MB"
"""What DuckDB may hold, so that the whole process stays under 2.5 GB."""

_SIDE: Final = """
    create table match_{side} as
    select
        i as row_no,
        'pocket-' || (i % 100) as pocket_id,
        date '2020-01-01' + cast(i * 1250 // {rows} as integer) as business_date,
        i as row_key,
        {reference} as reference,
        'pocket-' || (i % 100) as scope,
        'pocket-' || (i % 100) as attributes,
        'TRANSFER' as family,
        {amount} as amount,
        cast(i * 1250 // {rows} as integer) + {late} as bd_idx,
        i % 50 = 0 as may_wait
    from range({rows}) as rows(i)
"""
_AMOUNT: Final = "cast(hash(i) % 100000000 as decimal(38, 2))"
_ID: Final = "md5(cast(i as varchar))"


def matching() -> Iterator[Figure]:
    """By reference, then by attributes, then both remainders; one entry in twenty names nothing, some fit nothing."""
    with TemporaryDirectory(prefix="jiko-bench-matching-") as folder:
        file = str(Path(folder) / "sides.duckdb")
        with duckdb.connect(file, config={"memory_limit": _MEMORY, "temp_directory": folder}) as con:
            con.execute("set preserve_insertion_order = false")
            con.execute("set enable_progress_bar = false")
            make_sides(con, ROWS)
            bare = cost_of(
                lambda: con.execute(
                    "select sum(match_left.row_no) from match_left"
                    " join match_right on match_right.row_no = match_left.row_no"
                ).fetchall()
            )
            cost = cost_of(lambda: match_and_rest(con), goes=1)
            counts = match_and_rest_counts(con)
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 1024
        yield Figure(
            "matching, with both remainders",
            f"{ROWS:,} by {ROWS:,} rows, {counts}, process at most {most:.1f} GB",
            cost,
            "integer hash join",
            bare,
        )


def make_sides(con: duckdb.DuckDBPyConnection, rows: int) -> None:
    """Both sides as tables: one entry in twenty names nothing, of these one in 33 has an amount of its own."""
    con.execute(_SIDE.format(side="left", rows=rows, reference=_ID, amount=_AMOUNT, late="0"))
    con.execute(
        _SIDE.format(
            side="right",
            rows=rows,
            reference=f"case when i % 20 <> 0 then {_ID} end",
            amount=f"{_AMOUNT} + case when i % 33 = 0 then 0.17 else 0 end",
            late="cast(i % 2 as integer)",
        )
    )


def match_and_rest(con: duckdb.DuckDBPyConnection) -> None:
    """The passes that match, and the rows of each side that none of them took."""
    match_sides(con, [rule for rule in packaged_rules().of("TRANSACTION") if rule.pass_no <= 2])
    for side in ("left", "right"):
        con.execute(
            f"create or replace temp table rest_{side} as select side.* from match_{side} as side"
            f" anti join match_pair on match_pair.{side}_no = side.row_no"
        )


def match_and_rest_counts(con: duckdb.DuckDBPyConnection) -> str:
    """What was matched and what was left, in words."""
    ((pairs, left, right),) = con.execute(
        "select (select count(*) from match_pair), (select count(*) from rest_left), (select count(*) from rest_right)"
    ).fetchall()
    return f"{pairs:,} pairs, {left:,} and {right:,} left"

"""Asking a control when nobody has confirmed how the bank books: once for each tuple that the history leaves.

Belongs here: which tuples a control has to be asked under, and how its answers become one. Does not belong here:
learning the tuples (`basis_learning`), running a control under one of them (`runner`).
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb

from jiko_pipeline.reconciliation.basis import ELEMENTS, Basis, basis_values
from jiko_pipeline.reconciliation.basis_learning import kept_survivors
from jiko_pipeline.reconciliation.evidence import sql_text


def tuples_left(con: duckdb.DuckDBPyConnection) -> tuple[Basis, ...]:
    """The tuples under which the judged days have to pass; none when all days have a confirmed basis.

    Needs the evidence of the run. None also where the history was never learned from or explains nothing.
    """
    undecided = con.execute(
        "select 1 from judged_day anti join basis on basis.business_date = judged_day.business_date limit 1"
    ).fetchall()
    if not undecided:
        return ()
    customer_id = con.execute("select getvariable('customer_id')").fetchall()[0][0]
    return kept_survivors(con, customer_id)


def choices_for(sql: str, survivors: Sequence[Basis]) -> tuple[Basis, ...]:
    """Of `survivors` one for each difference that this control can see; none when it does not look at the basis."""
    if re.search(r"\b(?:from|join) basis\b", sql) is None:
        return ()
    seen = [name for name in ELEMENTS if re.search(rf"\b{name}\b", sql)]
    return tuple({tuple(getattr(one, name) for name in seen): one for one in survivors}.values())


@contextmanager
def claims(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Keeps the confirmed basis aside while controls are asked under others, and puts it back."""
    con.execute("create or replace temp table confirmed_basis as select * from basis")
    con.execute("drop table if exists temp.control_claim")
    try:
        yield
    finally:
        con.execute("create or replace temp table basis as select * from confirmed_basis")
        con.execute("drop table if exists temp.control_claim")
        con.execute("drop table if exists temp.confirmed_basis")


def suppose(con: duckdb.DuckDBPyConnection, basis: Basis) -> None:
    """Lets `basis` hold on every day in sight that has no confirmed one. Inside `claims` only."""
    con.execute(
        """
        create or replace temp table basis as
        select * from confirmed_basis
        union all by name
        select
            calendar.business_date,
            $1 as pos_basis, $2 as cash_basis, $3 as close_basis, $4 as gain_basis,
            cast($5 as decimal(12, 6)) as quantity_factor, $6 as fee_path, $7 as mark_settlement
        from calendar
        anti join confirmed_basis on confirmed_basis.business_date = calendar.business_date
        where calendar.business_date between getvariable('history_first') and getvariable('following_last')
        """,
        basis_values(basis),
    )


def keep_claim(con: duckdb.DuckDBPyConnection, choice_no: int) -> None:
    """Keeps what `control_answer` says as the answer under choice `choice_no`, from 1."""
    con.execute("create temp table if not exists control_claim as select *, 0 as choice_no from control_answer limit 0")
    con.execute("insert into control_claim select *, ? from control_answer", [choice_no])


def combine_claims(con: duckdb.DuckDBPyConnection, choices: int) -> None:
    """Makes `control_answer` of the kept claims."""
    con.execute(sql_text("judging", "combine_claims.sql"), {"choices": choices})

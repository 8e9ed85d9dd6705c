"""What is in already: the questions that the pipeline asks before it fetches.

Belongs here: reading the manifest. Does not belong here: what the calendar expects
(`jiko_pipeline.pipeline`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from jiko_pipeline.warehouse.kinds import Finality


@dataclass(frozen=True, slots=True)
class ScopeState:
    """One pocket and day of one kind.

    `finality` is the best among the deliveries of the current content, None when nothing good has arrived.
    `latest_outcome` is that of the delivery that arrived last; `is_refused` is true while the newest
    document of the scope is in quarantine. `known_from_utc` (naive UTC) is the last arrival.
    """

    finality: Finality | None
    latest_outcome: str
    is_refused: bool
    version_no: int | None
    known_from_utc: datetime


def documents_loaded(con: duckdb.DuckDBPyConnection, document_ids: Iterable[str]) -> set[str]:
    """Those of the ids that are in the manifest."""
    rows = con.execute(
        "select document_id from raw.document where document_id in (select unnest($1::varchar[]))",
        [list(document_ids)],
    ).fetchall()
    return {document_id for (document_id,) in rows}


def scope_states(
    con: duckdb.DuckDBPyConnection, customer_id: str, kind: str, first: date, last: date
) -> dict[tuple[str, date], ScopeState]:
    """What is known of each pocket and day of one kind; scopes that nothing spoke of are absent."""
    rows = con.execute(
        """
        select
            d.scope_pocket_id,
            d.scope_date,
            max(d.finality) filter (where d.is_current and d.finality = 'AFTER_CUTOFF') is not null,
            bool_or(d.is_current),
            arg_max(d.outcome, d.known_from_utc),
            bool_or(q.row_hash is not null),
            max(d.version_no) filter (where d.is_current),
            max(d.known_from_utc)
        from raw.delivery as d
        left join staging.quarantine as q
            on
                q.customer_id = d.customer_id
                and q.document_kind = d.document_kind
                and q.scope_pocket_id = d.scope_pocket_id
                and q.scope_date = d.scope_date
                and q.is_whole_document
                and q.known_to_utc is null
        where d.customer_id = ? and d.document_kind = ? and d.scope_date between ? and ?
        group by d.scope_pocket_id, d.scope_date
        """,
        [customer_id, kind, first, last],
    ).fetchall()
    states = {}
    for pocket, day, is_final, is_held, outcome, is_refused, version, known_from in rows:
        held = Finality.AFTER_CUTOFF if is_final else Finality.PROVISIONAL
        states[(pocket, day)] = ScopeState(held if is_held else None, outcome, is_refused, version, known_from)
    return states


def last_loaded_date(con: duckdb.DuckDBPyConnection, customer_id: str, kind: str) -> date | None:
    """The last day of any window of the kind that was loaded whole; None when there is none."""
    ((last,),) = con.execute(
        "select max(last_date) from raw.load where customer_id = ? and document_kind = ?", [customer_id, kind]
    ).fetchall()
    return last if isinstance(last, date) else None


def landed_span(con: duckdb.DuckDBPyConnection, customer_id: str) -> tuple[date, date] | None:
    """First and last day of which any document of the customer speaks; None when there is none."""
    ((first, last),) = con.execute(
        "select min(scope_date), max(scope_date) from raw.delivery"
        " where customer_id = ? and scope_date > date '0001-01-01'",
        [customer_id],
    ).fetchall()
    return (first, last) if first is not None else None

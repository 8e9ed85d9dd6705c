"""A reader of the published file, as a process of its own: opens it over and over and says what was inconsistent.

Run as `python -m jiko_pipeline_tests.operation.published_reader FILE SECONDS`: it reads every SECONDS until its
standard input closes (0: it opens the file once and keeps it open), then prints one JSON object. It imports nothing
of the project: readers are strangers who have DuckDB.
"""

import json
import select
import sys
from pathlib import Path
from typing import Any

import duckdb

HASHED = ("core.position_daily", "recon.result", "recon.break_event", "mart.daily_close", "mart.recon_bridge")
"""The tables whose hashes are read each time; all of them would take most of a second."""


def consult(con: duckdb.DuckDBPyConnection) -> tuple[dict[str, Any], list[str]]:
    """What the file holds, and what in it does not agree with itself."""
    closed, judged, bridged = (
        set(con.execute(f"select distinct pocket_id, business_date from {table} where pocket_id <> ''").fetchall())
        for table in ("mart.daily_close", "recon.result", "mart.recon_bridge")
    )
    wrong = []
    if closed != judged:
        wrong.append(f"{len(judged - closed)} judged pocket-days have no close, {len(closed - judged)} the reverse")
    if closed != bridged:
        wrong.append(f"{len(closed ^ bridged)} pocket-days have a close or a bridge, not both")
    unfooted = con.execute(
        """
        select count(*) from (
            select
                max(amount) filter (where label = 'closing') as closing,
                sum(amount) filter (where label not in ('closing', 'unexplained')) as lines,
                max(amount) filter (where label = 'unexplained') as unexplained
            from mart.recon_bridge
            group by pocket_id, business_date
        )
        where closing - lines is distinct from unexplained
        """
    ).fetchall()[0][0]
    if unfooted:
        wrong.append(f"{unfooted} bridges do not foot")
    hashes = {}
    for name in HASHED:
        rows = con.execute("select row_count, content_hash from meta.table_hash(?)", [name]).fetchall()
        counted = con.execute(f"select count(*) from {name}").fetchall()[0][0]
        if len(rows) != 1 or rows[0][0] != counted:
            wrong.append(f"{name} holds {counted} rows, its hash covers {rows}")
        else:
            hashes[name] = rows[0][1]
    return {"pocket_days": len(closed), "hashes": hashes}, wrong


def main(file: Path, pause_seconds: float) -> None:
    reads, wrong, states, most = 0, [], set(), 0
    held: duckdb.DuckDBPyConnection | None = None
    first: dict[str, Any] | None = None
    while True:
        if file.exists():
            try:
                con = held or duckdb.connect(str(file), read_only=True)
                seen, differences = consult(con)
                if pause_seconds == 0:
                    held, first = con, first or seen
                    if seen != first:
                        differences.append("the file changed under a reader that keeps it open")
                else:
                    con.close()
            except duckdb.Error as error:
                differences, seen = [f"{type(error).__name__}: {error}"], None
            reads += 1
            wrong += differences
            if seen is not None:
                states.add(json.dumps(seen["hashes"], sort_keys=True))
                most = max(most, seen["pocket_days"])
        # Waits for the end of standard input, which is how the test says that it has seen enough.
        if select.select([sys.stdin], [], [], pause_seconds or 0.5)[0] and not sys.stdin.readline():
            break
    print(json.dumps({"reads": reads, "wrong": wrong[:20], "states": len(states), "pocket_days": most}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))

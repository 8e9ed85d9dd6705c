"""Commands that read: status, sql, verify. They take the published file and never wait for the pipeline."""

import sys
from dataclasses import asdict
from datetime import UTC, datetime

import duckdb

from jiko_pipeline.cli.terminal import err, out, print_json, print_table, records
from jiko_pipeline.errors import ExitCode, JikoPipelineError, StorageError
from jiko_pipeline.settings import Settings, load_settings


class QueryError(JikoPipelineError):
    """A query that DuckDB refuses."""

    exit_code = ExitCode.USAGE
    remedy = 'Correct the query; `jiko sql "from meta.data_dictionary"` lists every column.'


def reading_settings() -> Settings:
    """The settings of this process, refused where the data directory belongs to another environment."""
    from jiko_pipeline.warehouse.world import refuse_other_environment

    settings = load_settings()
    refuse_other_environment(settings.data_dir, settings.environment.value)
    return settings


def show_status(json_output: bool) -> int:
    """Prints where things stand; answers 0, 10 breaks, 20 pending, 30 quarantined."""
    from jiko_pipeline.reporting.status import status

    found = status(reading_settings(), datetime.now(UTC))
    if json_output:
        print_json({**asdict(found), "exit_code": int(found.exit_code)})
        return found.exit_code
    lines = [
        ("last good business date", found.last_good_date or "none"),
        ("last business date landed", found.last_date or "none"),
        ("next", f"{found.next_date} ({found.days_behind} business days behind)"),
        ("missing between", ", ".join(map(str, found.missing_dates)) or "none"),
        ("pocket-days not ready", found.not_ready),
        (
            "open breaks",
            f"{found.open_breaks}"
            + (
                " ("
                + ", ".join(f"{number} {name}" for name, number in sorted(found.breaks_by_severity.items()))
                + "; by age in business days: "
                + ", ".join(f"{name}: {number}" for name, number in found.breaks_by_age.items())
                + ")"
                if found.open_breaks
                else ""
            ),
        ),
        ("in quarantine", found.quarantined),
        ("documents missing", found.documents_missing),
        ("reports pending", len(found.pending)),
        ("published", f"{found.published_file} at {found.published_at:%Y-%m-%d %H:%M} UTC"),
        ("bank", found.environment),
    ]
    for name, value in lines:
        out().print(f"{name + ':':<27} {value}", markup=False)
    for report in found.pending[:10]:
        out().print(f"  pending since {report.since:%Y-%m-%d %H:%M} UTC: {report.title}", markup=False)
    return found.exit_code


def run_sql(query: str, json_output: bool) -> int:
    """Runs one query on the published file and prints its rows. Raises QueryError."""
    from jiko_pipeline.warehouse.connection import first_line
    from jiko_pipeline.warehouse.publish import published

    with published(reading_settings()) as con:
        try:
            statements = con.extract_statements(query)
            if len(statements) != 1:
                raise QueryError(f"One query at a time: there are {len(statements) or 'none'}.")
            result = con.execute(statements[0])
            columns = [column[0] for column in result.description or []]
            rows = result.fetchall()
        except duckdb.Error as error:
            raise QueryError(f"The query failed: {first_line(error)}") from error
    if json_output:
        print_json(records(columns, rows))
    else:
        print_table(columns, rows)
    return ExitCode.OK


def run_verify(hashes: bool, json_output: bool) -> int:
    """Checks the archive, or prints table hashes; answers 30 when a byte has changed."""
    from jiko_pipeline.archive import Archive
    from jiko_pipeline.warehouse.hashing import table_hashes
    from jiko_pipeline.warehouse.publish import published

    settings = reading_settings()
    if hashes:
        with published(settings) as con:
            found = table_hashes(con)
        if json_output:
            print_json([asdict(item) for item in found])
        else:
            for item in found:
                sys.stdout.write(f"{item.content_hash}  {item.row_count:>9}  {item.table_name}\n")
        return ExitCode.OK
    if not settings.archive_dir.is_dir():
        raise StorageError(
            f"There is no archive {settings.archive_dir} yet.", remedy="Run `jiko sync` or `jiko demo` first."
        )
    archive = Archive(settings.archive_dir)
    damaged = archive.verify()
    # A damaged line cannot be read, so documents are counted in a whole archive only.
    documents = None if damaged else sum(1 for _ in archive.documents())
    if json_output:
        print_json({"documents": documents, "damaged": [asdict(damage) for damage in damaged]})
    elif damaged:
        for damage in damaged:
            err().print(f"{damage.path}: {damage.problem}", markup=False)
        out().print(f"{len(damaged)} files of the archive differ from their hashes.", markup=False)
    else:
        out().print(f"Every file of {documents} archived documents has the hash it was named by.", markup=False)
    return ExitCode.NOT_PROVED if damaged else ExitCode.OK

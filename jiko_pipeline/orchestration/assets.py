"""The assets: one declaration each of key, group, inputs, tables and the step that makes it.

Belongs here: what an asset is called, what it depends on, what it shows. Does not belong here: what the step
does (`jiko_pipeline.pipeline`). https://docs.dagster.io/guides/build/assets
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Final

import dagster as dg

from jiko_pipeline.errors import ExitCode
from jiko_pipeline.formats.frames import Role
from jiko_pipeline.formats.message_frames import MESSAGE_FRAMES
from jiko_pipeline.formats.party_frames import PARTY_FRAMES
from jiko_pipeline.orchestration.failures import (
    FETCH_RETRIES,
    failure,
    fetch_retry_policy,
    is_transient,
    told_as_failure,
)
from jiko_pipeline.orchestration.launcher import tag_worker
from jiko_pipeline.orchestration.partitions import BACKFILL
from jiko_pipeline.orchestration.progress import backfill_progress, logged_reports
from jiko_pipeline.pipeline import steps
from jiko_pipeline.pipeline.report import StepReport
from jiko_pipeline.pipeline.turn import end_turn
from jiko_pipeline.pipeline.windows import Window
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.tables import TABLES
from jiko_pipeline.warehouse.tables.spec import TableSpec

REASON_TAG: Final = "jiko/reason"
"""Run tag: why documents are asked for (DAILY or CONFIRM)."""

OWNERS: Final = ("team:treasury",)

NO_CONFIG: Final[dict[str, object]] = {}
"""Nothing is configured by a run: what Dagster takes and keeps there, a secret by mistake too, is refused instead."""

BACKFILL_GUIDE: Final = (
    "To backfill, launch from the asset graph (select the daily assets, *Materialize*, choose a range), not from "
    "the job page: a backfill from assets is cut into runs of 31 days, one from the job page into one run a day."
)

Step = Callable[[Settings, Window, str, str], StepReport]
"""(settings, window, run id, reason) -> what was done."""


@dataclass(frozen=True, slots=True)
class DailyAsset:
    """One partitioned asset. `counts` names the figure of the step that is the partition's row count."""

    key: tuple[str, ...]
    description: str
    step: Step
    counts: str
    kinds: frozenset[str]
    deps: tuple[tuple[str, ...], ...] = ()
    tables: tuple[str, ...] = field(default=())

    @property
    def group(self) -> str:
        """The first part of the key; staging belongs to the raw group."""
        return "raw" if self.key[0] == "staging" else self.key[0]


RAW_REPORTS: Final = ("raw", "reports")
RAW_ACTIVITY: Final = ("raw", "activity")
STAGING_STATEMENTS: Final = ("staging", "statements")
STAGING_HOLDINGS: Final = ("staging", "holdings")
STAGING_ACTIVITY: Final = ("staging", "activity")
CORE_FACTS: Final = ("core", "facts")
RECON_CONTROLS: Final = ("recon", "controls")
MART_DAILY_CLOSE: Final = ("mart", "daily_close")
PUBLISHED_TREASURY: Final = ("published", "treasury")

_OTHER_CORE_TABLES: Final = tuple(
    name for name in TABLES if name.startswith("core.") and name != "core.brokerage_daily"
)

DAILY_ASSETS: Final = (
    DailyAsset(
        RAW_REPORTS,
        "Orders all five report types of the days, polls them together, downloads them and archives every byte.",
        steps.fetch_reports,
        "documents",
        frozenset({"python", "xml", "csv"}),
    ),
    DailyAsset(
        RAW_ACTIVITY,
        "Lists movements in all their forms, requests, messages and monthly statements; archives every page.",
        steps.fetch_activity,
        "documents",
        frozenset({"python", "json"}),
    ),
    DailyAsset(
        STAGING_STATEMENTS,
        "Reads the BANK and BROKERAGE camt.053 statements into statements, balances, entries and details.",
        steps.load_statements,
        "rows",
        frozenset({"duckdb", "xml"}),
        (RAW_REPORTS,),
        (
            "staging.statement_entry",
            "staging.statement",
            "staging.statement_balance",
            "staging.statement_entry_detail",
        ),
    ),
    DailyAsset(
        STAGING_HOLDINGS,
        "Reads trade, price and position reports.",
        steps.load_holdings,
        "rows",
        frozenset({"duckdb", "csv"}),
        (RAW_REPORTS,),
        ("staging.position", "staging.position_cash", "staging.security_price", "staging.trade_report"),
    ),
    DailyAsset(
        STAGING_ACTIVITY,
        "Reads the listings of movements, requests, messages, monthly statements and earnings.",
        steps.load_activity,
        "rows",
        frozenset({"duckdb", "json"}),
        (RAW_ACTIVITY,),
        (
            "staging.api_transaction",
            "staging.api_trade",
            "staging.monthly_statement",
            *(f"staging.{frame.name}" for frame in MESSAGE_FRAMES),
        ),
    ),
    DailyAsset(
        CORE_FACTS,
        "The current view of every fact, classified: bank and brokerage, trades, positions, prices.",
        steps.build_core,
        "rows",
        frozenset({"duckdb", "sql"}),
        (STAGING_STATEMENTS, STAGING_HOLDINGS, STAGING_ACTIVITY),
        ("core.brokerage_daily", *_OTHER_CORE_TABLES),
    ),
    DailyAsset(
        RECON_CONTROLS,
        "Runs every control over the days; each tested key passes, breaks, or says why it was not tested.",
        steps.run_controls,
        "tested",
        frozenset({"duckdb", "sql"}),
        (CORE_FACTS,),
        ("recon.result", "recon.break_event", "recon.run"),
    ),
    DailyAsset(
        MART_DAILY_CLOSE,
        "May the balance of each pocket be booked, and the bridge from yesterday's value to today's.",
        steps.build_close,
        "pockets",
        frozenset({"duckdb", "sql"}),
        (RECON_CONTROLS,),
        ("mart.daily_close", "mart.recon_bridge"),
    ),
    DailyAsset(
        PUBLISHED_TREASURY,
        "The DuckDB file that people read: a verified copy, put in place by rename. Reading it never blocks anything.",
        steps.publish,
        "tables",
        frozenset({"duckdb"}),
        (MART_DAILY_CLOSE,),
    ),
)


def column_schema(table: TableSpec) -> dg.TableSchema:
    """A table's declaration as Dagster shows it."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.sql_type,
                description=column.comment,
                constraints=dg.TableColumnConstraints(nullable=not column.required),
                tags={"provenance": ""} if column.role is Role.PROVENANCE else {},
            )
            for column in table.columns
        ]
    )


def _definition_metadata(tables: Sequence[str]) -> dict[str, object]:
    if not tables:
        return {}
    metadata: dict[str, object] = {
        "dagster/table_name": tables[0],
        "dagster/column_schema": column_schema(TABLES[tables[0]]),
    }
    for name in tables[1:]:
        metadata[f"columns of {name}"] = column_schema(TABLES[name])
    metadata["tables"] = dg.MetadataValue.md(
        "| table | one row is |\n|---|---|\n" + "\n".join(f"| `{name}` | {TABLES[name].comment} |" for name in tables)
    )
    return metadata


def report_days(context: dg.AssetExecutionContext, report: StepReport, days: Sequence[date], count: str) -> None:
    """Each day's own figures on its own materialization, so that they plot by partition."""
    for day in days:
        counts: Mapping[str, int] = report.per_day.get(day, {})
        context.add_asset_metadata(_figures(counts, count), partition_key=day.isoformat())
    for note in report.notes:
        context.log.warning("%s", note)


def _figures(counts: Mapping[str, int], count: str) -> dict[str, int]:
    return {"dagster/partition_row_count": counts.get(count, 0), **dict(counts)}


def build_daily_asset(
    declaration: DailyAsset, settings: Settings, partitions: dg.PartitionsDefinition[str], prefix: list[str]
) -> dg.AssetsDefinition:
    """The Dagster asset of a declaration."""

    @dg.asset(
        key=[*prefix, *declaration.key],
        config_schema=NO_CONFIG,
        deps=[dg.AssetKey([*prefix, *key]) for key in declaration.deps],
        partitions_def=partitions,
        backfill_policy=BACKFILL,
        group_name=declaration.group,
        kinds=set(declaration.kinds),
        owners=list(OWNERS),
        description=f"{declaration.description}\n\n{BACKFILL_GUIDE}",
        metadata=_definition_metadata(declaration.tables),
        retry_policy=fetch_retry_policy(settings) if declaration.group == "raw" and not declaration.deps else None,
    )
    def _asset(context: dg.AssetExecutionContext) -> Iterator[dg.AssetMaterialization | dg.MaterializeResult[None]]:
        keys = context.partition_key_range
        window = Window(date.fromisoformat(keys.start), date.fromisoformat(keys.end))
        reason = context.run.tags.get(REASON_TAG, "DAILY")
        tag_worker(context)
        step = declaration.step
        if declaration.key == RAW_REPORTS:
            step = partial(steps.fetch_reports, progress=logged_reports(context.log))
        try:
            report = step(settings, window, context.run.run_id, reason)
            last_try = context.retry_number >= FETCH_RETRIES or not _may_come(report)
            finished = _finish(context, settings, window, reason) if report.unfinished and last_try else {}
        except Exception as error:  # noqa: BLE001 - told in words that hold no secret
            raise told_as_failure(context, error) from None
        if report.unfinished:
            yield from _landed_days(window, report, {declaration: report, **finished}, prefix)
            raise _lacking(context, window, report, finished)
        report_days(context, report, window.days, declaration.counts)
        if declaration.key == PUBLISHED_TREASURY:
            context.add_asset_metadata(backfill_progress(context, window))
        yield dg.MaterializeResult()

    return _asset


def _step_key(context: dg.AssetExecutionContext, key: tuple[str, ...]) -> str:
    """The step of another asset of the same profile."""
    prefix = context.asset_key.path[: -len(RAW_REPORTS)]
    return "__".join((*prefix, *key))


def _may_come(fetched: StepReport) -> bool:
    """True when what a fetch lacks may come by asking again; False when we may not ask for it."""
    return is_transient(fetched.exit_code) or fetched.exit_code is ExitCode.NOT_PROVED


def _finish(
    context: dg.AssetExecutionContext, settings: Settings, window: Window, reason: str
) -> dict["DailyAsset", StepReport]:
    """The rest of a window for which the bank has not everything yet, as `jiko sync` goes on with what has landed.

    Dagster runs nothing after a step that fails, and a step that succeeds marks every day of its range.
    """
    stats = context.instance.get_run_step_stats(context.run.run_id, [_step_key(context, RAW_ACTIVITY)])
    if not any(step.status is not None and step.status.value == "SUCCESS" for step in stats):
        # Without its listings a day would look as if nothing had moved.
        return {}
    context.log.warning("Not all reports have come; the later steps go on with what has landed.")
    try:
        return {
            later: later.step(settings, window, context.run.run_id, reason)
            for later in DAILY_ASSETS
            if later.key not in (RAW_REPORTS, RAW_ACTIVITY)
        }
    finally:
        end_turn(settings)


def _landed_days(
    window: Window, fetched: StepReport, reports: Mapping["DailyAsset", StepReport], prefix: list[str]
) -> Iterator[dg.AssetMaterialization]:
    """The days that are complete, in every asset that was made of them."""
    for declaration, report in reports.items():
        for day in window.days:
            if day not in fetched.unfinished:
                yield dg.AssetMaterialization(
                    asset_key=dg.AssetKey([*prefix, *declaration.key]),
                    partition=day.isoformat(),
                    metadata=_figures(report.per_day.get(day, {}), declaration.counts),
                )


def _lacking(
    context: dg.AssetExecutionContext,
    window: Window,
    fetched: StepReport,
    finished: Mapping["DailyAsset", StepReport],
) -> dg.Failure:
    """The failure of the days for which something is still to come."""
    notes = dict.fromkeys(note for report in (fetched, *finished.values()) for note in report.notes)
    return failure(
        context,
        f"{len(fetched.unfinished)} of {len(window.days)} days wait for reports. {' '.join(fetched.notes)}",
        {
            "waiting": dg.MetadataValue.json(sorted(day.isoformat() for day in fetched.unfinished)),
            "notes": dg.MetadataValue.json(list(notes)),
            "exit code": int(fetched.exit_code),
        },
        transient=_may_come(fetched),
    )


def build_snapshot_asset(settings: Settings, prefix: list[str]) -> dg.AssetsDefinition:
    """Pockets, people, paper, reference lists: what has no as-of date. Nothing daily depends on it."""

    @dg.asset(
        key=[*prefix, "snapshots", "pockets"],
        config_schema=NO_CONFIG,
        group_name="snapshots",
        kinds={"duckdb", "json"},
        owners=list(OWNERS),
        description="Pockets and their lives, people, paper, other sides, the reference list of bills, as listed now; "
        "versions of each are kept.",
        metadata=_definition_metadata(
            (
                "staging.pocket",
                "staging.pocket_life",
                "staging.security_reference",
                *(f"staging.{frame.name}" for frame in PARTY_FRAMES),
            )
        ),
    )
    def _asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        report = steps.take_snapshots(settings, context.run.run_id)
        for note in report.notes:
            context.log.warning("%s", note)
        return dg.MaterializeResult(metadata={"dagster/row_count": report.total("rows")})

    return _asset

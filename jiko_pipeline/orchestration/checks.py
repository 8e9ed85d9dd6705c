"""The checks: one for each control, which report, and those of the file as a whole, which block.

A break is a finding about the money and is published as such, so controls never block. What makes the whole
file wrong (tables that differ from their declaration, rows that differ from the manifest, a published copy that
differs) does. https://docs.dagster.io/guides/test/asset-checks
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Final

import dagster as dg

from jiko_pipeline.orchestration.assets import CORE_FACTS, NO_CONFIG, PUBLISHED_TREASURY, RECON_CONTROLS
from jiko_pipeline.pipeline import inspection
from jiko_pipeline.pipeline.freshness import freshness
from jiko_pipeline.pipeline.windows import Window
from jiko_pipeline.reconciliation.registry import Control, Registry
from jiko_pipeline.settings import Settings

_IDLE: Final = frozenset({"NO_ACTIVITY", "NOT_DUE", "BASELINE"})
"""Reasons for which nothing needs a test; any other is something that a person may want to supply."""


def _window(context: dg.AssetCheckExecutionContext) -> Window:
    keys = context.partition_keys
    return Window(date.fromisoformat(min(keys)), date.fromisoformat(max(keys)))


def _check_name(control: Control) -> str:
    return f"{control.control_id}_{control.name}"


def build_control_checks(settings: Settings, prefix: list[str]) -> dg.AssetChecksDefinition:
    """One check for each control, with its counts over the days of the run. They report, they do not block."""
    registry = Registry.load()
    asset = dg.AssetKey([*prefix, *RECON_CONTROLS])
    specs = [
        dg.AssetCheckSpec(
            name=_check_name(control),
            asset=asset,
            description=f"{control.title}\n\n`{control.identity}` · {control.severity} · {control.evidence}",
            blocking=False,
            metadata={"control": control.control_id, "evidence_class": control.evidence},
        )
        for control in registry.controls
    ]

    @dg.multi_asset_check(specs=specs, name="controls", config_schema=NO_CONFIG)
    def _controls(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        counts = inspection.control_counts(settings, _window(context))
        for control in registry.controls:
            tally = counts.get(control.control_id)
            passed = tally.passed if tally else 0
            broken = tally.broken if tally else 0
            not_tested = tally.not_tested if tally else 0
            idle = tally is not None and not_tested > 0 and _IDLE.issuperset(tally.reasons)
            yield dg.AssetCheckResult(
                check_name=_check_name(control),
                asset_key=asset,
                # No key tested is never a pass, unless there was nothing that could be tested.
                passed=broken == 0 and (passed > 0 or idle),
                severity=dg.AssetCheckSeverity.ERROR
                if control.severity == "S1" and (broken or control.required)
                else dg.AssetCheckSeverity.WARN,
                metadata={
                    "tested": passed + broken,
                    "passed": passed,
                    "broken": broken,
                    "not tested": not_tested,
                    **(
                        {"why not tested": dg.MetadataValue.json(dict(tally.reasons))}
                        if tally and tally.reasons
                        else {}
                    ),
                },
            )

    return _controls


def build_file_checks(settings: Settings, prefix: list[str]) -> list[dg.AssetChecksDefinition]:
    """What makes the whole file wrong: each of these blocks everything after it."""

    @dg.asset_check(
        asset=dg.AssetKey([*prefix, *CORE_FACTS]),
        name="tables_match_their_declarations",
        config_schema=NO_CONFIG,
        blocking=True,
        description="Every table has exactly the declared columns, types and comments.",
    )
    def _schema() -> dg.AssetCheckResult:
        differences = inspection.schema_differences(settings)
        return dg.AssetCheckResult(
            passed=not differences,
            metadata={"differences": len(differences), "list": dg.MetadataValue.json(differences)},
        )

    @dg.asset_check(
        asset=dg.AssetKey([*prefix, *CORE_FACTS]),
        name="rows_match_the_manifest",
        config_schema=NO_CONFIG,
        blocking=True,
        description="Every document in the manifest has the rows it says, in the tables it says.",
    )
    def _manifest() -> dg.AssetCheckResult:
        differences = inspection.manifest_differences(settings)
        return dg.AssetCheckResult(
            passed=not differences,
            metadata={"differences": len(differences), "list": dg.MetadataValue.json(differences)},
        )

    @dg.asset_check(
        asset=dg.AssetKey([*prefix, *PUBLISHED_TREASURY]),
        name="published_file_is_the_verified_copy",
        config_schema=NO_CONFIG,
        blocking=True,
        description="The published file opens read-only and has the tables, counts and hashes it was verified with.",
    )
    def _published() -> dg.AssetCheckResult:
        differences = inspection.published_differences(settings)
        return dg.AssetCheckResult(
            passed=not differences,
            metadata={"differences": len(differences), "list": dg.MetadataValue.json(differences)},
        )

    return [_schema, _manifest, _published]


FRESHNESS_CHECK: Final = "the_day_that_is_due_is_there"


def build_freshness_check(settings: Settings, prefix: list[str]) -> dg.AssetChecksDefinition:
    """Is the business day before closed in the published file? The last day materialized says nothing of it."""

    @dg.asset_check(
        asset=dg.AssetKey([*prefix, *PUBLISHED_TREASURY]),
        name=FRESHNESS_CHECK,
        config_schema=NO_CONFIG,
        blocking=False,
        description="From 09:00 in New York on the Fed business day before is closed in the published file.",
    )
    def _fresh() -> dg.AssetCheckResult:
        found = freshness(settings, datetime.now(UTC))
        return dg.AssetCheckResult(
            passed=found.is_fresh,
            severity=dg.AssetCheckSeverity.WARN,
            description=str(found),
            metadata={
                "due": str(found.due),
                "last day closed": str(found.last_closed),
                "business days that lack": len(found.missing),
                "the latest of them": dg.MetadataValue.json([str(day) for day in found.missing[-31:]]),
            },
        )

    return _fresh

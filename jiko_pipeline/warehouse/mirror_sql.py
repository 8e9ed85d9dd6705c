"""The selects of the tables that mirror a frame, filled in for one of them.

Belongs here: the texts. Does not belong here: running them (`warehouse.mirror_build`, `warehouse.as_known`).
"""

from importlib import resources

from jiko_pipeline.formats.frame_spec import LOCATOR, FrameSpec
from jiko_pipeline.warehouse.tables.mirrors import Mirror


def mirror_sql(file_name: str, mirror: Mirror) -> str:
    """`core/dimension.sql` or `core/flow.sql` for one table."""
    text = resources.files(__package__).joinpath("core", file_name).read_text(encoding="utf-8")
    return text.format(
        table=f'core."{mirror.table.name}"',
        columns=", ".join(f's."{name}"' for name in _stated(mirror.frame)),
        staged=f'staging."{mirror.frame.name}"',
        kind=mirror.kind,
        key=", ".join(f's."{name}"' for name in mirror.frame.key),
        is_touched=is_touched(mirror),
    )


def is_touched(mirror: Mirror) -> str:
    """The condition under which a row `s` has a key that `build_touched` (`w`) holds."""
    return " and ".join(f'w."{name}" = s."{name}"' for name in mirror.frame.key)


def _stated(frame: FrameSpec) -> list[str]:
    return [column.name for column in frame.columns if column.name != LOCATOR.name]

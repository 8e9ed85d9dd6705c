"""`sync` of a data directory within this process: everything is imported already, nothing is printed.

Belongs here: one window through the steps, and what the published file says of its days. Does not belong here:
assertions on faults; the command itself (`command_line`).
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from jiko_pipeline.pipeline.sync import WindowOutcome, sync_window
from jiko_pipeline.pipeline.windows import Window
from jiko_pipeline.settings import Settings, load_settings
from jiko_pipeline.warehouse.tables import TABLES
from jiko_pipeline_tests.operation.command_line import DataDirectory

_DAY_OF = {
    "core.bank_transaction": "business_date",
    "core.brokerage_flow": "business_date",
    "core.api_transaction": "business_date",
    "core.trade": "trade_date",
    "core.trade_report": "trade_date",
    "core.position_daily": "business_date",
    "core.security_price": "price_date",
}
_CLOSE = "select pocket_id, business_date, ready_to_book, closing_value, unexplained from mart.daily_close"


def settings_of(directory: DataDirectory) -> Settings:
    """The settings of a directory of one pocket."""
    return load_settings(data_dir=directory.path, simulator_pockets=1)


def sync(
    directory: DataDirectory,
    first: str,
    last: str | None = None,
    *,
    reason: str = "DAILY",
    observe: Callable[[Window, str], None] | None = None,
) -> WindowOutcome:
    """The window of these days."""
    window = Window(date.fromisoformat(first), date.fromisoformat(last or first))
    return sync_window(settings_of(directory), window, reason=reason, observe=observe)


def facts_before(directory: DataDirectory, day: str) -> dict[str, list[tuple[Any, ...]]]:
    """The content that is published of the days before `day`, and what may be booked of them."""
    found = {"close": directory.rows(f"{_CLOSE} where business_date < cast(? as date) order by all", [day])}
    for table, column in _DAY_OF.items():
        content = ", ".join(f'"{each.name}"' for each in TABLES[table].content_columns)
        found[table] = directory.rows(f"select {content} from {table} where {column} < ? order by all", [day])
    return found


def is_ready(directory: DataDirectory, day: str) -> bool:
    """Whether the day may be booked, by the published file."""
    return directory.rows("select ready_to_book from mart.daily_close where business_date = ?", [day]) == [(True,)]


def broken(directory: DataDirectory, day: str) -> set[tuple[str, str]]:
    """(control, code) of what breaks on a day."""
    query = "select distinct control_id, code from recon.result where status = 'BREAK' and business_date = ?"
    return set(directory.rows(query, [day]))


def doubled(directory: DataDirectory) -> list[tuple[Any, ...]]:
    """Movements and trades that the published file holds more than once."""
    return directory.rows(
        "select 'transaction', activity_id from core.api_transaction group by all having count(*) > 1"
        " union all select 'trade', trade_id from core.trade group by all having count(*) > 1"
        " union all select 'entry', bank_transaction_key from core.bank_transaction group by all having count(*) > 1"
    )

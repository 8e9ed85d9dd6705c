"""Every table of the warehouse, declared once: columns, types, comments, key, layer.

DDL, comments, the schema checks, Dagster's column schemas and the data dictionary all come from here.
"""

from typing import Final

from jiko_pipeline.warehouse.tables.core import CORE
from jiko_pipeline.warehouse.tables.history import HISTORY
from jiko_pipeline.warehouse.tables.holdings import HOLDINGS
from jiko_pipeline.warehouse.tables.mart import MART
from jiko_pipeline.warehouse.tables.meta import META
from jiko_pipeline.warehouse.tables.mirrors import MIRRORS
from jiko_pipeline.warehouse.tables.raw import RAW
from jiko_pipeline.warehouse.tables.recon import RECON
from jiko_pipeline.warehouse.tables.spec import TableSpec
from jiko_pipeline.warehouse.tables.staging import STAGING

TABLES: Final[dict[str, TableSpec]] = {
    spec.qualified_name: spec
    for group in (META, RAW, STAGING, CORE, HOLDINGS, MIRRORS, RECON, MART, HISTORY)
    for spec in group
}
"""Every table by `schema.name`."""

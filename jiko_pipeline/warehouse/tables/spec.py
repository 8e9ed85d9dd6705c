"""The declaration of a table.

Belongs here: `TableSpec` and the columns that many tables share. `Column` and `Role` are those of
`jiko_pipeline.formats.frames`: a staging table is a frame with a scope in front and a provenance behind.
"""

from dataclasses import dataclass
from typing import Final

from jiko_pipeline.formats.frames import Column, Role

SCHEMA_COMMENTS: Final = {
    "meta": "About the data: the world it belongs to, versions of the schema, functions over tables.",
    "raw": "What arrived: one row a document, one row for each pocket and day a document speaks of.",
    "staging": "What documents state, typed, all versions; columns follow the formats and are not stable.",
    "core": "The current view of every fact, classified, one row a fact.",
    "recon": "Controls, their results, breaks and their events.",
    "mart": "Answers: one row a pocket and day.",
    "history": "Every version of what runs and people wrote, with the time in which it stood.",
    "as_known_at": "Every table as it was known at an instant (UTC): from as_known_at.core_trade(timestamp '...').",
}


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One table: schema, name, comment, columns, and the key that is unique in it.

    For staging tables uniqueness holds among current rows (`known_to_utc` is null).
    """

    schema: str
    name: str
    comment: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def qualified_name(self) -> str:
        """`schema.name`."""
        return f"{self.schema}.{self.name}"

    @property
    def content_columns(self) -> tuple[Column, ...]:
        """The columns that `meta.table_hash` covers."""
        return tuple(column for column in self.columns if column.role is Role.CONTENT)


def content(name: str, sql_type: str, comment: str, *, required: bool = False) -> Column:
    """A column that is a fact."""
    return Column(name, sql_type, comment, required)


def provenance(name: str, sql_type: str, comment: str, *, required: bool = False) -> Column:
    """A column that says where and when a fact was learned."""
    return Column(name, sql_type, comment, required, Role.PROVENANCE)


CUSTOMER: Final = (
    content("customer_id", "VARCHAR", "Jiko customer (the profile of the settings).", required=True),
    content("legal_entity_id", "VARCHAR", "Legal entity the customer belongs to.", required=True),
)

POCKET_DAY: Final = (
    *CUSTOMER,
    content("pocket_id", "VARCHAR", "Pocket: a bank account and a brokerage account.", required=True),
    content("business_date", "DATE", "Business date in New York.", required=True),
)

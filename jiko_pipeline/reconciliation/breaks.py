"""Reading breaks: what is open, how large, how old, why.

Belongs here: questions about `recon.break` and `recon.result` for people. Does not belong here: deciding about
breaks (accepting, resolving) and firing them (`jiko_pipeline.reconciliation.runner`).
"""

import duckdb
import polars as pl

from jiko_pipeline.reconciliation.evidence import sql_text

OPEN_BREAKS_SCHEMA = pl.Schema(
    {
        "break_id": pl.String(),
        "severity": pl.String(),
        "control_id": pl.String(),
        "code": pl.String(),
        "sub_code": pl.String(),
        "break_class": pl.String(),
        "pocket_id": pl.String(),
        "pocket_name": pl.String(),
        "business_date": pl.Date(),
        "entity_key": pl.String(),
        "left_value": pl.Decimal(38, 6),
        "right_value": pl.Decimal(38, 6),
        "difference": pl.Decimal(38, 6),
        "age_business_days": pl.Int64(),
        "blocks": pl.Int64(),
        "title": pl.String(),
        "identity": pl.String(),
        "cause": pl.String(),
    }
)


def open_breaks(con: duckdb.DuckDBPyConnection, *, customer_id: str | None = None) -> pl.DataFrame:
    """Every open break, the most severe and oldest first; all customers when `customer_id` is None.

    `identity` says what should hold and `cause` what holds instead; `left_value`, `right_value` and
    `difference` are its two sides and left minus right; `age_business_days` counts to the latest judged day;
    `blocks` is the number of keys that are not tested because of it. Works on the warehouse and on the
    published file. Columns as in `OPEN_BREAKS_SCHEMA`.
    """
    rows = con.execute(sql_text("judging", "open_breaks.sql"), {"customer_id": customer_id}).fetchall()
    return pl.DataFrame(rows, schema=OPEN_BREAKS_SCHEMA, orient="row")

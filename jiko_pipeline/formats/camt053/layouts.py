"""The layouts of all kinds of rows, compiled once: which element begins which row.

Belongs here: putting `fields` and `paths` together. Does not belong here: the fields themselves.
"""

from collections.abc import Mapping
from typing import Final

from jiko_pipeline.formats.camt053 import fields
from jiko_pipeline.formats.camt053.paths import Layout

AVAILABILITY: Final = "statement_availability"
BATCH: Final = "statement_batch"
CHARGE: Final = "statement_charge"
CREDIT_LINE: Final = "statement_credit_line"
INTEREST: Final = "statement_interest"
REMITTANCE: Final = "statement_remittance"

REPEATED: Final[Mapping[str, Layout]] = {
    AVAILABILITY: Layout(fields.AVAILABILITY),
    BATCH: Layout(fields.BATCH),
    CHARGE: Layout(fields.CHARGE),
    CREDIT_LINE: Layout(fields.CREDIT_LINE),
    INTEREST: Layout(fields.INTEREST),
    REMITTANCE: Layout(fields.REMITTANCE),
}
"""Rows that repeat below a balance, an entry or a transaction, by the name of their frame."""

# Charges and interest of the first two versions repeat themselves; from the third on their records do.
_CHARGES: Final = dict.fromkeys(("Chrgs", "Chrgs/Rcrd"), (CHARGE, REPEATED[CHARGE]))
_INTEREST: Final = dict.fromkeys(("Intrst", "Intrst/Rcrd"), (INTEREST, REPEATED[INTEREST]))
_AVAILABILITY: Final = {"Avlbty": (AVAILABILITY, REPEATED[AVAILABILITY])}

ENTRY: Final = Layout(
    fields.ENTRY,
    {
        **_CHARGES,
        **_INTEREST,
        **_AVAILABILITY,
        # Blocks of the second version on hold the batch; in the first it stands in the entry.
        "Btch": (BATCH, REPEATED[BATCH]),
        "NtryDtls/Btch": (BATCH, REPEATED[BATCH]),
    },
)
DETAIL: Final = Layout(
    fields.DETAIL,
    {**_CHARGES, **_INTEREST, **_AVAILABILITY, "RmtInf/Strd": (REMITTANCE, REPEATED[REMITTANCE])},
)
BALANCE_LINES: Final[Mapping[str, str]] = {"CdtLine": CREDIT_LINE, "Avlbty": AVAILABILITY}
"""Rows that repeat below a balance, by the name of the element."""

"""What travels with the package: Treasury's list of bills and the classification rules.

Belongs here: bringing both into the file. Does not belong here: reference lists that a bank publishes (they
are documents), the use of the rules (`core/bank_transaction.sql`).
"""

import csv
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

import duckdb
import polars as pl

from jiko_pipeline.formats.frames import SECURITY_REFERENCE
from jiko_pipeline.formats.reading import Reading
from jiko_pipeline.tbill import auctions
from jiko_pipeline.warehouse.frames import frame_from, registered
from jiko_pipeline.warehouse.kinds import Finality, scopes_of
from jiko_pipeline.warehouse.load import LoadBatch, LoadedDocument, load
from jiko_pipeline.warehouse.tables import TABLES

NOBODY: Final = ""
"""Customer of what belongs to no customer: the packaged list of bills."""

_RULES_FILE: Final = "classification_rules.csv"
_LIST_FILE: Final = "treasury_auctions.csv"


@dataclass(frozen=True, slots=True)
class _Part:
    sha256: str
    byte_length: int


@dataclass(frozen=True, slots=True)
class _PackagedList:
    """The packaged list as a document; it became known the day after its last auction."""

    sha256: str
    parts: tuple[_Part, ...]
    fetched_at: datetime
    kind: str = "SECURITY_REFERENCE"
    pocket_id: str | None = None
    first: date | None = None
    last: date | None = None
    parameters: MappingProxyType[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    source: str = "packaged"
    created_at_provider: datetime | None = None
    media_type: str | None = "text/csv"
    report_request_id: str | None = None
    report_id: str | None = None
    pull_key: str | None = None
    reason: str | None = None

    @property
    def document_id(self) -> str:
        return hashlib.sha256(f"packaged|{self.sha256}".encode()).hexdigest()


@cache
def _packaged_list() -> _PackagedList:
    body = resources.files("jiko_pipeline").joinpath(_LIST_FILE).read_bytes()
    sha256 = hashlib.sha256(body).hexdigest()
    known_from = max(auction.auction_date for auction in auctions()) + timedelta(days=1)
    return _PackagedList(sha256, (_Part(sha256, len(body)),), datetime.combine(known_from, time(0), tzinfo=UTC))


def load_treasury_list(con: duckdb.DuckDBPyConnection) -> None:
    """Loads Treasury's auctions as they travel with the package, unless this very list is in already."""
    document = _packaged_list()
    known = con.execute("select count(*) from raw.document where document_id = ?", [document.document_id]).fetchall()
    if known != [(0,)]:
        return
    frame = pl.DataFrame(
        [
            (
                auction.cusip,
                auction.security_term,
                auction.issue_date,
                auction.maturity_date,
                auction.price_per_100,
                "TREASURY",
                f"line {line}",
            )
            for line, auction in enumerate(auctions(), start=2)
        ],
        schema=SECURITY_REFERENCE.schema,
        orient="row",
    )
    reading = Reading({SECURITY_REFERENCE.name: frame}, rows_in_document=frame.height)
    item = LoadedDocument(document, scopes_of(document.kind, None, None, None), Finality.AFTER_CUTOFF, reading=reading)
    load(con, LoadBatch(document.kind, NOBODY, NOBODY, None, None, (item,)), run_id=None)


def store_rules(con: duckdb.DuckDBPyConnection) -> None:
    """Makes `core.classification_rule` the rule file of this package; writes nothing when it is already."""
    text = resources.files(__package__).joinpath("core", _RULES_FILE).read_text(encoding="utf-8")
    version = hashlib.sha256(text.encode()).hexdigest()
    stored = con.execute("select distinct rules_version from core.classification_rule").fetchall()
    if stored == [(version,)]:
        return
    spec = TABLES["core.classification_rule"]
    rows = [
        tuple(version if column.name == "rules_version" else (row[column.name] or None) for column in spec.columns)
        for row in csv.DictReader(text.splitlines())
    ]
    con.execute("delete from core.classification_rule")
    with registered(con, "load_rules", frame_from(spec, rows)):
        con.execute("insert into core.classification_rule by name select * from load_rules")

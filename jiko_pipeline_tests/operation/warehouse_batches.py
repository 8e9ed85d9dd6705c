"""Hand-made documents for tests of the warehouse: what the archive would say and what a reader would return.

Belongs here: building batches. Does not belong here: assertions.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from jiko_pipeline.archive import Blob, Document
from jiko_pipeline.bank.world import WorldIdentity
from jiko_pipeline.formats.camt053.frames import STATEMENT_FRAMES
from jiko_pipeline.formats.frames import FRAMES
from jiko_pipeline.formats.reading import Reading, RejectedRow
from jiko_pipeline.settings import Settings, load_settings
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.kinds import Finality, kind_of, scopes_of
from jiko_pipeline.warehouse.load import LoadBatch, LoadedDocument
from jiko_pipeline.warehouse.load_rows import Refusal
from jiko_pipeline.warehouse.world import make_private_directory

WORLD = WorldIdentity(environment="simulator", api_origin="simulator", world_id="a-world")
CUSTOMER = "default"
ENTITY = "default"
POCKETS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
MONDAY = date(2024, 6, 3)


def settings_for(directory: Path, **overrides: object) -> Settings:
    """Settings of a data directory below `directory`."""
    return load_settings(data_dir=directory / "data", **overrides)


@cache
def _born_file() -> bytes:
    """The bytes of a warehouse of `WORLD` that nothing was loaded into yet."""
    with TemporaryDirectory() as folder:
        settings = settings_for(Path(folder))
        with Warehouse(settings).writer(WORLD):
            pass
        return settings.warehouse_file.read_bytes()


def born(directory: Path, **overrides: object) -> Settings:
    """As `settings_for`, with a warehouse of `WORLD` that is born already: birth takes longer than most tests."""
    settings = settings_for(directory, **overrides)
    if not settings.warehouse_file.exists():
        make_private_directory(settings.data_dir)
        make_private_directory(settings.warehouse_file.parent)
        settings.warehouse_file.write_bytes(_born_file())
        settings.warehouse_file.chmod(0o600)
    return settings


def at(day: date, hour: int = 12, minute: int = 0) -> datetime:
    """An instant in UTC."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def frame(name: str, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows as the declared frame; columns that a row does not name are null, the locator is the row's place."""
    columns = FRAMES[name].schema
    filled = [
        {column: row.get(column, f"row {place}" if column == "document_locator" else None) for column in columns}
        for place, row in enumerate(rows, start=1)
    ]
    return pl.DataFrame(filled, schema=columns)


def statement_frames(
    day: date, entries: Sequence[tuple[str, str, str]], *, opening: str = "0.00", closing: str | None = None
) -> dict[str, pl.DataFrame]:
    """One statement. An entry is (proprietary code, signed amount, end-to-end id)."""
    amounts = [Decimal(amount) for _, amount, _ in entries]
    end = Decimal(closing) if closing is not None else Decimal(opening) + sum(amounts, Decimal("0.00"))
    statement = {"statement_seq": 1, "account_currency": "USD", "from_date": day, "to_date": day}
    balances = [
        {"statement_seq": 1, "balance_seq": 1, "balance_code": "OPBD", "signed_amount": Decimal(opening)},
        {"statement_seq": 1, "balance_seq": 2, "balance_code": "CLBD", "signed_amount": end, "balance_date": day},
    ]
    booked = [
        {
            "statement_seq": 1,
            "entry_seq": place,
            "account_servicer_reference": f"REF{day:%m%d}{place}",
            "signed_amount": Decimal(amount),
            "currency": "USD",
            "entry_status": "BOOK",
            "booking_date": day,
            "value_date": day,
            "proprietary_code": code,
            "details": 1,
        }
        for place, (code, amount, _) in enumerate(entries, start=1)
    ]
    details = [
        {
            "statement_seq": 1,
            "entry_seq": place,
            "detail_seq": 1,
            "signed_amount": Decimal(amount),
            "currency": "USD",
            "end_to_end_id": end_to_end,
        }
        for place, (_, amount, end_to_end) in enumerate(entries, start=1)
    ]
    return {
        **{spec.name: spec.empty() for spec in STATEMENT_FRAMES},
        "statement": frame("statement", [statement]),
        "statement_balance": frame("statement_balance", balances),
        "statement_entry": frame("statement_entry", booked),
        "statement_entry_detail": frame("statement_entry_detail", details),
    }


def activity(name: str) -> str:
    """An activity id made from a name."""
    digits = hashlib.sha256(name.encode()).hexdigest()[:32]
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def transaction_row(name: str, pocket: str, booked_at: datetime, amount: str, **more: Any) -> dict[str, Any]:
    """One row of a listing of transactions."""
    return {
        "activity_id": activity(name),
        "transaction_id": activity(f"{name} both sides"),
        "pocket_id": pocket,
        "transaction_type": "ACH",
        "transaction_status": "BOOKED",
        "direction": "CREDIT" if Decimal(amount) > 0 else "DEBIT",
        "signed_amount": Decimal(amount),
        "currency": "USD",
        "booked_at_utc": booked_at.astimezone(UTC).replace(tzinfo=None),
        **more,
    }


def price_row(cusip: str, day: date, price: str) -> dict[str, Any]:
    """One row of a price report."""
    return {"cusip": cusip, "price_date": day, "price": Decimal(price), "provider": "JIKO"}


def report_row(reference: str, pocket: str, day: date, quantity: int, **more: Any) -> dict[str, Any]:
    """One row of a trade report."""
    return {
        "output_format": "CSV",
        "trade_reference": reference,
        "pocket_id": pocket,
        "side": "BUY",
        "cusip": "912797KJ5",
        "trade_date": day,
        "quantity": quantity,
        "price": Decimal("99.500000"),
        "amount": Decimal("99.50") * quantity,
        **more,
    }


def position_frames(
    pocket: str, day: date, held: Sequence[tuple[str, int, str, str]], cash: str
) -> dict[str, pl.DataFrame]:
    """A position summary. A holding is (cusip, quantity, price, market value)."""
    rows = [
        {
            "pocket_id": pocket,
            "as_of_date": day,
            "cusip": cusip,
            "quantity": quantity,
            "market_price": Decimal(price),
            "market_value": Decimal(value),
            "historical_cost": Decimal(value),
        }
        for cusip, quantity, price, value in held
    ]
    residual = [{"pocket_id": pocket, "as_of_date": day, "cash": Decimal(cash)}]
    return {"position": frame("position", rows), "position_cash": frame("position_cash", residual)}


def document(
    kind: str,
    frames: Mapping[str, pl.DataFrame] | None,
    *,
    first: date | None,
    last: date | None = None,
    pocket: str | None = None,
    fetched: datetime | None = None,
    created: datetime | None = None,
    finality: Finality = Finality.AFTER_CUTOFF,
    refusal: Refusal | None = None,
    rejected: tuple[RejectedRow, ...] = (),
) -> LoadedDocument:
    """One document of `kind`; `frames` None together with a refusal."""
    last = last or first
    arrived = fetched or at((last or MONDAY) + timedelta(days=1))
    body = repr((kind, pocket, first, last, arrived, created)).encode()
    archived = Document(
        kind=kind,
        customer_id=CUSTOMER,
        pocket_id=pocket,
        first=first,
        last=last,
        parts=(Blob(sha256=hashlib.sha256(body).hexdigest(), byte_length=len(body)),),
        source="test",
        created_at_provider=created,
        fetched_at=arrived,
        world=WORLD,
    )
    reading = None
    if frames is not None:
        counted = sum(frames[name].height for name in kind_of(kind).counted)
        reading = Reading(frames, rejected=rejected, rows_in_document=counted + len(rejected))
    return LoadedDocument(archived, scopes_of(kind, pocket, first, last), finality, reading=reading, refusal=refusal)


def batch(*documents: LoadedDocument) -> LoadBatch:
    """The documents, all of one kind, as one load of the days they speak of."""
    firsts = [item.document.first for item in documents if item.document.first is not None]
    lasts = [item.document.last for item in documents if item.document.last is not None]
    return LoadBatch(
        documents[0].document.kind,
        CUSTOMER,
        ENTITY,
        min(firsts) if firsts else None,
        max(lasts) if lasts else None,
        documents,
    )

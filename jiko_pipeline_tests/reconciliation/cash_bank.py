"""A bank of two pockets with cash only as far as statements show it: the world that the tests of cash, statements,
gating and breaks bend.

The facts are written by hand rules in plain Python, one landing a calendar day, so that windows can land in any
order. Amounts are cents until they are written.
"""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from jiko_pipeline import calendars
from jiko_pipeline.reconciliation.basis import DEMO_BASIS, SIMULATED_BANK, confirm_basis
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.reconciliation.runner import RunSummary, run_controls
from jiko_pipeline.warehouse import ddl
from jiko_pipeline.warehouse.connection import transaction
from jiko_pipeline.warehouse.frames import frame_from, registered
from jiko_pipeline.warehouse.tables import TABLES

CUSTOMER, ENTITY = "acme", "acme-treasury"
OLD, NEW = "pocket-old", "pocket-new"
FIRST, LAST = date(2024, 6, 3), date(2024, 6, 21)
BUSINESS_DAYS = calendars.fed_business_days(FIRST, LAST)
NEW_OPENS = BUSINESS_DAYS[2]
D = BUSINESS_DAYS[5]
"""The day on which tests bend something: Monday 10 June, before it a weekend."""
NEXT = BUSINESS_DAYS[6]
NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)

CASH_CONTROLS = ("K01", "K03", "K04", "K10", "K11", "K12", "K13", "K14", "K20", "K21")

Row = dict[str, Any]
_ALL = Registry.load()
REGISTRY = Registry(tuple(control for control in _ALL.controls if control.control_id in CASH_CONTROLS), _ALL.rules_hash)


def money(cents: int) -> Decimal:
    """Cents as dollars."""
    return Decimal(cents).scaleb(-2)


def activity_id(pocket: str, day: date, name: str) -> str:
    """The id of a movement."""
    return f"{pocket}-{day}-{name}"


@dataclass
class CashBank:
    """Rows by table, each with the calendar day on which it lands."""

    rows: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, table: str, landing: date, **values: Any) -> None:
        self.rows.setdefault(table, []).append({"_landing": landing, **values})

    def find(self, table: str, **wanted: Any) -> list[Row]:
        return [row for row in self.rows.get(table, []) if all(row[k] == v for k, v in wanted.items())]

    def one(self, table: str, **wanted: Any) -> Row:
        (row,) = self.find(table, **wanted)
        return row

    def remove(self, table: str, **wanted: Any) -> list[Row]:
        gone = self.find(table, **wanted)
        assert gone, "nothing to remove: the test would prove nothing"
        self.rows[table] = [row for row in self.rows[table] if row not in gone]
        return gone

    def entry(self, pocket: str, day: date, name: str, cents: int, category: str | None, **more: Any) -> None:
        """A bank entry; one with a category other than a sweep names the movement of the same name."""
        sweep = category in ("SWEEP_IN", "SWEEP_OUT")
        reference = f"sweep-{pocket}-{day}-{name}" if sweep else activity_id(pocket, day, name)
        values = {
            "pocket_id": pocket, "business_date": day, "bank_transaction_key": f"{name}#1", "booking_date": day,
            "value_date": day, "category": category, "matching_rules": 1, "signed_amount": money(cents),
            "currency": "USD", "proprietary_code": name, "account_servicer_reference": f"ref-{pocket}-{day}-{name}",
            "end_to_end_id": reference, "activity_id": None if sweep else reference,
        }  # fmt: skip
        self.add("core.bank_transaction", day, **{**values, **more})

    def movement(self, pocket: str, day: date, name: str, cents: int, kind: str, **more: Any) -> None:
        """A movement as the API states it, at noon of its business day and settled unless told otherwise."""
        at = calendars.new_york_instant(day, time(12)).replace(tzinfo=None)
        values = {
            "activity_id": activity_id(pocket, day, name), "pocket_id": pocket, "transaction_id": name,
            "transaction_type": kind, "transaction_status": "SETTLED", "signed_amount": money(cents),
            "currency": "USD", "booked_at_utc": at, "booked_on": day, "business_date": day, "settled_at_utc": at,
            "occurrences": 1,
        }  # fmt: skip
        self.add("core.api_transaction", day, **{**values, **more})

    def flow(self, pocket: str, day: date, name: str, cents: int, flow: str, reference: str) -> None:
        self.add("core.brokerage_flow", day, pocket_id=pocket, business_date=day, brokerage_flow_key=f"{name}#1",
                 flow=flow, signed_amount=money(cents), end_to_end_id=reference, proprietary_code=flow)  # fmt: skip

    def delivery(self, kind: str, pocket: str, day: date, **more: Any) -> None:
        document = f"{kind}-{pocket}-{day}"
        values = {
            "document_id": document, "document_kind": kind, "scope_pocket_id": pocket, "scope_date": day,
            "content_hash": document, "row_count": 0, "finality": "AFTER_CUTOFF", "outcome": "NEW_VERSION",
            "version_no": 1, "is_current": True, "known_from_utc": datetime.combine(day, time(23)),
        }  # fmt: skip
        self.add("raw.delivery", day, **{**values, **more})
        self.add("raw.document", day, document_id=document, document_kind=kind, document_sha256=document, parts="[]",
                 byte_length=0, fetched_at_utc=datetime.combine(day, time(23)), finality="AFTER_CUTOFF",
                 outcome="LOADED", rows_in_document=0, rows_loaded=0, rows_rejected=0, findings="[]",
                 loaded_at_utc=datetime.combine(day, time(23)))  # fmt: skip

    def quarantine(self, kind: str, pocket: str, day: date, *, whole: bool, message: str) -> None:
        self.add("staging.quarantine", day, document_kind=kind, scope_pocket_id=pocket, scope_date=day, row_ordinal=1,
                 reason_code="XML", message=message, is_whole_document=whole, rejected_locator="Ntry[1]",
                 row_hash="", document_id="", document_sha256="",
                 known_from_utc=datetime.combine(day, time(23)))  # fmt: skip


def clean_bank() -> CashBank:
    """Two pockets from 3 to 21 June 2024 with deposits, payments, card items booked after a weekend, quiet days."""
    bank = CashBank()
    for pocket, opened in ((OLD, date(2024, 3, 1)), (NEW, NEW_OPENS)):
        bank.add("core.pocket", date.min, pocket_id=pocket, pocket_name=f"The {pocket}", pocket_status="OPEN",
                 opened_on=opened, lifetime_source="FIRST_ACTIVITY")  # fmt: skip
        value = 5_000_000_00 if pocket == OLD else 0
        for number, day in enumerate(BUSINESS_DAYS):
            if day >= opened:
                value = _live_a_day(bank, pocket, day, number, value)
    for day in calendars.days(FIRST, LAST):
        for kind in (
            "API_TRADES", "API_TRANSACTIONS", "SECURITY_PRICE",
        ):  # fmt: skip
            bank.delivery(kind, "", day)
    return bank


def _live_a_day(bank: CashBank, pocket: str, day: date, number: int, value: int) -> int:
    quiet = number % 5 == 4
    deposit = 0 if quiet else 100_000_00 + 1_111 * number
    payment = -(20_000_00 + 7 * number) if number % 2 and not quiet else 0
    card = -45_67 if not quiet else 0
    for name, cents, kind, category in (
        ("deposit", deposit, "ACH", "DEPOSIT"),
        ("payment", payment, "WIRE", "PAYMENT"),
        ("card", card, "CARD", "CARD"),
    ):
        if cents:
            bank.movement(pocket, day, name, cents, kind)
            bank.entry(pocket, day, name, cents, category)
    out, back = -deposit, -(payment + card)
    for name, cents, category, flow in (
        ("out", out, "SWEEP_OUT", "ADDITION"),
        ("in", back, "SWEEP_IN", "SUBTRACTION"),
    ):
        if cents:
            bank.entry(pocket, day, name, cents, category)
            bank.flow(pocket, day, name, -cents, flow, f"sweep-{pocket}-{day}-{name}")
    gain = 321_00 + number if value else 0
    closing = value + deposit + payment + card + gain
    bank.add("core.bank_daily", day, pocket_id=pocket, business_date=day, opening_balance=Decimal(0),
             closing_balance=Decimal(0), booked_entries=0, booked_net=Decimal(0), statements=1,
             finality="AFTER_CUTOFF")  # fmt: skip
    bank.add("core.brokerage_daily", day, pocket_id=pocket, business_date=day, opening_value=money(value),
             additions=money(deposit), subtractions=money(-(payment + card)), gains=money(gain), fees=Decimal(0),
             unknown_flows=Decimal(0), closing_value=money(closing), booked_net=money(closing - value),
             cash_balance=Decimal(0), market_value=money(closing), finality="AFTER_CUTOFF")  # fmt: skip
    for kind in (
        "BANK_STATEMENT", "BROKERAGE_STATEMENT", "POSITION", "TRADE_REPORT_CSV", "TRADE_REPORT_KYRIBA_CSV",
    ):  # fmt: skip
        bank.delivery(kind, pocket, day)
    return closing


@cache
def _empty_file() -> bytes:
    """A DuckDB file with the declared tables and the calendar; made once, copied for each test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.duckdb"
        with duckdb.connect(str(path)) as con:
            with transaction(con):
                ddl.create_schema(con)
            days = [
                (
                    day,
                    calendars.is_fed_business_day(day),
                    calendars.is_sifma_full_close(day),
                    calendars.is_trading_day(day),
                    calendars.next_fed_business_day(day),
                    calendars.previous_fed_business_day(day),
                    calendars.business_day_index(day),
                )
                for day in calendars.days(FIRST - timedelta(days=70), LAST + timedelta(days=70))
            ]
            _insert(con, "core.calendar", days)
        return path.read_bytes()


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: list[Any]) -> None:
    with registered(con, "landing_rows", frame_from(TABLES[table], rows)):
        con.execute(f"insert into {table} select * from landing_rows")


class Warehouse:
    """A DuckDB file with the declared tables, into which a bank lands day by day."""

    def __init__(self, path: Path, *, basis: bool = True) -> None:
        path.write_bytes(_empty_file())
        self.con = duckdb.connect(str(path))
        self._runs = 0
        if basis:
            confirm_basis(self.con, customer_id=CUSTOMER, legal_entity_id=ENTITY, basis=DEMO_BASIS,
                          effective_from=date(2024, 1, 1), confirmed_by=SIMULATED_BANK)  # fmt: skip

    def land(self, bank: CashBank, days: Iterable[date], *, customer: str = CUSTOMER) -> None:
        """Writes the rows of `bank` that land on `days`, and what has no day."""
        wanted = {date.min, *days}
        self.con.execute("begin")
        self.con.execute("delete from core.pocket where customer_id = ?", [customer])
        for table, rows in bank.rows.items():
            names = [column.name for column in TABLES[table].columns]
            scope = {"customer_id": customer, "legal_entity_id": ENTITY}
            values = [[{**row, **scope}.get(name) for name in names] for row in rows if row["_landing"] in wanted]
            if values:
                _insert(self.con, table, values)
        self.con.execute("commit")

    def judge(
        self, first: date = FIRST, last: date = LAST, *, registry: Registry = REGISTRY, now: datetime = NOW
    ) -> RunSummary:
        """Runs the controls over a window."""
        self._runs += 1
        return run_controls(self.con, registry, customer_id=CUSTOMER, legal_entity_id=ENTITY, first=first, last=last,
                            run_id=f"run-{self._runs}", now=now)  # fmt: skip

    def fired(self) -> list[tuple[str, str, str, date, str]]:
        """(control, code, pocket, day, entity) of all breaks, sorted."""
        return self.con.execute(
            """
            select control_id, code, pocket_id, business_date, entity_key from recon.result
            where status = 'BREAK' order by all
            """
        ).fetchall()

    def results(self, control: str, pocket: str, day: date) -> list[Row]:
        """Every result row of a control for a pocket and day."""
        found = self.con.execute(
            """
            select * from recon.result
            where control_id = ? and pocket_id = ? and business_date = ? order by entity_key
            """,
            [control, pocket, day],
        )
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def all_results(self) -> list[tuple[Any, ...]]:
        """Every result without the run that gave it."""
        return self.con.execute("select * exclude (run_id) from recon.result order by all").fetchall()

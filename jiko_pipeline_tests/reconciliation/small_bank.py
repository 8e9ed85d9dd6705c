"""A small bank of two pockets that writes straight into a warehouse: the world the tests of this room bend.

It is an independent second computation: money in integer cents, bills by the piece, no SQL. A test takes the
facts of a clean world, changes what it is about, writes them into a real DuckDB file and asks the controls.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from jiko_pipeline import calendars, tbill
from jiko_pipeline.reconciliation.basis import DEMO_BASIS, Basis, confirm_basis
from jiko_pipeline.reconciliation.closing.build import DayClose, build_close
from jiko_pipeline.reconciliation.evidence import evidence
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.reconciliation.runner import run_controls
from jiko_pipeline.warehouse import ddl
from jiko_pipeline.warehouse.connection import transaction
from jiko_pipeline.warehouse.frames import frame_from, registered
from jiko_pipeline.warehouse.tables import TABLES

CUSTOMER = "acme"
ENTITY = "acme-treasury"
OLD, NEW = "pocket-old", "pocket-new"
"""OLD is older than the data, so its first day is a baseline; NEW opens within it."""
FIRST, LAST = date(2024, 6, 3), date(2024, 6, 17)
DAYS = calendars.fed_business_days(FIRST, LAST)
NEW_OPENS = DAYS[2]

Row = dict[str, Any]


def money(cents: int) -> Decimal:
    """Cents as dollars."""
    return Decimal(cents).scaleb(-2)


def bill_maturing(day: date, term: str) -> tbill.Auction:
    """The real bill of `term` that matures on `day`."""
    return next(a for a in tbill.auctions() if a.maturity_date == day and a.security_term == term)


MATURING = bill_maturing(date(2024, 6, 11), "4-Week")
BILLS = (
    MATURING,
    bill_maturing(date(2024, 7, 2), "4-Week"),
    bill_maturing(date(2024, 8, 29), "13-Week"),
    bill_maturing(date(2024, 11, 29), "26-Week"),
)


def mark_micros(bill: tbill.Auction, day: date) -> int:
    """The day's mark: around 5.2 % with a daily move of a few basis points, never twice the same price."""
    wiggle = random.Random(f"{bill.cusip}{day}").randrange(-20, 21)
    return tbill.price_micros(5_200 + wiggle, (bill.maturity_date - day).days)


def price_of(micros: int) -> Decimal:
    """Millionths as a price with six places."""
    return Decimal(micros).scaleb(-6)


@dataclass
class Facts:
    """Rows by table; a change of them is a change of what the bank and its documents said."""

    rows: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, table: str, **values: Any) -> None:
        self.rows.setdefault(table, []).append(values)

    def find(self, table: str, **wanted: Any) -> list[Row]:
        return [r for r in self.rows.get(table, []) if all(r[k] == v for k, v in wanted.items())]

    def one(self, table: str, **wanted: Any) -> Row:
        (row,) = self.find(table, **wanted)
        return row

    def remove(self, table: str, where: Callable[[Row], bool]) -> list[Row]:
        gone = [r for r in self.rows[table] if where(r)]
        assert gone, "nothing to remove: the test would prove nothing"
        self.rows[table] = [r for r in self.rows[table] if not where(r)]
        return gone


@dataclass
class _Account:
    bills: dict[str, int] = field(default_factory=dict)
    cost: dict[str, int] = field(default_factory=dict)
    cash: int = 0
    close: int = 0
    value: int = 0


def clean_facts(seed: int = 1, *, per_day: int = 2) -> Facts:
    """A clean world: deposits, payments, fees, purchases, sales and a maturity, drawn from `seed`."""
    facts = Facts()
    draw = random.Random(seed)
    accounts = {OLD: _Account(), NEW: _Account()}
    old = accounts[OLD]
    for bill in BILLS:
        old.bills[bill.cusip] = 1_000 + draw.randrange(500)
        old.cost[bill.cusip] = tbill.cash_cents(old.bills[bill.cusip], 98_765_432)
    old.cash = draw.randrange(9_000)
    for pocket, opened in ((OLD, date(2024, 3, 1)), (NEW, NEW_OPENS)):
        facts.add("core.pocket", pocket_id=pocket, pocket_name=pocket, pocket_status="ACTIVE",
                  opened_on=opened, lifetime_source="FIRST_ACTIVITY")  # fmt: skip
        for day in DAYS:
            if day >= opened:
                _live_a_day(facts, draw, accounts[pocket], pocket, day, per_day)
    for day in calendars.days(FIRST, LAST):
        _common_documents(facts, day)
    for bill in BILLS:
        facts.add("core.security", cusip=bill.cusip, isin=tbill.isin(bill.cusip), issuer="US Treasury",
                  security_type="TBILL", maturity_date=bill.maturity_date, first_issue_date=min(
                      a.issue_date for a in tbill.auctions() if a.cusip == bill.cusip),
                  maturity_dates=1, denomination=Decimal(100), reference_source="TREASURY")  # fmt: skip
    return facts


def _common_documents(facts: Facts, day: date) -> None:
    kinds = ["API_TRADES", "API_TRANSACTIONS", "TRADE_REPORT_CSV", "TRADE_REPORT_KYRIBA_CSV", "SECURITY_PRICE"]
    for kind in kinds:
        deliver(facts, kind, "", day)
    if calendars.is_fed_business_day(day):
        for bill in BILLS:
            if day < bill.maturity_date:
                facts.add("core.security_price", cusip=bill.cusip, price_date=day,
                          price=price_of(mark_micros(bill, day)), occurrences=1)  # fmt: skip


def deliver(facts: Facts, kind: str, pocket: str, day: date) -> None:
    """A document of this kind has arrived for the pocket and day, after the cut-off."""
    facts.add("raw.delivery", document_id=f"{kind}-{pocket}-{day}", document_kind=kind, scope_pocket_id=pocket,
              scope_date=day, content_hash="", row_count=0, finality="AFTER_CUTOFF", outcome="NEW_VERSION",
              version_no=1, is_current=True, known_from_utc=datetime.combine(day, datetime.min.time()))  # fmt: skip


def _live_a_day(facts: Facts, draw: random.Random, account: _Account, pocket: str, day: date, per_day: int) -> None:
    put_in = 0
    for bill in BILLS:
        held = account.bills.get(bill.cusip, 0)
        if held and bill.maturity_date <= day:
            put_in -= _trade(facts, account, pocket, day, "MATURITY", bill, held, 100_000_000)
    deposit = draw.choice([0, 1, 1]) * draw.randrange(1_000_000, 90_000_000)
    payment = draw.choice([0, 1]) * draw.randrange(100_00, 60_000_00) if account.value > 20_000_000 else 0
    fee = draw.randrange(100, 5_000) if day == DAYS[5] and account.value else 0
    entries = [("DEPOSIT", deposit), ("PAYMENT", -payment), ("SWEEP_OUT", -deposit), ("SWEEP_IN", payment)]
    for category, amount in entries:
        if amount:
            facts.add("core.bank_transaction", pocket_id=pocket, business_date=day,
                      bank_transaction_key=f"{pocket}-{day}-{category}", booking_date=day, value_date=day,
                      category=category, matching_rules=1, signed_amount=money(amount), currency="USD")  # fmt: skip
    facts.add("core.bank_daily", pocket_id=pocket, business_date=day, opening_balance=Decimal(0),
              closing_balance=Decimal(0), booked_entries=sum(1 for _, a in entries if a),
              booked_net=Decimal(0), statements=1, finality="AFTER_CUTOFF")  # fmt: skip
    account.cash += deposit - payment - fee
    open_bills = [bill for bill in BILLS if bill.issue_date <= day < bill.maturity_date]
    for bill in open_bills:
        price = mark_micros(bill, day) - 1 - draw.randrange(400)
        if account.cash < 0 and account.bills.get(bill.cusip):
            wanted = min(account.bills[bill.cusip], -account.cash * 10_000 // price + 1)
            put_in -= _trade(facts, account, pocket, day, "SELL", bill, wanted, price)
    for _ in range(per_day):
        bill = draw.choice(open_bills)
        price = mark_micros(bill, day) + 1 + draw.randrange(400)
        wanted = account.cash * 10_000 // price // draw.choice([1, 2])
        if wanted > 0:
            put_in += _trade(facts, account, pocket, day, "BUY", bill, wanted, price)
    assert account.cash >= 0
    value = 0
    for bill in BILLS:
        held = account.bills.get(bill.cusip, 0)
        if held:
            mark = mark_micros(bill, day)
            worth = tbill.cash_cents(held, mark)
            value += worth
            facts.add("core.position_daily", pocket_id=pocket, business_date=day, cusip=bill.cusip, quantity=held,
                      face_amount=Decimal(held * 100), price=price_of(mark), market_value=money(worth),
                      historical_cost=money(account.cost[bill.cusip]), maturity_date=bill.maturity_date,
                      occurrences=1, finality="AFTER_CUTOFF")  # fmt: skip
    gain = value - account.value - put_in
    opening = account.close
    account.value, account.close = value, value + account.cash
    facts.add("core.brokerage_daily", pocket_id=pocket, business_date=day, opening_value=money(opening),
              additions=money(deposit), subtractions=money(payment), gains=money(gain), fees=money(fee),
              unknown_flows=Decimal(0), closing_value=money(account.close),
              booked_net=money(account.close - opening), cash_balance=money(account.cash),
              market_value=money(value), finality="AFTER_CUTOFF")  # fmt: skip
    for kind in ("BANK_STATEMENT", "BROKERAGE_STATEMENT", "POSITION"):
        deliver(facts, kind, pocket, day)


def _trade(
    facts: Facts, account: _Account, pocket: str, day: date, activity: str, bill: tbill.Auction, bills: int, price: int
) -> int:
    cash = tbill.cash_cents(bills, price)
    number = len(facts.rows.get("core.trade", []))
    trade_id = f"trade-{number:04d}"
    before = account.bills.get(bill.cusip, 0)
    if activity == "BUY":
        account.bills[bill.cusip] = before + bills
        account.cost[bill.cusip] = account.cost.get(bill.cusip, 0) + cash
        account.cash -= cash
    else:
        account.bills[bill.cusip] = before - bills
        account.cost[bill.cusip] -= account.cost[bill.cusip] * bills // before
        account.cash += cash
    facts.add("core.trade", trade_id=trade_id, pocket_id=pocket, activity=activity, cusip=bill.cusip, quantity=bills,
              face_amount=Decimal(bills * 100), price=price_of(price), notional=money(cash),
              traded_at_utc=datetime.combine(day, datetime.min.time()) + timedelta(hours=15, seconds=number),
              trade_date=day, book_date=day, settlement_date=day, trade_status="SETTLED",
              maturity_date=bill.maturity_date, occurrences=1)  # fmt: skip
    if activity != "MATURITY":
        for form in ("CSV", "KYRIBA_CSV"):
            facts.add("core.trade_report", output_format=form, trade_reference=trade_id, pocket_id=pocket,
                      side=activity, cusip=bill.cusip, issue_date=bill.issue_date, maturity_date=bill.maturity_date,
                      trade_date=day, settlement_date=day, book_date=day, quantity=bills, price=price_of(price),
                      amount=money(cash), occurrences=1)  # fmt: skip
    return cash


@lru_cache(maxsize=1)
def _empty_warehouse() -> bytes:
    """The bytes of a warehouse with schema and calendar only."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "warehouse.duckdb"
        with duckdb.connect(str(path)) as con:
            with transaction(con):
                ddl.create_schema(con)
            insert(con, "core.calendar", [
                {"business_date": d, "is_fed_business_day": calendars.is_fed_business_day(d),
                 "is_sifma_full_close": calendars.is_sifma_full_close(d),
                 "is_trading_day": calendars.is_trading_day(d),
                 "next_fed_business_day": calendars.next_fed_business_day(d),
                 "previous_fed_business_day": calendars.previous_fed_business_day(d),
                 "bd_idx": calendars.business_day_index(d)}
                for d in calendars.days(date(2024, 1, 1), date(2027, 12, 31))
            ])  # fmt: skip
        return path.read_bytes()


@contextmanager
def warehouse(path: Path, facts: Facts, *, basis: Basis | None = DEMO_BASIS) -> Iterator[duckdb.DuckDBPyConnection]:
    """A new DuckDB file with the schema, the calendar, the confirmed basis and the facts."""
    file = path / "warehouse.duckdb"
    file.with_name("warehouse.duckdb.wal").unlink(missing_ok=True)
    file.write_bytes(_empty_warehouse())
    with duckdb.connect(str(file), config={"threads": 1}) as con:
        con.execute("pragma disable_checkpoint_on_shutdown")
        with transaction(con):
            if basis is not None:
                confirm_basis(con, customer_id=CUSTOMER, legal_entity_id=ENTITY, basis=basis,
                              effective_from=date(2024, 1, 1), confirmed_by="test")  # fmt: skip
            for table, rows in facts.rows.items():
                insert(con, table, rows)
        yield con


def insert(con: duckdb.DuckDBPyConnection, table: str, rows: list[Row]) -> None:
    """Inserts rows given by column name; the customer is filled in, other columns left out are null."""
    spec = TABLES[table]
    scope = {"customer_id": CUSTOMER, "legal_entity_id": ENTITY}
    values = [[{**scope, **row}.get(column.name) for column in spec.columns] for row in rows]
    with registered(con, "new_rows", frame_from(spec, values)):
        con.execute(f"insert into {table} select * from new_rows")


@dataclass(frozen=True)
class Answer:
    """One row of a control."""

    pocket_id: str
    business_date: date
    entity_key: str
    status: str
    code: str
    sub_code: str
    reason: str
    left_value: Decimal | None
    right_value: Decimal | None
    difference: Decimal | None
    detail: str


def ask(
    path: Path,
    facts: Facts,
    *control_ids: str,
    basis: Basis | None = DEMO_BASIS,
    first: date = FIRST,
    last: date = LAST,
) -> Mapping[str, list[Answer]]:
    """What the controls answer over all days of the window, without any gate before them."""
    registry = Registry.load()
    with (
        warehouse(path, facts, basis=basis) as con,
        evidence(con, customer_id=CUSTOMER, first=first, last=last) as span,
    ):
        assert span is not None
        return {
            control_id: [Answer(*row) for row in con.execute(registry[control_id].sql).fetchall()]
            for control_id in control_ids
        }


def breaks(answers: Mapping[str, list[Answer]]) -> set[tuple[str, str, str, str, date, str]]:
    """(control, code, sub code, pocket, day, entity) of every break."""
    return {
        (control, a.code, a.sub_code, a.pocket_id, a.business_date, a.entity_key)
        for control, rows in answers.items()
        for a in rows
        if a.status == "BREAK"
    }


NOW = datetime(2024, 6, 20, 11, tzinfo=UTC)


def judge(con: duckdb.DuckDBPyConnection, first: date = FIRST, last: date = LAST, run_id: str = "run-1") -> None:
    """Runs every control over the window, gates included."""
    run_controls(con, Registry.load(), customer_id=CUSTOMER, legal_entity_id=ENTITY, first=first, last=last,
                 run_id=run_id, now=NOW)  # fmt: skip


def close(
    con: duckdb.DuckDBPyConnection, first: date = FIRST, last: date = LAST, run_id: str = "run-1"
) -> tuple[DayClose, ...]:
    """Makes the bridge and the close of the window."""
    return build_close(con, customer_id=CUSTOMER, legal_entity_id=ENTITY, first=first, last=last, run_id=run_id)


def bridge_of(con: duckdb.DuckDBPyConnection, pocket: str, day: date) -> dict[str, Decimal | None]:
    """The lines of one pocket-day's bridge by label, in their order."""
    return dict(
        con.execute(
            "select label, amount from mart.recon_bridge where pocket_id = ? and business_date = ? order by line_no",
            [pocket, day],
        ).fetchall()
    )


def unexplained(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, date], Decimal | None]:
    """What each bridge leaves over, by pocket and day."""
    rows = con.execute(
        "select pocket_id, business_date, amount from mart.recon_bridge where label = 'unexplained'"
    ).fetchall()
    return {(pocket, day): amount for pocket, day, amount in rows}

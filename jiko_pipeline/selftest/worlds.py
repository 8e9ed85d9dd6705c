"""Worlds of the simulated bank as rows, and warehouses in which they are proved.

Belongs here: asking a world's ledger for what its documents say, building a warehouse from rows by the real core
build. Does not belong here: how a record becomes rows (`documents`, `messages`), faults (`planting`), judging whole
runs (`proof`).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb

from jiko_pipeline import calendars, tbill
from jiko_pipeline.reconciliation.basis import DEMO_BASIS, Basis, confirm_basis
from jiko_pipeline.selftest import documents
from jiko_pipeline.selftest.books import LEDGER_SWITCHES, SWITCHES, books_of
from jiko_pipeline.selftest.covering import covering_array
from jiko_pipeline.selftest.facts import CUSTOMER, ENTITY, Facts
from jiko_pipeline.selftest.messages import enter_messages
from jiko_pipeline.simulator.model import WorldConfig, ledger_basis
from jiko_pipeline.simulator.server.holdings import status_of
from jiko_pipeline.simulator.world import World
from jiko_pipeline.warehouse import ddl
from jiko_pipeline.warehouse.connection import DISABLED_OPTIMIZERS, transaction
from jiko_pipeline.warehouse.core_build import build_core
from jiko_pipeline.warehouse.kinds import SNAPSHOT_DATE
from jiko_pipeline.warehouse.mirror_build import build_dimensions, build_flows
from jiko_pipeline.warehouse.reference import store_rules

START: Final = date(2024, 6, 3)
"""First day of the data of every world; its oldest pocket has one business day before it, its take-on."""

_WINDOW_DAYS: Final = 31
_ASKED_AFTER_DAYS: Final = 14
_BUSINESS_DAY_END: Final = time(19)
_CONFIRMED_BY: Final = "self-test"


@dataclass(frozen=True, slots=True)
class WorldSpan:
    """The days of a world: `first` is the business day before its data, `last` its last one, both included."""

    first: date
    last: date

    @property
    def business_days(self) -> list[date]:
        """The Fed business days of the data, without the take-on."""
        return calendars.fed_business_days(calendars.next_fed_business_day(self.first), self.last)

    @property
    def windows(self) -> list[Sequence[date]]:
        """The calendar days, in windows of at most 31."""
        every = calendars.days(self.first, self.last)
        return [every[at : at + _WINDOW_DAYS] for at in range(0, len(every), _WINDOW_DAYS)]


def span_of(days: int, start: date = START) -> WorldSpan:
    """The span of a world with data of `days` Fed business days from `start` on."""
    first = last = calendars.on_or_after(start)
    for _ in range(days - 1):
        last = calendars.next_fed_business_day(last)
    return WorldSpan(calendars.previous_fed_business_day(first), last)


def switch_rows() -> list[dict[str, StrEnum]]:
    """Rows of ledger switches that a world can have, in which every two possible values occur together."""
    return covering_array(SWITCHES, _is_offered)


def ledger_rows() -> list[dict[str, StrEnum]]:
    """As `switch_rows`, of all ledger switches: what learning a bank's basis is proved over."""
    return covering_array(LEDGER_SWITCHES, _is_offered)


def _is_offered(switches: Mapping[str, StrEnum]) -> bool:
    try:
        world_of(1, switches)
    except ValueError:
        return False
    return True


def basis_of(switches: Mapping[str, Any] | None = None) -> Basis:
    """The basis that a person would confirm for a bank with these switches."""
    truth = ledger_basis(WorldConfig(**(switches or {})))
    words = {name: str(word) for name, word in asdict(truth).items()}
    return Basis(**words, quantity_factor=Decimal(1))  # type: ignore[arg-type]


def world_of(seed: int, switches: Mapping[str, Any] | None = None, *, pockets: int = 4, start: date = START) -> World:
    """The bank of a seed with these ledger switches (by name). Raises ValueError for what no ledger offers."""
    return World(WorldConfig(seed=seed, pockets=pockets, start=start, **(switches or {})))


def clean_facts(
    seed: int = 7,
    switches: Mapping[str, Any] | None = None,
    *,
    pockets: int = 4,
    days: int = 20,
    start: date = START,
    asked_at: datetime | None = None,
) -> Facts:
    """What the documents of a clean world say, over `days` Fed business days from `start` on and the one before.

    `asked_at` (aware) is when everything was asked for, by default long enough afterwards that all has settled.
    """
    world = world_of(seed, switches, pockets=pockets, start=start)
    span = span_of(days, start)
    at = asked_at or datetime.combine(span.last + timedelta(days=_ASKED_AFTER_DAYS), time(15), tzinfo=UTC)
    facts = Facts(books_of(switches))
    _enter_pockets(facts, world, span, at)
    _enter_statements(facts, world, span, at)
    for days_asked in span.windows:
        first, last = days_asked[0], days_asked[-1]
        documents.quote(facts, days_asked, world.prices(first, last))
        documents.list_trades(facts, days_asked, world.trades(first, last), calendars.new_york_date(at))
        documents.list_transactions(facts, days_asked, world.transactions(first, last), at)
    documents.refer(facts, tbill.auctions(), "TREASURY")
    documents.refer(facts, world.reference_auctions(calendars.new_york_date(at)), "SIMULATED")
    enter_messages(facts, world, span.first, span.last, at)
    return facts


def _enter_pockets(facts: Facts, world: World, span: WorldSpan, at: datetime) -> None:
    listed = documents.deliver(facts, "POCKETS", "", [])
    lives = documents.deliver(facts, "POCKET_LIVES", "", [])
    for number, pocket in enumerate(world.pockets(calendars.new_york_date(at)), start=1):
        if pocket.opened_on > span.last:
            # A pocket that nobody has heard of in these days would only be a row without a day.
            continue
        scope = {"scope_pocket_id": "", "scope_date": SNAPSHOT_DATE, "document_locator": f"page 1 item {number}"}
        facts.put(
            "staging.pocket",
            {
                **scope,
                "document_kind": "POCKETS",
                "document_id": listed["document_id"],
                "pocket_id": pocket.id,
                "pocket_name": pocket.name,
                "pocket_status": status_of(pocket, at),
                "deposit_strategy_id": pocket.strategy_id,
                "reinvestment_strategy_id": pocket.reinvestment_strategy_id or pocket.strategy_id,
            },
        )
        facts.put(
            "staging.pocket_life",
            {
                **scope,
                "document_kind": "POCKET_LIVES",
                "document_id": lives["document_id"],
                "pocket_id": pocket.id,
                "first_activity_on": pocket.opened_on,
                "last_activity_on": pocket.closed_on,
            },
        )


def _enter_statements(facts: Facts, world: World, span: WorldSpan, at: datetime) -> None:
    business_days = calendars.fed_business_days(span.first, span.last)
    for pocket in world.pockets(span.last):
        closed_on = world.drawn_end(pocket.id) or date.max
        for day in business_days:
            if not pocket.opened_on <= day <= closed_on:
                continue
            for statement in (world.bank_statement(pocket.id, day), world.brokerage_statement(pocket.id, day)):
                if statement is not None:
                    documents.state(facts, statement)
            summary = world.position_summary(pocket.id, day)
            if summary is not None:
                documents.hold(facts, summary)
        for days_asked in span.windows:
            alive = [day for day in days_asked if pocket.opened_on <= day <= closed_on]
            if alive:
                trades = world.trade_report([pocket.id], alive[0], alive[-1])
                documents.report_trades(facts, pocket.id, alive, trades)


@lru_cache(maxsize=1)
def _empty_warehouse() -> bytes:
    """The bytes of a warehouse that has its schema and its rules, and no fact."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "warehouse.duckdb"
        with duckdb.connect(str(path)) as con:
            with transaction(con):
                ddl.create_schema(con)
            store_rules(con)
        return path.read_bytes()


@contextmanager
def proving(facts: Facts, basis: Basis | None = DEMO_BASIS) -> Iterator[duckdb.DuckDBPyConnection]:
    """A new warehouse that holds `facts`, with core built from them and `basis` confirmed from the first day on.

    The connection is the writer's, without an open transaction; the file goes with the block.
    """
    documents.settled(facts)
    days = [row["scope_date"] for row in facts.all("raw.delivery") if row["scope_date"] > SNAPSHOT_DATE]
    first, last = min(days), max(days)
    with TemporaryDirectory(prefix="jiko-selftest-") as folder:
        file = Path(folder) / "warehouse.duckdb"
        file.write_bytes(_empty_warehouse())
        with duckdb.connect(str(file), config={"threads": 1, "disabled_optimizers": DISABLED_OPTIMIZERS}) as con:
            con.execute("pragma disable_checkpoint_on_shutdown")
            with transaction(con):
                facts.insert(con)
            build_core(con, CUSTOMER, ENTITY, first, last, business_day_end=_BUSINESS_DAY_END)
            build_flows(con, CUSTOMER, ENTITY, first, last)
            build_dimensions(con)
            if basis is not None:
                with transaction(con):
                    confirm_basis(
                        con,
                        customer_id=CUSTOMER,
                        legal_entity_id=ENTITY,
                        basis=basis,
                        effective_from=first,
                        confirmed_by=_CONFIRMED_BY,
                    )
            yield con

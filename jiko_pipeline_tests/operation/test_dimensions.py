"""Dimensions keep every version of what has no as-of date; flows show what was stated last."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from jiko_pipeline.archive import Archive, Document
from jiko_pipeline.pipeline.loading import read_document
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.load import LoadBatch, load
from jiko_pipeline.warehouse.mirror_build import build_dimensions, build_flows
from jiko_pipeline_tests.operation.warehouse_batches import CUSTOMER, ENTITY, WORLD, settings_for

FIRST_DAY, LAST_DAY = date(2024, 6, 3), date(2024, 6, 7)
MONDAY, TUESDAY, WEDNESDAY = (datetime(2024, 6, day, 12, tzinfo=UTC) for day in (10, 11, 12))


class Bank:
    """Documents of a bank that says different things at different times."""

    def __init__(self, settings: Settings, con: duckdb.DuckDBPyConnection) -> None:
        self.settings, self.con = settings, con
        self.archive = Archive(settings.archive_dir)

    def says(self, kind: str, at: datetime, *items: Mapping[str, Any], days: bool = False) -> None:
        """Loads one document of `kind` that arrived at `at`."""
        body = json.dumps({"items": items, "next_page": None}).encode()
        document = self.archive.record(
            Document(
                kind=kind,
                customer_id=CUSTOMER,
                pocket_id=None,
                first=FIRST_DAY if days else None,
                last=LAST_DAY if days else None,
                parameters={},
                parts=(self.archive.store_bytes(body),),
                source="test",
                created_at_provider=None,
                fetched_at=at,
                media_type="application/json",
                report_request_id=None,
                report_id=None,
                pull_key=None,
                reason=None,
                world=WORLD,
            )
        )
        read = read_document(self.settings, self.archive, document)
        batch = LoadBatch(kind, CUSTOMER, ENTITY, document.first, document.last, (read,))
        load(self.con, batch, run_id="run")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        build_dimensions(self.con)
        build_flows(self.con, CUSTOMER, ENTITY, FIRST_DAY, LAST_DAY)
        return self.con.execute(query).fetchall()


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Bank]:
    settings = settings_for(tmp_path)
    with Warehouse(settings).writer(WORLD) as con:
        yield Bank(settings, con)


def counterparty(name: str, status: str) -> dict[str, str]:
    return {"id": name, "type": "wire", "status": status, "account_number": "000123"}


def naive(at: datetime) -> datetime:
    return at.replace(tzinfo=None)


VERSIONS = (
    "select counterparty_id, counterparty_status, known_from_utc, known_to_utc from core.counterparty"
    " order by counterparty_id, known_from_utc"
)


def test_a_change_closes_one_version_and_opens_the_next_at_the_same_instant(bank: Bank) -> None:
    bank.says("COUNTERPARTIES", MONDAY, counterparty("a", "PENDING"), counterparty("b", "LINKED"))
    bank.says("COUNTERPARTIES", TUESDAY, counterparty("a", "LINKED"), counterparty("b", "LINKED"))
    assert bank.rows(VERSIONS) == [
        ("a", "PENDING", naive(MONDAY), naive(TUESDAY)),
        ("a", "LINKED", naive(TUESDAY), None),
        ("b", "LINKED", naive(MONDAY), None),
    ]


def test_what_is_no_longer_listed_is_closed_and_may_come_back(bank: Bank) -> None:
    bank.says("COUNTERPARTIES", MONDAY, counterparty("a", "LINKED"))
    bank.says("COUNTERPARTIES", TUESDAY)
    assert bank.rows(VERSIONS) == [("a", "LINKED", naive(MONDAY), naive(TUESDAY))]
    bank.says("COUNTERPARTIES", WEDNESDAY, counterparty("a", "LINKED"))
    assert bank.rows(VERSIONS) == [
        ("a", "LINKED", naive(MONDAY), naive(TUESDAY)),
        ("a", "LINKED", naive(WEDNESDAY), None),
    ]


def test_the_same_listing_again_makes_no_version(bank: Bank) -> None:
    for at in (MONDAY, TUESDAY, WEDNESDAY):
        bank.says("COUNTERPARTIES", at, counterparty("a", "LINKED"))
    assert bank.rows(VERSIONS) == [("a", "LINKED", naive(MONDAY), None)]


def test_the_versions_that_were_known_at_an_instant_are_those_whose_interval_holds_it(bank: Bank) -> None:
    bank.says("COUNTERPARTIES", MONDAY, counterparty("a", "PENDING"))
    bank.says("COUNTERPARTIES", TUESDAY, counterparty("a", "LINKED"))
    known = (
        "select counterparty_status from core.counterparty where known_from_utc <= timestamp '{0:%Y-%m-%d %H:%M}'"
        " and (known_to_utc is null or known_to_utc > timestamp '{0:%Y-%m-%d %H:%M}')"
    )
    assert bank.rows(known.format(MONDAY)) == [("PENDING",)]
    assert bank.rows(known.format(TUESDAY)) == [("LINKED",)]


def test_a_listing_in_quarantine_leaves_the_dimension_as_it_was(bank: Bank) -> None:
    bank.says("COUNTERPARTIES", MONDAY, counterparty("a", "LINKED"))
    twice = {**counterparty("a", "UNLINKED"), "status": 7}
    bank.says("COUNTERPARTIES", TUESDAY, counterparty("a", "LINKED"), twice | {"id": "b"})
    assert bank.rows(VERSIONS) == [("a", "LINKED", naive(MONDAY), None)]
    assert bank.rows("select count(*) from staging.quarantine where document_kind = 'COUNTERPARTIES'") == [(1,)]


def test_a_status_that_flips_is_a_new_version_below_and_one_row_in_core(bank: Bank) -> None:
    def request(status: str) -> dict[str, Any]:
        transfer = {"id": "transfer-1", "type": "WIRE", "amount": {"amount_usdc": 5}}
        return {"id": "request-1", "status": status, "transfer": transfer, "created_at": "2024-06-05T15:00:00Z"}

    bank.says("TRANSFER_REQUESTS", MONDAY, request("PENDING"), days=True)
    bank.says("TRANSFER_REQUESTS", TUESDAY, request("APPROVED"), days=True)
    staged = bank.rows("select request_status, known_to_utc from staging.transfer_request order by known_from_utc")
    assert staged == [("PENDING", naive(TUESDAY)), ("APPROVED", None)]
    assert bank.rows("select request_id, request_status, stated_on from core.transfer_request") == [
        ("request-1", "APPROVED", date(2024, 6, 5))
    ]

"""Dimensions keep every version of what has no as-of date; flows show what was stated last."""

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from jiko_pipeline.archive import Archive, Document
from jiko_pipeline.pipeline.loading import read_document
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.core_build import build_core
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.load import LoadBatch, load
from jiko_pipeline.warehouse.mirror_build import build_dimensions, build_flows
from jiko_pipeline_tests.operation.warehouse_batches import CUSTOMER, ENTITY, WORLD, born

Days = tuple[date, date]
FIRST_DAY, LAST_DAY = date(2024, 6, 3), date(2024, 6, 7)
MONDAY, TUESDAY, WEDNESDAY = (datetime(2024, 6, day, 12, tzinfo=UTC) for day in (10, 11, 12))


class Bank:
    """Documents of a bank that says different things at different times."""

    def __init__(self, settings: Settings, con: duckdb.DuckDBPyConnection, customer: str = CUSTOMER) -> None:
        self.settings, self.con, self.customer = settings, con, customer
        self.archive = Archive(settings.archive_dir)

    def says(self, kind: str, at: datetime, *items: Mapping[str, Any], span: Days | None = None) -> None:
        """Loads one document of `kind`, a page of items, that arrived at `at`."""
        self.answers(kind, at, {"items": items, "next_page": None}, span=span)

    def answers(self, kind: str, at: datetime, told: Mapping[str, Any], *, span: Days | None = None) -> None:
        """Loads one document of `kind` that arrived at `at`."""
        body = json.dumps(told).encode()
        first, last = span or (None, None)
        document = self.archive.record(
            Document(
                kind=kind,
                customer_id=self.customer,
                pocket_id=None,
                first=first,
                last=last,
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
        batch = LoadBatch(kind, self.customer, ENTITY, document.first, document.last, (read,))
        load(self.con, batch, run_id="run")

    def rows(self, query: str, *, span: Days = (FIRST_DAY, LAST_DAY)) -> list[tuple[Any, ...]]:
        """The answer to `query` after the dimensions and the flows of the days of `span` were built."""
        build_dimensions(self.con)
        build_flows(self.con, self.customer, ENTITY, *span)
        return self.con.execute(query).fetchall()


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Bank]:
    settings = born(tmp_path)
    with Warehouse(settings).writer(WORLD) as con:
        yield Bank(settings, con)


def counterparty(name: str, status: str) -> dict[str, str]:
    return {"id": name, "type": "wire", "status": status, "account_number": "000123"}


def request(status: str, day: str = "2024-06-05") -> dict[str, Any]:
    transfer = {"id": "transfer-1", "type": "WIRE", "amount": {"amount_usdc": 5}}
    return {"id": "request-1", "status": status, "transfer": transfer, "created_at": f"{day}T15:00:00Z"}


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


def test_a_pocket_that_one_list_names_twice_is_one_pocket(bank: Bank) -> None:
    told = {"id": str(uuid.UUID(int=7)), "status": "OPEN", "deposit_strategy_id": "UST-4W"}
    names = [{**told, "pocket_name": name} for name in ("Operating", "Reserve", "Operating")]
    bank.says("POCKETS", MONDAY, *names)
    build_core(bank.con, CUSTOMER, ENTITY, FIRST_DAY, LAST_DAY, business_day_end=time(19))
    assert bank.con.execute("select pocket_id from core.pocket").fetchall() == [(told["id"],)]
    assert bank.rows("select pocket_id, known_to_utc from core.pocket_history") == [(told["id"], None)]


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


def test_an_answer_that_is_no_customer_does_not_close_the_customer(bank: Bank) -> None:
    bank.answers("CUSTOMER", MONDAY, {"type": "BUSINESS", "name": "Acme"})
    bank.answers("CUSTOMER", TUESDAY, {"error": "internal_error"})
    versions = bank.rows("select customer_name, known_from_utc, known_to_utc from core.customer")
    assert versions == [("Acme", naive(MONDAY), None)]
    kept_aside = bank.rows("select reason_code, is_whole_document from staging.quarantine")
    assert kept_aside == [("MISSING", True)]


def test_a_status_that_flips_is_a_new_version_below_and_one_row_in_core(bank: Bank) -> None:
    bank.says("TRANSFER_REQUESTS", MONDAY, request("PENDING"), span=(FIRST_DAY, LAST_DAY))
    bank.says("TRANSFER_REQUESTS", TUESDAY, request("APPROVED"), span=(FIRST_DAY, LAST_DAY))
    staged = bank.rows("select request_status, known_to_utc from staging.transfer_request order by known_from_utc")
    assert staged == [("PENDING", naive(TUESDAY)), ("APPROVED", None)]
    assert bank.rows("select request_id, request_status, stated_on from core.transfer_request") == [
        ("request-1", "APPROVED", date(2024, 6, 5))
    ]


def test_a_request_that_moves_to_another_day_is_one_row_in_core(bank: Bank) -> None:
    bank.says("TRANSFER_REQUESTS", MONDAY, request("PENDING"), span=(FIRST_DAY, LAST_DAY))
    stated = "select request_status, stated_on from core.transfer_request"
    assert bank.rows(stated) == [("PENDING", date(2024, 6, 5))]
    week = (date(2024, 6, 10), date(2024, 6, 14))
    bank.says("TRANSFER_REQUESTS", WEDNESDAY, request("APPROVED", "2024-06-11"), span=week)
    assert bank.rows(stated, span=week) == [("APPROVED", date(2024, 6, 11))]
    assert bank.rows(stated) == [("APPROVED", date(2024, 6, 11))]


@settings_of_hypothesis(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    listings=st.lists(
        st.dictionaries(st.sampled_from("abc"), st.sampled_from(("PENDING", "LINKED")), max_size=3),
        min_size=1,
        max_size=5,
    ),
    data=st.data(),
)
def test_at_any_instant_a_dimension_has_the_rows_of_the_last_listing_before_it(
    bank: Bank, listings: list[dict[str, str]], data: st.DataObject
) -> None:
    # Each example is another customer of the one warehouse.
    one = Bank(bank.settings, bank.con, str(uuid.uuid4()))
    at = [MONDAY + timedelta(hours=number) for number in range(len(listings))]
    for arrived, listing in zip(at, listings, strict=True):
        one.says(
            "COUNTERPARTIES", arrived, *data.draw(st.permutations([counterparty(*row) for row in listing.items()]))
        )
    build_dimensions(one.con)
    versions = one.con.execute(
        VERSIONS.replace(" order by", " where customer_id = ? order by"), [one.customer]
    ).fetchall()
    for arrived, listing in zip(at, listings, strict=True):
        known = [
            (name, status)
            for name, status, begun, ended in versions
            if begun <= naive(arrived) and (ended is None or naive(arrived) < ended)
        ]
        assert sorted(known) == sorted(listing.items())
    for version, following in pairwise(versions):
        # One key's versions neither overlap nor repeat each other without a gap between them.
        if version[0] == following[0]:
            assert version[3] is not None
            assert version[3] <= following[2]
            assert version[3] < following[2] or version[1] != following[1]

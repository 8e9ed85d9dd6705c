"""Lists go their way into the warehouse: archived first, versioned as a whole, published."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from jiko_pipeline.archive import Archive
from jiko_pipeline.errors import ExitCode, StorageError
from jiko_pipeline.formats.supplied_lists import CUSTOMER_LISTS, TREASURY_LISTS
from jiko_pipeline.pipeline.lists import ListRefusedError, LoadedList, load_list
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline_tests.operation.warehouse_batches import WORLD, settings_for

HEADER = "id,pocket,direction,amount_lo,amount_hi,date_lo,date_hi,counterparty,reference,type\n"
MONDAY = datetime(2024, 6, 10, 12, tzinfo=UTC)


class Desk:
    """A data directory with a warehouse, and files that somebody loads into it."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.clock = MONDAY

    def loads(self, text: str, kinds: tuple[str, ...] = CUSTOMER_LISTS, day: date | None = None) -> LoadedList:
        file = self.folder / "list.csv"
        file.write_text(text, encoding="utf-8")
        self.clock += timedelta(hours=1)
        return load_list(self.settings, file, kinds, price_date=day, now=self.clock)

    def published(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.settings.published_file), read_only=True) as con:
            return con.execute(query).fetchall()


@pytest.fixture(scope="module")
def born(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a warehouse that nothing was loaded into yet."""
    folder = tmp_path_factory.mktemp("born")
    with Warehouse(settings_for(folder)).writer(WORLD):
        pass
    return folder


@pytest.fixture
def desk(born: Path, tmp_path: Path) -> Desk:
    folder = tmp_path / "one"
    shutil.copytree(born, folder)
    return Desk(settings_for(folder), tmp_path)


def expected(*ids: str) -> str:
    return HEADER + "".join(f"{one},Operating,IN,1,2,2024-06-10,2024-06-12,,,\n" for one in ids)


VERSIONS = "select expected_id, known_to_utc is null from core.expected_payment order by expected_id, known_from_utc"


def test_a_list_stands_for_all_that_is_expected(desk: Desk) -> None:
    assert desk.loads(expected("a", "b")).is_new_version
    assert desk.loads(expected("b", "c")).is_new_version
    assert desk.published(VERSIONS) == [("a", False), ("b", True), ("c", True)]


def test_the_same_content_again_makes_no_version(desk: Desk) -> None:
    desk.loads(expected("a", "b"))
    again = desk.loads(expected("b", "a"))
    assert (again.rows, again.is_new_version) == (2, False)
    assert desk.published(VERSIONS) == [("a", True), ("b", True)]


def test_a_row_that_is_wrong_is_counted_and_named_and_the_others_are_taken(desk: Desk) -> None:
    text = expected("a") + "b,Operating,IN,2,1,2024-06-10,2024-06-12,,,\n"
    loaded = desk.loads(text)
    assert Archive(desk.settings.archive_dir).open_blob(loaded.sha256).decode() == text
    assert (loaded.rows, [row.locator for row in loaded.rejected]) == (1, ["line 3"])
    assert loaded.unknown_pockets == ("Operating",)
    assert desk.published("select rows_in_document, rows_loaded, rows_rejected from raw.document"
                          " where document_kind = 'EXPECTED_PAYMENTS'") == [(2, 1, 1)]  # fmt: skip


def test_a_file_that_is_no_list_of_ours_leaves_everything_as_it_was(desk: Desk) -> None:
    desk.loads(expected("a"))
    with pytest.raises(ListRefusedError, match="the header is name,amount") as refused:
        desk.loads("name,amount\nx,1\n")
    assert refused.value.exit_code is ExitCode.NOT_PROVED
    assert desk.published(VERSIONS) == [("a", True)]


def test_auctions_that_were_loaded_are_bills_that_are_known(desk: Desk) -> None:
    shipped = "cusip,security_term,auction_date,issue_date,maturity_date,price_per_100\n"
    row = "912797VC8,4-Week,2026-08-13,2026-08-18,2026-09-15,99.718056\n"
    assert desk.loads(shipped + row, TREASURY_LISTS).rows == 1
    known = "select maturity_date, reference_source from core.security where cusip = '{}'"
    assert desk.published(known.format("912797VC8")) == [(date(2026, 9, 15), "TREASURY")]
    assert desk.published(known.format("912797GK7")) == [(date(2024, 8, 8), "TREASURY")]


def test_prices_are_versioned_by_their_day(desk: Desk) -> None:
    row = "912797GK7,MARKET BASED BILL,0.000%,08/08/2024,,99.1,99.0,{}\n"
    for day, price in ((10, "99.1"), (11, "99.2"), (10, "99.3")):
        desk.loads(row.format(price), TREASURY_LISTS, date(2024, 6, day))
    current = "select price_date, end_of_day from core.treasury_price where known_to_utc is null order by 1"
    assert [(day.day, str(price)) for day, price in desk.published(current)] == [(10, "99.300000"), (11, "99.200000")]
    with pytest.raises(ListRefusedError, match="--date"):
        desk.loads(row.format("99.1"), TREASURY_LISTS)


def test_without_a_warehouse_nothing_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(expected("a"), encoding="utf-8")
    with pytest.raises(StorageError, match="no warehouse"):
        load_list(settings_for(tmp_path), file, CUSTOMER_LISTS)

"""One statement in fourteen versions reads to the same rows."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from lxml import etree

from jiko_pipeline.formats import camt053
from jiko_pipeline.formats.frames import FRAMES
from jiko_pipeline_tests.formats.golden_statement import VERSIONS, render

SINCE = {
    ("statement_entry", "entry_reference"): 2,
    ("statement_entry_detail", "uetr"): 8,
}
"""Fields that older versions do not have."""


@pytest.fixture(scope="module")
def golden() -> dict[str, pl.DataFrame]:
    return dict(camt053.read(render("08")).frames)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_golden_statement_is_valid_in_each_version(version: str, corpus: Path) -> None:
    schema = etree.XMLSchema(etree.parse(corpus / "xsd" / f"camt.053.001.{version}.xsd"))
    body = render(version)
    if version == "01":
        body = body.replace(b"PDNG", b"BOOK")  # the one thing that the first version cannot say
    document = etree.fromstring(body)
    assert schema.validate(document), schema.error_log


@pytest.mark.parametrize("version", VERSIONS)
def test_the_golden_statement_reads_equal_in_each_version(version: str, golden: dict[str, pl.DataFrame]) -> None:
    reading = camt053.read(render(version))
    for name, frame in reading.frames.items():
        columns = [
            column.name
            for column in FRAMES[name].columns
            if column.name not in ("message_version", "document_locator")
            and SINCE.get((name, column.name), 1) <= int(version)
        ]
        assert frame.select(columns).equals(golden[name].select(columns)), name
    assert reading.frames["statement"]["message_version"].to_list() == [version]


def test_the_golden_statement_holds_what_was_written(golden: dict[str, pl.DataFrame]) -> None:
    statement = golden["statement"].row(0, named=True)
    assert statement["account_identification"] == "DE89370400440532013000"
    assert (statement["from_date"], statement["to_date"]) == (date(2024, 6, 3), date(2024, 6, 3))
    assert (statement["summary_entries"], statement["summary_net_amount"]) == (3, Decimal("181.50"))
    assert (statement["page_number"], statement["is_last_page"]) == ("1", True)
    assert golden["statement_balance"].select("balance_code", "signed_amount").rows() == [
        ("OPBD", Decimal("1000.00")),
        ("CLBD", Decimal("1188.50")),
    ]
    entries = golden["statement_entry"]
    assert entries["signed_amount"].to_list() == [Decimal("200.00"), Decimal("-11.50"), Decimal("-7.00")]
    assert entries["is_reversal"].to_list() == [None, True, None]
    assert entries["entry_status"].to_list() == ["BOOK", "BOOK", "PDNG"]
    assert entries["details"].to_list() == [3, 1, 1]
    details = golden["statement_entry_detail"]
    assert details["detail_seq"].to_list() == [1, 2, 3, 1, 1]
    assert details["document_locator"].to_list()[:3] == [
        "Stmt[1]/Ntry[1]/NtryDtls[1]/TxDtls[1]",
        "Stmt[1]/Ntry[1]/NtryDtls[1]/TxDtls[2]",
        "Stmt[1]/Ntry[1]/NtryDtls[2]/TxDtls[1]",
    ]
    assert details["remittance_unstructured"].to_list()[0] == "first line\nsecond line"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_golden_statement_has_nothing_to_be_found(version: str) -> None:
    document = camt053.parse(render(version))
    assert document.findings == ()
    assert [statement.findings for statement in document.statements] == [()]
    assert document.statements[0].foots is True

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

_DETAIL = "statement_entry_detail"
HELD_BY: dict[tuple[str, str], tuple[int, int]] = {
    ("statement_entry", "entry_reference"): (2, 14),
    ("statement_entry", "technical_input_channel"): (2, 14),
    ("statement_entry", "exchange_rate_base"): (11, 14),
    (_DETAIL, "exchange_rate_base"): (11, 14),
    (_DETAIL, "uetr"): (8, 14),
    (_DETAIL, "payment_information_id"): (2, 14),
    (_DETAIL, "account_owner_transaction_id"): (3, 14),
    (_DETAIL, "account_servicer_transaction_id"): (3, 14),
    (_DETAIL, "market_infrastructure_id"): (3, 14),
    (_DETAIL, "processing_id"): (3, 14),
    (_DETAIL, "return_id"): (14, 14),
    (_DETAIL, "local_instrument"): (7, 14),
    (_DETAIL, "service_level"): (10, 14),
    (_DETAIL, "category_purpose"): (10, 14),
    (_DETAIL, "contractual_settlement_date"): (2, 14),
    (_DETAIL, "deal_price_type"): (3, 14),
    # Before the third version a security has an ISIN or another identification, not both.
    (_DETAIL, "isin"): (3, 14),
    (_DETAIL, "security_description"): (3, 14),
    (_DETAIL, "official_corporate_action_id"): (13, 14),
    # Older versions have no place for a transaction's own amount but this one.
    (_DETAIL, "transaction_amount"): (3, 14),
    (_DETAIL, "transaction_currency"): (3, 14),
    ("statement_charge", "credit_debit"): (2, 14),
    ("statement_charge", "is_included"): (4, 14),
    ("statement_batch", "total_amount"): (2, 14),
    ("statement_batch", "total_currency"): (2, 14),
    ("statement_batch", "credit_debit"): (2, 14),
    ("statement_credit_line", "credit_line_type"): (7, 14),
    ("statement_credit_line", "credit_line_date"): (7, 14),
    # From the twelfth version on amounts of a referred document have a type instead of a name.
    ("statement_remittance", "remitted_amount"): (1, 11),
    ("statement_remittance", "remitted_currency"): (1, 11),
    ("statement_remittance", "typed_amount"): (12, 14),
    ("statement_remittance", "typed_currency"): (12, 14),
    ("statement_remittance", "typed_amount_type"): (12, 14),
}
"""The first and the last version that has a field, or has it so; all others are in each of them."""
NOT_IN_IT = {
    "statement": {"account_type", "copy_duplicate", "reporting_sequence", "account_servicer_name"},
    "statement_balance": {"balance_sub_type"},
    "statement_remittance": {
        "balance_seq", "due_amount", "due_currency", "credit_note_amount", "credit_note_currency", "discount_amount",
        "discount_currency",
    },
    "statement_charge": {"balance_seq"},
    "statement_interest": {"balance_seq"},
    "statement_batch": {"balance_seq", "detail_seq"},
    "statement_credit_line": {"entry_seq", "detail_seq"},
}  # fmt: skip
"""Columns that the golden statement has nothing for."""


@pytest.fixture(scope="module")
def golden() -> dict[str, pl.DataFrame]:
    """Each field from the newest version that has it."""
    newest = dict(camt053.read(render("14")).frames)
    for (name, column), (_, last) in HELD_BY.items():
        if last < 14:
            older = camt053.read(render(f"{last:02d}")).frames[name]
            newest[name] = newest[name].with_columns(older[column])
    return newest


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
            if column.name not in ("message_version", "document_locator") and _has(name, column.name, int(version))
        ]
        assert frame.select(columns).equals(golden[name].select(columns)), name
    assert reading.frames["statement"]["message_version"].to_list() == [version]


def _has(name: str, column: str, version: int) -> bool:
    first, last = HELD_BY.get((name, column), (1, 14))
    return first <= version <= last


def test_the_golden_statement_fills_every_column_of_every_frame(golden: dict[str, pl.DataFrame]) -> None:
    empty = {
        name: {column for column in frame.columns if frame[column].null_count() == frame.height}
        for name, frame in golden.items()
    }
    assert {name: columns for name, columns in empty.items() if columns} == NOT_IN_IT


def test_the_golden_statement_holds_its_securities(golden: dict[str, pl.DataFrame]) -> None:
    row = golden["statement_entry_detail"].row(-1, named=True)
    assert (row["isin"], row["security_identification"], row["security_identification_type"]) == (
        "US912797KH20",
        "912797KH2",
        "CUSP",
    )
    assert (row["quantity_units"], row["face_amount"], row["amortised_value"]) == (
        Decimal("100.25"),
        Decimal("10000"),
        Decimal("9750.5"),
    )
    assert (row["deal_price"], row["deal_price_currency"], row["deal_price_type"]) == (
        Decimal("97.375"),
        "USD",
        "PARV",
    )
    assert (row["trade_date"], row["contractual_settlement_date"]) == (date(2024, 6, 3), date(2024, 6, 5))
    assert (row["safekeeping_account"], row["corporate_action_type"], row["corporate_action_id"]) == (
        "SAFE-1",
        "REDM",
        "CA-7",
    )
    assert (row["exchange_source_currency"], row["exchange_rate"], row["exchange_contract"]) == (
        "USD",
        Decimal("1.0637"),
        "FX-1",
    )
    assert row["return_information"] == "closed\nin May"


def test_the_golden_statement_holds_what_was_written(golden: dict[str, pl.DataFrame]) -> None:
    statement = golden["statement"].row(0, named=True)
    assert statement["account_identification"] == "DE89370400440532013000"
    assert (statement["from_date"], statement["to_date"]) == (date(2024, 6, 3), date(2024, 6, 3))
    assert (statement["summary_entries"], statement["summary_net_amount"]) == (4, Decimal("82.80"))
    assert (statement["page_number"], statement["is_last_page"]) == ("1", True)
    assert golden["statement_balance"].select("balance_code", "signed_amount").rows() == [
        ("OPBD", Decimal("1000.00")),
        ("CLBD", Decimal("1089.80")),
    ]
    entries = golden["statement_entry"]
    assert entries["signed_amount"].to_list() == [
        Decimal("200.00"),
        Decimal("-11.50"),
        Decimal("-7.00"),
        Decimal("-98.70"),
    ]
    assert entries["is_reversal"].to_list() == [None, True, None, False]
    assert entries["entry_status"].to_list() == ["BOOK", "BOOK", "PDNG", "BOOK"]
    assert entries["details"].to_list() == [3, 1, 1, 1]
    details = golden["statement_entry_detail"]
    assert details["detail_seq"].to_list() == [1, 2, 3, 1, 1, 1]
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

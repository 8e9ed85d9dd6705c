"""What a document is told to be wrong in, beside what it says."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from jiko_pipeline.archive import Archive, Document
from jiko_pipeline.bank.world import WorldIdentity
from jiko_pipeline.cli.inspect_command import inspect_file
from jiko_pipeline.formats import camt053
from jiko_pipeline.formats.camt053 import skeleton
from jiko_pipeline.formats.reading import Finding, Severity
from jiko_pipeline.pipeline.loading import read_document
from jiko_pipeline.settings import load_settings
from jiko_pipeline_tests.formats.golden_statement import VERSIONS, render
from jiko_pipeline_tests.formats.test_camt053_pitfalls import balance, detail, document, entry, statement


def numbered(number: int, opening: str = "0.00", closing: str = "0.00", account: str = "A", extra: str = "") -> str:
    sequence = f"<Id>S</Id><ElctrncSeqNb>{number}</ElctrncSeqNb>{extra}"
    text = statement(balance("OPBD", opening), balance("CLBD", closing), account=account)
    return text.replace("<Id>S</Id>", sequence.replace("<Id>S</Id>", f"<Id>S{number}</Id>"), 1)


def told(body: bytes, code: str) -> list[Finding]:
    read = camt053.parse(body)
    everything = (*read.findings, *(finding for each in read.statements for finding in each.findings))
    return [finding for finding in everything if finding.code == code]


def test_a_gap_between_the_numbers_of_statements_is_told() -> None:
    (gap,) = told(document(numbered(4), numbered(7)), "SEQUENCE_GAP")
    assert "from 4 to 7" in gap.message
    assert gap.locator == "Stmt[2]"


def test_numbers_are_compared_within_an_account_and_in_any_order() -> None:
    assert not told(document(numbered(5), numbered(4), numbered(9, account="B")), "SEQUENCE_GAP")


def test_the_same_statement_twice_in_a_document_is_told() -> None:
    (duplicate,) = told(document(numbered(4), numbered(4)), "DUPLICATE_STATEMENT")
    assert duplicate.locator == "Stmt[2]"
    assert "Stmt[1]" in duplicate.message


def test_pages_of_one_statement_are_no_duplicates() -> None:
    pages = [
        numbered(4, extra=f"<StmtPgntn><PgNb>{page}</PgNb><LastPgInd>true</LastPgInd></StmtPgntn>") for page in (1, 2)
    ]
    assert not told(document(*pages), "DUPLICATE_STATEMENT")


def test_an_opening_that_is_not_the_closing_before_is_told() -> None:
    (broken,) = told(document(numbered(4, closing="10.00"), numbered(5, opening="11.00")), "CONTINUITY")
    assert broken.locator == "Stmt[2]"
    assert not told(document(numbered(4, closing="10.00"), numbered(5, opening="10.00")), "CONTINUITY")


@pytest.mark.parametrize(
    ("listed", "severity"), [(0, Severity.INFO), (1, Severity.WARNING), (2, Severity.WARNING), (3, None), (4, None)]
)
def test_a_batch_that_declares_more_than_it_lists_is_told(listed: int, severity: Severity | None) -> None:
    details = detail("1.00") * listed
    block = f"<NtryDtls><Btch><NbOfTxs>3</NbOfTxs></Btch>{details}</NtryDtls>"
    findings = told(document(statement(entry("1.00"), entry(f"{max(listed, 1)}.00", rest=block))), "BATCH_INCOMPLETE")
    assert [finding.severity for finding in findings] == ([] if severity is None else [severity])
    assert all(finding.locator == "Stmt[1]/Ntry[2]" for finding in findings)


def test_supplementary_data_is_told_with_its_place() -> None:
    aside = '<SplmtryData><Envlp><x:Amt xmlns:x="urn:x">9</x:Amt><SplmtryData/></Envlp></SplmtryData>'
    block = f"<NtryDtls>{detail('1.00')}</NtryDtls><NtryDtls>{detail('1.00')}{detail('1.00', more=aside)}</NtryDtls>"
    body = document(statement(entry("3.00", rest=block), aside)).replace(
        b"</BkToCstmrStmt>", aside.encode() + b"</BkToCstmrStmt>"
    )
    assert sorted(finding.locator for finding in told(body, "SUPPLEMENTARY_DATA")) == [
        "",
        "Stmt[1]",
        "Stmt[1]/Ntry[1]/NtryDtls[2]/TxDtls[2]",
    ]
    assert {finding.severity for finding in told(body, "SUPPLEMENTARY_DATA")} == {Severity.INFO}


@pytest.mark.parametrize("version", [version for version in VERSIONS if version != "01"])
def test_a_valid_document_has_nothing_said_by_its_schema(version: str, corpus: Path) -> None:
    assert camt053.schema_findings(render(version), version, corpus / "xsd") == ()


def test_what_breaks_the_schema_is_advice(tmp_path: Path, corpus: Path) -> None:
    path = tmp_path / "odd.xml"
    path.write_bytes(render("08").replace(b"<MsgId>MSG-1</MsgId>", b"<MsgId></MsgId>", 1))
    inspected = inspect_file(path, schemas=corpus / "xsd")
    assert inspected.error is None
    assert inspected.document is not None
    findings = inspected.document.findings
    assert {(finding.code, finding.severity) for finding in findings} == {("SCHEMA_INVALID", Severity.WARNING)}
    assert "MsgId" in findings[0].message


def test_a_document_in_an_envelope_is_compared_with_its_schema(corpus: Path) -> None:
    inner = render("08").partition(b"\n")[2]
    body = b'<e:Envelope xmlns:e="urn:swift:xsd:envelope"><e:Body>' + inner + b"</e:Body></e:Envelope>"
    assert camt053.schema_findings(body, "08", corpus / "xsd") == ()


@pytest.mark.parametrize("schema", [None, b"", b"<a/>", b'<!DOCTYPE a SYSTEM "x"><a/>'])
def test_a_schema_that_is_no_schema_is_told(schema: bytes | None, tmp_path: Path) -> None:
    if schema is not None:
        (tmp_path / "camt.053.001.08.xsd").write_bytes(schema)
    (finding,) = camt053.schema_findings(render("08"), "08", tmp_path)
    assert (finding.code, finding.severity) == ("SCHEMA_NOT_CHECKED", Severity.INFO)


@pytest.mark.parametrize("schemas", [None, "xsd"])
def test_the_pipeline_keeps_what_the_schema_says_beside_the_other_findings(
    schemas: str | None, tmp_path: Path, corpus: Path
) -> None:
    body = render("08").replace(b"<MsgId>MSG-1</MsgId>", b"<MsgId></MsgId>", 1)
    (golden,) = camt053.parse(body).statements
    account, day = golden.header.account_identification, golden.day
    archive = Archive(tmp_path / "archive")
    kept = archive.record(
        Document(
            kind="BANK_STATEMENT",
            customer_id="default",
            pocket_id=account,
            first=day,
            last=day,
            parts=(archive.store_bytes(body),),
            source="order_report",
            fetched_at=datetime(2024, 7, 18, tzinfo=UTC),
            world=WorldIdentity("simulator", "simulator", "a" * 64),
        )
    )
    settings = load_settings(data_dir=tmp_path, camt_schemas=schemas and corpus / schemas)
    read = read_document(settings, archive, kept)
    assert read.refusal is None
    assert read.reading is not None
    told = [finding.code for finding in read.reading.findings if finding.code.startswith("SCHEMA")]
    assert told == (["SCHEMA_INVALID"] if schemas else [])
    assert read.reading.frames["statement_entry"].equals(camt053.read(body).frames["statement_entry"])


REPEATED = {
    "party's other identification": (
        "<RltdPties><Dbtr><Pty><Nm>A</Nm><Id><OrgId><Othr><Id>1</Id></Othr><Othr><Id>2</Id></Othr></OrgId></Id></Pty></Dbtr></RltdPties>",
        "OrgId/Othr",
    ),
    "security's other identification": (
        "<FinInstrmId><OthrId><Id>1</Id><Tp><Cd>A</Cd></Tp></OthrId><OthrId><Id>2</Id></OthrId></FinInstrmId>",
        "FinInstrmId/OthrId",
    ),
    "referred document": (
        "<RmtInf><Strd><RfrdDocInf><Nb>1</Nb></RfrdDocInf>"
        "<RfrdDocInf><Nb>2</Nb><RltdDt>2024-06-03</RltdDt></RfrdDocInf></Strd></RmtInf>",
        "Strd/RfrdDocInf",
    ),
    "reference": ("<Refs><EndToEndId>1</EndToEndId><TxId>2</TxId><EndToEndId>3</EndToEndId></Refs>", "Refs/EndToEndId"),
}


@pytest.mark.parametrize("matched", [False, True])
@pytest.mark.parametrize("name", REPEATED)
def test_what_stands_twice_where_there_is_room_for_one_is_told_and_never_mixed(
    name: str, matched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(skeleton, "LEAST_BYTES", 0)
    twice, element = REPEATED[name]
    block = f"<NtryDtls>{detail('1.00', more=twice)}</NtryDtls>"
    body = document(statement(*[entry("1.00", rest=block)] * 10))
    read = camt053.read(body, matched=matched)
    found = [finding for finding in read.findings if finding.code == "REPEATED_ELEMENT"]
    assert [finding.locator for finding in found] == [
        f"Stmt[1]/Ntry[{number}]/NtryDtls[1]/TxDtls[1]" for number in range(1, 11)
    ]
    assert all(finding.message.startswith(element) and finding.severity is Severity.INFO for finding in found)
    texts = {str(value) for frame in read.frames.values() for row in frame.rows() for value in row}
    assert "1" in texts
    assert "2024-06-03" not in texts

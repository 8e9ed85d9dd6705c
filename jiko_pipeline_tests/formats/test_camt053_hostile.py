"""Documents made to harm, and documents cut off: refused, before they cost anything."""

import gzip
import random
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiko_pipeline.formats import camt053
from jiko_pipeline.formats.camt053 import skeleton, stream
from jiko_pipeline.formats.reading import RefusedDocumentError
from jiko_pipeline_tests.formats.golden_statement import render
from jiko_pipeline_tests.formats.test_camt053_pitfalls import document, entry, statement

GOOD = render("08")
OPEN = b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>'
CLOSE = b"</Stmt></BkToCstmrStmt></Document>"
PLAIN = (
    b'<Ntry><Amt Ccy="USD">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
    b"<BookgDt><Dt>2024-06-03</Dt></BookgDt><AddtlNtryInf>of no matter</AddtlNtryInf></Ntry>"
)


def with_doctype(internal: str, inside: bytes = b"") -> bytes:
    return b'<?xml version="1.0"?><!DOCTYPE Document ' + internal.encode() + b">" + OPEN + inside + CLOSE


def laughs(levels: int) -> str:
    declared = '<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, levels))
    return f"[{declared}]"


HOSTILE: dict[str, tuple[bytes, str]] = {
    "billion laughs, five levels": (with_doctype(laughs(5), b"<Id>&l4;</Id>"), "DOCTYPE_REFUSED"),
    "billion laughs, nine levels": (with_doctype(laughs(9), b"<Id>&l8;</Id>"), "DOCTYPE_REFUSED"),
    "quadratic": (
        with_doctype(f'[<!ENTITY a "{"a" * 50_000}">]', b"<Id>" + b"&a;" * 5_000 + b"</Id>"),
        "DOCTYPE_REFUSED",
    ),
    "entity in an attribute": (with_doctype(laughs(5), b'<Amt Ccy="&l4;">1</Amt>'), "DOCTYPE_REFUSED"),
    "external file": (with_doctype('[<!ENTITY x SYSTEM "file:///etc/passwd">]', b"<Id>&x;</Id>"), "DOCTYPE_REFUSED"),
    "external address": (
        with_doctype('[<!ENTITY x SYSTEM "http://127.0.0.1:9/">]', b"<Id>&x;</Id>"),
        "DOCTYPE_REFUSED",
    ),
    "external document type": (with_doctype('SYSTEM "http://127.0.0.1:9/a.dtd"'), "DOCTYPE_REFUSED"),
    "parameter entity": (with_doctype('[<!ENTITY % p SYSTEM "file:///etc/hostname"> %p;]'), "DOCTYPE_REFUSED"),
    "internal entity": (with_doctype('[<!ENTITY x "1.00">]', b"<Id>&x;</Id>"), "DOCTYPE_REFUSED"),
    "bare document type": (with_doctype(""), "DOCTYPE_REFUSED"),
    "document type in UTF-16": (with_doctype("").decode().encode("utf-16"), "ENCODING_REFUSED"),
    "UTF-16 without a mark": (GOOD.decode().encode("utf-16-le"), "NUL_BYTE"),
    "UTF-32": (GOOD.decode().encode("utf-32"), "ENCODING_REFUSED"),
    "UTF-7": (b'<?xml version="1.0" encoding="UTF-7"?>+ADw-Document+AD4-', "ENCODING_REFUSED"),
    "EBCDIC declared": (b'<?xml version="1.0" encoding="IBM037"?><Document/>', "ENCODING_REFUSED"),
    "undeclared entity": (OPEN + b"<Id>&x;</Id>" + CLOSE, "NOT_WELL_FORMED"),
    "depth of 300": (OPEN + b"<a>" * 300 + b"</a>" * 300 + CLOSE, "NOT_WELL_FORMED"),
    "depth of 20,000": (OPEN + b"<abcdefgh>" * 20_000 + b"</abcdefgh>" * 20_000 + CLOSE, "NOT_WELL_FORMED"),
    "text of 12 MB": (OPEN + b"<Id>" + b"x" * 12_000_000 + b"</Id>" + CLOSE, "OVERSIZED_PIECE"),
    "attribute of 12 MB": (OPEN + b'<Id a="' + b"x" * 12_000_000 + b'"/>' + CLOSE, "OVERSIZED_PIECE"),
    "300,000 attributes": (
        OPEN + b"<Id " + b" ".join(b'a%d=""' % i for i in range(300_000)) + b"/>" + CLOSE,
        "OVERSIZED_PIECE",
    ),
    "3 million children": (OPEN + b"<a/>" * 3_000_000 + CLOSE, "TOO_MANY_ELEMENTS"),
    "a million longer children": (OPEN + b"<abcdefgh/>" * 1_000_000 + CLOSE, "OVERSIZED_ELEMENT"),
    "children between entries": (
        OPEN + (b"<abcdefgh/>" * 3 + b"<Ntry></Ntry>") * 20_000 + CLOSE,
        "TOO_MANY_ELEMENTS",
    ),
    "2 million comments": (OPEN + b"<!---->" * 2_000_000 + CLOSE, "OVERSIZED_ELEMENT"),
    "30,000 namespaces": (
        OPEN + b"".join(b'<a xmlns:n%d="urn:n%d"/>' % (i, i) for i in range(30_000)) + CLOSE,
        "TOO_MANY_NAMESPACES",
    ),
    "gzip": (gzip.compress(GOOD), "NOT_XML"),
    "zip": (b"PK\x03\x04" + zlib.compress(GOOD), "NOT_XML"),
    "PDF": (b"%PDF-1.7\n", "NOT_XML"),
    "NUL byte": (GOOD.replace(b"MSG-1", b"MSG\x001"), "NUL_BYTE"),
    "name of 200 KB": (OPEN + b"<" + b"n" * 200_000 + b"/>" + CLOSE, "OVERSIZED_PIECE"),
    "larger than any statement": (b"<" + b"a" * (65 * 1024 * 1024), "TOO_LARGE"),
    "nothing": (b"", "EMPTY_DOCUMENT"),
    "blanks": (b" \n\t", "EMPTY_DOCUMENT"),
    "text": (b"Service unavailable", "NOT_XML"),
    "JSON": (b'{"error": "x"}', "NOT_XML"),
    "HTML page": (b"<html><body>Sign in</body></html>", "NOT_A_STATEMENT"),
    "two documents": (GOOD + GOOD, "NOT_WELL_FORMED"),
    "text after the end": (GOOD + b"x", "NOT_WELL_FORMED"),
    "wrong root": (b"<Document><Something/></Document>", "NOT_A_STATEMENT"),
    "no statement": (b"<Document><BkToCstmrStmt><GrpHdr/></BkToCstmrStmt></Document>", "NO_STATEMENT"),
    "bytes of no encoding": (OPEN + b"<Id>\x81\x8d</Id>" + CLOSE, "ENCODING_REFUSED"),
    "control character": (OPEN + b"<Id>\x01</Id>" + CLOSE, "NOT_WELL_FORMED"),
    "bzip2": (b"BZh9" + GOOD, "NOT_XML"),
    "xz": (b"\xfd7zXZ\x00" + GOOD, "NOT_XML"),
    "zstd": (b"\x28\xb5\x2f\xfd" + GOOD, "NOT_XML"),
    "UTF-32 without a mark": (GOOD.decode().encode("utf-32-le"), "NUL_BYTE"),
    "document type behind a mark": (b"\xef\xbb\xbf" + with_doctype(""), "DOCTYPE_REFUSED"),
    "document type in small letters": (b"<!doctype html>" + GOOD.partition(b"\n")[2], "NOT_WELL_FORMED"),
    "document type in a comment": (GOOD + b"<!-- <!DOCTYPE a> -->", "DOCTYPE_REFUSED"),
    "comment of 12 MB": (OPEN + b"<!--" + b"x" * 12_000_000 + b"-->" + CLOSE, "OVERSIZED_PIECE"),
    "section of 12 MB": (OPEN + b"<![CDATA[" + b"x" * 12_000_000 + b"]]>" + CLOSE, "OVERSIZED_PIECE"),
    "instruction of 12 MB": (OPEN + b"<?a " + b"x" * 12_000_000 + b"?>" + CLOSE, "OVERSIZED_PIECE"),
    "a million instructions": (OPEN + b"<?abcdefg?>" * 1_000_000 + CLOSE, "OVERSIZED_ELEMENT"),
    "blanks of 12 MB": (OPEN + b" " * 12_000_000 + CLOSE, "OVERSIZED_PIECE"),
    "references of 12 MB": (OPEN + b"<Id>" + b"&lt;" * 3_000_000 + b"</Id>" + CLOSE, "OVERSIZED_PIECE"),
    "one attribute twice": (OPEN + b'<Id a="1" a="2"/>' + CLOSE, "NOT_WELL_FORMED"),
    "undeclared prefix": (OPEN + b"<x:Id/>" + CLOSE, "NOT_WELL_FORMED"),
    "markup in an attribute": (OPEN + b'<Id a="<"/>' + CLOSE, "NOT_WELL_FORMED"),
    "ends crossed": (OPEN + b"<Id><A></Id></A>" + CLOSE, "NOT_WELL_FORMED"),
    "reference to a control character": (OPEN + b"<Id>&#1;</Id>" + CLOSE, "NOT_WELL_FORMED"),
    "reference beyond all characters": (OPEN + b"<Id>&#x110000;</Id>" + CLOSE, "NOT_WELL_FORMED"),
    "entries in entries": (OPEN + b"<Ntry>" * 400 + b"</Ntry>" * 400 + CLOSE, "NOT_WELL_FORMED"),
    "statement only in supplementary data": (
        b"<Document><SplmtryData>" + OPEN + CLOSE + b"</SplmtryData></Document>",
        "NOT_A_STATEMENT",
    ),
    "2 million undeclared prefixes": (OPEN + b"<x:Id/>" * 2_000_000 + CLOSE, "NOT_WELL_FORMED"),
    "undeclared prefixes of attributes": (OPEN + b'<Id x:a="" y:b=""/>' * 700_000 + CLOSE, "NOT_WELL_FORMED"),
    "a million blocks": (OPEN + b"<Ntry>" + b"<NtryDtls></NtryDtls>" * 700_000, "NOT_WELL_FORMED"),
    **{
        f"long, then {name}": (OPEN + PLAIN * 90_000 + end, code)
        for name, (end, code) in {
            "a document type": (b"<!DOCTYPE a>" + CLOSE, "DOCTYPE_REFUSED"),
            "a NUL byte": (b"\x00" + CLOSE, "NUL_BYTE"),
            "cut": (b"", "NOT_WELL_FORMED"),
            "cut in an entry": (PLAIN[:70], "NOT_WELL_FORMED"),
            "another document": (CLOSE + GOOD, "NOT_WELL_FORMED"),
            "an undeclared entity": (PLAIN.replace(b"1.00", b"&x;") + CLOSE, "NOT_WELL_FORMED"),
            "an undeclared prefix": (b"<x:Id/>" + CLOSE, "NOT_WELL_FORMED"),
            "an undeclared prefix of an attribute": (b'<Id x:a=""/>' + CLOSE, "NOT_WELL_FORMED"),
            "one attribute twice by two prefixes": (
                b'<Id xmlns:x="urn:x" xmlns:y="urn:x" x:a="" y:a=""/>' + CLOSE,
                "NOT_WELL_FORMED",
            ),
            "depth": (b"<a>" * 300 + b"</a>" * 300 + CLOSE, "NOT_WELL_FORMED"),
            "ends crossed": (b"<Ntry></Stmt></Ntry>", "NOT_WELL_FORMED"),
            "a text without end": (b"<Id>" + b"x" * 1_000_000 + b"</Id>" + CLOSE, "OVERSIZED_PIECE"),
        }.items()
    },
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.fault_rows(95)
def test_hostile_documents_are_refused(name: str) -> None:
    body, code = HOSTILE[name]
    with pytest.raises(RefusedDocumentError) as refusal:
        camt053.parse(body)
    assert refusal.value.code == code


@pytest.mark.fault_rows(95)
def test_an_xinclude_reads_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{secret}" parse="text"/>'
    body = document(statement(entry(rest=f"<AddtlNtryInf>{include}</AddtlNtryInf>")))
    assert camt053.read(body).frames["statement_entry"]["additional_information"].to_list() == [None]


def test_there_are_enough_hostile_documents() -> None:
    assert len(HOSTILE) >= 60


_PEAK = """
import resource
from jiko_pipeline.formats import camt053
from jiko_pipeline.formats.reading import RefusedDocumentError
from jiko_pipeline_tests.formats.test_camt053_hostile import GOOD, HOSTILE

camt053.read(GOOD)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for body, _ in HOSTILE.values():
    try:
        camt053.parse(body)
    except RefusedDocumentError:
        continue
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.fault_rows(95)
def test_no_hostile_document_takes_much_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PEAK], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert int(done.stdout) <= 128


CUTS = 1_000


@pytest.mark.fault_rows(81)
def test_a_statement_cut_anywhere_is_refused() -> None:
    offsets = random.Random(53).sample(range(len(GOOD)), CUTS)
    for offset in offsets:
        with pytest.raises(RefusedDocumentError):
            camt053.read(GOOD[:offset])


@pytest.mark.fault_rows(81)
def test_a_long_statement_cut_anywhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skeleton, "LEAST_BYTES", 0)
    body = OPEN + PLAIN * 40 + CLOSE
    for offset in random.Random(54).sample(range(len(body)), CUTS):
        with pytest.raises(RefusedDocumentError):
            camt053.read(body[:offset])


def test_a_large_statement_is_read_with_few_elements_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    remittance = f"<RmtInf><Ustrd>{'x' * 140}</Ustrd></RmtInf>"
    references = "<Refs><EndToEndId>E</EndToEndId></Refs>"
    filler = f"<NtryDtls><TxDtls>{references}{remittance}</TxDtls></NtryDtls>"
    body = document(statement(*[entry(rest=filler)] * 60_000))
    assert len(body) > 20_000_000
    most = 0
    real = stream._drop_before

    def counting(element: object) -> None:
        nonlocal most
        real(element)  # type: ignore[arg-type]
        parent = element.getparent()  # type: ignore[attr-defined]
        most = max(most, len(parent))

    monkeypatch.setattr(stream, "_drop_before", counting)
    read = camt053.parse(body)
    assert read.statements[0].totals.entries == 60_000
    assert most < 300


def test_one_entry_with_many_details_is_read() -> None:
    one = '<TxDtls><Amt Ccy="USD">0.01</Amt><RmtInf><Ustrd>' + "x" * 140 + "</Ustrd></RmtInf></TxDtls>"
    body = document(statement(entry("300.00", rest=f"<NtryDtls>{one * 30_000}</NtryDtls>")))
    assert len(body) > stream.MOST_BYTES_HELD
    read = camt053.read(body)
    assert read.frames["statement_entry_detail"].height == 30_000
    assert read.findings == ()


def test_findings_of_one_kind_are_told_one_by_one_only_so_often() -> None:
    odd = entry(rest="<BookgDt><Dt>soon</Dt></BookgDt>")
    read = camt053.read(document(statement(*[odd] * 500)))
    assert len(read.findings) == 26
    assert "475 more" in read.findings[-1].message


FRAGMENTS = (
    *sorted({*re.findall(rb"</?[A-Za-z0-9]+>", GOOD), *re.findall(rb'<[A-Za-z]+ Ccy="[A-Z]*">', GOOD)}),
    b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?a", b"?>", b"&#0;", b"&amp;", b"&x;", b"\xff", b"\x00", b"NaN", b"-1",
    b"9" * 50, b"1e5", b"2024-02-30", b" ", b"\r", b"<PlainEntries/>", b"<SplmtryData>", b' xmlns="urn:x"',
)  # fmt: skip
MUTATIONS = st.lists(
    st.tuples(
        st.integers(0, 20_000), st.integers(0, 60), st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=60))
    ),
    min_size=1,
    max_size=6,
)


def _mutated(mutations: list[tuple[int, int, bytes]]) -> bytes:
    body = GOOD
    for at, cut, inserted in mutations:
        place = at % (len(body) + 1)
        body = body[:place] + inserted + body[place + cut :]
    return body


def _refuses_or_agrees(body: bytes) -> None:
    """Only the project's own refusal escapes, and matching entries by shape changes nothing."""
    outcomes = []
    for matched in (False, True):
        try:
            reading = camt053.read(body, matched=matched)
            outcomes.append((reading.findings, {name: frame.rows() for name, frame in reading.frames.items()}))
        except RefusedDocumentError as refusal:
            outcomes.append((refusal.code, {}))
    assert outcomes[0] == outcomes[1]


@pytest.fixture(scope="module")
def _eager_shapes() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(skeleton, "LEAST_BYTES", 0)
        patch.setattr(skeleton, "SEEN_BEFORE", 1)
        yield


@pytest.mark.usefixtures("_eager_shapes")
@given(MUTATIONS)
@settings(max_examples=300, deadline=None)
def test_only_a_refusal_escapes_from_a_damaged_document(mutations: list[tuple[int, int, bytes]]) -> None:
    _refuses_or_agrees(_mutated(mutations))


@pytest.mark.soak
@pytest.mark.usefixtures("_eager_shapes")
@given(MUTATIONS)
@settings(max_examples=100_000, deadline=None)
def test_only_a_refusal_escapes_from_many_damaged_documents(mutations: list[tuple[int, int, bytes]]) -> None:
    _refuses_or_agrees(_mutated(mutations))

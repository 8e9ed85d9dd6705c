"""Entries matched by their shape read exactly as entries that were parsed."""

import random
from pathlib import Path

import polars as pl
import pytest

from jiko_pipeline.formats import camt053
from jiko_pipeline.formats.camt053 import skeleton
from jiko_pipeline.formats.camt053.records import Document, Piece
from jiko_pipeline.formats.reading import RefusedDocumentError
from jiko_pipeline_tests.formats.golden_statement import VERSIONS, render
from jiko_pipeline_tests.formats.test_camt053_pitfalls import balance, document, entry, statement


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shapes are learned from the first entry on, in documents of any length."""
    monkeypatch.setattr(skeleton, "LEAST_BYTES", 0)
    monkeypatch.setattr(skeleton, "SEEN_BEFORE", 1)


def _outcome(body: bytes, *, matched: bool) -> object:
    pieces: list[Piece] = []
    try:
        read = camt053.parse(body, pieces.append, matched=matched)
    except RefusedDocumentError as refusal:
        return refusal.code
    frames: dict[str, list[pl.DataFrame]] = {}
    for piece in pieces:
        frames.setdefault("entries", []).append(piece.entries.frame)
        if piece.details is not None:
            frames.setdefault("details", []).append(piece.details.frame)
        for kind, frame in piece.begun.items():
            frames.setdefault(kind, []).append(frame)
    return _plain(read), {name: pl.concat(parts).rows() for name, parts in frames.items()}


def _plain(read: Document) -> object:
    return (
        read.version,
        read.findings,
        [
            (
                each.header,
                each.totals,
                each.opening,
                each.closing,
                each.foots,
                each.findings,
                {kind: frame.rows() for kind, frame in each.lines.items()},
            )
            for each in read.statements
        ],
    )


def _agree(body: bytes) -> None:
    assert _outcome(body, matched=True) == _outcome(body, matched=False)


def _matched_entries(body: bytes) -> int:
    source = skeleton.Skeleton(body)
    number = 0
    while piece := source.read():
        number += sum(len(source.next_run()) for _ in range(piece.count(skeleton.MARK.encode())))
    return number


def _repeated(body: bytes, times: int = 4) -> bytes:
    """The same document with all entries of each statement several times over."""
    start, end = body.find(b"<Ntry>"), body.rfind(b"</Ntry>") + len(b"</Ntry>")
    return body if start < 0 else body[:start] + body[start:end] * times + body[end:]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_golden_statement_reads_the_same_by_shape(version: str) -> None:
    body = _repeated(render(version))
    assert _matched_entries(body) >= 3 * 3
    _agree(body)


def test_every_document_of_the_corpus_reads_the_same_by_shape(corpus: Path) -> None:
    matched = 0
    for path in sorted((corpus / "corpus").iterdir()):
        body = path.read_bytes()
        _agree(body)
        if body.count(b"<BkToCstmrStmt>") == 1 and body.count(b"<Stmt>") == 1:
            _agree(_repeated(body))
        try:
            matched += _matched_entries(_repeated(body)) if skeleton.has_plain_entries(body) else 0
        except UnicodeDecodeError:
            continue
    assert matched > 500


PIECES = (
    "",
    "<AddtlNtryInf>plain</AddtlNtryInf>",
    "<AddtlNtryInf> \n around\n</AddtlNtryInf>",
    "<AddtlNtryInf>a &amp; b &#65; c</AddtlNtryInf>",
    "<AddtlNtryInf>&lt;a&gt; &amp;amp; &quot;b&apos;</AddtlNtryInf>",
    "<AddtlNtryInf>end&#32;</AddtlNtryInf>",
    "<AddtlNtryInf>two\r\nlines</AddtlNtryInf>",
    "<AddtlNtryInf></AddtlNtryInf>",
    "<AddtlNtryInf/>",
    "<AddtlNtryInf>> ]] ' \" é € \u00a0</AddtlNtryInf>",
    "<AddtlNtryInf>one</AddtlNtryInf><AddtlNtryInf>two</AddtlNtryInf>",
    "<BookgDt><Dt>2024-06-03</Dt></BookgDt>",
    "<BookgDt> text <Dt>2024-06-03</Dt></BookgDt>",
    "<BookgDt>2024-06-03</BookgDt>",
    "<RvslInd>true</RvslInd>",
    "<RvslInd  >true</RvslInd >",
    '<Sts a="1">BOOK</Sts>',
    "<Sts> <Prtry>OWN</Prtry> </Sts>",
    '<Chrgs><TtlChrgsAndTaxAmt Ccy="USD">1.00</TtlChrgsAndTaxAmt>'
    '<Rcrd><Amt Ccy="USD">1.00</Amt></Rcrd><Rcrd><Amt>2.00</Amt></Rcrd></Chrgs>',
    '<Chrgs><Amt Ccy="">1.00</Amt></Chrgs>',
    "<NtryDtls><TxDtls/></NtryDtls>",
    "<NtryDtls><TxDtls></TxDtls><TxDtls><Refs><EndToEndId>E</EndToEndId></Refs></TxDtls></NtryDtls>",
    "<NtryDtls><TxDtls><RmtInf><Ustrd>one</Ustrd><Ustrd> </Ustrd><Ustrd> two</Ustrd></RmtInf></TxDtls></NtryDtls>",
    "<NtryDtls><TxDtls><RmtInf><Ustrd>one</Ustrd><Strd><AddtlRmtInf/></Strd></RmtInf></TxDtls></NtryDtls>",
    "<NtryDtls><TxDtls><RmtInf><Strd><AddtlRmtInf>a</AddtlRmtInf></Strd></RmtInf></TxDtls></NtryDtls>",
    "<NtryDtls><TxDtls><RmtInf><Strd><AddtlRmtInf></AddtlRmtInf></Strd></RmtInf></TxDtls></NtryDtls>",
    "<NtryDtls><Btch><NbOfTxs>2</NbOfTxs></Btch><TxDtls><TxDtls/></TxDtls></NtryDtls>",
    "<NtryDtls><TxDtls><Amt Ccy='USD'>1.00</Amt></TxDtls></NtryDtls>",
    "<NtryDtls><TxDtls><Amt>1.00</Amt><Amt Ccy=\"EUR\">2.00</Amt></TxDtls></NtryDtls>",
    "<TxDtls><Purp><Cd>SALA</Cd></Purp></TxDtls>",
    '<SplmtryData><Envlp><x:Amt xmlns:x="urn:x">9</x:Amt></Envlp></SplmtryData>',
    "<SplmtryData><Envlp><Ntry><Amt>9</Amt></Ntry></Envlp></SplmtryData>",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_entries_of_mixed_shapes_read_the_same_and_in_order(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(skeleton, "WINDOW", chance.choice((700, 5_000, 100_000)))
    kinds = ["", *("".join(chance.sample(PIECES, 3)) for _ in range(5))]
    entries = [
        entry(f"{n}.{n % 100:02d}", chance.choice(("CRDT", "DBIT")), rest=chance.choice(kinds)) for n in range(200)
    ]
    between = chance.choice(("", "\n", " stray "))
    body = document(statement(balance(), between.join(entries), balance("CLBD")), statement(*entries[:20]))
    assert _matched_entries(body) > 10
    _agree(body)


@pytest.mark.parametrize("aside", ["<!-- {} -->", "<![CDATA[{}]]>", "<?other {}?>"])
def test_entries_in_comments_and_sections_are_none(aside: str) -> None:
    body = document(statement(*[entry("1.00")] * 8, aside.format(entry("5.00") * 8)))
    assert not skeleton.has_plain_entries(body)
    _agree(body)
    assert camt053.parse(body).statements[0].totals.entries == 8


def test_entries_of_supplementary_data_are_none_however_plain() -> None:
    aside = f"<SplmtryData><Envlp><BkToCstmrStmt><Stmt>{entry('5.00') * 8}</Stmt></BkToCstmrStmt></Envlp></SplmtryData>"
    body = document(statement(*[entry("1.00")] * 8, aside))
    assert _matched_entries(body) >= 8
    _agree(body)
    assert camt053.parse(body).statements[0].totals.entries == 8


def test_an_entry_in_an_entry_is_none() -> None:
    inner = entry("5.00")
    body = document(statement(*[entry("1.00", rest=f"<Other>{inner}</Other>")] * 12))
    _agree(body)
    assert camt053.parse(body).statements[0].totals.entries == 12


def test_prefixed_names_are_matched_too() -> None:
    body = document(statement(*[entry("1.00", rest="<BookgDt><Dt>2024-06-03</Dt></BookgDt>")] * 12)).decode()
    body = body.replace("</", "\0").replace("<", "<c:").replace("\0", "</c:").replace("xmlns=", "xmlns:c=")
    assert _matched_entries(body.encode()) == 11
    _agree(body.encode())


def test_a_document_that_uses_the_mark_itself_is_parsed() -> None:
    body = document(statement(*[entry("1.00")] * 8, f"<{skeleton.MARK}/>"))
    assert not skeleton.has_plain_entries(body)
    _agree(body)


@pytest.mark.parametrize("damage", ["<", "&", "&x;", "</Ntry>", "\x01", "]]>", "<a:b/>", "\x7f", "\ufffe"])
def test_damage_anywhere_is_refused_or_read_as_without_matching(damage: str) -> None:
    body = document(statement(*[entry("1.00", rest="<AddtlNtryInf>plain</AddtlNtryInf>")] * 12)).decode()
    place = body.index("plain", len(body) // 2) + 2
    _agree((body[:place] + damage + body[place:]).encode())

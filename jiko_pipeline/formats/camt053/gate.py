"""What is decided about a document's bytes before any XML parser sees them.

Belongs here: size, compression, encoding, document types, and caps that are cheap to see in the bytes. Does
not belong here: anything that needs markup to be parsed (`stream`).

An XML parser told not to resolve entities deletes them without an error, and given a path unpacks gzip
without bound; so a document with a DOCTYPE is refused whole, and the parser is only ever given bytes.
"""

import codecs
import re
from dataclasses import dataclass
from typing import Final

from jiko_pipeline.formats.reading import Finding, RefusedDocumentError, Severity

MOST_BYTES: Final = 64 * 1024 * 1024
MOST_BYTES_AT_HAND: Final = 2 * 1024 * 1024 * 1024
"""What a person may hand in, who knows where the file is from: more than a million entries."""
LONGEST_RUN: Final = 32 * 1024
"""No tag and no text of a statement reaches twice this length."""
MOST_NAMESPACES: Final = 64
DENSE_FROM: Final = 100_000
"""Number of tags from which their density is looked at."""
LEAST_BYTES_PER_TAG: Final = 6

_UTF8_NAMES: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_LATIN_NAMES: Final = {
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "latin-1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15",
    "windows-1252": "windows-1252",
    "cp1252": "windows-1252",
}
_MAGIC: Final = (
    (b"\x1f\x8b", "a gzip file"),
    (b"PK\x03\x04", "a zip file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"%PDF-", "a PDF"),
)
_WIDE_BOMS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_DECLARATION: Final = re.compile(rb"""\A\s*<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["'][^>]*\?>""")
_NAMESPACE: Final = re.compile(rb"""(\sxmlns(?::[\w.-]+)?\s*=\s*)(["'])(.*?)\2""", re.DOTALL)
_NOT_IN_A_URI: Final = re.compile(rb"[^A-Za-z0-9._~:/?#@!$&'()*+,;=%\[\]-]")
_BLANK: Final = re.compile(rb"[ \t\r\n]*+")
_MARKUP: Final = re.compile(rb"[ \t\r\n]*+<")
_DECODE_STEP: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Admitted:
    """A body in UTF-8 without a byte order mark, and what had to be done to it."""

    body: bytes
    findings: tuple[Finding, ...]


def admit(body: bytes, most_bytes: int = MOST_BYTES) -> Admitted:
    """The body as UTF-8, or RefusedDocumentError naming what is wrong with it."""
    if _BLANK.fullmatch(body):
        raise RefusedDocumentError("EMPTY_DOCUMENT", "The document is empty.")
    if len(body) > most_bytes:
        raise RefusedDocumentError(
            "TOO_LARGE", f"The document has {len(body):,} bytes; a statement has at most {most_bytes:,}."
        )
    for magic, name in _MAGIC:
        if body.startswith(magic):
            raise RefusedDocumentError("NOT_XML", f"The document is {name}, not XML.")
    if body.startswith(_WIDE_BOMS):
        raise RefusedDocumentError("ENCODING_REFUSED", "The document is written in UTF-16 or UTF-32.")
    body = body.removeprefix(codecs.BOM_UTF8)
    if b"\x00" in body:
        raise RefusedDocumentError("NUL_BYTE", "The document holds a NUL byte, as no text does.")
    if not _MARKUP.match(body):
        raise RefusedDocumentError("NOT_XML", "The document does not start with markup: it is not XML.")
    # A single byte is found faster than a word, and few statements have this one.
    for word in (b"<!DOCTYPE", b"<!ENTITY") if b"!" in body else ():
        if (at := body.find(word)) >= 0:
            line = body.count(b"\n", 0, at) + 1
            raise RefusedDocumentError(
                "DOCTYPE_REFUSED",
                f"Line {line} declares a document type or an entity, which no statement does.",
                f"line {line}",
            )
    _refuse_odd_shapes(body)
    return _with_plain_namespaces(_as_utf8(body))


def _refuse_odd_shapes(body: bytes) -> None:
    for start in range(0, len(body) - LONGEST_RUN, LONGEST_RUN):
        if body.find(b"<", start, start + LONGEST_RUN) < 0:
            raise RefusedDocumentError(
                "OVERSIZED_PIECE",
                f"A tag or a text near byte {start:,} is longer than {LONGEST_RUN:,} bytes.",
            )
    tags = body.count(b"<")
    if tags > DENSE_FROM and tags * LEAST_BYTES_PER_TAG > len(body):
        raise RefusedDocumentError("TOO_MANY_ELEMENTS", f"The document is almost nothing but its {tags:,} tags.")
    if body.count(b"xmlns") > MOST_NAMESPACES:
        distinct = {match[3] for match in _NAMESPACE.finditer(body)}
        if len(distinct) > MOST_NAMESPACES:
            raise RefusedDocumentError("TOO_MANY_NAMESPACES", f"The document declares {len(distinct):,} namespaces.")


def _as_utf8(body: bytes) -> Admitted:
    match = _DECLARATION.match(body[:1024])
    declared = match[1].decode("ascii").lower() if match else "utf-8"
    if declared in _LATIN_NAMES:
        text = _decoded(body, _LATIN_NAMES[declared])
        message = f"The document is written in {declared}; it was decoded."
        return Admitted(text, (Finding("LATIN_ENCODING", Severity.INFO, message),))
    if declared not in _UTF8_NAMES:
        raise RefusedDocumentError("ENCODING_REFUSED", f"The document declares the encoding {declared}.")
    if body.isascii() or _is_utf8(body):
        return Admitted(body, ())
    latin = "windows-1252" if re.search(rb"[\x80-\x9f]", body) else "iso-8859-15"
    text = _decoded(body, latin)
    message = f"The document says {declared}, but its bytes are not; they were read as {latin}."
    return Admitted(text, (Finding("ENCODING_REPAIRED", Severity.WARNING, message),))


def _decoded(body: bytes, encoding: str) -> bytes:
    try:
        return body.decode(encoding).encode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedDocumentError(
            "ENCODING_REFUSED",
            f"Byte {error.start:,} is not {encoding}, and the document is not UTF-8 either.",
        ) from None


def _is_utf8(body: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(body), _DECODE_STEP):
            decoder.decode(body[start : start + _DECODE_STEP])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _with_plain_namespaces(admitted: Admitted) -> Admitted:
    """Names that are no URI stop libxml2, though XML allows them: their odd characters become `_`."""
    head = admitted.body[:LONGEST_RUN]
    odd = {match[3] for match in _NAMESPACE.finditer(head) if _NOT_IN_A_URI.search(match[3])}
    if not odd:
        return admitted
    plain = _NAMESPACE.sub(
        lambda match: match[1] + match[2] + _NOT_IN_A_URI.sub(b"_", match[3].strip()) + match[2], head
    )
    finding = Finding("ODD_NAMESPACE", Severity.WARNING, "A namespace name of the document is not a URI.")
    return Admitted(plain + admitted.body[LONGEST_RUN:], (*admitted.findings, finding))

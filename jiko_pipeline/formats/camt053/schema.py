"""Whether a document keeps to the schema of its version: advice to people, never a gate.

Belongs here: finding the schema in a folder that a setting names, and what is said of it. Does not belong
here: any decision; half of the statements that banks send break their schema and are readable all the same.

Schemas are not shipped: ISO 20022 gives them out as `camt.053.001.NN.xsd`.
"""

from functools import lru_cache
from pathlib import Path
from typing import Final

from lxml import etree

from jiko_pipeline.formats.camt053.gate import admit
from jiko_pipeline.formats.reading import Finding, Severity

MOST_BYTES_CHECKED: Final = 32 * 1024 * 1024
"""A schema wants the whole document in memory, at some ten times its bytes."""
MOST_TOLD: Final = 5


def schema_findings(body: bytes, version: str | None, folder: Path) -> tuple[Finding, ...]:
    """What the schema of `version` in `folder` says of a document that was read.

    SCHEMA_INVALID (warnings, the first few), or SCHEMA_NOT_CHECKED with the reason. Raises RefusedDocumentError
    for what the gate refuses; the document is one that `stream.parse` took.
    """
    if version is None:
        return _not_checked("the document does not say its version")
    if len(body) > MOST_BYTES_CHECKED:
        return _not_checked(f"it has more than {MOST_BYTES_CHECKED:,} bytes")
    path = folder / f"camt.053.001.{version}.xsd"
    try:
        schema = _schema(path, path.stat().st_mtime_ns)
    except (OSError, etree.LxmlError) as error:
        return _not_checked(f"{path.name} cannot be used ({type(error).__name__})")
    root = etree.fromstring(admit(body).body, _parser())
    document = next(root.iter("{*}Document"), None)
    if document is None:
        return (Finding("SCHEMA_INVALID", Severity.WARNING, "The message stands in no element Document."),)
    if document is not root:
        document = etree.fromstring(etree.tostring(document), _parser())
    if schema.validate(document):
        return ()
    errors = list(schema.error_log)  # type: ignore[call-overload]  # the stubs know no log that can be read
    findings = [
        Finding("SCHEMA_INVALID", Severity.WARNING, f"Schema {version}: {each.message[:300]}", each.path or "")
        for each in errors[:MOST_TOLD]
    ]
    if len(errors) > MOST_TOLD:
        message = f"The schema is broken in {len(errors) - MOST_TOLD} more places."
        findings.append(Finding("SCHEMA_INVALID", Severity.WARNING, message))
    return tuple(findings)


def _parser() -> etree.XMLParser:
    return etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def _not_checked(reason: str) -> tuple[Finding, ...]:
    return (Finding("SCHEMA_NOT_CHECKED", Severity.INFO, f"The schema was not checked: {reason}."),)


@lru_cache(maxsize=32)
def _schema(path: Path, changed: int) -> etree.XMLSchema:
    """The schema in a file, compiled once while the file stays as it was (`changed`)."""
    del changed
    return etree.XMLSchema(etree.fromstring(path.read_bytes(), _parser()))

"""Statements that real projects ship, against the truth an independent reader established."""

import json
from pathlib import Path
from typing import Any

import pytest

from jiko_pipeline.formats import camt053
from jiko_pipeline.formats.frames import FRAMES
from jiko_pipeline.formats.reading import RefusedDocumentError, Severity
from jiko_pipeline_tests.formats.corpus_facts import compared, statement_facts, true_statement_facts

VERSION_01 = "Nivaes-Iso20022Net__camt.053.001.01.xml"
"""The witness knows no root element BkToCstmrStmtV01, so it saw no statement where there is one."""


@pytest.fixture(scope="module")
def truth(corpus: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((corpus / "expected.json").read_text())
    return loaded


def test_every_document_of_the_corpus_is_read_as_the_witness_read_it(corpus: Path, truth: dict[str, Any]) -> None:
    wrong: dict[str, Any] = {}
    right = 0
    for name, expected in truth.items():
        if not expected["statements"]:
            continue
        document = camt053.parse((corpus / "corpus" / name).read_bytes())
        got = [statement_facts(statement) for statement in document.statements]
        true = [true_statement_facts(statement) for statement in expected["statements"]]
        if got == true and document.version == expected["version"]:
            right += 1
        else:
            wrong[name] = [
                (key, one[key], other[key])
                for one, other in zip(got, true, strict=False)
                for key in one
                if one[key] != other[key]
            ] or "another number of statements or version"
    assert not wrong
    assert right == sum(bool(expected["statements"]) for expected in truth.values())


def test_every_document_without_a_readable_statement_is_refused(corpus: Path, truth: dict[str, Any]) -> None:
    codes = {}
    for name, expected in truth.items():
        if expected["statements"] or name == VERSION_01:
            continue
        with pytest.raises(RefusedDocumentError) as refusal:
            camt053.parse((corpus / "corpus" / name).read_bytes())
        codes[name] = refusal.value.code
        if "error" in expected:
            assert "line" in str(refusal.value)
    assert set(codes.values()) == {"NOT_WELL_FORMED", "NO_STATEMENT"}


def test_entries_and_transactions_carry_every_fact_of_the_witness(corpus: Path, truth: dict[str, Any]) -> None:
    wrong: list[object] = []
    facts = 0
    for name, expected in truth.items():
        if expected["statements"]:
            seen, otherwise = compared(name, (corpus / "corpus" / name).read_bytes(), expected)
            facts += seen
            wrong += otherwise
    assert facts > 4500
    assert not wrong, f"{len(wrong)} of {facts}: {wrong[:15]}"


def test_frames_have_their_declared_schema_and_a_row_for_each_entry(corpus: Path, truth: dict[str, Any]) -> None:
    read = 0
    for name, expected in truth.items():
        body = (corpus / "corpus" / name).read_bytes()
        try:
            reading = camt053.read(body)
        except RefusedDocumentError as refusal:
            assert not expected["statements"] or refusal.code.startswith(("AMOUNT", "MISSING_SIGN")), name
            continue
        read += 1
        for frame_name, frame in reading.frames.items():
            assert frame.schema == FRAMES[frame_name].schema, name
            required = [column.name for column in FRAMES[frame_name].columns if column.required]
            assert not any(frame[column].null_count() for column in required), name
        entries = sum(statement["n_entries"] for statement in expected["statements"])
        if name != VERSION_01:
            assert reading.frames["statement_entry"].height == reading.rows_in_document == entries
        assert not any(finding.severity is Severity.ERROR for finding in reading.findings)
    assert read >= 105

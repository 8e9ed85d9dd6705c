"""docs/controls/ is what the headers of the controls say."""

from jiko_pipeline.reconciliation.registry import EvidenceClass, Registry
from jiko_pipeline_tests.reconciliation.control_pages import EVIDENCE, FOLDER, page_name, pages


def test_the_pages_are_what_the_headers_say() -> None:
    written = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.md")}
    stale = sorted(name for name, text in pages().items() if written.get(name) != text)
    assert (stale, sorted(written.keys() - pages().keys())) == ([], []), (
        "write them anew: python -m jiko_pipeline_tests.reconciliation.control_pages"
    )


def test_every_page_says_the_evidence_class_and_what_the_tolerance_hides() -> None:
    assert set(EVIDENCE) == set(EvidenceClass)
    texts = pages()
    for control in Registry.load().controls:
        text = texts[page_name(control)]
        assert f"(`{control.evidence.value}`)" in text
        assert f"- What it hides: {control.hides}\n" in text

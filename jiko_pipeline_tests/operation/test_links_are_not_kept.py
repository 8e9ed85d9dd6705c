"""Signed links come with listings and go no further: neither into the archive nor into a table."""

from jiko_pipeline.bank.contract import JIKO
from jiko_pipeline.formats.links import without_links
from jiko_pipeline_tests.operation.conftest import UndisturbedRun


def test_no_archived_listing_of_a_sync_holds_a_link(undisturbed: UndisturbedRun) -> None:
    archive = undisturbed.directory.path / "archive"
    bodies = [file.read_bytes() for file in archive.glob("[0-9a-f][0-9a-f]/*")]
    listed = [body for body in bodies if b'"pdf_download_url"' in body]
    assert len(listed) == 2, "the agreements and the statements of June"
    assert [body for body in listed if b"http" in body] == []
    assert undisturbed.directory.rows("select count(*) > 0 from core.monthly_statement") == [(True,)]


def test_all_but_the_link_stays_byte_for_byte() -> None:
    body = b'{"items": [{"pdf_download_url" : "https://files.example/\\"a?signature=1", "key":"2024-06"}]}'
    kept = b'{"items": [{"pdf_download_url" : "", "key":"2024-06"}]}'
    assert without_links("MONTHLY_STATEMENTS", body, JIKO) == kept
    assert without_links("COUNTERPARTIES", body, JIKO) == body


def test_a_link_under_another_name_is_left_out_too() -> None:
    contract = JIKO.model_copy(update={"names": {"Statement.pdf_download_url": "href"}})
    assert without_links("MONTHLY_STATEMENTS", b'{"href":"https://files.example/a"}', contract) == b'{"href":""}'

"""Every camt.053 document the simulated bank writes is valid against the ISO schema of its version."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from jiko_pipeline.calendars import fed_business_days
from jiko_pipeline.simulator.documents import camt053
from jiko_pipeline.simulator.documents.numbers import money_text
from jiko_pipeline.simulator.faults.catalogue import names
from jiko_pipeline.simulator.model import Pocket, StatementFacts, StatementLine, WorldConfig
from jiko_pipeline.simulator.world import World

CREATED_AT = datetime(2024, 7, 1, 12, 0, 0, 123456, tzinfo=UTC)
RANGES = (
    # Juneteenth, the quarter's end and Independence Day; one pocket opens and one closes.
    (WorldConfig(seed=7, pockets=4), date(2024, 6, 3), date(2024, 7, 17)),
    # Generated bills; Good Friday, on which the Fed works and bills do not trade.
    (WorldConfig(seed=11, pockets=5, start=date(2026, 3, 2)), date(2026, 3, 25), date(2026, 4, 10)),
    # Thanksgiving to New Year.
    (WorldConfig(seed=3, pockets=4, start=date(2010, 11, 1)), date(2010, 11, 22), date(2011, 1, 5)),
)


def _schema_dir() -> Path:
    shared = os.environ.get("JIKO_SHARED_DIR")
    root = Path(shared) if shared else Path(__file__).resolve().parents[2].parent / "shared"
    directory = root / "camt" / "xsd"
    if not directory.is_dir():
        pytest.skip("the ISO schemas are not here: set JIKO_SHARED_DIR to the folder with camt/xsd")
    return directory


@cache
def _schema(version: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(_schema_dir() / f"camt.053.001.{version}.xsd")))


def _statements(config: WorldConfig, first: date, last: date) -> Iterator[StatementFacts]:
    world = World(config)
    for pocket in world.pockets(last):
        for day in fed_business_days(max(first, pocket.opened_on), min(last, pocket.closed_on or last)):
            for ask in (world.bank_statement, world.brokerage_statement):
                for provisional in (False, True) if day.day % 7 == 0 else (False,):
                    facts = ask(pocket.id, day, provisional=provisional)
                    if facts is not None:
                        yield facts


def _render(facts: StatementFacts, version: str) -> bytes:
    return camt053.render(facts, version=version, message_id="0" * 32, created_at=CREATED_AT)


def _assert_valid(body: bytes, version: str) -> None:
    schema = _schema(version)
    assert schema.validate(etree.fromstring(body)), schema.error_log.last_error


@pytest.mark.parametrize("version", camt053.VERSIONS)
def test_every_document_of_three_worlds_validates_with_all_kinds_of_activity(version: str) -> None:
    documents = 0
    codes: set[str] = set()
    kinds: set[tuple[str, bool, bool]] = set()
    for world_range in RANGES:
        for facts in _statements(*world_range):
            _assert_valid(_render(facts, version), version)
            documents += 1
            codes |= {line.code for line in facts.lines}
            kinds.add((facts.kind, facts.provisional, bool(facts.lines)))
    assert documents >= 500
    assert codes == camt053.PROPRIETARY_CODES
    assert {(kind, provisional) for kind, provisional, _ in kinds} == {
        ("BANK", False),
        ("BANK", True),
        ("BROKERAGE", False),
        ("BROKERAGE", True),
    }
    assert ("BANK", False, False) in kinds, "a day without activity"


@pytest.mark.parametrize("version", camt053.VERSIONS)
@pytest.mark.parametrize("fault", names())
def test_a_planted_fault_leaves_documents_valid_unless_it_cuts_them_off(fault: str, version: str) -> None:
    cut_off = 0
    config = WorldConfig(fault=fault)
    truth = World(config).truth()
    day = date.fromisoformat(truth["business_date"])
    for facts in _statements(config, day, day):
        body = _render(facts, version)
        if facts.corrupt:
            cut_off += 1
            with pytest.raises(etree.XMLSyntaxError):
                etree.fromstring(body)
            whole = _render(replace(facts, corrupt=False), version)
            assert whole.startswith(body)
            assert 0.6 < len(body) / len(whole) < 0.7
        else:
            _assert_valid(body, version)
    assert cut_off == (1 if fault == "corrupt-statement" else 0)


@pytest.mark.parametrize("version", camt053.VERSIONS)
def test_text_that_means_something_in_xml_and_long_text_stays_text(version: str) -> None:
    pocket = Pocket("9f6f274b-3010-4ea0-9ead-104933a9c1da", 'A <b> & "co"' * 20, "UST-4W", date(2024, 6, 3), None, "1")
    line = StatementLine(
        "R&1", "E<2", "WIRE_OUT", False, 12345, date(2024, 6, 4), date(2024, 6, 4), "Ü & Söhne <x>" * 20, "n" * 300
    )
    facts = StatementFacts("BANK", pocket, date(2024, 6, 4), date(2024, 6, 3), 1, 12345, 0, (line,), False)
    body = _render(facts, version)
    _assert_valid(body, version)
    namespace = {"c": f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"}
    tree = etree.fromstring(body)
    assert tree.findtext(".//c:AcctSvcrRef", namespaces=namespace) == "R&1"
    remittance = [element.text or "" for element in tree.iterfind(".//c:Ustrd", namespace)]
    assert "".join(remittance) == "n" * 300


@pytest.mark.parametrize("version", camt053.VERSIONS)
def test_the_document_says_what_the_ledger_says(version: str) -> None:
    config, first, _ = RANGES[0]
    namespace = {"c": f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"}
    for facts in _statements(config, first, date(2024, 6, 14)):
        tree = etree.fromstring(_render(facts, version))
        balances = [
            (
                balance.findtext(".//c:CdOrPrtry/c:Cd", namespaces=namespace),
                balance.findtext("c:Amt", namespaces=namespace),
                balance.findtext("c:Dt/c:Dt", namespaces=namespace),
            )
            for balance in tree.iterfind(".//c:Bal", namespace)
        ]
        assert balances == [
            ("OPBD", money_text(facts.opening_cents), facts.previous_day.isoformat()),
            ("CLBD", money_text(facts.closing_cents), facts.day.isoformat()),
        ]
        entries = [
            (
                entry.findtext("c:Amt", namespaces=namespace),
                entry.findtext("c:CdtDbtInd", namespaces=namespace) == "CRDT",
                entry.findtext("c:BkTxCd/c:Prtry/c:Cd", namespaces=namespace),
                entry.findtext(".//c:EndToEndId", namespaces=namespace),
            )
            for entry in tree.iterfind(".//c:Ntry", namespace)
        ]
        assert entries == [
            (money_text(line.amount_cents), line.credit, line.code, line.end_to_end_id.replace("-", ""))
            for line in facts.lines
        ]
        assert tree.findtext(".//c:TtlNtries/c:NbOfNtries", namespaces=namespace) == str(len(facts.lines))


def test_only_the_two_versions_are_written() -> None:
    facts = next(_statements(*RANGES[0]))
    with pytest.raises(ValueError, match="version 02 or 08"):
        _render(facts, "09")


def test_the_same_facts_give_the_same_bytes() -> None:
    config, first, _ = RANGES[0]
    once = [_render(facts, "08") for facts in _statements(config, first, first)]
    assert once == [_render(facts, "08") for facts in _statements(config, first, first)]
    assert len(once) > 1

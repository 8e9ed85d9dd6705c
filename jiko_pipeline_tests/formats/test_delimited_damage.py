"""CSV that was cut, bent or made to harm: refused or kept aside, with its place, and only by the project's errors."""

import random
from datetime import UTC, date, datetime
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiko_pipeline.formats.delimited import strict
from jiko_pipeline.formats.reading import Reading, RefusedDocumentError
from jiko_pipeline.simulator.documents import delimited as writer
from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.world import World
from jiko_pipeline_tests.formats.test_delimited import KINDS, TRADE, csv_of, trades

FIRST, LAST = date(2024, 6, 3), date(2024, 7, 17)
MADE_AT = datetime(2024, 7, 18, 12, 0, tzinfo=UTC)
CUTS = 1_000
TEXTS = ("a\nb", "a\r\nb", "a\rb", 'say "no", please', "\n", "=1+1", "x;y", '"')
SPOILT = (
    *('"', '""', "\r", "\r\n", "\n", "\x00", "\ufeff", ",", ";", "\t", " ", "x", "-", ".", "=1+1"),
    *("\u0661", "\u202e", "1e5", "NaN", "9" * 40, "0.0000001", "0000-01-01", "2024-06-03T16:00:60Z", "true"),
)


@cache
def bodies() -> dict[str, bytes]:
    """A document of each kind from the simulated bank, and one whose texts hold quotes and line ends."""
    world = World(WorldConfig())
    alive = [each for each in world.pockets(LAST) if each.closed_on is None or each.closed_on >= LAST]
    summaries = [world.position_summary(each.id, LAST) for each in alive]
    rows = [{**TRADE, "Trade Reference": f"t-{n}", "Custodian": TEXTS[n % len(TEXTS)]} for n in range(60)]
    return {
        "trade report": writer.trade_report(world.trade_report(None, FIRST, LAST)),
        "kyriba trade report": writer.trade_report_kyriba(world.trade_report(None, FIRST, LAST)),
        "prices": writer.security_prices(world.prices(FIRST, LAST)),
        "positions": writer.position_summaries([each for each in summaries if each is not None]),
        "transactions": writer.transactions_export(world.transactions(FIRST, LAST), MADE_AT),
        "trades": writer.trades_export(world.trades(FIRST, LAST), LAST),
        "reference": writer.reference_list(world.reference_auctions(date(2025, 6, 30))),
        "quoted": csv_of(*rows).replace(b"\nt-3", b"\r\nt-3"),
    }


def read(kind: str, body: bytes) -> Reading:
    _, reader, _ = KINDS["trade report" if kind == "quoted" else kind]
    return reader(body)


def ends_a_row(body: bytes, offset: int) -> bool:
    return body[:offset].endswith(b"\n") and body.count(b'"', 0, offset) % 2 == 0


@pytest.mark.parametrize("kind", [*KINDS, "quoted"])
@pytest.mark.fault_rows(79)
def test_each_of_1000_cuts_is_refused_unless_it_falls_just_after_a_row(kind: str) -> None:
    body = bodies()[kind]
    whole = read(kind, body)
    assert (whole.rejected, whole.rows_in_document >= 5) == ((), True)
    generator = random.Random(81)
    ends = [at for at in range(1, len(body)) if ends_a_row(body, at)]
    offsets = [generator.randrange(len(body)) for _ in range(CUTS - 20)] + generator.choices(ends[:-1], k=20)
    for offset in offsets:
        if ends_a_row(body, offset):
            rest = read(kind, body[:offset])
            assert rest.rows_in_document < whole.rows_in_document, offset
            assert rest.rejected == ()
        else:
            with pytest.raises(RefusedDocumentError) as refusal:
                read(kind, body[:offset])
            assert refusal.value.code in ("EMPTY_DOCUMENT", "CUT_OFF", "ENCODING_REFUSED", "MALFORMED_LINE"), offset
            assert offset == 0 or refusal.value.locator.startswith("line ")


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_quoted_text_is_kept_as_it_stands_whatever_ends_the_lines(text: str, end: str) -> None:
    body = csv_of({**TRADE, "Custodian": "HOLDER"}, {**TRADE, "Trade Reference": "t-2"}).replace(b"\n", end.encode())
    written = '"' + text.replace('"', '""') + '"'
    reading = trades_of(body.replace(b"HOLDER", written.encode()))
    assert reading.frames["trade_report"]["custodian"].to_list() == [text, "BNY"]
    assert reading.frames["trade_report"]["trade_reference"].to_list() == ["t-1", "t-2"]


def trades_of(body: bytes) -> Reading:
    return read("trade report", body)


def test_a_row_after_a_quoted_line_end_has_the_line_that_an_editor_shows() -> None:
    first = {**TRADE, "Custodian": "one\r\ntwo\nthree"}
    body = csv_of(first, {**TRADE, "Trade Reference": "t-2", "Price": "x"})
    (rejected,) = trades_of(body).rejected
    assert rejected.locator == "line 5"


def head() -> bytes:
    return csv_of(TRADE).partition(b"\n")[0] + b"\n"


@pytest.mark.parametrize(
    ("name", "body", "code", "words"),
    [
        ("16 million columns", b"," * 16_000_000 + b"\n", "OVERSIZED_LINE", "Line 1"),
        ("16 million fields", head() + b"," * 16_000_000 + b"\n", "OVERSIZED_LINE", "Line 2"),
        ("2,000 columns", b"a," * 2_000 + b"\n", "HEADER", "2,001 columns"),
        ("quotes without end", head() + b'"' * 1_000_001 + b"\n", "MALFORMED_LINE", "Line 2"),
        ("a quote never closed", head() + b'"' + b"x\n" * 8_000_000, "MALFORMED_LINE", "Line 2"),
        ("nothing but line ends", head() + b"\n" * 16_000_000, "FIELD_COUNT", "it is empty"),
        ("nothing but carriage returns", head() + b"a\r" * 500_000 + b"\n", "LINE_END", "character 2"),
        ("carriage return before the line end", head() + b"a\r\r\n", "LINE_END", "Line 2"),
        ("nothing but NUL", b"\x00" * 16_000_000 + b"\n", "NUL_BYTE", "at byte 1"),
        ("nothing but blanks", b" " * 16_000_000, "CUT_OFF", "Line 1"),
        ("a compressed file", b"\x1f\x8b\x08\x00" + b"a\n", "NOT_CSV", "gzip"),
        ("an old spreadsheet", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\n", "NOT_CSV", "spreadsheet"),
        ("one field too many", csv_of(TRADE)[:-1] + b",0,1\n", "FIELD_COUNT", "'0' stands after column 'Custodian'"),
        ("one field too few", head() + b"t-1,p\n", "FIELD_COUNT", "column 'Transaction Code'"),
    ],
)
@pytest.mark.fault_rows(84, 89)
def test_a_hostile_document_is_refused_with_its_place_in_words(name: str, body: bytes, code: str, words: str) -> None:
    with pytest.raises(RefusedDocumentError) as refusal:
        trades_of(body)
    assert refusal.value.code == code, name
    assert words in str(refusal.value)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize("value", ["0000-01-01", "2024-06-31", "2024-6-3", "+2024-06-03"])
def test_a_day_that_no_calendar_has_is_kept_aside(value: str) -> None:
    (rejected,) = trades({**TRADE, "Trade Date": value}).rejected
    assert (rejected.code, "'Trade Date'" in rejected.message) == ("BAD_DATE", True)


@pytest.mark.parametrize(
    "value", ["2024-06-03T16:00:60Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "2024-06-03T16:00:00+24:00"]
)
def test_an_instant_that_no_clock_has_is_kept_aside(value: str) -> None:
    _, reader, row = KINDS["transactions"]
    (rejected,) = reader(csv_of({**row, "time_booked": value})).rejected
    assert (rejected.code, "'time_booked'" in rejected.message) == ("BAD_TIME", True)


def mutated(kind: str, edits: list[tuple[float, int, str]]) -> bytes:
    """The document after each edit: at a share of its length, so many bytes give way to a text."""
    body = bodies()[kind][:6_000].rpartition(b"\n")[0] + b"\n"
    for share, gone, text in edits:
        at = int(share * len(body))
        body = body[:at] + text.encode("utf-8", "surrogatepass") + body[at + gone :]
    return body


def only_refusals_escape(kind: str, edits: list[tuple[float, int, str]]) -> None:
    body = mutated(kind, edits)
    try:
        reading = read(kind, body)
    except RefusedDocumentError as refusal:
        assert refusal.code
        assert len(str(refusal)) < 2_000
        return
    table = strict.open_table(body, KINDS["trade report" if kind == "quoted" else kind][0].separator)
    assert reading.rows_in_document == sum(1 for _ in table.rows())
    assert reading.rows_in_document == sum(frame.height for frame in reading.frames.values()) + len(reading.rejected)
    for row in reading.rejected:
        assert row.locator.startswith("line ")
        assert row.message.startswith(("Line ", "line "))
    for frame in reading.frames.values():
        assert len(frame.rows()) == frame.height


kinds = st.sampled_from([*KINDS, "quoted"])
edits = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.sampled_from([0, 0, 1, 1, 2, 5, 30]),
        st.one_of(st.sampled_from(SPOILT), st.text(max_size=4)),
    ),
    min_size=1,
    max_size=4,
)


@given(kinds, edits)
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_only_the_projects_own_refusals_escape_and_every_row_is_counted(
    kind: str, edits: list[tuple[float, int, str]]
) -> None:
    only_refusals_escape(kind, edits)


@pytest.mark.soak
@given(kinds, edits)
@settings(max_examples=50_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_only_the_projects_own_refusals_escape_over_many_bodies(kind: str, edits: list[tuple[float, int, str]]) -> None:
    only_refusals_escape(kind, edits)

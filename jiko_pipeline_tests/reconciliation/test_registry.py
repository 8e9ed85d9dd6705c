"""The registry reads control files strictly: a header that lacks something is refused, never guessed."""

import pytest

from jiko_pipeline.reconciliation.registry import (
    BreakClass,
    ControlFileError,
    Registry,
    Severity,
    parse_control,
)

HEADER = """\
-- id: K99
-- version: 1.2
-- title: Something holds.
-- key: pocket, date
-- identity: a = b
-- tolerance: 0.00
-- hides: nothing
-- codes: ONE = AMOUNT, TWO = TIMING
-- severity: S2
-- evidence: ARITHMETIC
-- inputs: BANK_STATEMENT,
--   POSITION
-- chained: yes
-- gate: no
-- required: no
"""
SELECT = "select 1 as pocket_id\n"


def test_the_packaged_controls_are_sorted_and_each_has_its_own_id() -> None:
    ids = [control.control_id for control in Registry.load().controls]
    assert ids == sorted(set(ids))
    assert {"K01", "K03", "K04", "K10", "K11", "K12", "K13", "K14", "K20", "K21"} <= set(ids)


def test_the_gates_come_in_their_order() -> None:
    assert [control.control_id for control in Registry.load().gates] == ["K01", "K03", "K04"]


def test_the_required_set_is_that_of_the_daily_close() -> None:
    wanted = [
        "K01",
        "K03",
        "K04",
        "K10",
        "K11",
        "K12",
        "K14",
        "K20",
        "K21",
        "K30",
        "K31",
        "K32",
        "K33",
        "K34",
        "K35",
        "K36",
        "K37",
        "K38",
        "K40",
    ]
    assert set(Registry.load().required) == set(wanted)


def test_a_header_is_read_into_types() -> None:
    control = parse_control("k99_something.sql", HEADER + SELECT)
    assert control.codes == {"ONE": BreakClass.AMOUNT, "TWO": BreakClass.TIMING}
    assert control.severity is Severity.S2
    assert control.inputs == ("BANK_STATEMENT", "POSITION")
    assert (control.chained, control.gate, control.required) == (True, False, False)
    assert (control.major, control.name, control.sql) == ("1", "something", "select 1 as pocket_id")


def test_comments_after_the_last_key_belong_to_the_select() -> None:
    control = parse_control("k99_something.sql", HEADER + "-- Why it is so: because.\n" + SELECT)
    assert control.sql.startswith("-- Why it is so")


@pytest.mark.parametrize("key", [line.split(":")[0][3:] for line in HEADER.splitlines() if ": " in line])
def test_a_header_without_one_of_its_keys_is_refused(key: str) -> None:
    lines = [line for line in HEADER.splitlines() if not line.startswith(f"-- {key}:")]
    with pytest.raises(ControlFileError, match="k99_something"):
        parse_control("k99_something.sql", "\n".join(lines) + "\n" + SELECT)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("codes: ONE = AMOUNT", "codes: ONE = WEIGHT"),
        ("codes: ONE = AMOUNT", "codes: ONE"),
        ("ONE = AMOUNT, TWO", "ONE = AMOUNT, ONE"),
        ("severity: S2", "severity: S4"),
        ("evidence: ARITHMETIC", "evidence: HEARSAY"),
        ("inputs: BANK_STATEMENT", "inputs: BANK_LETTER"),
        ("chained: yes", "chained: perhaps"),
        ("id: K99", "id: K98"),
        ("-- hides: nothing", "-- hidden: nothing"),
        ("-- key: pocket, date", "-- title: Something else holds."),
    ],
)
def test_a_header_that_says_something_unknown_is_refused(good: str, bad: str) -> None:
    assert good in HEADER
    with pytest.raises(ControlFileError):
        parse_control("k99_something.sql", HEADER.replace(good, bad) + SELECT)


def test_a_file_without_a_select_is_refused() -> None:
    with pytest.raises(ControlFileError, match="no select"):
        parse_control("k99_something.sql", HEADER)


def test_two_files_with_one_id_are_refused() -> None:
    with pytest.raises(ControlFileError, match="two files"):
        Registry.of([("k99_one.sql", HEADER + SELECT), ("k99_two.sql", HEADER + SELECT)])


def test_the_rules_hash_moves_with_any_character_of_a_control_or_of_the_evidence() -> None:
    files = [("k99_one.sql", HEADER + SELECT)]
    hashes = {
        Registry.of(files, rules=[("view.sql", "select 1")]).rules_hash,
        Registry.of(files, rules=[("view.sql", "select 2")]).rules_hash,
        Registry.of([("k99_one.sql", HEADER + SELECT + " ")], rules=[("view.sql", "select 1")]).rules_hash,
    }
    assert len(hashes) == 3

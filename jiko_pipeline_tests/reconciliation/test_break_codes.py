"""The table of codes: every break says what its sides are and what to do next."""

import pytest

from jiko_pipeline.reconciliation.codes import CodeGuideError, Unit, code_guides, parse_codes
from jiko_pipeline.reconciliation.registry import BreakClass, Registry

REGISTRY = Registry.load()
CODES = [(control.control_id, code) for control in REGISTRY.controls for code in control.codes]


def test_every_code_of_every_control_has_a_next_step() -> None:
    assert [named for named in CODES if named[1] not in code_guides()] == []


def test_every_next_step_is_a_sentence_of_its_own() -> None:
    steps = [guide.next_step for guide in code_guides().values()]
    assert len(set(steps)) == len(steps)
    assert [step for step in steps if not (step[0].isupper() and step.endswith(".") and len(step.split()) > 7)] == []


def test_only_timing_codes_clear_by_themselves_and_each_has_its_days() -> None:
    timing = {
        code
        for control in REGISTRY.controls
        for code, break_class in control.codes.items()
        if break_class is BreakClass.TIMING
    }
    known = {code for _, code in CODES}
    within = {code: guide.clears_within for code, guide in code_guides().items() if guide.clears_within is not None}
    assert within.keys() & known <= timing
    assert (within["IN_TRANSIT"], within["TX_IN_FLIGHT"], within["GAP_LATE"]) == (1, 5, 1)


@pytest.mark.parametrize(
    "text",
    [
        '[ODD]\nunit = "USD"',
        '[ODD]\nnext = "Do something about it."',
        '[ODD]\nunit = "EUR"\nnext = "Do something about it."',
        '[ODD]\nunit = "USD"\nnext = "Do something"',
        '[ODD]\nunit = "USD"\nnext = "Do something."\nclears_within = 0',
        '[ODD]\nunit = "USD"\nnext = "Do something."\ncolour = "red"',
    ],
)
def test_a_code_that_says_too_little_or_too_much_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(CodeGuideError, match="ODD"):
        parse_codes(text)


def test_a_sound_code_is_taken_as_it_stands() -> None:
    guide = parse_codes('[ODD]\nunit = "BP"\nclears_within = 2\nnext = "Do it."')["ODD"]
    assert (guide.unit, guide.clears_within, guide.is_authorisation, guide.next_step) == (Unit.BP, 2, False, "Do it.")

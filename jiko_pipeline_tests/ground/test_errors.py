"""Exit codes and the three lines of an error."""

import importlib
import pkgutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jiko_pipeline
from jiko_pipeline.errors import ExitCode, JikoPipelineError, SettingsError, most_serious

CODES = st.lists(st.sampled_from(list(ExitCode)), max_size=9)
STATED_ORDER = (50, 40, 60, 30, 20, 10, 0)
"""Where several hold, as the command line promises it."""


def _all_errors() -> list[type[JikoPipelineError]]:
    for module in pkgutil.walk_packages(jiko_pipeline.__path__, "jiko_pipeline."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: list[type[JikoPipelineError]] = []
    waiting = [JikoPipelineError]
    while waiting:
        kind = waiting.pop()
        found.append(kind)
        waiting += kind.__subclasses__()
    return found


def test_the_exit_codes_are_those_that_are_promised() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "OK": 0,
        "DEFECT": 1,
        "USAGE": 2,
        "BREAKS_OPEN": 10,
        "TRY_LATER": 20,
        "NOT_PROVED": 30,
        "CREDENTIALS_OR_SETTINGS": 40,
        "STORAGE": 50,
        "ALREADY_RUNNING": 60,
    }


def test_of_two_codes_the_one_that_stands_first_in_the_promised_order_is_answered() -> None:
    for place, first in enumerate(STATED_ORDER):
        for later in STATED_ORDER[place:]:
            assert most_serious(ExitCode(first), ExitCode(later)) == first
            assert most_serious(ExitCode(later), ExitCode(first)) == first


def test_nothing_to_report_is_fine() -> None:
    assert most_serious() == ExitCode.OK


@given(CODES, CODES)
@settings(deadline=None)
def test_the_answer_is_one_of_the_codes_and_does_not_depend_on_order_or_grouping(
    some: list[ExitCode], more: list[ExitCode]
) -> None:
    answer = most_serious(*some, *more)
    assert answer in (*some, *more, ExitCode.OK)
    assert answer == most_serious(*reversed(more), *some)
    assert answer == most_serious(most_serious(*some), most_serious(*more))


@given(CODES.filter(lambda codes: any(codes)))
@settings(deadline=None)
def test_something_wrong_is_never_answered_with_fine(codes: list[ExitCode]) -> None:
    assert most_serious(*codes) != ExitCode.OK


def test_every_error_says_what_it_means_and_what_to_do_in_sentences() -> None:
    kinds = _all_errors()
    assert len(kinds) > 10
    for kind in kinds:
        assert isinstance(kind.exit_code, ExitCode), kind
        assert kind.exit_code not in (ExitCode.OK, ExitCode.BREAKS_OPEN), kind
        for sentence in (kind.means, kind.remedy):
            assert sentence[0].isupper() or sentence.startswith("`"), (kind, sentence)
            assert sentence.endswith("."), (kind, sentence)
            assert "\n" not in sentence, (kind, sentence)


def test_what_is_given_to_an_error_stands_before_what_its_type_says() -> None:
    plain = SettingsError("The setting is wrong.")
    told = SettingsError("The setting is wrong.", means="The day is not ready.", remedy="Ask the bank.")
    assert (str(plain), plain.means, plain.remedy) == (
        "The setting is wrong.",
        JikoPipelineError.means,
        SettingsError.remedy,
    )
    assert (str(told), told.means, told.remedy) == ("The setting is wrong.", "The day is not ready.", "Ask the bank.")
    assert SettingsError.means == JikoPipelineError.means


def test_errors_are_raised_as_exceptions_with_their_sentence() -> None:
    with pytest.raises(JikoPipelineError, match=r"^The setting is wrong\.$"):
        raise SettingsError("The setting is wrong.")

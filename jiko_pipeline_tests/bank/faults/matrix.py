"""The fault matrix of the connection to the bank: each row, what must come of it, and the tests that show it.

Belongs here: the one declaration of the rows and the page that is made of it (`python -m
jiko_pipeline_tests.bank.faults.matrix` writes it). Does not belong here: the tests.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[3] / "docs" / "fault-matrix.md"
ROOM: Final = "jiko_pipeline_tests"

OUTCOMES: Final = {
    "R": "recovered within the run",
    "W": "left pending, the next run takes it up (exit 20)",
    "Q": "kept out of the figures and told (exit 30)",
    "A": "credentials or settings have to be corrected (exit 40)",
    "N": "no effect",
}


@dataclass(frozen=True)
class Row:
    """A fault; `outcome` are letters of OUTCOMES with a remark, `tests` are `module::function` of this package."""

    number: int
    fault: str
    outcome: str
    tests: tuple[str, ...]


_LIMITS = "bank.faults.test_limits::test_"
_SIGN_IN = "bank.faults.test_sign_in::test_"
_PAGES = "bank.faults.test_pages::test_"
_DOCUMENTS = "bank.faults.test_documents::test_"
_SYNC = "operation.test_sync_under_faults::test_"
_CALLS = "bank.test_client_calls::test_"
_KEYS = "bank.test_sign_in::test_"
_SIZES = _PAGES + "pages_of_any_size_order_and_end_give_the_same_rows"
_MOVES = _PAGES + "a_list_that_moves_while_it_is_read_loses_no_lasting_row"
_RANDOM = _PAGES + "a_list_that_moves_at_random_is_read_without_loss_or_left_for_later"
_CIRCLES = _PAGES + "tokens_that_come_back_are_refused_at_once"

ROWS: Final = (
    Row(20, "429 with Retry-After: 2", "R: waits 2 s", (_LIMITS + "20_a_wait_that_the_bank_asks_for_is_waited",)),
    Row(
        21,
        "429 with a date, our clock 10 minutes off",
        "R: waits by the bank's own Date",
        (
            _LIMITS + "21_a_date_to_wait_for_is_one_of_the_banks_clock",
            _CALLS + "a_retry_date_is_read_against_the_clock_of_the_bank",
        ),
    ),
    Row(
        22,
        "429 with Retry-After 86400 or 9999999999",
        "W at once, says when to try again",
        (_LIMITS + "22_a_wait_beyond_a_run_is_told_and_not_waited",),
    ),
    Row(
        23,
        "429 with Retry-After -1, NaN, nothing, words, a date long past",
        "R by our own pauses",
        (_LIMITS + "23_a_wait_that_makes_no_sense_is_replaced_by_our_own",),
    ),
    Row(
        24,
        "429 on every third request of a run",
        "R",
        (_LIMITS + "24_a_429_on_every_third_request_costs_time_and_nothing_else",),
    ),
    Row(
        25,
        "500, 502, 503, 504 on a fifth of the requests",
        "R",
        (_LIMITS + "25_a_bank_that_fails_a_fifth_of_the_time_is_read_to_the_end_however_long_that_takes",),
    ),
    Row(
        26,
        "200 with a page of HTML",
        "R, then Q",
        (_LIMITS + "26_a_page_for_people_is_tried_again_and_then_refused",),
    ),
    Row(
        27,
        "200 with a JSON error object",
        "Q",
        (
            _LIMITS + "27_an_error_that_calls_itself_success_is_no_empty_listing",
            _SYNC + "a_listing_that_is_none_publishes_nothing_and_the_next_sync_loses_nothing",
        ),
    ),
    Row(
        28,
        "404 on a report that was just made, then 200",
        "R within 30 s",
        (_LIMITS + "28_a_report_that_is_not_there_yet_is_asked_for_again",),
    ),
    Row(
        29,
        "422 with details of validation",
        "A, details shown without what was sent",
        (
            _LIMITS + "29_a_request_that_is_not_valid_is_told_with_the_banks_reason",
            _CALLS + "what_a_422_rejects_is_shown_without_the_rejected_input",
        ),
    ),
    Row(
        30,
        "403 for one pocket only",
        "Q for that pocket, the others load",
        (
            _LIMITS + "30_a_pocket_that_is_closed_to_us_bars_no_other",
            _SYNC + "a_pocket_that_is_closed_to_us_is_told_and_the_others_are_loaded",
        ),
    ),
    Row(31, "402, 418, 451", "Q, the status is named", (_LIMITS + "31_a_status_that_nobody_knows_is_named",)),
    Row(
        32,
        "the token ends between two pages",
        "R: one renewal",
        (_SIGN_IN + "32_a_token_that_ends_between_two_pages_is_renewed_once",),
    ),
    Row(
        33,
        "the token ends while a 429 is waited for",
        "R: the header is made anew",
        (_SIGN_IN + "33_a_token_that_ends_during_a_wait_is_not_sent_again",),
    ),
    Row(
        34,
        "401 though the token has not ended",
        "R by one renewal, then A",
        (
            _SIGN_IN + "34_a_revoked_token_is_replaced_once_and_a_second_refusal_ends_it",
            _KEYS + "a_fresh_token_that_is_refused_too_ends_in_exit_40",
        ),
    ),
    Row(35, "the sign-in answers 429 or 500 once", "R", (_SIGN_IN + "35_a_sign_in_that_fails_once_is_tried_again",)),
    Row(
        36,
        "the sign-in answers invalid_grant",
        "A, no loop",
        (_SIGN_IN + "36_a_refused_sign_in_ends_it_without_a_loop",),
    ),
    Row(
        37,
        "the process ends right after it was given a token",
        "R: a machine client has no refresh token to lose; the next run signs in",
        (
            _SIGN_IN + "37_a_token_outlives_no_process_so_each_run_signs_in_anew",
            "operation.test_failpoints::test_failing_at_each_pass_of_each_step_leaves_no_trace",
        ),
    ),
    Row(
        38,
        "eight requests at once when the token ends",
        "R: one renewal",
        (
            _SIGN_IN + "38_eight_threads_at_the_end_of_a_token_renew_it_once",
            "bank.test_limits_in_full::test_short_lived_tokens_are_renewed_once_a_period_and_no_request_fails",
        ),
    ),
    Row(
        39,
        "expires_in absent, 0, text, negative",
        "R: a default, no storm",
        (
            _SIGN_IN + "39_a_lifetime_that_makes_no_sense_causes_no_storm",
            _KEYS + "a_lifetime_that_makes_no_sense_causes_no_storm",
        ),
    ),
    Row(
        40,
        "the sign-in is slow",
        "R: all wait, none fails",
        (_SIGN_IN + "40_all_wait_for_a_slow_sign_in_and_none_fails",),
    ),
    Row(
        41,
        "our clock an hour off",
        "N",
        (_KEYS + "a_wrong_clock_here_is_corrected_by_the_date_of_the_bank",),
    ),
    Row(
        42,
        "the sign-in repeats the secret in its error",
        "A, the secret is nowhere",
        (
            _SIGN_IN + "42_what_the_token_endpoint_repeats_is_written_nowhere",
            "bank.test_client_secrets::test_no_secret_is_written_anywhere",
        ),
    ),
    Row(
        43,
        "a scope is missing, its routes answer 403",
        "A, the scope is named",
        (_SIGN_IN + "43_a_scope_that_is_missing_is_named", _KEYS + "scopes_that_are_not_granted_are_named"),
    ),
    Row(44, "a row comes in before the cursor", "R: found by a second reading, none lost", (_MOVES, _RANDOM)),
    Row(
        45,
        "a row goes, those after it move up",
        "R: none of the lasting rows is lost; W for a list that does not come to rest",
        (_MOVES, _RANDOM, _PAGES + "a_list_that_never_comes_to_rest_is_left_for_a_later_run"),
    ),
    Row(
        46,
        "a row changes between two pages",
        "R: the newest stays, the change is told",
        (_PAGES + "a_row_that_changes_while_it_is_read_is_kept_in_its_newer_form_and_told",),
    ),
    Row(47, "a page names its own token", "Q after one repeat", (_CIRCLES,)),
    Row(48, "tokens turn in a circle", "Q at the first that comes back", (_CIRCLES,)),
    Row(
        49,
        "fresh tokens to empty pages without end",
        "Q at the cap of pages",
        (_PAGES + "fresh_tokens_without_an_end_stop_at_the_cap",),
    ),
    Row(50, "an empty page in the middle", "R: reads on", (_SIZES,)),
    Row(51, "the last page leads to an empty one", "N", (_SIZES,)),
    Row(52, "pages larger or smaller than asked for", "N", (_SIZES,)),
    Row(53, "rows in no order, also across pages", "N", (_SIZES,)),
    Row(
        54,
        "a token expires (400)",
        "R: the listing begins again",
        (_PAGES + "an_expired_token_begins_the_listing_again",),
    ),
    Row(
        55,
        "the next page is an address elsewhere",
        "Q, nothing is sent there",
        (_PAGES + "an_address_in_place_of_a_token_is_not_followed",),
    ),
    Row(
        56,
        "total_count is not the number of rows",
        "R when it was passing, else Q",
        (_PAGES + "a_count_that_stays_another_than_the_rows_refuses_the_listing",),
    ),
    Row(
        132,
        "a clock 10 minutes off, the assertion refused",
        "R after correction by the bank's Date",
        (
            _SIGN_IN + "132_a_bank_whose_clock_is_off_is_signed_in_at_by_its_clock",
            _KEYS + "a_wrong_clock_here_is_corrected_by_the_date_of_the_bank",
        ),
    ),
    Row(
        133,
        "the answer to a sign-in is lost",
        "R: a new jti for each try",
        (
            _SIGN_IN + "133_a_sign_in_whose_answer_was_lost_is_signed_anew",
            _KEYS + "each_try_signs_a_new_assertion",
        ),
    ),
    Row(
        134,
        "the private key is wrong, missing, or readable by others",
        "A, names the key's id or file",
        (
            _KEYS + "a_key_that_others_can_read_is_refused_with_the_command_to_run",
            _KEYS + "a_file_that_holds_no_key_is_refused",
            _KEYS + "a_missing_key_is_refused",
            _KEYS + "an_unknown_key_is_refused_without_a_second_try",
        ),
    ),
    Row(
        135,
        "the address of another environment",
        "A before anything is sent",
        (_SIGN_IN + "135_an_address_of_another_environment_is_refused_before_anything_is_sent",),
    ),
    Row(
        136,
        "X-RateLimit: nothing left, reset in 20 s",
        "R: waits for the reset",
        (_LIMITS + "136_when_nothing_is_left_the_reset_is_waited_for",),
    ),
    Row(
        137,
        "X-RateLimit-Reset in the past, in ms, in words",
        "N",
        (
            _LIMITS + "137_a_reset_that_makes_no_sense_stops_nobody",
            "bank.test_budget::test_a_reset_that_makes_no_sense_is_ignored",
        ),
    ),
    Row(
        138,
        "a redirect to http:// or elsewhere",
        "Q, never followed",
        (_LIMITS + "138_a_redirect_is_not_followed",),
    ),
    Row(
        139,
        "the end of a listing as nothing, null, blank, absent, an address",
        "N; the address Q",
        (_SIZES, _PAGES + "an_address_in_place_of_a_token_is_not_followed"),
    ),
    Row(140, "30 rows a page whatever is asked for", "N", (_SIZES,)),
    Row(
        141,
        "422 that repeats a secret",
        "A, the secret is nowhere",
        (_SIGN_IN + "141_an_input_that_the_bank_repeats_is_not_repeated_by_us",),
    ),
    Row(
        142,
        "a row is BOOKED first and SETTLED later",
        "R: two versions of one row",
        (_DOCUMENTS + "142_a_row_that_settles_later_is_one_row_of_two_versions",),
    ),
    Row(
        143,
        "a movement seen from both its pockets",
        "N: two rows",
        (_DOCUMENTS + "143_a_movement_that_two_pockets_share_is_two_rows",),
    ),
    Row(
        144,
        "an unknown word of status, type, activity",
        "R: kept as text and told",
        (
            _DOCUMENTS + "144_a_word_that_nobody_knows_is_kept_and_told",
            "formats.test_pages::test_unknown_words_are_kept_and_told",
        ),
    ),
    Row(
        145,
        "a new field; a required field missing",
        "N; Q",
        (_DOCUMENTS + "145_a_new_field_changes_nothing_and_a_missing_one_keeps_the_row_out",),
    ),
    Row(
        146,
        "value and formatted text of an amount disagree",
        "Q",
        (_DOCUMENTS + "146_an_amount_that_is_shown_as_another_keeps_the_row_out",),
    ),
    Row(
        147,
        "the live pockets move while they are read",
        "N: stamped with start and end, and live values are not used",
        (
            _DOCUMENTS
            + "147_pockets_that_move_while_they_are_read_are_stamped_with_its_start_and_end_and_lose_nothing",
            "formats.test_pages::test_pockets_are_read_without_their_valuation",
        ),
    ),
    Row(
        148,
        "more or fewer reports than forms asked for",
        "Q",
        (_DOCUMENTS + "148_a_request_with_more_or_fewer_reports_than_asked_for_is_refused",),
    ),
    Row(
        149,
        "the scope reports.write is missing",
        "A, the scope is named; the other streams go on",
        (
            _SIGN_IN + "149_without_the_scope_of_orders_nothing_is_ordered_and_everything_else_is_read",
            _SYNC + "without_the_scope_of_orders_the_other_streams_go_on",
        ),
    ),
)


def missing_tests() -> Iterator[str]:
    """Tests that a row names and that are not there."""
    for row in ROWS:
        for test in row.tests:
            module, _, function = test.partition("::")
            if not callable(getattr(import_module(f"{ROOM}.{module}"), function, None)):
                yield f"row {row.number}: {test}"


def page() -> str:
    """The page in docs/."""
    lines = [
        "# Faults on the way to the bank",
        "",
        "What may go wrong between us and the bank, what comes of it, and the tests that show it. Made by",
        "`python -m jiko_pipeline_tests.bank.faults.matrix`; a test fails when it is not up to date.",
        "",
        *[f"- **{letter}**: {meaning}" for letter, meaning in OUTCOMES.items()],
        "",
        "Always: no row is lost or doubled, and what was published before stays whole.",
        "",
        "| # | Fault | Outcome | Shown by |",
        "|---|---|---|---|",
    ]
    for row in ROWS:
        tests = "<br>".join(f"`{test.replace('::', ' ')}`" for test in row.tests)
        lines.append(f"| {row.number} | {row.fault} | {row.outcome} | {tests} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

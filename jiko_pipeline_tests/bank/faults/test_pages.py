"""Rows 44 to 56, 139 and 140 of the fault matrix: listings that move, turn in circles or do not end."""

from datetime import date

import pytest

from jiko_pipeline.bank import listings
from jiko_pipeline.bank.contract import JIKO
from jiko_pipeline.bank.errors import ContractBrokenError, UnavailableError
from jiko_pipeline.errors import ExitCode
from jiko_pipeline.formats.pages import read_transactions
from jiko_pipeline_tests.bank import chaos_rig
from jiko_pipeline_tests.bank.chaos_client import DisturbedBank
from jiko_pipeline_tests.bank.chaos_rig import rule

TRANSACTIONS = listings.transactions(date(2024, 7, 9), date(2024, 7, 12))
LIST = {"path": "/api/v2/transactions/"}
PAGE = 3


@pytest.mark.fault_rows(44, 45)
@pytest.mark.parametrize("change", ["insert", "remove", "shift", "repeat", "change"])
@pytest.mark.parametrize("page_limit", [PAGE, 1])
def test_a_list_that_moves_while_it_is_read_loses_no_lasting_row(
    disturbed: DisturbedBank, change: str, page_limit: int
) -> None:
    undisturbed = disturbed.ids(TRANSACTIONS)
    disturbed.disturb(rule("drift", change=change, times=1, match=LIST))
    assert sorted(disturbed.ids(TRANSACTIONS, page_limit=page_limit)) == sorted(undisturbed)
    assert "drift" in disturbed.faults()


@pytest.mark.fault_rows(44, 45)
@pytest.mark.parametrize("readings", [10, pytest.param(1_000, marks=pytest.mark.soak)])
def test_a_list_that_moves_at_random_is_read_without_loss_or_left_for_later(
    disturbed: DisturbedBank, readings: int
) -> None:
    undisturbed = disturbed.ids(TRANSACTIONS)
    read = moved = 0
    for number in range(readings):
        chaos_rig.reset(disturbed.bank, seed=number)
        changes = ("insert", "shift", "repeat", "change")
        disturbed.disturb(*[rule("drift", change=change, match={**LIST, "p": 0.1}) for change in changes])
        try:
            found = disturbed.ids(TRANSACTIONS, page_limit=1 + number % 5)
        except UnavailableError:
            continue
        finally:
            moved += bool(disturbed.faults())
        read += 1
        assert sorted(found) == sorted(undisturbed)
    assert read > readings // 2
    assert moved > readings // 2


@pytest.mark.fault_rows(45)
def test_a_list_that_never_comes_to_rest_is_left_for_a_later_run(disturbed: DisturbedBank) -> None:
    disturbed.disturb(rule("drift", change="shift", times=1, match=LIST))
    with pytest.raises(UnavailableError, match="moves too fast") as caught:
        disturbed.rows(TRANSACTIONS, page_limit=PAGE, contract=JIKO.model_copy(update={"listing_rereads": 1}))
    assert caught.value.exit_code is ExitCode.TRY_LATER


@pytest.mark.fault_rows(46)
def test_a_row_that_changes_while_it_is_read_is_kept_in_its_newer_form_and_told(disturbed: DisturbedBank) -> None:
    undisturbed = len(disturbed.ids(TRANSACTIONS))
    disturbed.disturb(rule("drift", change="change", times=1, match=LIST))
    with disturbed.connection(page_limit=PAGE) as bank:
        bodies = [page.body for page in bank.pages(TRANSACTIONS)]
    reading = read_transactions(bodies)
    assert reading.frames["api_transaction"].height == undisturbed
    assert [finding.code for finding in reading.findings] == ["RESTATED_WHILE_READING"]


@pytest.mark.fault_rows(47, 48)
@pytest.mark.parametrize(
    ("fault", "args", "pages"),
    [("repeat_token", {}, 2), ("token_cycle", {"length": 2}, 4), ("token_cycle", {"length": 3}, 5)],
)
def test_tokens_that_come_back_are_refused_at_once(
    disturbed: DisturbedBank, fault: str, args: dict[str, object], pages: int
) -> None:
    disturbed.disturb(rule(fault, match=LIST, **args))
    before = disturbed.calls("list_transactions")
    with pytest.raises(ContractBrokenError, match="circle") as caught:
        disturbed.ids(TRANSACTIONS, page_limit=PAGE)
    assert caught.value.exit_code is ExitCode.NOT_PROVED
    assert disturbed.calls("list_transactions") - before <= pages


@pytest.mark.fault_rows(49)
def test_fresh_tokens_without_an_end_stop_at_the_cap(disturbed: DisturbedBank) -> None:
    disturbed.disturb(rule("endless_tokens", match=LIST))
    with pytest.raises(ContractBrokenError, match="did not end after 20 pages") as caught:
        disturbed.rows(TRANSACTIONS, contract=JIKO.model_copy(update={"page_cap": 20}))
    assert caught.value.exit_code is ExitCode.NOT_PROVED


@pytest.mark.fault_rows(50, 51, 52, 53, 139, 140)
@pytest.mark.parametrize(
    ("fault", "args"),
    [
        ("empty_page", {}),
        ("trailing_empty_page", {"times": 1}),
        ("page_size", {"limit": 100}),
        ("page_size", {"limit": 1}),
        ("page_size", {"limit": 30}),
        ("unsorted", {}),
        ("unsorted", {"across": True}),
        ("cursor_form", {"form": "empty"}),
        ("cursor_form", {"form": "blank"}),
        ("cursor_form", {"form": "null"}),
        ("cursor_form", {"form": "absent"}),
    ],
)
def test_pages_of_any_size_order_and_end_give_the_same_rows(
    disturbed: DisturbedBank, fault: str, args: dict[str, object]
) -> None:
    undisturbed = disturbed.ids(TRANSACTIONS)
    disturbed.disturb(rule(fault, match=LIST, **args))
    assert sorted(disturbed.ids(TRANSACTIONS, page_limit=PAGE)) == sorted(undisturbed)
    assert fault in disturbed.faults()


@pytest.mark.fault_rows(54)
def test_an_expired_token_begins_the_listing_again(disturbed: DisturbedBank) -> None:
    undisturbed = disturbed.ids(TRANSACTIONS)
    disturbed.disturb(rule("cursor_expired", times=1, match={**LIST, "nth": 3}))
    assert disturbed.ids(TRANSACTIONS, page_limit=PAGE) == undisturbed
    assert disturbed.faults() == ["cursor_expired"]


@pytest.mark.fault_rows(55, 139)
@pytest.mark.parametrize(("fault", "args"), [("next_absolute", {}), ("cursor_form", {"form": "url"})])
def test_an_address_in_place_of_a_token_is_not_followed(
    disturbed: DisturbedBank, fault: str, args: dict[str, object]
) -> None:
    disturbed.disturb(rule(fault, match=LIST, **args))
    with pytest.raises(ContractBrokenError, match="it is not followed") as caught:
        disturbed.ids(TRANSACTIONS, page_limit=PAGE)
    assert caught.value.exit_code is ExitCode.NOT_PROVED
    assert disturbed.reached_evil() == []


@pytest.mark.fault_rows(56)
def test_a_count_that_stays_another_than_the_rows_refuses_the_listing(disturbed: DisturbedBank) -> None:
    undisturbed = disturbed.ids(TRANSACTIONS)
    disturbed.disturb(rule("total_count", by=1, times=1, match=LIST))
    assert disturbed.ids(TRANSACTIONS) == undisturbed
    disturbed.disturb(rule("total_count", by=1, match=LIST))
    with pytest.raises(ContractBrokenError, match="states") as caught:
        disturbed.ids(TRANSACTIONS)
    assert caught.value.exit_code is ExitCode.NOT_PROVED

"""`jiko sync` over days that it has done already: nothing changes, whatever is asked for again."""

import pytest

from jiko_pipeline_tests.operation.command_line import DataDirectory
from jiko_pipeline_tests.operation.conftest import FIRST, LAST, Make, UndisturbedRun


def outcomes(directory: DataDirectory) -> dict[str, int]:
    """raw.delivery by outcome."""
    return dict(directory.rows("select outcome, count(*) from raw.delivery group by outcome"))


def documents(directory: DataDirectory, kind: str = "%_STATEMENT") -> int:
    """Documents of the manifest, by kind."""
    return int(directory.rows("select count(*) from raw.document where document_kind like ? escape '!'", [kind])[0][0])


@pytest.mark.fault_rows(98)
def test_a_second_sync_of_the_same_days_and_one_that_asks_for_everything_again_make_no_version(
    undisturbed: UndisturbedRun, copy_of_undisturbed: DataDirectory
) -> None:
    directory = copy_of_undisturbed
    hashes, ordered = undisturbed.hashes, undisturbed.orders
    first, statements = outcomes(directory), documents(directory)
    assert first["NEW_VERSION"] > 0
    assert statements == 8

    assert directory.sync(FIRST, LAST).exit_code == 0
    assert outcomes(directory)["NEW_VERSION"] == first["NEW_VERSION"]
    assert documents(directory) == statements
    assert directory.orders() == ordered
    assert directory.hashes() == hashes

    assert directory.sync(FIRST, LAST, "--confirm").exit_code == 0
    assert directory.orders() == 2 * ordered
    assert documents(directory) == 2 * statements
    assert outcomes(directory)["NEW_VERSION"] == first["NEW_VERSION"]
    assert outcomes(directory)["UNCHANGED"] > first.get("UNCHANGED", 0)
    assert directory.hashes() == hashes


@pytest.mark.fault_rows(117)
def test_two_syncs_at_once_in_one_data_directory_are_one_sync_and_a_refusal_that_names_it(new_directory: Make) -> None:
    directory = new_directory()
    running = directory.start("sync", "--from", FIRST, "--to", LAST)
    assert running.stderr is not None
    # The first line of progress is written after the lock was taken.
    assert "ordering" in running.stderr.readline()

    refused = directory.run("sync", "--from", FIRST, "--to", LAST)

    assert refused.exit_code == 60
    (said, means, remedy) = refused.err.strip().splitlines()
    assert f"process {running.pid}, since 20" in said
    assert means == "Nothing of today's figures has changed by this command."
    assert remedy.startswith("Wait until it has ended")
    out, err = running.communicate()
    assert running.returncode == 0, err
    assert "READY" in out


def test_a_document_in_quarantine_is_told_by_every_sync_of_its_day_until_it_is_replaced(new_directory: Make) -> None:
    directory = new_directory(JIKO_SIMULATOR_FAULT="corrupt-statement")
    # The simulated bank cuts off the first statement that has an entry.
    first = directory.sync("2024-06-12", "2024-06-12")
    second = directory.sync("2024-06-12", "2024-06-12")
    assert (first.exit_code, second.exit_code) == (30, 30)
    assert directory.rows("select count(*) from raw.document where outcome = 'QUARANTINED'") == [(1,)]


def test_a_request_that_waits_for_its_approval_is_listed_again_for_a_month(undisturbed: UndisturbedRun) -> None:
    reached = (
        "select distinct document_kind from raw.document"
        " where first_date <= cast(? as date) - 31 and last_date > first_date"
    )
    assert undisturbed.directory.rows(reached, [FIRST]) == [("TRANSFER_REQUESTS",)]

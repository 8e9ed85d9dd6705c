"""What a sync does at the bank: it reads, orders reports and asks for links to them, and nothing else."""

from jiko_pipeline.bank.contract import JIKO
from jiko_pipeline.bank.operations import OPERATIONS
from jiko_pipeline_tests.operation.command_line import DataDirectory
from jiko_pipeline_tests.operation.conftest import Make
from jiko_pipeline_tests.reading.operations_page import simulator_names


def calls_at_the_bank(directory: DataDirectory) -> dict[str, int]:
    """How often each of our operations was called, as the simulated bank counted."""
    counted: dict[str, int] = directory.ask_simulator("GET", "counters")["calls"]
    ours = {simulated: own for own, simulated in simulator_names().items()}
    return {ours[name]: calls for name, calls in counted.items() if name in ours}


def test_a_sync_of_two_days_makes_no_write_but_orders_of_reports_and_links_to_them(new_directory: Make) -> None:
    directory = new_directory()
    assert directory.sync("2024-07-01", "2024-07-02").exit_code == 0
    calls = calls_at_the_bank(directory)
    changing = {name for name in calls if OPERATIONS[name].method != "GET"}
    assert changing == {"reports.order", "reports.link"}
    assert {"pockets.list", "transactions.list", "trades.list"} <= set(calls)


def test_the_pipelines_sign_in_asks_for_no_right_to_write_but_that_of_ordering_reports() -> None:
    assert [scope for scope in JIKO.scopes if not scope.endswith(".read")] == ["profile", "reports.write"]
    needed = {operation.scope for operation in OPERATIONS.values() if operation.reads}
    assert needed <= set(JIKO.scopes), "everything that can be read may be read"

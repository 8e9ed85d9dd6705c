"""The list of where each operation lands: complete, and of tables that there are."""

import re

from jiko_pipeline.bank.operations import OPERATIONS
from jiko_pipeline.pipeline.landed import LANDED
from jiko_pipeline.warehouse.tables import TABLES

VIEWS = {"core.transfer_trail"}


def test_every_operation_lands_somewhere_or_says_why_not() -> None:
    assert LANDED.keys() == OPERATIONS.keys()


def test_every_table_that_is_named_exists() -> None:
    named = {table for where in LANDED.values() for table in re.findall(r"\b(?:core|staging|raw)\.[a-z_]+", where)}
    assert named - VIEWS <= TABLES.keys()


def test_what_changes_something_lands_nowhere_and_what_reads_says_a_table() -> None:
    for name, operation in OPERATIONS.items():
        lands = not LANDED[name].startswith("Nothing")
        if not operation.reads:
            assert not lands or name == "reports.order", name
        elif operation.method == "GET" and "of its own" not in LANDED[name]:
            assert lands, name

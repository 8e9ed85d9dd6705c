"""docs/operations.md is what the code says, and no operation of the described API is missing on any side."""

import inspect
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
from pydantic import BaseModel

import jiko_pipeline.bank.client.models as models
from jiko_pipeline.bank.contract import JIKO
from jiko_pipeline.bank.operations import OPERATIONS
from jiko_pipeline.pipeline.landed import LANDED
from jiko_pipeline.simulator.server.app import ALL_OPERATIONS
from jiko_pipeline_tests.reading.operations_page import PAGE, client_methods, described, description, shape, text

SAME_THING = {"Amount": "Money", "GenericTransactionActivity": "TransactionActivity"}
"""Objects of the description that we call otherwise."""
NO_MODELS = {"ValidationErrorItem", "HTTPValidationError", "ProblemError", "GenericError", "TradingStrategies"}
"""Refusals, which are errors, and pages, which are walked."""


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == text(), (
        "write it anew: python -m jiko_pipeline_tests.reading.operations_page"
    )


def test_the_description_the_table_and_the_simulator_have_the_same_operations() -> None:
    ours = {shape(operation.method, operation.path) for operation in OPERATIONS.values()}
    simulated = [shape(operation.method, operation.path) for operation in ALL_OPERATIONS]
    assert len(OPERATIONS) == 56
    assert ours == described()
    assert sorted(simulated) == sorted(ours)


def test_every_operation_has_a_method_of_the_client_and_a_place_where_it_lands() -> None:
    assert set(client_methods()) == set(OPERATIONS)
    assert set(LANDED) == set(OPERATIONS)


def test_scopes_and_limits_are_those_of_the_description() -> None:
    for operation in OPERATIONS.values():
        declared = next(
            item[method.lower()]
            for path, item in description()["paths"].items()
            for method in [operation.method]
            if shape(method, path) == shape(method, operation.path) and method.lower() in item
        )
        assert declared["x-scope-guess"] == operation.scope, operation.name
        assert operation.group is not None
        if "x-rate-limit-per-minute" in declared:
            assert declared["x-rate-limit-per-minute"] == JIKO.limits_per_minute[operation.group], operation.name


def test_what_is_not_a_read_is_never_repeated_and_every_write_scope_is_of_a_write() -> None:
    for operation in OPERATIONS.values():
        assert operation.repeatable == operation.reads, operation.name
        if (operation.scope or "").endswith(".write"):
            assert not operation.reads, operation.name


def all_models() -> dict[str, type[BaseModel]]:
    modules = [import_module(f"{models.__name__}.{module.name}") for module in iter_modules(models.__path__)]
    return {
        name: found
        for module in modules
        for name, found in vars(module).items()
        if inspect.isclass(found) and issubclass(found, BaseModel)
    }


def described_objects() -> dict[str, dict[str, Any]]:
    return {
        name: schema
        for name, schema in description()["components"]["schemas"].items()
        if "properties" in schema and name not in NO_MODELS and "prev_page" not in schema["properties"]
    }


@pytest.mark.parametrize("name", described_objects())
def test_a_described_object_has_a_model_with_its_fields(name: str) -> None:
    schema = described_objects()[name]
    model = all_models()[SAME_THING.get(name, name)]
    fields = {field.alias or own: field for own, field in model.model_fields.items()}
    assert set(fields) == set(schema["properties"])
    required = {own for own, field in fields.items() if field.is_required()}
    # What a request always says has a default here: its type, the id that is made for it, an empty list.
    assert required <= set(schema.get("required", [])) | {"report_type"}
    assert set(schema.get("required", [])) - required <= {"type", "id", "reviewers"}

"""`jiko probe`: the planted changes of the contract are reported, each once, and nothing else; in names only."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, Tag

from jiko_pipeline.bank.client.models.base import Day, DecimalText, Instant, Known, Model, Money, Whole, kind_of
from jiko_pipeline.bank.connection import connect
from jiko_pipeline.bank.operations import OPERATIONS
from jiko_pipeline.errors import ExitCode
from jiko_pipeline.formats.delimited.contracts import TRADE_REPORT_KYRIBA_CSV, TRADES_CSV
from jiko_pipeline.pipeline.probe.differences import Difference, Kind, differences
from jiko_pipeline.pipeline.probe.headers import header_differences
from jiko_pipeline.pipeline.probe.targets import TARGETS
from jiko_pipeline.pipeline.probe.walk import ProbeReport, probe
from jiko_pipeline.settings import Settings, load_settings
from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.serve import ServeOptions, ServeRefusedError
from jiko_pipeline.simulator.server.contract_changes import CHANGES
from jiko_pipeline_tests.bank.simulator_rig import ServedBank, served
from jiko_pipeline_tests.reading.jiko_runs import Directory

NOW = datetime(2024, 7, 10, 15, tzinfo=UTC)

NOTICED = {
    "unknown-field": ("pockets.list", "items[].nickname", "unknown field", "not in the contract"),
    "missing-field": ("transactions.list", "items[].title", "missing field", "required by the contract"),
    "new-word": ("trades.list", "items[].activity", "new word", "EXCHANGE"),
    "renamed-status": ("pockets.get", "status", "new word", "ACTIVE"),
    "other-csv-header": ("trades.export", "header", "header", "without cusip, with security_cusip"),
    "added-csv-column": ("transactions.export", "header", "header", "with channel"),
    "other-status": ("statements.list", "the whole", "status", "203 in place of 200"),
    "other-type": ("pockets.earnings", "earnings.value", "type", "string in place of number"),
    "no-object-type": ("trades.list_v1", "object_type", "missing field", "required by the contract"),
    "moved": ("portals.list", "the whole", "redirect", "308 where 200 is due"),
    "nested-field": ("pockets.list", "items[].portfolio.securities[].coupon", "unknown field", "not in the contract"),
    "null-where-none-was": (
        "trading_strategies.list", "items[].description", "null", "null where the contract has a value",
    ),
    "new-report-status": ("reports.list_requests", "items[].status", "new word", "QUEUED"),
    "new-report-type": ("reports.get", "report_type", "new word", "LADDER_REPORT"),
    "confirmation-elsewhere": (
        "trades.confirmation", "Location", "redirect", "a link that is not allowed (JIKO_DOWNLOAD_HOSTS)",
    ),
}  # fmt: skip
"""What the probe has to say of each planted change; written from what the change is, not from what the probe said."""
TEN = (
    "unknown-field", "missing-field", "new-word", "renamed-status", "other-csv-header",
    "added-csv-column", "other-status", "other-type", "no-object-type", "moved",
)  # fmt: skip


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedBank]:
    """A bank in which there is something of everything: a report, a transfer request, a webhook."""
    state = tmp_path_factory.mktemp("probe") / "bank"
    options = ServeOptions(state_dir=state, config=WorldConfig(pockets=2), now=NOW)
    with served(options) as bank:
        first, second = (item["id"] for item in bank.get("/api/v2/pockets/")["items"])
        ordered = bank.order("BANK_STATEMENT_REPORT", "CAMT053", date="2024-07-05", pocket_ids=[first])
        bank.finished(ordered.json()["id"])
        transfer = {
            "id": str(uuid.uuid4()),
            "type": "ON_US",
            "origin_pocket_id": first,
            "amount": {"type": "REQUESTED_AMOUNT", "amount_usdc": 1000},
            "details": {
                "type": "INTERNAL_REALLOCATION",
                "destination_pocket_id": second,
                "transfer_type": "BANK_TRANSFER",
            },
        }
        asked = bank.http.post("/api/v1/transfer-requests/", json={"transfer": transfer, "reviewers": []})
        assert asked.is_success, asked.text
        webhook = {"events": ["transfers.wire.in.success"], "url": "http://127.0.0.1:9/", "shared_secret": "s" * 32}
        registered = bank.http.post("/api/v1/subscriptions/", json=webhook)
        assert registered.is_success, registered.text
        yield bank


@pytest.fixture
def settings(bank: ServedBank, tmp_path: Path) -> Settings:
    """Settings of the bank's own client."""
    return load_settings(
        **{name.removeprefix("JIKO_").lower(): value for name, value in variables(bank).items()},
        data_dir=tmp_path / "data",
    )


@pytest.fixture
def changed(bank: ServedBank) -> Iterator[Callable[..., None]]:
    """Plants changes of the contract; they are gone after the test."""
    yield lambda *names: bank.control("POST", "contract-changes", names=list(names)) and None
    bank.control("POST", "contract-changes", names=[])


def variables(bank: ServedBank) -> dict[str, str]:
    told = bank.announcement
    return {
        "JIKO_API_URL": told["api_url"],
        "JIKO_AUTH_URL": told["auth_url"],
        "JIKO_DOWNLOAD_HOSTS": told["storage_host"],
        "JIKO_CLIENT_ID": told["client_id"],
        "JIKO_PRIVATE_KEY_FILE": told["private_key_file"],
        "JIKO_KEY_ID": told["key_id"],
    }


def probed(settings: Settings) -> ProbeReport:
    with connect(settings) as bank:
        return probe(bank)


def said(report: ProbeReport) -> list[tuple[str, str, str, str]]:
    return [(found.operation, found.place, found.kind.value, found.what) for found in report.differences]


def test_a_bank_that_keeps_the_contract_differs_in_nothing(settings: Settings) -> None:
    report = probed(settings)
    assert said(report) == []
    assert set(report.answers) == {name for name, operation in OPERATIONS.items() if operation.reads} - {
        *report.not_asked
    }
    assert report.not_asked == {}


def test_ten_planted_changes_are_reported_and_nothing_else(settings: Settings, changed: Callable[..., None]) -> None:
    changed(*TEN)
    assert sorted(said(probed(settings))) == sorted(NOTICED[name] for name in TEN)


def test_all_changes_at_once_are_told_apart(settings: Settings, changed: Callable[..., None]) -> None:
    changed(*CHANGES)
    assert sorted(said(probed(settings))) == sorted(NOTICED.values())
    assert len({kind for _, _, kind, _ in NOTICED.values()}) == 8


@pytest.mark.parametrize("name", [name for name in CHANGES if name not in TEN])
def test_each_change_is_reported_alone(name: str, settings: Settings, changed: Callable[..., None]) -> None:
    changed(name)
    assert said(probed(settings)) == [NOTICED[name]]


def test_a_probe_orders_nothing_changes_nothing_and_fetches_no_file(bank: ServedBank, settings: Settings) -> None:
    before = bank.control("GET", "counters")["calls"]
    report = probed(settings)
    after = bank.control("GET", "counters")["calls"]
    sent = {name for name, number in after.items() if number > before.get(name, 0)}
    assert "download_file" not in sent
    assert not {name for name in sent if name.startswith(("create", "update", "delete", "cancel", "upload", "invite"))}
    assert after.get("create_report_request") == before.get("create_report_request")
    assert report.answers["reports.link"] == 1


def test_every_operation_that_reads_is_asked() -> None:
    assert [target.operation for target in TARGETS] == list(dict.fromkeys(target.operation for target in TARGETS))
    assert {target.operation for target in TARGETS} == {name for name, one in OPERATIONS.items() if one.reads}


def test_the_command_says_operation_place_and_what(
    bank: ServedBank, tmp_path: Path, changed: Callable[..., None]
) -> None:
    directory = Directory(tmp_path / "data", tmp_path, variables(bank))
    changed("new-word", "moved")
    answer = directory.jiko("probe")
    assert answer.code == ExitCode.NOT_PROVED
    assert answer.rows == [
        ["operation", "place", "what"],
        ["portals.list", "the whole", "redirect: 308 where 200 is due"],
        ["trades.list", "items[].activity", "new word: EXCHANGE"],
    ]
    changed()
    fine = directory.jiko("probe", "--json")
    assert fine.code == ExitCode.OK
    assert fine.json["differences"] == []
    assert fine.json["exit_code"] == 0


def test_a_bank_that_does_not_answer_is_tried_again_later(bank: ServedBank, tmp_path: Path) -> None:
    gone = {"JIKO_AUTH_URL": "http://localhost:9", "JIKO_REQUEST_DEADLINE_SECONDS": "0.2"}
    answer = Directory(tmp_path / "data", tmp_path, {**variables(bank), **gone}).jiko("probe")
    assert answer.code == ExitCode.TRY_LATER


def test_changes_can_be_planted_from_the_start_and_only_known_ones(tmp_path: Path) -> None:
    with served(ServeOptions(tmp_path / "bank", WorldConfig(pockets=1), now=NOW, contract_changes=("moved",))) as bank:
        assert bank.http.get("/api/v1/portals/").headers["location"] == "/api/v2/portals/"
    refused = pytest.raises(ServeRefusedError, match="no contract change nothing; there are: unknown-field")
    with refused, served(ServeOptions(tmp_path / "other", contract_changes=("nothing",))):
        pass


class Colour(StrEnum):
    RED = "RED"


class Cat(Model):
    kind: Literal["CAT"]
    lives: Whole


class Other(Model):
    kind: str


Animal = Annotated[
    Annotated[Cat, Tag("CAT")] | Annotated[Other, Tag("other")],
    kind_of("kind", "CAT"),
]


class Dog(BaseModel):
    kind: Literal["DOG"]


class Bird(BaseModel):
    kind: Literal["BIRD"]


class Thing(Model):
    name: str
    size: Whole
    share: DecimalText
    made: Instant
    day: Day
    price: Money
    colour: Colour = Colour.RED
    word: Annotated[str, Known(("A", "B"))] = "A"
    maybe_word: Annotated[str, Known(("A", "B"))] | None = None
    tags: tuple[str, ...] = ()
    animals: tuple[Animal, ...] = ()
    pet: Annotated[Dog | Bird, Field(discriminator="kind")] | None = None
    either: int | list[int] | None = None
    details: dict[str, Any] | None = None


WHOLE: dict[str, Any] = {
    "name": "n",
    "size": 1,
    "share": "0.5",
    "made": "2024-07-05T12:00:00Z",
    "day": "2024-07-05",
    "price": {"value": 150, "currency": "USD", "formatted": "$1.50"},
}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"colour": "RED", "word": "B", "maybe_word": None, "tags": ["x"], "details": {"any": [1, None]}},
        {"animals": [{"kind": "CAT", "lives": 9}]},
        {"pet": {"kind": "BIRD"}, "either": [1, 2]},
        {"either": 3, "share": Decimal("0.25")},
    ],
)
def test_what_the_contract_allows_is_no_difference(more: dict[str, Any]) -> None:
    assert differences(Thing, {**WHOLE, **more}) == []


@pytest.mark.parametrize(
    ("more", "place", "kind", "what"),
    [
        ({"extra": 4711}, "extra", Kind.UNKNOWN_FIELD, "not in the contract"),
        ({"of 4711 $": 1}, "?", Kind.UNKNOWN_FIELD, "not in the contract"),
        ({"size": "4711"}, "size", Kind.TYPE, "string in place of number"),
        ({"size": True}, "size", Kind.TYPE, "boolean in place of number"),
        ({"size": None}, "size", Kind.NULL, "null where the contract has a value"),
        ({"name": ["4711"]}, "name", Kind.TYPE, "array in place of string"),
        ({"made": "4711"}, "made", Kind.FORM, "a string of another form"),
        ({"made": "2024-07-05T12:00:00"}, "made", Kind.FORM, "a string of another form"),
        ({"day": 4711}, "day", Kind.TYPE, "number in place of string"),
        ({"price": "4711"}, "price", Kind.TYPE, "string in place of object"),
        ({"price": {"value": 1, "currency": "EUR", "x": 1}}, "price.x", Kind.UNKNOWN_FIELD, "not in the contract"),
        ({"price": {"value": 1}}, "price.currency", Kind.MISSING_FIELD, "required by the contract"),
        (
            {"price": {"value": 4711, "currency": "USD", "formatted": "$1.50"}},
            "price", Kind.FORM, "is refused by the contract's model",
        ),
        ({"colour": "BLUE"}, "colour", Kind.NEW_WORD, "BLUE"),
        ({"word": "C"}, "word", Kind.NEW_WORD, "C"),
        ({"maybe_word": "a sentence with 4711"}, "maybe_word", Kind.NEW_WORD, "?"),
        ({"word": 4711}, "word", Kind.TYPE, "number in place of string"),
        ({"tags": "4711"}, "tags", Kind.TYPE, "string in place of array"),
        ({"tags": ["x", None]}, "tags[]", Kind.NULL, "null where the contract has a value"),
        ({"animals": [{"kind": "CAT"}]}, "animals[].lives", Kind.MISSING_FIELD, "required by the contract"),
        ({"animals": [{"kind": "EEL"}]}, "animals[].kind", Kind.NEW_WORD, "EEL"),
        ({"pet": {"kind": "EEL"}}, "pet.kind", Kind.NEW_WORD, "EEL"),
        ({"pet": 4711}, "pet", Kind.TYPE, "number in place of object"),
        ({"either": "4711"}, "either", Kind.TYPE, "string in place of number"),
        ({"details": 4711}, "details", Kind.TYPE, "number in place of object"),
    ],
)  # fmt: skip
def test_a_difference_is_named_with_its_place_and_without_its_value(
    more: dict[str, Any], place: str, kind: Kind, what: str
) -> None:
    assert differences(Thing, {**WHOLE, **more}) == [Difference(place, kind, what)]
    assert "4711" not in f"{place}{what}"


@pytest.mark.parametrize("document", [None, [], "text", 4711])
def test_a_document_that_is_no_object_is_one_difference(document: object) -> None:
    (found,) = differences(Thing, document)
    assert found.kind in (Kind.TYPE, Kind.NULL)


def test_the_same_difference_of_many_items_is_told_once() -> None:
    found = differences(tuple[Thing, ...], [{**WHOLE, "extra": n} for n in range(3)])
    assert found == [Difference("[].extra", Kind.UNKNOWN_FIELD, "not in the contract")]


def test_the_names_of_another_bank_are_no_difference() -> None:
    document = {("nom" if name == "name" else name): value for name, value in WHOLE.items()}
    assert differences(Thing, document, names={"Thing.name": "nom"}) == []
    (found, missing) = differences(Thing, document)
    assert (found.place, missing.place) == ("nom", "name")


def test_a_header_is_compared_without_regard_to_order() -> None:
    names = list(TRADES_CSV.header)
    assert header_differences(TRADES_CSV, ",".join(reversed(names)).encode() + b"\r\n1,2\r\n") == []
    assert header_differences(TRADE_REPORT_KYRIBA_CSV, ";".join(TRADE_REPORT_KYRIBA_CSV.header).encode()) == []
    (found,) = header_differences(TRADES_CSV, ",".join([*names[1:], "extra", names[1]]).encode())
    assert found.what == f"without {names[0]}, with extra, with {names[1]} again"


def test_a_file_without_a_header_shows_none_of_its_values() -> None:
    (found,) = header_differences(TRADES_CSV, b'"4711 USD",Mr. Smith\n')
    assert "4711" not in found.what
    assert "Smith" not in found.what

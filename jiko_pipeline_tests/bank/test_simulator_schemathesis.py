"""The description of the API against the served simulator, by schemathesis.

Every operation is called with generated requests, right and wrong ones, and along the links of the description.
Each answer must have a status, a content type and a shape that the description has, and none may be a server error.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from joserfc.jwk import OKPKey
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline.simulator.server.app import ALL_OPERATIONS
from jiko_pipeline_tests.bank.simulator_rig import ServedBank, served

DESCRIPTION = Path(__file__).parents[2] / "docs" / "jiko-customer-api.yaml"
SCHEMA = schemathesis.openapi.from_path(
    DESCRIPTION,
    config=schemathesis.Config.from_dict({"phases": {"stateful": {"inference": {"algorithms": []}}}}),
)
OPERATIONS = {result.ok().label: result.ok() for result in SCHEMA.get_all_operations()}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
FEW, MANY = 12, 250
FEW_SCENARIOS, MANY_SCENARIOS = 30, 600
DECISION = "PATCH /api/v1/transfer-requests/{transfer_id}/status/"
REPORT_REQUEST = "GET /api/v1/report-requests/{report_request_id}/"
Json = dict[str, Any]


def _settings(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )


@dataclass
class Caller:
    """Sends cases to a served bank as its own client and judges the answers."""

    bank: ServedBank
    session: requests.Session = field(default_factory=requests.Session)
    calls: int = 0

    def __post_init__(self) -> None:
        # A proxy of the environment is not asked for a loopback address.
        self.session.trust_env = False

    def send(self, case: Case, headers: dict[str, str] | None = None) -> Any:
        """The answer, judged."""
        self.calls += 1
        if self.calls % 1_000 == 0:
            self.bank.sign_in()
        answer = case.call(
            base_url=self.bank.announcement["api_url"],
            session=self.session,
            headers=headers or {"Authorization": self.bank.http.headers["Authorization"]},
            allow_redirects=False,
        )
        case.validate_response(answer, checks=CHECKS)
        return answer


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    options = ServeOptions(state_dir=tmp_path_factory.mktemp("described"), now=datetime(2024, 8, 20, 15, tzinfo=UTC))
    with served(options) as bank:
        yield Caller(bank)


@pytest.fixture(scope="module")
def known(caller: Caller) -> dict[str, list[Json]]:
    """Path parameters that lead somewhere, by operation path: real ids of everything the bank has."""
    return {path: found(caller.bank) for path, found in _PATHS.items()}


def _wire(bank: ServedBank) -> Json:
    """A transfer that may be asked for."""
    pocket = bank.get("/api/v2/pockets/", **{"filter[status]": "OPEN"})["items"][0]["id"]
    party = bank.get("/api/v2/counterparties/", type="wire", status="LINKED")["items"][0]["id"]
    return {
        "transfer": {
            "id": str(uuid.uuid4()),
            "type": "WIRE",
            "origin_pocket_id": pocket,
            "counterparty_id": party,
            "amount": {"type": "REQUESTED_AMOUNT", "amount_usdc": 12_345},
        },
        "reviewers": [],
    }


def _subscription(_: ServedBank) -> Json:
    return {
        "events": ["transfers.wire.in.success"],
        # Nobody listens there: deliveries fail, which the listing of events shows.
        "url": "http://127.0.0.1:9/hook",
        "shared_secret": "a secret of enough characters",
    }


def _person(_: ServedBank) -> Json:
    return {
        "first_name": "Ada",
        "last_name": "Quill",
        "email": f"{uuid.uuid4().hex}@example.com",
        "phone_number": "+12025550188",
        "role": "VIEWER",
    }


def _service_user(_: ServedBank) -> Json:
    return {"name": "Export"}


def _party(_: ServedBank) -> Json:
    return {
        "type": "ach",
        "name_on_account": "Quill Paper",
        "account_number": uuid.uuid4().hex[:20],
        "routing_number": "123456780",
        "verification": {"type": "plaid"},
    }


def _report(_: ServedBank) -> Json:
    return {
        "report_type": "TRADE_REPORT",
        "output_formats": ["CSV"],
        "date_from": "2024-08-01",
        "date_to": "2024-08-09",
    }


def _pocket(_: ServedBank) -> Json:
    return {"pocket_name": f"Spare {uuid.uuid4().hex[:8]}", "trading_strategy_id": "UST-4W"}


CREATED: dict[str, Callable[[ServedBank], Json]] = {
    "POST /api/v2/pockets/": _pocket,
    "POST /api/v2/counterparties/": _party,
    "POST /api/v1/transfer-requests/": _wire,
    "POST /api/v1/subscriptions/": _subscription,
    "POST /api/v1/report-requests/": _report,
    "POST /api/v1/team/invite/": _person,
    "POST /api/v1/team/service-users/": _service_user,
}
"""A body that the bank takes, for each operation that makes something."""

CHANGED: dict[str, Callable[[ServedBank], Json]] = {
    "PATCH /api/v2/pockets/{pocket_id}/": lambda _: {"pocket_name": f"Renamed {uuid.uuid4().hex[:8]}"},
    "PATCH /api/v2/counterparties/{counterparty_id}/": lambda _: {"status": "UNLINKED"},
    DECISION: lambda _: {"status": "DENIED"},
    "PATCH /api/v1/subscriptions/{subscription_id}/": lambda _: {"status": "disabled"},
    "PATCH /api/v1/notifications/{notification_id}/": lambda _: {"status": "READ"},
    "PUT /api/v1/team/{member_id}/": lambda _: {"role": "ANALYST"},
}
"""A body that the bank takes, for each operation that changes something."""


def _made(bank: ServedBank, label: str) -> str:
    method, path = label.split()
    answer = bank.http.request(method, path, json=CREATED[label](bank))
    assert answer.status_code in (200, 201), f"{label}: {answer.text}"
    return str(answer.json()["id"])


def _pockets(bank: ServedBank) -> list[Json]:
    return [{"pocket_id": one["id"]} for one in bank.get("/api/v2/pockets/")["items"]]


def _listed(path: str, name: str) -> Callable[[ServedBank], list[Json]]:
    return lambda bank: [{name: one["id"]} for one in bank.get(path, limit=5)["items"]]


def _one(label: str, name: str) -> Callable[[ServedBank], list[Json]]:
    return lambda bank: [{name: _made(bank, label)}]


def _members(bank: ServedBank) -> list[Json]:
    """Service users of the run's own, then people: who may change the team is not deactivated by chance."""
    return [{"member_id": _made(bank, "POST /api/v1/team/service-users/")} for _ in range(3)]


def _invited(bank: ServedBank) -> list[Json]:
    return [{"member_id": _made(bank, "POST /api/v1/team/invite/")} for _ in range(3)]


def _reports(bank: ServedBank) -> list[Json]:
    request = bank.finished(_made(bank, "POST /api/v1/report-requests/"))
    return [{"report_id": report["id"]} for report in request["reports"]]


def _confirmations(bank: ServedBank) -> list[Json]:
    trades = bank.get("/api/v1/trades/", limit=20)["items"]
    return [
        {"account_id": one["jiko_account_id"], "trade_id": one["id"]} for one in trades if one["activity"] != "MATURITY"
    ]


_PATHS: dict[str, Callable[[ServedBank], list[Json]]] = {
    "/api/v2/pockets/{pocket_id}/": _pockets,
    "/api/v2/pockets/{pocket_id}/earnings/": _pockets,
    "/api/v1/accounts/{account_id}/portals/": lambda bank: [{"account_id": one["pocket_id"]} for one in _pockets(bank)],
    "/api/v1/accounts/{account_id}/trades/{trade_id}/confirmation/": _confirmations,
    "/api/v2/counterparties/{counterparty_id}/": _one("POST /api/v2/counterparties/", "counterparty_id"),
    "/api/v1/transfer-requests/{transfer_id}/": _one("POST /api/v1/transfer-requests/", "transfer_id"),
    "/api/v1/transfer-requests/{transfer_id}/status/": _one("POST /api/v1/transfer-requests/", "transfer_id"),
    "/api/v1/subscriptions/{subscription_id}/": _one("POST /api/v1/subscriptions/", "subscription_id"),
    "/api/v1/notifications/{notification_id}/": _listed("/api/v1/notifications/", "notification_id"),
    "/api/v1/report-requests/{report_request_id}/": _one("POST /api/v1/report-requests/", "report_request_id"),
    "/api/v1/reports/{report_id}/": _reports,
    "/api/v1/reports/{report_id}/download/": _reports,
    "/api/v1/team/{member_id}/": _members,
    "/api/v1/team/{member_id}/invite/": _invited,
    "/api/v1/team/members/{member_id}/audit-logs/": _members,
    "/api/v1/documents/{document_type}/": lambda _: [{"document_type": "OTHER"}],
}
"""How path parameters that lead somewhere are found."""


def test_the_simulator_serves_the_operations_of_the_description_and_no_other() -> None:
    assert len(OPERATIONS) == 56
    assert sorted(OPERATIONS) == sorted(f"{operation.method} {operation.path}" for operation in ALL_OPERATIONS)


def test_every_path_that_needs_an_id_has_one_that_leads_somewhere(known: dict[str, list[Json]]) -> None:
    assert set(known) == {operation.path for operation in OPERATIONS.values() if "{" in operation.path}
    assert [path for path, found in known.items() if not found] == []


def _generated(caller: Caller, known: dict[str, list[Json]], label: str, examples: int) -> None:
    operation = OPERATIONS[label]
    leading = known.get(operation.path, [])
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]

    @_settings(examples)
    @given(data=st.data())
    def run(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(data.draw(st.sampled_from(modes))))
        if leading and data.draw(st.booleans()):
            case.path_parameters = dict(data.draw(st.sampled_from(leading)))
        caller.send(case)

    run()


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_generated_requests_are_answered_as_described(caller: Caller, known: dict[str, list[Json]], label: str) -> None:
    _generated(caller, known, label, FEW)


@pytest.mark.soak
@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_many_generated_requests_are_answered_as_described(
    caller: Caller, known: dict[str, list[Json]], label: str
) -> None:
    _generated(caller, known, label, MANY)


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_a_right_request_of_each_operation_succeeds_and_a_stranger_is_refused(caller: Caller, label: str) -> None:
    operation, bank = OPERATIONS[label], caller.bank
    found = _PATHS.get(operation.path)
    parameters = {} if found is None else found(bank)[0]
    assert _send(caller, label, parameters).status_code < 400
    stranger = caller.send(operation.Case(path_parameters=parameters), {"Authorization": "Bearer nobody"})
    assert stranger.status_code == 401
    counted = next(one.name for one in ALL_OPERATIONS if f"{one.method} {one.path}" == label)
    assert bank.control("GET", "counters")["calls"][counted] >= 2


REPORTING = {"POST /api/v1/report-requests/", "POST /api/v1/reports/{report_id}/download/"}
"""What changes nothing that the customer has."""


@pytest.mark.parametrize(
    "label", sorted(label for label in OPERATIONS if not label.startswith("GET") and label not in REPORTING)
)
def test_a_change_of_each_kind_is_entered_in_the_audit_log(caller: Caller, label: str) -> None:
    found = _PATHS.get(OPERATIONS[label].path)
    parameters = {} if found is None else found(caller.bank)[0]

    def entries() -> set[str]:
        listed = caller.bank.walk("/api/v1/team/audit-logs/", timestamp_from="2024-08-20T15:00:00Z")
        return {entry["id"] for entry in listed if entry["ip_address"] is None}

    before = entries()
    assert _send(caller, label, parameters).status_code < 400
    assert len(entries() - before) == 1


def _send(caller: Caller, label: str, path_parameters: Json) -> Any:
    """The answer to a right request; of a report request, the answer that shows its reports."""
    operation, bank = OPERATIONS[label], caller.bank
    content: Json = {}
    if label in CREATED | CHANGED:
        content = {"body": (CREATED | CHANGED)[label](bank), "media_type": "application/json"}
    elif label == "POST /api/v1/documents/{document_type}/":
        content = {"body": b"a deed", "media_type": "application/octet-stream"}
    case = operation.Case(path_parameters=path_parameters, **content)
    answer = caller.send(case, _headers(caller, label))
    if label == REPORT_REQUEST and answer.status_code == 200:
        bank.finished(path_parameters["report_request_id"])
        return caller.send(case)
    return answer


def _headers(caller: Caller, label: str) -> dict[str, str] | None:
    """Who asked for a transfer does not decide it; None stands for the bank's own client."""
    return {"Authorization": f"Bearer {_approver_token(caller.bank)}"} if label == DECISION else None


def _approver_token(bank: ServedBank) -> str:
    client_id = bank.announcement["approver_client_id"]
    key = OKPKey.import_key(Path(bank.announcement["approver_private_key_file"]).read_bytes())
    answer: httpx.Response = bank.ask_token(bank.assertion(key=key, iss=client_id, sub=client_id), client_id=client_id)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def _links() -> dict[tuple[str, str], Json]:
    """The parameters of every link of the description, by (maker, follower)."""
    labels = {operation.definition.raw["operationId"]: label for label, operation in OPERATIONS.items()}
    return {
        (label, labels[link["operationId"]]): link["parameters"]
        for label, operation in OPERATIONS.items()
        for answer in operation.definition.raw["responses"].values()
        for link in answer.get("links", {}).values()
    }


def _taken(answer: Json, expression: str) -> Any:
    """The value of a runtime expression `$response.body#/a/0/b`."""
    value: Any = answer
    for part in expression.removeprefix("$response.body#/").split("/"):
        value = value[int(part) if isinstance(value, list) else part]
    return value


@pytest.mark.parametrize(("maker", "follower"), sorted(_links()))
def test_a_link_leads_from_what_was_made_to_a_success(caller: Caller, maker: str, follower: str) -> None:
    found = _PATHS.get(OPERATIONS[maker].path)
    made = _send(caller, maker, {} if found is None else found(caller.bank)[0])
    parameters = {name: _taken(made.json(), value) for name, value in _links()[maker, follower].items()}
    assert _send(caller, follower, parameters).status_code < 400


@pytest.mark.parametrize(
    ("maker", "reader", "changer", "ender", "after"),
    [
        (
            "POST /api/v1/subscriptions/",
            "GET /api/v1/subscriptions/{subscription_id}/",
            "PATCH /api/v1/subscriptions/{subscription_id}/",
            "DELETE /api/v1/subscriptions/{subscription_id}/",
            404,
        ),
        (
            "POST /api/v1/team/invite/",
            "GET /api/v1/team/{member_id}/",
            "PUT /api/v1/team/{member_id}/",
            "DELETE /api/v1/team/{member_id}/invite/",
            404,
        ),
        (
            "POST /api/v1/team/service-users/",
            "GET /api/v1/team/{member_id}/",
            "PUT /api/v1/team/{member_id}/",
            "DELETE /api/v1/team/{member_id}/",
            200,
        ),
    ],
)
def test_what_was_made_is_read_changed_and_ended(
    caller: Caller, maker: str, reader: str, changer: str, ender: str, after: int
) -> None:
    made = _send(caller, maker, {}).json()

    def follow(follower: str) -> Any:
        parameters = {name: _taken(made, value) for name, value in _links()[maker, follower].items()}
        return _send(caller, follower, parameters)

    assert follow(reader).json()["id"] == made["id"]
    assert follow(changer).status_code in (200, 202)
    assert follow(ender).status_code in (200, 202, 204)
    assert follow(reader).status_code == after


def _walk_links(caller: Caller, scenarios: int) -> set[tuple[str, str]]:
    """Walk the links of the description by chance; (maker, follower) of each link that led to a success."""
    followed: set[tuple[str, str]] = set()
    machine = SCHEMA.as_state_machine()

    class Walk(machine):  # type: ignore[misc, valid-type]
        """Makes what the bank takes, so that there is something to follow a link to."""

        def before_call(self, case: Case) -> None:
            body = (CREATED | CHANGED).get(case.operation.label)
            if body is not None:
                case.body = body(caller.bank)

        def step(self, input: Any) -> Any:
            output = super().step(input)
            if input.transition is not None and output.response.status_code < 400:
                maker = input.transition.id.split(" -> ")[0]
                followed.add((maker, input.case.operation.label))
            return output

        def call(self, case: Case, **_: Any) -> Any:
            answer = caller.send(case, _headers(caller, case.operation.label))
            if case.operation.label == REPORT_REQUEST and answer.status_code == 200:
                caller.bank.finished(case.path_parameters["report_request_id"])
                answer = caller.send(case)
            return answer

        def validate_response(self, *_: Any, **__: Any) -> None:
            """Done by `send`."""

    Walk.run(settings=settings(_settings(scenarios), stateful_step_count=8))
    return followed


def test_a_walk_along_the_links_meets_nothing_undescribed(caller: Caller) -> None:
    followed = _walk_links(caller, FEW_SCENARIOS)
    assert followed
    assert followed <= set(_links())


@pytest.mark.soak
def test_a_long_walk_along_the_links_follows_every_one(caller: Caller) -> None:
    assert _walk_links(caller, MANY_SCENARIOS) == set(_links())

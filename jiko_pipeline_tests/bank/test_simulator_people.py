"""The people of the simulated bank: the team and its rules, the audit log, the customer, uploads, agreements."""

import csv
import hashlib
import io
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import OKPKey

from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline_tests.bank.simulator_rig import ServedBank, again, served

NOBODY = str(uuid.UUID(int=4))
NEWCOMER = {
    "first_name": "Nina",
    "last_name": "Okafor",
    "email": "nina.okafor@example.com",
    "phone_number": "+12025550177",
    "role": "ANALYST",
}


def _options(state_dir: Path) -> ServeOptions:
    return ServeOptions(state_dir=state_dir, now=datetime(2024, 8, 20, 15, tzinfo=UTC))


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[ServedBank]:
    with served(_options(tmp_path)) as one:
        yield one


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedBank]:
    """A bank for tests that change nothing."""
    with served(_options(tmp_path_factory.mktemp("people"))) as one:
        yield one


def _approver(bank: ServedBank) -> httpx.Client:
    """A client that signs in as the second person."""
    client_id = bank.announcement["approver_client_id"]
    key = OKPKey.import_key(Path(bank.announcement["approver_private_key_file"]).read_bytes())
    answer = bank.ask_token(bank.assertion(key=key, iss=client_id, sub=client_id), client_id=client_id)
    assert answer.status_code == 200, answer.text
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    return httpx.Client(base_url=bank.announcement["api_url"], headers=headers, trust_env=False)


def _members(bank: ServedBank, status: str) -> list[dict[str, Any]]:
    groups = {group["status"]: group["members"] for group in bank.get("/api/v1/team/")["members"]}
    return list(groups.get(status, []))


def _with_role(bank: ServedBank, role: str) -> dict[str, Any]:
    return next(one for one in _members(bank, "ACTIVE") if one["role"] == role)


def _invited(bank: ServedBank, **changes: str) -> dict[str, Any]:
    answer = bank.http.post("/api/v1/team/invite/", json={**NEWCOMER, **changes})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _actions(bank: ServedBank, **query: str) -> list[tuple[str, dict[str, Any]]]:
    found = bank.walk("/api/v1/team/audit-logs/", timestamp_from="2024-08-20T15:00:00Z", **query)
    return [(entry["action"], entry["details"]) for entry in found]


def _rule(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert set(body) == {"type", "instance", "detail", "trace_id"}, body
    return answer.status_code, body["type"]


def _field(answer: httpx.Response) -> tuple[list[str | int], str]:
    assert answer.status_code == 422, answer.text
    (fault,) = answer.json()["detail"]
    return fault["loc"], fault["type"]


def test_the_user_is_the_service_user_of_the_client_and_belongs_to_one_team(unchanged: ServedBank) -> None:
    user = unchanged.get("/api/v1/user/")
    member = unchanged.get(f"/api/v1/team/{user['user_id']}/")
    assert (member["email"], member["role"]) == (user["email"], "TREASURER")
    (membership,) = unchanged.get("/api/v1/user/memberships/")["items"]
    assert membership["team_id"] == unchanged.get("/api/v1/team/")["id"]
    assert membership["team_name"] == unchanged.get("/api/v1/customer/")["name"]


def test_the_team_is_grouped_by_status(unchanged: ServedBank) -> None:
    assert [group["status"] for group in unchanged.get("/api/v1/team/")["members"]] == ["ACTIVE", "PENDING", "INACTIVE"]
    roles = [member["role"] for member in _members(unchanged, "ACTIVE")]
    assert roles == ["OWNER", "TREASURER", "CONTROLLER", "ANALYST", "APPROVER", "TREASURER", "APPROVER"]


def test_an_unknown_member_is_not_found_and_a_word_is_no_member(unchanged: ServedBank) -> None:
    assert unchanged.http.get(f"/api/v1/team/{NOBODY}/").status_code == 404
    assert unchanged.http.get(f"/api/v1/team/members/{NOBODY}/audit-logs/").status_code == 404
    assert _field(unchanged.http.get("/api/v1/team/nobody/")) == (["path", "member_id"], "uuid_parsing")


def test_two_banks_of_one_seed_have_the_same_people_and_past(unchanged: ServedBank, bank: ServedBank) -> None:
    for path in ("/api/v1/customer/", "/api/v1/customer/beneficial-owners/", "/api/v1/team/"):
        assert bank.get(path) == unchanged.get(path)
    export = "/api/v1/team/audit-logs.csv"
    assert bank.http.get(export).content == unchanged.http.get(export).content


def test_an_invitation_is_made_sent_again_and_withdrawn(bank: ServedBank) -> None:
    invited = _invited(bank)
    assert invited["status"] == "PENDING"
    path = f"/api/v1/team/{invited['id']}/"
    assert bank.get(path) == invited
    assert bank.http.post(f"{path}invite/").status_code == 200
    assert bank.http.delete(f"{path}invite/").status_code == 200
    assert bank.http.get(path).status_code == 404
    assert [action for action, _ in _actions(bank)] == [
        "INVITATION_WITHDRAWN",
        "INVITATION_SENT_AGAIN",
        "TEAM_MEMBER_INVITED",
    ]
    assert all(details["member_id"] == invited["id"] for _, details in _actions(bank))


def test_an_address_is_invited_once(bank: ServedBank) -> None:
    _invited(bank)
    again_invited = bank.http.post("/api/v1/team/invite/", json={**NEWCOMER, "email": NEWCOMER["email"].upper()})
    assert _rule(again_invited) == (409, "email-taken")
    assert len(_actions(bank)) == 1


@pytest.mark.parametrize(
    ("change", "place", "kind"),
    [
        ({"first_name": None}, ["body", "first_name"], "string_type"),
        ({"last_name": ""}, ["body", "last_name"], "string_too_short"),
        ({"email": "nobody"}, ["body", "email"], "value_error"),
        ({"phone_number": "call me"}, ["body", "phone_number"], "value_error"),
        ({"role": "OWNER"}, ["body", "role"], "enum"),
        ({"role": 7}, ["body", "role"], "enum"),
    ],
)
def test_a_bad_invitation_is_refused_by_the_field(
    unchanged: ServedBank, change: dict[str, Any], place: list[str], kind: str
) -> None:
    assert _field(unchanged.http.post("/api/v1/team/invite/", json={**NEWCOMER, **change})) == (place, kind)


@pytest.mark.parametrize(
    ("content", "media_type", "place", "kind"),
    [
        (b"", "application/json", ["body"], "missing"),
        (b"{", "application/json", ["body", 1], "json_invalid"),
        (b"\xff", "application/json", ["body", 0], "json_invalid"),
        (b'{"role": NaN}', "application/json", ["body", 0], "json_invalid"),
        (b'{"role": "\\ud800"}', "application/json", ["body", 0], "json_invalid"),
        (b"[" * 60_000, "application/json", ["body", 0], "json_invalid"),
        (b"[]", "application/json", ["body"], "model_attributes_type"),
        (b"{}", "text/plain", ["body"], "model_attributes_type"),
        (b"{}", "application/json", ["body", "first_name"], "missing"),
    ],
)
def test_a_body_that_is_no_object_of_json_is_refused(
    unchanged: ServedBank, content: bytes, media_type: str, place: list[str | int], kind: str
) -> None:
    answer = unchanged.http.post("/api/v1/team/invite/", content=content, headers={"Content-Type": media_type})
    assert _field(answer) == (place, kind)


def test_a_member_gets_another_role_leaves_and_comes_back(bank: ServedBank) -> None:
    analyst = _with_role(bank, "ANALYST")
    path = f"/api/v1/team/{analyst['id']}/"
    assert bank.http.put(path, json={"role": "CONTROLLER"}).json()["role"] == "CONTROLLER"
    assert bank.http.delete(path).json()["status"] == "INACTIVE"
    assert _rule(bank.http.delete(path)) == (409, "already-inactive")
    assert bank.http.put(path, json={"status": "ACTIVE", "role": None}).json()["status"] == "ACTIVE"
    assert [details for _, details in _actions(bank)] == [
        {"member_id": analyst["id"], "status_before": "INACTIVE", "status": "ACTIVE"},
        {"member_id": analyst["id"], "role": "CONTROLLER"},
        {"member_id": analyst["id"], "role_before": "ANALYST", "role": "CONTROLLER"},
    ]


def test_an_edit_that_changes_nothing_leaves_no_trace(bank: ServedBank) -> None:
    analyst = _with_role(bank, "ANALYST")
    assert bank.http.put(f"/api/v1/team/{analyst['id']}/", json={"role": "ANALYST"}).json() == analyst
    assert _actions(bank) == []


def test_a_member_who_left_signs_in_no_more(bank: ServedBank) -> None:
    treasurer = _members(bank, "ACTIVE")[1]
    assert bank.http.delete(f"/api/v1/team/{treasurer['id']}/").status_code == 200
    bank.move_clock(to="2024-10-01T15:00:00Z")
    bank.sign_in()
    path = f"/api/v1/team/members/{treasurer['id']}/audit-logs/"
    entries = bank.walk(path)
    assert entries[0]["timestamp"] < "2024-08-20T15"
    others = bank.walk("/api/v1/team/audit-logs/", timestamp_from="2024-08-21T00:00:00Z")
    assert others
    assert treasurer["id"] not in {entry["member_id"] for entry in others}


def test_nobody_changes_itself(unchanged: ServedBank) -> None:
    own = f"/api/v1/team/{unchanged.get('/api/v1/user/')['user_id']}/"
    assert _rule(unchanged.http.put(own, json={"role": "VIEWER"})) == (409, "own-membership")
    assert _rule(unchanged.http.delete(own)) == (409, "own-membership")


def test_the_owner_stays_and_an_invitation_is_not_edited(unchanged: ServedBank) -> None:
    owner = f"/api/v1/team/{_with_role(unchanged, 'OWNER')['id']}/"
    assert _rule(unchanged.http.delete(owner)) == (422, "owner-stays")
    assert _rule(unchanged.http.put(owner, json={"role": "VIEWER"})) == (422, "owner-stays")
    pending = f"/api/v1/team/{_members(unchanged, 'PENDING')[0]['id']}/"
    assert _rule(unchanged.http.put(pending, json={"status": "ACTIVE"})) == (422, "invitation-open")
    assert _rule(unchanged.http.delete(pending)) == (422, "invitation-open")
    active = f"/api/v1/team/{_with_role(unchanged, 'ANALYST')['id']}/"
    assert _rule(unchanged.http.post(f"{active}invite/")) == (422, "no-open-invitation")
    assert _rule(unchanged.http.delete(f"{active}invite/")) == (422, "no-open-invitation")
    assert _field(unchanged.http.put(active, json={"status": "GONE"})) == (["body", "status"], "enum")


def test_an_approver_reads_the_team_and_may_not_change_it(unchanged: ServedBank) -> None:
    with _approver(unchanged) as approver:
        assert approver.get("/api/v1/user/").json()["role"] == "APPROVER"
        assert approver.get("/api/v1/team/").status_code == 200
        assert approver.post("/api/v1/team/invite/", json=NEWCOMER).status_code == 403
        analyst = _with_role(unchanged, "ANALYST")["id"]
        assert approver.delete(f"/api/v1/team/{analyst}/").status_code == 403


def test_a_deactivated_client_loses_its_token_and_may_not_sign_in(bank: ServedBank) -> None:
    with _approver(bank) as approver:
        own = approver.get("/api/v1/user/").json()["user_id"]
        assert bank.http.delete(f"/api/v1/team/{own}/").status_code == 200
        assert approver.get("/api/v1/user/").status_code == 401
    client_id = bank.announcement["approver_client_id"]
    key = OKPKey.import_key(Path(bank.announcement["approver_private_key_file"]).read_bytes())
    refused = bank.ask_token(bank.assertion(key=key, iss=client_id, sub=client_id), client_id=client_id)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert bank.http.put(f"/api/v1/team/{own}/", json={"status": "ACTIVE"}).status_code == 200
    with _approver(bank) as approver:
        assert approver.get("/api/v1/user/").status_code == 200


def test_a_token_of_reading_scope_changes_nobody(bank: ServedBank) -> None:
    bank.sign_in(scope="team.read profile")
    assert bank.http.get("/api/v1/team/").status_code == 200
    assert bank.http.post("/api/v1/team/invite/", json=NEWCOMER).status_code == 403
    assert bank.http.get("/api/v1/customer/").status_code == 403


def test_a_service_user_gets_a_client_id_and_leaves(bank: ServedBank) -> None:
    made = bank.http.post("/api/v1/team/service-users/", json={"name": "Nightly export"})
    assert made.status_code == 201
    user = made.json()
    assert (user["name"], user["role"]) == ("Nightly export", "SERVICE")
    assert user["client_id"]
    assert bank.get(f"/api/v1/team/{user['id']}/")["status"] == "ACTIVE"
    assert bank.http.delete(f"/api/v1/team/{user['id']}/").json()["status"] == "INACTIVE"
    assert [action for action, _ in _actions(bank)] == ["TEAM_MEMBER_DEACTIVATED", "SERVICE_USER_CREATED"]
    assert _field(bank.http.post("/api/v1/team/service-users/", json={})) == (["body", "name"], "missing")


def test_changes_of_the_team_and_their_log_survive_a_restart(tmp_path: Path) -> None:
    options = _options(tmp_path)
    with served(options) as bank:
        invited = _invited(bank)
        analyst = _with_role(bank, "ANALYST")
        bank.http.put(f"/api/v1/team/{analyst['id']}/", json={"role": "CONTROLLER"})
        team, log = bank.get("/api/v1/team/"), _actions(bank)
    with served(again(options, now=None)) as bank:
        assert bank.get("/api/v1/team/") == team
        assert _actions(bank) == log
        second = _invited(bank, email="second@example.com")
        assert second["id"] != invited["id"]


def test_the_log_is_newest_first_and_pages_agree_with_one_walk(unchanged: ServedBank) -> None:
    whole = unchanged.walk("/api/v1/team/audit-logs/", limit=100)
    assert whole == unchanged.walk("/api/v1/team/audit-logs/", limit=17)
    times = [entry["timestamp"] for entry in whole]
    assert times == sorted(times, reverse=True)
    assert len({entry["id"] for entry in whole}) == len(whole)
    assert {entry["action"] for entry in whole} == {
        "MEMBER_SIGNED_IN",
        "TEAM_MEMBER_INVITED",
        "INVITATION_ACCEPTED",
        "TEAM_MEMBER_DEACTIVATED",
        "TRANSFER_REQUEST_CREATED",
        "TRANSFER_REQUEST_APPROVED",
    }


def test_a_time_range_of_the_log_includes_both_ends(unchanged: ServedBank) -> None:
    newest, older = unchanged.get("/api/v1/team/audit-logs/", limit=2)["items"]
    found = unchanged.walk(
        "/api/v1/team/audit-logs/", timestamp_from=older["timestamp"], timestamp_to=newest["timestamp"]
    )
    assert found == [newest, older]
    wrong = unchanged.http.get("/api/v1/team/audit-logs/", params={"timestamp_from": "yesterday"})
    assert _field(wrong) == (["query", "timestamp_from"], "datetime_parsing")


def test_the_export_of_the_log_agrees_with_the_listing(bank: ServedBank) -> None:
    _invited(bank)
    query = {"timestamp_from": "2024-07-30T00:00:00Z"}
    answer = bank.http.get("/api/v1/team/audit-logs.csv", params=query)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = [
        {
            **row,
            "member_id": row["member_id"] or None,
            "ip_address": row["ip_address"] or None,
            "details": json.loads(row["details"]),
        }
        for row in csv.DictReader(io.StringIO(answer.text))
    ]
    assert rows[::-1] == bank.walk("/api/v1/team/audit-logs/", **query)
    owner = _with_role(bank, "OWNER")["id"]
    own = bank.http.get("/api/v1/team/audit-logs.csv", params={"member_id": owner})
    assert {row["member_id"] for row in csv.DictReader(io.StringIO(own.text))} == {owner}
    assert _field(bank.http.get("/api/v1/team/audit-logs.csv?member_id=x")) == (["query", "member_id"], "uuid_parsing")


def test_the_customer_is_a_business_with_owners(unchanged: ServedBank) -> None:
    customer = unchanged.get("/api/v1/customer/")
    assert (customer["type"], customer["account_status"]) == ("BUSINESS", "OPEN")
    owners = unchanged.get("/api/v1/customer/beneficial-owners/")
    assert owners["count"] == len(owners["items"]) == 3
    assert sum(float(owner["ownership_percentage"]) for owner in owners["items"]) <= 100


def test_an_uploaded_document_is_logged_with_its_hash_and_media_type(bank: ServedBank) -> None:
    content = b"%PDF-1.4 a deed"
    answer = bank.http.post(
        "/api/v1/documents/ARTICLES_OF_INCORPORATION/", content=content, headers={"Content-Type": "application/pdf"}
    )
    assert answer.json()["success"] is True
    assert _actions(bank) == [
        (
            "DOCUMENT_UPLOADED",
            {
                "document_id": answer.json()["document_id"],
                "document_type": "ARTICLES_OF_INCORPORATION",
                "content_type": "application/pdf",
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            },
        )
    ]


def test_a_document_of_more_than_50_megabytes_is_refused(bank: ServedBank) -> None:
    largest = b"\0" * 50_000_000
    assert bank.http.post("/api/v1/documents/OTHER/", content=largest).status_code == 200
    refused = bank.http.post("/api/v1/documents/OTHER/", content=largest + b"\0")
    assert (refused.status_code, list(refused.json())) == (413, ["detail"])
    assert len(_actions(bank)) == 1


def test_an_empty_document_and_a_type_that_is_no_word_are_refused(unchanged: ServedBank) -> None:
    assert _field(unchanged.http.post("/api/v1/documents/OTHER/")) == (["body"], "missing")
    refused = unchanged.http.post("/api/v1/documents/not a word/", content=b"x")
    assert _field(refused) == (["path", "document_type"], "string_pattern_mismatch")


def test_agreements_are_delivered_by_the_storage_origin_until_their_link_expires(bank: ServedBank) -> None:
    documents = bank.get("/api/v1/agreements/")["documents"]
    assert {document["category"] for document in documents} == {"BANK", "BROKERAGE", "GENERAL", "E-SIGN"}
    for document in documents:
        file = bank.plain.get(document["pdf_download_url"])
        assert (file.status_code, file.headers["Content-Type"]) == (200, "application/pdf")
        assert document["title"].encode() in file.content
    bank.move_clock(seconds=601)
    assert bank.plain.get(documents[0]["pdf_download_url"]).status_code == 403

"""A bank with the facts of a simulated one that follows the description of the API otherwise wherever it may.

Belongs here: its clothes (names, words, order of keys, pages, cursors, paths), its own sign-in, its own book of
report requests, its own links to files. Does not belong here: the facts, which it asks of a served simulator;
assertions.

How it differs is said twice, in two forms that know nothing of each other: here, as what the bank does, and in
`CONTRACT`, as a user would tell it to the pipeline.
"""

import json
import re
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from jiko_pipeline_tests.bank.second_bank import (
    CLIENT_ID,
    KEY_ID,
    Reply,
    SecondBank,
    Seen,
    StillClock,
    http_date,
    write_key,
)
from jiko_pipeline_tests.bank.second_bank import serving as serving_on_two_ports
from jiko_pipeline_tests.bank.simulator_rig import Json, ServedBank

CONTRACT: Final = """\
cursor = "page_token"
next_page = "following"
items = "data"
transactions_from = "booked_since"
transaction_time = "booked_at"
report_type = "kind"
report_day = "as_of"
report_status = "state"
link_url = "href"
status_open = ["QUEUED", "WORKING"]
status_completed = ["READY"]
status_failed = ["BROKEN"]

[paths]
"portals.list" = "/api/v2/portals/"
"reports.order" = "/api/v3/report-jobs/"
"reports.list_requests" = "/api/v3/report-jobs/"
"reports.get_request" = "/api/v3/report-jobs/{report_request_id}/"

[names]
"TransactionActivity.type" = "sort"
"Pocket.status" = "condition"
"TransferRequest.created_at" = "asked_at"
"CustomerNotification.type" = "about"
"""
"""The file that tells the pipeline how this bank differs."""

UNKNOWN_FIELD: Final = "zz_of_no_description"
"""Stands in every object of every answer that the description gives fields to."""
_FREE_FORM: Final = frozenset({"details", "payload", "notification_metadata", "parameters"})
"""Objects without fields of their own: what stands in them is a fact, and the same in every form of it."""
UNKNOWN_WORDS: Final = {
    "LARGE_WIRE_RECEIVED": "MONEY_IN_BULK",
    "LARGE_WIRE_SENT": "MONEY_OUT_BULK",
    "MONTHLY_STATEMENTS_READY": "PAPER_IS_OUT",
    "transfers.on-us.processing": "transfers.within.underway",
    "ANALYST": "READER",
    "unverified": "not looked at",
}
"""Words of the simulated bank that this one replaces by words of no list; none of them carries money."""

_PAGE: Final = 7
_JOBS: Final = "/api/v3/report-jobs/"
_PATHS: Final = {"/api/v2/portals/": "/api/v1/portals/"}
_RENAMED: Final[Mapping[str, Mapping[str, str]]] = {
    "/api/v2/transactions/": {"type": "sort", "time_booked": "booked_at"},
    "/api/v2/pockets/": {"status": "condition"},
    "/api/v1/transfer-requests/": {"created_at": "asked_at"},
    "/api/v1/notifications/": {"type": "about"},
}
"""Fields of the items of a listing that have another name here."""
_PARAMETERS: Final = {"booked_since": "time_booked_from"}
_STATES: Final = {"PENDING": "QUEUED", "IN_PROGRESS": "WORKING", "COMPLETED": "READY", "FAILED": "BROKEN"}
_BREAKS_EVERY: Final = 9
"""Of so many report jobs one breaks; the same job ordered again does not."""


class DifferentBank(SecondBank):
    """The bank in front of a served simulator whose facts it tells."""

    def __init__(self, facts: ServedBank) -> None:
        super().__init__(StillClock())
        self._facts = facts
        self._cursors: dict[str, tuple[str, str]] = {}
        self._jobs: dict[str, Json] = {}
        self._reports: dict[str, str] = {}
        self._broken: set[str] = set()
        self._ends = 0
        self._book = threading.RLock()
        self.pages_served = 0
        self.ends_of_listings: set[str] = set()

    def server_now(self) -> datetime:
        return datetime.now(UTC)

    def answer(self, seen: Seen) -> Reply:
        with self._book:
            self.seen.append(seen)
            reply = self._reply(seen)
        reply.headers.setdefault("Date", http_date(self.server_now()))
        return reply

    def _reply(self, seen: Seen) -> Reply:
        if seen.path == "/api/oauth2/token":
            return self.sign_in(seen)
        if seen.path.startswith("/__simulator__/"):
            return self._passed_on(seen, seen.path)
        if seen.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return Reply(401, {"detail": "who are you?"})
        if seen.path.startswith(_JOBS):
            return self._jobs_desk(seen)
        made = re.fullmatch(r"/api/v1/reports/([^/]+)/download/", seen.path)
        if made and seen.method == "POST":
            return self._link(made[1])
        return self._passed_on(seen, _PATHS.get(seen.path, seen.path))

    def _passed_on(self, seen: Seen, path: str) -> Reply:
        """A fact, asked of the simulator by its own names and told by ours."""
        if seen.method != "GET":
            return Reply(405, {"detail": "this bank takes no orders but for reports"})
        query = [(_PARAMETERS.get(name, name), value) for name, values in seen.query.items() for value in values]
        query = [(name, value) for name, value in query if name not in ("limit", "page_token")]
        token = seen.query.get("page_token", [""])[0]
        if token and token not in self._cursors:
            return Reply(422, {"detail": [{"loc": ["query", "page_token"], "msg": "not ours", "type": "value_error"}]})
        if token:
            query.append(("cursor", self._cursors[token][1]))
        limit = [] if "offset" in seen.query else [("limit", str(_PAGE))]
        if path.startswith("/__simulator__/") or path.endswith(".csv"):
            limit = []
        if "limit" in seen.query and "offset" in seen.query:
            limit = [("limit", seen.query["limit"][0])]
        found = self._facts.http.get(path, params=[*query, *limit])
        media_type = found.headers.get("content-type", "application/json")
        if found.status_code != 200 or "json" not in media_type or path.startswith("/__simulator__/"):
            return Reply(found.status_code, headers={"Content-Type": media_type}, body=found.content)
        document = json.loads(found.content, parse_float=_Number)
        if isinstance(document, dict) and "next_page" in document:
            document = self._page(document, path)
        elif isinstance(document, dict) and "offset" in document:
            document["data"] = document.pop("items")
        return Reply(200, body=_text(self._dressed(document, path)).encode())

    def _page(self, document: Json, path: str) -> Json:
        """A page under our names, with a token of ours; of two ends one is an empty token and one is none at all."""
        self.pages_served += 1
        following = document.pop("next_page")
        own = _RENAMED.get(path, {})
        page = {**document, "data": [_renamed(item, own) for item in document.pop("items")]}
        page.pop("items", None)
        if following is not None:
            token = f"t{len(self._cursors)}-{uuid.uuid4().hex}"
            self._cursors[token] = (path, following)
            return {**page, "following": token}
        self._ends += 1
        self.ends_of_listings.add("empty" if self._ends % 2 else "absent")
        return {**page, "following": ""} if self._ends % 2 else page

    def _dressed(self, value: Any, path: str) -> Any:
        if isinstance(value, dict):
            dressed = {name: item if name in _FREE_FORM else self._dressed(item, path) for name, item in value.items()}
            dressed[UNKNOWN_FIELD] = {"of": ["no", "meaning"], "weight": 1}
            return dict(reversed(dressed.items()))
        if isinstance(value, list):
            return [self._dressed(item, path) for item in value]
        return UNKNOWN_WORDS.get(value, value) if isinstance(value, str) else value

    def _jobs_desk(self, seen: Seen) -> Reply:
        if seen.method == "POST":
            return self._order_job(json.loads(seen.body))
        identifier = seen.path.removeprefix(_JOBS).rstrip("/")
        if identifier:
            job = self._jobs.get(identifier)
            return Reply(404, {"detail": "no such job"}) if job is None else Reply(200, self._looked_at(job))
        newest_first = list(self._jobs.values())[::-1]
        start = int(seen.query.get("page_token", ["0"])[0] or 0)
        items = [self._looked_at(job) for job in newest_first[start : start + _PAGE]]
        page: Json = {"data": items, UNKNOWN_FIELD: None}
        if start + _PAGE < len(newest_first):
            page["following"] = str(start + _PAGE)
        return Reply(200, page)

    def _order_job(self, body: Json) -> Reply:
        wanted = {{"kind": "report_type", "as_of": "date"}.get(name, name): value for name, value in body.items()}
        job: Json = {
            "ordered": wanted,
            "told": {
                "parameters": {name: value for name, value in body.items() if name not in ("kind", "output_formats")},
                "output_formats": body["output_formats"],
                "kind": body["kind"],
                "created_at": self.server_now().isoformat(),
                "reports": [],
                "state": "QUEUED",
                "id": str(uuid.uuid4()),
            },
        }
        content = json.dumps(wanted, sort_keys=True)
        if len(self._jobs) % _BREAKS_EVERY == 3 and content not in self._broken:
            self._broken.add(content)
            job["told"] |= {"state": "BROKEN", "error": "a drawer was stuck"}
        else:
            ordered = self._facts.order(wanted.pop("report_type"), *wanted.pop("output_formats"), **wanted)
            if ordered.status_code != 201:
                return Reply(ordered.status_code, ordered.json())
            job["behind"] = ordered.json()["id"]
        self._jobs[job["told"]["id"]] = job
        return Reply(202, self._dressed(job["told"], _JOBS))

    def _looked_at(self, job: Json) -> Json:
        told: Json = job["told"]
        if told["state"] not in ("READY", "BROKEN"):
            behind = self._facts.get(f"/api/v1/report-requests/{job['behind']}/")
            told["state"] = _STATES[behind["status"]]
            for report in behind["reports"]:
                own = f"file-{uuid.uuid4().hex}"
                self._reports[own] = report["id"]
                kept = {name: report.get(name) for name in ("output_format", "pocket_id", "created_at")}
                told["reports"].append({**kept, "id": own, "kind": told["kind"]})
        dressed: Json = self._dressed(told, _JOBS)
        return dressed

    def _link(self, report_id: str) -> Reply:
        if report_id not in self._reports:
            return Reply(404, {"detail": "no such report"})
        token = uuid.uuid4().hex
        self.files[token] = self._facts.download(self._reports[report_id]).content
        link = f"{self.storage}/files/{token}?sig={uuid.uuid4().hex}&expires=soon"
        return Reply(200, {UNKNOWN_FIELD: [], "href": link})

    def jobs_broken(self) -> int:
        """How many jobs broke, each to be ordered again."""
        return len(self._broken)


class _Number(str):
    """A number with a point as the simulator wrote it."""


def _text(value: Any) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} : {_text(item)}" for name, item in value.items()) + "}"
    return "[" + ", ".join(map(_text, value)) + "]" if isinstance(value, list) else json.dumps(value)


def _renamed(item: Json, own: Mapping[str, str]) -> Json:
    return {own.get(name, name): value for name, value in item.items()}


@contextmanager
def different_bank(facts: ServedBank, room: Path) -> Iterator[tuple[DifferentBank, dict[str, str]]]:
    """The bank, served, and the settings by which a client of it is told of (less the contract file)."""
    bank = DifferentBank(facts)
    key_file = room / "key-of-the-different-bank.pem"
    bank.public_key = write_key(key_file)
    with serving_on_two_ports(bank):
        yield (
            bank,
            {
                "JIKO_API_URL": bank.origin,
                "JIKO_DOWNLOAD_HOSTS": bank.storage.removeprefix("http://"),
                "JIKO_CLIENT_ID": CLIENT_ID,
                "JIKO_KEY_ID": KEY_ID,
                "JIKO_PRIVATE_KEY_FILE": str(key_file),
            },
        )

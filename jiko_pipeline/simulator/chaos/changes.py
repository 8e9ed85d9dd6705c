"""Faults of single answers: fields, headers, bytes, and answers that stand in for the bank's.

Belongs here: the application layer's faults that need no memory. Does not belong here: lists (`pages`), faults of
the bank's circumstances (`circumstances`).
"""

import json
from typing import Any

from jiko_pipeline.simulator.chaos.answer import Answer, objects_within, rows_of
from jiko_pipeline.simulator.chaos.switch import Firing

_LINK_FIELDS = ("url", "pdf_download_url", "download_url")


def in_place(firing: Firing, authorization: str, evil_origin: str, own_origin: str) -> Answer | None:
    """The answer of a sole fault; None when the request gives no occasion for it."""
    arguments, seen = firing.arguments, firing.seen
    match firing.fault:
        case "status":
            return _status(firing)
        case "html":
            page = (
                f"<!DOCTYPE html>\n<html><head><title>{arguments['title']}</title></head><body>Sign in</body></html>\n"
            )
            answer = Answer(200, [], b"")
            answer.set_header("content-type", "text/html; charset=utf-8")
            answer.set_body(page.encode())
            return answer
        case "json_error":
            return Answer.of_json(200, {"error": arguments["error"], "detail": "Something went wrong"})
        case "echo_input":
            given = {
                "authorization": authorization,
                "query": {name: list(values) for name, values in seen.query.items()},
                "body": seen.body.decode("utf-8", "replace"),
                "secret": arguments["secret"],
            }
            problem = {"type": "value_error", "loc": ["body"], "msg": "Value error, not usable", "input": given}
            return Answer.of_json(422, {"detail": [problem]})
        case "redirect":
            to = {"evil": evil_origin + seen.path, "http": own_origin + seen.path}.get(arguments["to"], arguments["to"])
            answer = Answer(int(arguments["status"]), [], b"")
            answer.set_header("location", to)
            answer.set_body(b"")
            return answer
        case "cursor_expired":
            if not any(seen.query.get("cursor", ())):
                return None
            return Answer.of_json(400, {"detail": "The cursor has expired"})
        case _:
            said = seen.body.decode("utf-8", "replace") if arguments["echo"] else "Refused."
            return Answer.of_json(
                int(arguments["status"]),
                {"error": arguments["error"], "error_description": said},
                {"cache-control": "no-store"},
            )


def _status(firing: Firing) -> Answer:
    arguments = firing.arguments
    answer, body = Answer(int(arguments["status"]), [], b""), arguments["body"]
    if isinstance(body, str):
        answer.set_header("content-type", arguments["media_type"] or "text/plain; charset=utf-8")
        answer.set_body(body.encode())
    elif body is not None:
        answer.set_header("content-type", arguments["media_type"] or "application/json")
        answer.set_body(json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode())
    elif answer.status not in (204, 304):
        answer.set_body(b"")
    for name, value in arguments["headers"].items():
        answer.set_header(name, str(value))
    return answer


def change(firing: Firing, answer: Answer, *, now_seconds: float, evil_origin: str, storage_origin: str) -> bool:
    """Make a fault in the bank's answer; False when it gives no occasion for it."""
    match firing.fault:
        case "rate_headers":
            _rate_headers(firing, answer, now_seconds)
            return True
        case "header":
            name, value = str(firing.arguments["name"]), firing.arguments["value"]
            before = list(answer.headers)
            answer.set_header(name, None if value is None else str(value))
            return answer.headers != before
        case "replace":
            return _replace(firing, answer)
        case "cut":
            return _cut(firing, answer)
        case "link_to":
            return _link_to(firing, answer, evil_origin, storage_origin)
    document = answer.document()
    if document is None:
        return False
    if _change_fields(firing, document):
        answer.write(document)
        return True
    return False


def _rate_headers(firing: Firing, answer: Answer, now_seconds: float) -> None:
    arguments = firing.arguments
    reset = int(now_seconds + arguments["reset_in"]) * (1000 if arguments["milliseconds"] else 1)
    answer.set_header("x-ratelimit-limit", str(arguments["limit"]))
    answer.set_header("x-ratelimit-remaining", str(arguments["remaining"]))
    answer.set_header("x-ratelimit-reset", str(reset if arguments["reset"] is None else arguments["reset"]))


def _replace(firing: Firing, answer: Answer) -> bool:
    arguments = firing.arguments
    find, put = str(arguments["find"]).encode(), str(arguments["put"]).encode()
    body = answer.body.replace(find, put, int(arguments["count"]) or -1) if find else put + answer.body
    if body == answer.body:
        return False
    answer.set_body(body)
    return True


def _cut(firing: Firing, answer: Answer) -> bool:
    wanted = firing.arguments["bytes"]
    keep = int(len(answer.body) * firing.arguments["share"]) if wanted is None else int(wanted)
    if keep >= len(answer.body):
        return False
    answer.set_body(answer.body[:keep])
    return True


def _link_to(firing: Firing, answer: Answer, evil_origin: str, storage_origin: str) -> bool:
    to = str(firing.arguments["to"])

    def led(url: object) -> str | None:
        if not isinstance(url, str) or not url.startswith(storage_origin):
            return None
        return evil_origin + url.removeprefix(storage_origin) if to == "evil" else to

    location = led(answer.header("location"))
    if location is not None:
        answer.set_header("location", location)
        return True
    document = answer.document()
    if document is None:
        return False
    changed = False
    for found in objects_within(document):
        for name in _LINK_FIELDS:
            url = led(found.get(name))
            if url is not None:
                found[name] = url
                changed = True
    if changed:
        answer.write(document)
    return changed


def _change_fields(firing: Firing, document: dict[str, Any]) -> bool:
    arguments, rows = firing.arguments, rows_of(document)
    match firing.fault:
        case "new_field":
            return True in [_put(row, str(arguments["name"]), arguments["value"], new=True) for row in rows]
        case "missing_field":
            return True in [_take(row, str(arguments["name"])) for row in rows]
        case "field_value":
            return True in [_put(row, str(arguments["name"]), arguments["value"], new=False) for row in rows]
        case "amount_disagrees":
            return True in [_misspell(found, int(arguments["cents"])) for found in objects_within(document)]
        case "report_ids":
            return True in [_other_reports(row, longer=arguments["change"] == "longer") for row in rows]
        case _:
            return False


def _holder(row: dict[str, Any], name: str) -> tuple[dict[str, Any] | None, str]:
    *outer, last = name.split(".")
    holder: object = row
    for part in outer:
        holder = holder.get(part) if isinstance(holder, dict) else None
    return (holder if isinstance(holder, dict) else None), last


def _put(row: dict[str, Any], name: str, value: object, *, new: bool) -> bool:
    holder, last = _holder(row, name)
    if holder is None or (last in holder) == new or holder.get(last, row) == value:
        return False
    holder[last] = value
    return True


def _take(row: dict[str, Any], name: str) -> bool:
    holder, last = _holder(row, name)
    return holder is not None and holder.pop(last, row) is not row


def _misspell(found: dict[str, Any], cents: int) -> bool:
    value = found.get("value")
    if not isinstance(value, int) or not isinstance(found.get("formatted"), str):
        return False
    other = abs(value + cents)
    found["formatted"] = f"${other // 100:,}.{other % 100:02d}"
    return True


def _other_reports(row: dict[str, Any], *, longer: bool) -> bool:
    reports = row.get("reports")
    if not isinstance(reports, list) or not reports:
        return False
    if longer:
        reports.append({**reports[-1], "id": "00000000-0000-4000-8000-000000000000"})
    else:
        reports.pop()
    return True

"""Silent days and instants of fetching: documents that begin late, come twice, early, late or not at all.

Belongs here: what the manifest says, and lives of pockets. Does not belong here: what documents say (the other modules
of this room).
"""

from datetime import datetime, time, timedelta
from random import Random

from jiko_pipeline import calendars
from jiko_pipeline.selftest.edges.days import business_days, listed_pockets
from jiko_pipeline.selftest.facts import Facts, Row
from jiko_pipeline.selftest.site import LISTED_TRADES, REPORTED_TRADES
from jiko_pipeline.warehouse.kinds import SNAPSHOT_DATE


def hide_lives(facts: Facts, draw: Random) -> None:
    """Nobody knows when the pockets opened, and what speaks of them begins late: some documents later than others.

    What is silent has no line in the manifest, or one of a document that could not be read. A day before a pocket's
    first statement or summary expects no document of it, so that no gate speaks of such days.
    """
    for row in list(facts.all("staging.pocket_life")):
        facts.drop("staging.pocket_life", row)
    days = business_days(facts)
    for place, pocket in enumerate(listed_pockets(facts)):
        begins = days[min(len(days) // 2 + place % 3, len(days) - 1)]
        for kind in ("BROKERAGE_STATEMENT", "POSITION"):
            for line in facts.find("raw.delivery", document_kind=kind, scope_pocket_id=pocket):
                if line["scope_date"] < begins:
                    forget(facts, line)
    first = days[len(days) // 2]
    for line in [row for row in facts.all("raw.delivery") if row["scope_date"] == days[2]]:
        forget(facts, line)
    for kind, day in zip(REPORTED_TRADES, days[3:5], strict=True):
        for line in facts.find("raw.delivery", document_kind=kind, scope_date=day):
            forget(facts, line)
    for row in [row for row in facts.all("staging.position_cash") if draw.random() < 0.15]:
        facts.drop("staging.position_cash", row)
    silent = ("API_TRADES", "SECURITY_PRICE", "API_TRANSACTIONS", *REPORTED_TRADES, *LISTED_TRADES[1:])
    other = ("API_TRANSACTIONS_CSV", "AUDIT_LOGS", "AUDIT_LOGS_CSV", "TRANSFER_REQUESTS", "EVENTS", "BANK_STATEMENT")
    for line in list(facts.all("raw.delivery")):
        if line["document_kind"] in (*silent, *other) and SNAPSHOT_DATE < line["scope_date"] < first:
            how = draw.random()
            if how < 0.2:
                forget(facts, line, keep_rows=True)
            elif how < 0.35:
                line.update(outcome="QUARANTINED", version_no=None, is_current=False)
            elif how < 0.45:
                line.update(outcome="SUPERSEDED", version_no=None, is_current=False)


def forget(facts: Facts, line: Row, *, keep_rows: bool = False) -> None:
    scope = {name: line[name] for name in ("document_kind", "scope_pocket_id", "scope_date")}
    facts.drop("raw.delivery", line)
    if not keep_rows:
        for table in [name for name in facts.tables if name.startswith("staging.")]:
            for row in facts.find(table, **scope):
                facts.drop(table, row)
    others = facts.find("raw.delivery", document_id=line["document_id"])
    if not others:
        facts.drop("raw.document", facts.one("raw.document", document_id=line["document_id"]))


def list_late(facts: Facts, draw: Random) -> None:
    """The team and its reviewers are first listed in the middle of the time; requests from its first third on."""
    days = business_days(facts)
    for number, (table, kind) in enumerate((("staging.team_member", "TEAM"), ("staging.reviewer", "REVIEWERS"))):
        at = datetime.combine(days[len(days) // 2 + number * 3], time(16))
        for rows in (facts.find("raw.delivery", document_kind=kind), facts.find(table)):
            for row in rows:
                row["known_from_utc"] = at
    for kind in ("TRANSFER_REQUESTS", "AUDIT_LOGS", "EVENTS"):
        for line in facts.find("raw.delivery", document_kind=kind):
            if draw.random() < 0.15 or (kind == "TRANSFER_REQUESTS" and line["scope_date"] < days[len(days) // 3]):
                forget(facts, line, keep_rows=True)
    for row in list(facts.all("staging.transfer_request")):
        if draw.random() < 0.2:
            facts.drop("staging.transfer_request", row)


def fetch_again(facts: Facts, draw: Random) -> None:
    """Forms of listings fetched twice, before the day was over, or before their JSON listing."""
    forms = (*LISTED_TRADES[1:], "API_TRANSACTIONS_CSV", "AUDIT_LOGS_CSV", "AUDIT_LOGS")
    hour = timedelta(hours=1)
    for line in list(facts.all("raw.delivery")):
        if line["document_kind"] not in forms or draw.random() < 0.6:
            continue
        way = draw.randrange(6)
        if way == 0:
            line["finality"] = "PROVISIONAL"
        elif way == 1:
            line["known_from_utc"] += hour
        elif way == 2:
            line["known_from_utc"] -= hour
        elif way == 3:
            facts.put("raw.delivery", {**line, "outcome": "UNCHANGED", "is_current": False, "version_no": None})
        elif way == 4:
            facts.put(
                "raw.delivery",
                {**line, "outcome": "UNCHANGED", "is_current": False, "version_no": None,
                 "known_from_utc": line["known_from_utc"] - hour},
            )  # fmt: skip
        else:
            forget(facts, line, keep_rows=draw.random() < 0.5)


def state_in_time(facts: Facts, draw: Random) -> None:
    """Each day's listing of trades was made from that day on to two weeks later, in all its forms; some trades wait."""
    made = {}
    for line in list(facts.all("raw.delivery")):
        if line["document_kind"] in LISTED_TRADES:
            day = line["scope_date"]
            if day not in made:
                made[day] = draw.choice((0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 12))
            line["known_from_utc"] = datetime.combine(day + timedelta(days=made[day]), time(20))
    for trade in facts.find("staging.api_trade", document_kind="API_TRADES"):
        if trade["activity"] in ("BUY", "SELL") and draw.random() < 0.15:
            for form in facts.find("staging.api_trade", trade_id=trade["trade_id"]):
                form.update(trade_status="BOOKED", settlement_date=None)


def open_between(facts: Facts, draw: Random) -> None:
    """Lives that begin and end at other days than the documents do: the day before, the weekend before, later."""
    days = business_days(facts)
    for number, life in enumerate(list(facts.all("staging.pocket_life"))):
        begun = life["first_activity_on"]
        way = number % 5
        first = begun if begun and begun > days[1] else days[len(days) // 3]
        before = calendars.previous_fed_business_day(first)
        if way < 4:
            life["first_activity_on"] = (first, before, first - timedelta(days=1), first + timedelta(days=1))[way]
        for kind in ("BANK_STATEMENT", "BROKERAGE_STATEMENT", "POSITION", *REPORTED_TRADES):
            for line in facts.find("raw.delivery", document_kind=kind, scope_pocket_id=life["pocket_id"]):
                if line["scope_date"] < first:
                    forget(facts, line)

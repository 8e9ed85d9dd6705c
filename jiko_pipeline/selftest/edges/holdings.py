"""Edges of what is held and traded: take-ons, public prices, reference lists, repeated prices, odd trades.

Belongs here: bills, their prices and trades. Does not belong here: single columns (`bending`).
"""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from jiko_pipeline import calendars
from jiko_pipeline.selftest import documents
from jiko_pipeline.selftest.edges.days import business_days, listed_pockets
from jiko_pipeline.selftest.facts import Facts, Row

_CENT: Final = Decimal("0.01")


_ONE_PER_MILLE: Final = Decimal("0.001000")
_NEARLY_PAR: Final = Decimal("99.995000")


def take_on(facts: Facts, draw: Random) -> None:
    """Every pocket but one is taken on: as it is, with another face, with other cash, with a bill more, a day later."""
    lines = facts.find("raw.delivery", document_kind="POSITION")
    for number, pocket in enumerate(listed_pockets(facts)):
        days = sorted(line["scope_date"] for line in lines if line["scope_pocket_id"] == pocket)
        if not days or number == 0:
            continue
        way = number % 6
        day = days[1] if way == 5 else days[0]
        for seq, status in ((2 * number, "PROPOSED"), (2 * number + 1, "PROPOSED" if way == 4 else "CONFIRMED")):
            _confirm(facts, pocket, day, seq, status, way)


def _confirm(facts: Facts, pocket: str, day: date, seq: int, status: str, way: int) -> None:
    cash = facts.one("staging.position_cash", scope_pocket_id=pocket, scope_date=day)["cash"]
    step = {"pocket_id": pocket, "business_date": day, "baseline_seq": seq}
    facts.put(
        "recon.baseline",
        {
            **step,
            "status": status,
            "cash_balance": cash + (_CENT if way == 1 else 0),
            "content_hash": "taken on",
            "actor": "self-test",
            "at_utc": datetime.combine(day, time(20)),
        },
    )
    held = facts.find("staging.position", scope_pocket_id=pocket, scope_date=day)
    for place, row in enumerate(held):
        if way == 3 and place == 0:
            continue
        facts.put(
            "recon.baseline_lot",
            {
                **step,
                "cusip": row["cusip"],
                "face_amount": Decimal(row["quantity"] * 100 + (100 if way == 2 and place == 0 else 0)),
                "historical_cost": row["historical_cost"],
                "lot_source": "AVERAGE",
            },
        )


def ask_treasury(facts: Facts, draw: Random) -> None:
    """Treasury's prices of most bills held: the same, at the edge of either tolerance and beyond, none yet."""
    half = Decimal("0.005")
    steps = [Decimal(0), half, -half, half + Decimal("0.000001"), -half - Decimal("0.000001"), Decimal("0.2"), None]
    held = {(row["scope_date"], row["cusip"]): row["market_price"] for row in facts.all("staging.position")}
    maturity = _maturities(facts)
    for day in business_days(facts)[2:]:
        listed = sorted(cusip for on, cusip in held if on == day)
        document = documents.deliver(facts, "TREASURY_PRICES", "", [day])
        for number, cusip in enumerate(listed):
            if draw.random() < 0.1:
                continue
            step = draw.choice([*steps, "edge", "over"])
            ends = maturity[cusip]
            if isinstance(step, str):
                step = Decimal(5 * (ends - day).days + (step == "over")).quantize(_CENT) / 36000
            known = draw.choice([None, ends, ends + timedelta(days=30), day + timedelta(days=3)])
            facts.put(
                "staging.treasury_price",
                {
                    "document_kind": "TREASURY_PRICES",
                    "scope_pocket_id": "",
                    "scope_date": day,
                    "document_id": document["document_id"],
                    "cusip": cusip,
                    "price_date": day,
                    "maturity_date": known,
                    "end_of_day": Decimal(0)
                    if step is None
                    else (held[day, cusip] + step).quantize(Decimal("0.000001")),
                    "document_locator": f"line {number}",
                },
            )


def _maturities(facts: Facts) -> dict[str, date]:
    found = {row["cusip"]: row["maturity_date"] for row in facts.all("staging.security_reference")}
    return {**found, **{row["cusip"]: row["maturity_date"] for row in facts.all("staging.api_trade") if row["cusip"]}}


def doubt_references(facts: Facts, draw: Random) -> None:
    """The reference lists about the bills held: silent, another maturity, a term too long, an issue after maturity."""
    held = {row["cusip"] for row in facts.all("staging.position")}
    rows = [row for row in facts.all("staging.security_reference") if row["cusip"] in held]
    day = timedelta(days=1)
    for number, cusip in enumerate(sorted(held)[::2]):
        own = [row for row in rows if row["cusip"] == cusip]
        way = (number + draw.randrange(2)) % 9
        for row in own:
            if way == 0:
                facts.drop("staging.security_reference", row)
            elif way == 1:
                row["maturity_date"] += day * 7
            elif way == 2:
                row["issue_date"] = row["maturity_date"] - day * 366
            elif way == 3:
                row["issue_date"] = row["maturity_date"] - day * 367
            elif way == 4:
                row["issue_date"] = row["maturity_date"]
            elif way == 5:
                row["maturity_date"] += day * ((5 - row["maturity_date"].weekday()) % 7)
            elif way == 6:
                row["maturity_date"] += day * 600
        if way == 7 and own:
            other = "SIMULATED" if own[0]["reference_source"] == "TREASURY" else "TREASURY"
            later = {"maturity_date": own[0]["maturity_date"] + 7 * day, "reference_source": other}
            facts.again("staging.security_reference", own[0], **later)


def stay_on_weekends(facts: Facts, draw: Random) -> None:
    """Some trades of Fridays and Mondays are dated on the weekend between, in listings and reports alike."""
    listed = {row["trade_id"]: row for row in facts.find("staging.api_trade", document_kind="API_TRADES")}
    for trade_id, trade in sorted(listed.items()):
        day = trade["scope_date"]
        if day.weekday() not in (0, 4) or draw.random() < 0.5:
            continue
        to = day + timedelta(days=1 if day.weekday() == 4 else -1)
        forms = facts.find("staging.api_trade", trade_id=trade_id)
        reports = facts.find("staging.trade_report", trade_reference=trade_id)
        for table, rows in (("staging.api_trade", forms), ("staging.trade_report", reports)):
            for row in rows:
                lines = facts.find(
                    "raw.delivery",
                    document_kind=row["document_kind"],
                    scope_pocket_id=row["scope_pocket_id"],
                    scope_date=to,
                )
                if len(lines) != 1:
                    continue
                moved = {"scope_date": to, "document_id": lines[0]["document_id"]}
                if "traded_at_utc" in row:
                    moved["traded_at_utc"] = row["traded_at_utc"] + (to - day)
                else:
                    moved["trade_date"] = to
                if draw.random() < 0.5:
                    moved["book_date"] = to
                facts.move(table, row, **moved)


def trade_alike(facts: Facts, draw: Random) -> None:
    """Reports that name trades by references of their own, one of some and two of others that are alike."""
    listed = facts.find("staging.api_trade", document_kind="API_TRADES")
    for trade in [row for row in listed if row["activity"] in ("BUY", "SELL") and draw.random() < 0.5]:
        own = facts.find("staging.trade_report", trade_reference=trade["trade_id"])
        if draw.random() < 0.5:
            own = own[:1]
        for row in own:
            row["trade_reference"] = f"own-{trade['trade_id'][:13]}"
        way = draw.randrange(5)
        if way == 0 and own:
            facts.put("staging.trade_report", {**own[0], "trade_reference": f"more-{trade['trade_id'][:13]}"})
        elif way == 1:
            for form in facts.find("staging.api_trade", trade_id=trade["trade_id"]):
                facts.put("staging.api_trade", {**form, "trade_id": f"{trade['trade_id'][:-4]}beef"})
        elif way == 2 and own:
            row = draw.choice(own)
            name, value = draw.choice(
                [("quantity", row["quantity"] + 1), ("price", row["price"] - _CENT),
                 ("side", "SELL" if row["side"] == "BUY" else "BUY"), ("amount", row["amount"] + 1)]
            )  # fmt: skip
            row[name] = value


def pay_in_kind(facts: Facts, draw: Random) -> None:
    """Some purchases and sales are transfers in kind, a few of a value that the bank does not state."""
    for trade in facts.find("staging.api_trade", document_kind="API_TRADES"):
        if trade["activity"] in ("BUY", "SELL") and draw.random() < 0.25:
            activity = "TRANSFER_IN" if trade["activity"] == "BUY" else "TRANSFER_OUT"
            told = {"activity": activity, **({"notional": None} if draw.random() < 0.3 else {})}
            for form in facts.find("staging.api_trade", trade_id=trade["trade_id"]):
                form.update(told)


def stand_still(facts: Facts, draw: Random) -> None:
    """Prices that a day repeats, in one source or in both, and prices that are not stated."""
    days = business_days(facts)
    for row in list(facts.all("staging.security_price")):
        way = draw.randrange(6)
        before = calendars.previous_fed_business_day(row["scope_date"]) if row["scope_date"] in days else None
        earlier = facts.find("staging.security_price", scope_pocket_id="", scope_date=before)
        same = [other for other in earlier if other["cusip"] == row["cusip"]]
        if way == 0:
            facts.drop("staging.security_price", row)
        elif way == 3 and same:
            row["price"] = same[0]["price"] = _NEARLY_PAR
        elif way < 3 and same:
            row["price"] = same[0]["price"]
            if way == 2:
                for held in facts.find("staging.position", cusip=row["cusip"], scope_date=row["scope_date"]):
                    held["market_price"] = row["price"]
    for held in list(facts.all("staging.position")):
        day = held["scope_date"]
        lines = facts.find("raw.delivery", document_kind="SECURITY_PRICE", scope_pocket_id="", scope_date=day)
        quoted = facts.find("staging.security_price", scope_pocket_id="", scope_date=day)
        if calendars.is_trading_day(day) or not _any_quote(facts) or not lines or draw.random() < 0.5:
            continue
        if held["cusip"] not in {row["cusip"] for row in quoted}:
            like = _any_quote(facts)
            told = {"cusip": held["cusip"], "price_date": day, "scope_date": day, "price": held["market_price"]}
            facts.put("staging.security_price", {**like, **told, "document_id": lines[0]["document_id"]})


def _any_quote(facts: Facts) -> Row:
    """Any row of the price report; empty where it has none."""
    return next(facts.all("staging.security_price"), {})


def doubt_yields(facts: Facts, draw: Random) -> None:
    """Yields of which about half fit any formula; none is stated on the first days, others lack a price below par."""
    days = business_days(facts)
    listed = facts.find("staging.api_trade", document_kind="API_TRADES")
    dealt = [row for row in listed if row["activity"] in ("BUY", "SELL") and row["yield_to_maturity"] is not None]
    for number, trade in enumerate(sorted(dealt, key=lambda row: (row["traded_at_utc"], row["trade_id"]))):
        if trade["scope_date"] <= days[4]:
            trade["yield_to_maturity"] = None
        elif number % 2:
            trade["yield_to_maturity"] += _ONE_PER_MILLE
        elif draw.random() < 0.15:
            trade.update(draw.choice(({"yield_to_maturity": None}, {"price": Decimal("100.000000")})))


def mature_oddly(facts: Facts, draw: Random) -> None:
    """Maturities of which nothing is told while one bill stays, and maturities without a number told of others too."""
    pockets = listed_pockets(facts)
    for trade in facts.find("staging.api_trade", document_kind="API_TRADES", activity="MATURITY"):
        forms = facts.find("staging.api_trade", trade_id=trade["trade_id"])
        if draw.random() < 0.4:
            held = facts.find("staging.position", cusip=trade["cusip"], scope_pocket_id=trade["pocket_id"])
            lines = facts.find(
                "raw.delivery",
                document_kind="POSITION",
                scope_pocket_id=trade["pocket_id"],
                scope_date=trade["scope_date"],
            )
            before = [row for row in held if row["scope_date"] < trade["scope_date"]]
            if before and lines and before[-1]["quantity"] > 1:
                on = {"scope_date": trade["scope_date"], "as_of_date": trade["scope_date"], "quantity": 1}
                facts.put("staging.position", {**before[-1], **on, "document_id": lines[0]["document_id"]})
                for form in forms:
                    facts.drop("staging.api_trade", form)
            continue
        other = draw.choice(pockets)
        for form in forms:
            told = {"trade_id": f"{trade['trade_id'][:-4]}beef", "quantity": None, "notional": None}
            facts.put("staging.api_trade", {**form, **told, "pocket_id": other})

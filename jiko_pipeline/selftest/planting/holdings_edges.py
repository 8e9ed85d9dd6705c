"""Faults at the edges of what is asked of holdings, trades and what is summed up.

Belongs here: a take-on that differs, yields by other formulas and next to rounding, settlement a day late, earnings
next to their tolerance. Does not belong here: faults that are wrong by much (`trades`, `trade_terms`, `positions`).
"""

from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from jiko_pipeline import calendars
from jiko_pipeline.selftest.facts import Row
from jiko_pipeline.selftest.planting.brokerage_statements import earnings_of_month
from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.site import CENT, LISTED_TRADES, NothingToHit, Site

_MICRO: Final = Decimal("0.000001")
_WITHIN: Final = Decimal("0.000040")
_BEYOND: Final = Decimal("0.000060")
_ONE_BASIS_POINT: Final = Decimal("0.000100")
_HALF_YEAR: Final = 183
_TELLING: Final = Decimal("0.000300")
"""By so much two formulas must differ to be told apart in each trade."""


@plants("take-on-differs")
def _take_on_differs(site: Site) -> Names:
    summaries = site.facts.find("raw.delivery", document_kind="POSITION", scope_pocket_id=site.pocket_id)
    statements = site.facts.find("raw.delivery", document_kind="BROKERAGE_STATEMENT", scope_pocket_id=site.pocket_id)
    days = {row["scope_date"] for row in (*summaries, *statements)}
    life = site.facts.one("staging.pocket_life", pocket_id=site.pocket_id)
    if not days or site.facts.find("recon.baseline", pocket_id=site.pocket_id):
        raise NothingToHit
    first = min(days)
    opened = life["first_activity_on"]
    held = site.positions(first)
    if (opened is not None and calendars.previous_fed_business_day(first) < opened <= first) or len(held) < 2:
        raise NothingToHit
    chosen = site.any([row for row in held if row["quantity"] > 1])
    step = {"pocket_id": site.pocket_id, "business_date": first}
    for status in ("PROPOSED", "CONFIRMED"):
        number = 1 + sum(1 for _ in site.facts.all("recon.baseline"))
        site.facts.put(
            "recon.baseline",
            {
                **step,
                "baseline_seq": number,
                "status": status,
                "cash_balance": site.cash(first)["cash"] - CENT,
                "content_hash": "taken on",
                "actor": f"person {number}",
                "at_utc": datetime.combine(first, time(20)),
            },
        )
        for row in held:
            bills = row["quantity"] - (row is chosen)
            site.facts.put(
                "recon.baseline_lot",
                {
                    **step,
                    "baseline_seq": number,
                    "cusip": row["cusip"],
                    "face_amount": Decimal(100 * bills),
                    "historical_cost": row["historical_cost"],
                    "lot_source": "AVERAGE",
                },
            )
    paid = site.trades("BUY", "SELL", "MATURITY", day=first)
    return {
        "taken_on": first.isoformat(),
        "cusip": chosen["cusip"],
        "others": [row["cusip"] for row in held if row is not chosen],
        "unpaid": [] if paid else [first.isoformat()],
    }


def _settles(trade: Row) -> date:
    day: date = trade["settlement_date"] or trade["book_date"]
    return day


def _yield_by(formula: str, price: Decimal, days: int) -> Decimal:
    if formula == "DISCOUNT":
        rate = (100 - price) / 100 * 360 / days
    else:
        rate = (100 / price - 1) * (365 if formula == "SIMPLE" else 360) / days
    return rate.quantize(_MICRO, ROUND_HALF_UP)


def _tell_yield(site: Site, trade: Row, rate: Decimal) -> None:
    for row in site.forms_of_trade(trade["trade_id"], trade["scope_date"]):
        row["yield_to_maturity"] = rate


@plants("yields-by-another-formula")
def _by_another_formula(site: Site) -> Names:
    listed = [
        row
        for row in site.facts.find("staging.api_trade", document_kind="API_TRADES")
        if row["activity"] in ("BUY", "SELL") and row["yield_to_maturity"] is not None and row["price"] < 100
    ]
    target = max(site.trades("BUY"), key=lambda row: row["maturity_date"], default=None)
    if target is None or len(listed) < 2:
        raise NothingToHit
    formula = site.draw.choice(("ACT_360", "DISCOUNT"))
    days_of = {row["trade_id"]: (row["maturity_date"] - _settles(row)).days for row in listed}
    rates = {row["trade_id"]: _yield_by(formula, row["price"], days_of[row["trade_id"]]) for row in listed}
    if abs(rates[target["trade_id"]] - target["yield_to_maturity"]) < _TELLING:
        raise NothingToHit
    for row in listed:
        wrong = _ONE_BASIS_POINT if row is target else 0
        _tell_yield(site, row, rates[row["trade_id"]] + wrong)
    # What is dated on a day that is no business day, or before the first judged one, is told elsewhere.
    others = [row for row in listed if row is not target and site.first <= row["scope_date"] <= site.last
              and calendars.is_fed_business_day(row["scope_date"])]  # fmt: skip
    return {
        "trade": target["trade_id"],
        "formula": formula,
        "others": [row["trade_id"] for row in others],
        "other_days": [row["scope_date"].isoformat() for row in others],
        "other_pockets": [row["pocket_id"] for row in others],
    }


@plants("yield-off-by-less-than-half-a-basis-point")
def _next_to_rounding(site: Site) -> Names:
    dealt = [row for row in site.trades("BUY", "SELL") if row["yield_to_maturity"] is not None and row["price"] < 100]
    if len(dealt) < 2:
        raise NothingToHit
    within, beyond = site.draw.sample(dealt, 2)
    sign = site.draw.choice((1, -1))
    for row, step in ((within, _WITHIN), (beyond, _BEYOND)):
        _tell_yield(site, row, row["yield_to_maturity"] + sign * step)
    return {"within": within["trade_id"], "beyond": beyond["trade_id"]}


@plants("trade-still-booked-when-it-settles")
def _still_booked(site: Site) -> Names:
    trade = site.any(site.trades("BUY", "SELL"))
    after = calendars.next_fed_business_day(_settles(trade))
    is_late = site.draw.random() < 0.5
    stated_on = after + timedelta(days=1) if is_late else after
    for row in site.forms_of_trade(trade["trade_id"]):
        row["trade_status"] = "BOOKED"
    for kind in LISTED_TRADES:
        for line in site.facts.find("raw.delivery", document_kind=kind, scope_pocket_id="", scope_date=site.day):
            at = line["known_from_utc"]
            line["known_from_utc"] = datetime.combine(stated_on, at.time())
    told = [trade["trade_id"]]
    return {"late": told if is_late else [], "in_time": [] if is_late else told}


@plants("earnings-at-the-edges")
def _earnings_at_the_edges(site: Site) -> Names:
    names = earnings_of_month(site)
    row = site.any(
        site.facts.find("staging.earnings", scope_pocket_id=site.pocket_id, scope_date=site.day.replace(day=1))
    )
    days = calendars.fed_business_days(row["first_date"], date.fromisoformat(names["month_end"][0]))
    for day in days:
        site.statement("BROKERAGE", day)
    of_days = {code: sum((e["signed_amount"] for day in days for e in site.entries("BROKERAGE", code, day=day)),
                         Decimal(0)) for code in ("GAIN_LOSS", "MANAGEMENT_FEE")}  # fmt: skip
    rounding = CENT * len(days)
    if -of_days["MANAGEMENT_FEE"] <= 4 * rounding:
        raise NothingToHit
    is_beyond, is_net, sign = site.draw.random() < 0.5, site.draw.random() < 0.6, site.draw.choice((1, -1))
    base = of_days["GAIN_LOSS"] + (of_days["MANAGEMENT_FEE"] if is_net else 0)
    row["earnings"] = base + sign * (rounding + (CENT if is_beyond else 0))
    ends, months = names["month_end"], names["month"]
    return {
        "beyond": months if is_beyond else [],
        "beyond_end": ends if is_beyond else [],
        "within": [] if is_beyond else months,
        "within_end": [] if is_beyond else ends,
    }

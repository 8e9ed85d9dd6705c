"""Faults of what a trade says besides quantity, price and money: settlement, yield, cost; and of what is summed up.

Belongs here: terms of trades, historical cost, earnings, the two forms of the trade report against each other. Does not
belong here: trades that are missing or wrong in money or quantity (`trades`), positions (`positions`).
"""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from jiko_pipeline import calendars, tbill
from jiko_pipeline.selftest.facts import Row
from jiko_pipeline.selftest.planting.brokerage_statements import earnings_of_month
from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.planting.settlements import never_settled, stated_elsewhere
from jiko_pipeline.selftest.site import LISTED_TRADES, NothingToHit, Site


def _purchase(site: Site) -> Row:
    return site.any(site.trades("BUY"))


def _change(site: Site, trade_id: str, values: Mapping[str, Any]) -> None:
    for row in site.forms_of_trade(trade_id):
        row.update(values)


def _settle_on(site: Site, trade: Row, day: date) -> Names:
    """Moves the settlement of a trade, with the yield that its price has then."""
    days = (trade["maturity_date"] - day).days
    if days <= 0:
        raise NothingToHit
    touched = stated_elsewhere(site, trade["settlement_date"], day)
    percent = tbill.investment_rate_percent(trade["price"], days, tbill.year_basis(day))
    rate = percent.scaleb(-2).quantize(Decimal("0.000001"), ROUND_HALF_UP)
    _change(site, trade["trade_id"], {"settlement_date": day, "yield_to_maturity": rate})
    for row in site.reports_of_trade(trade["trade_id"]):
        row["settlement_date"] = day
    return {"trade": trade["trade_id"], "cusip": trade["cusip"], **touched}


@plants("trade-settles-late")
def _settles_late(site: Site) -> Names:
    day = site.day
    for _ in range(2):
        day = calendars.next_fed_business_day(day)
    return _settle_on(site, _purchase(site), day)


@plants("trade-settles-on-a-closed-day")
def _settles_on_a_closed_day(site: Site) -> Names:
    return _settle_on(site, _purchase(site), site.day + timedelta(days=(5 - site.day.weekday()) % 7 or 7))


@plants("trade-never-settles")
def _never_settles(site: Site) -> Names:
    trade = _purchase(site)
    touched = never_settled(site, trade)
    _change(site, trade["trade_id"], {"settlement_date": None, "trade_status": "BOOKED"})
    later = site.day + timedelta(days=30)
    for kind in LISTED_TRADES:
        for line in site.facts.find("raw.delivery", document_kind=kind, scope_pocket_id="", scope_date=site.day):
            line["known_from_utc"] = line["known_from_utc"].replace(year=later.year, month=later.month, day=later.day)
    return {"trade": trade["trade_id"], "cusip": trade["cusip"], **touched}


@plants("trade-yield-wrong")
def _yield_wrong(site: Site) -> Names:
    trade = _purchase(site)
    _change(site, trade["trade_id"], {"yield_to_maturity": trade["yield_to_maturity"] + Decimal("0.000500")})
    return {"trade": trade["trade_id"]}


@plants("historical-cost-off")
def _cost_off(site: Site) -> Names:
    following = {row["cusip"] for row in site.positions(site.after())}
    before = {row["cusip"] for row in site.positions(site.after(-1))}
    held = [row for row in site.positions() if row["cusip"] in following and row["cusip"] in before]
    row = site.any(held)
    row["historical_cost"] += Decimal(250)
    return {"cusip": row["cusip"]}


@plants("earnings-differ")
def _earnings_differ(site: Site) -> Names:
    names = earnings_of_month(site)
    month = site.day.replace(day=1)
    row = site.any(site.facts.find("staging.earnings", scope_pocket_id=site.pocket_id, scope_date=month))
    for day in calendars.fed_business_days(row["first_date"], date.fromisoformat(names["month_end"][0])):
        site.statement("BROKERAGE", day)
    row["earnings"] += Decimal(100)
    return names


def _reported(site: Site) -> tuple[Row, Row]:
    """A trade as both forms of the report have it: CSV first."""
    trade = site.any(site.trades("BUY", "SELL"))
    forms = {row["output_format"]: row for row in site.reports_of_trade(trade["trade_id"])}
    if forms.keys() != {"CSV", "KYRIBA_CSV"}:
        raise NothingToHit
    return forms["CSV"], forms["KYRIBA_CSV"]


@plants("trade-reports-differ-in-issue-date")
def _issue_dates_differ(site: Site) -> Names:
    as_csv, _ = _reported(site)
    as_csv["issue_date"] -= timedelta(days=7)
    return {"trade": as_csv["trade_reference"]}

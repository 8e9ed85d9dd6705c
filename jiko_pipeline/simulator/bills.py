"""The Treasury bills of the simulated bank: the real ones while Treasury's table reaches, generated ones
beyond.

Belongs here: which bill is a term's newest issue on a day, what a CUSIP stands for, the auction calendar of
generated bills. Does not belong here: rates and prices (`marks`).

Generated bills follow Treasury's own calendar: 4-week bills are issued on Tuesdays, 13- and 26-week bills on
Thursdays, 52-week bills on every fourth Thursday; a date that is no Fed business day moves to the next one.
An issue that matures with a bill already known is a reopening of it and has its CUSIP. New CUSIPs are from
the issuer numbers 990000 to 999999, which ANSI X9.6 reserves for private use, and spell the nominal maturity
date.
"""

from bisect import bisect_right
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from jiko_pipeline import calendars, tbill
from jiko_pipeline.simulator.model import Bill

TERM_DAYS: Final = {"4-Week": 28, "13-Week": 91, "26-Week": 182, "52-Week": 364}
"""Nominal days from issue to maturity of the terms that strategies buy."""

_STEP_DAYS: Final = {"4-Week": 7, "13-Week": 7, "26-Week": 7, "52-Week": 28}
_AUCTION_LEAD_DAYS: Final = {"4-Week": 5, "13-Week": 3, "26-Week": 3, "52-Week": 2}
_STALE_AFTER_DAYS: Final = {"4-Week": 14, "13-Week": 20, "26-Week": 20, "52-Week": 40}
_NEXT_SHORTER: Final = {"52-Week": "26-Week", "26-Week": "13-Week", "13-Week": "4-Week"}
_REOPENABLE: Final = frozenset({"4-Week", "8-Week", "13-Week", "17-Week", "26-Week", "52-Week", "42-Day"})
_CUSIP_EPOCH: Final = date(2000, 1, 1)
_PRIVATE_ISSUERS: Final = "999"


def private_cusip(nominal_maturity: date) -> str:
    """The CUSIP of the generated bill of a nominal maturity date; distinct for any two dates from 2000 on."""
    first_eight = f"{_PRIVATE_ISSUERS}{10_000 + (nominal_maturity - _CUSIP_EPOCH).days:05d}"
    return first_eight + tbill.cusip_check_digit(first_eight)


def _nominal_maturity(cusip: str) -> date:
    if not cusip.startswith(_PRIVATE_ISSUERS) or not tbill.is_valid_cusip(cusip):
        raise LookupError(f"{cusip} is the CUSIP of no bill that the simulated bank knows")
    return _CUSIP_EPOCH + timedelta(days=int(cusip[3:8]) - 10_000)


class _Term:
    """The issues of one term: published ones by issue date, and the anchor of the generated calendar."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.published = [row for row in tbill.auctions() if row.security_term == name]
        self.issue_dates = [row.issue_date for row in self.published]
        weekday = 1 if name == "4-Week" else 3
        last = self.issue_dates[-1]
        self.anchor = last - timedelta(days=(last.weekday() - weekday) % 7)
        # Before 2008 Treasury issued no 52-week bill, so none is generated before the table either.
        self.generated_before = self.issue_dates[0] if name != "52-Week" else date.min
        self.generated_after = self.issue_dates[-1]

    def newest_nominal(self, day: date) -> date:
        """The nominal date of the newest issue of the generated calendar with an issue date up to `day`."""
        step = _STEP_DAYS[self.name]
        nominal = self.anchor + timedelta(days=(day - self.anchor).days // step * step)
        if calendars.on_or_after(nominal) > day:
            nominal -= timedelta(days=step)
        return nominal

    def is_generated(self, issue: date) -> bool:
        return issue < self.generated_before or issue > self.generated_after


@lru_cache(maxsize=1)
def _terms() -> dict[str, _Term]:
    return {name: _Term(name) for name in TERM_DAYS}


@lru_cache(maxsize=1)
def _published() -> tuple[dict[str, Bill], dict[date, Bill]]:
    """Published bills by CUSIP and by maturity date, each with the oldest issue that the table has."""
    by_cusip: dict[str, Bill] = {}
    by_maturity: dict[date, Bill] = {}
    for row in tbill.auctions():
        bill = by_cusip.setdefault(
            row.cusip, Bill(row.cusip, row.security_term, row.issue_date, row.maturity_date, generated=False)
        )
        if row.security_term in _REOPENABLE:
            by_maturity.setdefault(row.maturity_date, bill)
    return by_cusip, by_maturity


def _original_term(nominal_maturity: date) -> str:
    if nominal_maturity.weekday() == 1:
        return "4-Week"
    year = _terms()["52-Week"]
    nominal = nominal_maturity - timedelta(days=TERM_DAYS["52-Week"])
    in_cycle = (nominal - year.anchor).days % _STEP_DAYS["52-Week"] == 0
    return "52-Week" if in_cycle and year.is_generated(calendars.on_or_after(nominal)) else "26-Week"


@lru_cache(maxsize=4096)
def _generated(nominal_maturity: date) -> Bill:
    term = _original_term(nominal_maturity)
    return Bill(
        cusip=private_cusip(nominal_maturity),
        security_term=term,
        issue_date=calendars.on_or_after(nominal_maturity - timedelta(days=TERM_DAYS[term])),
        maturity_date=calendars.on_or_after(nominal_maturity),
        generated=True,
    )


def _issue(term: str, nominal: date) -> Bill:
    nominal_maturity = nominal + timedelta(days=TERM_DAYS[term])
    known = _published()[1].get(calendars.on_or_after(nominal_maturity))
    if known is not None and known.issue_date <= nominal:
        return known
    return _generated(nominal_maturity)


@lru_cache(maxsize=4096)
def newest_issue(term: str, day: date) -> Bill:
    """The bill of `term`'s newest issue with an issue date up to `day`.

    Where Treasury issued none of the term lately (52-week bills before June 2008), the next shorter term's.
    """
    row = _terms()[term]
    nominal = row.newest_nominal(day)
    if row.is_generated(day) and row.is_generated(calendars.on_or_after(nominal)):
        return _issue(term, nominal)
    place = bisect_right(row.issue_dates, day) - 1
    if place < 0 or (day - row.issue_dates[place]).days > _STALE_AFTER_DAYS[term]:
        return newest_issue(_NEXT_SHORTER[term], day)
    return _published()[0][row.published[place].cusip]


def bill(cusip: str) -> Bill:
    """The bill of a CUSIP, published or generated. Raises LookupError for any other."""
    known = _published()[0].get(cusip)
    return known if known is not None else _generated(_nominal_maturity(cusip))


def generated_issues(first: date, on: date) -> list[tuple[Bill, str, date, date]]:
    """Auctions of generated bills: (bill, term, auction date, issue date), oldest first.

    Those issued on or after `first` and auctioned by `on`. Reopenings of published bills are not among them.
    """
    found: list[tuple[Bill, str, date, date]] = []
    for term, row in _terms().items():
        step = timedelta(days=_STEP_DAYS[term])
        nominal = row.newest_nominal(first)
        while True:
            auction = nominal - timedelta(days=_AUCTION_LEAD_DAYS[term])
            while not calendars.is_trading_day(auction):
                auction -= timedelta(days=1)
            if auction > on:
                break
            issue = calendars.on_or_after(nominal)
            if issue >= first and row.is_generated(issue):
                issued = _issue(term, nominal)
                if issued.generated:
                    found.append((issued, term, auction, issue))
            nominal += step
    return sorted(found, key=lambda item: (item[3], item[0].maturity_date, item[2]))

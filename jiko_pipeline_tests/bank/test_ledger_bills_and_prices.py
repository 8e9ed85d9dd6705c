"""Bills and prices of the simulated bank: Treasury's where its table reaches, a smooth continuation beyond."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiko_pipeline import calendars, tbill
from jiko_pipeline.simulator import bills
from jiko_pipeline.simulator.marks import Marks, RepeatedPrice
from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.world import World

TERMS = sorted(bills.TERM_DAYS)
any_day = st.dates(date(2005, 1, 1), date(2034, 12, 31))


@pytest.mark.parametrize(
    ("term", "day", "cusip"),
    [
        ("4-Week", date(2024, 8, 14), "912797LG0"),
        ("26-Week", date(2024, 7, 25), "912797JR9"),
        ("26-Week", date(2024, 7, 31), "912797JR9"),
        ("13-Week", date(2024, 5, 9), "912797GK7"),
        ("52-Week", date(2024, 5, 16), "912797LB1"),
        ("52-Week", date(2024, 6, 12), "912797LB1"),
    ],
)
def test_the_newest_issue_is_treasurys_while_its_table_reaches(term: str, day: date, cusip: str) -> None:
    bill = bills.newest_issue(term, day)
    assert bill.cusip == cusip
    assert not bill.generated


def test_before_june_2008_the_52_week_strategy_buys_the_26_week_bill() -> None:
    day = date(2007, 3, 1)
    assert bills.newest_issue("52-Week", day) == bills.newest_issue("26-Week", day)


def test_issues_past_the_table_reopen_the_real_bill_of_the_same_maturity() -> None:
    reopened = bills.newest_issue("13-Week", date(2024, 8, 16))
    (original,) = [
        row for row in tbill.auctions() if row.security_term == "26-Week" and row.maturity_date == date(2024, 11, 14)
    ]
    assert (reopened.cusip, reopened.maturity_date) == (original.cusip, original.maturity_date)
    assert not reopened.generated


def test_the_generated_calendar_continues_treasurys_own_steps() -> None:
    assert bills.newest_issue("26-Week", date(2024, 8, 15)).maturity_date == date(2025, 2, 13)
    assert bills.newest_issue("52-Week", date(2024, 9, 5)).maturity_date == date(2025, 9, 4)
    assert bills.newest_issue("4-Week", date(2024, 8, 20)).maturity_date == date(2024, 9, 17)


def test_a_generated_bill_whose_thursday_is_a_holiday_matures_on_the_next_business_day() -> None:
    # Thanksgiving 2027 is Thursday 25 November.
    bill = bills.newest_issue("26-Week", date(2027, 5, 27))
    assert bill.maturity_date == date(2027, 11, 26)


@settings(max_examples=150, deadline=None)
@given(term=st.sampled_from(TERMS), day=any_day)
def test_a_newest_issue_is_a_proper_bill_that_its_cusip_leads_back_to(term: str, day: date) -> None:
    bill = bills.newest_issue(term, day)
    assert bill.issue_date <= day < bill.maturity_date
    assert tbill.is_valid_cusip(bill.cusip)
    assert calendars.is_fed_business_day(bill.maturity_date)
    assert calendars.is_fed_business_day(bill.issue_date)
    assert bill.maturity_date <= bill.issue_date + timedelta(days=366)
    assert bills.bill(bill.cusip) == bill
    assert (bill.maturity_date - day).days <= bills.TERM_DAYS[term] + 4
    assert bill.generated is (bill.cusip[:3] == "999")


def test_private_cusips_are_distinct_for_every_date_of_forty_years() -> None:
    made = {bills.private_cusip(day) for day in calendars.days(date(2000, 1, 1), date(2039, 12, 31))}
    assert len(made) == 14_610
    assert all("990000" <= cusip[:6] <= "999999" and tbill.is_valid_cusip(cusip) for cusip in made)


@pytest.mark.parametrize("cusip", ["912797ZZ3", "037833100", "999101234", ""])
def test_a_cusip_of_no_bill_is_refused(cusip: str) -> None:
    with pytest.raises(LookupError):
        bills.bill(cusip)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), term=st.sampled_from(TERMS), day=any_day)
def test_prices_lie_below_par_on_both_sides_of_the_mark_and_never_repeat(seed: int, term: str, day: date) -> None:
    day = calendars.on_or_after(day)
    bill = bills.newest_issue(term, day)
    marks = Marks(seed)
    previous = None
    for _ in range(12):
        if day >= bill.maturity_date:
            break
        mark = marks.price_micros(bill, day)
        assert marks.sale_micros(bill, day, "s") < mark < marks.purchase_micros(bill, day, "b") < 100_000_000
        assert marks.moment_micros(bill, day) != mark
        assert mark != previous
        previous = mark
        day = calendars.next_fed_business_day(day)


def test_the_mark_on_a_day_of_an_auction_is_near_its_published_result() -> None:
    marks = Marks(5)
    for row in tbill.auctions():
        if row.security_term == "26-Week" and row.issue_date.year == 2023:
            bill = bills.bill(row.cusip)
            assert abs(marks.rate(bill, row.issue_date) - row.discount_rate_thousandths) < 200


def test_a_repeated_price_is_that_of_the_business_day_before_and_deals_ignore_it() -> None:
    bill = bills.newest_issue("13-Week", date(2024, 6, 3))
    day = date(2024, 6, 12)
    sound, planted = Marks(7), Marks(7, repeated=RepeatedPrice(bill.cusip, day))
    assert planted.price_micros(bill, day) == sound.price_micros(bill, date(2024, 6, 11))
    assert planted.price_micros(bill, date(2024, 6, 13)) == sound.price_micros(bill, date(2024, 6, 13))
    assert planted.purchase_micros(bill, day, "b") == sound.purchase_micros(bill, day, "b")


def test_the_reference_list_holds_every_generated_bill_that_is_traded_and_no_real_one() -> None:
    world = World(WorldConfig(start=date(2024, 7, 1)))
    last = date(2025, 9, 30)
    listed = {row.cusip: row for row in world.reference_auctions(last)}
    traded = {trade.bill.cusip: trade.bill for trade in world.trades(date(2024, 4, 1), last)}
    generated = {cusip for cusip, bill in traded.items() if bill.generated}
    assert generated
    assert any(not bill.generated for bill in traded.values())
    assert generated <= set(listed)
    assert all(cusip.startswith("999") for cusip in listed)
    assert {bill.cusip for bill in world.reference_bills(last)} == set(listed)


def test_the_reference_list_grows_with_the_day_and_prices_by_treasurys_formula() -> None:
    world = World(WorldConfig(start=date(2026, 1, 2)))
    earlier, later = world.reference_auctions(date(2026, 2, 2)), world.reference_auctions(date(2026, 3, 2))
    assert set(earlier) < set(later)
    for row in later:
        assert row.auction_date <= row.issue_date < row.maturity_date
        assert row.price_per_100 == tbill.price(row.discount_rate_thousandths, row.days)

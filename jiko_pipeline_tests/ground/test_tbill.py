"""Bill arithmetic against Treasury: the regulation's own examples, published auctions, and laws that hold for all."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiko_pipeline import tbill

# (CUSIP, ISIN, issue, maturity, published price, discount rate in thousandths, year basis, investment rate)
PUBLISHED = """
9127953F6 US9127953F67 2011-03-03 2011-09-01 99.914056  170 366 0.172981
9127955Q0 US9127955Q05 2012-09-13 2012-12-13 99.974722  100 365 0.101415
912795W64 US912795W649 2011-03-03 2011-06-02 99.963347  145 366 0.147472
912796BY4 US912796BY45 2013-11-14 2014-02-13 99.981042   75 365 0.076055
912796BY4 US912796BY45 2014-01-16 2014-02-13 100.000000   0 365 0.000000
912796CM9 US912796CM97 2013-11-14 2014-05-15 99.951972   95 365 0.096366
912796RR2 US912796RR20 2019-02-28 2019-05-30 99.392069 2405 365 2.453319
912796RW1 US912796RW15 2019-01-03 2019-07-05 98.726625 2505 365 2.572459
912796RW1 US912796RW15 2019-04-04 2019-07-05 99.391778 2380 366 2.434473
912796SD2 US912796SD25 2019-02-28 2020-02-27 97.502556 2470 365 2.552211
912796SD2 US912796SD25 2019-08-29 2020-02-27 99.069778 1840 366 1.888231
912796SD2 US912796SD25 2019-11-29 2020-02-27 99.610000 1560 366 1.592210
912796UA5 US912796UA57 2020-03-26 2020-06-25 100.000000   0 365 0.000000
912796XE4 US912796XE43 2020-02-27 2021-02-25 98.715889 1270 366 1.303736
912796XE4 US912796XE43 2020-05-28 2021-02-25 99.863500  180 365 0.182694
912796XE4 US912796XE43 2020-08-27 2021-02-25 99.939333  120 365 0.121741
912796XE4 US912796XE43 2020-10-29 2021-02-25 99.966944  100 365 0.101424
912796XE4 US912796XE43 2020-11-27 2021-02-25 99.978750   85 365 0.086199
912796XE4 US912796XE43 2021-01-14 2021-02-25 99.990083   85 365 0.086192
912796Y94 US912796Y940 2021-11-26 2021-12-31 99.985417  150 365 0.152102
912797FR3 US912797FR31 2023-03-07 2023-07-05 98.371667 4885 366 5.048624
912797FR3 US912797FR31 2023-05-09 2023-07-05 99.145000 5400 366 5.537344
912797FR3 US912797FR31 2023-06-06 2023-07-05 99.586750 5130 366 5.237142
912797GK7 US912797GK78 2023-08-10 2024-08-08 94.883778 5060 366 5.350543
912797GK7 US912797GK78 2024-02-08 2024-08-08 97.449472 5045 366 5.263326
912797GK7 US912797GK78 2024-05-09 2024-08-08 98.672917 5250 365 5.394505
912797GK7 US912797GK78 2024-06-27 2024-08-08 99.387500 5250 365 5.355720
912797GY7 US912797GY72 2023-09-28 2024-03-28 97.312972 5315 366 5.552789
912797GY7 US912797GY72 2023-12-28 2024-03-28 98.670389 5260 366 5.419728
912797GY7 US912797GY72 2024-02-15 2024-03-28 99.384000 5280 366 5.401272
912797HE0 US912797HE00 2023-11-02 2024-10-31 94.807944 5135 366 5.433093
912797HE0 US912797HE00 2024-05-02 2024-10-31 97.388806 5165 365 5.377143
912797HP5 US912797HP56 2023-11-30 2024-11-29 94.996458 4935 366 5.213741
912797HP5 US912797HP56 2024-05-30 2024-11-29 97.371917 5170 365 5.382886
912797JR9 US912797JR94 2024-01-25 2025-01-23 95.379222 4570 366 4.813647
912797JR9 US912797JR94 2024-07-25 2025-01-23 97.477278 4990 365 5.190240
912797KF3 US912797KF38 2024-02-20 2024-06-18 98.276153 5215 366 5.394916
912797KF3 US912797KF38 2024-04-23 2024-06-18 99.179444 5275 365 5.392515
912797KF3 US912797KF38 2024-05-21 2024-06-18 99.590111 5270 365 5.365187
912797KJ5 US912797KJ59 2024-03-21 2025-03-20 95.136556 4810 365 5.062221
912797KS5 US912797KS58 2024-04-18 2025-04-17 95.030389 4915 365 5.177043
912797LB1 US912797LB15 2024-05-16 2025-05-15 95.050611 4895 365 5.155158
912797LG0 US912797LG02 2024-05-14 2024-09-10 98.267889 5240 365 5.406423
912797LG0 US912797LG02 2024-07-16 2024-09-10 99.181778 5260 365 5.377050
912797LG0 US912797LG02 2024-08-13 2024-09-10 99.588944 5285 365 5.380526
912797LS4 US912797LS40 2024-06-11 2024-10-08 98.272847 5225 365 5.390675
912797LS4 US912797LS40 2024-08-13 2024-10-08 99.192667 5190 365 5.304909
912797MF1 US912797MF10 2023-06-02 2023-06-05 99.948750 6150 366 6.255706
912797MG9 US912797MG92 2024-08-08 2025-08-07 95.697722 4255 365 4.458487
"""

# Rates that a second public source printed: (issue, maturity, thousandths, investment rate as printed, price or None)
SECOND_SOURCE = [
    ("2026-01-08", "2026-04-09", 3540, "3.622", "99.105167"),
    ("2026-08-18", "2026-09-15", 3625, "3.686", "99.718056"),
    ("2026-07-07", "2026-08-04", 3605, "3.665", "99.719611"),
    ("2026-05-21", "2026-11-19", 3615, "3.733", "98.172417"),
    ("2026-08-20", "2026-11-19", 3715, "3.802", "99.060931"),
    ("2026-10-08", "2026-11-19", 3945, "4.018", "99.539750"),
    ("2026-07-09", "2027-01-07", 3830, "3.960", "98.063722"),
    ("2026-10-08", "2027-01-07", 4050, "4.149", "98.976250"),
    ("2023-11-02", "2024-10-31", 5135, "5.43", "94.807944"),
    ("2013-11-14", "2014-02-13", 75, "0.076", "99.981042"),
    ("2013-11-14", "2014-05-15", 95, "0.096", "99.951972"),
    ("2011-03-03", "2011-06-02", 145, "0.147", "99.963347"),
    ("2011-03-03", "2011-09-01", 170, "0.173", "99.914056"),
]


def _rows() -> list[tuple[str, str, date, date, Decimal, int, int, Decimal]]:
    return [
        (
            cusip,
            isin,
            date.fromisoformat(issue),
            date.fromisoformat(maturity),
            Decimal(price),
            int(rate),
            int(basis),
            Decimal(investment),
        )
        for cusip, isin, issue, maturity, price, rate, basis, investment in (
            line.split() for line in PUBLISHED.strip().splitlines()
        )
    ]


def test_the_price_of_the_regulations_example() -> None:
    assert tbill.price(7_610, 90) == Decimal("98.097500")
    assert tbill.cash_amount(10_000, Decimal("98.098000")) == Decimal("9809.80")


def test_the_discount_rate_of_the_regulations_example() -> None:
    rate = tbill.discount_rate_percent(Decimal("95.934567"), 182)
    assert rate.quantize(Decimal("0.0000001")) == Decimal("8.0415158")


@pytest.mark.parametrize(("price", "days", "percent"), [("99.559444", 20, "8.075725"), ("92.265000", 364, "8.237324")])
def test_the_investment_rates_of_the_regulations_examples(price: str, days: int, percent: str) -> None:
    rate = tbill.investment_rate_percent(Decimal(price), days, 365)
    assert rate.quantize(Decimal("0.000001")) == Decimal(percent)


def test_the_year_basis_of_the_regulations_examples() -> None:
    assert tbill.year_basis(date(2019, 2, 28)) == 365
    assert tbill.year_basis(date(2019, 3, 1)) == 366
    assert tbill.year_basis(date(2024, 2, 29)) == 366


@pytest.mark.parametrize("row", _rows(), ids=lambda row: f"{row[0]}-{row[2]}")
def test_a_published_auction_is_reproduced_to_the_last_digit(
    row: tuple[str, str, date, date, Decimal, int, int, Decimal],
) -> None:
    cusip, isin, issue, maturity, price, rate, basis, investment = row
    days = (maturity - issue).days
    assert tbill.is_valid_cusip(cusip)
    assert tbill.isin(cusip) == isin
    assert tbill.price(rate, days) == price
    assert tbill.year_basis(issue) == basis
    computed = tbill.investment_rate_percent(price, days, basis)
    assert computed.quantize(Decimal("0.000001")) == investment


@pytest.mark.parametrize(("issue", "maturity", "rate", "investment", "price"), SECOND_SOURCE)
def test_rates_printed_by_a_second_source_are_reproduced(
    issue: str, maturity: str, rate: int, investment: str, price: str
) -> None:
    issued, matures = date.fromisoformat(issue), date.fromisoformat(maturity)
    days = (matures - issued).days
    assert tbill.price(rate, days) == Decimal(price)
    computed = tbill.investment_rate_percent(Decimal(price), days, tbill.year_basis(issued))
    assert computed.quantize(Decimal(investment)) == Decimal(investment)


def test_every_auction_that_travels_with_the_package_has_the_price_of_its_rate() -> None:
    rows = tbill.auctions()
    assert len(rows) == 4_352
    for row in rows:
        assert tbill.price(row.discount_rate_thousandths, row.days) == row.price_per_100
        assert tbill.is_valid_cusip(row.cusip)
        assert row.auction_date <= row.issue_date < row.maturity_date


def test_a_cusip_of_the_table_has_one_maturity() -> None:
    maturities: dict[str, set[date]] = {}
    for row in tbill.auctions():
        maturities.setdefault(row.cusip, set()).add(row.maturity_date)
    assert all(len(dates) == 1 for dates in maturities.values())


@pytest.mark.parametrize("cusip", ["037833100", "17275R102", "38259P508", "594918104", "68389X105"])
def test_known_cusips_are_valid(cusip: str) -> None:
    assert tbill.is_valid_cusip(cusip)


@pytest.mark.parametrize(
    "cusip",
    [
        "68389X106",
        "912797LV6",
        "912797QJ2",
        "912797KF8",
        "912797AB1",
        "912797AA1",
        "912797PE2",
        "912797HC3",
        "912796XY1",
        "912797kj5",
        "912797KJ",
        "912797KJ59",
        "912797K 5",
    ],
)
def test_invented_or_malformed_cusips_are_invalid(cusip: str) -> None:
    assert not tbill.is_valid_cusip(cusip)


@settings(max_examples=200)
@given(st.text(alphabet="0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*@#", min_size=8, max_size=8), st.integers(0, 9))
def test_exactly_one_check_digit_makes_a_cusip_valid(first_eight: str, digit: int) -> None:
    right = tbill.cusip_check_digit(first_eight)
    assert tbill.is_valid_cusip(first_eight + str(digit)) is (str(digit) == right)


def test_a_cusip_of_wrong_length_or_letters_has_no_check_digit() -> None:
    for wrong in ("1234567", "123456789", "1234567ä"):
        with pytest.raises(ValueError, match="CUSIP"):
            tbill.cusip_check_digit(wrong)


@given(rate=st.integers(0, 20_000), days=st.integers(1, 366))
def test_the_price_is_the_exact_one_rounded_to_six_places(rate: int, days: int) -> None:
    exact = 100 - Decimal(rate) * days / Decimal(360_000)
    assert abs(tbill.price(rate, days) - exact) <= Decimal("0.0000005")
    assert tbill.price_micros(rate, days) == int(tbill.price(rate, days).scaleb(6))


@given(rate=st.integers(0, 20_000), days=st.integers(1, 366))
def test_the_discount_rate_of_a_price_is_the_rate_it_was_made_from(rate: int, days: int) -> None:
    back = tbill.discount_rate_percent(tbill.price(rate, days), days) * 1000
    assert abs(back - rate) <= Decimal("0.00018") * 1000 / days + Decimal("1e-20")


@given(price=st.integers(80_000_000, 100_000_000), days=st.integers(1, 366), basis=st.sampled_from([365, 366]))
def test_both_branches_of_the_investment_rate_earn_the_discount(price: int, days: int, basis: int) -> None:
    # Up to half a year simple interest, beyond it half a year's interest paid and reinvested, gives par.
    per_100 = Decimal(price).scaleb(-6)
    rate = tbill.investment_rate_percent(per_100, days, basis) / 100
    term = Decimal(days) / basis
    if 2 * days <= basis:
        par = per_100 * (1 + rate * term)
    else:
        par = per_100 * (1 + rate * (term - Decimal("0.5"))) * (1 + rate / 2)
    assert abs(par - 100) < Decimal("1e-20")


@given(bills=st.integers(0, 10**8), price=st.integers(0, 100_000_000))
def test_cash_in_integers_equals_cash_in_decimals(bills: int, price: int) -> None:
    decimals = tbill.cash_amount(bills * tbill.BILL_FACE, Decimal(price).scaleb(-6))
    assert Decimal(tbill.cash_cents(bills, price)).scaleb(-2) == decimals


@pytest.mark.parametrize("days", [0, -1])
def test_a_rate_needs_a_day_to_maturity(days: int) -> None:
    with pytest.raises(ValueError, match="at least one day"):
        tbill.discount_rate_percent(Decimal("99.5"), days)
    with pytest.raises(ValueError, match="at least one day"):
        tbill.investment_rate_percent(Decimal("99.5"), days, 365)

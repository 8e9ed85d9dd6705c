"""Treasury bill arithmetic: price, discount and investment rate, CUSIP and ISIN check digits, the auctions.

Belongs here: Treasury's own formulas in exact arithmetic and Treasury's published auctions. Does not belong
here: marks, yields of a portfolio, anything about Jiko.

Sources: 31 CFR 356 Appendix B section VI (formulas), ANSI X9.6 (CUSIP), ISO 6166 (ISIN), TreasuryDirect's
auction query (`treasury_auctions.csv`: bills issued from 2005 to August 2024, published price per 100; the
discount rate is the one on Treasury's bid grid that reproduces that price to six decimals).
"""

import csv
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import lru_cache
from importlib import resources
from typing import Final

BILL_FACE: Final = 100
"""Face (par) amount of one bill in US dollars."""

_MICRO: Final = Decimal("0.000001")
_CENT: Final = Decimal("0.01")
_CUSIP_LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*@#"


def price_micros(rate_thousandths: int, days: int) -> int:
    """Price per 100 of face in millionths, rounded as Treasury rounds (six decimals, half up).

    `rate_thousandths` is the bank discount rate in thousandths of a percent (5250 is 5.250 %), `days` the
    actual days from settlement to maturity. Exact: 100 - rate * days / 360 in integers.
    """
    return 100_000_000 - (50 * rate_thousandths * days + 9) // 18


def price(rate_thousandths: int, days: int) -> Decimal:
    """`price_micros` as a decimal with six places."""
    return Decimal(price_micros(rate_thousandths, days)) * _MICRO


def discount_rate_percent(price_per_100: Decimal, days: int) -> Decimal:
    """Bank discount rate in percent, unrounded: (100 - P) * 360 / days. `days` must be positive."""
    if days <= 0:
        raise ValueError(f"a discount rate needs at least one day to maturity, not {days}")
    return (100 - price_per_100) * 360 / days


def year_basis(issue: date) -> int:
    """365, or 366 when the year that follows `issue` contains a 29 February (31 CFR 356 App. B VI.D)."""
    try:
        anniversary = issue.replace(year=issue.year + 1)
    except ValueError:
        anniversary = date(issue.year + 1, 3, 1)
    return (anniversary - issue).days


def investment_rate_percent(price_per_100: Decimal, days: int, basis: int) -> Decimal:
    """Investment rate (coupon equivalent) in percent, unrounded; both branches of 31 CFR 356 App. B VI.D.

    `basis` is the year in days (`year_basis`). Bills of more than half a year take the quadratic form.
    """
    if days <= 0:
        raise ValueError(f"an investment rate needs at least one day to maturity, not {days}")
    with localcontext() as context:
        context.prec = 40
        term = Decimal(days) / basis
        if 2 * days <= basis:
            return (100 - price_per_100) / price_per_100 / term * 100
        a = term / 2 - Decimal("0.25")
        c = (price_per_100 - 100) / price_per_100
        return (-term + (term * term - 4 * a * c).sqrt()) / (2 * a) * 100


def cash_amount(face: Decimal | int, price_per_100: Decimal) -> Decimal:
    """What `face` dollars of face cost at `price_per_100`, in dollars and cents, half away from zero."""
    return (Decimal(face) * price_per_100 * _CENT).quantize(_CENT, ROUND_HALF_UP)


def cash_cents(bills: int, price_per_100_micros: int) -> int:
    """What `bills` bills of 100 face cost, in cents, half up; integers only."""
    return (bills * price_per_100_micros + 5_000) // 10_000


def cusip_check_digit(first_eight: str) -> str:
    """The ninth character of a CUSIP. Raises ValueError for characters that no CUSIP has."""
    if len(first_eight) != 8:
        raise ValueError(f"a CUSIP has eight characters before its check digit, not {len(first_eight)}")
    total = 0
    for position, character in enumerate(first_eight):
        value = _CUSIP_LETTERS.find(character)
        if value < 0:
            raise ValueError(f"{character!r} cannot stand in a CUSIP")
        if position % 2:
            value *= 2
        total += value // 10 + value % 10
    return str(-total % 10)


def is_valid_cusip(cusip: str) -> bool:
    """True for nine characters in upper case whose check digit is right."""
    return (
        len(cusip) == 9
        and all(character in _CUSIP_LETTERS for character in cusip)
        and cusip_check_digit(cusip[:8]) == cusip[8]
    )


def isin(cusip: str) -> str:
    """The US ISIN of a CUSIP: country code, CUSIP, Luhn digit over the letters spelled as numbers."""
    body = f"US{cusip}"
    digits = "".join(str(int(character, 36)) for character in body)
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value // 10 + value % 10
    return f"{body}{-total % 10}"


@dataclass(frozen=True, slots=True)
class Auction:
    """One auction of one bill; a reopening is an auction of its own with the same CUSIP."""

    cusip: str
    security_term: str
    auction_date: date
    issue_date: date
    maturity_date: date
    price_per_100: Decimal
    discount_rate_thousandths: int

    @property
    def days(self) -> int:
        """Actual days from issue to maturity."""
        return (self.maturity_date - self.issue_date).days


@lru_cache(maxsize=1)
def auctions() -> tuple[Auction, ...]:
    """Treasury's bill auctions that travel with the package, by issue date, then maturity."""
    text = (resources.files("jiko_pipeline") / "treasury_auctions.csv").read_text(encoding="utf-8")
    return tuple(
        Auction(
            cusip=row["cusip"],
            security_term=row["security_term"],
            auction_date=date.fromisoformat(row["auction_date"]),
            issue_date=date.fromisoformat(row["issue_date"]),
            maturity_date=date.fromisoformat(row["maturity_date"]),
            price_per_100=Decimal(row["price_per_100"]),
            discount_rate_thousandths=int(row["discount_rate_thousandths"]),
        )
        for row in csv.DictReader(text.splitlines())
    )

"""The bill arithmetic that queries can call says what `jiko_pipeline.tbill` says, over every auction there is."""

from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from jiko_pipeline import tbill
from jiko_pipeline.warehouse import ddl
from jiko_pipeline.warehouse.connection import transaction
from jiko_pipeline.warehouse.frames import registered

SIX = Decimal("0.000001")


def rounded(value: Decimal) -> Decimal:
    return value.quantize(SIX, ROUND_HALF_UP)


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse file with every auction and what Python says of it as the table `auction`."""
    path: Path = tmp_path_factory.mktemp("functions") / "warehouse.duckdb"
    auctions = tbill.auctions()
    frame = pl.DataFrame(
        {
            "cusip": [row.cusip for row in auctions],
            "isin": [tbill.isin(row.cusip) for row in auctions],
            "issue_date": [row.issue_date for row in auctions],
            "maturity_date": [row.maturity_date for row in auctions],
            "price": pl.Series([row.price_per_100 for row in auctions], dtype=pl.Decimal(12, 6)),
            "rate": pl.Series(
                [Decimal(row.discount_rate_thousandths).scaleb(-3) for row in auctions], dtype=pl.Decimal(12, 3)
            ),
            "discount_rate": pl.Series(
                [rounded(tbill.discount_rate_percent(row.price_per_100, row.days)) for row in auctions],
                dtype=pl.Decimal(18, 6),
            ),
            "year_basis": [tbill.year_basis(row.issue_date) for row in auctions],
            "investment_rate": pl.Series(
                [
                    rounded(
                        tbill.investment_rate_percent(row.price_per_100, row.days, tbill.year_basis(row.issue_date))
                    )
                    for row in auctions
                ],
                dtype=pl.Decimal(18, 6),
            ),
        }
    )
    with duckdb.connect(str(path)) as opened:
        with transaction(opened):
            ddl.create_schema(opened)
        with registered(opened, "auctions", frame):
            opened.execute(
                "create table auction as select *, date_diff('day', issue_date, maturity_date) as days from auctions"
            )
        yield opened


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("meta.tbill_price(rate, days)", "price"),
        ("meta.tbill_discount_rate_percent(price, days)", "discount_rate"),
        ("cast(meta.tbill_discount_rate_percent(price, days) as decimal(12, 3))", "rate"),
        ("meta.tbill_year_basis(issue_date)", "year_basis"),
        ("meta.tbill_investment_rate_percent(price, days, year_basis)", "investment_rate"),
        ("meta.cusip_check_digit(substr(cusip, 1, 8))", "substr(cusip, 9, 1)"),
        ("meta.isin_of(cusip)", "isin"),
    ],
)
def test_every_auction_is_answered_as_python_answers(con: duckdb.DuckDBPyConnection, said: str, expected: str) -> None:
    tested = "days >= 20" if expected == "rate" else "true"  # three decimals of a rate need a term of some days
    different = con.execute(
        f"select cusip, issue_date, {said}, {expected} from auction"
        f" where {tested} and {said} is distinct from {expected}"
    ).fetchall()
    assert different == []
    assert con.execute(f"select count(*) from auction where {tested}").fetchall()[0][0] > 4_000


def test_the_regulations_examples_hold_in_queries(con: duckdb.DuckDBPyConnection) -> None:
    row = con.execute(
        """
        select
            meta.tbill_price(7.610, 90),
            meta.tbill_discount_rate_percent(95.934567, 182),
            meta.tbill_investment_rate_percent(99.559444, 20, 365),
            meta.tbill_investment_rate_percent(92.265000, 364, 365),
            meta.tbill_year_basis(date '2019-02-28'),
            meta.tbill_year_basis(date '2019-03-01')
        """
    ).fetchall()[0]
    assert row == (
        Decimal("98.097500"), Decimal("8.041516"), Decimal("8.075725"), Decimal("8.237324"), 365, 366
    )  # fmt: skip


def test_year_bases_agree_on_every_day_of_twelve_years(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        "select cast(d as date), meta.tbill_year_basis(cast(d as date))"
        " from range(date '2015-01-01', date '2027-01-01', interval 1 day) as days (d)"
    ).fetchall()
    assert len(rows) == 4_383
    assert [(day, basis) for day, basis in rows if tbill.year_basis(day) != basis] == []


def test_there_is_no_rate_at_maturity_or_after_it(con: duckdb.DuckDBPyConnection) -> None:
    row = con.execute(
        "select meta.tbill_discount_rate_percent(99.5, 0), meta.tbill_investment_rate_percent(99.5, -1, 365)"
    ).fetchall()[0]
    assert row == (None, None)


@pytest.mark.parametrize("cusip", ["037833100", "17275R102", "38259P508", "594918104", "68389X105"])
def test_check_digits_of_other_issuers_are_known_too(con: duckdb.DuckDBPyConnection, cusip: str) -> None:
    said = con.execute("select meta.cusip_check_digit($1), meta.isin_of($2)", [cusip[:8], cusip]).fetchall()[0]
    assert said == (cusip[8], tbill.isin(cusip))


def test_the_worked_accretion_of_a_real_bill() -> None:
    # 912797GK7, 13 weeks from 2024-05-09 at 98.672917: the discount of ten million face.
    (auction,) = [a for a in tbill.auctions() if (a.cusip, a.issue_date) == ("912797GK7", date(2024, 5, 9))]
    cost = tbill.cash_amount(10_000_000, auction.price_per_100)
    assert (cost, 10_000_000 - cost) == (Decimal("9867291.70"), Decimal("132708.30"))

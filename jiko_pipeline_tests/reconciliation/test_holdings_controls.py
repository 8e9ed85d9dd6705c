"""K30 to K41 on a small bank: quiet on clean facts, and each fault fires exactly what it should, nothing else."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiko_pipeline import calendars, tbill
from jiko_pipeline.reconciliation.basis import Basis
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline_tests.reconciliation.small_bank import (
    BILLS,
    DAYS,
    MATURING,
    NEW,
    NEW_OPENS,
    OLD,
    Answer,
    Facts,
    Row,
    ask,
    breaks,
    clean_facts,
)

HOLDINGS = ("K30", "K31", "K32", "K33", "K34", "K35", "K36", "K37", "K38", "K40", "K41")
DAY, NEXT = DAYS[7], DAYS[8]
"""A day late enough that the days around it are clean: 2024-06-12, and the one after it."""
MATURITY_DAY = MATURING.maturity_date
LONG = BILLS[3].cusip


def trade_of(facts: Facts, activity: str, day: date = DAY, pocket: str = OLD) -> Row:
    return facts.find("core.trade", activity=activity, trade_date=day, pocket_id=pocket)[0]


def position(facts: Facts, cusip: str = LONG, day: date = DAY, pocket: str = OLD) -> Row:
    return facts.one("core.position_daily", pocket_id=pocket, business_date=day, cusip=cusip)


def statement(facts: Facts, day: date = DAY, pocket: str = OLD) -> Row:
    return facts.one("core.brokerage_daily", pocket_id=pocket, business_date=day)


def fired(path: Path, facts: Facts, **options: Basis | None) -> set[tuple[str, str, str, str, date, str]]:
    return breaks(ask(path, facts, *HOLDINGS, **options))


def codes(found: set[tuple[str, str, str, str, date, str]]) -> set[tuple[str, str, date]]:
    return {(control, code, day) for control, code, _, _, day, _ in found}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_clean_facts_fire_nothing_and_every_control_answers_for_every_pocket_day(tmp_path: Path, seed: int) -> None:
    answers = ask(tmp_path, clean_facts(seed), *HOLDINGS)
    assert not breaks(answers)
    expected = {(OLD, day) for day in DAYS} | {(NEW, day) for day in DAYS if day >= NEW_OPENS}
    for control_id, rows in answers.items():
        assert {(row.pocket_id, row.business_date) for row in rows} == expected, control_id
        assert any(row.status == "PASS" for row in rows), control_id
        keys = [(row.pocket_id, row.business_date, row.entity_key, row.code) for row in rows]
        assert len(keys) == len(set(keys)), control_id
    reasons = {row.reason for rows in answers.values() for row in rows}
    assert reasons <= {"", "NO_ACTIVITY", "BASELINE", "NO_REFERENCE"}


def test_the_first_day_of_an_older_pocket_is_a_baseline_and_that_of_a_new_one_is_tested(tmp_path: Path) -> None:
    for control_id, rows in ask(tmp_path, clean_facts(), "K32", "K33", "K34").items():
        old = {row.reason for row in rows if row.pocket_id == OLD and row.business_date == DAYS[0]}
        new = {row.status for row in rows if row.pocket_id == NEW and row.business_date == NEW_OPENS}
        assert (old, new) == ({"BASELINE"}, {"PASS"}), control_id


def test_without_a_confirmed_basis_what_rests_on_it_is_not_tested(tmp_path: Path) -> None:
    answers = ask(tmp_path, clean_facts(), "K31", "K32", "K33", "K34", "K35", basis=None)
    for control_id, rows in answers.items():
        assert {row.status for row in rows} == {"NOT_TESTED"}, control_id
        assert {row.reason for row in rows} <= {"BASIS", "BASELINE", "NO_ACTIVITY"}, control_id


def test_a_trade_missing_from_the_listing_breaks_trades_positions_gain_and_cash(tmp_path: Path) -> None:
    facts = clean_facts()
    trade = trade_of(facts, "BUY")
    facts.remove("core.trade", lambda row: row is trade)
    assert fired(tmp_path, facts) == {
        ("K30", "TRD_RPT_ONLY", "", OLD, DAY, trade["trade_id"]),
        ("K32", "POS_ROLL", "POS_UNEXPLAINED_UP", OLD, DAY, trade["cusip"]),
        ("K33", "GAIN_PROOF", "", OLD, DAY, ""),
        ("K34", "CASH_PROOF", "", OLD, DAY, ""),
    }


@pytest.mark.parametrize("forms", [("CSV", "KYRIBA_CSV"), ("CSV",), ("KYRIBA_CSV",)])
def test_a_trade_missing_from_the_report_breaks_the_trades_alone(tmp_path: Path, forms: tuple[str, ...]) -> None:
    facts = clean_facts()
    trade_id = trade_of(facts, "BUY")["trade_id"]
    facts.remove("core.trade_report", lambda row: row["trade_reference"] == trade_id and row["output_format"] in forms)
    answers = ask(tmp_path, facts, *HOLDINGS)
    assert breaks(answers) == {("K30", "TRD_API_ONLY", "", OLD, DAY, trade_id)}
    (row,) = [row for row in answers["K30"] if row.status == "BREAK"]
    assert all(form in row.detail for form in forms)


def test_a_trade_that_differs_between_listing_and_report_names_the_fields(tmp_path: Path) -> None:
    facts = clean_facts()
    trade_id = trade_of(facts, "BUY")["trade_id"]
    report = facts.one("core.trade_report", trade_reference=trade_id, output_format="CSV")
    report["price"] += Decimal("0.000001")
    report["settlement_date"] += timedelta(days=1)
    assert fired(tmp_path, facts) == {("K30", "TRD_FIELD", "price,settlement_date", OLD, DAY, trade_id)}


def test_a_report_with_references_of_its_own_matches_by_attributes_when_they_are_unique(tmp_path: Path) -> None:
    facts = clean_facts()
    for row in facts.rows["core.trade_report"]:
        row["trade_reference"] = "R" + row["trade_reference"]
    assert fired(tmp_path, facts) == set()


def test_two_equal_trades_without_a_common_reference_are_not_paired_by_guess(tmp_path: Path) -> None:
    facts = clean_facts()
    trade_id = trade_of(facts, "BUY")["trade_id"]
    for row in facts.find("core.trade_report", trade_reference=trade_id):
        row["trade_reference"] = "first"
        facts.add("core.trade_report", **{**row, "trade_reference": "second"})
    assert {(code, entity) for _, code, _, _, _, entity in fired(tmp_path, facts)} == {
        ("TRD_API_ONLY", trade_id),
        ("TRD_RPT_ONLY", "first"),
        ("TRD_RPT_ONLY", "second"),
    }


def test_a_day_without_a_trade_report_is_not_compared(tmp_path: Path) -> None:
    facts = clean_facts()
    facts.remove(
        "raw.delivery",
        lambda row: row["document_kind"].startswith("TRADE_REPORT") and row["scope_date"] == DAY,
    )
    facts.remove("core.trade_report", lambda row: row["trade_date"] == DAY)
    answers = ask(tmp_path, facts, "K30")
    assert not breaks(answers)
    assert {row.reason for row in answers["K30"] if row.business_date == DAY} == {"NO_INPUT"}


def test_a_trade_booked_a_day_late_everywhere_breaks_both_days_and_not_the_comparison(tmp_path: Path) -> None:
    facts = clean_facts()
    trade = trade_of(facts, "BUY")
    reports = facts.find("core.trade_report", trade_reference=trade["trade_id"])
    for row in (trade, *reports):
        row["trade_date"] = row["book_date"] = row["settlement_date"] = NEXT
    found = fired(tmp_path, facts)
    assert codes(found) == {
        (control, code, day)
        for control, code in (("K32", "POS_ROLL"), ("K33", "GAIN_PROOF"), ("K34", "CASH_PROOF"))
        for day in (DAY, NEXT)
    }


def test_a_fat_fingered_price_in_both_sources_breaks_the_arithmetic_alone(tmp_path: Path) -> None:
    facts = clean_facts()
    trade = trade_of(facts, "BUY")
    for row in (trade, *facts.find("core.trade_report", trade_reference=trade["trade_id"])):
        row["price"] -= 1
    assert fired(tmp_path, facts) == {("K31", "TRD_MATH", "", OLD, DAY, trade["trade_id"])}


def test_a_quantity_in_another_unit_is_called_so(tmp_path: Path) -> None:
    facts = clean_facts()
    trade = trade_of(facts, "BUY")
    for row in (trade, *facts.find("core.trade_report", trade_reference=trade["trade_id"])):
        row["quantity"] *= 100
    assert fired(tmp_path, facts) == {("K31", "UNIT_INCONSISTENT", "", OLD, DAY, trade["trade_id"])}


@pytest.mark.parametrize(("cents", "broken"), [(1, False), (2, True)])
def test_the_arithmetic_of_a_trade_hides_one_cent_and_no_more(tmp_path: Path, cents: int, broken: bool) -> None:
    facts = clean_facts()
    trade = trade_of(facts, "BUY")
    trade["notional"] += Decimal(cents).scaleb(-2)
    assert bool(breaks(ask(tmp_path, facts, "K31"))) is broken


def test_a_position_one_bill_too_many_goes_up_and_comes_down_again(tmp_path: Path) -> None:
    facts = clean_facts()
    untouched = next(
        bill.cusip
        for bill in BILLS[1:]
        if not [t for d in (DAY, NEXT) for t in facts.find("core.trade", trade_date=d, pocket_id=OLD, cusip=bill.cusip)]
    )
    row = position(facts, untouched)
    row["quantity"] += 1
    row["face_amount"] += 100
    answers = ask(tmp_path, facts, *HOLDINGS)
    assert breaks(answers) == {
        ("K32", "POS_ROLL", "POS_UNEXPLAINED_UP", OLD, DAY, untouched),
        ("K32", "POS_ROLL", "POS_UNEXPLAINED_DOWN", OLD, NEXT, untouched),
        ("K36", "MV_MATH", "", OLD, DAY, untouched),
    }
    differences = {row.business_date: row.difference for row in answers["K32"] if row.status == "BREAK"}
    assert differences == {DAY: 100, NEXT: -100}


def test_a_vanished_position_is_a_row_and_not_an_absence(tmp_path: Path) -> None:
    facts = clean_facts()
    gone = position(facts)
    facts.remove("core.position_daily", lambda row: row is gone)
    answers = ask(tmp_path, facts, "K32")
    assert ("K32", "POS_ROLL", "POS_UNEXPLAINED_DOWN", OLD, DAY, LONG) in breaks(answers)


def test_a_market_value_off_by_ten_breaks_valuation_close_and_gain(tmp_path: Path) -> None:
    facts = clean_facts()
    position(facts)["market_value"] += 10
    assert codes(fired(tmp_path, facts)) == {
        ("K36", "MV_MATH", DAY),
        ("K35", "VAL_CLOSE", DAY),
        ("K33", "GAIN_PROOF", DAY),
        ("K33", "GAIN_PROOF", NEXT),
    }


def test_a_closing_value_off_by_ten_breaks_the_close_alone(tmp_path: Path) -> None:
    facts = clean_facts()
    statement(facts)["closing_value"] += 10
    assert fired(tmp_path, facts) == {("K35", "VAL_CLOSE", "", OLD, DAY, "")}


@pytest.mark.parametrize(("beyond", "broken"), [(0, False), (1, True)])
def test_the_close_hides_one_cent_for_each_bill_held(tmp_path: Path, beyond: int, broken: bool) -> None:
    facts = clean_facts()
    held = len(facts.find("core.position_daily", pocket_id=OLD, business_date=DAY))
    statement(facts)["closing_value"] += Decimal(held + beyond).scaleb(-2)
    assert bool(breaks(ask(tmp_path, facts, "K35"))) is broken


@pytest.mark.parametrize(("beyond", "broken"), [(0, False), (1, True)])
def test_the_gain_proof_hides_half_a_cent_a_bill_and_a_cent(tmp_path: Path, beyond: int, broken: bool) -> None:
    facts = clean_facts()
    held = sum(len(facts.find("core.position_daily", pocket_id=OLD, business_date=d)) for d in (DAYS[6], DAY))
    statement(facts)["gains"] += Decimal((held + 2) // 2 + beyond).scaleb(-2)
    assert bool(breaks(ask(tmp_path, facts, "K33"))) is broken


def test_a_gain_overstated_behind_an_addition_breaks_gain_and_cash_though_the_statement_foots(tmp_path: Path) -> None:
    facts = clean_facts()
    row = statement(facts)
    row["gains"] += 500
    row["additions"] -= 500
    assert fired(tmp_path, facts) == {
        ("K33", "GAIN_PROOF", "", OLD, DAY, ""),
        ("K34", "CASH_PROOF", "", OLD, DAY, ""),
    }


def test_a_cent_of_cash_that_nothing_explains_breaks_the_cash_proof_on_both_days(tmp_path: Path) -> None:
    facts = clean_facts()
    statement(facts)["cash_balance"] += Decimal("0.01")
    assert codes(breaks(ask(tmp_path, facts, "K34"))) == {("K34", "CASH_PROOF", DAY), ("K34", "CASH_PROOF", NEXT)}


def test_a_price_that_only_the_report_repeats_differs_and_is_stale_for_every_holder(tmp_path: Path) -> None:
    facts = clean_facts()
    yesterday = facts.one("core.security_price", cusip=LONG, price_date=DAYS[6])
    facts.one("core.security_price", cusip=LONG, price_date=DAY)["price"] = yesterday["price"]
    holders = {row["pocket_id"] for row in facts.find("core.position_daily", cusip=LONG, business_date=DAY)}
    assert fired(tmp_path, facts) == {
        expected
        for pocket in holders
        for expected in (
            ("K37", "PX_SRC_DIFF", "", pocket, DAY, LONG),
            ("K38", "PX_STALE", "SECURITY_PRICE", pocket, DAY, LONG),
        )
    }


def make_stale_everywhere(facts: Facts, cusip: str, day: date) -> set[str]:
    """Yesterday's price in the report, in every position and in the statements; the next day is right again."""
    before, after = DAYS[DAYS.index(day) - 1], DAYS[DAYS.index(day) + 1]
    old_price = facts.one("core.security_price", cusip=cusip, price_date=before)["price"]
    facts.one("core.security_price", cusip=cusip, price_date=day)["price"] = old_price
    holders = set()
    for row in facts.find("core.position_daily", cusip=cusip, business_date=day):
        pocket = row["pocket_id"]
        holders.add(pocket)
        value = tbill.cash_amount(row["face_amount"], old_price)
        change = value - row["market_value"]
        row["price"], row["market_value"] = old_price, value
        today, tomorrow = statement(facts, day, pocket), statement(facts, after, pocket)
        for name in ("gains", "closing_value", "market_value"):
            today[name] += change
        tomorrow["opening_value"] += change
        tomorrow["gains"] -= change
    return holders


@pytest.mark.parametrize("day", [DAY, date(2024, 6, 10)], ids=["over one night", "over a weekend"])
def test_a_price_stale_in_every_source_is_seen_by_its_age_alone(tmp_path: Path, day: date) -> None:
    facts = clean_facts()
    holders = make_stale_everywhere(facts, LONG, day)
    assert fired(tmp_path, facts) == {
        ("K38", "PX_STALE", "POSITION,SECURITY_PRICE", pocket, day, LONG) for pocket in holders
    }


def test_a_bill_that_leaves_the_others_by_more_than_the_tolerance_jumps_and_jumps_back(tmp_path: Path) -> None:
    facts = clean_facts()
    price = facts.one("core.security_price", cusip=LONG, price_date=DAY)
    days = (BILLS[3].maturity_date - DAY).days
    price["price"] -= Decimal("0.0001") * (days * 100 * 60 // 36_000) * 100
    found = breaks(ask(tmp_path, facts, "K38"))
    assert {(code, day, entity) for _, code, _, _, day, entity in found} == {
        ("PX_JUMP", DAY, LONG),
        ("PX_JUMP", NEXT, LONG),
    }


def test_a_price_above_par_or_at_nothing_is_out_of_range(tmp_path: Path) -> None:
    facts = clean_facts()
    facts.one("core.security_price", cusip=LONG, price_date=DAY)["price"] = Decimal("100.000001")
    facts.one("core.security_price", cusip=BILLS[2].cusip, price_date=DAY)["price"] = Decimal(0)
    found = breaks(ask(tmp_path, facts, "K38"))
    assert {(code, entity) for _, code, _, _, day, entity in found if day == DAY} == {
        ("PX_OUT_OF_RANGE", LONG),
        ("PX_OUT_OF_RANGE", BILLS[2].cusip),
    }


def test_a_held_bill_without_a_price_in_the_report_is_missing(tmp_path: Path) -> None:
    facts = clean_facts()
    facts.remove("core.security_price", lambda row: row["cusip"] == LONG and row["price_date"] == DAY)
    assert {item[:2] + item[4:] for item in fired(tmp_path, facts)} == {("K37", "PX_MISSING", DAY, LONG)}


def test_a_maturity_that_is_missing_breaks_position_gain_cash_and_the_maturity_itself(tmp_path: Path) -> None:
    facts = clean_facts()
    gone = facts.remove("core.trade", lambda row: row["activity"] == "MATURITY" and row["pocket_id"] == OLD)
    answers = ask(tmp_path, facts, *HOLDINGS)
    assert breaks(answers) == {
        ("K32", "POS_ROLL", "POS_MISSING_MATURITY", OLD, MATURITY_DAY, MATURING.cusip),
        ("K33", "GAIN_PROOF", "", OLD, MATURITY_DAY, ""),
        ("K34", "CASH_PROOF", "", OLD, MATURITY_DAY, ""),
        ("K40", "MAT_MISSING", "", OLD, MATURITY_DAY, MATURING.cusip),
    }
    (row,) = [row for row in answers["K40"] if row.status == "BREAK"]
    assert row.difference == -gone[0]["face_amount"]


def test_a_maturity_below_par_is_seen(tmp_path: Path) -> None:
    facts = clean_facts()
    row = trade_of(facts, "MATURITY", MATURITY_DAY)
    row["price"] = Decimal(98)
    assert fired(tmp_path, facts) == {
        ("K31", "TRD_MATH", "", OLD, MATURITY_DAY, row["trade_id"]),
        ("K40", "MAT_NOT_PAR", "PRICE", OLD, MATURITY_DAY, MATURING.cusip),
    }


def test_a_maturity_for_less_than_was_held_is_not_at_par(tmp_path: Path) -> None:
    facts = clean_facts()
    row = trade_of(facts, "MATURITY", MATURITY_DAY)
    row["quantity"] -= 1
    row["face_amount"] -= 100
    row["notional"] -= 100
    assert ("K40", "MAT_NOT_PAR", "FACE", OLD, MATURITY_DAY, MATURING.cusip) in fired(tmp_path, facts)


@pytest.mark.parametrize(("day", "finding"), [(DAY, "LATE"), (DAYS[4], "EARLY")])
def test_a_maturity_on_another_day_is_missing_on_its_own_and_wrong_on_the_other(
    tmp_path: Path, day: date, finding: str
) -> None:
    facts = clean_facts()
    row = trade_of(facts, "MATURITY", MATURITY_DAY)
    row["trade_date"] = row["book_date"] = row["settlement_date"] = day
    assert breaks(ask(tmp_path, facts, "K40")) == {
        ("K40", "MAT_MISSING", "", OLD, MATURITY_DAY, MATURING.cusip),
        ("K40", "MAT_LATE", finding, OLD, day, MATURING.cusip),
    }


def test_a_purchase_on_the_maturity_date_is_a_trade_after_maturity(tmp_path: Path) -> None:
    facts = clean_facts()
    trade = trade_of(facts, "BUY", MATURITY_DAY)
    trade["cusip"] = MATURING.cusip
    assert breaks(ask(tmp_path, facts, "K40")) == {
        ("K40", "TRADE_AFTER_MATURITY", "", OLD, MATURITY_DAY, f"{MATURING.cusip} {trade['trade_id']}")
    }


def test_a_sale_that_settles_at_maturity_is_named(tmp_path: Path) -> None:
    facts = clean_facts()
    sale = trade_of(facts, "BUY", DAYS[5])
    sale["activity"], sale["cusip"], sale["settlement_date"] = "SELL", MATURING.cusip, MATURITY_DAY
    assert breaks(ask(tmp_path, facts, "K40")) == {
        ("K40", "SALE_UNSETTLED_AT_MATURITY", "", OLD, DAYS[5], f"{MATURING.cusip} {sale['trade_id']}")
    }


def test_a_holding_whose_maturity_nobody_knows_is_not_tested(tmp_path: Path) -> None:
    facts = clean_facts()
    facts.remove("core.security", lambda row: row["cusip"] == LONG)
    for row in facts.find("core.trade", cusip=LONG):
        row["maturity_date"] = None
    answers = ask(tmp_path, facts, "K38", "K40", "K41")
    assert not breaks(answers)
    for control_id, rows in answers.items():
        told = {(row.status, row.reason) for row in rows if row.entity_key == LONG}
        assert told == {("NOT_TESTED", "NO_REFERENCE")}, control_id


def test_a_transposed_cusip_breaks_the_roll_forward_and_the_check_digit(tmp_path: Path) -> None:
    facts = clean_facts()
    wrong = LONG[:6] + LONG[7] + LONG[6] + LONG[8]
    assert not tbill.is_valid_cusip(wrong)
    position(facts)["cusip"] = wrong
    found = fired(tmp_path, facts)
    assert ("K41", "CUSIP_CHECK", "", OLD, DAY, wrong) in found
    assert {(control, code) for control, code, *_ in found} == {
        ("K32", "POS_ROLL"),
        ("K37", "PX_MISSING"),
        ("K41", "CUSIP_CHECK"),
    }


def _reference_says(change: Callable[[Row], None]) -> Facts:
    facts = clean_facts()
    change(facts.one("core.security", cusip=LONG))
    return facts


@pytest.mark.parametrize(
    ("change", "code", "sub_code"),
    [
        ({"maturity_dates": 2}, "SEC_CONFLICT", "REFERENCE"),
        ({"maturity_date": BILLS[3].maturity_date - timedelta(days=7)}, "SEC_CONFLICT", "MATURITY"),
        ({"first_issue_date": BILLS[3].maturity_date - timedelta(days=367)}, "SEC_CONFLICT", "TERM"),
        ({"first_issue_date": BILLS[3].maturity_date}, "SEC_CONFLICT", "TERM"),
    ],
)
def test_a_reference_that_contradicts_itself_or_the_trades_is_a_conflict(
    tmp_path: Path, change: Row, code: str, sub_code: str
) -> None:
    facts = _reference_says(lambda row: row.update(change))
    found = breaks(ask(tmp_path, facts, "K41"))
    assert {(item[1], item[2], item[5]) for item in found} == {(code, sub_code, LONG)}


def test_two_maturity_dates_in_one_day_of_trades_are_a_conflict(tmp_path: Path) -> None:
    facts = clean_facts()
    trade = trade_of(facts, "BUY")
    trade["maturity_date"] += timedelta(days=7)
    found = breaks(ask(tmp_path, facts, "K41"))
    assert {(item[1], item[2], item[4], item[5]) for item in found} == {("SEC_CONFLICT", "TRADES", DAY, trade["cusip"])}


def test_a_maturity_on_a_day_without_payments_is_named(tmp_path: Path) -> None:
    facts = clean_facts()
    saturday = date(2024, 6, 22)
    assert not calendars.is_fed_business_day(saturday)
    for table in ("core.security", "core.trade", "core.trade_report"):
        for row in facts.find(table, cusip=LONG):
            row["maturity_date"] = saturday
    found = breaks(ask(tmp_path, facts, "K41"))
    assert {(item[1], item[5]) for item in found} == {("SEC_MAT_NONBUS", LONG)}


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.sampled_from([auction.cusip for auction in tbill.auctions()]),
            st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*@#", min_size=8, max_size=10),
            st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*@#", min_size=8, max_size=8).map(
                lambda eight: eight + tbill.cusip_check_digit(eight)
            ),
            st.text("0123456789abcxyz -ÄZ", min_size=9, max_size=9),
        ),
        min_size=40,
        max_size=60,
        unique=True,
    )
)
def test_the_check_digit_in_sql_agrees_with_the_one_in_python(
    tmp_path_factory: pytest.TempPathFactory, cusips: list[str]
) -> None:
    facts = clean_facts()
    template = position(facts)
    for cusip in cusips:
        facts.add("core.position_daily", **{**template, "cusip": cusip})
    found = breaks(ask(tmp_path_factory.mktemp("cusip"), facts, "K41"))
    wrong = {entity for _, code, _, _, _, entity in found if code == "CUSIP_CHECK"}
    assert wrong == {cusip for cusip in cusips if not tbill.is_valid_cusip(cusip)}


def test_a_missing_position_summary_is_not_tested_today_and_tomorrow(tmp_path: Path) -> None:
    facts = clean_facts()
    facts.remove(
        "raw.delivery",
        lambda row: row["document_kind"] == "POSITION" and row["scope_pocket_id"] == OLD and row["scope_date"] == DAY,
    )
    facts.remove("core.position_daily", lambda row: row["pocket_id"] == OLD and row["business_date"] == DAY)
    statement(facts)["cash_balance"] = statement(facts)["market_value"] = None
    answers = ask(tmp_path, facts, *HOLDINGS)
    assert not breaks(answers)

    def reasons(control_id: str, day: date) -> set[str]:
        return {r.reason for r in answers[control_id] if r.pocket_id == OLD and r.business_date == day}

    for control_id in ("K33", "K34"):
        assert reasons(control_id, DAY) == reasons(control_id, NEXT) == {"NO_INPUT"}, control_id
    assert reasons("K32", DAY) == {"NO_INPUT"}
    rolled = {r.detail for r in answers["K32"] if r.pocket_id == OLD and r.business_date == NEXT}
    assert rolled == {f"Rolled from the position summary of {DAYS[6]}; none lies between."}
    for control_id in ("K35", "K36", "K37", "K38"):
        assert reasons(control_id, DAY) == {"NO_INPUT"}, control_id


def trades_settle_next_day(facts: Facts) -> None:
    """Purchases and sales settle a business day later; maturities on their day."""
    for row in facts.rows["core.trade"]:
        if row["activity"] != "MATURITY":
            row["settlement_date"] = calendars.next_fed_business_day(row["trade_date"])
    for row in facts.rows["core.trade_report"]:
        row["settlement_date"] = calendars.next_fed_business_day(row["trade_date"])


def pending(facts: Facts, pocket: str, day: date) -> Decimal:
    return sum(
        (
            row["notional"] * (1 if row["activity"] == "SELL" else -1)
            for row in facts.find("core.trade", pocket_id=pocket)
            if row["trade_date"] <= day < row["settlement_date"]
        ),
        Decimal(0),
    )


T1_PENDING = Basis("TRADE", "SETTLE", "MV+CASH+PEND", "ECONOMIC", Decimal(1), "BROKERAGE", "T0")
T1_SETTLED = Basis("SETTLE", "SETTLE", "MV+CASH", "ECONOMIC", Decimal(1), "BROKERAGE", "T0")
PLUGGED = Basis("TRADE", "TRADE", "MV", "PLUG", Decimal(1), "BROKERAGE", "T0")
PROOFS = ("K32", "K33", "K34", "K35")


def traded_positions_and_settled_cash() -> Facts:
    facts = clean_facts()
    trades_settle_next_day(facts)
    for row in facts.rows["core.brokerage_daily"]:
        row["cash_balance"] -= pending(facts, row["pocket_id"], row["business_date"])
    return facts


def close_of_bills_alone() -> Facts:
    facts = clean_facts()
    for pocket in (OLD, NEW):
        opening = Decimal(0)
        for row in sorted(facts.find("core.brokerage_daily", pocket_id=pocket), key=lambda r: r["business_date"]):
            row["opening_value"], row["closing_value"] = opening, row["market_value"]
            row["gains"] = row["closing_value"] - opening - row["additions"] + row["subtractions"] + row["fees"]
            opening = row["closing_value"]
    return facts


def everything_by_settlement() -> Facts:
    """What was traded is booked, and held, on the settlement date only: the trade is a day older."""
    facts = clean_facts()
    for table in ("core.trade", "core.trade_report"):
        for row in facts.rows[table]:
            if row.get("activity") != "MATURITY":
                row["trade_date"] = calendars.previous_fed_business_day(row["trade_date"])
    return facts


@pytest.mark.parametrize(
    ("world", "basis"),
    [
        (traded_positions_and_settled_cash, T1_PENDING),
        (everything_by_settlement, T1_SETTLED),
        (close_of_bills_alone, PLUGGED),
    ],
)
def test_a_bank_of_another_basis_is_quiet_under_its_own_basis_and_under_no_other(
    tmp_path: Path, world: Callable[[], Facts], basis: Basis
) -> None:
    (tmp_path / "own").mkdir()
    assert breaks(ask(tmp_path / "own", world(), *PROOFS, basis=basis)) == set()
    (tmp_path / "demo").mkdir()
    assert breaks(ask(tmp_path / "demo", world(), *PROOFS)) != set()


def test_every_broken_row_says_why_in_a_sentence(tmp_path: Path) -> None:
    facts = clean_facts()
    facts.remove("core.trade", lambda row: row["activity"] == "MATURITY")
    position(facts)["market_value"] += 10
    trade_of(facts, "BUY")["price"] -= 1
    told: list[Answer] = [row for rows in ask(tmp_path, facts, *HOLDINGS).values() for row in rows]
    for row in told:
        assert (row.status != "BREAK") or row.detail.endswith("."), row


def test_the_controls_of_holdings_are_all_required_but_the_security_master() -> None:
    required = set(Registry.load().required)
    assert {control_id for control_id in HOLDINGS if control_id in required} == set(HOLDINGS) - {"K41"}


@pytest.mark.parametrize(("drop", "broken"), [("0.012", False), ("0.030", True)])
def test_a_bill_near_its_maturity_is_judged_by_price(tmp_path: Path, drop: str, broken: bool) -> None:
    facts, short = clean_facts(), BILLS[1]
    assert (short.maturity_date - DAY).days < 28
    facts.one("core.security_price", cusip=short.cusip, price_date=DAY)["price"] -= Decimal(drop)
    found = {(code, day) for _, code, _, _, day, _ in breaks(ask(tmp_path, facts, "K38"))}
    assert found == ({("PX_JUMP", DAY), ("PX_JUMP", NEXT)} if broken else set())


def test_bills_that_arrive_in_kind_are_neither_a_break_nor_a_purchase(tmp_path: Path) -> None:
    facts = clean_facts()
    trade = trade_of(facts, "BUY")
    trade["activity"] = "SECURITY_TRANSFER_IN"
    facts.remove("core.trade_report", lambda row: row["trade_reference"] == trade["trade_id"])
    assert fired(tmp_path, facts) == set()


def test_an_activity_that_is_not_known_does_not_pass_for_one_that_is(tmp_path: Path) -> None:
    facts = clean_facts()
    trade = trade_of(facts, "BUY")
    trade["activity"] = "SOMETHING_NEW"
    assert ("K32", "POS_ROLL", "POS_UNEXPLAINED_UP", OLD, DAY, trade["cusip"]) in fired(tmp_path, facts)

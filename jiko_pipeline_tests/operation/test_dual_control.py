"""Dual control end to end: a transfer asked for by one person and approved by another, followed through core."""

from datetime import date, time

from jiko_pipeline import calendars
from jiko_pipeline_tests.bank.money_rig import approved, counterparty, move_clock, open_pockets, wire
from jiko_pipeline_tests.bank.simulator_rig import ServedBank
from jiko_pipeline_tests.operation.conftest import Make

CENTS = 654_321_098
"""More than the day brings in, so that bills have to be sold."""
PAID_ON = date(2024, 7, 2)


def test_an_approved_transfer_is_linked_from_its_request_to_the_sale_of_bills(new_directory: Make) -> None:
    directory = new_directory()
    # Whatever asks the bank something starts it; there is no file of that month.
    assert directory.run("documents", "fetch", "--period", "2023-01").exit_code == 0
    announcement = directory.announcement
    assert announcement is not None
    bank = ServedBank(announcement)
    try:
        now = bank.now()
        move_clock(bank, calendars.new_york_instant(PAID_ON, time(10)).isoformat())
        origin = open_pockets(bank)[0]["id"]
        request = approved(bank, wire(origin, counterparty(bank, "wire"), CENTS, description="Invoice 4711"))
        with bank.approver() as approver:
            approver_id = approver.get("/api/v1/user/").json()["user_id"]
        move_clock(bank, now.isoformat())
    finally:
        bank.http.close()
        bank.plain.close()

    answer = directory.sync(str(PAID_ON), str(PAID_ON))

    # The request was made with the pipeline's own credentials, which only ever read: that alone is a break.
    assert answer.exit_code == 0, answer.err + answer.out
    found = directory.rows("select distinct control_id, code, sub_code from recon.result where status = 'BREAK'")
    assert found == [("K56", "PIPELINE_WROTE", "TRANSFER_REQUEST_CREATED")]
    trail = directory.rows(
        "select transfer_id, transfer_type, origin_pocket_id, amount, business_date, is_approved_by_another,"
        " approved_by_id, requested_by_id, paid_amount, activity_id is not null, bank_transaction_key is not null,"
        " brokerage_flow_key is not null, sales, sale_amount > 0 from core.transfer_trail where transfer_id = ?",
        [request["transfer"]["id"]],
    )
    transfer_id = request["transfer"]["id"]
    (row,) = trail
    assert row[:6] == (transfer_id, "WIRE", origin, row[3], PAID_ON, True)
    assert (int(row[3] * 100), int(row[8] * 100)) == (CENTS, -CENTS)
    assert row[6] == approver_id
    assert row[7] == request["created_by"]["user_id"]
    assert row[9:12] == (True, True, True)
    assert row[12] >= 1
    assert row[13]

    linked = directory.rows(
        "select count(*) from core.transfer_trail as r"
        " join core.api_transaction as t on t.activity_id = r.activity_id and t.transfer_id = r.transfer_id"
        " join core.bank_transaction as b on b.bank_transaction_key = r.bank_transaction_key"
        " and b.business_date = r.business_date and b.activity_id = r.activity_id"
        " join core.bank_transaction as s on s.bank_transaction_key = r.sweep_transaction_key"
        " and s.business_date = r.business_date and s.end_to_end_id = r.sweep_reference"
        " join core.brokerage_flow as f on f.brokerage_flow_key = r.brokerage_flow_key"
        " and f.business_date = r.business_date and f.end_to_end_id = r.sweep_reference"
        " join core.trade as sale on position(sale.trade_id in r.sale_trade_ids) > 0 and sale.activity = 'SELL'"
        " where r.transfer_id = ?",
        [transfer_id],
    )
    assert linked == [(row[12],)]

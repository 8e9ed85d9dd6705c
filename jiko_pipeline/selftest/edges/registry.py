"""What can be done to a world, by its name.

Belongs here: the table of edges. Does not belong here: any edge (the module of its subject), faults with their
foretold breaks (`faults`, `planting`), which worlds there are (`scenes`).
"""

from typing import Final

from jiko_pipeline.selftest.edges.bending import Edge, bend_every_way
from jiko_pipeline.selftest.edges.holdings import (
    ask_treasury,
    doubt_references,
    doubt_yields,
    mature_oddly,
    pay_in_kind,
    stand_still,
    stay_on_weekends,
    take_on,
    trade_alike,
)
from jiko_pipeline.selftest.edges.people import list_anew, list_customers_own
from jiko_pipeline.selftest.edges.silences import fetch_again, hide_lives, list_late, open_between, state_in_time

EDGES: Final[dict[str, Edge]] = {
    "trades listed": bend_every_way("staging.api_trade", kind="API_TRADES"),
    "older trades listed": bend_every_way("staging.api_trade", kind="API_TRADES_V1"),
    "trades reported": bend_every_way("staging.trade_report"),
    "positions": bend_every_way("staging.position"),
    "cash": bend_every_way("staging.position_cash"),
    "statements": bend_every_way("staging.statement_entry"),
    "balances": bend_every_way("staging.statement_balance"),
    "prices unchanged": stand_still,
    "odd maturities": mature_oddly,
    "yields in doubt": doubt_yields,
    "stated in time": state_in_time,
    "prices": bend_every_way("staging.security_price"),
    "transactions": bend_every_way("staging.api_transaction", kind="API_TRANSACTIONS"),
    "older transactions": bend_every_way("staging.api_transaction", kind="API_TRANSACTIONS_CSV"),
    "requests": bend_every_way("staging.transfer_request"),
    "log": bend_every_way("staging.audit_log"),
    "events": bend_every_way("staging.event"),
    "earnings": bend_every_way("staging.earnings"),
    "counterparties": bend_every_way("staging.counterparty"),
    "portals": bend_every_way("staging.portal"),
    "lives unknown": hide_lives,
    "taken on": take_on,
    "Treasury": ask_treasury,
    "references": doubt_references,
    "weekends": stay_on_weekends,
    "own lists": list_customers_own,
    "listed anew": list_anew,
    "listed late": list_late,
    "fetched again": fetch_again,
    "own references": trade_alike,
    "in kind": pay_in_kind,
    "opened between": open_between,
}
"""What can be done to a world, by its name."""

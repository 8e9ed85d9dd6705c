"""Transactions, trades and monthly statements (`client.transactions`, `client.trades`, `client.statements`)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from jiko_pipeline.bank.client.calling import Caller, Query
from jiko_pipeline.bank.client.listed import Listed
from jiko_pipeline.bank.client.models.activity import (
    Statement,
    StatementType,
    Trade,
    TradeV2,
    Transaction,
    TransactionType,
)
from jiko_pipeline.bank.client.models.base import Direction

Order = Literal["asc", "desc"]
Ids = Sequence[str] | Sequence[UUID]


class Transactions:
    """Bank-side movements; what is swept between bank and brokerage is not among them."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self,
        *,
        order: Order | None = None,
        pockets: Ids | None = None,
        types: Sequence[TransactionType] | None = None,
        on_us_transfers: Ids | None = None,
        wires: Ids | None = None,
        cards: Ids | None = None,
        portals: Ids | None = None,
        time_booked_from: datetime | None = None,
        time_booked_to: datetime | None = None,
        time_settled_from: datetime | None = None,
        time_settled_to: datetime | None = None,
        amount_from: int | None = None,
        amount_to: int | None = None,
        direction: Direction | None = None,
        include_sweeps: bool | None = None,
        limit: int | None = None,
    ) -> Listed[Transaction]:
        """Movements, newest first unless `order` says otherwise; amounts are cents, times need a zone."""
        contract = self._caller.contract
        query = self._caller.query(
            "transactions.list",
            {
                contract.transactions_from: time_booked_from,
                contract.transactions_to: time_booked_to,
                "time_settled_from": time_settled_from,
                "time_settled_to": time_settled_to,
            },
            **{
                contract.order: order,
                contract.transactions_pocket: pockets,
                "type[]": types,
                "on_us_transfer[]": on_us_transfers,
                "wire[]": wires,
                "card[]": cards,
                "portal[]": portals,
                "amount_from": amount_from,
                "amount_to": amount_to,
                "direction": direction,
                "include_sweeps": include_sweeps,
            },
        )
        return Listed(self._caller, "transactions.list", Transaction, query, limit)

    def export(
        self,
        *,
        pockets: Ids | None = None,
        types: Sequence[TransactionType] | None = None,
        time_booked_from: datetime | None = None,
        time_booked_to: datetime | None = None,
    ) -> bytes:
        """The same movements as one CSV document, as its bytes."""
        contract = self._caller.contract
        query = self._caller.query(
            "transactions.export",
            {contract.transactions_from: time_booked_from, contract.transactions_to: time_booked_to},
            **{contract.transactions_pocket: pockets, "type[]": types},
        )
        return self._caller.read_file("transactions.export", query)


class Trades:
    """Purchases, sales and maturities of bills, and transfers of securities."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self,
        *,
        order: Order | None = None,
        pockets: Ids | None = None,
        book_date_from: date | None = None,
        book_date_to: date | None = None,
        settlement_date_from: date | None = None,
        settlement_date_to: date | None = None,
        trade_datetime_from: datetime | None = None,
        trade_datetime_to: datetime | None = None,
        limit: int | None = None,
    ) -> Listed[TradeV2]:
        """Trades in their newer form; days are included, times need a zone."""
        contract = self._caller.contract
        query = self._caller.query(
            "trades.list",
            {contract.trades_from: trade_datetime_from, contract.trades_to: trade_datetime_to},
            **{contract.order: order, "pocket_id[]": pockets},
            **self._dates(book_date_from, book_date_to, settlement_date_from, settlement_date_to),
        )
        return Listed(self._caller, "trades.list", TradeV2, query, limit)

    def list_v1(
        self,
        *,
        pockets: Ids | None = None,
        book_date_from: date | None = None,
        book_date_to: date | None = None,
        settlement_date_from: date | None = None,
        settlement_date_to: date | None = None,
        trade_datetime_from: datetime | None = None,
        trade_datetime_to: datetime | None = None,
        limit: int | None = None,
    ) -> Listed[Trade]:
        """Trades in their older form, which has the yield and no transfers of securities."""
        contract = self._caller.contract
        query = self._caller.query(
            "trades.list_v1",
            {contract.trades_from: trade_datetime_from, contract.trades_to: trade_datetime_to},
            **{"account[]": pockets},
            **self._dates(book_date_from, book_date_to, settlement_date_from, settlement_date_to),
        )
        return Listed(self._caller, "trades.list_v1", Trade, query, limit)

    @staticmethod
    def _dates(
        booked_from: date | None, booked_to: date | None, settled_from: date | None, settled_to: date | None
    ) -> dict[str, date | None]:
        return {
            "book_date_from": booked_from,
            "book_date_to": booked_to,
            "settlement_date_from": settled_from,
            "settlement_date_to": settled_to,
        }

    def export(
        self,
        *,
        pockets: Ids | None = None,
        trade_datetime_from: datetime | None = None,
        trade_datetime_to: datetime | None = None,
    ) -> bytes:
        """Trades as one CSV document, as its bytes."""
        contract = self._caller.contract
        query: Query = self._caller.query(
            "trades.export",
            {contract.trades_from: trade_datetime_from, contract.trades_to: trade_datetime_to},
            **{"account[]": pockets},
        )
        return self._caller.read_file("trades.export", query)

    def confirmation(self, pocket_id: str | UUID, trade_id: str | UUID) -> bytes:
        """The confirmation of a trade as a PDF. A maturity has none (NotFoundError).

        Jiko asks that it be fetched when needed and its link not be kept: the link is checked, followed once
        without credentials, and forgotten.
        """
        cap = self._caller.contract.pdf_cap_bytes
        return self._caller.follow("trades.confirmation", cap, account_id=pocket_id, trade_id=trade_id)


class Statements:
    """Monthly statements and tax documents."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self,
        *,
        pockets: Ids | None = None,
        order: Order | None = None,
        types: Sequence[StatementType] | None = None,
        key: str | None = None,
        limit: int | None = None,
    ) -> Listed[Statement]:
        """Documents of a `key` (YYYY or YYYY-MM), or all; their links are good for a short time only."""
        contract = self._caller.contract
        query = self._caller.query(
            "statements.list",
            **{"account[]": pockets, contract.order: order, "type[]": types, contract.statements_key: key},
        )
        return Listed(self._caller, "statements.list", Statement, query, limit)

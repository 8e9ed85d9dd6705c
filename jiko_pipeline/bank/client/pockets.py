"""Pockets, portals and trading strategies (`client.pockets`, `client.portals`, `client.trading_strategies`)."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from jiko_pipeline.bank.client.calling import Caller, due
from jiko_pipeline.bank.client.listed import Listed, OffsetListed
from jiko_pipeline.bank.client.models.pockets import (
    CreatePocketRequest,
    EarningsPeriod,
    ListPortalsResponse,
    Pocket,
    PocketEarnings,
    PocketStatus,
    StrategyUse,
    TradingStrategy,
    UpdatePocketRequest,
)


class Pockets:
    """Pockets of the customer as they are now; there is no as-of date."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self,
        *,
        status: Sequence[PocketStatus] | None = None,
        omit: Sequence[str] | None = None,
        valuation_type: str | None = None,
        limit: int | None = None,
    ) -> Listed[Pocket]:
        """All pockets; `omit=["portfolio"]` leaves out what they hold."""
        query = self._caller.query(
            "pockets.list", omit__=omit, valuation_type=valuation_type, **{"filter[status]": status}
        )
        return Listed(self._caller, "pockets.list", Pocket, query, limit)

    def create(self, request: CreatePocketRequest) -> Pocket:
        """Open a pocket."""
        pocket: Pocket = self._caller.read("pockets.create", Pocket, body=due(request, CreatePocketRequest))
        return pocket

    def get(
        self, pocket_id: str | UUID, *, omit: Sequence[str] | None = None, valuation_type: str | None = None
    ) -> Pocket:
        """One pocket and what it holds. Raises NotFoundError."""
        query = self._caller.query("pockets.get", omit__=omit, valuation_type=valuation_type)
        pocket: Pocket = self._caller.read("pockets.get", Pocket, query=query, pocket_id=pocket_id)
        return pocket

    def update(self, pocket_id: str | UUID, request: UpdatePocketRequest) -> Pocket:
        """Rename a pocket, give it another strategy, or close it; only what `request` was given changes."""
        pocket: Pocket = self._caller.read(
            "pockets.update", Pocket, body=due(request, UpdatePocketRequest), pocket_id=pocket_id
        )
        return pocket

    def earnings(
        self,
        pocket_id: str | UUID,
        *,
        period: EarningsPeriod | None = None,
        date_from: date | None = None,
        date_to: date | None = None,
    ) -> PocketEarnings:
        """What a pocket earned; both days, included, go with the period `range` only."""
        contract = self._caller.contract
        query = self._caller.query(
            "pockets.earnings",
            **{contract.earnings_period: period, contract.earnings_from: date_from, contract.earnings_to: date_to},
        )
        earned: PocketEarnings = self._caller.read("pockets.earnings", PocketEarnings, query=query, pocket_id=pocket_id)
        return earned


class Portals:
    """Account and routing numbers."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self) -> ListPortalsResponse:
        """All portals of the customer."""
        portals: ListPortalsResponse = self._caller.read("portals.list", ListPortalsResponse)
        return portals

    def list_for_pocket(self, pocket_id: str | UUID) -> ListPortalsResponse:
        """The portals of one pocket. Raises NotFoundError."""
        portals: ListPortalsResponse = self._caller.read(
            "portals.list_for_pocket", ListPortalsResponse, account_id=pocket_id
        )
        return portals


class TradingStrategies:
    """The strategies that a pocket can follow."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self, *, applicable_to: StrategyUse | None = None, limit: int | None = None
    ) -> OffsetListed[TradingStrategy]:
        """All strategies, or those for deposits or for reinvestment."""
        query = self._caller.query("trading_strategies.list", applicable_to=applicable_to)
        return OffsetListed(self._caller, "trading_strategies.list", TradingStrategy, query, limit)

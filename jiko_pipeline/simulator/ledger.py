"""What the bank does with one pocket on one business day: sweep, fee, maturities, trading, valuation.

Belongs here: the rules of a day, as a pure function of the pocket's state, the day's movements and the day's
prices. Does not belong here: the order of days (`history`), what customers do (`activity`), what documents
say (`statements`). Source of the rules: docs/simulated-jiko.md, "How the bank behaves".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Protocol

from jiko_pipeline import calendars, tbill
from jiko_pipeline.simulator.bills import newest_issue
from jiko_pipeline.simulator.bookings import closing_payment, management_fee_payment
from jiko_pipeline.simulator.draws import drawn_integer, drawn_uuid
from jiko_pipeline.simulator.model import (
    Bill,
    CloseBasisSwitch,
    FeePathSwitch,
    GainSwitch,
    Position,
    SettlementSwitch,
    SweepPostingSwitch,
    Trade,
    Transaction,
    WorldConfig,
    ledger_basis,
)
from jiko_pipeline.simulator.roster import PocketPlan

PAR_MICROS: Final = 100_000_000
PAR_CENTS: Final = tbill.BILL_FACE * 100
_FEE_MONTHS_PER_UNIT: Final = 12_000
"""10 basis points a year, a twelfth of it each month: one part in 12,000."""

_SESSIONS: Final = {"MATURITY": time(8, 0), "SELL": time(14, 0), "BUY": time(15, 0)}
_SESSION_MICROSECONDS: Final = 3_000_000_000
_YIELD: Final = Decimal("0.000001")


Emptying = Callable[[int], tuple[Transaction, ...]]
"""The movements that pay out all cash of a pocket, given how much it is; none for no cash."""


class Pricing(Protocol):
    """The prices of a day, per 100 of face in millionths."""

    def value_micros(self, bill: Bill, day: date) -> int:
        """The price at which holdings are valued."""
        ...

    def purchase_micros(self, bill: Bill, day: date, deal: str, settles_on: date) -> int:
        """What a purchase pays."""
        ...

    def sale_micros(self, bill: Bill, day: date, deal: str, settles_on: date) -> int:
        """What a sale brings."""
        ...


@dataclass(frozen=True, slots=True)
class Holding:
    """Bills of one CUSIP with what they cost (average cost, relieved pro rata)."""

    bill: Bill
    quantity: int
    cost_cents: int


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A trade that is made and not settled. `cost_cents` is what it adds to or relieves from cost; both unsigned."""

    activity: str
    bill: Bill
    quantity: int
    cash_cents: int
    cost_cents: int
    settles_on: date

    @property
    def direction(self) -> int:
        """1 for bills to come in, -1 for bills to go out."""
        return 1 if self.activity == "BUY" else -1


@dataclass(frozen=True, slots=True)
class Sweep:
    """What the bank account swept on `day`, unsigned."""

    day: date
    deposits_cents: int
    payments_cents: int


@dataclass(frozen=True, slots=True)
class PocketState:
    """A pocket after a business day: its bills by maturity and its brokerage cash as traded, and what is under way.

    `bills_value_cents`, `shown_cash_cents` and `closing_cents` are what the day's documents show of it.
    """

    holdings: tuple[Holding, ...] = ()
    cash_cents: int = 0
    bills_value_cents: int = 0
    shown_cash_cents: int = 0
    closing_cents: int = 0
    unsettled: tuple[Unsettled, ...] = ()
    in_transit: tuple[Sweep, ...] = ()

    @property
    def cost_cents(self) -> int:
        """What the customer goes by: bills at cost and cash, so that no payment depends on a mark."""
        arriving = sum(sweep.deposits_cents - sweep.payments_cents for sweep in self.in_transit)
        return sum(held.cost_cents for held in self.holdings) + self.cash_cents + arriving


@dataclass(frozen=True, slots=True)
class PocketDay:
    """One business day of one pocket. Amounts are unsigned cents but `gain_cents`, which is signed.

    `posted` are the sweeps that the brokerage account books on the day; `fee_through_bank` says that the fee left
    by a sweep of its own and was paid by the bank account.
    """

    plan: PocketPlan
    day: date
    before: PocketState
    after: PocketState
    transactions: tuple[Transaction, ...]
    trades: tuple[Trade, ...]
    positions: tuple[Position, ...]
    deposits_cents: int
    payments_cents: int
    fee_cents: int
    gain_cents: int
    posted: tuple[Sweep, ...] = ()
    fee_through_bank: bool = False


class _Session:
    """Cash and bills of a pocket while the day's trades are made."""

    def __init__(
        self, plan: PocketPlan, config: WorldConfig, day: date, state: PocketState, pricing: Pricing, *, at_once: bool
    ) -> None:
        self.plan = plan
        self.seed = config.seed
        self.settles_on = day
        if config.settlement is SettlementSwitch.T1 and not at_once:
            self.settles_on = calendars.next_trading_day(day)
        self.day = day
        self.pricing = pricing
        self.cash = state.cash_cents
        self.holdings = list(state.holdings)
        self.trades: list[Trade] = []
        self.unsettled = [one for one in state.unsettled if one.settles_on > day]

    def _sale_settles(self, bill: Bill) -> date:
        """A bill that matures by then is sold for cash: nobody buys what is paid back before it is delivered."""
        return self.day if bill.maturity_date <= self.settles_on else self.settles_on

    def mature(self) -> None:
        for holding in [held for held in self.holdings if held.bill.maturity_date <= self.day]:
            self._relieve(holding, holding.quantity, "MATURITY", PAR_MICROS, self.day)

    def cover_shortage(self) -> None:
        """Sell the fewest bills, nearest maturity first, until cash is no longer negative."""
        for holding in list(self.holdings):
            if self.cash >= 0:
                return
            settles_on = self._sale_settles(holding.bill)
            price = self.pricing.sale_micros(holding.bill, self.day, self._deal("SELL"), settles_on)
            self._relieve(holding, min(_bills_for(-self.cash, price), holding.quantity), "SELL", price, settles_on)
        if self.cash < 0:
            raise ArithmeticError(
                f"pocket {self.plan.number} is short of {-self.cash} cents on {self.day} with every bill sold"
            )

    def sell_everything(self) -> None:
        for holding in list(self.holdings):
            settles_on = self._sale_settles(holding.bill)
            price = self.pricing.sale_micros(holding.bill, self.day, self._deal("SELL"), settles_on)
            self._relieve(holding, holding.quantity, "SELL", price, settles_on)

    def invest(self) -> None:
        """Buy as many bills of the newest issues as cash pays for: out of maturities, then of the rest."""
        if self.plan.reinvestment_term != self.plan.term:
            matured = sum(trade.cash_cents for trade in self.trades if trade.activity == "MATURITY")
            self._buy(self.plan.reinvestment_term, min(matured, self.cash))
        self._buy(self.plan.term, self.cash)

    def _buy(self, term: str, budget_cents: int) -> None:
        bill = newest_issue(term, self.settles_on)
        price = self.pricing.purchase_micros(bill, self.day, self._deal("BUY"), self.settles_on)
        quantity = budget_cents * 10_000 // price + 1
        while tbill.cash_cents(quantity, price) > budget_cents:
            quantity -= 1
        if quantity <= 0:
            return
        paid = tbill.cash_cents(quantity, price)
        self.cash -= paid
        for place, held in enumerate(self.holdings):
            if held.bill.cusip == bill.cusip:
                self.holdings[place] = Holding(bill, held.quantity + quantity, held.cost_cents + paid)
                break
        else:
            self.holdings.append(Holding(bill, quantity, paid))
            self.holdings.sort(key=lambda held: (held.bill.maturity_date, held.bill.cusip))
        self._record("BUY", bill, quantity, price, paid, paid, self.settles_on)

    def _deal(self, activity: str) -> str:
        return f"{self.plan.number}|{activity}"

    def _relieve(self, holding: Holding, quantity: int, activity: str, price: int, settles_on: date) -> None:
        proceeds = tbill.cash_cents(quantity, price)
        self.cash += proceeds
        place = self.holdings.index(holding)
        relieved = holding.cost_cents * quantity // holding.quantity
        if quantity == holding.quantity:
            del self.holdings[place]
        else:
            self.holdings[place] = Holding(holding.bill, holding.quantity - quantity, holding.cost_cents - relieved)
        self._record(activity, holding.bill, quantity, price, proceeds, relieved, settles_on)

    def _record(
        self,
        activity: str,
        bill: Bill,
        quantity: int,
        price: int,
        cash_cents: int,
        cost_cents: int,
        settles_on: date,
    ) -> None:
        if settles_on > self.day:
            self.unsettled.append(Unsettled(activity, bill, quantity, cash_cents, cost_cents, settles_on))
        key = (self.seed, "trade", self.plan.number, self.day, activity, bill.cusip)
        id_ = drawn_uuid(*key)
        self.trades.append(
            Trade(
                id=id_,
                pocket_id=self.plan.id,
                activity=activity,
                bill=bill,
                quantity=quantity,
                price_micros=price,
                cash_cents=cash_cents,
                traded_at=_traded_at(self.day, activity, key),
                book_date=self.day,
                settlement_date=settles_on,
                yield_to_maturity=_yield_to_maturity(bill, settles_on, price),
                reference=id_,
            )
        )


def _traded_at(day: date, activity: str, key: tuple[object, ...]) -> datetime:
    start = calendars.new_york_instant(day, _SESSIONS[activity])
    return start + timedelta(microseconds=drawn_integer(_SESSION_MICROSECONDS, *key, "at"))


def _yield_to_maturity(bill: Bill, day: date, price_micros: int) -> str:
    """Investment rate as a fraction with six decimals; zero for what is paid at par."""
    days = (bill.maturity_date - day).days
    if days <= 0:
        return "0.000000"
    percent = tbill.investment_rate_percent(Decimal(price_micros).scaleb(-6), days, tbill.year_basis(day))
    return str(percent.scaleb(-2).quantize(_YIELD, ROUND_HALF_UP))


def _bills_for(cents: int, price_micros: int) -> int:
    """The fewest bills that bring at least `cents`."""
    quantity = max(cents * 10_000 // price_micros - 1, 1)
    while tbill.cash_cents(quantity, price_micros) < cents:
        quantity += 1
    return quantity


def _is_fee_day(day: date) -> bool:
    """True on the first trading day of a month (the first business day, unless bills do not trade then)."""
    if not calendars.is_trading_day(day):
        return False
    earlier = calendars.previous_fed_business_day(day)
    while earlier.month == day.month:
        if calendars.is_trading_day(earlier):
            return False
        earlier = calendars.previous_fed_business_day(earlier)
    return True


def management_fee_cents(close_cents: int) -> int:
    """A month's fee on a closing balance, rounded half up."""
    return (close_cents + _FEE_MONTHS_PER_UNIT // 2) // _FEE_MONTHS_PER_UNIT


def _positions(
    holdings: Sequence[Holding], unsettled: Sequence[Unsettled], day: date, pricing: Pricing
) -> tuple[Position, ...]:
    """What is held when the trades of `unsettled` are left out, at the day's price."""
    quantities = {held.bill: (held.quantity, held.cost_cents) for held in holdings}
    for one in unsettled:
        quantity, cost = quantities.get(one.bill, (0, 0))
        quantities[one.bill] = (quantity - one.direction * one.quantity, cost - one.direction * one.cost_cents)
    positions = []
    for bill, (quantity, cost) in sorted(quantities.items(), key=lambda item: (item[0].maturity_date, item[0].cusip)):
        if quantity:
            mark = pricing.value_micros(bill, day)
            positions.append(
                Position(
                    cusip=bill.cusip,
                    quantity=quantity,
                    mark_micros=mark,
                    market_value_cents=tbill.cash_cents(quantity, mark),
                    historical_cost_cents=cost,
                )
            )
    return tuple(positions)


def _put_in(before: PocketState, trades: Sequence[Trade], day: date, *, settled: bool) -> int:
    """What purchases less sales and maturities put into the bills on `day`, by trade or by settlement date."""
    made = [
        (1 if trade.activity == "BUY" else -1) * trade.cash_cents
        for trade in trades
        if not settled or trade.settlement_date <= day
    ]
    if settled:
        made += [one.direction * one.cash_cents for one in before.unsettled if one.settles_on <= day]
    return sum(made)


def settle(
    plan: PocketPlan,
    config: WorldConfig,
    day: date,
    before: PocketState,
    transactions: Sequence[Transaction],
    pricing: Pricing,
    emptying: Emptying | None = None,
) -> PocketDay:
    """One business day: maturities, sweeps, fee, trades, valuation.

    `transactions` are those that the bank books on `day`. On the day on which the pocket closes all bills are
    sold, for cash, and all cash is wired out; that wire and its fee are added to them, as are the movements of
    `emptying`, by which the customer takes all cash out, and a management fee that the bank account pays. Raises
    ArithmeticError where payments exceed what the pocket has.
    """
    leaves = plan.closes_on == day or emptying is not None
    session = _Session(plan, config, day, before, pricing, at_once=leaves)
    session.mature()
    deposits = sum(row.amount_cents for row in transactions if row.credit)
    payments = sum(row.amount_cents for row in transactions if not row.credit)
    fee = management_fee_cents(before.closing_cents) if _is_fee_day(day) else 0
    fee_through_bank = config.fee_path is FeePathSwitch.BANK and fee > 0
    waits = config.sweep_posting is SweepPostingSwitch.NEXT_DAY and not leaves
    arriving = before.in_transit if waits else (*before.in_transit, Sweep(day, deposits, payments))
    session.cash += sum(sweep.deposits_cents - sweep.payments_cents for sweep in arriving) - fee
    booked = tuple(transactions)
    if fee_through_bank:
        booked += (management_fee_payment(plan, config.seed, day, fee),)
    if leaves:
        session.sell_everything()
        cash = session.cash
        booked += closing_payment(plan, config.seed, day, cash) if emptying is None else emptying(cash)
        payments += cash
        arriving = (*before.in_transit, Sweep(day, deposits, payments))
        session.cash = 0
    elif calendars.is_trading_day(day):
        session.cover_shortage()
        if not any(trade.activity == "SELL" for trade in session.trades):
            session.invest()

    basis = ledger_basis(config)
    settled_bills, settled_cash = basis.pos_basis == "SETTLE", basis.cash_basis == "SETTLE"
    positions = _positions(session.holdings, session.unsettled if settled_bills else (), day, pricing)
    value = sum(position.market_value_cents for position in positions)
    unpaid = sum(one.direction * one.cash_cents for one in session.unsettled)
    shown_cash = session.cash + (unpaid if settled_cash else 0)
    closing = value
    if config.close_basis is not CloseBasisSwitch.BILLS:
        closing += shown_cash
    if config.close_basis is CloseBasisSwitch.BILLS_CASH_AND_PENDING:
        closing -= unpaid
    if config.gain is GainSwitch.PLUG:
        swept = sum(sweep.deposits_cents - sweep.payments_cents for sweep in arriving)
        gain = closing - before.closing_cents - swept + fee
    else:
        put_in = _put_in(before, session.trades, day, settled=settled_bills)
        gain = value - before.bills_value_cents - put_in
    return PocketDay(
        plan=plan,
        day=day,
        before=before,
        after=PocketState(
            holdings=tuple(session.holdings),
            cash_cents=session.cash,
            bills_value_cents=value,
            shown_cash_cents=shown_cash,
            closing_cents=closing,
            unsettled=tuple(session.unsettled),
            in_transit=(Sweep(day, deposits, payments),) if waits else (),
        ),
        transactions=booked,
        trades=tuple(session.trades),
        positions=positions,
        deposits_cents=deposits,
        payments_cents=payments,
        fee_cents=fee,
        gain_cents=gain,
        posted=arriving,
        fee_through_bank=fee_through_bank,
    )

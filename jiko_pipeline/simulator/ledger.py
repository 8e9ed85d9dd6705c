"""What the bank does with one pocket on one business day: sweep, fee, maturities, trading, valuation.

Belongs here: the rules of a day, as a pure function of the pocket's state, the day's movements and the day's
prices. Does not belong here: the order of days (`history`), what customers do (`activity`), what documents
say (`statements`), the records of a pocket (`pocket_day`). Source of the rules: docs/simulated-jiko.md, "How the
bank behaves".
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
    BookingSwitch,
    CloseBasisSwitch,
    DatesSwitch,
    FeePathSwitch,
    GainSwitch,
    Position,
    RoundingSwitch,
    SettlementSwitch,
    SweepPostingSwitch,
    Trade,
    Transaction,
    WorldConfig,
    ledger_basis,
)
from jiko_pipeline.simulator.pocket_day import Holding, PocketDay, PocketState, Sweep, Unsettled
from jiko_pipeline.simulator.roster import PocketPlan

PAR_MICROS: Final = 100_000_000
PAR_CENTS: Final = tbill.BILL_FACE * 100
_FEE_MONTHS_PER_UNIT: Final = 12_000
"""10 basis points a year, a twelfth of it each month: one part in 12,000."""

_SESSIONS: Final = {"MATURITY": time(8, 0), "SELL": time(14, 0), "BUY": time(15, 0)}
_SESSION_MICROSECONDS: Final = 3_000_000_000
_EVENING: Final = timedelta(hours=3)
"""How much later than in the session a trade of the evening is made."""
_EVENING_PERCENT: Final = 25
_CORRECTED_PERCENT: Final = 25
"""Where bookings may be late: how many of a hundred trades are of the evening, how many are booked again."""
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
class Dealt:
    """When a trade is made, booked and settled; `evening` is after the hour up to which the bank books on the day."""

    books_on: date
    settles_on: date
    evening: bool = False


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
        self.books_late = config.bookings is BookingSwitch.LATE and not at_once
        self.unsettled = [one for one in state.unsettled if max(one.books_on, one.settles_on) > day]

    def _sale(self, bill: Bill) -> Dealt:
        """A bill that matures by then is sold for cash: nobody buys what is paid back before it is delivered."""
        dealt = self._dealt("SELL", bill.cusip)
        return Dealt(self.day, self.day) if bill.maturity_date <= max(dealt.books_on, dealt.settles_on) else dealt

    def _dealt(self, activity: str, what: str) -> Dealt:
        if self.books_late:
            following = calendars.next_trading_day(self.day)
            drawn = drawn_integer(100, self.seed, "booking", self.plan.number, self.day, activity, what)
            if drawn < _EVENING_PERCENT:
                return Dealt(following, following, evening=True)
            if drawn < _EVENING_PERCENT + _CORRECTED_PERCENT:
                return Dealt(following, self.settles_on)
        return Dealt(self.day, self.settles_on)

    def mature(self) -> None:
        for holding in [held for held in self.holdings if held.bill.maturity_date <= self.day]:
            self._relieve(holding, holding.quantity, "MATURITY", PAR_MICROS, Dealt(self.day, self.day))

    def cover_shortage(self) -> None:
        """Sell the fewest bills, nearest maturity first, until cash is no longer negative."""
        for holding in list(self.holdings):
            if self.cash >= 0:
                return
            dealt = self._sale(holding.bill)
            price = self.pricing.sale_micros(holding.bill, self.day, self._deal("SELL"), dealt.settles_on)
            self._relieve(holding, min(_bills_for(-self.cash, price), holding.quantity), "SELL", price, dealt)
        if self.cash < 0:
            raise ArithmeticError(
                f"pocket {self.plan.number} is short of {-self.cash} cents on {self.day} with every bill sold"
            )

    def sell_everything(self) -> None:
        for holding in list(self.holdings):
            dealt = self._sale(holding.bill)
            price = self.pricing.sale_micros(holding.bill, self.day, self._deal("SELL"), dealt.settles_on)
            self._relieve(holding, holding.quantity, "SELL", price, dealt)

    def invest(self) -> None:
        """Buy as many bills of the newest issues as cash pays for: out of maturities, then of the rest."""
        if self.plan.reinvestment_term != self.plan.term:
            matured = sum(trade.cash_cents for trade in self.trades if trade.activity == "MATURITY")
            self._buy(self.plan.reinvestment_term, min(matured, self.cash))
        self._buy(self.plan.term, self.cash)

    def _buy(self, term: str, budget_cents: int) -> None:
        dealt = self._dealt("BUY", term)
        bill = newest_issue(term, dealt.settles_on)
        price = self.pricing.purchase_micros(bill, self.day, self._deal("BUY"), dealt.settles_on)
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
        self._record("BUY", bill, quantity, price, paid, paid, dealt)

    def _deal(self, activity: str) -> str:
        return f"{self.plan.number}|{activity}"

    def _relieve(self, holding: Holding, quantity: int, activity: str, price: int, dealt: Dealt) -> None:
        proceeds = tbill.cash_cents(quantity, price)
        self.cash += proceeds
        place = self.holdings.index(holding)
        relieved = holding.cost_cents * quantity // holding.quantity
        if quantity == holding.quantity:
            del self.holdings[place]
        else:
            self.holdings[place] = Holding(holding.bill, holding.quantity - quantity, holding.cost_cents - relieved)
        self._record(activity, holding.bill, quantity, price, proceeds, relieved, dealt)

    def _record(
        self,
        activity: str,
        bill: Bill,
        quantity: int,
        price: int,
        cash_cents: int,
        cost_cents: int,
        dealt: Dealt,
    ) -> None:
        if max(dealt.books_on, dealt.settles_on) > self.day:
            self.unsettled.append(
                Unsettled(activity, bill, quantity, cash_cents, cost_cents, dealt.books_on, dealt.settles_on)
            )
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
                traded_at=_traded_at(self.day, activity, key) + (_EVENING if dealt.evening else timedelta()),
                book_date=dealt.books_on,
                settlement_date=dealt.settles_on,
                yield_to_maturity=_yield_to_maturity(bill, dealt.settles_on, price),
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


def _put_in(before: PocketState, trades: Sequence[Trade], unsettled: Sequence[Unsettled], basis: str, day: date) -> int:
    """What purchases less sales and maturities put into the bills on `day`, by the dates of `basis`.

    `trades` are those made on the day, `unsettled` those that are under way at its end.
    """
    made = sum((1 if trade.activity == "BUY" else -1) * trade.cash_cents for trade in trades)
    return (
        made
        + _money(_waiting(before.unsettled, basis, day - timedelta(days=1)))
        - _money(_waiting(unsettled, basis, day))
    )


def _waiting(unsettled: Sequence[Unsettled], basis: str, day: date) -> list[Unsettled]:
    """The trades that do not count yet at the end of `day`."""
    return [one for one in unsettled if not one.is_due(basis, day)]


def _money(unsettled: Sequence[Unsettled]) -> int:
    """What they put into bills, signed."""
    return sum(one.direction * one.cash_cents for one in unsettled)


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
    positions = _positions(session.holdings, _waiting(session.unsettled, basis.pos_basis, day), day, pricing)
    value = sum(position.market_value_cents for position in positions)
    shown_cash = session.cash + _money(_waiting(session.unsettled, basis.cash_basis, day))
    closing = value
    if config.rounding is RoundingSwitch.TOTAL:
        closing = tbill.cash_cents(1, sum(position.quantity * position.mark_micros for position in positions))
    if config.close_basis is not CloseBasisSwitch.BILLS:
        closing += shown_cash
    if config.close_basis is CloseBasisSwitch.BILLS_CASH_AND_PENDING:
        closing -= _money(_waiting(session.unsettled, DatesSwitch.SETTLED, day))
    if config.gain is GainSwitch.PLUG:
        swept = sum(sweep.deposits_cents - sweep.payments_cents for sweep in arriving)
        gain = closing - before.closing_cents - swept + fee
    else:
        put_in = _put_in(before, session.trades, session.unsettled, basis.pos_basis, day)
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

"""What a report request may ask for, and what the finished file holds.

Belongs here: reading and refusing the body of POST /api/v1/report-requests/, and rendering a report from it.
Does not belong here: the life of a request (`reports`), layouts (`documents`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final, Literal, cast
from uuid import UUID

from jiko_pipeline.calendars import is_fed_business_day, new_york_date, new_york_instant
from jiko_pipeline.simulator.documents import camt053, delimited, trade_pdf
from jiko_pipeline.simulator.model import Pocket, PositionSummary, StatementFacts
from jiko_pipeline.simulator.server.answers import RefusedError, invalid
from jiko_pipeline.simulator.server.bank import SimulatedBank
from jiko_pipeline.simulator.server.holdings import DAY_END_HOUR

LONGEST_RANGE_DAYS: Final = 31

BANK_STATEMENT: Final = "BANK_STATEMENT_REPORT"
BROKERAGE_STATEMENT: Final = "BROKERAGE_STATEMENT_REPORT"
POSITION_SUMMARY: Final = "POSITION_SUMMARY_REPORT"
TRADE_REPORT: Final = "TRADE_REPORT"
SECURITY_PRICE: Final = "SECURITY_PRICE_REPORT"

_FORMATS: Final[Mapping[str, tuple[str, ...]]] = {
    BANK_STATEMENT: ("CAMT053",),
    BROKERAGE_STATEMENT: ("CAMT053",),
    TRADE_REPORT: ("KYRIBA_CSV", "CSV"),
    SECURITY_PRICE: ("KYRIBA_CSV",),
    POSITION_SUMMARY: ("CSV", "PDF"),
}
_OF_ONE_DAY: Final = (BANK_STATEMENT, BROKERAGE_STATEMENT, POSITION_SUMMARY)
_DATE_TYPES: Final = ("TRADE_DATE", "SETTLEMENT_DATE", "BOOK_DATE")
DateType = Literal["TRADE_DATE", "SETTLEMENT_DATE", "BOOK_DATE"]


@dataclass(frozen=True, slots=True)
class ReportOrder:
    """A report request that was understood; `first` and `last` are equal for reports of one day."""

    report_type: str
    formats: tuple[str, ...]
    pocket_ids: tuple[str, ...] | None
    first: date
    last: date
    date_type: DateType

    @property
    def of_one_day(self) -> bool:
        """True for statements and position summaries, which exist for each pocket and day."""
        return self.report_type in _OF_ONE_DAY


def read_order(body: object) -> ReportOrder:
    """The order in a request body. Raises RefusedError(422) naming the field that is wrong."""
    if not isinstance(body, dict):
        raise invalid("body", "", "Input should be a valid dictionary", "dict_type", body)
    report_type = body.get("report_type")
    if not isinstance(report_type, str) or report_type not in _FORMATS:
        raise _enum("report_type", tuple(_FORMATS), report_type)
    formats = body.get("output_formats")
    if not isinstance(formats, list) or not formats:
        raise invalid("body", "output_formats", "List should have at least 1 item", "too_short", formats)
    for output_format in formats:
        if output_format not in _FORMATS[report_type]:
            raise _enum("output_formats", _FORMATS[report_type], output_format)
    date_type = body.get("date_type") or "TRADE_DATE"
    if date_type not in _DATE_TYPES:
        raise _enum("date_type", _DATE_TYPES, date_type)
    if report_type in _OF_ONE_DAY:
        first = last = _day(body, "date")
    else:
        first, last = _day(body, "date_from"), _day(body, "date_to")
    return ReportOrder(
        report_type,
        tuple(dict.fromkeys(formats)),
        _pocket_ids(body),
        first,
        last,
        cast(DateType, date_type),
    )


def _enum(name: str, choices: tuple[str, ...], value: object) -> RefusedError:
    expected = " or ".join(repr(choice) for choice in choices)
    return invalid("body", name, f"Input should be {expected}", "enum", value, {"expected": expected})


def _day(body: Mapping[str, Any], name: str) -> date:
    value = body.get(name)
    if value is None:
        raise invalid("body", name, "Field required", "missing")
    try:
        if not isinstance(value, str) or len(value) != 10:
            raise ValueError(value)
        return date.fromisoformat(value)
    except ValueError:
        raise invalid("body", name, "Input should be a valid date", "date_parsing", value) from None


def _pocket_ids(body: Mapping[str, Any]) -> tuple[str, ...] | None:
    values = body.get("pocket_ids")
    if values is None:
        return None
    if not isinstance(values, list) or not values:
        raise invalid("body", "pocket_ids", "List should have at least 1 item", "too_short", values)
    try:
        return tuple(dict.fromkeys(str(UUID(str(value))) for value in values))
    except ValueError:
        raise invalid("body", "pocket_ids", "Input should be a valid UUID", "uuid_parsing", values) from None


def check_order(bank: SimulatedBank, order: ReportOrder, today: date) -> None:
    """Refuse with 422 what the bank has no report for: see `docs/simulated-jiko.md`, Report requests."""
    name = "date" if order.of_one_day else "date_to"
    if order.last > today:
        raise _rule(name, "the date lies in the future", order.last)
    if order.last < order.first:
        raise _rule("date_to", "date_to lies before date_from", order.last)
    if (order.last - order.first).days + 1 > LONGEST_RANGE_DAYS:
        raise _rule("date_to", f"a report covers at most {LONGEST_RANGE_DAYS} days", order.last)
    pockets = {pocket.id: pocket for pocket in bank.world.pockets(today)}
    for pocket_id in order.pocket_ids or ():
        if pocket_id not in pockets:
            raise _rule("pocket_ids", "the pocket is not one of this customer", pocket_id)
    if not order.of_one_day:
        return
    if order.pocket_ids is not None and len(order.pocket_ids) > 1:
        raise _rule("pocket_ids", "one pocket a request", list(order.pocket_ids))
    if not is_fed_business_day(order.first):
        raise _rule("date", "the date is no business day", order.first)
    if not _alive(list(pockets.values()), order):
        raise _rule("date", "the pocket was not open on this date", order.first)


def _rule(name: str, message: str, value: object) -> RefusedError:
    shown = value.isoformat() if isinstance(value, date) else value
    return invalid("body", name, f"Value error, {message}", "value_error", shown)


def _alive(pockets: list[Pocket], order: ReportOrder) -> list[Pocket]:
    return [
        pocket
        for pocket in pockets
        if (order.pocket_ids is None or pocket.id in order.pocket_ids)
        and pocket.opened_on <= order.first <= (pocket.closed_on or order.first)
    ]


@dataclass(frozen=True, slots=True)
class PlannedReport:
    """One file of a finished request."""

    output_format: str
    pocket_id: str | None
    file_name: str


def plan(bank: SimulatedBank, order: ReportOrder, created_at: datetime) -> list[PlannedReport] | str:
    """The files of a request, or the sentence that says why it failed."""
    if not order.of_one_day:
        pocket_id = order.pocket_ids[0] if order.pocket_ids and len(order.pocket_ids) == 1 else None
        stem = f"{_stem(order)}-{order.first}-{order.last}"
        return [
            PlannedReport(output_format, pocket_id, f"{stem}{_SUFFIXES[output_format]}")
            for output_format in order.formats
        ]
    planned = []
    for pocket in _alive(list(bank.world.pockets(new_york_date(created_at))), order):
        if _facts(bank, order, pocket.id, created_at) is None:
            return f"The report of {order.first} could not be made for pocket {pocket.id}."
        stem = f"{_stem(order)}-{pocket.id}-{order.first}"
        planned += [
            PlannedReport(output_format, pocket.id, f"{stem}{_SUFFIXES[output_format]}")
            for output_format in order.formats
        ]
    return planned


_SUFFIXES: Final = {"CAMT053": ".xml", "CSV": ".csv", "KYRIBA_CSV": ".kyriba.csv", "PDF": ".pdf"}


def _stem(order: ReportOrder) -> str:
    return order.report_type.removesuffix("_REPORT").lower().replace("_", "-")


def _facts(
    bank: SimulatedBank, order: ReportOrder, pocket_id: str, created_at: datetime
) -> StatementFacts | PositionSummary | None:
    ask: Mapping[str, Callable[..., StatementFacts | PositionSummary | None]] = {
        BANK_STATEMENT: bank.world.bank_statement,
        BROKERAGE_STATEMENT: bank.world.brokerage_statement,
        POSITION_SUMMARY: bank.world.position_summary,
    }
    provisional = created_at < day_end(order.first)
    return ask[order.report_type](pocket_id, order.first, provisional=provisional, known_at=created_at)


def day_end(day: date) -> datetime:
    """From when the figures of a day are final."""
    return new_york_instant(day, time(DAY_END_HOUR))


def render(
    bank: SimulatedBank,
    order: ReportOrder,
    *,
    report_id: str,
    output_format: str,
    pocket_id: str | None,
    created_at: datetime,
) -> tuple[bytes, str]:
    """(bytes, media type) of one report: always the same for the same report, whenever it is fetched."""
    world = bank.world
    if order.report_type == TRADE_REPORT:
        pocket_ids = order.pocket_ids or tuple(p.id for p in world.pockets(new_york_date(created_at)))
        trades = [
            trade
            for trade in world.reported_trades(output_format, pocket_ids, order.first, order.last, order.date_type)
            if trade.traded_at <= created_at
        ]
        write = delimited.trade_report if output_format == "CSV" else delimited.trade_report_kyriba
        return write(trades), delimited.MEDIA_TYPE
    if order.report_type == SECURITY_PRICE:
        marks = [mark for mark in world.prices(order.first, order.last) if day_end(mark.day) <= created_at]
        return delimited.security_prices(marks), delimited.MEDIA_TYPE
    assert pocket_id is not None
    facts = _facts(bank, order, pocket_id, created_at)
    assert facts is not None
    if isinstance(facts, PositionSummary) and output_format == "PDF":
        return trade_pdf.position_summary(facts), trade_pdf.MEDIA_TYPE
    if isinstance(facts, PositionSummary):
        return delimited.position_summaries([facts]), delimited.MEDIA_TYPE
    body = camt053.render(
        facts,
        version=str(bank.config["camt_version"]),
        message_id=report_id.replace("-", ""),
        created_at=created_at,
    )
    return body, camt053.MEDIA_TYPE

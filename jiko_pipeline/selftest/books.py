"""How the bank of a world books: its ledger switches, and conditions on them.

Belongs here: the switches there are, what a condition of a fault's file may ask. Does not belong here: which worlds
there are (`worlds`), what follows from a condition (`catalogue`).
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, get_type_hints

from jiko_pipeline.simulator.model import BookingSwitch, DatesSwitch, RoundingSwitch, WorldConfig, ledger_basis

Books = Mapping[str, str]
"""The value of every ledger switch, and which date counts for bills (`pos_basis`) and for cash (`cash_basis`)."""
Condition = Mapping[str, tuple[str, ...]]
"""Words of `Books`, each with the values that it may have; with none it holds for every bank."""

LEDGER_SWITCHES: Final[Mapping[str, tuple[StrEnum, ...]]] = {
    name: tuple(kind)
    for name, kind in get_type_hints(WorldConfig).items()
    if isinstance(kind, type) and issubclass(kind, StrEnum)
}
"""The ledger switches of a world, as `WorldConfig` names them, with their values; the default value comes first."""

_ONLY_LEARNED_FROM: Final = (BookingSwitch, RoundingSwitch)
"""Switches that tell one way of booking from another; no fault is another fault under them."""

SWITCHES: Final[Mapping[str, tuple[StrEnum, ...]]] = {
    name: tuple(value for value in values if value is not DatesSwitch.BOOKED)
    for name, values in LEDGER_SWITCHES.items()
    if not isinstance(values[0], _ONLY_LEARNED_FROM)
}
"""The ledger switches under which faults are planted."""

_DATES: Final = tuple(str(value) for value in SWITCHES["dates"])
WORDS: Final[Condition] = {
    **{name: tuple(str(value) for value in values) for name, values in SWITCHES.items()},
    "pos_basis": _DATES,
    "cash_basis": _DATES,
}
"""What a condition may name, with every value."""


def books_of(switches: Mapping[str, Any] | None = None) -> Books:
    """How a bank with these switches books; those not named have their default value."""
    config = WorldConfig(**(switches or {}))
    truth = ledger_basis(config)
    return {
        **{name: str(getattr(config, name)) for name in SWITCHES},
        "pos_basis": str(truth.pos_basis),
        "cash_basis": str(truth.cash_basis),
    }


def holds(condition: Condition, books: Books) -> bool:
    """True when a bank that books so meets the condition."""
    return all(books[name] in values for name, values in condition.items())


def unknown_words(conditions: Iterable[Condition]) -> list[str]:
    """What conditions name that no bank has, words and values."""
    return sorted(
        word
        for condition in conditions
        for name, values in condition.items()
        for word in ([name] if name not in WORDS else [value for value in values if value not in WORDS[name]])
    )

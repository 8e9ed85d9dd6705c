"""Which function plants which fault.

Belongs here: the table of plantings. Does not belong here: any planting (the module of its subject).
"""

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Final

from jiko_pipeline.selftest import planting
from jiko_pipeline.selftest.site import Site

Names = Mapping[str, str | Sequence[str]]
"""What was hit, for the templates of a fault's file; of several things a sequence."""
Planting = Callable[[Site], Names]

_PLANTINGS: Final[dict[str, Planting]] = {}


def plants(name: str) -> Callable[[Planting], Planting]:
    """Enters a function as the planting of the fault `name`. Raises ValueError when the fault has one."""

    def enter(function: Planting) -> Planting:
        if name in _PLANTINGS:
            raise ValueError(f"two functions plant the fault {name}")
        _PLANTINGS[name] = function
        return function

    return enter


@cache
def plantings() -> Mapping[str, Planting]:
    """Every planting by the name of its fault."""
    for module in pkgutil.iter_modules(planting.__path__):
        import_module(f"{planting.__name__}.{module.name}")
    return dict(sorted(_PLANTINGS.items()))

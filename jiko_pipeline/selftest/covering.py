"""A covering array: few rows in which every two values of different factors occur together.

Belongs here: the greedy choice. Does not belong here: what the factors are.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product
from typing import TypeVar

Value = TypeVar("Value")


def covering_array(
    factors: Mapping[str, Sequence[Value]], allowed: Callable[[Mapping[str, Value]], bool]
) -> list[dict[str, Value]]:
    """Rows (a value for each factor) such that every pair of values that any allowed row has is in one of them.

    Greedy over all combinations, so meant for factors whose product is small. The same factors give the same rows;
    the first row is the allowed one that comes first.
    """
    rows = [dict(zip(factors, values, strict=True)) for values in product(*factors.values())]
    rows = [row for row in rows if allowed(row)]
    wanted = {pair for row in rows for pair in pairs_of(row)}
    chosen: list[dict[str, Value]] = []
    while wanted:
        best = max(rows, key=lambda row: len(wanted & pairs_of(row))) if chosen else rows[0]
        chosen.append(best)
        wanted -= pairs_of(best)
    return chosen


def pairs_of(row: Mapping[str, Value]) -> set[tuple[tuple[str, Value], tuple[str, Value]]]:
    """Every two (factor, value) of a row, in the order of the factors."""
    return set(combinations(row.items(), 2))

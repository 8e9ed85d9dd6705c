"""How far a row of windows is and how long the rest will take, as a person is told in a terminal and in Dagster."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """`done` windows `of` so many took `seconds` of the clock."""

    done: int
    of: int
    seconds: float

    @property
    def seconds_left(self) -> float | None:
        """What the rest takes at the pace so far; None before the first window is done."""
        return None if not self.done else self.seconds / self.done * (self.of - self.done)

    def __str__(self) -> str:
        left = self.seconds_left
        rest = "" if left is None or self.done >= self.of else f", about {duration(left)} left"
        return f"window {self.done} of {self.of}, {duration(self.seconds)} so far{rest}"


def duration(seconds: float) -> str:
    """For a sentence: `42 s`, `7 min`, `3 h 20 min`."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"

"""The time as the bank room sees it: wall clock, monotonic clock and waiting, in one replaceable object.

Does not belong here: business dates (`jiko_pipeline.calendars`).
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final


@dataclass(frozen=True, slots=True)
class Clock:
    """`wall` gives aware UTC instants, `monotonic` seconds that never jump, `sleep` waits for seconds.

    `pool` makes a pool of so many threads: a time that is not the real one has to know whose work it must not
    overtake.
    """

    wall: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    pool: Callable[[int, str], ThreadPoolExecutor] = ThreadPoolExecutor


SYSTEM_CLOCK: Final = Clock(wall=lambda: datetime.now(UTC), monotonic=time.monotonic, sleep=time.sleep)

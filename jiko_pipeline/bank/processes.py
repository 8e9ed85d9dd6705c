"""Telling one process from another that later has the same number.

Does not belong here: what a process was doing (`order_book`, `simulator_process`).
"""

import os
import subprocess
from pathlib import Path


def start_mark(pid: int) -> str | None:
    """When process `pid` started, in the system's own terms; None when there is no such process.

    Clock ticks since boot on Linux (field 22 of /proc/PID/stat), letters and digits of what `ps` says
    elsewhere. A process that has ended and waits for its parent counts as gone.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
        answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return "".join(filter(str.isalnum, answer.stdout)) or None
    except (OSError, ProcessLookupError):
        return None
    # The name of the program stands in parentheses and may itself hold any character.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else fields[19]


def own_mark() -> str:
    """This process, as `pid:start`."""
    pid = os.getpid()
    return f"{pid}:{start_mark(pid)}"


def is_alive(mark: str) -> bool:
    """True when the process of a `pid:start` mark still runs."""
    pid, _, started = mark.partition(":")
    return pid.isdecimal() and started not in ("", "None") and start_mark(int(pid)) == started

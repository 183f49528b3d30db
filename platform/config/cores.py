"""A core of its own for each web process that serves by threads.

Such a process runs one thread at a time, whoever holds the interpreter's lock. Spread over all cores, each turn wakes
another core, which on virtual machines takes as long as a good part of the request (docs/performance-api.md has both).
"""

import os
import socket
from contextlib import suppress
from pathlib import Path

NAMES = "exfm-web-core-"
"""What the cores' names begin with: one for all web processes of the machine or container."""
_held: list[socket.socket] = []


def settle() -> int | None:
    """Keep the process's threads, and those they start, on the first core that no other web process of this machine or
    container has taken; return it. None where all are taken, there is but one, or the system cannot do it."""
    if not hasattr(os, "sched_setaffinity") or len(cores := sorted(os.sched_getaffinity(0))) < 2:
        return None
    for core in cores:
        if _take(core):
            for thread in Path("/proc/self/task").iterdir():
                with suppress(ProcessLookupError):  # it ended meanwhile
                    os.sched_setaffinity(int(thread.name), {core})
            return core
    return None


def _take(core: int) -> bool:
    """Bind an abstract name: no file, and the kernel gives it back however the process ends."""
    held = socket.socket(socket.AF_UNIX)
    try:
        held.bind(f"\0{NAMES}{core}")
    except OSError:
        held.close()
        return False
    _held.append(held)
    return True

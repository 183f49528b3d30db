"""Waiting for a condition with a deadline; never for a length of time."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from tests.kit.patience import PATIENCE

T = TypeVar("T")


def wait_for(what: str, condition: Callable[[], T | None], seconds: float = PATIENCE, every: float = 0.02) -> T:
    """Return the condition's first true value; fail with `what` after `seconds`."""
    until, pause = time.monotonic() + seconds, threading.Event()
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        pause.wait(every)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")

"""A child that dies with its supervisor. Standard library only: it runs before anything slow is imported."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def bind_to(parent: int) -> bool:
    """Asks the kernel for SIGKILL when the parent dies. False if the parent is gone already.

    The signal is bound to the *thread* that started this process: a supervisor must start children from a thread that
    lives as long as they do.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The parent may have died before the request took hold; then this process has another parent.
    return os.getppid() == parent

"""Ties a process's life to its parent's, so that `kill -9` of the parent leaves nothing behind."""

import ctypes
import os
import signal
import sys

_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int, signum: int = signal.SIGKILL) -> None:
    """Ask the kernel for `signum` when the thread that started us ends; end at once when it has ended already.

    Linux only. Elsewhere the launcher's next start ends what an earlier one left (`launcher.json`).
    """
    if _LIBC is None:
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(signum))
    if os.getppid() != parent:
        os.kill(os.getpid(), signum)

"""Web processes take a core each, all their threads with them, and give it back however they end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORES = sorted(os.sched_getaffinity(0))
PROGRAM = """
import os, threading, time
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
from config.cores import settle
core = settle()
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print(core, sorted({tuple(sorted(os.sched_getaffinity(int(t)))) for t in os.listdir("/proc/self/task")}), flush=True)
time.sleep(60)
"""

pytestmark = pytest.mark.skipif(len(CORES) < 2, reason="needs two cores")


class Process:
    """One that settles, and tells where."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "platform")}
        self.running = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert self.running.stdout is not None
        first, _, rest = self.running.stdout.readline().strip().partition(" ")
        self.core = None if first == "None" else int(first)
        self.threads = rest

    def kill(self) -> None:
        self.running.send_signal(signal.SIGKILL)
        self.running.wait(10)


def test_each_process_takes_a_core_with_all_its_threads_and_a_killed_one_gives_it_back() -> None:
    processes = [Process() for _ in CORES]
    try:
        taken = [process.core for process in processes if process.core is not None]
        assert taken and len(set(taken)) == len(taken)  # another test's web process may have one
        for process in processes:
            if process.core is not None:
                assert process.threads == f"[({process.core},)]"
        late = Process()
        processes.append(late)
        assert late.core is None
        assert late.threads == f"[{tuple(CORES)}]"
        first = next(process for process in processes if process.core is not None)
        first.kill()
        time.sleep(0.1)
        heir = Process()
        processes.append(heir)
        assert heir.core == first.core
    finally:
        for process in processes:
            process.kill()

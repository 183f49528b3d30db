"""Web processes take a core each, all their threads with them, and give it back however they end."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kit.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
CORES = sorted(os.sched_getaffinity(0))
PROGRAM = """
import os, threading, time
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
from config.cores import settle
from tests.kit.patience import PATIENCE
core = settle()
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print(core, sorted({tuple(sorted(os.sched_getaffinity(int(t)))) for t in os.listdir("/proc/self/task")}), flush=True)
time.sleep(600)
"""

pytestmark = pytest.mark.skipif(len(CORES) < 2, reason="needs two cores")


class Process:
    """One that settles, and tells where."""

    def __init__(self, names: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "platform")}
        self.running = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, names], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert self.running.stdout is not None
        first, _, rest = self.running.stdout.readline().strip().partition(" ")
        self.core = None if first == "None" else int(first)
        self.threads = rest

    def kill(self) -> None:
        self.running.send_signal(signal.SIGKILL)
        self.running.wait(PATIENCE)


@pytest.fixture
def start() -> Iterator[Callable[[], Process]]:
    """Return a function that starts a process among those of this test alone: the machine's own web processes come and
    go."""
    started: list[Process] = []

    def one_more() -> Process:
        started.append(Process(f"exfm-test-{os.getpid()}-core-"))
        return started[-1]

    yield one_more
    for process in started:
        process.kill()


def test_each_process_takes_a_core_with_all_its_threads_and_a_killed_one_gives_it_back(
    start: Callable[[], Process],
) -> None:
    processes = [start() for _ in CORES]
    assert [process.core for process in processes] == CORES
    assert [process.threads for process in processes] == [f"[({core},)]" for core in CORES]
    late = start()
    assert late.core is None
    assert late.threads == f"[{tuple(CORES)}]"
    processes[-1].kill()
    assert start().core == CORES[-1]
    assert start().core is None

"""How a contender is driven: one process each, a JSON line in, a JSON line out. Standard library only.

A contender stays alive between its turns, so that the contenders can take turns: what disturbs the machine then
disturbs all of them. Between its turns it sleeps on its standard input.
"""

import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOGS = ROOT / "var" / "bench" / "logs"


@dataclass(frozen=True)
class Cost:
    """Seconds of the clock and of the processors, the children that ended meanwhile included."""

    wall: float
    cpu: float


def cost_of(work: Callable[[], Any]) -> Cost:
    """Do the work once and measure it."""
    began, before = time.perf_counter(), _cpu()
    work()
    return Cost(time.perf_counter() - began, _cpu() - before)


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def serve(**actions: Callable[..., dict[str, Any]]) -> None:
    """The contender's side: answer requests until the input ends. What libraries print goes to the log."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(actions[request.pop("do")](**request)), file=answers, flush=True)


class Contender:
    """The driver's side of one contender."""

    def __init__(self, name: str, command: list[str], threads: int) -> None:
        LOGS.mkdir(parents=True, exist_ok=True)
        self.name, self._log = name, LOGS / f"{name.replace(' ', '-')}.log"
        settings = {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive"}
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | settings | {"PYTHONWARNINGS": "ignore", "PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """One request. Raises RuntimeError with the end of the log if the contender died."""
        assert self._process.stdin and self._process.stdout
        try:
            print(json.dumps({"do": do} | request), file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise RuntimeError(f"{self.name} ended:\n{self._log.read_text()[-2000:]}")
        return dict(json.loads(answer))

    def close(self) -> None:
        """Let it end."""
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

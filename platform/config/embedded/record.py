"""What the launcher leaves for its successor: one running launcher per folder, and the processes it started."""

import fcntl
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import psutil


class Record:
    """`launcher.lock` (held while a launcher runs) and `launcher.json` (its addresses and processes)."""

    def __init__(self, home: Path) -> None:
        self.path, self.lock_path = home / "launcher.json", home / "launcher.lock"
        self._lock: IO[str] | None = None

    def take(self) -> bool:
        """Become this folder's launcher; False when one runs. The kernel drops the lock of a killed one."""
        self.lock_path.parent.mkdir(parents=True, exist_ok=True)
        lock = self.lock_path.open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._lock = lock
        return True

    def take_over(self, seconds: float) -> bool:
        """Like `take`, but wait for a launcher that is stopping."""
        until = time.monotonic() + seconds
        while not self.take():
            if not self.read().get("stopping") or time.monotonic() > until:
                return False
            time.sleep(0.1)
        return True

    def release(self) -> None:
        """Let the next launcher in."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def read(self) -> dict[str, Any]:
        """Return what the last launcher wrote."""
        try:
            found = json.loads(self.path.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write(self, **facts: Any) -> None:
        """Replace the file in one step."""
        half = self.path.with_suffix(".half")
        half.write_text(json.dumps(facts, indent=1))
        half.rename(self.path)

    def clear(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)


def identify(pid: int) -> dict[str, float]:
    """Describe a process so that a later one with the same number is not taken for it."""
    try:
        return {"pid": pid, "started": psutil.Process(pid).create_time()}
    except psutil.Error:
        return {}


def find(identity: dict[str, Any]) -> psutil.Process | None:
    """Return the described process while it runs."""
    with suppress(psutil.Error, KeyError, TypeError):
        process = psutil.Process(int(identity["pid"]))
        if abs(process.create_time() - identity["started"]) < 1 and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def end_leftovers(record: dict[str, Any]) -> list[str]:
    """Kill processes that a killed launcher left (where the kernel has no parent-death signal); return their names."""
    ended = []
    for name, identity in record.get("processes", {}).items():
        if (process := find(identity)) is not None and process.pid != os.getpid():
            for relative in [*process.children(recursive=True), process]:
                with suppress(psutil.Error):
                    relative.kill()
            ended.append(name)
    if ended:
        time.sleep(0.1)
    return ended

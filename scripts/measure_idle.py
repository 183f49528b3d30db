"""`make bench`: starts the platform in a fresh folder and prints how long it takes and what the idle processes
hold in memory.

Resident (RSS) counts shared pages in every process, proportional (PSS) shares them out; the limits are about RSS.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.kit.ports import free_port_pair

ROOT = Path(__file__).resolve().parents[1]
SETTLE_SECONDS = 10
WEB_MB, ALL_MB = 150, 1024


@dataclass
class Row:
    """One part of the platform."""

    name: str
    processes: int
    rss: float
    pss: float


def measure(name: str, roots: list[psutil.Process]) -> Row:
    """Sum a part's processes, in MB."""
    found = {p.pid: p for root in roots for p in [root, *root.children(recursive=True)]}
    memory = [p.memory_full_info() for p in found.values()]
    return Row(name, len(found), sum(m.rss for m in memory) / 1e6, sum(getattr(m, "pss", m.rss) for m in memory) / 1e6)


def parts(home: Path, launcher: psutil.Process) -> list[Row]:
    """Measure each supervised process, the embedded servers and the launcher."""
    record = json.loads((home / "launcher.json").read_text())
    rows = [measure(name, [psutil.Process(identity["pid"])]) for name, identity in record["processes"].items()]
    ours = [p for p in psutil.process_iter(["name", "cmdline"]) if str(home) in " ".join(p.info["cmdline"] or [])]
    rows += [measure(name, [p for p in ours if p.info["name"] == name]) for name in ("postgres", "valkey-server")]
    own = launcher.memory_full_info()
    return [*rows, Row("launcher", 1, own.rss / 1e6, getattr(own, "pss", own.rss) / 1e6)]


def start(home: Path, port: int) -> tuple["subprocess.Popen[str]", float]:
    """Start the launcher; return it with the seconds until it reports readiness."""
    began = time.monotonic()
    launcher = subprocess.Popen(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env={**os.environ, "EXFM_HOME": str(home), "EXFM_PORT": str(port)},
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in launcher.stdout or ():
        if line.startswith("Ready"):
            return launcher, time.monotonic() - began
    raise SystemExit("The platform did not become ready; run `make up` to see why.")


def main() -> int:
    """Print the tables; return 1 when a limit is passed."""
    home = Path(tempfile.mkdtemp(prefix="exfm-idle-"))
    home.chmod(0o755)
    port = free_port_pair()
    try:
        seconds = []
        for last in (False, True):
            launcher, took = start(home, port)
            seconds.append(took)
            if last:
                time.sleep(SETTLE_SECONDS)
                rows = parts(home, psutil.Process(launcher.pid))
            launcher.send_signal(signal.SIGINT)
            began = time.monotonic()
            launcher.wait(30)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    stopped = time.monotonic() - began
    print(f"ready after {seconds[0]:.1f} s (first start), {seconds[1]:.1f} s (later); stopped in {stopped:.1f} s\n")
    print(f"{'part':14}{'processes':>10}{'RSS MB':>10}{'PSS MB':>10}")
    for row in rows:
        print(f"{row.name:14}{row.processes:>10}{row.rss:>10.0f}{row.pss:>10.0f}")
    total = Row("all", sum(r.processes for r in rows), sum(r.rss for r in rows), sum(r.pss for r in rows))
    print(f"{total.name:14}{total.processes:>10}{total.rss:>10.0f}{total.pss:>10.0f}")
    heavy = [row.name for row in rows if row.name in {"web", "admin", "worker", "beat"} and row.rss > WEB_MB]
    for name in heavy:
        print(f"{name} holds more than {WEB_MB} MB", file=sys.stderr)
    return int(bool(heavy) or total.rss > ALL_MB)


if __name__ == "__main__":
    sys.exit(main())

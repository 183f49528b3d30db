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
PROCESS_MB, ALL_MB = 150, 1024


@dataclass
class Row:
    """One part of the platform."""

    name: str
    processes: int
    rss: float
    pss: float
    largest: float


def measure(name: str, roots: list[psutil.Process], alone: bool = False) -> Row:
    """Sum a part's processes, in MB; with their children unless `alone`."""
    found = {p.pid: p for root in roots for p in [root, *([] if alone else root.children(recursive=True))]}
    memory = [p.memory_full_info() for p in found.values()]
    rss, pss = [m.rss / 1e6 for m in memory], [getattr(m, "pss", m.rss) / 1e6 for m in memory]
    return Row(name, len(found), sum(rss), sum(pss), max(rss, default=0))


def parts(home: Path, launcher: int) -> list[Row]:
    """Measure each supervised process, the embedded servers and the launcher."""
    record = json.loads((home / "launcher.json").read_text())
    rows = [measure(name, [psutil.Process(identity["pid"])]) for name, identity in record["processes"].items()]
    ours = [p for p in psutil.process_iter(["name", "cmdline"]) if str(home) in " ".join(p.info["cmdline"] or [])]
    rows += [measure(name, [p for p in ours if p.info["name"] == name]) for name in ("postgres", "valkey-server")]
    return [*rows, measure("launcher", [psutil.Process(launcher)], alone=True)]


def start(home: Path, port: int) -> tuple["subprocess.Popen[str]", float, float]:
    """Start the launcher; return it with the seconds until it is ready, and those of web and admin alone."""
    began = time.monotonic()
    launcher = subprocess.Popen(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env={**os.environ, "EXFM_HOME": str(home), "EXFM_PORT": str(port)},
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in launcher.stdout or ():
        if line.startswith("Servers ready"):
            servers = time.monotonic()
        if line.startswith("Ready"):
            return launcher, time.monotonic() - began, time.monotonic() - servers
    raise SystemExit("The platform did not become ready; run `make up` to see why.")


def main() -> int:
    """Print the tables; return 1 when a limit is passed."""
    home = Path(tempfile.mkdtemp(prefix="exfm-idle-"))
    home.chmod(0o755)
    port = free_port_pair()
    try:
        seconds = []
        for last in (False, True):
            launcher, took, web = start(home, port)
            seconds.append(took)
            if last:
                time.sleep(SETTLE_SECONDS)
                rows = parts(home, launcher.pid)
            launcher.send_signal(signal.SIGINT)
            began = time.monotonic()
            launcher.wait(30)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    stopped = time.monotonic() - began
    print(
        f"ready after {seconds[0]:.1f} s (first start), {seconds[1]:.1f} s (later, of which web and admin {web:.1f} s)"
    )
    print(f"stopped in {stopped:.1f} s after Ctrl-C\n")
    total = Row(
        "all",
        sum(r.processes for r in rows),
        sum(r.rss for r in rows),
        sum(r.pss for r in rows),
        max(r.largest for r in rows),
    )
    print(f"{'part':14}{'processes':>10}{'RSS MB':>10}{'PSS MB':>10}{'largest process, RSS MB':>26}")
    for row in (*rows, total):
        print(f"{row.name:14}{row.processes:>10}{row.rss:>10.0f}{row.pss:>10.0f}{row.largest:>26.0f}")
    heavy = [row.name for row in rows if row.name in {"web", "admin", "worker", "beat"} and row.largest > PROCESS_MB]
    for name in heavy:
        print(f"{name} holds more than {PROCESS_MB} MB in one process", file=sys.stderr)
    return int(bool(heavy) or total.rss > ALL_MB)


if __name__ == "__main__":
    sys.exit(main())

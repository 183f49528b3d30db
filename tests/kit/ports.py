"""Free ports for what tests start."""

import itertools
import os
import socket
from collections.abc import Iterator
from pathlib import Path

FIRST = 12_000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_held: list[socket.socket] = []


def free_port_pair() -> int:
    """Return a port p such that p and p + 1 are free and stay so until the test binds them.

    Below the range from which the kernel takes ports for connections, any of which could otherwise come in between; and
    handed out once on this machine while the process lives, whatever other suites run on it.
    """
    for port in _candidates():
        if _mine(port) and _free(port) and _free(port + 1):
            return port
    raise AssertionError("all ports are taken")


def _candidates() -> Iterator[int]:
    """Even ports, each process starting elsewhere."""
    end = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32_768
    ports = range(FIRST, end - 1, 2) if end > FIRST + 1_000 else range(61_000, 65_534, 2)
    start = os.getpid() * 37 % len(ports)
    return itertools.chain(ports[start:], ports[:start])


def _mine(port: int) -> bool:
    """Take an abstract name for the pair: no file, and the kernel gives it back however the process ends."""
    held = socket.socket(socket.AF_UNIX)
    try:
        held.bind(f"\0exfm-test-port-{port}")
    except OSError:
        held.close()
        return False
    _held.append(held)
    return True


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True

"""Free ports for platforms that tests start."""

import socket


def free_port_pair() -> int:
    """Return a port p such that p and p + 1 were free a moment ago."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port

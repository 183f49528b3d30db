"""A real S3-compatible server (moto's) in a process of its own, on a free port of this machine."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

from tests.kit.patience import PATIENCE
from tests.kit.ports import free_port_pair


@contextlib.contextmanager
def server() -> Iterator[dict[str, str]]:
    """The environment variables of a client of the running server. Its objects go with it."""
    port = free_port_pair()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
                break
            assert process.poll() is None and time.monotonic() < deadline, "the S3 server did not start"
            time.sleep(0.05)
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "exfm",
            "AWS_SECRET_ACCESS_KEY": "exfm-secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "PATH": os.environ["PATH"],
        }
    finally:
        process.terminate()
        process.wait(PATIENCE)

"""The embedded Valkey, the broker: a unix socket, an append-only file, adopted when a killed launcher left it
running."""

import socket
import subprocess
import time

from config.embedded.account import ServerAccount, ServerError
from config.embedded.installation import Installation
from config.embedded.wheels import valkey_program

START_SECONDS = 60


class Valkey:
    """One server under `Installation.servers`; over TCP as well when given a port."""

    def __init__(self, place: Installation, port: int = 0) -> None:
        self.place, self.port, self.account = place, port, ServerAccount()
        self.socket = place.run / "valkey.sock"
        self.log = place.logs / "valkey.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Valkey":
        """Start or adopt the server; returns when it answers."""
        if self.answers():
            return self
        self.place.logs.mkdir(parents=True, exist_ok=True)
        self.account.folder(self.place.servers, 0o755)
        self.account.folder(self.place.run)
        data = self.account.folder(self.place.servers / "valkey")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    valkey_program(self.account, self.place.servers), "--port", str(self.port), "--bind", "127.0.0.1",
                    "--unixsocket", self.socket, "--unixsocketperm", "700", "--dir", data, "--save", "",
                    "--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction",
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.account.popen(),
            )  # fmt: skip
        until = time.monotonic() + START_SECONDS
        while not self.answers():
            if time.monotonic() > until or self.process.poll() is not None:
                raise ServerError(
                    f"Valkey does not start. Its log {self.log} ends with:\n{self.log.read_text()[-800:]}"
                )
            time.sleep(0.02)
        return self

    def answers(self) -> bool:
        """Tell whether the server answers and has loaded its data."""
        return self._ask(b"PING") == b"+PONG\r\n"

    def stop(self, seconds: float = 10) -> None:
        """Shut down; what the append-only file holds stays."""
        self._ask(b"SHUTDOWN NOSAVE")
        until = time.monotonic() + seconds
        while self.answers() and time.monotonic() < until:
            time.sleep(0.02)
        if self.process is not None:
            self.process.wait(seconds)

    def _ask(self, line: bytes) -> bytes:
        # A raw socket: the Redis client would retry for seconds when nobody answers.
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            try:
                connection.connect(str(self.socket))
                connection.sendall(line + b"\r\n")
                return connection.recv(64)
            except OSError:
                return b""

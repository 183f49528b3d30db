"""The web process under load: granian over WSGI, one process, asked by other processes over kept connections."""

import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

START_SECONDS = 60


@contextmanager
def server(environment: Mapping[str, str], port: int, log: Path, threads: int = 4, workers: int = 1) -> Iterator[None]:
    """Run the web process as in production (`docker/`: WSGI, one process here) while the block lasts."""
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", str(workers)]
    command += ["--blocking-threads", str(threads), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--log-level", "warning", "config.wsgi:application"]
    with log.open("w") as output:
        process = subprocess.Popen(command, env=dict(environment), stdout=output, stderr=output)
        try:
            _wait(port, process, log)
            yield
        finally:
            process.terminate()
            process.wait(30)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"The web process did not start:\n{log.read_text()[-2000:]}")


class Asker:
    """One client with one connection."""

    def __init__(self, port: int, token: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Authorization": f"Bearer {token}"}

    def ask(self, address: str) -> float:
        """Ask once; milliseconds until the whole answer is read. RuntimeError unless it is a 200."""
        began = time.perf_counter()
        self.connection.request("GET", address, headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        took = 1e3 * (time.perf_counter() - began)
        if answer.status != 200:
            raise RuntimeError(f"{address}: {answer.status} {body[:300]!r}")
        return took


def quantile(values: list[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def alone(port: int, token: str, address: str, requests: int) -> dict[str, float]:
    """One client, one request after the other. `first_ms` is the process's first answer of this address."""
    asker = Asker(port, token)
    first = asker.ask(address)
    times = [asker.ask(address) for _ in range(requests)]
    return {"first_ms": first, "p50_ms": quantile(times, 0.5), "p95_ms": quantile(times, 0.95), "requests": requests}


def together(port: int, token: str, addresses: list[str], clients: int, seconds: float) -> dict[str, float]:
    """Several clients at once, in a process of their own, each going round the addresses from another beginning."""
    asked = json.dumps({"port": port, "token": token, "addresses": addresses, "clients": clients, "seconds": seconds})
    made = subprocess.run(
        [sys.executable, "-m", "bench.api.load"], input=asked, capture_output=True, text=True, check=True
    )
    return dict(json.loads(made.stdout))


def _crowd(port: int, token: str, addresses: list[str], clients: int, seconds: float) -> dict[str, float]:
    times: list[float] = []
    failures: list[str] = []
    until = time.monotonic() + seconds

    def work(place: int) -> None:
        asker = Asker(port, token)
        turn = place * len(addresses) // clients
        while time.monotonic() < until:
            try:
                times.append(asker.ask(addresses[turn % len(addresses)]))
            except RuntimeError as error:
                failures.append(str(error))
            turn += 1

    began = time.monotonic()
    crowd = [threading.Thread(target=work, args=(place,)) for place in range(clients)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    took = time.monotonic() - began
    return {
        "requests_per_s": len(times) / took,
        "p50_ms": quantile(times, 0.5),
        "p95_ms": quantile(times, 0.95),
        "failures": len(failures),
        "clients": clients,
    }


def main() -> None:
    """The crowd's process: a request in, the figures out."""
    asked: dict[str, Any] = json.load(sys.stdin)
    json.dump(_crowd(**asked), sys.stdout)


if __name__ == "__main__":
    main()

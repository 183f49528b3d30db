"""How many queries each address asks, and how long PostgreSQL takes for them: in-process, as the web process's role.

`python -m bench.api.queries` reads {name: address} from its standard input and writes {name: figures}.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

WALKS = 7
WARM = 6
"""Requests before the walks that count: a prepared statement is planned anew five times before its plan is kept."""


def action_of(statements: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """The statements inside the action: after PostgreSQL heard of the tenant, until the transaction ends."""
    opened = [place for place, (text, _) in enumerate(statements) if "set_config('app.tenant'" in text]
    inside = statements[opened[0] + 1 :]
    return [each for each in inside if "SAVEPOINT" not in each[0]]


def statements_of(asked: list[tuple[str, float]]) -> int:
    """How many statements there are in these round trips; no value that the benchmark asks for holds a semicolon."""
    return sum(1 + text.count(";") for text, _ in asked)


def walk(addresses: dict[str, str]) -> dict[str, Any]:
    """Ask for each address several times: the first cold, some until plans are kept, and those whose medians count."""
    import django

    django.setup()
    from django.db import connection
    from django.test import Client

    asked: list[tuple[str, float]] = []

    def watch(execute: Callable[..., Any], statement: str, *rest: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(statement, *rest)
        finally:
            asked.append((str(statement), 1e3 * (time.perf_counter() - began)))

    client = Client(headers={"Authorization": f"Bearer {os.environ['EXFM_BENCH_TOKEN']}"}, SERVER_NAME="localhost")
    client.get(next(iter(addresses.values())))
    found = {}
    for name, address in addresses.items():
        rounds, whole, times, used = [], [], [], []
        for _ in range(1 + WARM + WALKS):
            asked.clear()
            began, before = time.perf_counter(), time.process_time()
            with connection.execute_wrapper(watch):
                answer = client.get(address)
            times.append(1e3 * (time.perf_counter() - began))
            used.append(1e3 * (time.process_time() - before))
            rounds.append(action_of(asked))
            whole.append(sum(ms for _, ms in asked))
        warm = sorted(sum(ms for _, ms in each) for each in rounds[-WALKS:])
        slowest = max(rounds[-1], key=lambda each: each[1], default=("", 0.0))
        found[name] = {
            "status": answer.status_code,
            "bytes": len(answer.content),
            "queries": statements_of(rounds[-1]),
            "queries_cold": statements_of(rounds[0]),
            "trips": len(rounds[-1]),
            "trips_with_sign_in": len(asked),
            "sql_ms": warm[len(warm) // 2],
            "sql_ms_cold": sum(ms for _, ms in rounds[0]),
            "sql_ms_with_sign_in": sorted(whole[-WALKS:])[WALKS // 2],
            "cold_ms": times[0],
            "cpu_ms": min(used[-WALKS:]),
            "slowest": {"ms": slowest[1], "statement": " ".join(slowest[0].split())[:2000]},
        }
    return found


if __name__ == "__main__":
    json.dump(walk(json.load(sys.stdin)), sys.stdout)

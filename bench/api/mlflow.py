"""Against MLflow's tracking server on the same PostgreSQL: listing and searching runs, and writing metric points.

Both have two worker processes. MLflow's points come over its REST API (`log-batch`, 1,000 a call), which is its only
way; this platform's come as the events of a run's child process, which its supervisor writes in chunks: no HTTP.
"""

import argparse
import concurrent.futures
import http.client
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import report
from bench.api import fill, load
from bench.api.addresses import number
from bench.api.installation import Filled, prepare
from bench.machine import load as load_average
from bench.protocol import ROOT

WARM_UP = 20
VERSION = "3.17.2"
BATCH = 1000
POINTS = 20
"""Points per run that are put into MLflow's tables before it is asked; searches read its `latest_metrics` instead."""

SEARCHES: dict[str, tuple[str, dict[str, Any]]] = {
    "newest 50 runs": ("runs", {}),
    "200 runs": ("runs?limit=200", {"max_results": 200}),
    "by name": ("runs?search=del-17", {"filter": "attributes.run_name ILIKE '%del-17%'"}),
    "failed": ("runs?state=failed", {"filter": "attributes.status = 'FAILED'"}),
}
"""The same question to both: ours as a path, MLflow's as the body of runs/search."""

FILL = """
    INSERT INTO experiments (experiment_id, name, lifecycle_stage, artifact_location)
    SELECT t, 'team-' || t, 'active', 'mlflow-artifacts:/' || t FROM generate_series(1, {tenants}) t;
    INSERT INTO runs (run_uuid, name, status, start_time, end_time, lifecycle_stage, experiment_id, artifact_uri,
                      user_id, source_type, source_name)
    SELECT md5(r::text), 'model-' || m, CASE WHEN r % 23 = 0 THEN 'FAILED' ELSE 'FINISHED' END,
           1760000000000 + r * 10000, 1760000000000 + r * 10000 + 5000, 'active',
           CASE WHEN m <= {big} THEN 1 ELSE 2 + (m - {big} - 1) / {rest} END, 'mlflow-artifacts:/x',
           'person', 'LOCAL', ''
    FROM generate_series(1, {runs}) r CROSS JOIN LATERAL (SELECT 1 + (r - 1) % {models} AS m) i;
    INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)
    SELECT k, 0.85, 1760000000000, 1000, false, md5(r::text)
    FROM generate_series(1, {runs}) r CROSS JOIN (VALUES ('ne_control'), ('ne_treatment')) n(k);
    INSERT INTO tags (key, value, run_uuid)
    SELECT 'mlflow.runName', 'model-' || (1 + (r - 1) % {models}), md5(r::text) FROM generate_series(1, {runs}) r;
    INSERT INTO metrics (key, value, timestamp, step, is_nan, run_uuid)
    SELECT k, 0.9 - s * 0.001, 1760000000000 + s, s * 20, false, md5(r::text)
    FROM generate_series(1, {runs}) r CROSS JOIN (VALUES ('ne_control'), ('ne_treatment')) n(k)
    CROSS JOIN generate_series(1, {points}) s;
"""


def environment(folder: Path) -> Path:
    """An environment with MLflow; returns its folder of programs."""
    programs = folder / "bin"
    if not (programs / "mlflow").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(programs / "pip"), "install", "-q", f"mlflow=={VERSION}", "psycopg[binary]"], check=True)
    return programs


def database(filled: Filled, programs: Path) -> tuple[str, float]:
    """Make and fill MLflow's database; return its address and the seconds of the fill (0: it was there)."""
    postgres, place = filled.servers.postgres, filled.servers.place
    url = f"postgresql://postgres:{place.secrets.read('postgres_password')}@/mlflow?host={place.run}"
    with postgres.connect() as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'mlflow'").fetchone()
        if not known:
            connection.execute("CREATE DATABASE mlflow")
    if known:
        return url, 0.0
    make = "import sys; from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as S; S(*sys.argv[1:])"
    subprocess.run(
        [str(programs / "python"), "-c", make, url, str(filled.home / "mlflow-artifacts")],
        check=True,
        capture_output=True,
        env=_clean(),
    )
    size, began = filled.size, time.perf_counter()
    rest = -(-(size.models - size.big_models) // (size.tenants - 1))
    numbers = {"tenants": size.tenants, "big": size.big_models, "rest": rest, "runs": size.runs, "models": size.models}
    with postgres.connect("mlflow") as connection:
        for statement in FILL.format(**numbers, points=POINTS // 2).split(";"):
            if statement.strip():
                connection.execute(statement)
        connection.execute("VACUUM ANALYZE")
    return url, time.perf_counter() - began


def _clean() -> dict[str, str]:
    """The environment without what concerns this project alone."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "DJANGO_SETTINGS_MODULE")}


@contextmanager
def server(url: str, programs: Path, port: int, log: Path) -> Iterator[None]:
    """MLflow's server with two worker processes (its default server, uvicorn) while the block lasts."""
    command = [str(programs / "mlflow"), "server", "--backend-store-uri", url, "--workers", "2", "--port", str(port)]
    command += ["--host", "127.0.0.1", "--default-artifact-root", str(log.parent / "mlflow-artifacts")]
    settings = {"MLFLOW_DISABLE_TELEMETRY": "true", "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    with log.open("w") as output:
        process = subprocess.Popen(command, env=_clean() | settings, stdout=output, stderr=output)
        try:
            _wait(port, process, log)
            yield
        finally:
            process.terminate()
            process.wait(30)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        try:
            _post(port, "experiments/search", {"max_results": 1})
        except (OSError, RuntimeError):
            time.sleep(0.5)
        else:
            return
    raise RuntimeError(f"MLflow did not start:\n{log.read_text()[-2000:]}")


def _post(port: int, method: str, body: dict[str, Any], kept: http.client.HTTPConnection | None = None) -> Any:
    connection = kept or http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST", f"/api/2.0/mlflow/{method}", json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{method}: {answer.status} {text[:300]!r}")
    return json.loads(text)


def searched(port: int, body: dict[str, Any], requests: int) -> dict[str, float]:
    """One client of MLflow, one request after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    asked = {"experiment_ids": ["1"], "max_results": 50, "order_by": ["attributes.start_time DESC"]} | body
    times = []
    for _ in range(requests + 2):
        began = time.perf_counter()
        found = _post(port, "runs/search", asked, connection)
        times.append(1e3 * (time.perf_counter() - began))
    rows = len(found.get("runs", []))
    return {"p50_ms": load.quantile(times[2:], 0.5), "p95_ms": load.quantile(times[2:], 0.95), "runs": rows}


def written(port: int, clients: int, batches: int) -> float:
    """Points a second into MLflow: each client logs batches of 1,000 to a run of its own."""

    def client(place: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        run = _post(port, "runs/create", {"experiment_id": "1", "start_time": 1}, connection)["run"]["info"]["run_id"]
        for batch in range(batches):
            metrics = [
                {"key": "ne", "value": 0.5 + s / 1e6, "timestamp": batch * BATCH + s, "step": batch * BATCH + s}
                for s in range(BATCH)
            ]
            _post(port, "runs/log-batch", {"run_id": run, "metrics": metrics}, connection)

    began = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    return clients * batches * BATCH / (time.perf_counter() - began)


def events(clients: int, batches: int) -> float:
    """Points a second into this platform: each client reads its run's events line by line and flushes every 1,000."""
    import django

    django.setup()
    from django.db import connections

    from runs.leases import Lease
    from runs.progress import MetricPoints
    from tenancy.scope import platform_scope

    lines = [json.dumps({"event": "metric", "name": "ne", "step": s, "value": 0.5 + s / 1e6}) for s in range(BATCH)]

    def client(place: int) -> None:
        run = uuid.UUID(number(fill.RUN, 1 + place))
        lease = Lease(run_id=run, attempt_id=uuid.UUID(number(fill.ATTEMPT, 1 + place)), token=uuid.uuid4(), number=1)
        points = MetricPoints(lease, uuid.UUID(number(fill.TENANT, 1)))
        name = f"bench-{uuid.uuid4().hex[:8]}"
        with platform_scope("bench"):
            for batch in range(batches):
                for line in lines:
                    event = json.loads(line)
                    points.add(name, batch * BATCH + event["step"], event["value"])
                points.flush()
        connections.close_all()

    began = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    return clients * batches * BATCH / (time.perf_counter() - began)


def measure(filled: Filled, programs: Path, port: int, requests: int, batches: int) -> dict[str, Any]:
    """Turn by turn: this platform, then MLflow, for every search; then points with one and eight clients."""
    url, seconds = database(filled, programs)
    found: dict[str, Any] = {"mlflow": VERSION, "fill_seconds": seconds, "search": {}, "points_per_s": {}}
    ours = load.server(filled.environment(), port, filled.home / "web.log", workers=2)
    with ours, server(url, programs, port + 1, filled.home / "mlflow.log"):
        for path, body in SEARCHES.values():  # both processes of both servers have answered everything before
            load.alone(port, filled.token, f"/api/v1/tenants/team-1/{path}", WARM_UP)
            searched(port + 1, body, WARM_UP)
        for name, (path, body) in SEARCHES.items():
            mine = load.alone(port, filled.token, f"/api/v1/tenants/team-1/{path}", requests)
            theirs = searched(port + 1, body, requests)
            found["search"][name] = {"exfm": mine, "mlflow": theirs, "times": theirs["p95_ms"] / mine["p95_ms"]}
        for clients in (1, 8):
            worker = filled.environment() | {
                "EXFM_PROCESS": "worker",
                "DATABASE_URL": filled.servers.database_url("worker"),
            }
            command = [sys.executable, "-m", "bench.api.mlflow", "--events", str(clients), "--batches", str(batches)]
            made = subprocess.run(command, env=worker, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
            mine_rate, their_rate = float(made.stdout), written(port + 1, clients, max(2, batches // 10))
            found["points_per_s"][clients] = {"exfm": mine_rate, "mlflow": their_rate, "times": mine_rate / their_rate}
    return found


def main() -> None:
    """Fill, measure, write."""
    from bench.api.__main__ import SIZES

    parser = argparse.ArgumentParser(prog="python -m bench.api.mlflow", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--home", type=Path, help="folder of the installation")
    parser.add_argument("--venv", type=Path, default=ROOT / "var" / "bench" / "mlflow", help="MLflow's environment")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--batches", type=int, default=100)
    parser.add_argument("--events", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, help="write the result here")
    options = parser.parse_args()
    if options.events:
        print(events(options.events, options.batches))
        return
    before, size = load_average(), SIZES[options.size]
    filled = prepare(options.home or ROOT / "var" / "bench" / f"api-{options.size}", size)
    try:
        found = measure(filled, environment(options.venv), options.port, options.requests, options.batches)
    finally:
        filled.servers.stop()
    print(json.dumps(found, indent=2))
    if options.json:
        settings = {"size": vars(size) | {"points": size.points}, "mlflow_points": size.runs * POINTS}
        settings |= {"load_before": before, "requests": options.requests, "batches": options.batches}
        report.save(options.json.stem, settings, found, options.json.parent)


if __name__ == "__main__":
    main()

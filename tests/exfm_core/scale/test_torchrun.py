"""The same spec over two real processes, one, and two again: equal to one process, whatever the sharding."""

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from exfm_core.das.snapshots import load_snapshot
from exfm_core.recipes import load
from exfm_core.recipes.recipe import Recipe
from exfm_core.train.checkpoints import module_state
from exfm_core.train.foundation import FoundationTrainer
from exfm_core.train.foundation_rows import Stream
from exfm_core.train.gate import Limits

PERIODS = 3
SHARDING = {"user_id": "row_wise", "ad_id": "row_wise", "tenant": "table_wise", "hour": "table_wise"}


def torchrun(processes: int, job: Path) -> subprocess.CompletedProcess[str]:
    """Run a job as an operator does; the folder's JSON file says the rest."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    return subprocess.run(
        [*command, "-m", "exfm_core.scale", "train", str(job)],
        env=environment, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return load("tiny")


@pytest.fixture(scope="module")
def periods(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The first periods as files and as the entries of a job."""
    root = tmp_path_factory.mktemp("partitions")
    found = []
    for number in range(PERIODS):
        streams = []
        for slot, tenant in enumerate(recipe.tenants, start=1):
            _, end, table = recipe.partitions(number)[tenant.slug]
            path = root / f"{number}-{slot}.parquet"
            pq.write_table(table, path)
            streams.append({"file": str(path), "slot": slot, "schema": tenant.schema.to_json()})
        found.append({"end": end.isoformat(), "streams": streams})
    return found


@pytest.fixture(scope="module")
def alone(recipe: Recipe, periods: list[dict[str, Any]]) -> FoundationTrainer:
    """One process without a process group, over the same periods."""
    trainer = FoundationTrainer(recipe.foundation)
    for period in periods:
        streams = [
            Stream(entry["file"], tenant.schema, entry["slot"])
            for entry, tenant in zip(period["streams"], recipe.tenants, strict=True)
        ]
        trainer.train(streams, None, Limits())
    return trainer


@pytest.fixture(scope="module")
def chain(recipe: Recipe, periods: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two processes train period 0, one goes on with period 1, two with period 2."""
    root = tmp_path_factory.mktemp("chain")
    folders: list[Path] = []
    for number, processes in enumerate((2, 1, 2)):
        out = root / str(number)
        job = {
            "spec": recipe.foundation.to_json(),
            "periods": [periods[number]],
            "resume": str(folders[-1] / "shards") if folders else None,
            "out": str(out),
            "sharding": SHARDING,
        }
        path = root / f"{number}.json"
        path.write_text(json.dumps(job))
        done = torchrun(processes, path)
        assert done.returncode == 0, done.stderr[-2000:]
        folders.append(out)
    return folders


def test_equal_to_one_process_across_world_sizes(chain: list[Path], alone: FoundationTrainer) -> None:
    snapshot = load_snapshot((chain[-1] / "snapshot.safetensors").read_bytes(), "plain")
    reference = alone.net.tables.state()
    for name, weight in zip(snapshot.net.tables.names, snapshot.net.tables.kernel.weights, strict=True):
        difference = (weight - reference[f"{name}.weight"]).abs().max()
        assert difference < 1e-3, name
        assert (reference[f"{name}.weight"].abs().max()) > 20 * difference
    dense = module_state(alone.net)
    for name, value in module_state(snapshot.net).items():
        assert (value - dense[name]).abs().max() < 1e-3, name
    assert snapshot.slots == alone.slots
    assert datetime.fromisoformat(snapshot.watermark).tzinfo is not None


def test_rows_and_whole_tables_lie_where_the_job_says(chain: list[Path], recipe: Recipe) -> None:
    report = json.loads((chain[0] / "report.json").read_text())
    held = report["first_process"]
    users = recipe.foundation.model.features[0].buckets
    assert held["user_id"] == [[0, (users + 1) // 2]]
    assert held["tenant"] in ([], [[0, recipe.foundation.model.tenant_slots]])
    assert report["world"] == 2
    assert json.loads((chain[1] / "report.json").read_text())["first_process"]["user_id"] == [[0, users]]


def test_every_row_is_trained_once(chain: list[Path], alone: FoundationTrainer) -> None:
    reports = [json.loads((folder / "report.json").read_text()) for folder in chain]
    assert reports[-1]["position"]["rows"] == alone.rows_seen
    assert sum(period["rows"] for report in reports for period in report["periods"]) == alone.rows_seen


def test_a_period_is_not_read_twice(
    chain: list[Path], recipe: Recipe, periods: list[dict[str, Any]], tmp_path: Path
) -> None:
    job = {
        "spec": recipe.foundation.to_json(),
        "periods": [periods[1]],
        "resume": str(chain[1] / "shards"),
        "out": str(tmp_path / "out"),
    }
    (tmp_path / "job.json").write_text(json.dumps(job))
    done = torchrun(1, tmp_path / "job.json")
    assert done.returncode != 0
    assert "this lineage has read up to" in done.stderr
    assert not (tmp_path / "out").exists()

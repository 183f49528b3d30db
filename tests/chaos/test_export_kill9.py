"""kill -9 of the worker in the middle of an export: nothing of it can be had, and another worker writes it whole."""

import hashlib
import io
import json
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from config.celery import app
from runs.models import WorkerNode
from tenancy import export_work
from tenancy.models import TenantExport
from tenancy.scope import platform_scope
from tests.chaos.processes import celery
from tests.kit import domain
from tests.kit.api import Api, problem
from tests.kit.cast import Cast, make_cast
from tests.kit.roles import APP, database_role
from tests.workers.waiting import wait_for

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]

LARGE = 1 << 30
MEMORY = 96 << 20
"""How much the worker may grow by while it writes: pieces, one batch of rows, the list of files."""


def peak(pid: int) -> int:
    """Return the most memory that the process ever had resident, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) << 10


def large_partition(cast: Cast, root: Path) -> str:
    """Store a partition of a gibibyte, most of it a hole; return its SHA-256."""
    uri = f"tenants/{cast.tenant.id}/large.parquet"
    path = root / uri
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.write(b"begins")
        file.truncate(LARGE)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    domain.make_partition(domain.make_stream(cast.tenant), uri=uri, sha256=sha256, bytes=LARGE)
    return sha256


def test_kill9_of_the_worker_in_the_middle_of_an_export(
    postgres: Any, installation: Any, broker_url: str, storage: str, settings: Any, tmp_path: Path
) -> None:
    settings.CELERY_BROKER_URL = app.conf.broker_url = broker_url
    cache.clear()
    cast = make_cast()
    root = Path(storage.removeprefix("file://"))
    folder = root / export_work.folder(cast.tenant.id)
    address = f"tenants/{cast.tenant.slug}/exports"
    with platform_scope("test"):
        sha256 = large_partition(cast, root)

    def ask(method: str, path: str, body: Any = None) -> Any:
        with database_role(APP):
            return Api(cast.owner).call(method, path, body)

    def half_written() -> Path | None:
        found = list(folder.glob("*.zip")) if folder.exists() else []
        return found[0] if found and found[0].stat().st_size > LARGE // 16 else None

    def reported_since(moment: datetime) -> bool:
        with platform_scope("test"):
            return WorkerNode.objects.filter(seen_at__gt=moment).exists()

    begun = timezone.now()
    with celery(installation, broker_url, storage, tmp_path / "logs") as servers:
        wait_for("the worker is up", lambda: reported_since(begun))
        row = ask("post", address, {"include": ["partitions"]}).json()
        half = wait_for("half an export", half_written, every=0.01)
        servers.kill_worker()
        assert half.stat().st_size < LARGE
        problem(ask("get", f"{address}/{row['id']}/download"), 409, "export_not_done")
        assert ask("get", f"{address}/{row['id']}").json()["state"] == "running"
        killed = timezone.now()
        servers.restart_worker()
        wait_for("the worker is up again", lambda: reported_since(killed))
        before = peak(servers.worker.pid)
        done = wait_for(
            "the export is whole",
            lambda: next((each for each in ask("get", address).json()["results"] if each["state"] == "done"), None),
        )
        grown = peak(servers.worker.pid) - before
    assert grown < MEMORY
    with platform_scope("test"):
        stored = TenantExport.objects.get(id=row["id"])
    assert stored.attempts == 2
    assert list(folder.iterdir()) == [root / stored.uri] != [half]
    answer = ask("get", f"{address}/{row['id']}/download")
    seen, size = hashlib.sha256(), 0
    for piece in answer.streaming_content:
        seen.update(piece)
        size += len(piece)
    assert (size, seen.hexdigest()) == (done["bytes"], done["sha256"])
    with zipfile.ZipFile(root / stored.uri) as archive:
        assert archive.testzip() is None
        listed = {entry["path"]: entry for entry in json.load(io.BytesIO(archive.read("manifest.json")))["files"]}
        (large,) = (entry for path, entry in listed.items() if path.startswith("partitions/"))
        assert (large["sha256"], large["bytes"]) == (sha256, LARGE)

"""Validates an uploaded partition in a process of its own, so that a hostile file can hurt nothing else."""

import json
import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any, Final

import fsspec
import structlog
from django.conf import settings

from catalog import selectors, services
from catalog.models import Partition
from runs.nudges import wake_supervisors
from workers.child import clean_environment
from workers.database import platform_work

log = structlog.get_logger("exfm.workers")

LIMIT_SECONDS: Final = 900
VALID, INVALID = 0, 1


def validate_partition(partition_id: uuid.UUID) -> None:
    """Seal or reject an uploaded partition. A validator that fails leaves it as it is; the sweep asks again."""
    with platform_work("validation"):
        asked = selectors.validation(partition_id=partition_id)
    if asked is None or asked.state != Partition.State.UPLOADED:
        return
    with tempfile.TemporaryDirectory(prefix="exfm-validate-") as folder:
        schema = Path(folder) / "schema.json"
        schema.write_text(json.dumps(asked.schema), encoding="utf-8")
        file = _local(asked.uri, Path(folder))
        status, report = _run(schema, asked, file)
    if status not in (VALID, INVALID):
        log.error("the validator failed", partition=str(partition_id), status=status)
        return
    with platform_work("validation"):
        if status == VALID:
            services.seal(partition_id=partition_id, report=report)
        else:
            services.reject(partition_id=partition_id, problems=report["problems"])
        # A partition that was waited for is decided: supervisors look again.
        wake_supervisors()


def _local(uri: str, folder: Path) -> Path:
    """Return the file on a local disk; an object store's is fetched."""
    fs, root = fsspec.core.url_to_fs(settings.STORAGE_URL)
    if "file" in ((fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol):
        return Path(root) / uri
    fetched = folder / "partition.parquet"
    fs.get_file(f"{root}/{uri}", str(fetched))
    return fetched


def _run(schema: Path, asked: selectors.Validation, file: Path) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "exfm_core", "validate", "--schema", str(schema)]
    command += ["--start", asked.start.isoformat(), "--end", asked.end.isoformat(), str(file)]
    try:
        done = subprocess.run(
            command,
            env=clean_environment(1),
            cwd="/",
            capture_output=True,
            timeout=LIMIT_SECONDS,
            check=False,
            process_group=0,
        )
    except subprocess.TimeoutExpired:
        return os.EX_TEMPFAIL, {}
    if done.returncode not in (VALID, INVALID):
        log.error("validator", stderr=done.stderr.decode(errors="replace")[-2000:])
        return done.returncode, {}
    report: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, report

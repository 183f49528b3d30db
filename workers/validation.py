"""Validates an uploaded partition in a process of its own, so that a hostile file can hurt nothing else."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import fsspec
import structlog
from django.conf import settings

from catalog import selectors, services, tasks_out
from catalog.models import Partition
from config.children import clean_environment
from runs.nudges import wake_supervisors
from tenancy.errors import DomainError, NotFound
from workers.database import platform_work

log = structlog.get_logger("exfm.workers")

LIMIT_SECONDS: Final = 900
PER_TENANT: Final = 2
"""Validations of one tenant at a time in this worker: its uploads must not hold every thread."""
VALID, INVALID = 0, 1

_turns: dict[uuid.UUID, uuid.UUID] = {}
_turns_lock = threading.Lock()


def validate_partition(partition_id: uuid.UUID) -> None:
    """Seal or reject an uploaded partition; one that must wait is asked for when a turn ends, else by the sweep.

    A file that its validator does not survive is rejected. A validator that could not begin leaves it as it is.
    """
    with platform_work("validation"):
        asked = selectors.validation(partition_id=partition_id)
    if asked is None or asked.state != Partition.State.UPLOADED:
        return
    with _turn(asked) as is_ours:
        decided = is_ours and _decide_unless_deleted(asked)
    if decided:
        _ask_for_next(asked.tenant_id)


def _ask_for_next(tenant_id: uuid.UUID) -> None:
    """Send the tenant's oldest upload that had no turn. Only after a decision, so that the asking comes to an end."""
    with platform_work("validation"):
        waiting = selectors.waiting_for_validation(tenant_id=tenant_id, most=PER_TENANT + 1)
    with _turns_lock:
        free = [partition_id for partition_id in waiting if partition_id not in _turns]
    if free:
        tasks_out.validate_now(partition_id=free[0], tenant_id=tenant_id)


@contextmanager
def _turn(asked: selectors.Validation) -> Iterator[bool]:
    """Tell whether the partition may be validated now: not twice at once, and not too many of one tenant."""
    with _turns_lock:
        held = asked.partition_id in _turns or list(_turns.values()).count(asked.tenant_id) >= PER_TENANT
        if not held:
            _turns[asked.partition_id] = asked.tenant_id
    try:
        yield not held
    finally:
        if not held:
            with _turns_lock:
                del _turns[asked.partition_id]


def _decide_unless_deleted(asked: selectors.Validation) -> bool:
    """Like `_decide`; a partition that was deleted meanwhile needs no verdict, and leaves no file that came late."""
    try:
        return _decide(asked)
    except (NotFound, FileNotFoundError) as error:
        if not _is_gone(asked):
            log.error("the file is gone", partition=str(asked.partition_id), error=str(error))
            return False
    with platform_work("validation"):
        services.drop_file(tenant_id=asked.tenant_id, uri=asked.uri)
    return True


def _is_gone(asked: selectors.Validation) -> bool:
    with platform_work("validation"):
        return selectors.validation(partition_id=asked.partition_id) is None


def _decide(asked: selectors.Validation) -> bool:
    """Fetch what is imported, validate, and keep the verdict; False where there is none."""
    partition_id = asked.partition_id
    try:
        if asked.source_uri:
            services.fetch(
                uri=asked.uri,
                source_uri=asked.source_uri,
                tenant_slug=asked.tenant_slug,
                sha256=asked.sha256,
                bytes=asked.bytes,
            )
    except DomainError as error:
        with platform_work("import"):
            services.reject(partition_id=partition_id, problems=[{"message": f"{error.message} {error.mend}"}])
        return True
    except OSError as error:
        # The store or the network is away: the sweep asks again.
        log.warning("import", partition=str(partition_id), error=type(error).__name__)
        return False
    with tempfile.TemporaryDirectory(prefix="exfm-validate-") as folder:
        schema = Path(folder) / "schema.json"
        schema.write_text(json.dumps(asked.schema), encoding="utf-8")
        file = _local(asked.uri, Path(folder))
        status, report = _run(schema, asked, file)
    if status not in (VALID, INVALID):
        if _is_gone(asked):
            raise selectors.no_partition()
        log.error("the validator failed", partition=str(partition_id), status=status)
        return False
    with platform_work("validation"):
        if status == VALID:
            services.seal(partition_id=partition_id, report=report)
        else:
            services.reject(partition_id=partition_id, problems=report["problems"])
        # A partition that was waited for is decided: supervisors look again.
        wake_supervisors()
    return True


def _local(uri: str, folder: Path) -> Path:
    """Return the file on a local disk; an object store's is fetched. FileNotFoundError where it is gone."""
    fs, root = fsspec.core.url_to_fs(settings.STORAGE_URL)
    if "file" in ((fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol):
        if not fs.exists(f"{root}/{uri}"):
            raise FileNotFoundError(uri)
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
        return INVALID, _fatal(f"its validation did not end within {LIMIT_SECONDS} s")
    if done.returncode not in (VALID, INVALID):
        log.error("validator", stderr=done.stderr.decode(errors="replace")[-2000:])
        if done.returncode < 0:
            return INVALID, _fatal(f"reading it ended its validator (signal {-done.returncode})")
        return done.returncode, {}
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        log.error("validator", stderr=done.stderr.decode(errors="replace")[-2000:])
        return os.EX_SOFTWARE, {}
    return done.returncode, report


def _fatal(reason: str) -> dict[str, Any]:
    """A file that no validator survives would be tried for ever."""
    return {"problems": [{"message": f"The file was given up: {reason}. Write it again, in shorter row groups."}]}

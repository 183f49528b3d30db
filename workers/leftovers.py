"""Files that no row refers to: of attempts that died before their commit, of deletions cut short. Removed when old."""

import re
import time
import uuid
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import fsspec
from django.conf import settings
from django.utils import timezone

from catalog import services, storage
from catalog.models import Partition
from registry.models import Checkpoint, LabelSet, Snapshot

OLD: Final = timedelta(days=1)
BATCH: Final = 500

PARTITION: Final = re.compile(r"tenants/([0-9a-f-]{36})/streams/([0-9a-f-]{36})/[0-9a-f]{64}\.parquet")
"""As `catalog.storage.partition_uri` names them: tenant, stream."""


def remove_leftovers(now: datetime | None = None) -> int:
    """Remove unreferenced files under `runs/` and of partitions, and broken uploads under `incoming/`; return how many.

    Only what was written a day ago or earlier: a younger file's row may still come.
    """
    limit = (now or timezone.now()) - OLD
    return (
        _of_attempts(_old("runs", limit))
        + _of_uploads(_old("incoming", limit))
        + _of_partitions(_old("tenants", limit))
    )


def _old(folder: str, limit: datetime) -> list[str]:
    """Return the URIs of the folder's files, of its folders too, that were written before the moment."""
    fs, root = fsspec.core.url_to_fs(settings.STORAGE_URL)
    if not fs.exists(f"{root}/{folder}"):
        return []
    found = fs.find(f"{root}/{folder}", detail=True)
    return [path[len(root) :].lstrip("/") for path, info in found.items() if _modified(info) < limit]


def _of_attempts(uris: list[str]) -> int:
    removed = 0
    for start in range(0, len(uris), BATCH):
        batch = uris[start : start + BATCH]
        kept = _referenced(batch)
        removed += _of_uploads([uri for uri in batch if uri not in kept])
    return removed


def _of_uploads(uris: list[str]) -> int:
    for uri in uris:
        storage.remove(uri)
    return len(uris)


def _of_partitions(uris: list[str]) -> int:
    """Look each stream's files up at once, and again, one by one, with uploads held off."""
    by_stream: dict[tuple[str, str], set[str]] = defaultdict(set)
    for uri in uris:
        if named := PARTITION.fullmatch(uri):
            by_stream[named[1], named[2]].add(uri)
    removed = 0
    for (tenant, stream), found in by_stream.items():
        rows = Partition.objects.filter(stream_id=stream).exclude(state=Partition.State.REJECTED)
        for uri in sorted(found.difference(rows.values_list("uri", flat=True))):
            removed += services.drop_file(tenant_id=uuid.UUID(tenant), uri=uri)
    return removed


def _modified(info: dict[str, Any]) -> datetime:
    stamp = info.get("mtime") or info.get("LastModified") or info.get("last_modified") or time.time()
    return datetime.fromtimestamp(stamp, UTC) if isinstance(stamp, int | float) else stamp


def _referenced(uris: list[str]) -> set[str]:
    kept: set[str] = set()
    for model in (Checkpoint, LabelSet, Snapshot):
        kept |= set(model.objects.filter(uri__in=uris).values_list("uri", flat=True))
    return kept

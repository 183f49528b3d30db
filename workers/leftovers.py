"""Files that no row refers to: written by attempts that died before their commit. Removed when a day old."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import fsspec
from django.conf import settings
from django.utils import timezone

from registry.models import Checkpoint, LabelSet, Snapshot

OLD: Final = timedelta(days=1)
BATCH: Final = 500


def remove_leftovers(now: datetime | None = None) -> int:
    """Remove unreferenced files under `runs/`, and broken uploads under `incoming/`; return how many."""
    limit = (now or timezone.now()) - OLD
    fs, root = fsspec.core.url_to_fs(settings.STORAGE_URL)
    removed = 0
    for folder, checked in (("runs", True), ("incoming", False)):
        if not fs.exists(f"{root}/{folder}"):
            continue
        found = fs.find(f"{root}/{folder}", detail=True)
        old = [path for path, info in found.items() if _modified(info) < limit]
        for start in range(0, len(old), BATCH):
            batch = old[start : start + BATCH]
            uris = {path: path[len(root) :].lstrip("/") for path in batch}
            kept = _referenced(list(uris.values())) if checked else set()
            for path in batch:
                if uris[path] not in kept:
                    fs.rm_file(path)
                    removed += 1
    return removed


def _modified(info: dict[str, Any]) -> datetime:
    stamp = info.get("mtime") or info.get("LastModified") or info.get("last_modified") or time.time()
    return datetime.fromtimestamp(stamp, UTC) if isinstance(stamp, int | float) else stamp


def _referenced(uris: list[str]) -> set[str]:
    kept: set[str] = set()
    for model in (Checkpoint, LabelSet, Snapshot):
        kept |= set(model.objects.filter(uri__in=uris).values_list("uri", flat=True))
    return kept

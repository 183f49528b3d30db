"""The files that a tenant takes along when it leaves: what it uploaded, and the newest weights of its models."""

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet, Sum

from catalog.models import Partition
from registry.models import AliasMove, Checkpoint, Lineage
from tenancy.models import TenantExport


@dataclass(frozen=True)
class Holding:
    """A file of a tenant's: where it is kept, and what it is called outside."""

    uri: str
    path: str
    sha256: str
    bytes: int
    rows: int | None = None
    about: dict[str, Any] = field(default_factory=dict)


def partitions(*, tenant_id: uuid.UUID) -> Iterator[Holding]:
    """Yield the tenant's uploaded files by stream and time; those of rejected partitions are gone."""
    for row in _partitions(tenant_id).order_by("stream__name", "start", "id").iterator(chunk_size=1000):
        yield Holding(
            uri=row.uri,
            path=f"partitions/{row.stream.name}/{_stamp(row.start)}-{_stamp(row.end)}-{row.id}.parquet",
            sha256=row.sha256,
            bytes=row.bytes,
            rows=row.rows,
            about={"partition": row.id, "state": row.state},
        )


def weights(*, tenant_id: uuid.UUID) -> Iterator[Holding]:
    """Yield the newest committed checkpoint of each arm in training, and what the models' aliases point at."""
    pointing = _aliases(tenant_id)
    rows = _weights(tenant_id).select_related("lineage__model_version__model")
    for row in rows.order_by("lineage__model_version__model__name", "position", "id"):
        version = row.lineage.model_version
        if version is None:
            continue
        name = f"v{version.number}-{row.lineage.arm}-{_stamp(row.position)}-{row.id}.safetensors"
        yield Holding(
            uri=row.uri,
            path=f"models/{version.model.name}/{name}",
            sha256=row.sha256,
            bytes=row.bytes,
            about={"checkpoint": row.id, "arm": row.lineage.arm, "aliases": sorted(pointing.get(row.id, []))},
        )


def files(*, tenant_id: uuid.UUID, include: Collection[str]) -> Iterator[Holding]:
    """Yield the files of these parts: `partitions`, `models`."""
    if TenantExport.Part.PARTITIONS in include:
        yield from partitions(tenant_id=tenant_id)
    if TenantExport.Part.MODELS in include:
        yield from weights(tenant_id=tenant_id)


def total_bytes(*, tenant_id: uuid.UUID, include: Collection[str]) -> int:
    """Return the size of `files`."""
    chosen: list[QuerySet[Any]] = []
    if TenantExport.Part.PARTITIONS in include:
        chosen.append(_partitions(tenant_id))
    if TenantExport.Part.MODELS in include:
        chosen.append(_weights(tenant_id))
    return sum(rows.aggregate(total=Sum("bytes"))["total"] or 0 for rows in chosen)


def _partitions(tenant_id: uuid.UUID) -> QuerySet[Partition]:
    kept = Partition.objects.filter(tenant_id=tenant_id).exclude(state=Partition.State.REJECTED)
    return kept.select_related("stream")


def _weights(tenant_id: uuid.UUID) -> QuerySet[Checkpoint]:
    heads = Lineage.objects.filter(tenant_id=tenant_id, state=Lineage.State.ACTIVE, head__isnull=False)
    return Checkpoint.objects.filter(
        Q(id__in=heads.values("head_id")) | Q(id__in=list(_aliases(tenant_id))), tenant_id=tenant_id
    )


def _aliases(tenant_id: uuid.UUID) -> dict[uuid.UUID, list[str]]:
    """Return checkpoint -> the aliases that point at it now."""
    newest = AliasMove.objects.filter(tenant_id=tenant_id).order_by("model_id", "alias", "-number")
    found: dict[uuid.UUID, list[str]] = {}
    for checkpoint_id, alias in newest.distinct("model_id", "alias").values_list("checkpoint_id", "alias"):
        if checkpoint_id is not None:
            found.setdefault(checkpoint_id, []).append(alias)
    return found


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"

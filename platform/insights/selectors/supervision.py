"""How a model was taught: clipped share, gate, snapshot and freshness, from its committed claims."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import BigIntegerField, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from runs.models import Kind, WorkClaim


@dataclass(frozen=True)
class Teaching:
    """`freshness_seconds`: start of the newest labelled partition − watermark of the snapshot that labelled it."""

    clipped_share: float | None = None
    gate: str | None = None
    snapshot_id: uuid.UUID | None = None
    freshness_seconds: float | None = None


@dataclass(frozen=True)
class ClaimFacts:
    """What was decided and counted for one partition of a lineage."""

    gate: str | None
    snapshot_id: uuid.UUID | None
    freshness_seconds: float | None


@dataclass(frozen=True)
class Taught:
    """How a lineage was taught: labelled and clipped rows, and the facts of its newest labelled partition."""

    covered: int | None
    clipped: int | None
    start: datetime
    newest: ClaimFacts

    def __add__(self, other: "Taught") -> "Taught":
        """Return both together; the partitions must be disjoint."""
        later = max(self, other, key=lambda each: each.start)
        return Taught(_sum(self.covered, other.covered), _sum(self.clipped, other.clipped), later.start, later.newest)

    @property
    def teaching(self) -> Teaching:
        """What the pages show of it."""
        share = self.clipped / self.covered if self.covered and self.clipped is not None else None
        return Teaching(share, self.newest.gate, self.newest.snapshot_id, self.newest.freshness_seconds)


def _sum(first: int | None, second: int | None) -> int | None:
    return second if first is None else first + (second or 0)


def taught(*, lineage_ids: Iterable[uuid.UUID], partition_id: uuid.UUID | None = None) -> dict[uuid.UUID, Taught]:
    """Return how each lineage was taught so far, or on one partition; those without a labelled one are left out."""
    claims = WorkClaim.objects.filter(
        kind=Kind.VM_TRAIN, lineage_id__in=list(lineage_ids), committed_at__isnull=False, label_set__isnull=False
    )
    if partition_id is not None:
        claims = claims.filter(partition_id=partition_id)
    counts = {
        row["lineage_id"]: row
        for row in claims.order_by()
        .values("lineage_id")
        .annotate(
            covered=Sum(Cast(KT("result__covered"), BigIntegerField())),
            clipped=Sum(Cast(KT("result__clipped"), BigIntegerField())),
        )
    }
    newest = claims.select_related("partition", "label_set").order_by("lineage_id", "-partition__start")
    found = {}
    for claim in newest.distinct("lineage_id"):
        assert claim.lineage_id is not None  # noqa: S101 - filtered by it
        assert claim.partition is not None  # noqa: S101 - a claim of vertical training
        row = counts[claim.lineage_id]
        found[claim.lineage_id] = Taught(row["covered"], row["clipped"], claim.partition.start, _facts(claim))
    return found


def claim_facts(*, lineage_id: uuid.UUID) -> dict[uuid.UUID, ClaimFacts]:
    """Return the facts of one lineage by partition."""
    claims = WorkClaim.objects.filter(kind=Kind.VM_TRAIN, lineage_id=lineage_id, committed_at__isnull=False)
    rows = claims.select_related("partition", "label_set")
    return {claim.partition_id: _facts(claim) for claim in rows if claim.partition_id is not None}


def _facts(claim: WorkClaim) -> ClaimFacts:
    if claim.label_set is None or claim.partition is None:
        return ClaimFacts(None, None, None)
    gap = freshness(claim.partition.start, claim.label_set.watermark)
    return ClaimFacts(claim.gate, claim.label_set.snapshot_id, gap)


def freshness(start: datetime, watermark: datetime) -> float:
    """Return the freshness gap in seconds of a partition's first moment."""
    return (start - watermark).total_seconds()

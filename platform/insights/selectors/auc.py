"""Logit histograms of lineages over their partitions: AUC across partitions comes from them."""

import base64
import uuid
from collections.abc import Iterable

from exfm_core.metrics.histogram import LogitHistogram
from runs.models import MetricSums


def histograms(
    *, lineage_ids: Iterable[uuid.UUID], partition_id: uuid.UUID | None = None
) -> dict[uuid.UUID, LogitHistogram]:
    """Return each lineage's histogram over all its partitions, or over one; lineages without any are left out.

    DataError: what a child reported is no histogram.
    """
    rows = MetricSums.objects.filter(
        lineage_id__in=list(lineage_ids), scope=MetricSums.Scope.ALL, histogram__isnull=False
    )
    if partition_id is not None:
        rows = rows.filter(partition_id=partition_id)
    found: dict[uuid.UUID, LogitHistogram] = {}
    for lineage_id, packed in rows.values_list("lineage_id", "histogram").iterator():
        each = LogitHistogram.decode(base64.b64encode(bytes(packed or b"")).decode())
        found[lineage_id] = found[lineage_id] + each if lineage_id in found else each
    return found

"""AUC of a lineage over all its partitions, from logit histograms that are merged once and kept for a while.

A lineage only ever gains partitions, in the order of their row ids, so what was merged before stays valid.
"""

import base64
import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterable

from django.db.models import Q

from exfm_core.metrics.histogram import LogitHistogram
from runs.models import MetricSums

KEPT = 1024
"""Merged histograms a process keeps, packed: a few kB to 30 kB each."""

_merged: OrderedDict[uuid.UUID, tuple[uuid.UUID, str, float | None]] = OrderedDict()
_lock = threading.Lock()


def aucs(*, lineage_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, float]:
    """Return the AUC of each lineage that has one; ties at half, off by at most half the share of tied pairs."""
    wanted = list(lineage_ids)
    with _lock:
        held = {lineage: _merged[lineage] for lineage in wanted if lineage in _merged}
    fresh, grown, last = Q(pk__in=[]), dict[uuid.UUID, LogitHistogram](), dict[uuid.UUID, uuid.UUID]()
    for lineage in wanted:
        newer = Q(lineage_id=lineage, id__gt=held[lineage][0]) if lineage in held else Q(lineage_id=lineage)
        fresh |= newer
    rows = MetricSums.objects.filter(fresh, scope=MetricSums.Scope.ALL, histogram__isnull=False).order_by("id")
    for row_id, lineage, packed in rows.values_list("id", "lineage_id", "histogram").iterator():
        text = base64.b64encode(bytes(packed or b"")).decode()
        if lineage not in grown:
            grown[lineage] = LogitHistogram.decode(held[lineage][1]) if lineage in held else LogitHistogram.zeros()
        grown[lineage] = grown[lineage] + LogitHistogram.decode(text)
        last[lineage] = row_id
    for lineage, merged in grown.items():
        held[lineage] = (last[lineage], merged.encode(), merged.auc().value)
    with _lock:
        for lineage, entry in held.items():
            _merged[lineage] = entry
            _merged.move_to_end(lineage)
        while len(_merged) > KEPT:
            _merged.popitem(last=False)
    return {lineage: value for lineage, (_, _, value) in held.items() if value is not None}

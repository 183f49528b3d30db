"""What each model owes of the foundation models' cost: its tenant's share, split over the tenant's taught models."""

import uuid
from collections import Counter
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from budgets import allocation
from budgets.money import ZERO, largest_remainder
from registry.models import Binding, FoundationModel, LabelSet

_FINE = 720_720
"""Divisible by every number up to 15, so that splitting a stream's rows over its models stays in whole numbers."""


def shares() -> dict[uuid.UUID, Decimal]:
    """Return model -> share to date, for the tenant in scope, or for all tenants in the platform's.

    A tenant's share is split by rows labelled on the models' streams; models on one stream share its rows equally.
    """
    bound = Binding.objects.order_by("created_at").values_list(
        "foundation_model_id", "foundation_model__created_at", "model_id", "tenant_id", "model__stream_id"
    )
    by_teacher: dict[tuple[uuid.UUID, datetime], dict[uuid.UUID, tuple[uuid.UUID, uuid.UUID]]] = {}
    for teacher_id, since, model_id, tenant_id, stream_id in bound:
        by_teacher.setdefault((teacher_id, since), {})[model_id] = (tenant_id, stream_id)
    owed: dict[uuid.UUID, Decimal] = {}
    for (teacher_id, since), taught in by_teacher.items():
        teacher = FoundationModel(id=teacher_id, created_at=since)  # what its shares need of it
        rows = _rows_by_stream(teacher)
        crowd = Counter(stream_id for _, stream_id in taught.values())
        weights: dict[uuid.UUID, dict[uuid.UUID, int]] = {}
        for model_id, (tenant_id, stream_id) in taught.items():
            weights.setdefault(tenant_id, {})[model_id] = rows.get(stream_id, 0) * _FINE // crowd[stream_id]
        for tenant_id, amount in allocation.shares_to_date(foundation_model=teacher).items():
            for model_id, part in largest_remainder(amount, weights.get(tenant_id, {})).items():
                owed[model_id] = owed.get(model_id, ZERO) + part
    return owed


def _rows_by_stream(teacher: FoundationModel) -> dict[uuid.UUID, int]:
    rows = LabelSet.objects.filter(snapshot__foundation_version__model=teacher).order_by()
    counted = rows.values("partition__stream_id").annotate(total=Sum("rows"))
    return {row["partition__stream_id"]: row["total"] for row in counted}

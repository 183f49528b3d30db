"""What each model owes of the foundation models' cost: its tenant's share, split over the tenant's taught models."""

import uuid
from collections import Counter
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
    bound = Binding.objects.select_related("model", "foundation_model").order_by("created_at")
    by_teacher: dict[FoundationModel, dict[uuid.UUID, Binding]] = {}
    for binding in bound:
        by_teacher.setdefault(binding.foundation_model, {})[binding.model_id] = binding
    owed: dict[uuid.UUID, Decimal] = {}
    for teacher, bindings in by_teacher.items():
        rows = _rows_by_stream(teacher)
        crowd = Counter(binding.model.stream_id for binding in bindings.values())
        for tenant_id, amount in allocation.shares_to_date(foundation_model=teacher).items():
            weights = {
                binding.model_id: rows.get(binding.model.stream_id, 0) * _FINE // crowd[binding.model.stream_id]
                for binding in bindings.values()
                if binding.tenant_id == tenant_id
            }
            for model_id, part in largest_remainder(amount, weights).items():
                owed[model_id] = owed.get(model_id, ZERO) + part
    return owed


def _rows_by_stream(teacher: FoundationModel) -> dict[uuid.UUID, int]:
    rows = LabelSet.objects.filter(snapshot__foundation_version__model=teacher).order_by()
    counted = rows.values("partition__stream_id").annotate(total=Sum("rows"))
    return {row["partition__stream_id"]: row["total"] for row in counted}

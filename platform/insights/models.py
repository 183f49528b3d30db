"""What a commit leaves for the pages: one row per model, so that a read computes nothing."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from tenancy.models import TenantOwned


class ModelFigures(TenantOwned):
    """A model's figures as of the commit that wrote them, and the sums that the next commit adds to.

    `source` is the `Comparison.source` of that commit. A row whose source is another than the model's present one is
    stale: it is ignored, and the figures are computed from the committed sums. Only the platform's processes write.
    """

    model = models.OneToOneField("registry.VerticalModel", on_delete=models.PROTECT, related_name="+")
    source = ArrayField(models.UUIDField(null=True), size=4, help_text="control, its head, treatment, its head")
    figures = models.JSONField(help_text="selectors.figures.Figures")
    merged = models.JSONField(help_text="selectors.merging.Merged: sums and histograms over all partitions")
    updated_at = models.DateTimeField(auto_now=True)
    lift_high = models.GeneratedField(
        expression=Cast(KT("figures__lift__high"), models.FloatField()),
        output_field=models.FloatField(null=True),
        db_persist=True,
    )
    clipped_share = models.GeneratedField(
        expression=Cast(KT("figures__teaching__clipped_share"), models.FloatField()),
        output_field=models.FloatField(null=True),
        db_persist=True,
    )

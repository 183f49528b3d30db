"""What data there is: streams with a typed schema, and their immutable partitions."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from tenancy.models import TenantOwned


class Stream(TenantOwned):
    """A tenant's stream of labelled examples. `schema` is an `exfm_core.spec.StreamSchema` as JSON."""

    name = models.SlugField(max_length=63)
    schema = models.JSONField()
    label_deadline_seconds = models.PositiveIntegerField(default=3600)
    feed_fm = models.BooleanField(default=False, help_text="consent: the foundation model may train on this stream")
    feed_shared = models.BooleanField(default=False, help_text="consent: platform-owned starters may train on it")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="stream_tenant_name")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Partition(TenantOwned):
    """A slice `[start, end)` of a stream in event time; immutable once sealed. Intervals of a stream never overlap."""

    class State(models.TextChoices):
        UPLOADED = "uploaded"
        SEALED = "sealed"
        REJECTED = "rejected"

    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, related_name="partitions")
    start = models.DateTimeField()
    end = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.UPLOADED)
    uri = models.CharField(max_length=400)
    source_uri = models.CharField(max_length=1000, blank=True, help_text="where it is imported from; empty: uploaded")
    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()
    rows = models.BigIntegerField(null=True, blank=True)
    positives = models.JSONField(default=dict, blank=True, help_text="task name -> number of positive labels")
    problems = models.JSONField(default=list, blank=True)
    sealed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["start"]
        indexes = [models.Index(fields=["stream", "start"], name="partition_stream_start")]
        constraints = [
            models.CheckConstraint(condition=Q(start__lt=F("end")), name="partition_start_before_end"),
            ExclusionConstraint(
                name="partition_intervals_disjoint",
                expressions=[
                    ("stream", RangeOperators.EQUAL),
                    (Func(F("start"), F("end"), function="tstzrange"), RangeOperators.OVERLAPS),
                ],
                condition=~Q(state="rejected"),
            ),
        ]


class PartitionUse(TenantOwned):
    """How many lineages of models have consumed a partition; no row: none. The ledger's trigger keeps it."""

    partition = models.OneToOneField(Partition, on_delete=models.PROTECT, related_name="use")
    trained = models.PositiveIntegerField()

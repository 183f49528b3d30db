"""Every type of event, and what it says."""

from django.db import models


class EventType(models.TextChoices):
    """What a webhook may be told. `webhook.test` is sent by the test button alone and needs no subscription."""

    RUN_SUCCEEDED = "run.succeeded"
    RUN_FAILED = "run.failed"
    RUN_CANCELLED = "run.cancelled"
    PARTITION_SEALED = "partition.sealed"
    PARTITION_REJECTED = "partition.rejected"
    SNAPSHOT_PUBLISHED = "snapshot.published"
    BUDGET_THRESHOLD = "budget.threshold"
    EXPORT_FINISHED = "export.finished"
    TEST = "webhook.test"


SUBSCRIBABLE = [(kind.value, kind.value) for kind in EventType if kind != EventType.TEST]
"""The choices of a subscription."""

"""What the API itself remembers: answers to requests that carried an idempotency key."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from tenancy.models import TenantOrPlatformOwned


class IdempotencyRecord(TenantOrPlatformOwned):
    """The first answer to a key; a repetition gets it again. `tenant` null = an administrator's request."""

    user = models.ForeignKey("tenancy.User", on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, address and body")
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    response = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user", "key"], name="idempotency_key", nulls_distinct=False)
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_created")]

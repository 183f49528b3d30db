"""Money: dated rates, budgets that act, usage, the append-only ledger, and the allocation of the FM's cost."""

from typing import Any

from django.db import models
from django.db.models import F, Q

from tenancy.managers import PlatformManager
from tenancy.models import PlatformOwned, TenantOrPlatformOwned, TenantOwned

MONEY: dict[str, Any] = {"max_digits": 18, "decimal_places": 6}


class Rate(PlatformOwned):
    """Price of one device-second of a flavor from a date on; copied into every usage record."""

    flavor = models.CharField(max_length=20)
    per_device_second = models.DecimalField(max_digits=18, decimal_places=9)
    effective_from = models.DateTimeField()

    objects = PlatformManager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["flavor", "effective_from"], name="rate_flavor_from")]


class Budget(TenantOwned):
    """What a tenant may spend in a period (UTC). `spent + reserved <= amount`, always."""

    class Action(models.TextChoices):
        WARN = "warn"
        HOLD = "hold"
        STOP = "stop"

    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    amount = models.DecimalField(**MONEY)
    spent = models.DecimalField(**MONEY, default=0)
    reserved = models.DecimalField(**MONEY, default=0)
    action = models.CharField(max_length=4, choices=Action.choices, default=Action.STOP)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "period_start"], name="budget_tenant_period"),
            models.CheckConstraint(condition=Q(spent__gte=0) & Q(reserved__gte=0), name="budget_not_negative"),
            models.CheckConstraint(condition=Q(amount__gte=F("spent") + F("reserved")), name="budget_never_exceeded"),
        ]


class Quota(TenantOwned):
    """Limits of a tenant that are not money."""

    concurrent_runs = models.PositiveIntegerField(default=4)
    models_limit = models.PositiveIntegerField(default=20)
    storage_bytes = models.BigIntegerField(default=50 * 2**30)
    serving_parameters = models.BigIntegerField(default=50_000_000)
    serving_flops = models.BigIntegerField(default=5_000_000, help_text="per row")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="quota_tenant")]


class Line(models.TextChoices):
    """What money was for. Measurement = the control arm."""

    TRAINING = "training"
    MEASUREMENT = "measurement"
    FM_TRAINING = "fm_training"
    FM_SCORING = "fm_scoring"
    FM_SHARE = "fm_share"
    LOST = "lost"


class UsageRecord(TenantOrPlatformOwned):
    """Device-seconds held, with the rate of that moment. Tenant null = paid by the platform account."""

    run = models.ForeignKey("runs.Run", on_delete=models.PROTECT, related_name="usage")
    attempt = models.ForeignKey("runs.Attempt", on_delete=models.PROTECT, related_name="usage")
    claim = models.ForeignKey("runs.WorkClaim", on_delete=models.PROTECT, null=True, blank=True, related_name="usage")
    foundation_model = models.ForeignKey(
        "registry.FoundationModel", on_delete=models.PROTECT, null=True, blank=True, related_name="usage"
    )
    line = models.CharField(max_length=12, choices=Line.choices)
    flavor = models.CharField(max_length=20)
    device_seconds = models.DecimalField(max_digits=18, decimal_places=6)
    rate = models.DecimalField(max_digits=18, decimal_places=9)
    amount = models.DecimalField(**MONEY)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["claim", "line"], condition=Q(claim__isnull=False), name="usage_once_per_claim"
            )
        ]


class LedgerEntry(TenantOrPlatformOwned):
    """Append-only: reserve → settle → release; corrections are new lines. Tenant null = the platform account."""

    class Kind(models.TextChoices):
        RESERVE = "reserve"
        SETTLE = "settle"
        RELEASE = "release"
        ALLOCATE = "allocate"
        CORRECT = "correct"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    line = models.CharField(max_length=12, choices=Line.choices, blank=True)
    amount = models.DecimalField(**MONEY)
    budget = models.ForeignKey(Budget, on_delete=models.PROTECT, null=True, blank=True, related_name="entries")
    run = models.ForeignKey("runs.Run", on_delete=models.PROTECT, null=True, blank=True, related_name="ledger")
    usage = models.ForeignKey(UsageRecord, on_delete=models.PROTECT, null=True, blank=True, related_name="ledger")
    memo = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["created_at", "id"]


class Allocation(TenantOwned):
    """A tenant's share of the FM's cost in a closed period: by rows labelled, largest remainder, sums to the total."""

    foundation_model = models.ForeignKey(
        "registry.FoundationModel", on_delete=models.PROTECT, related_name="allocations"
    )
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    rows = models.BigIntegerField()
    rows_total = models.BigIntegerField()
    cost_total = models.DecimalField(**MONEY)
    amount = models.DecimalField(**MONEY)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "foundation_model", "period_start"], name="allocation_once")
        ]

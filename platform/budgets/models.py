"""Money: dated rates, budgets that act, usage, the append-only ledger, and the allocation of the FM's cost."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
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

    def __str__(self) -> str:
        return f"rate of {self.flavor} from {self.effective_from:%Y-%m-%d}"


class Budget(TenantOwned):
    """What a tenant may spend in a period (UTC). `spent + reserved <= amount`, always."""

    class Action(models.TextChoices):
        """From `act_percent` on: only tell; hold new runs; stop running ones at their checkpoint too."""

        WARN = "warn"
        HOLD = "hold"
        STOP = "stop"

    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    amount = models.DecimalField(**MONEY)
    spent = models.DecimalField(**MONEY, default=0)
    reserved = models.DecimalField(**MONEY, default=0)
    action = models.CharField(max_length=4, choices=Action.choices, default=Action.STOP)
    act_percent = models.PositiveSmallIntegerField(
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="the action is taken once this part of the amount is spent, in percent",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "period_start"], name="budget_tenant_period"),
            models.CheckConstraint(
                condition=Q(act_percent__gte=1) & Q(act_percent__lte=100), name="budget_act_percent_1_to_100"
            ),
            models.CheckConstraint(condition=Q(spent__gte=0) & Q(reserved__gte=0), name="budget_not_negative"),
            models.CheckConstraint(condition=Q(amount__gte=F("spent") + F("reserved")), name="budget_never_exceeded"),
        ]

    def __str__(self) -> str:
        return f"budget of {self.tenant}, {self.period_start:%Y-%m}"


class Quota(TenantOwned):
    """Limits of a tenant that are not money."""

    concurrent_runs = models.PositiveIntegerField(default=4)
    models_limit = models.PositiveIntegerField(default=20)
    storage_bytes = models.BigIntegerField(default=50 * 2**30)
    serving_parameters = models.BigIntegerField(default=50_000_000)
    serving_flops = models.BigIntegerField(default=5_000_000, help_text="per row")
    serving_latency_us = models.BigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="estimated p99 of one row in microseconds; empty: no limit",
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="quota_tenant")]

    def __str__(self) -> str:
        return f"quota of {self.tenant}"


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
        verbose_name_plural = "ledger entries"
        indexes = [models.Index(fields=["tenant", "-id"], name="ledger_newest")]


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


class MonthlyCost(TenantOrPlatformOwned):
    """What an owner paid on a line in a month (UTC): the sum of its usage, kept by a trigger of that table.

    `model` for a tenant's vertical model; `tenant` null = the platform's, for `foundation_model`.
    """

    model = models.ForeignKey(
        "registry.VerticalModel", on_delete=models.PROTECT, null=True, blank=True, related_name="monthly_costs"
    )
    foundation_model = models.ForeignKey(
        "registry.FoundationModel", on_delete=models.PROTECT, null=True, blank=True, related_name="monthly_costs"
    )
    line = models.CharField(max_length=12, choices=Line.choices)
    month = models.DateTimeField(help_text="its first moment")
    amount = models.DecimalField(**MONEY)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "model", "foundation_model", "line", "month"],
                nulls_distinct=False,
                name="monthly_cost_once",
            )
        ]
        indexes = [models.Index(fields=["tenant", "month"], name="monthly_cost_tenant_month")]


class CostToDate(TenantOwned):
    """What a vertical model has cost its tenant since it was registered: all months of its lines, kept by a trigger."""

    model = models.OneToOneField("registry.VerticalModel", on_delete=models.PROTECT, related_name="cost_to_date")
    training = models.DecimalField(**MONEY)
    measurement = models.DecimalField(**MONEY)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "model"], name="cost_to_date_once")]


class MonthlyRows(TenantOwned):
    """Rows of a stream that a foundation model labelled in a month (UTC), kept by a trigger of the label sets."""

    foundation_model = models.ForeignKey(
        "registry.FoundationModel", on_delete=models.PROTECT, related_name="monthly_rows"
    )
    stream = models.ForeignKey("catalog.Stream", on_delete=models.PROTECT, related_name="monthly_rows")
    month = models.DateTimeField(help_text="its first moment")
    rows = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "foundation_model", "stream", "month"], name="monthly_rows_once")
        ]
        indexes = [models.Index(fields=["foundation_model", "month", "tenant"], name="monthly_rows_teacher_month")]

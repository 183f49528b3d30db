"""Money as JSON: amounts are decimal strings with six places."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from api.base.serializers import StrictModelSerializer, StrictSerializer
from budgets import services
from budgets.models import Budget, LedgerEntry, Quota


class MoneyField(serializers.DecimalField):
    """An amount in the installation's currency."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=18, decimal_places=6, **kwargs)


class LedgerSerializer(StrictModelSerializer):
    """One line of the append-only ledger."""

    note = serializers.CharField(source="memo")
    run = serializers.UUIDField(source="run_id", allow_null=True)
    model = serializers.UUIDField(source="run.model_id", allow_null=True, default=None)

    class Meta:
        model = LedgerEntry
        fields = ("id", "created_at", "kind", "line", "amount", "run", "model", "note")


class BudgetActionSerializer(StrictSerializer):
    """What the budget does, and from which part of the amount on."""

    action = serializers.ChoiceField(
        choices=Budget.Action.choices,
        required=False,
        help_text="warn: only tell; hold: start no new run; stop: running ones stop at their checkpoint too",
    )
    act_percent = serializers.IntegerField(
        min_value=1, max_value=100, required=False, help_text="taken once this part of the amount is spent"
    )


class NewBudgetSerializer(BudgetActionSerializer):
    """A budget to set, and why. What is left out stays; a first budget stops runs at 100 percent."""

    amount = MoneyField(min_value=Decimal(0))
    reason = serializers.CharField(max_length=500)


class BudgetSerializer(StrictSerializer):
    """A tenant's budget of the running period."""

    period_start = serializers.DateTimeField()
    period_end = serializers.DateTimeField()
    amount = MoneyField()
    spent = MoneyField()
    reserved = MoneyField()
    action = serializers.ChoiceField(choices=Budget.Action.choices)
    act_percent = serializers.IntegerField()


class OpeningQuotaSerializer(StrictSerializer):
    """Limits that are not money; those left out keep their defaults."""

    concurrent_runs = serializers.IntegerField(min_value=0, max_value=10_000, required=False)
    models_limit = serializers.IntegerField(min_value=0, max_value=100_000, required=False)
    storage_bytes = serializers.IntegerField(min_value=0, max_value=2**62, required=False)
    serving_parameters = serializers.IntegerField(min_value=0, max_value=2**62, required=False)
    serving_flops = serializers.IntegerField(min_value=0, max_value=2**62, required=False)
    serving_latency_us = serializers.IntegerField(
        min_value=0, max_value=2**62, required=False, allow_null=True, help_text="microseconds; null: no limit"
    )


class NewQuotaSerializer(OpeningQuotaSerializer):
    """Limits to change, and why; those left out stay."""

    reason = serializers.CharField(max_length=500)


class QuotaSerializer(StrictModelSerializer):
    """A tenant's limits that are not money."""

    class Meta:
        model = Quota
        fields = services.QUOTAS

"""Costs of a tenant, and all tenants' figures for administrators, as JSON."""

from rest_framework import serializers

from api.base.serializers import StrictSerializer
from budgets.models import Budget
from budgets.serializers import MoneyField
from insights.serializers import LiftSerializer, NullableFloat, PeriodSerializer, SnapshotSerializer
from registry.serializers import FoundationModelSerializer


class LineTotalSerializer(StrictSerializer):
    """Money of one ledger line."""

    kind = serializers.CharField()
    amount = MoneyField()


class ModelCostSerializer(StrictSerializer):
    """Money of one model since its registration."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    training = MoneyField()
    measurement = MoneyField()
    fm_share = MoneyField()
    total = MoneyField()


class RestCostSerializer(StrictSerializer):
    """Money of the models that are not named."""

    models = serializers.IntegerField(help_text="how many they are; 0: all are named")
    training = MoneyField()
    measurement = MoneyField()
    fm_share = MoneyField()
    total = MoneyField()


class AllocationSerializer(StrictSerializer):
    """A period's share of the foundation model's cost, and what it is computed from."""

    foundation_model = serializers.CharField()
    period_start = serializers.DateTimeField()
    period_end = serializers.DateTimeField()
    rows = serializers.IntegerField(help_text="the tenant's labelled rows")
    rows_total = serializers.IntegerField(help_text="all tenants' labelled rows")
    total = MoneyField(help_text="the foundation model's cost")
    amount = MoneyField(help_text="the tenant's share")
    closed = serializers.BooleanField(help_text="false: the period is running, the share still moves")


class FmCostsSerializer(StrictSerializer):
    """The share of the foundation models' cost."""

    share = MoneyField()
    allocations = AllocationSerializer(many=True)
    how = serializers.CharField()


class BudgetStandingSerializer(StrictSerializer):
    """The running period's budget, how far it is spent, and what it does beside its limit."""

    amount = MoneyField(source="budget", help_text="0: nothing may be spent, or none is set")
    spent = MoneyField()
    reserved = MoneyField()
    forecast = MoneyField(help_text="spent by the end of the period at the pace so far")
    action = serializers.ChoiceField(choices=Budget.Action.choices)
    act_percent = serializers.IntegerField(help_text="the action is taken once this part of the amount is spent")
    acts_at = MoneyField(help_text="that part in money")
    acts = serializers.BooleanField(help_text="whether it is spent")


class CostsSerializer(StrictSerializer):
    """What a tenant paid for in the running period, by line; and by model since registration."""

    currency = serializers.CharField()
    period = PeriodSerializer(source="*")
    budget = BudgetStandingSerializer(source="spend")
    total = MoneyField()
    kinds = LineTotalSerializer(many=True)
    models = ModelCostSerializer(many=True, help_text="the costliest 50, by training and measurement")
    rest = RestCostSerializer()
    fm = FmCostsSerializer()


class ModelInsightSerializer(StrictSerializer):
    """One model of one tenant, for administrators."""

    tenant = serializers.CharField()
    model = serializers.CharField(source="card.model.name")
    model_id = serializers.UUIDField(source="card.model.id")
    task = serializers.CharField(source="card.task")
    ne_control = NullableFloat(source="card.ne.control")
    ne_treatment = NullableFloat(source="card.ne.treatment")
    lift = LiftSerializer(source="card.lift")
    auc_control = NullableFloat(source="card.auc.control")
    auc_treatment = NullableFloat(source="card.auc.treatment")
    coverage = NullableFloat(source="card.coverage")
    cost = MoneyField(source="card.cost", help_text="training and measurement")
    measurement_cost = MoneyField(source="card.measurement_cost")
    fm_share = MoneyField(source="card.fm_share")


class FmBalanceSerializer(StrictSerializer):
    """What foundation models cost, and who bears it."""

    training = MoneyField()
    scoring = MoneyField()
    allocated = MoneyField(help_text="borne by tenants")
    unallocated = MoneyField(help_text="stays with the platform")


class AdminInsightsSerializer(StrictSerializer):
    """All tenants at once."""

    pooled = LiftSerializer()
    tenants = ModelInsightSerializer(source="cards", many=True)
    fm = FmBalanceSerializer()
    currency = serializers.CharField()


class FoundationModelDetailSerializer(FoundationModelSerializer):
    """A foundation model with its snapshots, oldest first, and its cost."""

    spec = serializers.DictField(help_text="an exfm_core.spec.FoundationSpec")
    version = serializers.IntegerField()
    slots = serializers.DictField(child=serializers.IntegerField(), help_text="tenant -> slot")
    snapshots = SnapshotSerializer(many=True)
    cost = FmBalanceSerializer()

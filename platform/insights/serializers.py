"""Lift, cost and their origins as JSON. Money is a decimal string, times are UTC, lift is in percent of NE."""

from typing import Any

from rest_framework import serializers

from api.base.serializers import StrictSerializer
from budgets.models import Budget
from budgets.serializers import MoneyField
from registry.models import Arm, Lineage, Snapshot, VerticalModel
from registry.serializers import LatencyBudgetSerializer, LatencySerializer
from runs.models import WorkClaim
from runs.serializers import RunCardSerializer


class NullableFloat(serializers.FloatField):
    """A figure, or null where it is undefined."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(allow_null=True, **kwargs)  # type: ignore[arg-type]


class Kept:
    """For figures that a process remembers between requests: their JSON is made once and stays with them."""

    def to_representation(self, instance: Any) -> Any:
        """Return the JSON; whoever gets it must not change it."""
        held = vars(instance)
        if "_json" not in held:
            held["_json"] = super().to_representation(instance)  # type: ignore[misc]
        return held["_json"]


class CoveredLiftSerializer(StrictSerializer):
    """Lift over the rows that carried a label of the foundation model."""

    value = NullableFloat()
    low = NullableFloat()
    high = NullableFloat()
    rows = serializers.IntegerField()


class LiftSerializer(Kept, StrictSerializer):
    """NE gain over the control in percent, with its 95 % bootstrap interval."""

    value = NullableFloat()
    low = NullableFloat()
    high = NullableFloat()
    rows = serializers.IntegerField()
    users = serializers.IntegerField(help_text="hash-of-user buckets with rows (256 at most)")
    covered = CoveredLiftSerializer()
    reason = serializers.CharField(help_text="why a figure is missing")
    as_of = serializers.DateTimeField(allow_null=True, help_text="event time")


class ArmsSerializer(Kept, StrictSerializer):
    """A figure of both arms."""

    control = NullableFloat()
    treatment = NullableFloat()


class StreamLinkSerializer(StrictSerializer):
    """A stream by id and name."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class SparkPointSerializer(Kept, StrictSerializer):
    """Lift of the partition that ends at `t`."""

    t = serializers.DateTimeField()
    lift = NullableFloat()


class FiguresSerializer(StrictSerializer):
    """Of a model's card, what its commits alone change."""

    lift = LiftSerializer()
    ne = ArmsSerializer()
    auc = ArmsSerializer()
    coverage = NullableFloat()
    freshness_seconds = NullableFloat(source="teaching.freshness_seconds")
    spark = SparkPointSerializer(many=True)


class ModelCardSerializer(StrictSerializer):
    """A model at a glance."""

    id = serializers.UUIDField(source="model.id")
    name = serializers.CharField(source="model.name")
    task = serializers.CharField()
    status = serializers.ChoiceField(source="model.status", choices=VerticalModel.Status.choices)
    stream = StreamLinkSerializer(source="model.stream")
    lift = LiftSerializer()
    ne = ArmsSerializer()
    auc = ArmsSerializer()
    coverage = NullableFloat(help_text="share of rows with a label of the foundation model")
    cost = MoneyField(help_text="training and measurement, since registration")
    measurement_cost = MoneyField(help_text="the control arm's part of `cost`")
    fm_share = MoneyField(help_text="share of the foundation model's cost, outside the budget")
    cost_per_point = MoneyField(allow_null=True, help_text="cost and FM share per % of NE; null without clear lift")
    freshness_seconds = NullableFloat(help_text="start of the newest labelled partition − its snapshot's watermark")
    spark = SparkPointSerializer(many=True)
    updated_at = serializers.DateTimeField()


class ServingSerializer(StrictSerializer):
    """Serving cost against the serving budget: exact, but for the estimated latency."""

    parameters = serializers.IntegerField()
    flops = serializers.IntegerField(help_text="per row")
    limit_parameters = serializers.IntegerField()
    limit_flops = serializers.IntegerField()
    latency = LatencySerializer(many=True, help_text="by measured flavor; empty where none is registered")
    latency_budget = LatencyBudgetSerializer()


class LineageSerializer(StrictSerializer):
    """A course of training."""

    arm = serializers.ChoiceField(choices=Arm.choices)
    state = serializers.ChoiceField(choices=Lineage.State.choices)
    partitions = serializers.IntegerField(help_text="consumed so far")


class TeachingSerializer(StrictSerializer):
    """How the foundation model teaches the model at present."""

    coverage = NullableFloat()
    freshness_seconds = NullableFloat()
    clipped_share = NullableFloat(help_text="share of labels that label scaling cut at 1")
    snapshot = serializers.UUIDField(allow_null=True)
    gate = serializers.ChoiceField(choices=WorkClaim.Gate.choices, allow_null=True)


class ModelSerializer(ModelCardSerializer):
    """A model in full."""

    spec = serializers.DictField(help_text="an exfm_core.spec.VerticalSpec")
    version = serializers.IntegerField()
    foundation_model = serializers.CharField(allow_null=True, help_text="name of the one that teaches it")
    train_from = serializers.DateTimeField(allow_null=True)
    serving = ServingSerializer()
    lineages = LineageSerializer(many=True)
    supervision = TeachingSerializer()


class NewModelSerializer(StrictSerializer):
    """A model to register."""

    name = serializers.SlugField(max_length=63)
    stream = serializers.UUIDField()
    spec = serializers.DictField(help_text="an exfm_core.spec.VerticalSpec")
    foundation_model = serializers.UUIDField(required=False, allow_null=True, default=None)
    train_from = serializers.DateTimeField(required=False, allow_null=True, default=None)


class CumulativeSerializer(StrictSerializer):
    """From the first partition up to this one."""

    ne_control = NullableFloat()
    ne_treatment = NullableFloat()
    lift = NullableFloat()
    low = NullableFloat()
    high = NullableFloat()


class CurvePointSerializer(StrictSerializer):
    """One partition on a model's curve."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    rows = serializers.IntegerField()
    covered = serializers.IntegerField()
    ne_control = NullableFloat()
    ne_treatment = NullableFloat()
    lift = NullableFloat()
    low = NullableFloat()
    high = NullableFloat()
    auc_control = NullableFloat()
    auc_treatment = NullableFloat()
    gate = serializers.ChoiceField(choices=WorkClaim.Gate.choices, allow_null=True)
    snapshot = serializers.UUIDField(allow_null=True)
    freshness_seconds = NullableFloat()
    cumulative = CumulativeSerializer()


class CurveSerializer(StrictSerializer):
    """A model's course in event time."""

    partitions = CurvePointSerializer(many=True)


class GateHeadSerializer(StrictSerializer):
    """The gate's comparison on held-back users for one task."""

    tenant = serializers.CharField(allow_null=True, help_text="null: all tenants together")
    task = serializers.CharField()
    n = serializers.IntegerField()
    ne_candidate = NullableFloat()
    ne_current = NullableFloat()
    calibration = NullableFloat()


class GateSerializer(StrictSerializer):
    """What the publication gate decided, and on what."""

    decision = serializers.CharField(help_text="publish, reject, or empty while undecided")
    reason = serializers.CharField()
    heads = GateHeadSerializer(many=True)


class SnapshotSerializer(StrictSerializer):
    """Published weights of the foundation model, or a candidate."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=Snapshot.State.choices)
    watermark = serializers.DateTimeField()
    published_at = serializers.DateTimeField(allow_null=True)
    gate = GateSerializer()


class SnapshotLinkSerializer(StrictSerializer):
    """The snapshot in use."""

    id = serializers.UUIDField()
    watermark = serializers.DateTimeField()
    published_at = serializers.DateTimeField()


class CatalogueFeatureSerializer(StrictSerializer):
    """A feature of the foundation model; a stream's feature feeds it by naming it as its `catalogue`."""

    name = serializers.CharField()
    kind = serializers.CharField(help_text="categorical, sequence or dense; the stream's must be the same")
    buckets = serializers.IntegerField()
    hashed = serializers.BooleanField(help_text="false: the stream's ids must be below `buckets`, not hashed")
    max_length = serializers.IntegerField(help_text="of a sequence; the stream's may be shorter")


class FoundationSerializer(StrictSerializer):
    """The shared teacher as a tenant sees it."""

    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    catalogue = CatalogueFeatureSerializer(many=True)
    task_kinds = serializers.ListField(child=serializers.CharField(), help_text="tasks it can teach")
    bound = serializers.BooleanField()
    snapshot = SnapshotLinkSerializer(allow_null=True)
    snapshots = SnapshotSerializer(many=True)
    cost_share = MoneyField(help_text="the tenant's, to date")


class PeriodSerializer(StrictSerializer):
    """A budget period, UTC."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class SpendSerializer(StrictSerializer):
    """Money of the running period."""

    currency = serializers.CharField()
    spent = MoneyField()
    reserved = MoneyField()
    budget = MoneyField()
    action = serializers.ChoiceField(choices=Budget.Action.choices, help_text="what the budget does, beside its limit")
    act_percent = serializers.IntegerField(help_text="it does so once this part of the budget is spent")
    acts_at = MoneyField(help_text="that part in money")
    acts = serializers.BooleanField(help_text="whether it is spent")
    forecast = MoneyField(help_text="spent by the end of the period at the pace so far")
    measurement = MoneyField(help_text="the control arms' part of `spent`")
    fm_share = MoneyField(help_text="share of the foundation models' cost, outside the budget")


class UsedSerializer(StrictSerializer):
    """How much of a quota is in use."""

    used = serializers.IntegerField()
    limit = serializers.IntegerField()


class QuotaUseSerializer(StrictSerializer):
    """Quotas and their use."""

    concurrent_runs = UsedSerializer()
    models = UsedSerializer()
    storage_bytes = UsedSerializer()


class AttentionSerializer(StrictSerializer):
    """Something that needs a hand."""

    code = serializers.CharField()
    message = serializers.CharField()
    mend = serializers.CharField()
    link = serializers.CharField(help_text="address in the dashboard")


class TenantLinkSerializer(StrictSerializer):
    """A tenant by slug and name."""

    slug = serializers.CharField()
    name = serializers.CharField()


class OverviewSerializer(StrictSerializer):
    """A tenant's first page."""

    tenant = TenantLinkSerializer()
    period = PeriodSerializer()
    spend = SpendSerializer()
    quota = QuotaUseSerializer()
    models = ModelCardSerializer(many=True, help_text="the first 50 by name; the list of models has all")
    runs = RunCardSerializer(many=True)
    attention = AttentionSerializer(many=True, help_text="of all models, also of those that are not shown")
    foundation = FoundationSerializer()


class CardSectionSerializer(StrictSerializer):
    """A heading of a model card and its lines."""

    title = serializers.CharField()
    lines = serializers.ListField(child=serializers.CharField())


class CardTextSerializer(StrictSerializer):
    """A model card."""

    title = serializers.CharField()
    sections = CardSectionSerializer(many=True)
    markdown = serializers.CharField()

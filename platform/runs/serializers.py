"""Runs as JSON: the shapes of `runs.selectors`, for the OpenAPI document."""

from rest_framework import serializers

from api.base.serializers import StrictSerializer
from runs.models import Attempt, Fault, Kind, State


class RunReasonSerializer(StrictSerializer):
    """Why the run is where it is."""

    code = serializers.CharField(
        help_text="a queued run waits for queued, retry, no_worker, capacity, quota_concurrent_runs, no_budget, "
        "budget_hold or budget_exhausted; others say how it ended"
    )
    message = serializers.CharField()


class NamedSerializer(StrictSerializer):
    """A model by id and name."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class RunProgressSerializer(StrictSerializer):
    """Live figures of the unit in work, for display only."""

    partition = serializers.UUIDField(allow_null=True)
    start = serializers.DateTimeField(allow_null=True)
    rows = serializers.IntegerField()
    rows_total = serializers.IntegerField()
    rows_per_s = serializers.FloatField(allow_null=True)
    done = serializers.IntegerField(help_text="units committed by this run")
    planned = serializers.IntegerField(help_text="units committed, in work and in sight")
    eta_seconds = serializers.FloatField(allow_null=True)
    metrics = serializers.DictField(child=serializers.FloatField())


class RunCostSerializer(StrictSerializer):
    """Money as text."""

    spent = serializers.CharField()
    measurement = serializers.CharField(help_text="the control arm's part of `spent`")
    reserved = serializers.CharField()
    currency = serializers.CharField()


class RunCardSerializer(StrictSerializer):
    """A run in a list."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    state = serializers.ChoiceField(choices=State.choices)
    reason = RunReasonSerializer(allow_null=True)
    model = NamedSerializer(allow_null=True)
    foundation_model = NamedSerializer(allow_null=True)
    position = serializers.IntegerField(allow_null=True, help_text="place in the queue, from 1")
    holders = serializers.ListField(
        child=serializers.CharField(), help_text="who holds the slots or quota that it waits for"
    )
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    stop_requested_at = serializers.DateTimeField(allow_null=True)
    progress = RunProgressSerializer(allow_null=True)
    cost = RunCostSerializer()


class RunAttemptSerializer(StrictSerializer):
    """One try."""

    n = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Attempt.State.choices)
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    fault = serializers.ChoiceField(choices=Fault.choices)
    code = serializers.CharField()
    message = serializers.CharField()
    mend = serializers.CharField()
    exit = serializers.IntegerField(allow_null=True, help_text="exit status; negative: the signal")


class RunPartitionSerializer(StrictSerializer):
    """One unit of the run."""

    id = serializers.UUIDField()
    start = serializers.DateTimeField(allow_null=True)
    end = serializers.DateTimeField(allow_null=True)
    state = serializers.ChoiceField(choices=[("claimed", "claimed"), ("done", "done")])
    rows = serializers.IntegerField(allow_null=True)
    covered = serializers.IntegerField(allow_null=True, help_text="rows with a teacher label")
    gate = serializers.ChoiceField(choices=[("open", "open"), ("shut", "shut")])
    label_reason = serializers.CharField(help_text="why there is no label set")
    ne_control = serializers.FloatField(allow_null=True)
    ne_treatment = serializers.FloatField(allow_null=True)


class RunSerializer(RunCardSerializer):
    """A run in full."""

    attempts = RunAttemptSerializer(many=True)
    partitions = RunPartitionSerializer(many=True)
    log = serializers.ListField(child=serializers.CharField(), help_text="last lines of the training process")


class WorkerSerializer(StrictSerializer):
    """A worker."""

    name = serializers.CharField()
    flavor = serializers.CharField()
    slots = serializers.IntegerField()
    seen_at = serializers.DateTimeField()
    live = serializers.BooleanField()


class SlotsSerializer(StrictSerializer):
    """Slots of live workers."""

    total = serializers.IntegerField()
    held = serializers.IntegerField()


class PlacedRunSerializer(StrictSerializer):
    """A run that holds or waits for a slot."""

    id = serializers.UUIDField()
    tenant = serializers.CharField(allow_null=True)
    kind = serializers.ChoiceField(choices=Kind.choices)
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=State.choices)
    reason = RunReasonSerializer(allow_null=True)
    position = serializers.IntegerField(allow_null=True)


class CapacitySerializer(StrictSerializer):
    """Capacity and queue of the whole platform."""

    slots = SlotsSerializer()
    workers = WorkerSerializer(many=True)
    held = PlacedRunSerializer(many=True)
    queued = PlacedRunSerializer(many=True)

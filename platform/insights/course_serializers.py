"""Versions, aliases, bindings, checkpoints and lineage of models as JSON. Times of data are event times."""

from typing import Any

from rest_framework import serializers

from api.base.serializers import StrictSerializer
from registry.models import AliasMove, Arm, Lineage, Snapshot
from registry.serializers import LatencyBudgetSerializer, LatencySerializer


class VersionSerializer(StrictSerializer):
    """An immutable version of a model."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    spec = serializers.DictField(help_text="an exfm_core.spec.VerticalSpec")
    sha256 = serializers.CharField(help_text="of the spec")
    serving_parameters = serializers.IntegerField()
    serving_flops = serializers.IntegerField(help_text="per row")
    created_at = serializers.DateTimeField()


class NewVersionSerializer(StrictSerializer):
    """The next version of a model."""

    spec = serializers.DictField(help_text="an exfm_core.spec.VerticalSpec")
    train_from = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="event time; null: from the stream's beginning"
    )


class CheckpointSerializer(StrictSerializer):
    """What an arm had learned at one moment of its stream."""

    id = serializers.UUIDField()
    version = serializers.IntegerField(source="lineage.model_version.number")
    lineage = serializers.UUIDField(source="lineage_id")
    arm = serializers.ChoiceField(source="lineage.arm", choices=Arm.choices)
    position = serializers.DateTimeField(help_text="end of the last partition it has learned from")
    sha256 = serializers.CharField()
    bytes = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class NewRestartSerializer(StrictSerializer):
    """Where to go back to."""

    checkpoint = serializers.UUIDField()


class AliasSerializer(StrictSerializer):
    """A move of an alias; in a list of aliases, the one in force."""

    alias = serializers.ChoiceField(choices=AliasMove.Alias.choices)
    number = serializers.IntegerField(help_text="moves so far; the ETag of an alias changes with it")
    checkpoint = CheckpointSerializer(allow_null=True)
    back_to = serializers.IntegerField(allow_null=True, help_text="the move that a rollback repeats")
    moved_by = serializers.CharField()
    moved_at = serializers.DateTimeField(source="created_at")
    note = serializers.CharField(allow_blank=True)


class NewAliasSerializer(StrictSerializer):
    """Where an alias is to point."""

    checkpoint = serializers.UUIDField()
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=400)


class NoteSerializer(StrictSerializer):
    """Why."""

    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=400)


class BindingSerializer(StrictSerializer):
    """Which foundation model teaches a model, and since when."""

    number = serializers.IntegerField()
    foundation_model = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)

    def get_foundation_model(self, binding: Any) -> dict[str, str]:
        """Return id and name."""
        return {"id": str(binding.foundation_model_id), "name": binding.foundation_model.name}


class NewBindingSerializer(StrictSerializer):
    """The teacher from the next partition on."""

    foundation_model = serializers.UUIDField()


class NewCheckSerializer(StrictSerializer):
    """A spec to check."""

    stream = serializers.UUIDField()
    spec = serializers.DictField(help_text="an exfm_core.spec.VerticalSpec")


class ServingCheckSerializer(StrictSerializer):
    """What a spec costs to serve, against the budget."""

    parameters = serializers.IntegerField()
    flops = serializers.IntegerField(help_text="per row")
    limit_parameters = serializers.IntegerField()
    limit_flops = serializers.IntegerField()
    batch_bytes = serializers.IntegerField(help_text="memory of one training step beside the tables")
    latency = LatencySerializer(many=True, help_text="by measured flavor; empty where none is registered")
    latency_budget = LatencyBudgetSerializer()


class TaughtBySerializer(StrictSerializer):
    """A snapshot of the foundation model."""

    id = serializers.UUIDField()
    watermark = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=Snapshot.State.choices)


class CourseSerializer(StrictSerializer):
    """A course of training: version, arm, what it started from, what it read, who taught it."""

    id = serializers.UUIDField()
    version = serializers.IntegerField()
    arm = serializers.ChoiceField(choices=Arm.choices)
    state = serializers.ChoiceField(choices=Lineage.State.choices)
    seed = serializers.IntegerField()
    parent_checkpoint = serializers.UUIDField(allow_null=True)
    head = serializers.UUIDField(allow_null=True, help_text="its newest checkpoint")
    partitions = serializers.IntegerField()
    rows = serializers.IntegerField()
    start = serializers.DateTimeField(allow_null=True)
    end = serializers.DateTimeField(allow_null=True)
    snapshots = TaughtBySerializer(many=True)


class ModelLineageSerializer(StrictSerializer):
    """Where a model comes from."""

    model = serializers.UUIDField()
    stream = serializers.UUIDField()
    courses = CourseSerializer(many=True)


class LabelSetSerializer(StrictSerializer):
    """The foundation model's labels of one partition."""

    id = serializers.UUIDField()
    partition = serializers.UUIDField(source="partition_id")
    snapshot = serializers.UUIDField(source="snapshot_id")
    watermark = serializers.DateTimeField()
    tasks = serializers.ListField(child=serializers.CharField())
    rows = serializers.IntegerField()
    sha256 = serializers.CharField()
    created_at = serializers.DateTimeField()


class ModelLinkSerializer(StrictSerializer):
    """A model by id, name and version."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    arm = serializers.ChoiceField(choices=Arm.choices)


class ConsumerSerializer(StrictSerializer):
    """A model's step that consumed a partition."""

    model = ModelLinkSerializer()
    checkpoint = serializers.UUIDField(source="checkpoint_id")


MORE = "path of the list that has them all; null: these are all"


class PartitionUsesSerializer(StrictSerializer):
    """What was made of a partition, newest first."""

    label_sets = LabelSetSerializer(many=True, help_text="one for each snapshot")
    consumed_by = ConsumerSerializer(many=True, help_text="the newest 50")
    all_consumed_by = serializers.CharField(allow_null=True, help_text=MORE)


class SnapshotUsesSerializer(StrictSerializer):
    """What a snapshot labelled of the tenant's, and which of its models learned from that, newest first."""

    label_sets = LabelSetSerializer(many=True, help_text="the newest 50")
    all_label_sets = serializers.CharField(allow_null=True, help_text=MORE)
    models = ModelLinkSerializer(many=True, help_text="the newest 50")
    all_models = serializers.CharField(allow_null=True, help_text=MORE)

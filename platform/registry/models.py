"""What is trained and published: models, versions, lineages, checkpoints, snapshots, label sets."""

from django.db import models
from django.db.models import F, Q

from tenancy.managers import PlatformManager
from tenancy.models import PlatformOwned, TenantOrPlatformOwned, TenantOwned


class FoundationModel(PlatformOwned):
    """The shared teacher. `published` is the one pointer that publication and rollback move."""

    name = models.SlugField(max_length=63, unique=True)
    period_seconds = models.PositiveIntegerField(help_text="length of a training period in event time")
    gate = models.JSONField(default=dict, help_text="limits of the publication gate")
    published = models.ForeignKey("Snapshot", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    is_active = models.BooleanField(default=True)

    objects = PlatformManager()

    def __str__(self) -> str:
        return self.name


class FoundationVersion(PlatformOwned):
    """An immutable `exfm_core.spec.FoundationSpec` of a foundation model."""

    model = models.ForeignKey(FoundationModel, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    spec = models.JSONField()
    sha256 = models.CharField(max_length=64)

    objects = PlatformManager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "number"], name="foundation_version_number")]


class TenantSlot(TenantOwned):
    """A tenant's place in a foundation model (its bias row). Slot 0 is the unseen tenant and never given out."""

    foundation_model = models.ForeignKey(FoundationModel, on_delete=models.PROTECT, related_name="slots")
    slot = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["foundation_model", "tenant"], name="slot_model_tenant"),
            models.UniqueConstraint(fields=["foundation_model", "slot"], name="slot_model_number"),
            models.CheckConstraint(condition=Q(slot__gte=1), name="slot_not_zero"),
        ]


class VerticalModel(TenantOwned):
    """A tenant's compact student; the only thing that serves."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"

    name = models.SlugField(max_length=63)
    stream = models.ForeignKey("catalog.Stream", on_delete=models.PROTECT, related_name="models")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    train_from = models.DateTimeField(null=True, blank=True, help_text="partitions before this event time are skipped")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="vertical_model_tenant_name")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ModelVersion(TenantOwned):
    """An immutable `exfm_core.spec.VerticalSpec`, with its exact serving cost."""

    model = models.ForeignKey(VerticalModel, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    spec = models.JSONField()
    sha256 = models.CharField(max_length=64)
    serving_parameters = models.BigIntegerField()
    serving_flops = models.BigIntegerField(help_text="per row")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "number"], name="model_version_number")]
        ordering = ["number"]


class Binding(TenantOwned):
    """Which foundation model teaches a vertical model; a new binding ends the one before."""

    model = models.ForeignKey(VerticalModel, on_delete=models.PROTECT, related_name="bindings")
    foundation_model = models.ForeignKey(FoundationModel, on_delete=models.PROTECT, related_name="bindings")
    number = models.PositiveIntegerField(default=1)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["model", "number"], name="binding_number"),
            models.UniqueConstraint(fields=["model"], condition=Q(ended_at__isnull=True), name="binding_one_open"),
        ]


class Arm(models.TextChoices):
    """The course of training a lineage follows."""

    CONTROL = "control"
    TREATMENT = "treatment"
    FOUNDATION = "fm"


class Lineage(TenantOrPlatformOwned):
    """One continuous course of training: (spec version, arm, seed, parent checkpoint). Tenant null = the FM's."""

    class State(models.TextChoices):
        ACTIVE = "active"
        ENDED = "ended"
        ABANDONED = "abandoned"

    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="lineages"
    )
    foundation_version = models.ForeignKey(
        FoundationVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="lineages"
    )
    arm = models.CharField(max_length=10, choices=Arm.choices)
    seed = models.PositiveIntegerField(default=0)
    parent_checkpoint = models.ForeignKey(
        "Checkpoint", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    head = models.ForeignKey("Checkpoint", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(arm="fm", tenant__isnull=True, model_version__isnull=True, foundation_version__isnull=False)
                | (
                    ~Q(arm="fm") & Q(tenant__isnull=False, model_version__isnull=False, foundation_version__isnull=True)
                ),
                name="lineage_one_owner",
            ),
            models.UniqueConstraint(
                fields=["model_version", "arm"], condition=Q(state="active"), name="lineage_one_active_per_arm"
            ),
            models.UniqueConstraint(
                fields=["foundation_version"],
                condition=Q(state="active", arm="fm"),
                name="lineage_one_active_per_foundation_version",
            ),
        ]


class Checkpoint(TenantOrPlatformOwned):
    """Resume state of one lineage after one committed step; never served."""

    lineage = models.ForeignKey(Lineage, on_delete=models.PROTECT, related_name="checkpoints")
    position = models.DateTimeField(help_text="end of the last consumed partition (event time)")
    uri = models.CharField(max_length=400)
    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lineage", "position"], name="checkpoint_lineage_position")]


class AliasMove(TenantOwned):
    """A move of a model's alias to a checkpoint. The newest move is in force, those before are its history."""

    class Alias(models.TextChoices):
        SERVING = "serving"
        CANDIDATE = "candidate"

    model = models.ForeignKey(VerticalModel, on_delete=models.PROTECT, related_name="alias_moves")
    alias = models.CharField(max_length=10, choices=Alias.choices)
    number = models.PositiveIntegerField()
    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    back_to = models.PositiveIntegerField(null=True, blank=True, help_text="number of the move that a rollback repeats")
    moved_by = models.CharField(max_length=254)
    note = models.CharField(max_length=400, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "alias", "number"], name="alias_move_number")]


class Snapshot(PlatformOwned):
    """Published weights of a foundation model. Once published it may label partitions for ever (`published_at`), unless
    an operator withdraws it: then it labels nothing more, and what it has labelled stays."""

    class State(models.TextChoices):
        CANDIDATE = "candidate"
        PUBLISHED = "published"
        REJECTED = "rejected"
        RETIRED = "retired"

    foundation_version = models.ForeignKey(FoundationVersion, on_delete=models.PROTECT, related_name="snapshots")
    lineage = models.ForeignKey(Lineage, on_delete=models.PROTECT, related_name="snapshots")
    watermark = models.DateTimeField(help_text="largest partition end consumed over all streams")
    uri = models.CharField(max_length=400)
    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.CANDIDATE)
    gate = models.JSONField(default=dict, help_text="decision and reason; figures per tenant are GateResult rows")
    published_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True, help_text="taken back by a rollback")

    objects = PlatformManager()

    class Meta:
        ordering = ["watermark"]
        constraints = [
            models.UniqueConstraint(fields=["lineage", "watermark"], name="snapshot_lineage_watermark"),
            models.CheckConstraint(
                condition=Q(published_at__isnull=False) | Q(state__in=["candidate", "rejected"]),
                name="snapshot_published_has_time",
            ),
        ]


class GateResult(TenantOwned):
    """How a snapshot did on the held-back users of one tenant and task; a tenant reads its own rows only."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="gate_results")
    task = models.CharField(max_length=63)
    rows = models.BigIntegerField()
    ne_candidate = models.FloatField(null=True, blank=True)
    ne_current = models.FloatField(null=True, blank=True)
    calibration = models.FloatField(null=True, blank=True)
    regressed = models.BooleanField(
        default=False, help_text="beyond chance outside the gate's limits there: the tenant's label gate stays shut"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "tenant", "task"], name="gate_result_snapshot_tenant_task")
        ]


class LabelSet(TenantOwned):
    """The FM's logits for one partition by one snapshot; immutable, shared by every reader of the partition."""

    partition = models.ForeignKey("catalog.Partition", on_delete=models.PROTECT, related_name="label_sets")
    partition_start = models.DateTimeField()
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="label_sets")
    watermark = models.DateTimeField(help_text="the snapshot's, repeated so that no leak is a constraint")
    tasks = models.JSONField(default=list, help_text="FM heads whose logits are in the file")
    uri = models.CharField(max_length=400)
    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()
    rows = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partition", "snapshot"], name="label_set_partition_snapshot"),
            models.CheckConstraint(condition=Q(watermark__lte=F("partition_start")), name="label_set_no_leak"),
        ]


class DeviceProfile(PlatformOwned):
    """What `python -m exfm_core calibrate` measured on a flavor: an `exfm_core.cost.device.DeviceProfile` as JSON."""

    flavor = models.CharField(max_length=20, unique=True)
    profile = models.JSONField()
    updated_at = models.DateTimeField(auto_now=True)

    objects = PlatformManager()

    class Meta:
        ordering = ["flavor"]

    def __str__(self) -> str:
        return self.flavor

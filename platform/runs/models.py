"""Work and its record: runs, attempts, claims, consumption, metric sums. The database is the truth."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from tenancy.managers import PlatformManager
from tenancy.models import PlatformOwned, TenantOrPlatformOwned, TenantOwned


class Kind(models.TextChoices):
    """What a run does."""

    VM_TRAIN = "vm.train"
    DAS_SCORE = "das.score"
    FM_TRAIN = "fm.train"


class State(models.TextChoices):
    """queued → admitted → starting → running → stopping → succeeded | failed | cancelled."""

    QUEUED = "queued"
    ADMITTED = "admitted"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN_STATES = (State.QUEUED, State.ADMITTED, State.STARTING, State.RUNNING, State.STOPPING)
HELD_STATES = (State.ADMITTED, State.STARTING, State.RUNNING, State.STOPPING)


class Fault(models.TextChoices):
    """Whose fault a failure is; each has its own retry budget."""

    NONE = ""
    USER = "user"
    PLATFORM = "platform"
    CAPACITY = "capacity"
    CANCELLED = "cancelled"


class Run(TenantOrPlatformOwned):
    """A contiguous course of partitions of one lineage (or of one scorer), worked off by one child at a time."""

    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    reason_code = models.CharField(max_length=40, blank=True)
    reason_message = models.TextField(blank=True)
    model = models.ForeignKey(
        "registry.VerticalModel", on_delete=models.PROTECT, null=True, blank=True, related_name="runs"
    )
    foundation_model = models.ForeignKey(
        "registry.FoundationModel", on_delete=models.PROTECT, null=True, blank=True, related_name="runs"
    )
    created_by = models.ForeignKey("tenancy.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    priority = models.SmallIntegerField(default=0)
    flavor = models.CharField(max_length=20, default="cpu")
    threads = models.PositiveSmallIntegerField(default=1)
    environment = models.JSONField(default=dict, blank=True, help_text="wheels and instruction set when first tried")
    idle_seconds = models.PositiveIntegerField(default=10)
    progress = models.JSONField(default=dict, blank=True)
    waiting = models.JSONField(default=dict, blank=True, help_text="position, holders, estimate of a queued run")
    lease_token = models.UUIDField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    stop_requested_at = models.DateTimeField(null=True, blank=True)
    stop_reason = models.CharField(max_length=40, blank=True)
    faults = models.JSONField(default=dict, blank=True, help_text="fault -> failures so far")
    not_before = models.DateTimeField(null=True, blank=True, help_text="back-off after a failure")
    nudged_at = models.DateTimeField(null=True, blank=True)
    admitted_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["state", "kind"], name="run_state_kind"),
            models.Index(fields=["tenant", "-created_at"], name="run_tenant_created"),
            models.Index(fields=["tenant", "state", "-finished_at"], name="run_tenant_state"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["model"],
                condition=Q(kind="vm.train", state__in=[s.value for s in OPEN_STATES]),
                name="run_one_open_per_model",
            ),
            models.UniqueConstraint(
                fields=["foundation_model", "kind"],
                condition=Q(state__in=[s.value for s in OPEN_STATES], foundation_model__isnull=False),
                name="run_one_open_per_foundation_model_and_kind",
            ),
        ]


class RunLineage(TenantOrPlatformOwned):
    """Which lineages a run trains: control and treatment on one read of the data, or the FM's."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="run_lineages")
    lineage = models.ForeignKey("registry.Lineage", on_delete=models.PROTECT, related_name="run_lineages")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "lineage"], name="run_lineage_once")]


class Attempt(TenantOrPlatformOwned):
    """One supervisor with one child process. After a dead attempt another goes on from the last checkpoint."""

    class State(models.TextChoices):
        ACTIVE = "active"
        DONE = "done"
        FAILED = "failed"
        LOST = "lost"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    lease_token = models.UUIDField()
    worker = models.CharField(max_length=120)
    pid = models.IntegerField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    fault = models.CharField(max_length=10, choices=Fault.choices, blank=True, default=Fault.NONE)
    code = models.CharField(max_length=60, blank=True)
    message = models.TextField(blank=True)
    mend = models.TextField(blank=True)
    exit_code = models.IntegerField(null=True, blank=True)
    log_tail = models.TextField(blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True, help_text="device time is charged up to here")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="attempt_run_number")]


class WorkClaim(TenantOrPlatformOwned):
    """One unit of work, decided before a row is read and reused by every later attempt.

    vm.train: lineage (treatment where it exists, else control) × partition, with the label set and the gate's position.
    das.score: partition × snapshot. fm.train: lineage × period, its manifest in `ManifestEntry`.
    """

    class Gate(models.TextChoices):
        OPEN = "open"
        SHUT = "shut"

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="claims")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    lineage = models.ForeignKey(
        "registry.Lineage", on_delete=models.PROTECT, null=True, blank=True, related_name="claims"
    )
    partition = models.ForeignKey(
        "catalog.Partition", on_delete=models.PROTECT, null=True, blank=True, related_name="claims"
    )
    label_set = models.ForeignKey(
        "registry.LabelSet", on_delete=models.PROTECT, null=True, blank=True, related_name="claims"
    )
    label_reason = models.CharField(max_length=40, blank=True, help_text="why there is no label set")
    gate = models.CharField(max_length=5, choices=Gate.choices, default=Gate.OPEN)
    gate_evidence = models.JSONField(default=dict, blank=True, help_text="rule, statistic and partitions behind `gate`")
    snapshot = models.ForeignKey(
        "registry.Snapshot", on_delete=models.PROTECT, null=True, blank=True, related_name="claims"
    )
    period_start = models.DateTimeField(null=True, blank=True)
    period_end = models.DateTimeField(null=True, blank=True)
    committed_at = models.DateTimeField(null=True, blank=True)
    result = models.JSONField(default=dict, blank=True, help_text="rows, covered, clipped, seconds")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lineage", "partition"], condition=Q(kind="vm.train"), name="claim_lineage_partition"
            ),
            models.UniqueConstraint(
                fields=["partition", "snapshot"], condition=Q(kind="das.score"), name="claim_partition_snapshot"
            ),
            models.UniqueConstraint(
                fields=["lineage", "period_end"], condition=Q(kind="fm.train"), name="claim_lineage_period"
            ),
        ]
        indexes = [
            models.Index(fields=["kind"], condition=Q(committed_at__isnull=True), name="claim_uncommitted"),
            # Which lineages a label set taught, with the column of row-level security.
            models.Index(
                fields=["label_set", "tenant", "lineage"], condition=Q(committed_at__isnull=False), name="claim_lessons"
            ),
        ]


class ManifestEntry(TenantOwned):
    """A partition in the frozen manifest of an FM training period. `tenant` is the partition's."""

    claim = models.ForeignKey(WorkClaim, on_delete=models.PROTECT, related_name="manifest")
    lineage = models.ForeignKey("registry.Lineage", on_delete=models.PROTECT, related_name="manifest")
    partition = models.ForeignKey("catalog.Partition", on_delete=models.PROTECT, related_name="manifest_entries")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lineage", "partition"], name="manifest_lineage_partition")]


class Consumption(TenantOwned):
    """The once-over ledger: a lineage consumes a partition at most once. `tenant` is the partition's."""

    lineage = models.ForeignKey("registry.Lineage", on_delete=models.PROTECT, related_name="consumptions")
    partition = models.ForeignKey(
        "catalog.Partition", on_delete=models.PROTECT, related_name="consumptions", db_index=False
    )
    claim = models.ForeignKey(WorkClaim, on_delete=models.PROTECT, related_name="consumptions")
    checkpoint = models.ForeignKey("registry.Checkpoint", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lineage", "partition"], name="consumption_once")]
        indexes = [models.Index(fields=["partition", "tenant", "id"], name="consumption_by_partition")]


class MetricSums(TenantOwned):
    """Committed sums per user bucket (K = 256); the only source of lift, NE, calibration, gates."""

    class Scope(models.TextChoices):
        ALL = "all"
        COVERED = "covered"
        LABEL = "label"

    lineage = models.ForeignKey("registry.Lineage", on_delete=models.PROTECT, related_name="metric_sums")
    partition = models.ForeignKey("catalog.Partition", on_delete=models.PROTECT, related_name="metric_sums")
    scope = models.CharField(max_length=8, choices=Scope.choices)
    n = ArrayField(models.FloatField())
    y = ArrayField(models.FloatField())
    loss = ArrayField(models.FloatField())
    p = ArrayField(models.FloatField())
    auc = models.FloatField(null=True, blank=True, help_text="exact inside the partition, ties at half")
    histogram = models.BinaryField(null=True, blank=True, help_text="zlib(int32[2, 16384] little endian)")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lineage", "partition", "scope"], name="metric_sums_once"),
        ]


class MetricChunk(TenantOrPlatformOwned):
    """Up to 1,000 live points of one metric of one attempt, with roll-ups. For display only."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="metric_chunks")
    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="metric_chunks")
    name = models.CharField(max_length=60)
    number = models.PositiveIntegerField()
    steps = ArrayField(models.BigIntegerField())
    values = ArrayField(models.FloatField())
    minimum = models.FloatField()
    maximum = models.FloatField()
    mean = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["attempt", "name", "number"], name="metric_chunk_number"),
        ]


class WorkerNode(PlatformOwned):
    """Capacity as reported by a worker; admission counts the slots of those seen lately."""

    name = models.CharField(max_length=120, unique=True)
    flavor = models.CharField(max_length=20, default="cpu")
    slots = models.PositiveSmallIntegerField()
    seen_at = models.DateTimeField()

    objects = PlatformManager()

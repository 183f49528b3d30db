"""A tenant with a taught model: partitions, label sets, claims, sums, money, as committed runs leave them."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from budgets import services as budgets
from catalog.models import Partition, Stream
from registry.models import Checkpoint, FoundationModel, Snapshot, VerticalModel
from runs.accounting import Held, accounting
from runs.models import Attempt, Run
from tenancy.models import Tenant
from tests.kit import domain

CONTROL, TREATMENT = 0.34, 0.33


@dataclass
class Scene:
    """Everything of one model."""

    tenant: Tenant
    stream: Stream
    teacher: FoundationModel
    model: VerticalModel
    run: Run
    attempt: Attempt
    snapshot: Snapshot
    partitions: list[Partition]


def make_scene(
    tenant: Tenant | None = None,
    teacher: FoundationModel | None = None,
    *,
    partitions: int = 4,
    covered_from: int = 1,
    treatment: float = TREATMENT,
    clipped: int = 0,
) -> Scene:
    """Train a model on `partitions` partitions of 1,000 rows; those from `covered_from` on carry labels."""
    tenant = tenant or domain.make_tenant()
    teacher = teacher or domain.make_foundation_model()
    budgets.set_budget(tenant=tenant, amount=Decimal(10), reason="test")
    stream = domain.make_stream(tenant)
    model = domain.make_model(stream, teacher)
    run = domain.make_run(tenant, model)
    attempt = domain.make_attempt(run)
    scene = Scene(tenant, stream, teacher, model, run, attempt, _published(teacher), [])
    for index in range(partitions):
        train(scene, index, covered=index >= covered_from, treatment=treatment, clipped=clipped)
    return scene


def _published(teacher: FoundationModel) -> Snapshot:
    teacher.refresh_from_db()
    return teacher.published or domain.publish(teacher, domain.hour(0))


def train(scene: Scene, index: int, *, covered: bool, treatment: float = TREATMENT, clipped: int = 0) -> Partition:
    """Commit one partition of both arms and charge 40 + 20 device-seconds."""
    partition = domain.make_partition(scene.stream, index)
    control_arm, treatment_arm = (domain.lineage(scene.model, arm) for arm in ("control", "treatment"))
    labels = domain.make_label_set(partition, scene.snapshot) if covered else None
    claim = domain.make_claim(
        scene.run,
        treatment_arm,
        partition,
        label_set=labels,
        gate="open" if covered else "shut",
        result={"rows": 1000, "covered": 1000 if covered else 0, "clipped": clipped if covered else 0},
    )
    for arm, loss in ((control_arm, CONTROL), (treatment_arm, treatment)):
        domain.make_consumption(arm, partition, claim, domain.make_checkpoint(arm, index))
        domain.make_sums(arm, partition, loss=loss, seed=index)
        domain.make_sums(arm, partition, loss=loss, seed=index, scope="covered", share=1.0 if covered else 0.0)
    accounting().reserve(run=scene.run, device_seconds=100)
    held = Held({"training": 40.0, "measurement": 20.0})
    accounting().settle(run=scene.run, attempt=scene.attempt, claim=claim, held=held)
    scene.partitions.append(partition)
    return partition


def commit_arm(model: VerticalModel, arm: str, partition: Partition, **sums: Any) -> None:
    """Commit one partition of one arm alone: claim, checkpoint, consumption and sums."""
    lineage = domain.lineage(model, arm)
    run = Run.objects.filter(model=model).first() or domain.make_run(model.tenant, model)
    claim = domain.make_claim(run, lineage, partition)
    position = Checkpoint.objects.filter(lineage=lineage).count()
    domain.make_consumption(lineage, partition, claim, domain.make_checkpoint(lineage, position))
    domain.make_sums(lineage, partition, **sums)


def teach(teacher: FoundationModel, seconds: float = 100.0) -> None:
    """Have the foundation model cost money."""
    run = domain.make_run(None, foundation_model=teacher, kind="fm.train", state="succeeded")
    held = Held({"fm_training": seconds * 0.75, "fm_scoring": seconds * 0.25})
    accounting().settle(run=run, attempt=domain.make_attempt(run), claim=None, held=held)

"""Registering a vertical model."""

import math

import pytest

from exfm_core import cost
from exfm_core.cost.device import SERVING_PARTS
from exfm_core.spec import Feature, Task
from insights.selectors.cards import card_rows
from registry import courses, selectors, services
from registry.latency import latency_budget
from registry.models import Lineage, ModelVersion, VerticalModel
from tenancy.errors import DomainError
from tenancy.models import AuditEntry
from tenancy.scope import platform_scope, tenant_scope
from tests.kit import domain

pytestmark = pytest.mark.django_db


@pytest.fixture
def stream():
    with platform_scope("test"):
        yield domain.make_stream(domain.make_tenant())


def register(stream, spec=None, name="ctr", **teaching) -> VerticalModel:
    return services.register_vertical_model(
        tenant=stream.tenant,
        name=name,
        stream_id=stream.id,
        spec=spec or domain.vertical_spec().to_json(),
        teaching=services.Teaching(**teaching),
    )


def test_version_lineages_and_exact_serving_cost(stream) -> None:
    model = register(stream, train_from=domain.hour(3))
    version = selectors.current_versions(model_ids=[model.id])[model.id]
    spec = domain.vertical_spec()
    assert selectors.spec_of(version) == spec
    assert version.serving_parameters == cost.serving_parameters(spec, domain.schema())
    assert version.serving_flops == cost.serving_flops(spec, domain.schema())
    assert len(version.sha256) == 64
    assert set(selectors.active_lineages(model_id=model.id)) == {"control", "treatment"}
    assert model.train_from == domain.hour(3)
    assert AuditEntry.objects.get(action="model.register").target_id == str(model.id)


def version_1(spec) -> dict:
    """A spec as version 1 wrote it."""
    old = spec.to_json() | {"schema_version": 1}
    old["model"] = {k: v for k, v in old["model"].items() if k not in ("tasks", "experts", "attention")}
    return old | {"model": old["model"] | {"task": spec.model.task}}


@pytest.mark.parametrize("told", [True, False])
def test_a_document_of_version_1_is_stored_as_version_2(stream, told: bool) -> None:
    old = version_1(domain.vertical_spec())
    model = register(stream, old if told else {"model": old["model"], "supervision": old["supervision"]})
    version = selectors.current_versions(model_ids=[model.id])[model.id]
    assert version.spec == domain.vertical_spec().to_json()
    assert (version.spec["schema_version"], version.spec["model"]["tasks"]) == (2, ["click"])


def test_a_version_stored_by_version_1_is_still_read(stream) -> None:
    model = register(stream)
    current = selectors.current_versions(model_ids=[model.id])[model.id]
    stored = ModelVersion(
        tenant=stream.tenant, model=model, number=2, spec=version_1(domain.vertical_spec()), sha256="0" * 64
    )
    stored.serving_parameters, stored.serving_flops = current.serving_parameters, current.serving_flops
    stored.save(force_insert=True)
    assert selectors.spec_of(selectors.current_versions(model_ids=[model.id])[model.id]) == domain.vertical_spec()
    assert next(iter(card_rows(selectors.vertical_models().filter(id=model.id)))).task == "click"


def test_a_model_of_several_tasks_pays_for_every_head(stream) -> None:
    tasks = (*domain.schema().tasks, Task("buy", "conversion", "bought"))
    both = domain.make_stream(stream.tenant, schema=domain.schema(tasks=tasks).to_json())
    one, two = (domain.vertical_spec("none", tasks=names) for names in (("click",), ("click", "buy")))
    first = register(both, one.to_json())
    second = services.register_vertical_model(
        tenant=stream.tenant, name="both", stream_id=both.id, spec=two.to_json(), teaching=services.Teaching()
    )
    held = selectors.current_versions(model_ids=[first.id, second.id])
    head = held[second.id].serving_parameters - held[first.id].serving_parameters
    assert head == (one.model.mlp[-1] + 1) * one.model.head_width + one.model.head_width + 1


def test_a_model_without_supervision_has_one_arm(stream) -> None:
    model = register(stream, domain.vertical_spec("none").to_json())
    assert set(selectors.active_lineages(model_id=model.id)) == {"control"}


def test_a_teacher_brings_a_binding_and_a_slot(stream) -> None:
    teacher = domain.make_foundation_model()
    model = register(stream, foundation_model_id=teacher.id)
    binding = selectors.open_binding(model_id=model.id)
    assert binding is not None
    assert binding.foundation_model == teacher
    assert selectors.slot_of(foundation_model_id=teacher.id, tenant_id=stream.tenant_id) == 1


@pytest.mark.parametrize(
    ("shape", "code", "says"),
    [
        ({"features": ("user_id", "nope")}, "spec.unknown_feature", "'nope'"),
        ({"features": ("user_id", "secret_id")}, "spec.privileged_feature", "'secret_id' is privileged"),
        ({"features": ("score",)}, "spec.no_sparse_feature", "no categorical"),
        ({"tasks": ("like",)}, "spec.unknown_task", "'like'"),
    ],
)
def test_impossible_specs_are_refused(stream, shape: dict, code: str, says: str) -> None:
    with pytest.raises(DomainError) as caught:
        register(stream, domain.vertical_spec(**shape).to_json())
    assert (caught.value.code, caught.value.field) == (code, "spec")
    assert says in caught.value.message
    assert not VerticalModel.objects.exists()


def test_an_unknown_field_is_refused_by_name(stream) -> None:
    spec = domain.vertical_spec().to_json()
    spec["model"]["layers"] = 9
    with pytest.raises(DomainError, match="'layers'"):
        register(stream, spec)


@pytest.mark.parametrize(("limit", "what"), [("serving_parameters", "parameters"), ("serving_flops", "FLOPs per row")])
def test_the_serving_budget_holds_with_numbers(stream, limit: str, what: str) -> None:
    from budgets.services import set_quota

    set_quota(tenant=stream.tenant, quota={limit: 10}, reason="small")
    asked = getattr(cost, limit)(domain.vertical_spec(), domain.schema())
    with pytest.raises(DomainError) as caught:
        register(stream)
    assert caught.value.code == "serving_budget"
    assert f"{asked:,} {what} to serve; the serving budget is 10" in caught.value.message


def measured(**fields: object) -> None:
    """Register a profile of the flavor that models serve on."""
    from registry.latency import register_profile

    register_profile(flavor="cpu", profile={**domain.device_profile(), **fields}, reason="measured")


def test_an_estimate_over_the_latency_limit_is_refused_with_both_numbers_and_what_takes_longest(stream) -> None:
    from budgets.services import set_quota

    measured()
    spec, schema = domain.vertical_spec(), domain.schema()
    budget = latency_budget(spec=spec, schema=schema, limit_us=None)
    assert budget.p99 is not None
    assert (budget.verdict, budget.p99.error) == ("no_limit", pytest.approx(2.0))
    assert sum(budget.shares.values()) == pytest.approx(1)
    set_quota(tenant=stream.tenant, quota={"serving_latency_us": 10}, reason="page budget")
    with pytest.raises(DomainError) as caught:
        register(stream)
    error, p99 = caught.value, budget.p99
    assert (error.code, error.status, error.field) == ("serving_budget", 403, "spec")
    assert f"{p99.value:,.1f} µs (within a factor of 2.00: {p99.low:,.1f} to {p99.high:,.1f} µs)" in error.message
    assert "the serving budget is 10 µs" in error.message
    assert error.mend.startswith("Most of it: the call ")
    assert not VerticalModel.objects.exists()
    set_quota(tenant=stream.tenant, quota={"serving_latency_us": math.ceil(p99.value)}, reason="page budget")
    model = register(stream)
    set_quota(tenant=stream.tenant, quota={"serving_latency_us": 10}, reason="page budget")
    services.pause(model_id=model.id)
    with pytest.raises(DomainError, match="serving budget is 10 µs"):
        courses.add_version(
            model_id=model.id,
            spec=domain.vertical_spec("none").to_json(),
            train_from=None,
            open_run=lambda model_id: False,
        )
    assert ModelVersion.objects.filter(model=model).count() == 1
    set_quota(tenant=stream.tenant, quota={"serving_latency_us": None}, reason="no page, no limit")
    assert register(stream, name="other")


@pytest.mark.parametrize(
    ("part", "mend"),
    [(0, "any model"), (1, "fewer layers"), (2, "narrower"), (3, "max_length"), (4, "embedding_dim")],
)
def test_the_mend_is_that_of_the_part_that_takes_longest(stream, part: int, mend: str) -> None:
    from budgets.services import set_quota

    weights = [0.001] * 6
    weights[part] = 1e4
    measured(serving={**domain.device_profile()["serving"], "weights": weights})
    set_quota(tenant=stream.tenant, quota={"serving_latency_us": 0}, reason="small")
    with pytest.raises(DomainError) as caught:
        register(stream)
    assert SERVING_PARTS[part] in caught.value.mend
    assert mend in caught.value.mend


def test_a_latency_limit_on_an_unmeasured_flavor_refuses_nothing_and_says_so(stream) -> None:
    from budgets.services import set_quota

    set_quota(tenant=stream.tenant, quota={"serving_latency_us": 1}, reason="page budget")
    model = register(stream)
    cost_now = courses.check(
        tenant_id=stream.tenant_id, stream_id=stream.id, spec=domain.vertical_spec().to_json()
    ).latency_budget
    assert model.status == "active"
    assert (cost_now.verdict, cost_now.limit_us, cost_now.p99) == ("not_measured", 1, None)


def test_a_batch_that_no_worker_holds_is_refused_with_numbers(stream) -> None:
    """Cheap to serve, by parameters and FLOPs alike, and hundreds of gigabytes per batch."""
    names = tuple(f"f{i}" for i in range(1000))
    schema = domain.schema(features=tuple(Feature(name, buckets=2) for name in names))
    wide = domain.make_stream(stream.tenant, schema=schema.to_json())
    shape = {"features": names, "embedding_dim": 512, "backbone": "deepfm", "mlp": (1,), "head_width": 1}
    spec = domain.vertical_spec("none", **shape).to_json()
    spec["optimizer"]["batch_size"] = 131072
    with pytest.raises(DomainError) as caught:
        register(wide, spec)
    assert caught.value.code == "batch_too_large"
    assert f"the most is {4 << 30:,}" in caught.value.message
    spec["optimizer"]["batch_size"] = 64
    assert register(wide, spec)


def test_the_number_of_models_is_limited(stream) -> None:
    from budgets.services import set_quota

    set_quota(tenant=stream.tenant, quota={"models_limit": 1}, reason="small")
    domain.make_model(stream)
    with pytest.raises(DomainError, match="1 of 1 models"):
        register(stream)


def test_a_taken_name_is_refused(stream) -> None:
    register(stream)
    with pytest.raises(DomainError) as caught:
        register(stream)
    assert caught.value.status == 409


def test_another_tenant_s_stream_does_not_exist(stream, as_role) -> None:
    with platform_scope("test"):
        stranger = domain.make_tenant()
    with as_role("exfm_app"), tenant_scope(stranger.id), pytest.raises(DomainError) as caught:
        services.register_vertical_model(
            tenant=stranger,
            name="x",
            stream_id=stream.id,
            spec=domain.vertical_spec().to_json(),
            teaching=services.Teaching(),
        )
    assert caught.value.status == 404


def test_the_web_process_may_register(stream, as_role) -> None:
    teacher = domain.make_foundation_model()
    taken = domain.make_tenant()
    services.bind_tenant(foundation_model=teacher, tenant=taken)
    with as_role("exfm_app"), tenant_scope(stream.tenant_id):
        model = register(stream, foundation_model_id=teacher.id)
        services.pause(model_id=model.id)
        assert services.resume(model_id=model.id).status == "active"
    assert selectors.slot_of(foundation_model_id=teacher.id, tenant_id=stream.tenant_id) == 2


def test_pausing_is_audited_once(stream) -> None:
    model = register(stream)
    for _ in range(2):
        assert services.pause(model_id=model.id).status == "paused"
    assert AuditEntry.objects.filter(action="model.pause").count() == 1
    services.resume(model_id=model.id)
    assert AuditEntry.objects.filter(action="model.resume").count() == 1


@pytest.mark.parametrize("table", [ModelVersion])
def test_versions_are_immutable(stream, table, as_role) -> None:
    from django.db import transaction

    register(stream)
    with as_role(None), pytest.raises(Exception, match="is immutable"), transaction.atomic():
        table.objects.update(number=7)


def test_one_active_lineage_per_arm(stream) -> None:
    from django.db import IntegrityError, transaction

    model = register(stream)
    held = domain.lineage(model, "control")
    with pytest.raises(IntegrityError, match="lineage_one_active_per_arm"), transaction.atomic():
        Lineage.objects.create(tenant=stream.tenant, model_version=held.model_version, arm="control")

"""Which foundation model teaches a model, and the tenants' slots in it."""

import pytest

from exfm_core.spec import Feature, Task
from registry import selectors, services
from registry.models import Binding
from tenancy.errors import DomainError
from tenancy.scope import platform_scope
from tests.kit import domain

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _platform():
    with platform_scope("test"):
        yield


def test_a_new_binding_ends_the_one_before() -> None:
    model = domain.make_model(domain.make_stream(domain.make_tenant()))
    first, second = domain.make_foundation_model(), domain.make_foundation_model()
    services.bind_model(model=model, foundation_model=first)
    again = services.bind_model(model=model, foundation_model=first)
    assert again.number == 1
    services.bind_model(model=model, foundation_model=second)
    rows = Binding.objects.filter(model=model).order_by("number")
    assert [(row.number, row.foundation_model_id, row.ended_at is None) for row in rows] == [
        (1, first.id, False),
        (2, second.id, True),
    ]


def test_slots_start_at_one_and_run_out() -> None:
    teacher = domain.make_foundation_model(tenant_slots=3)
    slots = [services.bind_tenant(foundation_model=teacher, tenant=domain.make_tenant()).slot for _ in range(2)]
    assert slots == [1, 2]
    with pytest.raises(DomainError, match="2 tenant slots are all taken"):
        services.bind_tenant(foundation_model=teacher, tenant=domain.make_tenant())


def test_a_stream_that_maps_nothing_is_refused() -> None:
    private = domain.schema(features=(Feature("item_id", buckets=10),))
    stream = domain.make_stream(domain.make_tenant(), schema=private.to_json())
    model = domain.make_model(stream, shape=domain.vertical_spec(features=("item_id",)))
    with pytest.raises(DomainError) as caught:
        services.bind_model(model=model, foundation_model=domain.make_foundation_model())
    assert (caught.value.code, caught.value.field) == ("spec.nothing_bound", "foundation_model")


def test_a_task_without_a_head_is_refused() -> None:
    tasks = (Task("click", "click", "clicked"), Task("buy", "conversion", "bought"))
    stream = domain.make_stream(domain.make_tenant(), schema=domain.schema(tasks=tasks).to_json())
    model = domain.make_model(stream, shape=domain.vertical_spec(tasks=("buy",)))
    with pytest.raises(DomainError, match="no head for tasks of kind 'conversion'"):
        services.bind_model(model=model, foundation_model=domain.make_foundation_model())
    assert selectors.open_binding(model_id=model.id) is None

"""Asking for the end."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from tenancy.models import TenantDeletion
from tenancy.scope import platform_scope
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.roles import PLATFORM, database_role


@pytest.fixture(autouse=True)
def _as_the_web_process(as_app: None) -> None:
    cache.clear()


def test_the_end_is_asked_for_with_the_slug_and_can_be_taken_back(cast: Cast) -> None:
    api, path = Api(cast.owner), f"tenants/{cast.tenant.slug}/deletion"
    assert api.get(path).json() == {"deletion": None}
    problem(api.post(path, {"confirm": "something"}), 422, "confirmation_wrong")
    answer = api.post(path, {"confirm": cast.tenant.slug, "reason": "moving on"})
    assert answer.status_code == 201
    assert timezone.now() + timedelta(days=29) < timezone.datetime.fromisoformat(answer.json()["erase_after"])
    problem(api.post(path, {"confirm": cast.tenant.slug}), 409, "deletion_open")
    problem(Api(cast.engineer).delete(path), 403, "role_too_low")
    assert api.get(path).json() == {"deletion": answer.json()}
    assert api.delete(path).status_code == 204
    problem(api.delete(path), 404, "deletion_not_open")
    assert api.post(path, {"confirm": cast.tenant.slug}).status_code == 201
    with database_role(PLATFORM), platform_scope("test"):
        assert TenantDeletion.objects.filter(tenant=cast.tenant, cancelled_at__isnull=True).count() == 1

"""What PostgreSQL knows of the tenant in a transaction of the request's own, with no test's around it."""

import pytest
from django.core.cache import cache

from tenancy.models import Tenant
from tenancy.scope import platform_scope
from tests.kit import domain
from tests.kit.api import Api
from tests.kit.cast import Cast
from tests.kit.roles import APP, PLATFORM, database_role
from tests.platform.tenancy.authenticator import turn_on


@pytest.mark.django_db(transaction=True)
def test_who_showed_a_code_to_a_tenant_that_requires_one_sees_its_rows(cast: Cast) -> None:
    cache.clear()
    with database_role(PLATFORM), platform_scope("test"):
        stream = domain.make_stream(cast.tenant)
    api = Api(cast.owner)
    with database_role(APP):
        turn_on(api)
        for required in (False, True):
            with database_role(PLATFORM):
                Tenant.objects.filter(id=cast.tenant.id).update(requires_second_factor=required)
            rows = api.get(f"tenants/{cast.tenant.slug}/streams").json()["results"]
            assert [row["id"] for row in rows] == [str(stream.id)]
            written = api.patch(f"tenants/{cast.tenant.slug}/settings", {"second_factor_required": required})
            assert written.status_code == 200, written.content

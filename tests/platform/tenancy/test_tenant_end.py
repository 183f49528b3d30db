"""Taking everything along, and asking for the end."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from tenancy.models import TenantDeletion
from tenancy.scope import platform_scope
from tests.kit import domain
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.factories import make_token
from tests.kit.roles import PLATFORM, database_role


@pytest.fixture(autouse=True)
def _as_the_web_process(as_app: None) -> None:
    cache.clear()


def test_the_export_holds_the_tenants_rows_no_secrets_and_nothing_of_others(cast: Cast) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        mine, theirs = domain.make_stream(cast.tenant), domain.make_stream(cast.elsewhere)
        domain.make_partition(mine)
        row, _ = make_token(cast.owner, cast.tenant, ["runs:read"])
        digest = type(row)._base_manager.values_list("digest", flat=True).get(id=row.id)
    answer = Api(cast.owner).get(f"tenants/{cast.tenant.slug}/export")
    assert answer.status_code == 200, answer
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    files = {name: archive.read(name).decode() for name in archive.namelist()}
    manifest = json.loads(files["manifest.json"])
    assert manifest["rows"]["catalog_stream"] == manifest["rows"]["catalog_partition"] == 1
    assert [json.loads(line)["name"] for line in files["catalog_stream.jsonl"].splitlines()] == [mine.name]
    assert len(files) > 20
    everything = "".join(files.values())
    assert str(theirs.id) not in everything
    assert str(cast.elsewhere.id) not in everything
    assert digest not in everything
    assert {person["email"] for person in json.loads(files["people.json"])} >= {cast.owner.email, cast.viewer.email}
    log = Api(cast.owner).get(f"tenants/{cast.tenant.slug}/audit").json()["results"]
    assert [entry["action"] for entry in log] == ["tenant.export"]


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

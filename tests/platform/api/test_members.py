"""Members: listed, promoted, removed; never without an owner."""

import pytest
from django.core.cache import cache

from tenancy.models import AuditEntry
from tenancy.scope import platform_scope
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.roles import PLATFORM, database_role


@pytest.fixture(autouse=True)
def _fresh_throttles() -> None:
    cache.clear()


def members(cast: Cast) -> dict[str, str]:
    """Return e-mail address -> membership id."""
    rows = Api(cast.owner).get(f"tenants/{cast.tenant.slug}/members").json()["results"]
    return {row["email"]: row["id"] for row in rows}


def path(cast: Cast, email: str) -> str:
    """Return the address of a member."""
    return f"tenants/{cast.tenant.slug}/members/{members(cast)[email]}"


def test_the_members_of_the_tenant_and_nobody_else_are_listed(cast: Cast) -> None:
    expected = {cast.owner.email, cast.engineer.email, cast.viewer.email, cast.billing.email}
    assert set(members(cast)) == expected


def test_changing_a_role_leaves_exactly_one_audit_row(cast: Cast) -> None:
    api, address = Api(cast.owner), path(cast, cast.viewer.email)
    answer = api.patch(address, {"role": "engineer"})
    assert answer.status_code == 200
    assert answer.json()["role"] == "engineer"
    with database_role(PLATFORM), platform_scope("test"):
        entry = AuditEntry.objects.get()
    assert (entry.action, entry.before, entry.after) == ("member.role", {"role": "viewer"}, {"role": "engineer"})
    assert (entry.actor_id, entry.actor_label, entry.tenant_id) == (cast.owner.id, cast.owner.email, cast.tenant.id)
    assert entry.request_id == answer.headers["X-Request-ID"]
    listed = api.get(f"tenants/{cast.tenant.slug}/audit").json()["results"]
    assert [row["action"] for row in listed] == ["member.role"]


def test_the_last_owner_can_be_neither_demoted_nor_removed(cast: Cast) -> None:
    api, address = Api(cast.owner), path(cast, cast.owner.email)
    problem(api.patch(address, {"role": "viewer"}), 409, "last_owner")
    problem(api.delete(address), 409, "last_owner")
    assert cast.owner.email in members(cast)


def test_a_removed_member_is_a_stranger(cast: Cast) -> None:
    viewer = Api(cast.viewer)
    assert viewer.get(f"tenants/{cast.tenant.slug}/members").status_code == 200
    assert Api(cast.owner).delete(path(cast, cast.viewer.email)).status_code == 204
    problem(viewer.get(f"tenants/{cast.tenant.slug}/members"), 404, "tenant_not_found")
    [entry] = Api(cast.owner).get(f"tenants/{cast.tenant.slug}/audit?q={cast.viewer.email}").json()["results"]
    assert entry["before"] == {"user": str(cast.viewer.id), "who": cast.viewer.email, "role": "viewer"}


def test_a_member_of_another_tenant_is_404(cast: Cast) -> None:
    theirs = Api(cast.stranger).get(f"tenants/{cast.elsewhere.slug}/members").json()["results"][0]["id"]
    address = f"tenants/{cast.tenant.slug}/members/{theirs}"
    problem(Api(cast.owner).get(address), 404, "member_not_found")
    problem(Api(cast.owner).patch(address, {"role": "viewer"}), 404, "member_not_found")
    problem(Api(cast.owner).delete(address), 404, "member_not_found")


def test_two_people_editing_do_not_overwrite_each_other(cast: Cast) -> None:
    api, address = Api(cast.owner), path(cast, cast.viewer.email)
    tag = api.get(address).headers["ETag"]
    assert api.patch(address, {"role": "billing"}, If_Match=tag).status_code == 200
    problem(api.patch(address, {"role": "engineer"}, If_Match=tag), 412, "changed_meanwhile")
    assert api.get(address).json()["role"] == "billing"


def test_unknown_fields_and_values_are_refused_by_name(cast: Cast) -> None:
    api, address = Api(cast.owner), path(cast, cast.viewer.email)
    body = problem(api.patch(address, {"role": "viewer", "rank": 3}), 400, "unknown_field")
    assert body["field"] == "rank"
    body = problem(api.patch(address, {"role": "emperor"}), 400, "validation_failed")
    assert body["field"] == "role"
    assert body["errors"][0]["code"] == "invalid_choice"

"""Measured devices: registered by administrators, read as latency estimates with their error by everybody."""

from typing import Any

import pytest

from tenancy.scope import platform_scope
from tests.kit import domain
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.cast import cast as cast
from tests.kit.roles import PLATFORM, database_role

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_app", "storage")]


def put(cast: Cast, profile: dict[str, Any], **headers: str) -> Any:
    """Register a profile of the flavor `cpu` as the administrator."""
    with database_role(PLATFORM):
        body = {"profile": profile, "reason": "measured"}
        return Api(cast.admin).put("admin/device-profiles/cpu", body, **headers)


def test_a_registered_profile_estimates_every_model(cast: Cast) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        model = domain.make_model(domain.make_stream(cast.tenant))
    owner, base = Api(cast.owner), f"tenants/{cast.tenant.slug}/models"
    spec = {"stream": str(model.stream_id), "spec": domain.vertical_spec().to_json()}
    assert owner.post(f"{base}/check", spec).json()["latency"] == []
    assert "latency" not in owner.get(f"{base}/{model.id}/card").json()["markdown"]
    made = put(cast, domain.device_profile())
    assert made.status_code == 200, made.content
    found = owner.post(f"{base}/check", spec).json()["latency"]
    assert [(each["flavor"], each["batch"]) for each in found] == [("cpu", 1), ("cpu", 64)]
    assert found[0]["p50_us"] > 50
    assert found[0]["p99_us"] == pytest.approx(2 * found[0]["p50_us"])
    assert (found[0]["p50_error"], found[0]["p99_error"]) == (1.25, pytest.approx(2.0))
    assert owner.get(f"{base}/{model.id}").json()["serving"]["latency"] == found
    card = owner.get(f"{base}/{model.id}/card").json()
    assert card["sections"][-1]["title"] == "Serving latency, estimated"
    assert "within a factor of 1.25" in card["markdown"]


def test_what_is_no_profile_is_refused_and_a_replaced_one_needs_its_etag(cast: Cast) -> None:
    with database_role(PLATFORM):
        problem(Api(cast.admin).get("admin/device-profiles/cpu"), 404, "device_profile_not_found")
    whole = domain.device_profile()
    assert problem(put(cast, {**whole, "matrix": 3}), 400)["field"] == "profile"
    problem(put(cast, {**whole, "matrix": []}), 400, "unusable_profile")
    problem(put(cast, {**whole, "serving": whole["training"]}), 400, "unusable_profile")
    problem(put(cast, {**whole, "gather_gbs": 0}), 400, "unusable_profile")
    first = put(cast, whole)
    assert put(cast, {**whole, "threads": 2}, If_Match=first.headers["ETag"]).status_code == 200
    problem(put(cast, whole, If_Match=first.headers["ETag"]), 412, "changed_meanwhile")

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
    slower = domain.device_profile()
    slower["serving"]["weights"][0] *= 2
    assert put(cast, slower).status_code == 200
    assert owner.get(f"{base}/{model.id}").json()["serving"]["latency"][0]["p50_us"] > found[0]["p50_us"]


def test_the_limit_of_latency_stands_beside_the_estimate(cast: Cast) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        model = domain.make_model(domain.make_stream(cast.tenant))
    owner, base = Api(cast.owner), f"tenants/{cast.tenant.slug}/models"
    body = {"stream": str(model.stream_id), "spec": domain.vertical_spec().to_json()}
    unmeasured = {"flavor": "cpu", "limit_us": None, "p99_us": None, "p99_error": None, "verdict": "no_limit"}
    assert owner.post(f"{base}/check", body).json()["latency_budget"] == {**unmeasured, "shares": {}}
    limit(cast, 500)
    shown = owner.get(f"{base}/{model.id}").json()["serving"]["latency_budget"]
    assert (shown["verdict"], shown["limit_us"], shown["p99_us"]) == ("not_measured", 500, None)
    put(cast, domain.device_profile())
    found = owner.post(f"{base}/check", body).json()
    assert found["latency_budget"]["p99_us"] == found["latency"][0]["p99_us"]
    assert found["latency_budget"]["p99_error"] == pytest.approx(2.0)
    assert found["latency_budget"]["verdict"] == "within"
    assert next(iter(found["latency_budget"]["shares"])) == "the call"
    limit(cast, 20)
    refused = problem(owner.post(f"{base}/check", body), 403, "serving_budget")
    assert "the serving budget is 20 µs" in refused["detail"]
    assert "the call" in refused["mend"]
    assert owner.get(f"{base}/{model.id}").json()["serving"]["latency_budget"]["verdict"] == "over"
    limit(cast, None)
    assert owner.post(f"{base}/check", body).json()["latency_budget"]["verdict"] == "no_limit"


def limit(cast: Cast, microseconds: int | None) -> None:
    """Set the tenant's limit of latency as the administrator."""
    with database_role(PLATFORM):
        body = {"serving_latency_us": microseconds, "reason": "page budget"}
        answer = Api(cast.admin).patch(f"admin/tenants/{cast.tenant.slug}/quota", body)
    assert answer.json()["serving_latency_us"] == microseconds


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

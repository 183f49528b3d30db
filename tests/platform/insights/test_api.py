"""Models, pages and administrators' figures over HTTP, under row-level security."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from budgets.models import Budget
from insights.serializers import ModelSerializer
from tenancy.scope import platform_scope
from tests.kit import domain
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.cast import cast as cast
from tests.kit.roles import PLATFORM, database_role
from tests.platform.insights import scene as scenes
from tests.platform.insights.scene import Scene

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_app")]


@pytest.fixture
def scene(cast: Cast) -> Iterator[Scene]:
    with database_role(PLATFORM), platform_scope("test"):
        made = scenes.make_scene(cast.tenant)
        scenes.make_scene(cast.elsewhere, made.teacher, partitions=3)
        scenes.teach(made.teacher)
    return made


@pytest.fixture
def owner(cast: Cast) -> Api:
    return Api(cast.owner)


def test_a_model_is_registered_and_shown(cast: Cast, owner: Api) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        stream, teacher = domain.make_stream(cast.tenant), domain.make_foundation_model()
    base = f"tenants/{cast.tenant.slug}/models"
    wanted = {
        "name": "ctr",
        "stream": str(stream.id),
        "spec": domain.vertical_spec().to_json(),
        "foundation_model": str(teacher.id),
        "train_from": "2026-03-01T02:00:00Z",
    }
    answer = owner.post(base, wanted, Idempotency_Key="once")
    assert answer.status_code == 201, answer.content
    model = answer.json()
    assert list(model) == list(ModelSerializer().fields)
    assert owner.post(base, wanted, Idempotency_Key="once").json() == model
    assert model["lineages"] == [
        {"arm": "control", "state": "active", "partitions": 0},
        {"arm": "treatment", "state": "active", "partitions": 0},
    ]
    assert model["serving"]["parameters"] > 0
    assert model["foundation_model"] == teacher.name
    assert model["lift"]["value"] is None
    assert model["lift"]["reason"] == "no partition is committed yet"
    assert owner.get(f"{base}/{model['id']}").json() == model
    assert owner.get(f"{base}/{model['id']}/curve").json() == {"partitions": []}
    assert owner.post(f"{base}/{model['id']}/pause").json()["status"] == "paused"
    assert owner.post(f"{base}/{model['id']}/resume").json()["status"] == "active"


def test_an_impossible_spec_is_refused_with_its_mend(cast: Cast, owner: Api) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        stream = domain.make_stream(cast.tenant)
    spec = domain.vertical_spec(features=("user_id", "secret_id")).to_json()
    body = problem(
        owner.post(f"tenants/{cast.tenant.slug}/models", {"name": "x", "stream": str(stream.id), "spec": spec}),
        400,
        "spec.privileged_feature",
    )
    assert body["field"] == "spec"


def test_the_models_page(cast: Cast, owner: Api, scene: Scene) -> None:
    (shown,) = owner.get(f"tenants/{cast.tenant.slug}/models").json()["results"]
    assert shown["id"] == str(scene.model.id)
    assert shown["stream"] == {"id": str(scene.stream.id), "name": scene.stream.name}
    assert shown["lift"]["low"] < shown["lift"]["value"] < shown["lift"]["high"]
    assert (shown["cost"], shown["measurement_cost"], shown["fm_share"]) == ("0.024000", "0.008000", "0.006000")
    assert shown["freshness_seconds"] == 10800
    assert len(shown["spark"]) == 4


def test_a_model_in_full_and_its_curve(cast: Cast, owner: Api, scene: Scene) -> None:
    base = f"tenants/{cast.tenant.slug}/models/{scene.model.id}"
    shown = owner.get(base).json()
    assert shown["supervision"] == {
        "coverage": 0.75,
        "freshness_seconds": 10800,
        "clipped_share": 0.0,
        "snapshot": str(scene.snapshot.id),
        "gate": "open",
    }
    points = owner.get(f"{base}/curve").json()["partitions"]
    assert len(points) == 4
    assert points[-1]["cumulative"]["lift"] == pytest.approx(shown["lift"]["value"])


def test_the_overview(cast: Cast, owner: Api, scene: Scene) -> None:
    shown = owner.get(f"tenants/{cast.tenant.slug}/overview").json()
    assert shown["tenant"] == {"slug": cast.tenant.slug, "name": cast.tenant.name}
    assert shown["spend"]["budget"] == "10.000000"
    assert (shown["spend"]["spent"], shown["spend"]["measurement"]) == ("0.024000", "0.008000")
    assert shown["spend"]["fm_share"] == "0.006000"
    assert shown["quota"]["models"] == {"used": 1, "limit": 20}
    assert shown["quota"]["concurrent_runs"]["used"] == 1
    assert [card["id"] for card in shown["models"]] == [str(scene.model.id)]
    (run,) = shown["runs"]
    assert (run["id"], run["cost"]["spent"]) == (str(scene.run.id), "0.024000")
    assert shown["foundation"]["name"] == scene.teacher.name
    assert shown["attention"] == []


def test_the_overview_says_what_needs_attention(cast: Cast, owner: Api) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        scene = scenes.make_scene(cast.tenant, treatment=0.36, clipped=30)
        domain.make_partition(scene.stream, 9, state="rejected", problems=[{"message": "no such column"}])
    items = {item["code"]: item for item in owner.get(f"tenants/{cast.tenant.slug}/overview").json()["attention"]}
    assert set(items) == {"lift_negative", "labels_clipped", "partition_rejected"}
    assert "no such column" in items["partition_rejected"]["message"]
    assert items["lift_negative"]["link"] == f"/t/{cast.tenant.slug}/models/{scene.model.id}"


def test_an_empty_tenant_has_an_overview(cast: Cast) -> None:
    shown = Api(cast.stranger).get(f"tenants/{cast.elsewhere.slug}/overview").json()
    assert (shown["models"], shown["runs"], shown["foundation"]["name"]) == ([], [], None)


def test_costs_and_ledger_add_up(cast: Cast, owner: Api, scene: Scene) -> None:
    costs = owner.get(f"tenants/{cast.tenant.slug}/costs").json()
    assert {kind["kind"]: kind["amount"] for kind in costs["kinds"]} == {
        "training": "0.016000",
        "measurement": "0.008000",
        "fm_share": "0.006000",
    }
    assert costs["total"] == "0.030000"
    (model,) = costs["models"]
    assert (model["training"], model["fm_share"], model["total"]) == ("0.016000", "0.006000", "0.030000")
    (row,) = costs["fm"]["allocations"]
    assert (row["rows"], row["rows_total"], row["total"], row["amount"]) == (3000, 5000, "0.010000", "0.006000")
    assert row["closed"] is False
    lines = owner.get(f"tenants/{cast.tenant.slug}/ledger?limit=200").json()["results"]
    settled = [float(line["amount"]) for line in lines if line["kind"] == "settle"]
    assert sum(settled) == pytest.approx(0.024)
    assert {line["run"] for line in lines} == {str(scene.run.id)}


def test_the_foundation_page_shows_the_own_share(cast: Cast, owner: Api, scene: Scene) -> None:
    shown = owner.get(f"tenants/{cast.tenant.slug}/foundation").json()
    assert (shown["bound"], shown["cost_share"]) == (True, "0.006000")
    spec = domain.foundation_spec().model
    assert (shown["id"], shown["task_kinds"]) == (str(scene.teacher.id), list(spec.task_kinds))
    assert [feature["name"] for feature in shown["catalogue"]] == [feature.name for feature in spec.features]
    assert shown["snapshot"]["id"] == str(scene.snapshot.id)
    assert shown["snapshots"][0]["gate"]["decision"] == "publish"


def test_rights(cast: Cast, scene: Scene) -> None:
    base = f"tenants/{cast.tenant.slug}"
    for page in ("overview", "models", f"models/{scene.model.id}", f"models/{scene.model.id}/curve", "foundation"):
        assert Api(cast.viewer).get(f"{base}/{page}").status_code == 200, page
        problem(Api(cast.stranger).get(f"{base}/{page}"), 404)
        problem(Api().get(f"{base}/{page}"), 401)
    problem(Api(cast.viewer).post(f"{base}/models/{scene.model.id}/pause"), 403, "role_too_low")
    assert Api(cast.billing).get(f"{base}/costs").status_code == 200
    other = Api(cast.stranger)
    problem(other.get(f"tenants/{cast.elsewhere.slug}/models/{scene.model.id}"), 404, "model_not_found")
    problem(other.post(f"tenants/{cast.elsewhere.slug}/models/{scene.model.id}/pause"), 404, "model_not_found")


class TestAdministrators:
    """The administrators' addresses, in the process with the platform's role."""

    @pytest.fixture(autouse=True)
    def _platform(self, as_app: None, as_platform: None) -> None:
        """Hold the platform's role."""

    def test_insights(self, cast: Cast, scene: Scene) -> None:
        api = Api(cast.admin)
        shown = api.get(f"admin/insights?foundation_model={scene.teacher.id}").json()
        assert shown["pooled"]["rows"] == 7000
        assert shown["pooled"]["low"] < shown["pooled"]["value"] < shown["pooled"]["high"]
        assert [(row["tenant"], row["fm_share"]) for row in shown["tenants"]] == [
            (cast.tenant.slug, "0.006000"),
            (cast.elsewhere.slug, "0.004000"),
        ]
        assert shown["fm"] == {
            "training": "0.007500",
            "scoring": "0.002500",
            "allocated": "0.010000",
            "unallocated": "0.000000",
        }
        problem(api.get("admin/insights?foundation_model=nonsense"), 400)
        problem(Api(cast.owner).get("admin/insights"), 403)

    def test_foundation_models(self, cast: Cast) -> None:
        api = Api(cast.admin)
        spec = domain.foundation_spec().to_json()
        made = api.post("admin/foundation-models", {"name": "shared", "spec": spec, "period_seconds": 3600})
        assert made.status_code == 201, made.content
        address = f"admin/foundation-models/{made.json()['id']}"
        slot = api.post(f"{address}/bindings", {"tenant": cast.tenant.slug})
        assert (slot.status_code, slot.json()["slot"]) == (201, 1)
        shown = api.get(address).json()
        assert (shown["slots"], shown["snapshots"], shown["version"]) == ({cast.tenant.slug: 1}, [], 1)
        assert api.get("admin/foundation-models").json()["results"][0]["id"] == shown["id"]
        spec["model"]["tenant_slots"] = 0
        body = problem(
            api.post("admin/foundation-models", {"name": "x", "spec": spec, "period_seconds": 1}),
            400,
            "spec.out_of_range",
        )
        assert "tenant_slots" in body["detail"]

    def test_budget_and_quota(self, cast: Cast, scene: Scene) -> None:
        api = Api(cast.admin)
        address = f"admin/tenants/{cast.tenant.slug}/budget"
        before = api.get(address)
        problem(api.call("PUT", address, {"amount": "20"}), 400)
        problem(api.call("PUT", address, {"amount": "0.01", "reason": "less"}), 409, "budget_below_committed")
        after = api.call("PUT", address, {"amount": "20", "reason": "more"}, If_Match=before.headers["ETag"])
        assert after.json()["amount"] == "20.000000"
        stale = api.call("PUT", address, {"amount": "30", "reason": "more"}, If_Match=before.headers["ETag"])
        problem(stale, 412, "changed_meanwhile")
        quota = api.patch(f"admin/tenants/{cast.tenant.slug}/quota", {"models_limit": 3, "reason": "trial"})
        assert quota.json()["models_limit"] == 3
        problem(Api(cast.owner).call("PUT", address, {"amount": "99", "reason": "greed"}), 403)

    def test_what_a_budget_does(self, cast: Cast, scene: Scene) -> None:
        api = Api(cast.admin)
        address = f"admin/tenants/{cast.tenant.slug}/budget"
        first = api.get(address).json()
        assert (first["action"], first["act_percent"]) == ("stop", 100)
        api.call("PUT", address, {"amount": "20", "action": "hold", "act_percent": 80, "reason": "careful"})
        kept = api.call("PUT", address, {"amount": "30", "reason": "more"}).json()
        assert (kept["amount"], kept["action"], kept["act_percent"]) == ("30.000000", "hold", 80)
        for bad in ({"action": "burn"}, {"act_percent": 0}, {"act_percent": 101}, {"act_percent": True}):
            problem(api.call("PUT", address, {"amount": "40", "reason": "x", **bad}), 400)
        assert api.get(address).json() == kept


@pytest.mark.parametrize(
    ("amount", "percent", "at", "acts"),
    [("0.03", 80, "0.024000", True), ("0.03", 81, "0.024300", False), ("0.025001", 96, "0.024001", False)],
)
def test_costs_and_the_overview_say_what_the_budget_does(
    cast: Cast, owner: Api, scene: Scene, amount: str, percent: int, at: str, acts: bool
) -> None:
    """In units of the ledger: the least sum that reaches the part, whether or not it is whole."""
    with database_role(PLATFORM), platform_scope("test"):
        Budget.objects.filter(tenant=cast.tenant).update(
            amount=amount, spent="0.024", reserved=0, action="hold", act_percent=percent
        )
    budget = owner.get(f"tenants/{cast.tenant.slug}/costs").json()["budget"]
    forecast = budget.pop("forecast")
    assert float(forecast) >= 0.024
    said = {"reserved": "0.000000", "action": "hold", "act_percent": percent, "acts_at": at, "acts": acts}
    assert budget == {"amount": f"{float(amount):.6f}", "spent": "0.024000", **said}
    spend = owner.get(f"tenants/{cast.tenant.slug}/overview").json()["spend"]
    assert {name: spend[name] for name in said} == said
    assert spend["forecast"] == forecast


def test_a_tenant_without_a_budget_has_costs(cast: Cast) -> None:
    budget = Api(cast.stranger).get(f"tenants/{cast.elsewhere.slug}/costs").json()["budget"]
    assert (budget["amount"], budget["action"], budget["acts"]) == ("0.000000", "stop", False)


def test_costs_name_the_costliest_and_sum_the_rest(
    cast: Cast, owner: Api, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        scenes.make_scene(cast.tenant, scene.teacher, partitions=2)
        domain.make_model(scene.stream, scene.teacher, name="idle")
    whole = owner.get(f"tenants/{cast.tenant.slug}/costs").json()
    assert [model["training"] for model in whole["models"]] == ["0.016000", "0.008000", "0.000000"]
    assert whole["rest"] == {
        "models": 0,
        **dict.fromkeys(("training", "measurement", "fm_share", "total"), "0.000000"),
    }
    monkeypatch.setattr("insights.selectors.costs.MODELS_SHOWN", 1)
    cut = owner.get(f"tenants/{cast.tenant.slug}/costs").json()
    assert cut["models"] == whole["models"][:1]
    assert cut["rest"]["models"] == 2
    for column in ("training", "measurement", "fm_share", "total"):
        hidden = sum(Decimal(model[column]) for model in whole["models"][1:])
        assert Decimal(cut["rest"][column]) == hidden, column
    assert Decimal(cut["rest"]["fm_share"]) > 0
    shared = sum(Decimal(model["fm_share"]) for model in whole["models"])
    assert shared == Decimal(whole["fm"]["share"])


def test_costs_of_models_are_paged_searched_and_ordered(cast: Cast, owner: Api, scene: Scene) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        for number in range(4):
            domain.make_model(scene.stream, name=f"idle-{number}")
    base = f"tenants/{cast.tenant.slug}/costs/models"
    listed, link = [], f"{base}?limit=2"
    while link:
        page = owner.get(link.removeprefix("/api/v1/")).json()
        listed += page["results"]
        link = page["next"]
    assert listed == owner.get(f"tenants/{cast.tenant.slug}/costs").json()["models"]
    assert [model["total"] for model in listed] == ["0.030000", *["0.000000"] * 4]
    assert len({model["id"] for model in listed}) == 5
    turned = owner.get(f"{base}?order=cost").json()["results"]
    assert turned == listed[::-1]
    names = [model["name"] for model in owner.get(f"{base}?order=name").json()["results"]]
    assert names == sorted(names)
    found = owner.get(f"{base}?search=IDLE-2").json()["results"]
    assert [model["name"] for model in found] == ["idle-2"]
    problem(owner.get(f"{base}?order=total"), 422, "bad_order")
    assert Api(cast.billing).get(base).status_code == 200

"""Versions, aliases, teachers and lineage over HTTP, under row-level security."""

import re
import uuid
from collections.abc import Iterator

import pytest
from django.db import connection

from exfm_core.metrics import sums
from registry.models import Checkpoint, VerticalModel
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
def owner(cast: Cast) -> Api:
    return Api(cast.owner)


@pytest.fixture
def paused(cast: Cast) -> tuple[VerticalModel, list[Checkpoint]]:
    with database_role(PLATFORM), platform_scope("test"):
        return domain.make_paused_model(cast.tenant)


@pytest.fixture
def scene(cast: Cast) -> Iterator[Scene]:
    with database_role(PLATFORM), platform_scope("test"):
        made = scenes.make_scene(cast.tenant)
        scenes.make_scene(cast.elsewhere, made.teacher, partitions=3)
    return made


def base(cast: Cast, model: VerticalModel) -> str:
    return f"tenants/{cast.tenant.slug}/models/{model.id}"


def test_an_alias_moves_only_for_who_read_its_state(
    cast: Cast, owner: Api, paused: tuple[VerticalModel, list[Checkpoint]]
) -> None:
    model, (first, second) = paused
    alias = f"{base(cast, model)}/aliases/serving"
    read = owner.get(alias)
    assert read.json()["checkpoint"]["id"] == str(second.id)
    etag = read.headers["ETag"]
    moved = owner.put(alias, {"checkpoint": str(first.id), "note": "second drifts"}, If_Match=etag)
    assert moved.status_code == 200, moved.content
    assert moved.json()["note"] == "second drifts"
    late = owner.put(alias, {"checkpoint": str(second.id)}, If_Match=etag)
    problem(late, 412, "changed_meanwhile")
    assert owner.get(alias).json()["checkpoint"]["id"] == str(first.id)
    back = owner.post(f"{alias}/rollback", {}, If_Match=moved.headers["ETag"])
    assert back.json()["checkpoint"]["id"] == str(second.id)
    history = owner.get(f"{base(cast, model)}/aliases/history").json()["results"]
    assert [move["number"] for move in history] == [4, 3, 2, 1]
    assert history[1]["moved_by"] == cast.owner.email
    assert owner.delete(alias).status_code == 204
    problem(owner.get(alias), 404, "alias_not_set")
    assert owner.get(f"{base(cast, model)}/aliases").json()["results"] == []


def test_a_rollback_that_is_sent_twice_goes_back_once(
    cast: Cast, owner: Api, paused: tuple[VerticalModel, list[Checkpoint]]
) -> None:
    model, (first, second) = paused
    alias = f"{base(cast, model)}/aliases/serving"
    for checkpoint in (first, second):
        owner.put(alias, {"checkpoint": str(checkpoint.id)})
    answers = [owner.post(f"{alias}/rollback", {}, Idempotency_Key="back") for _ in range(2)]
    assert [answer.json()["checkpoint"]["id"] for answer in answers] == [str(first.id)] * 2
    assert owner.get(alias).json()["checkpoint"]["id"] == str(first.id)
    assert answers[0].json() == answers[1].json()


def test_a_name_that_is_no_alias_is_404(cast: Cast, owner: Api, paused: tuple[VerticalModel, list[Checkpoint]]) -> None:
    model, (first, _) = paused
    problem(owner.put(f"{base(cast, model)}/aliases/golden", {"checkpoint": str(first.id)}), 404, "alias_not_set")


def test_versions_and_restart(cast: Cast, owner: Api, paused: tuple[VerticalModel, list[Checkpoint]]) -> None:
    model, (first, _) = paused
    path = base(cast, model)
    restarted = owner.post(f"{path}/restart", {"checkpoint": str(first.id)})
    assert restarted.status_code == 201, restarted.content
    parents = {course["parent_checkpoint"] for course in restarted.json()["courses"]}
    assert parents == {None, str(first.id)}
    made = owner.post(f"{path}/versions", {"spec": domain.vertical_spec(mlp=(32,)).to_json()})
    assert made.status_code == 201, made.content
    assert [row["number"] for row in owner.get(f"{path}/versions").json()["results"]] == [2, 1]
    assert owner.get(path).json()["version"] == 2
    refused = owner.post(
        f"{path}/versions", {"spec": domain.vertical_spec(embedding_dim=512, mlp=(8192,) * 8).to_json()}
    )
    problem(refused, 403, "serving_budget")
    owner.post(f"{path}/resume", {})
    problem(owner.post(f"{path}/versions", {"spec": domain.vertical_spec().to_json()}), 409, "model_in_training")


def test_a_spec_is_checked_without_registering_it(cast: Cast, owner: Api) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        stream = domain.make_stream(cast.tenant)
    path = f"tenants/{cast.tenant.slug}/models/check"
    found = owner.post(path, {"stream": str(stream.id), "spec": domain.vertical_spec().to_json()}).json()
    assert 0 < found["parameters"] < found["limit_parameters"]
    assert owner.get(f"tenants/{cast.tenant.slug}/models").json()["results"] == []
    wrong = {"stream": str(stream.id), "spec": domain.vertical_spec(features=("secret_id",)).to_json()}
    problem(owner.post(path, wrong), 400, "spec.privileged_feature")


def test_the_teacher_changes(cast: Cast, owner: Api, scene: Scene) -> None:
    path = f"{base(cast, scene.model)}/bindings"
    with database_role(PLATFORM), platform_scope("test"):
        other = domain.make_foundation_model()
    bound = owner.post(path, {"foundation_model": str(other.id)})
    assert bound.status_code == 201, bound.content
    rows = owner.get(path).json()["results"]
    assert [row["foundation_model"]["name"] for row in rows] == [other.name, scene.teacher.name]
    assert rows[1]["ended_at"] is not None
    assert owner.delete(path).status_code == 204
    problem(owner.delete(path), 409, "not_bound")


def test_lineage_goes_both_ways(cast: Cast, owner: Api, scene: Scene) -> None:
    found = owner.get(f"{base(cast, scene.model)}/lineage").json()
    taught = next(course for course in found["courses"] if course["arm"] == "treatment")
    assert taught["partitions"] > 0
    assert taught["rows"] == 1000 * taught["partitions"]
    (snapshot,) = taught["snapshots"]
    above = owner.get(f"tenants/{cast.tenant.slug}/foundation/snapshots/{snapshot['id']}/lineage").json()
    assert {model["id"] for model in above["models"]} == {str(scene.model.id)}
    assert above["label_sets"]
    label_set = above["label_sets"][0]
    partition = f"streams/{found['stream']}/partitions/{label_set['partition']}/lineage"
    uses = owner.get(f"tenants/{cast.tenant.slug}/{partition}").json()
    assert [row["snapshot"] for row in uses["label_sets"]] == [snapshot["id"]]
    assert {row["model"]["arm"] for row in uses["consumed_by"]} == {"control", "treatment"}


def test_a_partition_says_how_many_consumed_and_labelled_it(cast: Cast, owner: Api, scene: Scene) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        scenes.commit_arm(domain.make_model(scene.stream), "control", scene.partitions[0], loss=0.3)
        rejected = domain.make_partition(
            scene.stream,
            8,
            state="rejected",
            rows=None,
            sealed_at=None,
            positives={},
            problems=[{"column": "price", "row": 3, "expected": "a number", "found": None, "message": "No number."}],
        )
        connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    path = f"tenants/{cast.tenant.slug}/streams/{scene.stream.id}/partitions"
    rows = owner.get(path).json()["results"]
    assert [(row["trained"], row["label_sets"]) for row in rows] == [(0, 0), (2, 1), (2, 1), (2, 1), (3, 0)]
    assert rows[0]["id"] == str(rejected.id)
    assert rows[0]["problems"] == rejected.problems
    assert rows[1]["positives"] == scene.partitions[-1].positives != {}
    assert [owner.get(f"{path}/{row['id']}").json() for row in rows] == rows


def test_long_lists_of_uses_are_cut_and_lead_to_pages(
    cast: Cast, owner: Api, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = f"tenants/{cast.tenant.slug}"
    part = f"{team}/streams/{scene.stream.id}/partitions/{scene.partitions[-1].id}"
    shot = f"{team}/foundation/snapshots/{scene.snapshot.id}"
    partition, snapshot = owner.get(f"{part}/lineage").json(), owner.get(f"{shot}/lineage").json()
    assert {partition["all_consumed_by"], snapshot["all_label_sets"], snapshot["all_models"]} == {None}
    assert owner.get(f"{shot}/models").json()["results"] == snapshot["models"]
    assert [model["arm"] for model in snapshot["models"]] == ["treatment"]
    monkeypatch.setattr("insights.selectors.lineage.SHOWN", 1)
    for whole, address, name, listed in (
        (partition, part, "consumed_by", "consumers"),
        (snapshot, shot, "label_sets", "label-sets"),
    ):
        cut = owner.get(f"{address}/lineage").json()
        assert cut[name] == whole[name][:1]
        assert cut[f"all_{name}"] == f"/api/v1/{address}/{listed}"
        rows, link = [], f"{address}/{listed}?limit=1"
        while link:
            page = owner.get(link.removeprefix("/api/v1/")).json()
            rows += page["results"]
            link = page["next"]
        assert rows == whole[name]
        assert len(rows) > 1


@pytest.mark.parametrize("name", ["lineage", "label-sets", "models"])
def test_uses_of_no_snapshot_are_not_found(cast: Cast, owner: Api, name: str) -> None:
    path = f"tenants/{cast.tenant.slug}/foundation/snapshots/{uuid.uuid4()}/{name}"
    problem(owner.get(path), 404, "snapshot_not_found")


def test_another_tenant_sees_nothing_of_a_shared_snapshots_labels(cast: Cast, scene: Scene) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        snapshot = scene.teacher.versions.get().snapshots.latest("watermark")
        strangers = Api(cast.stranger)
    seen = strangers.get(f"tenants/{cast.elsewhere.slug}/foundation/snapshots/{snapshot.id}/lineage").json()
    mine = {row["partition"] for row in seen["label_sets"]}
    owners = Api(cast.owner).get(f"tenants/{cast.tenant.slug}/foundation/snapshots/{snapshot.id}/lineage").json()
    theirs = {row["partition"] for row in owners["label_sets"]}
    assert mine and theirs and not mine & theirs


def test_the_model_card_tells_what_the_figures_tell(cast: Cast, owner: Api, scene: Scene) -> None:
    shown = owner.get(base(cast, scene.model)).json()
    text = owner.get(f"{base(cast, scene.model)}/card").json()
    assert text["title"] == f"{shown['name']}, version 1"
    value, low, high = (
        f"{shown['lift'][name]:+.2f}".replace("-", "\N{MINUS SIGN}") for name in ("value", "low", "high")
    )
    assert f"{value} % NE, 95 % interval {low} … {high} % NE" in text["markdown"]
    assert re.search(r"event time 2\d{3}-\d\d-\d\d \d\d:\d\d to 2\d{3}-\d\d-\d\d \d\d:\d\d UTC\.", text["markdown"])
    assert "since registration: 0.0240 USD, of which measurement 0.0080 USD." in text["markdown"]
    assert "75.0 % of the rows carried a label." in text["markdown"]
    assert f"{shown['serving']['parameters']:,} parameters" in text["markdown"]
    assert [part["title"] for part in text["sections"]] == [
        "Purpose", "Data", "Model", "Figures", "Teacher", "Cost", "Limits",
    ]  # fmt: skip


def test_the_model_card_of_a_lift_without_an_interval_says_why(
    cast: Cast, owner: Api, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "MIN_BUCKETS", 257)
    text = owner.get(f"{base(cast, scene.model)}/card").json()["markdown"]
    assert "% NE, too few users for an interval (256 buckets), 4,000 rows" in text

"""Runs over HTTP: lists, details, stop and retry; rights; and nothing of other tenants."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from runs.models import Run, State, WorkerNode
from tests.kit.api import Api, problem
from tests.kit.cast import Cast, make_cast
from tests.kit.domain import (
    lineage,
    make_attempt,
    make_claim,
    make_model,
    make_partition,
    make_run,
    make_stream,
    make_sums,
)
from tests.kit.roles import APP, PLATFORM, database_role
from tests.platform.runs.setting import make_worker


@dataclass
class Stage:
    """The cast, a running run with a trained partition, and a run of another tenant."""

    cast: Cast
    run: Run
    foreign: Run

    @property
    def path(self) -> str:
        return f"tenants/{self.cast.tenant.slug}/runs"


@pytest.fixture
def stage(db: None) -> Iterator[Stage]:
    """Requests run as the tenants' web process does."""
    cast = make_cast()
    model = make_model(make_stream(cast.tenant))
    run = make_run(cast.tenant, model, progress={"rows": 10, "rows_total": 100})
    attempt = make_attempt(run)
    type(attempt).objects.update(log_tail="first\nlast")
    partition = make_partition(model.stream)
    make_claim(run, lineage(model, "treatment"), partition, result={"rows": 1000, "covered": 800}, gate="open")
    make_sums(lineage(model, "control"), partition, loss=0.30)
    make_sums(lineage(model, "treatment"), partition, loss=0.29)
    stranger = make_run(cast.elsewhere, make_model(make_stream(cast.elsewhere)), state=State.QUEUED)
    with database_role(APP):
        yield Stage(cast, run, stranger)


def test_the_list_holds_the_tenants_own_runs(stage):
    page = Api(stage.cast.viewer).get(stage.path).json()
    assert [row["id"] for row in page["results"]] == [str(stage.run.id)]
    card = page["results"][0]
    assert card["model"]["name"] == stage.run.model.name
    assert card["progress"]["rows_total"] == 100
    assert card["cost"]["spent"]


def test_pages_hold_the_newest_runs_first_there_and_back(stage):
    with database_role(PLATFORM):
        for _ in range(4):
            make_run(stage.cast.tenant, stage.run.model, state=State.SUCCEEDED)
        place = {"position": 2, "holders": ["another tenant"], "estimate": {}}
        model = make_model(stage.run.model.stream)
        queued = make_run(stage.cast.tenant, model, state=State.QUEUED, waiting=place)
    viewer, address = Api(stage.cast.viewer), f"{stage.path}?limit=2"
    pages = []
    while address:
        pages.append(viewer.get(address).json())
        address = (pages[-1]["next"] or "").removeprefix("/api/v1/")
    cards = [card for page in pages for card in page["results"]]
    assert len(cards) == 6
    assert [card["id"] for card in cards] == sorted((card["id"] for card in cards), reverse=True)
    assert (cards[0]["id"], cards[0]["position"], cards[0]["holders"]) == (str(queued.id), 2, ["another tenant"])
    before = viewer.get(pages[-1]["previous"].removeprefix("/api/v1/")).json()
    assert before["results"] == pages[-2]["results"]
    for card in cards:
        detail = viewer.get(f"{stage.path}/{card['id']}").json()
        assert {name: detail[name] for name in card} == card


@pytest.mark.parametrize(("query", "count"), [("?state=open", 1), ("?state=failed", 0), ("?state=running,failed", 1)])
def test_states_narrow_the_list_down(stage, query, count):
    assert len(Api(stage.cast.viewer).get(stage.path + query).json()["results"]) == count


def test_an_unknown_state_is_refused(stage):
    problem(Api(stage.cast.viewer).get(f"{stage.path}?state=asleep"), 422, "bad_value")
    problem(Api(stage.cast.viewer).get(f"{stage.path}?model=x"), 422, "bad_value")


def test_a_run_in_full(stage):
    run = Api(stage.cast.viewer).get(f"{stage.path}/{stage.run.id}").json()
    assert run["attempts"][0]["n"] == 1
    assert run["log"] == ["first", "last"]
    (unit,) = run["partitions"]
    assert (unit["rows"], unit["covered"], unit["gate"], unit["state"]) == (1000, 800, "open", "done")
    assert unit["ne_treatment"] < unit["ne_control"]


def test_another_tenants_run_does_not_exist(stage):
    for address in (f"{stage.path}/{stage.foreign.id}", f"{stage.path}/{stage.foreign.id}/stop"):
        answer = Api(stage.cast.owner).post(address) if address.endswith("stop") else Api(stage.cast.owner).get(address)
        problem(answer, 404)
    problem(Api(stage.cast.stranger).get(stage.path), 404)


def test_an_engineer_stops_a_run_and_a_viewer_does_not(stage):
    address = f"{stage.path}/{stage.run.id}/stop"
    problem(Api(stage.cast.viewer).post(address), 403)
    for _ in range(2):
        answer = Api(stage.cast.engineer).post(address)
        assert answer.status_code == 202
        assert answer.json()["stop_requested_at"]


def test_a_closed_run_is_not_stopped_but_retried(stage):
    with database_role(PLATFORM):
        Run.objects.filter(id=stage.run.id).update(state=State.FAILED)
    problem(Api(stage.cast.engineer).post(f"{stage.path}/{stage.run.id}/stop"), 409, "run_closed")
    answer = Api(stage.cast.engineer).post(f"{stage.path}/{stage.run.id}/retry")
    assert answer.status_code == 201
    assert answer.json()["state"] == "queued"
    problem(Api(stage.cast.engineer).post(f"{stage.path}/{stage.run.id}/retry"), 409, "run_open")


def test_a_retry_that_is_sent_twice_with_one_key_is_one_run(stage):
    with database_role(PLATFORM):
        Run.objects.filter(id=stage.run.id).update(state=State.FAILED)
    for api, path in ((Api(stage.cast.engineer), stage.path), (Api(stage.cast.admin), "admin/runs")):
        role = APP if path == stage.path else PLATFORM
        with database_role(role):
            sent = [api.post(f"{path}/{stage.run.id}/retry", Idempotency_Key="again") for _ in range(2)]
        assert [answer.status_code for answer in sent] == [201, 201]
        assert sent[0].json() == sent[1].json()
        with database_role(PLATFORM):
            fresh = Run.objects.filter(id=sent[0].json()["id"])
            assert fresh.update(state=State.FAILED) == 1


def test_administrators_see_all_runs_and_the_capacity(stage):
    with database_role(PLATFORM):
        make_worker(slots=3)
        assert WorkerNode.objects.count() == 1
        admin = Api(stage.cast.admin)
        ids = {row["id"] for row in admin.get("admin/runs").json()["results"]}
        assert ids == {str(stage.run.id), str(stage.foreign.id)}
        place = admin.get("admin/capacity").json()
        assert place["slots"] == {"total": 3, "held": 1}
        assert place["queued"][0]["tenant"] == stage.cast.elsewhere.slug
        assert place["workers"][0]["live"] is True
        problem(Api(stage.cast.owner).get("admin/capacity"), 403)


def test_a_list_costs_the_same_queries_however_long(stage):
    viewer = Api(stage.cast.viewer)
    viewer.get(stage.path)
    counts = []
    for length in (1, 6):
        with CaptureQueriesContext(connection) as queries:
            assert len(viewer.get(stage.path).json()["results"]) == length
        counts.append(len(queries))
        with database_role(PLATFORM):
            for _ in range(5):
                make_run(stage.cast.tenant, stage.run.model, state=State.SUCCEEDED)
    assert counts[0] == counts[1]

"""A stream or a partition that nothing has used is deleted over HTTP; one in use stays, and its uses are named."""

from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from catalog import selectors, services
from catalog.models import Partition, Stream
from runs.models import ManifestEntry, WorkClaim
from tenancy.models import AuditEntry
from tenancy.scope import platform_scope, tenant_scope
from tests.kit import domain
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.cast import cast as cast
from tests.kit.roles import PLATFORM, database_role
from tests.platform.catalog.test_api import BODY, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_app")]


@pytest.fixture
def engineer(cast: Cast) -> Api:
    return Api(cast.engineer)


@pytest.fixture
def stream(cast: Cast) -> Stream:
    with platform_scope("test"), database_role(PLATFORM):
        return domain.make_stream(cast.tenant, name="ads")


def address(cast: Cast, stream: Stream, partition: Any = None) -> str:
    """Return the path of a stream, or of a partition of it."""
    base = f"tenants/{cast.tenant.slug}/streams/{stream.id}"
    return f"{base}/partitions/{partition}" if partition else base


def audited(action: str) -> list[AuditEntry]:
    """Return the entries of an action."""
    with platform_scope("test"), database_role(PLATFORM):
        return list(AuditEntry.objects.filter(action=action))


def test_a_wrong_upload_is_deleted_with_its_file_and_its_interval_is_free(
    cast: Cast, engineer: Api, stream: Stream, storage: str, django_capture_on_commit_callbacks: Any
) -> None:
    made = upload(engineer, cast.tenant.slug, str(stream.id), Idempotency_Key="k").json()
    folder = Path(storage.removeprefix("file://")) / f"tenants/{cast.tenant.id}/streams/{stream.id}"
    assert len(list(folder.iterdir())) == 1
    with tenant_scope(cast.tenant.id):
        assert selectors.storage_used(tenant_id=cast.tenant.id) == len(BODY)
    with django_capture_on_commit_callbacks(execute=True):
        answer = engineer.delete(address(cast, stream, made["id"]))
    assert (answer.status_code, answer.content) == (204, b"")
    assert list(folder.iterdir()) == []
    with tenant_scope(cast.tenant.id):
        assert selectors.storage_used(tenant_id=cast.tenant.id) == 0
    problem(engineer.delete(address(cast, stream, made["id"])), 404, "partition_not_found")
    problem(engineer.get(address(cast, stream, made["id"])), 404, "partition_not_found")
    (entry,) = audited("partition.delete")
    assert (entry.target_id, entry.after) == (made["id"], None)
    assert (entry.before["stream"], entry.before["sha256"], entry.before["state"]) == (
        "ads",
        made["sha256"],
        "uploaded",
    )
    # Repeated under its key it is uploaded anew, not answered with what is gone.
    again = upload(engineer, cast.tenant.slug, str(stream.id), Idempotency_Key="k")
    assert again.status_code == 202
    assert again.json()["id"] != made["id"]
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("state", ["sealed", "rejected", "uploaded"])
def test_a_partition_of_any_state_goes_while_unused(cast: Cast, engineer: Api, stream: Stream, state: str) -> None:
    with platform_scope("test"), database_role(PLATFORM):
        partition = domain.make_partition(stream, state=state)
    assert engineer.delete(address(cast, stream, partition.id)).status_code == 204


def test_a_file_that_another_partition_has_stays(
    cast: Cast, engineer: Api, stream: Stream, storage: str, django_capture_on_commit_callbacks: Any
) -> None:
    made = upload(engineer, cast.tenant.slug, str(stream.id)).json()
    upload(engineer, cast.tenant.slug, str(stream.id), start=1)
    with django_capture_on_commit_callbacks(execute=True):
        assert engineer.delete(address(cast, stream, made["id"])).status_code == 204
    folder = Path(storage.removeprefix("file://")) / f"tenants/{cast.tenant.id}/streams/{stream.id}"
    assert len(list(folder.iterdir())) == 1


def test_what_a_model_has_begun_to_learn_from_stays(cast: Cast, engineer: Api, stream: Stream) -> None:
    with platform_scope("test"), database_role(PLATFORM):
        partition, model = domain.make_partition(stream), domain.make_model(stream, name="clicks")
        run = domain.make_run(cast.tenant, model)
        domain.make_claim(run, domain.lineage(model, "control"), partition, committed_at=None)
    body = problem(engineer.delete(address(cast, stream, partition.id)), 409, "in_use")
    assert body["uses"] == [
        {"kind": "model", "id": str(model.id), "name": "clicks"},
        {"kind": "run", "id": str(run.id), "name": "clicks"},
    ]
    assert body["uses_count"] == 2
    assert body["detail"] == "The partition is used by 1 model and 1 run in progress."
    assert "Withdraw the stream's consents" in body["mend"]
    assert engineer.get(address(cast, stream, partition.id)).status_code == 200
    assert audited("partition.delete") == []


@pytest.mark.parametrize("kind", ["fm.train", "das.score"])
def test_what_a_foundation_model_has_begun_on_stays(cast: Cast, engineer: Api, stream: Stream, kind: str) -> None:
    with platform_scope("test"), database_role(PLATFORM):
        partition, teacher = domain.make_partition(stream, 5), domain.make_foundation_model("teacher")
        run, lineage = domain.make_run(None, None, teacher, kind), domain.foundation_lineage(teacher)
        if kind == "fm.train":
            claim = WorkClaim.objects.create(run=run, kind=kind, lineage=lineage, period_end=domain.hour(9))
            ManifestEntry.objects.create(tenant=cast.tenant, claim=claim, lineage=lineage, partition=partition)
        else:
            snapshot = domain.publish(teacher, domain.hour(1))
            WorkClaim.objects.create(run=run, kind=kind, partition=partition, snapshot=snapshot)
    body = problem(engineer.delete(address(cast, stream, partition.id)), 409, "in_use")
    assert body["uses"] == [{"kind": "foundation_model", "id": str(teacher.id), "name": "teacher"}]


def test_a_labelled_partition_stays(cast: Cast, engineer: Api, stream: Stream) -> None:
    with platform_scope("test"), database_role(PLATFORM):
        partition, teacher = domain.make_partition(stream, 5), domain.make_foundation_model()
        labels = domain.make_label_set(partition, domain.publish(teacher, domain.hour(1)))
    body = problem(engineer.delete(address(cast, stream, partition.id)), 409, "in_use")
    assert [(use["kind"], use["id"]) for use in body["uses"]] == [("label_set", str(labels.id))]
    with database_role(PLATFORM), platform_scope("test"):
        with pytest.raises(IntegrityError, match="cannot be deleted"), transaction.atomic():
            Partition.objects.filter(id=partition.id)._raw_delete("default")
        assert Partition.objects.filter(id=partition.id).exists()


def test_an_empty_stream_is_deleted_and_its_name_is_free(cast: Cast, engineer: Api, stream: Stream) -> None:
    etag = engineer.get(address(cast, stream)).headers["ETag"]
    engineer.patch(address(cast, stream), {"feed_shared": True})
    old = engineer.client.delete(f"/api/v1/{address(cast, stream)}", headers={"If-Match": etag, **engineer.headers})
    problem(old, 412, "changed_meanwhile")
    etag = engineer.get(address(cast, stream)).headers["ETag"]
    answer = engineer.client.delete(f"/api/v1/{address(cast, stream)}", headers={"If-Match": etag, **engineer.headers})
    assert answer.status_code == 204
    problem(engineer.delete(address(cast, stream)), 404, "stream_not_found")
    (entry,) = audited("stream.delete")
    assert (entry.before["name"], entry.before["feed_shared"], entry.target_id) == ("ads", True, str(stream.id))
    new = {"name": "ads", "schema": domain.schema().to_json()}
    assert engineer.post(f"tenants/{cast.tenant.slug}/streams", new).status_code == 201


def test_a_stream_in_use_stays_and_names_some_of_every_kind(cast: Cast, engineer: Api, stream: Stream) -> None:
    with platform_scope("test"), database_role(PLATFORM):
        for index in range(60):
            domain.make_partition(stream, index)
    body = problem(engineer.delete(address(cast, stream)), 409, "in_use")
    assert (len(body["uses"]), body["uses_count"]) == (50, 60)
    assert body["uses"][0]["name"] == "2026-03-01T00:00:00Z to 2026-03-01T01:00:00Z"
    assert body["detail"] == "The stream ads has 60 partitions."
    assert body["mend"] == "Delete its partitions first."
    with platform_scope("test"), database_role(PLATFORM):
        model = domain.make_model(stream, name="clicks")
    body = problem(engineer.delete(address(cast, stream)), 409, "in_use")
    assert {"kind": "model", "id": str(model.id), "name": "clicks"} in body["uses"]
    assert (len(body["uses"]), body["uses_count"]) == (50, 61)
    assert body["detail"] == "The stream ads has 1 model and 60 partitions."
    assert audited("stream.delete") == []


def test_nobody_else_deletes(cast: Cast, engineer: Api, stream: Stream) -> None:
    with platform_scope("test"), database_role(PLATFORM):
        foreign = domain.make_partition(domain.make_stream(cast.elsewhere))
        own, other = domain.make_partition(stream), domain.make_stream(cast.tenant)
    problem(Api(cast.viewer).delete(address(cast, stream)), 403, "role_too_low")
    problem(Api(cast.viewer).delete(address(cast, stream, own.id)), 403, "role_too_low")
    problem(engineer.delete(address(cast, foreign.stream)), 404, "stream_not_found")
    problem(engineer.delete(address(cast, stream, foreign.id)), 404, "partition_not_found")
    problem(engineer.delete(address(cast, other, own.id)), 404, "partition_not_found")
    with platform_scope("test"), database_role(PLATFORM):
        assert Partition.objects.filter(id__in=[foreign.id, own.id]).count() == 2


def test_a_verdict_on_a_deleted_partition_is_refused(cast: Cast, stream: Stream) -> None:
    with platform_scope("test"), database_role(PLATFORM):
        partition = domain.make_partition(stream, state="uploaded")
        services.delete_partition(stream_id=stream.id, partition_id=partition.id)
        with pytest.raises(selectors.NotFound, match="no such partition"):
            services.seal(partition_id=partition.id, report={})
        with pytest.raises(selectors.NotFound, match="no such partition"):
            services.reject(partition_id=partition.id, problems=[])

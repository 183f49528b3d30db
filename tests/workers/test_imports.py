"""Partitions imported by address: only from the tenant's own roots, exactly what was announced, fetched once."""

import os
import shutil
import socket
import threading

import pyarrow.parquet as pq
import pytest
from django.core.exceptions import ImproperlyConfigured

from catalog.models import Partition
from catalog.sources import check, open_source, roots
from exfm_core.data.partitions import file_sha256
from tenancy.errors import DomainError
from tenancy.models import Membership, Role
from tenancy.scope import platform_scope
from tests.kit.api import Api, problem
from tests.kit.factories import make_user
from tests.kit.patience import PATIENCE
from tests.kit.roles import APP, database_role
from tests.workers.world import make_world
from workers.validation import validate_partition

pytestmark = pytest.mark.django_db


@pytest.fixture
def drop(storage, tmp_path, monkeypatch):
    """A tenant with a stream, and a file of the stream's next period in the tenant's drop folder."""
    with platform_scope("test"):
        world = make_world(storage, tenants=1)
        world.seal([0])
        first = Partition.objects.select_related("stream", "tenant").get()
        user = make_user()
        Membership.objects.create(tenant=first.tenant, user=user, role=Role.ENGINEER)
        folder = tmp_path / "drop" / first.tenant.slug
        folder.mkdir(parents=True)
        monkeypatch.setenv("EXFM_IMPORT_ROOTS", f"file://{tmp_path}/drop/{{tenant}}/")
        start, end, table = world.recipe.partitions(1)["northwind-shop"]
        pq.write_table(table, folder / "1.parquet")
        sha, size = file_sha256(folder / "1.parquet")
        entry = {
            "uri": f"file://{folder}/1.parquet",
            "start": start.isoformat(),
            "end": end.isoformat(),
            "sha256": sha,
            "bytes": size,
        }
        path = f"tenants/{first.tenant.slug}/streams/{first.stream_id}/imports"
        yield Api(user), path, folder, entry


def send(api, path, *entries):
    with database_role(APP):
        return api.post(path, {"partitions": list(entries)})


def imported(answer) -> Partition:
    assert answer.status_code == 202, answer.content
    return Partition.objects.get(id=answer.json()["results"][0]["id"])


def refusal(uri: str, slug: str) -> str:
    """Return the code with which a file is refused."""
    with pytest.raises(DomainError) as caught, open_source(uri, slug):
        pass
    return caught.value.code


def decided(partition: Partition) -> Partition:
    validate_partition(partition.id)
    partition.refresh_from_db()
    return partition


def test_a_file_is_fetched_validated_and_sealed(drop):
    api, path, folder, entry = drop
    partition = decided(imported(send(api, path, entry)))
    assert partition.state == Partition.State.SEALED, partition.problems
    assert partition.rows > 0
    assert partition.source_uri == entry["uri"]
    shutil.rmtree(folder)  # the store has a copy of its own
    again = send(api, path, entry)
    assert imported(again).id == partition.id


def test_another_content_than_announced_is_rejected(drop):
    api, path, folder, entry = drop
    partition = imported(send(api, path, entry))
    data = bytearray((folder / "1.parquet").read_bytes())
    data[50] ^= 1
    (folder / "1.parquet").write_bytes(data)
    assert decided(partition).state == Partition.State.REJECTED
    assert "SHA-256" in partition.problems[0]["message"]


@pytest.mark.parametrize("change", ["grown", "gone", "folder"])
def test_what_cannot_be_read_as_announced_is_rejected_with_the_reason(drop, change):
    api, path, folder, entry = drop
    partition = imported(send(api, path, entry))
    file = folder / "1.parquet"
    if change == "grown":
        file.write_bytes(file.read_bytes() + b"x")
    else:
        file.unlink()
        if change == "folder":
            file.mkdir()
    assert decided(partition).state == Partition.State.REJECTED
    said = partition.problems[0]["message"]
    assert {"grown": "larger", "gone": "no such file", "folder": "is a folder"}[change] in said


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_what_is_no_file_holds_no_worker(drop, kind, monkeypatch):
    api, path, folder, entry = drop
    partition = imported(send(api, path, entry))
    file = folder / "1.parquet"
    file.unlink()
    if kind == "pipe":
        os.mkfifo(file)
    else:
        monkeypatch.chdir(folder)  # a socket's path is a short one
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(file.name)
    codes: list[str] = []
    reader = threading.Thread(target=lambda: codes.append(refusal(entry["uri"], folder.name)), daemon=True)
    reader.start()
    reader.join(PATIENCE)
    assert codes == ["source_unreadable"]
    assert decided(partition).state == Partition.State.REJECTED


def test_a_folder_exchanged_for_a_link_meanwhile_leads_nowhere(drop, tmp_path, monkeypatch):
    folder = drop[2]
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "1.parquet").write_bytes(b"another tenant's")
    inside = folder / "sub"
    inside.mkdir()
    (inside / "1.parquet").write_bytes(b"mine")
    ask = os.path.realpath

    def slow(asked):
        found = ask(asked)
        if str(asked).endswith("sub/1.parquet"):  # between the question and the opening
            inside.rename(folder / "was")
            inside.symlink_to(outside)
        return found

    monkeypatch.setattr(os.path, "realpath", slow)
    with pytest.raises(DomainError, match="may not be imported"):  # noqa: SIM117
        with open_source(f"file://{folder}/sub/1.parquet", folder.name) as body:
            assert body.read() != b"another tenant's"


def test_a_link_out_of_the_drop_folder_is_not_followed(drop, tmp_path):
    api, path, folder, entry = drop
    shutil.move(folder / "1.parquet", tmp_path / "elsewhere.parquet")
    (folder / "1.parquet").symlink_to(tmp_path / "elsewhere.parquet")
    partition = decided(imported(send(api, path, entry)))
    assert partition.state == Partition.State.REJECTED
    assert "may not be imported" in partition.problems[0]["message"]


def test_all_or_none(drop):
    api, path, _, entry = drop
    bad = {**entry, "uri": "file:///etc/passwd"}
    problem(send(api, path, entry, bad), 403, "source_not_allowed")
    problem(send(api, path, entry, {**entry, "sha256": "b" * 64}), 409, "partition_overlap")
    assert Partition.objects.count() == 1


@pytest.mark.parametrize(
    "uri",
    [
        "file:///drop/globex/1.parquet",
        "file:///drop/acme/../globex/1.parquet",
        "file:///drop/acme/%2e%2e/globex/1.parquet",
        "file:///drop/acme/./1.parquet",
        "file:///drop/acme\\..\\globex/1.parquet",
        "file:///drop/acme",
        "file:///drop/acme/",
        "file:///drop/acmetoo/1.parquet",
        "FILE:///drop/acme/1.parquet",
        "s3://drop/acme/1.parquet",
        "http://169.254.169.254/latest/meta-data",
        "file:///drop/acme/1.parquet\0",
        "file:///drop/acme/\u202e1.parquet",
        "file:///drop/acme/1.parquet?x=/drop/acme/",
        "/drop/acme/1.parquet",
        "",
        "file:///drop/acme/" + "x" * 1000,
    ],
)
def test_addresses_outside_the_roots(uri, monkeypatch):
    monkeypatch.setenv("EXFM_IMPORT_ROOTS", "file:///drop/{tenant}/")
    check("file:///drop/acme/2026/1.parquet", "acme")
    with pytest.raises(DomainError) as refused:
        check(uri, "acme")
    assert refused.value.code == "source_not_allowed"
    assert "globex" not in str(refused.value)


def test_a_root_without_the_tenant_is_a_configuration_error(monkeypatch):
    for root in ("file:///drop/", "s3://bucket/x{tenant}/", "/drop/{tenant}/", "http://x/{tenant}/"):
        monkeypatch.setenv("EXFM_IMPORT_ROOTS", root)
        with pytest.raises(ImproperlyConfigured):
            roots("acme")

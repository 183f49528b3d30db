"""What an export holds: every row, every file byte for byte, no secret, nothing of others."""

import hashlib
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from alerts import services as alerts
from alerts import signing
from alerts.services import Terms
from catalog import storage as store
from catalog.models import Partition
from registry import courses
from registry.models import Checkpoint, Lineage
from runs import leases
from tenancy import export, export_work, secrecy
from tenancy.context import SYSTEM, acting
from tenancy.ids import new_id
from tenancy.models import (
    Invitation,
    Membership,
    RecoveryCode,
    Role,
    SecondFactor,
    Tenant,
    TenantDeletion,
    TenantExport,
    User,
)
from tenancy.scope import platform_scope
from tests.kit import domain
from tests.kit.factories import PASSWORD, make_member, make_tenant, make_token
from workers import exporting
from workers.erasure import erase_due

Zip = zipfile.ZipFile


def ask(tenant: Tenant, *include: str, **values: Any) -> TenantExport:
    """Store an export that waits."""
    with platform_scope("test"):
        return TenantExport.objects.create(tenant=tenant, include=["rows", *include], **values)


def written(asked: TenantExport, storage: str) -> tuple[Zip, dict[str, Any]]:
    """Have it written; return the zip and its manifest."""
    assert exporting.export_next()
    with platform_scope("test"):
        asked.refresh_from_db()
    assert asked.state == "done", asked.error
    content = (root(storage) / asked.uri).read_bytes()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (asked.bytes, asked.sha256)
    archive = Zip(io.BytesIO(content))
    return archive, json.loads(archive.read("manifest.json"))


def root(storage: str) -> Path:
    return Path(storage.removeprefix("file://"))


def keep(storage: str, uri: str, content: bytes) -> dict[str, Any]:
    """Put a file into the storage; return what its row says."""
    path = root(storage) / uri
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return {"uri": uri, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


@pytest.mark.django_db
def test_rows_files_and_weights_are_there_with_their_hashes(storage: str) -> None:
    with platform_scope("test"), acting(SYSTEM):
        tenant, other = make_tenant(), make_tenant()
        owner = make_member(tenant, Role.OWNER)
        stream, theirs = domain.make_stream(tenant, name="clicks"), domain.make_stream(other)
        data = [bytes([number]) * 70_000 for number in range(3)]
        parts = [
            domain.make_partition(stream, number, **keep(storage, f"tenants/{tenant.id}/{number}", content))
            for number, content in enumerate(data)
        ]
        rejected = {"state": Partition.State.REJECTED, "sealed_at": None}
        domain.make_partition(stream, 7, **keep(storage, f"tenants/{tenant.id}/r", b"no"), **rejected)
        domain.make_partition(theirs, 0, **keep(storage, f"tenants/{other.id}/0", b"theirs"))
        model = domain.make_model(stream, name="ranker")
        lineage = domain.lineage(model, "treatment")
        old, serving, newest = (
            Checkpoint.objects.create(
                tenant=tenant,
                lineage=lineage,
                position=domain.hour(number + 1),
                **keep(storage, f"runs/1/{number}", f"weights {number}".encode()),
            )
            for number in range(3)
        )
        for each in (old, serving):
            courses.move_alias(model_id=model.id, alias="serving", checkpoint_id=each.id)
        Lineage.objects.filter(id=lineage.id).update(head=newest)
    asked = ask(tenant, "partitions", "models", requested_by=owner)
    archive, manifest = written(asked, storage)
    assert archive.testzip() is None
    listed = {entry["path"]: entry for entry in manifest["files"]}
    assert {*listed, "manifest.json"} == set(archive.namelist())
    for name, entry in listed.items():
        content = archive.read(name)
        assert (entry["bytes"], entry["sha256"]) == (len(content), hashlib.sha256(content).hexdigest()), name
    mine = [name for name in listed if name.startswith("partitions/")]
    assert [archive.read(name) for name in mine] == data
    assert mine[0] == f"partitions/clicks/20260301T000000Z-20260301T010000Z-{parts[0].id}.parquet"
    assert [listed[name]["rows"] for name in mine] == [1000, 1000, 1000]
    weights = [(name, listed[name]["aliases"]) for name in listed if name.startswith("models/")]
    assert [(archive.read(name), aliases) for name, aliases in weights] == [
        (b"weights 1", ["serving"]),
        (b"weights 2", []),
    ]
    assert weights[0][0] == f"models/ranker/v1-treatment-20260301T020000Z-{serving.id}.safetensors"
    assert manifest["rows"]["catalog_partition"] == 4 == len(archive.read("rows/catalog_partition.jsonl").splitlines())
    assert manifest["rows"] | {"people": 1} == manifest["rows"]
    assert (manifest["missing"], manifest["requested_by"]) == ([], owner.email)
    assert manifest["schema"]["tenancy"]
    assert sum(manifest["rows"].values()) == asked.rows
    everything = b"".join(archive.read(name) for name in archive.namelist())
    for foreign in (other.id, theirs.id, b"theirs"):
        assert (foreign if isinstance(foreign, bytes) else str(foreign).encode()) not in everything


@pytest.mark.django_db
def test_parts_that_were_not_asked_for_are_not_there(storage: str) -> None:
    with platform_scope("test"):
        tenant = make_tenant()
        domain.make_partition(domain.make_stream(tenant), **keep(storage, "tenants/x/1", b"data"))
    archive, manifest = written(ask(tenant), storage)
    assert manifest["include"] == ["rows"]
    assert {name.split("/")[0] for name in archive.namelist()} == {"README.txt", "rows", "manifest.json"}


@pytest.mark.django_db
def test_no_secret_is_in_it(storage: str) -> None:
    seed = "JBSWY3DPEHPK3PXP"
    with platform_scope("test"), acting(SYSTEM):
        tenant = make_tenant()
        owner = make_member(tenant, Role.OWNER)
        token, plain = make_token(owner, tenant, ["runs:read"])
        hook, secret = alerts.create_webhook(tenant=tenant, terms=Terms("https://hooks.example.com/", ("run.failed",)))
        alerts.rotate_secret(webhook_id=hook.id)
        hook.refresh_from_db()
        factor = SecondFactor.objects.create(user=owner, secret=secrecy.encrypt(seed), confirmed_at=timezone.now())
        code = RecoveryCode.objects.create(user=owner, digest=hashlib.sha256(b"code").hexdigest())
        invitation = Invitation.objects.create(
            tenant=tenant, email="x@example.com", role=Role.VIEWER, digest="e" * 64, invited_by=owner,
            expires_at=timezone.now(),
        )  # fmt: skip
        digests = type(token)._base_manager.values_list("digest", flat=True)
        secrets = {
            "token": plain, "token's digest": digests.get(id=token.id), "webhook's secret": secret,
            "webhook's salt": hook.salt, "salt before": hook.previous_salt, "new secret": signing.secret_of(hook.salt),
            "seed": seed, "encrypted seed": factor.secret, "recovery code": code.digest,
            "invitation": "e" * 64, "password": PASSWORD, "password's hash": User.objects.get(id=owner.id).password,
        }  # fmt: skip
    asked = ask(tenant, "partitions", "models", requested_by=owner)
    archive, _ = written(asked, storage)
    everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert str(hook.id) in everything
    assert str(invitation.id) in everything
    assert all(secrets.values())
    assert [name for name, value in secrets.items() if value in everything] == []


@pytest.mark.django_db
def test_columns_are_the_same_whichever_role_asks_and_none_sounds_secret() -> None:
    words = ("secret", "password", "digest", "salt", "token")
    harmless = {"lease_expires_at", "token_prefix", "tokens"}
    for table in export.tenant_tables():
        for column in export.readable(table):
            assert column in harmless or not any(word in column for word in words), f"{table}.{column}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_attribute WHERE attname = ANY(%s)", [list(export.SECRET)])
        assert cursor.fetchone()[0] >= len(export.SECRET)


@pytest.mark.django_db
def test_files_that_are_gone_or_damaged_are_named(storage: str) -> None:
    with platform_scope("test"):
        tenant = make_tenant()
        stream = domain.make_stream(tenant)
        gone = domain.make_partition(stream, 0, uri="tenants/nowhere")
        damaged = domain.make_partition(stream, 1, **keep(storage, "tenants/x/damaged", b"once"))
        (root(storage) / damaged.uri).write_bytes(b"else")
    asked = ask(tenant, "partitions")
    archive, manifest = written(asked, storage)
    assert asked.missing == 2
    assert {entry["partition"]: entry["why"].split()[0] for entry in manifest["missing"]} == {
        str(gone.id): "It",
        str(damaged.id): "Its",
    }
    there = [entry["path"] for entry in manifest["files"] if entry["path"].startswith("partitions/")]
    assert [archive.read(name) for name in there] == [b"else"]


@pytest.mark.django_db
def test_what_others_still_write_is_room_no_more(storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that each have room must not fill the disk, and everybody's uploads with it, together."""
    monkeypatch.setattr(store, "free_bytes", lambda: 3 << 30)
    began = {"state": "running", "lease_token": new_id(), "lease_expires_at": timezone.now() + timedelta(minutes=1)}
    other = ask(make_tenant(), **began, started_at=timezone.now(), expected_bytes=4 << 30, written_bytes=1 << 30)
    asked = ask(make_tenant())
    assert exporting.export_next()
    with platform_scope("test"):
        asked.refresh_from_db()
        assert (asked.state, asked.error) == ("failed", "The export needs 0.25 GiB; the storage has 0.00 GiB left.")
        TenantExport.objects.filter(id=other.id).update(written_bytes=3 << 30)
    written(ask(asked.tenant), storage)


@pytest.mark.django_db
def test_a_lost_lease_makes_nothing_downloadable(storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with platform_scope("test"):
        tenant = make_tenant()
        domain.make_partition(domain.make_stream(tenant), **keep(storage, f"tenants/{tenant.id}/1", b"data"))
    asked = ask(tenant, "partitions")
    whole = exporting._write

    def delayed(claim: Any, archive: Any) -> Any:
        done = whole(claim, archive)
        with platform_scope("test"):
            TenantExport.objects.update(lease_expires_at=timezone.now() - timedelta(hours=1))
            exporting.reconcile()
        return done

    monkeypatch.setattr(exporting, "_write", delayed)
    assert exporting.export_next()
    with platform_scope("test"):
        asked.refresh_from_db()
    assert (asked.state, asked.uri, asked.lease_token, asked.attempts) == ("queued", "", None, 1)
    assert list((root(storage) / f"tenants/{tenant.id}/exports").iterdir()) == []
    monkeypatch.setattr(exporting, "_write", whole)
    written(asked, storage)


@pytest.mark.django_db
def test_an_export_whose_workers_die_is_given_up_with_a_sentence(storage: str) -> None:
    asked = ask(make_tenant())
    with platform_scope("test"), acting(SYSTEM):
        for _ in range(export_work.MOST_ATTEMPTS):
            claim = export_work.claim_next(lease=leases.EXPIRY)
            assert claim is not None
            assert export_work.claim_next(lease=leases.EXPIRY) is None
            left = keep(storage, claim.uri, b"half")
            exporting.reconcile()
            assert (root(storage) / left["uri"]).exists(), "its lease holds"
            TenantExport.objects.update(lease_expires_at=timezone.now() - timedelta(hours=1))
            exporting.reconcile()
            assert not (root(storage) / left["uri"]).exists()
        asked.refresh_from_db()
        assert (asked.state, asked.error, asked.uri) == ("failed", export_work.GIVEN_UP.message, "")
        assert export_work.waiting() == 0


@pytest.mark.django_db
def test_the_sweep_removes_files_that_no_row_names_and_no_others(storage: str) -> None:
    tenant = make_tenant_with_scope()
    written(ask(tenant), storage)
    with platform_scope("test"), acting(SYSTEM):
        TenantExport.objects.create(tenant=tenant, include=["rows"])
        claim = export_work.claim_next(lease=leases.EXPIRY)
        assert claim is not None
        keep(storage, claim.uri, b"half")
        keep(storage, f"{export_work.folder(tenant.id)}/orphan.zip", b"left")
        assert exporting.remove_old() == 1
        assert len(list((root(storage) / export_work.folder(tenant.id)).iterdir())) == 2


def make_tenant_with_scope() -> Tenant:
    with platform_scope("test"):
        return make_tenant()


@pytest.mark.django_db
def test_it_can_be_had_in_the_time_of_grace_and_goes_with_the_tenant(storage: str) -> None:
    with platform_scope("test"), acting(SYSTEM):
        tenant = make_tenant()
        owner = make_member(tenant, Role.OWNER)
        TenantDeletion.objects.create(tenant=tenant, requested_by=owner, erase_after=timezone.now() + timedelta(days=1))
    asked = ask(tenant)
    written(asked, storage)
    with platform_scope("test"), acting(SYSTEM):
        TenantExport.objects.create(tenant=tenant, include=["rows"])
        claim = export_work.claim_next(lease=leases.EXPIRY)
        assert claim is not None
        TenantDeletion.objects.update(erase_after=timezone.now() - timedelta(hours=1))
        assert erase_due() == 1
        assert not TenantExport.objects.filter(tenant=tenant).exists()
        assert not Membership.objects.filter(tenant=tenant).exists()
        assert not export_work.renew(claim=claim, lease=leases.EXPIRY, written_bytes=1), "its worker stops"
    assert not (root(storage) / asked.uri).exists()

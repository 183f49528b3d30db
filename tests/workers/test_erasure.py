"""A tenant's end: what goes, what stays as a tombstone, and that no table is forgotten."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from catalog.models import Partition, PartitionUse, Stream
from registry.models import AliasMove, ModelVersion, VerticalModel
from runs.models import Consumption, MetricSums, Run, State
from tenancy import export
from tenancy.context import SYSTEM, acting
from tenancy.models import AuditEntry, Membership, Role, Tenant, TenantDeletion
from tenancy.scope import platform_scope
from tests.kit import domain
from tests.kit.factories import make_member, make_tenant, make_token
from tests.kit.roles import APP, PLATFORM, database_role
from tests.platform.insights.scene import commit_arm
from workers import erasure
from workers.erasure import BLANKED, DELETED, KEPT, erase_due

SECRET_WORD = "clicked"


def test_every_table_of_tenants_has_its_end() -> None:
    assert sorted([*DELETED, *BLANKED, *KEPT]) == export.tenant_tables()


def filled(storage: str, *, due: bool = True) -> tuple[Tenant, list[Path]]:
    """Store a tenant with rows, files and a request for its end."""
    tenant = make_tenant()
    owner = make_member(tenant, Role.OWNER)
    make_token(owner, tenant, ["runs:read"])
    stream = domain.make_stream(tenant)
    partition = domain.make_partition(stream)
    model = domain.make_model(stream)
    run = domain.make_run(tenant, model, state=State.SUCCEEDED)
    root = Path(storage.removeprefix("file://"))
    files = [root / partition.uri, root / f"runs/{run.id}/1/1-weights", root / f"tenants/{tenant.id}/left"]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    after = timezone.now() + timedelta(days=-1 if due else 1)
    TenantDeletion.objects.create(tenant=tenant, requested_by=owner, erase_after=after)
    return tenant, files


@pytest.mark.django_db
def test_rows_and_files_go_and_tombstones_stay(storage: str) -> None:
    with platform_scope("test"), acting(SYSTEM):
        tenant, files = filled(storage)
        other, others_files = filled(storage, due=False)
        assert erase_due() == 1
        assert not any(file.exists() for file in files)
        assert all(file.exists() for file in others_files)
        for table in DELETED:
            assert not erasure._model(table)._base_manager.filter(tenant_id=tenant.id).exists(), table
        assert Stream.objects.get(tenant=tenant).schema == {}
        assert ModelVersion.objects.get(tenant=tenant).spec == {}
        assert Partition.objects.get(tenant=tenant).sha256
        assert not MetricSums.objects.filter(tenant=tenant).exists()
        tombstone = Tenant.objects.get(id=tenant.id)
        assert (tombstone.status, tombstone.name) == (Tenant.Status.ERASED, "erased")
        assert AuditEntry.objects.filter(tenant=tenant, action="tenant.erase").count() == 1
        wish = TenantDeletion.objects.get(tenant=tenant)
        assert wish.erased_at is not None
        assert wish.erased["files"] == 3
        rows = [json.dumps(row, default=str) for row in ModelVersion.objects.filter(tenant=tenant).values()]
        assert SECRET_WORD not in "".join(rows)
        assert erase_due() == 0
        assert Membership.objects.filter(tenant=other).count() == 1
        assert ModelVersion.objects.get(tenant=other).spec != {}


@pytest.mark.django_db
def test_how_many_consumed_a_partition_stays_with_the_ledger(storage: str) -> None:
    with platform_scope("test"), acting(SYSTEM):
        tenant, _ = filled(storage)
        model = VerticalModel.objects.get(tenant=tenant)
        for arm in ("control", "treatment"):
            commit_arm(model, arm, Partition.objects.get(tenant=tenant), loss=0.3)
        connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
        assert erase_due() == 1
        assert PartitionUse.objects.get(tenant=tenant).trained == Consumption.objects.filter(tenant=tenant).count() == 2


@pytest.mark.django_db
def test_notes_and_addresses_go_and_nothing_is_fetched_again(storage: str) -> None:
    with platform_scope("test"), acting(SYSTEM):
        tenant, _ = filled(storage)
        stream, model = Stream.objects.get(tenant=tenant), VerticalModel.objects.get(tenant=tenant)
        address = f"file:///drop/{SECRET_WORD}.parquet"
        waiting = domain.make_partition(stream, 7, state=Partition.State.UPLOADED, source_uri=address, sealed_at=None)
        AliasMove.objects.create(tenant=tenant, model=model, alias="serving", number=1, moved_by="x", note=SECRET_WORD)
        assert erase_due() == 1
        waiting.refresh_from_db()
        assert waiting.state == Partition.State.REJECTED
        kept = [*Partition.objects.filter(tenant=tenant).values(), *AliasMove.objects.filter(tenant=tenant).values()]
        assert len(kept) == 3
        assert SECRET_WORD not in json.dumps(kept, default=str)


@pytest.mark.django_db
def test_a_run_that_still_stops_is_waited_for(storage: str) -> None:
    with platform_scope("test"), acting(SYSTEM):
        tenant, files = filled(storage)
        Run.objects.filter(tenant=tenant).update(state=State.RUNNING)
        assert erase_due() == 0
        assert Run.objects.get(tenant=tenant).stop_requested_at is not None
        assert Tenant.objects.get(id=tenant.id).status == Tenant.Status.SUSPENDED
        assert all(file.exists() for file in files)
        Run.objects.filter(tenant=tenant).update(state=State.CANCELLED)
        assert erase_due() == 1


@pytest.mark.django_db
def test_nobody_blanks_a_tenant_that_is_not_due(storage: str) -> None:
    with platform_scope("test"):
        tenant, _ = filled(storage, due=False)
        gone, _ = filled(storage)
        TenantDeletion.objects.filter(tenant=gone).update(cancelled_at=timezone.now())
        for wanted in (tenant, gone):
            with pytest.raises(DatabaseError, match="not due"), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT exfm_erase_tenant(%s)", [wanted.id])
    with database_role(APP), pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        connection.cursor().execute("SELECT exfm_erase_tenant(%s)", [tenant.id])


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["registry_modelversion", "catalog_partition"])
def test_naming_a_tenant_opens_nothing_by_itself(storage: str, table: str) -> None:
    with platform_scope("test"), database_role(PLATFORM):
        tenant, _ = filled(storage)
        Partition.objects.filter(tenant=tenant).count()
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.erasing', %s, true)", [str(tenant.id)])
            cursor.execute(f"UPDATE {table} SET sha256 = 'x' WHERE tenant_id = %s", [tenant.id])

"""Tenants whose request is due are erased: files first, rows then, tombstones last. Every step may be repeated."""

import json
from datetime import timedelta
from typing import Final

import fsspec
import structlog
from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from django.utils import timezone

from catalog.models import Partition, Stream
from registry.models import Checkpoint, LabelSet, VerticalModel
from runs.models import OPEN_STATES, Attempt, Run
from runs.services import request_stop
from tenancy import audit, deletion
from tenancy.models import Membership, Tenant, TenantDeletion, User

log = structlog.get_logger("exfm.workers.erasure")

DELETED: Final = (
    "alerts_deliveryattempt",
    "alerts_delivery",
    "alerts_webhookevent",
    "alerts_webhook",
    "api_idempotencyrecord",
    "insights_modelfigures",
    "runs_metricchunk",
    "tenancy_apitoken",
    "tenancy_invitation",
    "tenancy_tenantexport",
    "tenancy_identitydomain",
    "tenancy_membership",
)
"""Rows that go, in an order that keys allow. The function adds `runs_metricsums`."""

BLANKED: Final = (
    "catalog_partition",
    "catalog_stream",
    "registry_aliasmove",
    "registry_modelversion",
    "registry_verticalmodel",
    "runs_attempt",
    "runs_metricsums",
    "runs_run",
)
"""Rows that stay without what the tenant wrote: names, notes, addresses, schemas, specifications, logs, measures."""

KEPT: Final = {
    "budgets_allocation": "money",
    "budgets_budget": "money",
    "budgets_costtodate": "money",
    "budgets_ledgerentry": "money, append-only",
    "budgets_monthlycost": "money",
    "budgets_monthlyrows": "what money was shared by",
    "budgets_quota": "limits that money was spent under",
    "budgets_usagerecord": "money",
    "catalog_partitionuse": "how many models consumed a partition",
    "registry_binding": "provenance: who taught whom",
    "registry_checkpoint": "provenance: hashes of weights that are gone",
    "registry_gateresult": "provenance of a shared snapshot's publication",
    "registry_labelset": "provenance: hashes of labels that are gone",
    "registry_lineage": "provenance",
    "registry_tenantslot": "a slot is never given to another tenant",
    "runs_consumption": "provenance: what the shared teacher was trained on",
    "runs_manifestentry": "provenance: what the shared teacher was trained on",
    "runs_runlineage": "provenance",
    "runs_workclaim": "provenance",
    "tenancy_auditentry": "who did what, append-only",
    "tenancy_tenantdeletion": "that it was erased, when, and at whose wish",
}
"""Tombstones: times, counts, hashes and money."""

LATE: Final = timedelta(days=1)
"""How long after an erasure late files are looked for; longer than any upload, import or run takes to notice."""


def erase_due() -> int:
    """Erase every tenant whose time has come and whose runs have stopped; return how many."""
    _remove_latecomers()
    return sum(erase(wish) for wish in deletion.due())


def erase(wish: TenantDeletion) -> bool:
    """Erase one tenant. False while a run of it still stops (the next call goes on), or if the wish was taken back."""
    if not deletion.begin(wish):
        return False
    tenant = wish.tenant
    runs = Run.objects.filter(tenant=tenant)
    for run_id in runs.filter(state__in=OPEN_STATES, stop_requested_at__isnull=True).values_list("id", flat=True):
        request_stop(run_id=run_id, reason="tenant_erased")
    if runs.filter(state__in=OPEN_STATES).exists():
        log.info("erasure_waits", tenant=str(tenant.id))
        return False
    # What waits for its validation would be fetched from its import root once more.
    Partition.objects.filter(tenant=tenant, state=Partition.State.UPLOADED).update(state=Partition.State.REJECTED)
    files = _remove_files(tenant)
    with transaction.atomic():
        counts = {**_blank(tenant), **_delete(tenant), "files": files}
        tenant.status, tenant.name, tenant.domain = Tenant.Status.ERASED, "erased", ""
        tenant.save(update_fields=["status", "name", "domain"])
        wish.erased_at, wish.erased = timezone.now(), counts
        wish.save(update_fields=["erased_at", "erased"])
        audit.record("tenant.erase", wish, after=counts)
    log.info("erased", tenant=str(tenant.id), **counts)
    return True


def _remove_files(tenant: Tenant) -> int:
    """Remove partitions, labels, weights and whatever lies in the folders of the tenant's runs."""
    fs, root = fsspec.core.url_to_fs(settings.STORAGE_URL)
    found: set[str] = set()
    for model in (Partition, LabelSet, Checkpoint):
        uris = model._base_manager.filter(tenant_id=tenant.id).values_list("uri", flat=True)
        found |= {f"{root}/{uri}" for uri in uris if uri}
    folders = _folders(tenant, root)
    for folder in folders:
        if fs.exists(folder):
            found |= set(fs.find(folder))
    removed = 0
    for path in sorted(found):
        if fs.exists(path):
            fs.rm_file(path)
            removed += 1
    for folder in folders:
        if fs.exists(folder):
            fs.rm(folder, recursive=True)
    return removed


def _folders(tenant: Tenant, root: str) -> list[str]:
    """Return every folder in which only this tenant's files lie."""
    runs = Run.objects.filter(tenant=tenant).values_list("id", flat=True)
    return [f"{root}/tenants/{tenant.id}", *(f"{root}/runs/{run_id}" for run_id in runs)]


def _remove_latecomers() -> None:
    """Remove what a transfer that was under way at the erasure has stored since."""
    fs, root = fsspec.core.url_to_fs(settings.STORAGE_URL)
    recent = TenantDeletion.objects.filter(erased_at__gte=timezone.now() - LATE).select_related("tenant")
    for wish in recent:
        for folder in _folders(wish.tenant, root):
            if fs.exists(folder):
                fs.rm(folder, recursive=True)
                log.info("erased_late", tenant=str(wish.tenant_id))


def _blank(tenant: Tenant) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT exfm_erase_tenant(%s)", [tenant.id])
        told = cursor.fetchone()[0]
    counts: dict[str, int] = json.loads(told) if isinstance(told, str) else told
    streams = Stream.objects.filter(tenant=tenant)
    for stream in streams:
        streams.filter(id=stream.id).update(name=f"erased-{stream.id}", schema={}, feed_fm=False, feed_shared=False)
    vertical = VerticalModel.objects.filter(tenant=tenant)
    for model in vertical:
        vertical.filter(id=model.id).update(name=f"erased-{model.id}", status=VerticalModel.Status.PAUSED)
    counts["catalog_stream"], counts["registry_verticalmodel"] = len(streams), len(vertical)
    attempts = Attempt.objects.filter(tenant=tenant)
    counts["runs_attempt"] = attempts.update(log_tail="", message="", mend="", worker="")
    counts["runs_run"] = Run.objects.filter(tenant=tenant).update(
        reason_message="", progress={}, waiting={}, environment={}
    )
    return counts


def _delete(tenant: Tenant) -> dict[str, int]:
    services_of = Membership.objects.filter(tenant=tenant, user__is_service=True).values_list("user_id", flat=True)
    User.objects.filter(id__in=list(services_of)).update(is_active=False, name="")
    counts = {}
    for table in DELETED:
        rows = _model(table)._base_manager.filter(tenant_id=tenant.id)
        counts[table] = rows._raw_delete(rows.db)
    return counts


def _model(table: str) -> type[models.Model]:
    return next(model for model in apps.get_models() if model._meta.db_table == table)

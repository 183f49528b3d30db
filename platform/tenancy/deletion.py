"""A tenant's end: an owner asks, a time of grace runs in which owners may think again, then everything is erased."""

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from config import env
from tenancy import audit, services
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.models import Tenant, TenantDeletion, User

OPEN: Final = {"cancelled_at__isnull": True, "erased_at__isnull": True}
"""The wish that counts: neither taken back nor done."""


def grace() -> timedelta:
    """Return how long after the wish a tenant is erased (EXFM_DELETION_GRACE_DAYS, 30)."""
    return timedelta(days=env.number("EXFM_DELETION_GRACE_DAYS", 30))


def open_request() -> TenantDeletion | None:
    """Return the open wish of the tenant in scope."""
    return TenantDeletion.objects.filter(**OPEN).first()


@transaction.atomic
def request(*, tenant: Tenant, user: User, confirm: str, reason: str) -> TenantDeletion:
    """Ask for the end. `confirm` repeats the tenant's slug, so that nobody does it in passing."""
    if confirm != tenant.slug:
        raise Invalid(
            "confirmation_wrong", "The confirmation is not the tenant's slug.", f"Send {tenant.slug}.", field="confirm"
        )
    if open_request() is not None:
        raise Conflict("deletion_open", "The deletion was asked for already.", "Cancel it, or wait for its time.")
    row = TenantDeletion(tenant=tenant, requested_by=user, reason=reason, erase_after=timezone.now() + grace())
    row.save(force_insert=True)
    audit.record("tenant.request_deletion", row, after={"erase_after": row.erase_after}, reason=reason)
    return row


@transaction.atomic
def cancel() -> TenantDeletion:
    """Take the wish back; too late once `begin` has come first."""
    row = TenantDeletion.objects.select_for_update(of=("self",)).filter(**OPEN).first()
    if row is None:
        raise NotFound("deletion_not_open", "No deletion is under way.", "There is nothing to cancel.")
    if Tenant.objects.filter(id=row.tenant_id).exclude(status=Tenant.Status.ACTIVE).exists():
        raise Conflict("deletion_begun", "The erasure has begun.", "Ask the platform's administrators what is left.")
    row.cancelled_at = timezone.now()
    row.save(update_fields=["cancelled_at"])
    audit.record("tenant.cancel_deletion", row, before={"erase_after": row.erase_after})
    return row


def due() -> QuerySet[TenantDeletion]:
    """Return the wishes whose time has come; platform's processes only."""
    return TenantDeletion.objects.filter(**OPEN, erase_after__lte=timezone.now()).select_related("tenant")


@transaction.atomic
def begin(wish: TenantDeletion) -> bool:
    """Suspend the tenant for its erasure; False where an owner took the wish back meanwhile."""
    held = due().select_for_update(of=("self",)).filter(id=wish.id).first()
    if held is None:
        return False
    if held.tenant.status == Tenant.Status.ACTIVE:
        services.set_tenant_status(tenant=held.tenant, status=Tenant.Status.SUSPENDED, reason="its deletion is due")
    wish.tenant = held.tenant
    return True

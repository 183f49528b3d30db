"""The audit log: in the change's transaction, attributed, complete."""

from decimal import Decimal

import pytest
from django.db import transaction

from tenancy import audit, services
from tenancy.context import Actor, acting
from tenancy.models import AuditEntry, Membership, Role
from tenancy.scope import platform_scope
from tests.kit.cast import Cast


def test_a_change_and_its_row_are_one(cast: Cast) -> None:
    with platform_scope("test"):
        membership = Membership.objects.get(user=cast.viewer)
        with pytest.raises(RuntimeError), transaction.atomic():
            services.change_role(membership=membership, role=Role.ENGINEER)
            raise RuntimeError
        assert AuditEntry.objects.count() == 0
        services.change_role(membership=Membership.objects.get(user=cast.viewer), role=Role.ENGINEER)
        assert AuditEntry.objects.count() == 1


def test_what_changes_nothing_leaves_no_row(cast: Cast) -> None:
    with platform_scope("test"):
        services.change_role(membership=Membership.objects.get(user=cast.viewer), role=Role.VIEWER)
        assert AuditEntry.objects.count() == 0


def test_the_actor_the_tenant_and_the_values_are_recorded(cast: Cast) -> None:
    actor = Actor(label="ann@example.com", user_id=cast.owner.id, token_prefix="abc", request_id="r-1", reason="why")
    with platform_scope("test"), acting(actor):
        audit.record("tenant.status", cast.tenant, before={"amount": Decimal("1.50")}, after={"id": cast.tenant.id})
        entry = AuditEntry.objects.get()
    assert (entry.tenant_id, entry.actor_id, entry.token_prefix) == (cast.tenant.id, cast.owner.id, "abc")
    assert (entry.request_id, entry.reason, entry.target_type) == ("r-1", "why", "tenant")
    assert (entry.before, entry.after) == ({"amount": "1.50"}, {"id": str(cast.tenant.id)})


def test_outside_a_request_the_platform_itself_acts(cast: Cast) -> None:
    with platform_scope("test"):
        assert audit.record("tenant.status", cast.tenant).actor_label == "system"


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_recording_is_refused() -> None:
    from tests.kit.factories import make_tenant

    with pytest.raises(transaction.TransactionManagementError), platform_scope("test"):
        audit.record("tenant.status", make_tenant())

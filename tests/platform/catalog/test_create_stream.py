"""Registering a stream."""

import pytest

from catalog import selectors, services
from catalog.services import StreamTerms
from tenancy.errors import DomainError
from tenancy.models import AuditEntry
from tenancy.scope import platform_scope, tenant_scope
from tests.kit import domain

pytestmark = pytest.mark.django_db


def test_a_stream_keeps_its_schema_and_leaves_an_audit_row() -> None:
    with platform_scope("test"):
        tenant = domain.make_tenant()
        stream = services.create_stream(
            tenant=tenant, name="ads", schema=domain.schema().to_json(), terms=StreamTerms(feed_fm=True)
        )
        found = selectors.counted_stream(stream_id=stream.id)
        assert selectors.schema_of(found) == domain.schema()
        assert (found.feed_fm, found.feed_shared) == (True, False)
        assert found.counts == {"sealed": 0, "rejected": 0, "rows": 0}
        assert AuditEntry.objects.get(target_id=str(stream.id)).action == "stream.create"


def test_an_impossible_schema_is_refused_with_the_core_s_sentence() -> None:
    broken = domain.schema().to_json()
    broken["features"][0]["bukkets"] = 7
    with platform_scope("test"):
        tenant = domain.make_tenant()
        with pytest.raises(DomainError) as caught:
            services.create_stream(tenant=tenant, name="ads", schema=broken, terms=StreamTerms())
    assert caught.value.code == "spec.unknown_field"
    assert "'bukkets'" in caught.value.message
    assert caught.value.mend
    assert caught.value.field == "schema"


def test_a_taken_name_is_refused_within_a_tenant_only() -> None:
    with platform_scope("test"):
        first, second = domain.make_tenant(), domain.make_tenant()
        domain.make_stream(first, name="ads")
        services.create_stream(tenant=second, name="ads", schema=domain.schema().to_json(), terms=StreamTerms())
        with pytest.raises(DomainError) as caught:
            services.create_stream(tenant=first, name="ads", schema=domain.schema().to_json(), terms=StreamTerms())
    assert (caught.value.code, caught.value.status) == ("stream_name_taken", 409)


def test_changing_terms_is_audited_once(as_role) -> None:
    with platform_scope("test"):
        stream = domain.make_stream(domain.make_tenant(), feed_fm=True)
    with as_role("exfm_app"), tenant_scope(stream.tenant_id):
        for _ in range(2):
            changed = services.change_terms(stream_id=stream.id, terms=StreamTerms(feed_fm=False))
        assert changed.feed_fm is False
    with platform_scope("test"):
        entries = AuditEntry.objects.filter(action="stream.change_terms")
        assert [(entry.before["feed_fm"], entry.after["feed_fm"]) for entry in entries] == [(True, False)]

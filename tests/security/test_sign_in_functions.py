"""What the functions of sign-in give to a tenants' process that calls them with nothing to show."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from tenancy.ids import new_id
from tenancy.models import AuditEntry, IdentityDomain, IdentityProvider, PasswordReset, User
from tenancy.scope import platform_scope
from tests.kit.cast import Cast
from tests.kit.factories import make_user
from tests.kit.roles import PLATFORM, database_role


def ask(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Return all rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def hash_of(user: User) -> str:
    """Return the stored hash, with the platform's eyes."""
    with database_role(PLATFORM):
        return str(User._base_manager.values_list("password", flat=True).get(id=user.id))


def test_a_password_changes_only_for_who_knows_its_hash(cast: Cast, as_app: None) -> None:
    before = hash_of(cast.owner)
    assert ask("SELECT exfm_change_password(%s, %s, %s)", cast.owner.id, "another hash", "x") == [(False,)]
    assert ask("SELECT exfm_change_password(%s, %s, %s)", cast.owner.id, "", "x") == [(False,)]
    assert hash_of(cast.owner) == before
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        connection.cursor().execute("UPDATE tenancy_user SET password = 'x'")


def test_links_are_found_by_their_digest_and_listed_by_nobody(cast: Cast, as_app: None) -> None:
    assert ask("SELECT exfm_password_reset(%s)", "0" * 64) == [(None,)]
    assert ask("SELECT exfm_use_password_reset(%s, %s)", "0" * 64, "x") == [(None,)]
    assert ask("SELECT * FROM exfm_invitation(%s)", "0" * 64) == []
    for table in (PasswordReset._meta.db_table, IdentityDomain._meta.db_table):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            connection.cursor().execute(f"SELECT * FROM {table}")
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        connection.cursor().execute("SELECT digest FROM tenancy_invitation")


def test_a_new_user_has_no_rights_and_takes_nobodys_address(cast: Cast, as_app: None) -> None:
    made = new_id()
    ask("SELECT exfm_create_user(%s, %s, %s, %s, %s)", made, "New@example.com", "New", "x", False)
    with database_role(PLATFORM):
        user = User.objects.get(id=made)
        assert (user.email, user.is_staff, user.is_superuser) == ("new@example.com", False, False)
    with pytest.raises(DatabaseError, match="unique"), transaction.atomic():
        ask("SELECT exfm_create_user(%s, %s, %s, %s, %s)", new_id(), cast.owner.email, "", "x", False)


def test_the_log_of_accounts_takes_no_other_action(cast: Cast, as_app: None) -> None:
    values = [cast.owner.id, cast.owner.email, "", None, None, "", ""]
    for action in ("tenant.erase", "user.create", "accountant.x"):
        ask("SELECT exfm_audit_account(%s, %s, %s, %s, %s, %s, %s, %s, %s)", new_id(), *values[:3], action, *values[3:])
    with database_role(PLATFORM), platform_scope("test"):
        assert AuditEntry.objects.count() == 0


def test_an_outside_identity_is_adopted_for_the_providers_domains_alone(cast: Cast, as_app: None) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        provider = IdentityProvider.objects.create(slug="p", name="P", issuer="https://p.example", client_id="x")
        IdentityDomain.objects.create(provider=provider, domain="corp.example", tenant=cast.tenant)
        off = IdentityProvider.objects.create(
            slug="off", name="Off", issuer="https://off.example", client_id="x", is_active=False
        )
        IdentityDomain.objects.create(provider=off, domain="off.example")
        make_user(email="root@corp.example", is_staff=True)
        make_user(email="gone@corp.example", is_active=False)

    def adopt(row: IdentityProvider, email: str) -> list[tuple[Any, ...]]:
        values = [new_id(), row.id, email, email, "", new_id(), "!"]
        return ask("SELECT * FROM exfm_adopt_identity(%s, %s, %s, %s, %s, %s, %s)", *values)

    refused = ("a@example.com", "a@sub.corp.example", "root@corp.example", "gone@corp.example", "corp.example", "")
    assert [adopt(provider, email) for email in refused] == [[]] * len(refused)
    assert adopt(off, "a@off.example") == []
    ((_, created, tenant_id, role),) = adopt(provider, "a@Corp.example")
    assert (created, tenant_id, role) == (True, cast.tenant.id, "viewer")

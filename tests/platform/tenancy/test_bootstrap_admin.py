"""`manage.py bootstrap_admin`."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tenancy.models import ApiToken, AuditEntry, SecondFactor, User
from tenancy.scope import platform_scope
from tenancy.tokens import verify
from tests.kit.factories import make_user
from tests.kit.roles import APP, OWNER, database_role

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> dict[str, str | None]:
    """Run the command and decode what it prints."""
    out = io.StringIO()
    call_command("bootstrap_admin", "--email", "Root@example.com", "--json", *arguments, stdout=out)
    found: dict[str, str | None] = json.loads(out.getvalue())
    return found


def test_the_first_time_makes_an_administrator_with_password_and_token() -> None:
    made = run()
    user = User.objects.get(email="root@example.com")
    assert user.is_staff
    assert user.check_password(made["password"] or "")
    grant = verify(made["token"] or "")
    assert (grant.user_id, grant.tenant_id) == (user.id, None)
    with platform_scope("test"):
        assert set(AuditEntry.objects.values_list("action", flat=True)) == {"user.create", "token.create"}


def test_again_gives_another_token_and_leaves_the_password() -> None:
    first, second = run(), run()
    assert second["password"] is None
    assert first["token"] != second["token"]
    assert User.objects.get().check_password(first["password"] or "")
    with platform_scope("test"):
        assert ApiToken.objects.count() == 2


def test_a_forgotten_password_can_be_reset() -> None:
    run()
    assert User.objects.get().check_password(run("--reset-password")["password"] or "")


def test_a_tenants_user_does_not_become_administrator() -> None:
    make_user(email="root@example.com")
    with pytest.raises(CommandError, match="another address"):
        run()


@pytest.mark.parametrize("role", [APP, OWNER])
def test_another_database_role_is_refused_with_the_mend(role: str) -> None:
    with database_role(role), pytest.raises(CommandError, match="EXFM_PROCESS=admin"):
        run()


def test_a_lost_second_factor_is_turned_off() -> None:
    run()
    user = User.objects.get(email="root@example.com")
    SecondFactor.objects.create(user=user, secret="x", confirmed_at=timezone.now())
    run()
    assert SecondFactor.objects.filter(user=user).exists()
    run("--remove-second-factor")
    assert not SecondFactor.objects.filter(user=user).exists()
    with platform_scope("test"):
        assert AuditEntry.objects.filter(action="user.remove_second_factor").count() == 1

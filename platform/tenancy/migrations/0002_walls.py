"""Row-level security of tenancy's tables, and the few questions that must be answered before a tenant is known.

`exfm_app` never selects a password: it asks `exfm_login(email)` for one user's hash at sign-in, and gets everything else
about the signed-in user, with a stamp that changes with the password, from `exfm_user(id)`.
"""

from django.db import migrations

from tenancy.rls import SAME_TENANT, TENANT, USER, EnableRLS, Grant

USER_COLUMNS = "id, email, name, is_active, is_staff, is_superuser, last_login, created_at"
READABLE_COLUMNS = "id, created_at, tenant_id, name, prefix, user_id, scopes, expires_at, revoked_at, last_used_at"

LOGIN = """
CREATE FUNCTION exfm_login(wanted text) RETURNS TABLE (id uuid, password varchar, is_active boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.id, u.password, u.is_active FROM public.tenancy_user u WHERE u.email = lower(wanted)
$$
"""

WHO = """
CREATE FUNCTION exfm_user(wanted uuid) RETURNS TABLE (
    id uuid, email varchar, name varchar, is_active boolean, is_staff boolean, is_superuser boolean,
    last_login timestamptz, created_at timestamptz, session_stamp text
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.id, u.email, u.name, u.is_active, u.is_staff, u.is_superuser, u.last_login, u.created_at,
           encode(sha256(convert_to(u.password, 'UTF8')), 'hex')
    FROM public.tenancy_user u WHERE u.id = wanted
$$
"""

BY_PREFIX = """
CREATE FUNCTION exfm_token(wanted text) RETURNS TABLE (
    id uuid, tenant_id uuid, user_id uuid, digest varchar, scopes varchar[],
    expires_at timestamptz, revoked_at timestamptz, last_used_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.id, t.tenant_id, t.user_id, t.digest, t.scopes, t.expires_at, t.revoked_at, t.last_used_at
    FROM public.tenancy_apitoken t WHERE t.prefix = wanted
$$
"""

TOUCH_LOGIN = """
CREATE FUNCTION exfm_touch_login(wanted uuid) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE public.tenancy_user SET last_login = now() WHERE id = wanted
$$
"""

TOUCH_LAST_USE = """
CREATE FUNCTION exfm_touch_token(wanted uuid) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE public.tenancy_apitoken SET last_used_at = now()
    WHERE id = wanted AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
$$
"""

FUNCTIONS = {
    "exfm_login(text)": LOGIN,
    "exfm_user(uuid)": WHO,
    "exfm_token(text)": BY_PREFIX,
    "exfm_touch_login(uuid)": TOUCH_LOGIN,
    "exfm_touch_token(uuid)": TOUCH_LAST_USE,
}


def function(signature: str, body: str) -> migrations.RunSQL:
    """Create a function that only the two roles may call."""
    return migrations.RunSQL(
        [
            body,
            f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC",
            f"GRANT EXECUTE ON FUNCTION {signature} TO exfm_app, exfm_platform",
        ],
        f"DROP FUNCTION {signature}",
    )


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0001_initial")]

    operations = [
        EnableRLS(
            "tenancy_tenant",
            app="SELECT",
            platform="SELECT, INSERT, UPDATE",
            app_sees=f"id = {TENANT} OR EXISTS (SELECT 1 FROM tenancy_membership m"
            f" WHERE m.tenant_id = tenancy_tenant.id AND m.user_id = {USER})",
        ),
        EnableRLS(
            "tenancy_membership",
            app="SELECT, INSERT, UPDATE (role), DELETE",
            parent=True,
            also_reads=f"user_id = {USER}",
        ),
        EnableRLS(
            "tenancy_user",
            app=f"SELECT ({USER_COLUMNS})",
            platform="SELECT, INSERT, UPDATE",
            app_sees=f"id = {USER} OR EXISTS (SELECT 1 FROM tenancy_membership m"
            f" WHERE m.user_id = tenancy_user.id AND m.tenant_id = {TENANT})",
            owner=("SELECT", "UPDATE"),
        ),
        EnableRLS(
            "tenancy_apitoken",
            app=f"SELECT ({READABLE_COLUMNS}), INSERT, UPDATE (revoked_at)",
            owner=("SELECT", "UPDATE"),
        ),
        EnableRLS("tenancy_auditentry", app="SELECT, INSERT", platform="SELECT, INSERT"),
        Grant("tenancy_signinattempt", app="SELECT, INSERT, UPDATE, DELETE"),
        migrations.RunSQL(SAME_TENANT, "DROP FUNCTION exfm_same_tenant()"),
        *(function(signature, body) for signature, body in FUNCTIONS.items()),
    ]

"""Walls of invitations, ways to sign in and deletions; the questions that sign-in asks before a tenant is known.

Tenants' processes still may not write `tenancy_user`: a new user, a new password and a new outside identity each have a
function of their own, which demands what proves the right (the old hash, an unused link, a domain that an administrator
entrusted to the provider).
"""

from django.db import migrations

from tenancy.rls import USER, EnableRLS, Grant, OwnerPolicy, function, replaced

USER_COLUMNS = (
    "id uuid, email varchar, name varchar, is_active boolean, is_staff boolean, is_superuser boolean,"
    " {service} last_login timestamptz, created_at timestamptz, session_stamp text"
)
SELECT_USER = """
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.id, u.email, u.name, u.is_active, u.is_staff, u.is_superuser, {service} u.last_login, u.created_at,
           encode(sha256(convert_to(u.password, 'UTF8')), 'hex')
    FROM public.tenancy_user u WHERE u.id = wanted
$$
"""


def who(service_column: str, service_value: str) -> str:
    """Return `exfm_user` with or without the flag of service accounts."""
    return (
        f"CREATE FUNCTION exfm_user(wanted uuid) RETURNS TABLE ({USER_COLUMNS.format(service=service_column)})"
        + SELECT_USER.format(service=service_value)
    )


LOGIN = """
CREATE FUNCTION exfm_login(wanted text) RETURNS TABLE (id uuid, password varchar, is_active boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.id, u.password, u.is_active FROM public.tenancy_user u WHERE u.email = lower(wanted) {people}
$$
"""

CREATE_USER = """
CREATE FUNCTION exfm_create_user(wanted uuid, address text, called text, hashed text, service boolean) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO public.tenancy_user (id, email, name, password, is_active, is_staff, is_superuser, is_service, created_at)
    VALUES (wanted, lower(address), called, hashed, true, false, false, service, now())
$$
"""

SWAPS_THE_HASH = """
CREATE FUNCTION exfm_change_password(wanted uuid, known text, hashed text) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH changed AS (
        UPDATE public.tenancy_user SET password = hashed
        WHERE id = wanted AND password = known AND is_active AND NOT is_service RETURNING id
    ) SELECT EXISTS (SELECT 1 FROM changed)
$$
"""

FINDS_A_RESET = """
CREATE FUNCTION exfm_password_reset(presented text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.user_id FROM public.tenancy_passwordreset r JOIN public.tenancy_user u ON u.id = r.user_id
    WHERE r.digest = presented AND r.used_at IS NULL AND r.expires_at > now() AND u.is_active AND NOT u.is_service
$$
"""

USES_A_RESET = """
CREATE FUNCTION exfm_use_password_reset(presented text, hashed text) RETURNS uuid
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH used AS (
        UPDATE public.tenancy_passwordreset r SET used_at = now() FROM public.tenancy_user u
        WHERE r.digest = presented AND r.used_at IS NULL AND r.expires_at > now()
              AND u.id = r.user_id AND u.is_active AND NOT u.is_service
        RETURNING r.user_id
    ), changed AS (
        UPDATE public.tenancy_user SET password = hashed FROM used WHERE id = used.user_id RETURNING id
    ) SELECT id FROM changed
$$
"""

INVITATION = """
CREATE FUNCTION exfm_invitation(presented text) RETURNS TABLE (id uuid, tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT i.id, i.tenant_id FROM public.tenancy_invitation i WHERE i.digest = presented
$$
"""

IDENTITY = """
CREATE FUNCTION exfm_identity(wanted uuid, known_as text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT i.user_id FROM public.tenancy_identity i JOIN public.tenancy_identityprovider p ON p.id = i.provider_id
    WHERE i.provider_id = wanted AND i.subject = known_as AND p.is_active
$$
"""

ADOPT_IDENTITY = """
CREATE FUNCTION exfm_adopt_identity(
    identity uuid, wanted uuid, known_as text, address text, called text, fresh uuid, unusable text
) RETURNS TABLE (user_id uuid, created boolean, tenant_id uuid, role varchar)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    rule public.tenancy_identitydomain;
    person public.tenancy_user;
    is_new boolean := false;
BEGIN
    SELECT d.* INTO rule FROM public.tenancy_identitydomain d
    JOIN public.tenancy_identityprovider p ON p.id = d.provider_id AND p.is_active
    WHERE d.provider_id = wanted AND d.domain = split_part(lower(address), '@', 2);
    IF NOT FOUND THEN RETURN; END IF;
    SELECT u.* INTO person FROM public.tenancy_user u WHERE u.email = lower(address);
    IF NOT FOUND THEN
        INSERT INTO public.tenancy_user
            (id, email, name, password, is_active, is_staff, is_superuser, is_service, created_at)
        VALUES (fresh, lower(address), called, unusable, true, false, false, false, now()) RETURNING * INTO person;
        is_new := true;
    ELSIF person.is_staff OR person.is_service OR NOT person.is_active THEN
        RETURN;
    END IF;
    INSERT INTO public.tenancy_identity (id, created_at, provider_id, subject, user_id)
    VALUES (identity, now(), wanted, known_as, person.id);
    RETURN QUERY SELECT person.id, is_new, rule.tenant_id, rule.role;
END $$
"""

AUDIT_ACCOUNT = """
CREATE FUNCTION exfm_audit_account(
    entry uuid, who uuid, label text, token text, did text, was jsonb, became jsonb, why text, request text
) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO public.tenancy_auditentry (id, created_at, tenant_id, actor_id, actor_label, token_prefix, action,
                                           target_type, target_id, before, after, reason, request_id)
    SELECT entry, now(), NULL, who, label, token, did, 'user', who::text, was, became, why, request
    WHERE did LIKE 'account.%'
$$
"""

FUNCTIONS = {
    "exfm_create_user(uuid, text, text, text, boolean)": CREATE_USER,
    "exfm_change_password(uuid, text, text)": SWAPS_THE_HASH,
    "exfm_password_reset(text)": FINDS_A_RESET,
    "exfm_use_password_reset(text, text)": USES_A_RESET,
    "exfm_invitation(text)": INVITATION,
    "exfm_identity(uuid, text)": IDENTITY,
    "exfm_adopt_identity(uuid, uuid, text, text, text, uuid, text)": ADOPT_IDENTITY,
    "exfm_audit_account(uuid, uuid, text, text, text, jsonb, jsonb, text, text)": AUDIT_ACCOUNT,
}

INVITATION_COLUMNS = (
    "id, created_at, tenant_id, email, role, invited_by_id, expires_at, accepted_at, accepted_by_id, revoked_at"
)
OWN = f"user_id = {USER}"


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0004_access")]

    operations = [
        migrations.RunSQL(
            "GRANT SELECT (is_service) ON tenancy_user TO exfm_app",
            "REVOKE SELECT (is_service) ON tenancy_user FROM exfm_app",
        ),
        EnableRLS(
            "tenancy_invitation",
            app=f"SELECT ({INVITATION_COLUMNS}), INSERT, UPDATE (accepted_at, accepted_by_id, revoked_at)",
            owner=("SELECT",),
        ),
        EnableRLS("tenancy_tenantdeletion", app="SELECT, INSERT, UPDATE (cancelled_at)"),
        EnableRLS("tenancy_identitydomain", app="", owner=("SELECT",)),
        EnableRLS("tenancy_secondfactor", app="SELECT, INSERT, UPDATE, DELETE", app_sees=OWN),
        EnableRLS("tenancy_recoverycode", app="SELECT, INSERT, UPDATE (used_at), DELETE", app_sees=OWN),
        EnableRLS("tenancy_identity", app="SELECT", app_sees=OWN, owner=("SELECT", "INSERT")),
        Grant("tenancy_identityprovider", app="SELECT"),
        Grant("tenancy_passwordreset"),
        OwnerPolicy("tenancy_user", "INSERT"),
        OwnerPolicy("tenancy_auditentry", "INSERT"),
        *replaced("exfm_user(uuid)", old=who("", ""), new=who("is_service boolean,", "u.is_service,")),
        *replaced("exfm_login(text)", old=LOGIN.format(people=""), new=LOGIN.format(people="AND NOT u.is_service")),
        *(function(signature, body) for signature, body in FUNCTIONS.items()),
    ]

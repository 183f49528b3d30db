"""A tenant may require a second factor of its members, and a provider be trusted to ask for one.

Tenants' processes write that one column of the announced tenant's row; owners see which members have a factor here, and
nothing else of it.
"""

from django.db import migrations, models

from tenancy.rls import APP, TENANT, USER, OwnerPolicy, function

COLUMN = "requires_second_factor"
OWN_ROW = f"CREATE POLICY own_row ON tenancy_tenant AS RESTRICTIVE FOR UPDATE TO {APP} USING (id = {TENANT})"

WHO_HAS_ONE = f"""
CREATE FUNCTION exfm_members_with_second_factor() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT f.user_id FROM public.tenancy_secondfactor f
    JOIN public.tenancy_membership m ON m.user_id = f.user_id AND m.tenant_id = {TENANT}
    WHERE f.confirmed_at IS NOT NULL AND EXISTS (
        SELECT 1 FROM public.tenancy_membership o
        WHERE o.tenant_id = {TENANT} AND o.user_id = {USER} AND o.role = 'owner'
    )
$$
"""


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0006_proof_of_address")]

    operations = [
        migrations.AddField(
            "tenant", COLUMN, models.BooleanField(default=False, help_text="of members who come by session")
        ),
        migrations.AddField(
            "identityprovider",
            "trusts_second_factor",
            models.BooleanField(
                default=False, help_text="a second factor asked there, by its signed word, counts here"
            ),
        ),
        migrations.AddField(
            "identityprovider",
            "second_factor_acr",
            models.CharField(
                max_length=300, blank=True, help_text="`acr` values that mean one, apart by spaces; they are asked for"
            ),
        ),
        migrations.RunSQL(
            [f"GRANT UPDATE ({COLUMN}) ON tenancy_tenant TO {APP}", OWN_ROW],
            ["DROP POLICY own_row ON tenancy_tenant", f"REVOKE UPDATE ({COLUMN}) ON tenancy_tenant FROM {APP}"],
        ),
        OwnerPolicy("tenancy_secondfactor", "SELECT"),
        OwnerPolicy("tenancy_membership", "SELECT"),
        function("exfm_members_with_second_factor()", WHO_HAS_ONE),
    ]

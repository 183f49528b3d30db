"""Row-level security of the registry, and the one thing a tenant must know of others: which slot of an FM is free."""

from django.db import migrations

from tenancy.rls import APP, PLATFORM, EnableRLS, Grant, TenantForeignKey

# The slots of other tenants are invisible to exfm_app, so the owner's function looks, and answers with a number alone.
NEXT_SLOT = """
CREATE FUNCTION registry_next_slot(model uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    free integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('slots:' || model::text, 0));
    SELECT min(candidate) INTO free FROM (
        SELECT 1 AS candidate
        UNION ALL SELECT slot + 1 FROM public.registry_tenantslot WHERE foundation_model_id = model
    ) AS candidates
    WHERE NOT EXISTS (
        SELECT FROM public.registry_tenantslot WHERE foundation_model_id = model AND slot = candidate);
    RETURN free;
END $$;
REVOKE ALL ON FUNCTION registry_next_slot(uuid) FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("registry", "0002_guards"), ("catalog", "0003_isolation"), ("tenancy", "0002_walls")]

    operations = [
        Grant("registry_foundationmodel", app="SELECT"),
        Grant("registry_foundationversion", app="SELECT", platform="SELECT, INSERT"),
        Grant("registry_snapshot", app="SELECT"),
        EnableRLS("registry_tenantslot", app="SELECT, INSERT", owner=("SELECT",)),
        EnableRLS("registry_verticalmodel", app="SELECT, INSERT, UPDATE", parent=True),
        EnableRLS("registry_modelversion", app="SELECT, INSERT", platform="SELECT, INSERT", parent=True),
        EnableRLS("registry_binding", app="SELECT, INSERT, UPDATE"),
        EnableRLS("registry_lineage", app="SELECT, INSERT, UPDATE", parent=True),
        EnableRLS("registry_checkpoint", app="SELECT", platform="SELECT, INSERT", parent=True),
        EnableRLS("registry_labelset", app="SELECT", platform="SELECT, INSERT", parent=True, owner=("SELECT",)),
        EnableRLS("registry_gateresult", app="SELECT", platform="SELECT, INSERT"),
        TenantForeignKey("registry_verticalmodel", "stream_id", "catalog_stream"),
        TenantForeignKey("registry_modelversion", "model_id", "registry_verticalmodel"),
        TenantForeignKey("registry_binding", "model_id", "registry_verticalmodel"),
        TenantForeignKey("registry_lineage", "model_version_id", "registry_modelversion"),
        TenantForeignKey("registry_lineage", "head_id", "registry_checkpoint"),
        TenantForeignKey("registry_lineage", "parent_checkpoint_id", "registry_checkpoint", platform_parent=True),
        TenantForeignKey("registry_checkpoint", "lineage_id", "registry_lineage"),
        TenantForeignKey("registry_labelset", "partition_id", "catalog_partition"),
        migrations.RunSQL(NEXT_SLOT, "DROP FUNCTION registry_next_slot(uuid);"),
        migrations.RunSQL(
            f"GRANT EXECUTE ON FUNCTION registry_next_slot(uuid) TO {APP}, {PLATFORM};", migrations.RunSQL.noop
        ),
    ]

"""What stays of an erased tenant are tombstones: times, counts, hashes and money, without anything it wrote.

Specifications and measurements are immutable for everybody; one function may blank them, for a tenant whose own request
is due, and nobody but the platform may call it.
"""

from django.db import migrations

from tenancy.rls import PLATFORM, OwnerPolicy

ERASE = """
CREATE FUNCTION exfm_erase_tenant(wanted uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    versions bigint;
    partitions bigint;
    sums bigint;
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.tenancy_tenantdeletion d
        WHERE d.tenant_id = wanted AND d.cancelled_at IS NULL AND d.erased_at IS NULL AND d.erase_after <= now()
    ) THEN
        RAISE EXCEPTION 'tenant % is not due to be erased', wanted USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM set_config('app.erasing', wanted::text, true);
    UPDATE public.registry_modelversion SET spec = '{}' WHERE tenant_id = wanted;
    GET DIAGNOSTICS versions = ROW_COUNT;
    UPDATE public.catalog_partition SET positives = '{}', problems = '[]' WHERE tenant_id = wanted;
    GET DIAGNOSTICS partitions = ROW_COUNT;
    DELETE FROM public.runs_metricsums WHERE tenant_id = wanted;
    GET DIAGNOSTICS sums = ROW_COUNT;
    PERFORM set_config('app.erasing', '', true);
    RETURN jsonb_build_object(
        'registry_modelversion', versions, 'catalog_partition', partitions, 'runs_metricsums', sums);
END $$;
REVOKE ALL ON FUNCTION exfm_erase_tenant(uuid) FROM PUBLIC;
"""

# True inside that function alone: nobody else runs as the tables' owner with a tenant named.
ERASING = """TG_OP = 'UPDATE' AND current_setting('app.erasing', true) = to_jsonb(OLD) ->> 'tenant_id'
       AND current_user = (SELECT relowner::regrole::text FROM pg_class WHERE oid = TG_RELID)"""

IMMUTABLE = """
CREATE OR REPLACE FUNCTION registry_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {first}
    RAISE EXCEPTION '% % is immutable', TG_TABLE_NAME, OLD.id USING ERRCODE = 'restrict_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("api", "0001_initial"),
        ("catalog", "0003_isolation"),
        ("registry", "0003_isolation"),
        ("runs", "0003_isolation"),
        ("tenancy", "0005_access_walls"),
    ]

    operations = [
        migrations.RunSQL(IMMUTABLE.format(first=f"IF {ERASING} THEN RETURN NEW; END IF;"), IMMUTABLE.format(first="")),
        migrations.RunSQL(
            "DROP TRIGGER partition_guard ON catalog_partition;"
            " CREATE TRIGGER partition_guard BEFORE UPDATE OR DELETE ON catalog_partition FOR EACH ROW"
            " WHEN (coalesce(current_setting('app.erasing', true), '') <> OLD.tenant_id::text"
            " OR current_user <> 'exfm_owner') EXECUTE FUNCTION catalog_partition_guard();",
            "DROP TRIGGER partition_guard ON catalog_partition;"
            " CREATE TRIGGER partition_guard BEFORE UPDATE OR DELETE ON catalog_partition FOR EACH ROW"
            " EXECUTE FUNCTION catalog_partition_guard();",
        ),
        OwnerPolicy("tenancy_tenantdeletion", "SELECT"),
        OwnerPolicy("registry_modelversion", "SELECT"),
        OwnerPolicy("registry_modelversion", "UPDATE"),
        OwnerPolicy("catalog_partition", "SELECT"),
        OwnerPolicy("catalog_partition", "UPDATE"),
        OwnerPolicy("runs_metricsums", "SELECT"),
        OwnerPolicy("runs_metricsums", "DELETE"),
        migrations.RunSQL(
            [ERASE, f"GRANT EXECUTE ON FUNCTION exfm_erase_tenant(uuid) TO {PLATFORM}"],
            "DROP FUNCTION exfm_erase_tenant(uuid)",
        ),
    ]

"""Tenants delete streams and partitions that nothing has used; the database itself refuses a partition in use.

The work of a foundation model is the platform's and hidden from the tenant's role, hence functions of the owner.
"""

from django.db import migrations

from tenancy.rls import APP, PLATFORM, TENANT, OwnerPolicy

UNUSED = """
CREATE FUNCTION catalog_partition_unused() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- The row is locked here: whoever claims work on it has done so, or waits and finds it gone.
    IF EXISTS (SELECT FROM public.runs_workclaim WHERE partition_id = OLD.id)
        OR EXISTS (SELECT FROM public.runs_manifestentry WHERE partition_id = OLD.id)
        OR EXISTS (SELECT FROM public.runs_consumption WHERE partition_id = OLD.id)
        OR EXISTS (SELECT FROM public.registry_labelset WHERE partition_id = OLD.id) THEN
        RAISE EXCEPTION 'partition % is in use and cannot be deleted', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$;
REVOKE ALL ON FUNCTION catalog_partition_unused() FROM PUBLIC;
CREATE TRIGGER partition_unused BEFORE DELETE ON catalog_partition
    FOR EACH ROW EXECUTE FUNCTION catalog_partition_unused();
"""

GUARDED = """
DROP TRIGGER partition_guard ON catalog_partition;
CREATE TRIGGER partition_guard BEFORE {events} ON catalog_partition FOR EACH ROW
    WHEN (coalesce(current_setting('app.erasing', true), '') <> OLD.tenant_id::text OR current_user <> 'exfm_owner')
    EXECUTE FUNCTION catalog_partition_guard();
"""

TEACHERS = f"""
CREATE FUNCTION exfm_teachers_at_work_on(wanted uuid) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT DISTINCT r.foundation_model_id FROM public.runs_workclaim c JOIN public.runs_run r ON r.id = c.run_id
    WHERE r.foundation_model_id IS NOT NULL
        AND (c.partition_id = wanted
            OR c.id IN (SELECT claim_id FROM public.runs_manifestentry WHERE partition_id = wanted))
        AND EXISTS (SELECT FROM public.catalog_partition WHERE id = wanted AND tenant_id = {TENANT})
$$;
REVOKE ALL ON FUNCTION exfm_teachers_at_work_on(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exfm_teachers_at_work_on(uuid) TO {APP}, {PLATFORM};
"""

TABLES = "catalog_stream, catalog_partition, api_idempotencyrecord"


class Migration(migrations.Migration):
    dependencies = [
        ("api", "0003_erasure_words"),
        ("catalog", "0005_partition_uses"),
        ("registry", "0003_isolation"),
        ("runs", "0003_isolation"),
    ]

    operations = [
        OwnerPolicy("runs_workclaim", "SELECT"),
        OwnerPolicy("runs_manifestentry", "SELECT"),
        OwnerPolicy("runs_consumption", "SELECT"),
        OwnerPolicy("runs_run", "SELECT"),
        migrations.RunSQL(
            UNUSED, "DROP TRIGGER partition_unused ON catalog_partition; DROP FUNCTION catalog_partition_unused();"
        ),
        migrations.RunSQL(GUARDED.format(events="UPDATE"), GUARDED.format(events="UPDATE OR DELETE")),
        migrations.RunSQL(TEACHERS, "DROP FUNCTION exfm_teachers_at_work_on(uuid)"),
        migrations.RunSQL(f"GRANT DELETE ON {TABLES} TO {APP}", f"REVOKE DELETE ON {TABLES} FROM {APP}"),
    ]

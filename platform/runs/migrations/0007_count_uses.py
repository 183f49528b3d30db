"""A trigger counts the models' lineages that consume a partition, and what there is already is counted.

It is deferred to the end of the transaction: a commit then holds the partition's count for the length of a write to
disk, and not while it computes its model's figures, for which all other models on the partition would wait.
"""

from django.db import migrations

COUNT = """
CREATE FUNCTION runs_count_use() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    -- A foundation model's lineage has no tenant.
    IF EXISTS (SELECT FROM registry_lineage WHERE id = NEW.lineage_id AND tenant_id IS NOT NULL) THEN
        INSERT INTO catalog_partitionuse AS held (id, created_at, tenant_id, partition_id, trained)
        VALUES (gen_random_uuid(), now(), NEW.tenant_id, NEW.partition_id, 1)
        ON CONFLICT (partition_id) DO UPDATE SET trained = held.trained + 1;
    END IF;
    RETURN NULL;
END $$
"""

COUNTED = """
INSERT INTO catalog_partitionuse (id, created_at, tenant_id, partition_id, trained)
SELECT gen_random_uuid(), now(), c.tenant_id, c.partition_id, count(*)
FROM runs_consumption c JOIN registry_lineage l ON l.id = c.lineage_id
WHERE l.tenant_id IS NOT NULL
GROUP BY c.tenant_id, c.partition_id
"""

# Row-level security would hide the rows from the owner of the tables, who counts them and checks their keys.
READ = ("catalog_partition", "catalog_partitionuse", "registry_lineage", "runs_consumption")
OPEN = [f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" for table in READ]
CLOSE = [f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in READ]


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0006_claim_uncommitted"),
        ("catalog", "0005_partition_uses"),
        ("registry", "0003_isolation"),
    ]

    operations = [
        # Holds writers off until what there is is counted.
        migrations.RunSQL(
            [
                COUNT,
                "CREATE CONSTRAINT TRIGGER count_use AFTER INSERT ON runs_consumption DEFERRABLE INITIALLY DEFERRED"
                " FOR EACH ROW EXECUTE FUNCTION runs_count_use()",
            ],
            ["DROP TRIGGER count_use ON runs_consumption", "DROP FUNCTION runs_count_use()"],
        ),
        migrations.RunSQL([*OPEN, COUNTED, "SET CONSTRAINTS ALL IMMEDIATE", *CLOSE], ["TRUNCATE catalog_partitionuse"]),
    ]

"""What may never change, and the no-leak rule, as triggers: versions, checkpoints, label sets, snapshots."""

from django.db import migrations

IMMUTABLE = ("registry_modelversion", "registry_foundationversion", "registry_checkpoint", "registry_labelset")

REFUSE = """
CREATE FUNCTION registry_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% % is immutable', TG_TABLE_NAME, OLD.id USING ERRCODE = 'restrict_violation';
END $$;
"""

LABEL_SET = """
CREATE FUNCTION registry_label_set_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    known record;
    slice record;
BEGIN
    SELECT watermark, published_at INTO known FROM registry_snapshot WHERE id = NEW.snapshot_id;
    IF known.published_at IS NULL THEN
        RAISE EXCEPTION 'snapshot % was never published and may not label', NEW.snapshot_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF known.watermark IS DISTINCT FROM NEW.watermark THEN
        RAISE EXCEPTION 'label set watermark % is not that of snapshot % (%)', NEW.watermark, NEW.snapshot_id,
            known.watermark USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT start, state, rows INTO slice FROM catalog_partition WHERE id = NEW.partition_id;
    IF slice.start IS DISTINCT FROM NEW.partition_start THEN
        RAISE EXCEPTION 'label set start % is not that of partition % (%)', NEW.partition_start, NEW.partition_id,
            slice.start USING ERRCODE = 'restrict_violation';
    END IF;
    IF slice.state IS DISTINCT FROM 'sealed' OR slice.rows IS DISTINCT FROM NEW.rows THEN
        RAISE EXCEPTION 'partition % is not sealed with % rows', NEW.partition_id, NEW.rows
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER label_set_guard BEFORE INSERT ON registry_labelset
    FOR EACH ROW EXECUTE FUNCTION registry_label_set_guard();
"""

SNAPSHOT = """
CREATE FUNCTION registry_snapshot_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.foundation_version_id, NEW.lineage_id, NEW.watermark, NEW.uri, NEW.sha256, NEW.bytes)
        IS DISTINCT FROM
       (OLD.id, OLD.foundation_version_id, OLD.lineage_id, OLD.watermark, OLD.uri, OLD.sha256, OLD.bytes) THEN
        RAISE EXCEPTION 'snapshot %: weights and watermark are immutable', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.published_at IS NOT NULL AND NEW.published_at IS DISTINCT FROM OLD.published_at THEN
        RAISE EXCEPTION 'snapshot %: its time of publication is fixed', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('candidate', 'published'), ('candidate', 'rejected'), ('published', 'retired'), ('retired', 'published')) THEN
        RAISE EXCEPTION 'snapshot % cannot go from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER snapshot_guard BEFORE UPDATE ON registry_snapshot
    FOR EACH ROW EXECUTE FUNCTION registry_snapshot_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_initial"), ("catalog", "0002_guards")]

    operations = [
        migrations.RunSQL(REFUSE, "DROP FUNCTION registry_refuse_change();"),
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION registry_refuse_change();",
                f"DROP TRIGGER immutable ON {table};",
            )
            for table in IMMUTABLE
        ),
        migrations.RunSQL(
            LABEL_SET, "DROP TRIGGER label_set_guard ON registry_labelset; DROP FUNCTION registry_label_set_guard();"
        ),
        migrations.RunSQL(
            SNAPSHOT, "DROP TRIGGER snapshot_guard ON registry_snapshot; DROP FUNCTION registry_snapshot_guard();"
        ),
    ]

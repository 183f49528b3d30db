"""A sealed partition never changes: the database itself refuses it, whoever asks."""

from django.db import migrations

GUARD = """
CREATE FUNCTION catalog_partition_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state = 'sealed' THEN
            RAISE EXCEPTION 'partition % is sealed and cannot be deleted', OLD.id USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN OLD;
    END IF;
    IF OLD.state <> 'uploaded' THEN
        RAISE EXCEPTION 'partition % is % and cannot be changed', OLD.id, OLD.state USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.id, NEW.tenant_id, NEW.stream_id, NEW.start, NEW."end", NEW.uri, NEW.sha256, NEW.bytes)
        IS DISTINCT FROM (OLD.id, OLD.tenant_id, OLD.stream_id, OLD.start, OLD."end", OLD.uri, OLD.sha256, OLD.bytes) THEN
        RAISE EXCEPTION 'partition %: stream, interval and content are fixed at upload', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state = 'sealed' AND (NEW.rows IS NULL OR NEW.sealed_at IS NULL) THEN
        RAISE EXCEPTION 'partition % cannot be sealed without rows and time', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER partition_guard BEFORE UPDATE OR DELETE ON catalog_partition
    FOR EACH ROW EXECUTE FUNCTION catalog_partition_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [
        migrations.RunSQL(
            GUARD, "DROP TRIGGER partition_guard ON catalog_partition; DROP FUNCTION catalog_partition_guard();"
        ),
    ]

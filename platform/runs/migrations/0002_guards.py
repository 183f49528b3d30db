"""The invariants of training as triggers: once over in time order, frozen decisions, consent, no leak."""

from django.db import migrations

CONSUMPTION = """
CREATE FUNCTION runs_consumption_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    slice record;
    course record;
BEGIN
    SELECT tenant_id, stream_id, start, state INTO slice FROM catalog_partition WHERE id = NEW.partition_id;
    -- The lock makes two commits of one lineage wait for each other, so that neither overlooks the other's row.
    SELECT tenant_id, arm INTO course FROM registry_lineage WHERE id = NEW.lineage_id FOR NO KEY UPDATE;
    IF slice.state IS DISTINCT FROM 'sealed' THEN
        RAISE EXCEPTION 'partition % is not sealed and cannot be consumed', NEW.partition_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF slice.tenant_id IS DISTINCT FROM NEW.tenant_id THEN
        RAISE EXCEPTION 'partition % belongs to another tenant', NEW.partition_id USING ERRCODE = 'restrict_violation';
    END IF;
    IF course.arm <> 'fm' AND course.tenant_id IS DISTINCT FROM NEW.tenant_id THEN
        RAISE EXCEPTION 'lineage % belongs to another tenant than partition %', NEW.lineage_id, NEW.partition_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF course.arm = 'fm' AND NOT EXISTS (
        SELECT FROM runs_manifestentry WHERE lineage_id = NEW.lineage_id AND partition_id = NEW.partition_id) THEN
        RAISE EXCEPTION 'partition % is in no manifest of lineage %', NEW.partition_id, NEW.lineage_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (
        SELECT FROM runs_consumption c JOIN catalog_partition p ON p.id = c.partition_id
        WHERE c.lineage_id = NEW.lineage_id AND p.stream_id = slice.stream_id AND p.start >= slice.start) THEN
        RAISE EXCEPTION 'lineage % has already consumed this partition or a later one of the stream', NEW.lineage_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consumption_guard BEFORE INSERT ON runs_consumption
    FOR EACH ROW EXECUTE FUNCTION runs_consumption_guard();
"""

CLAIM = """
CREATE FUNCTION runs_claim_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    slice record;
    known record;
BEGIN
    IF (NEW.kind = 'vm.train' AND (NEW.lineage_id IS NULL OR NEW.partition_id IS NULL))
        OR (NEW.kind = 'das.score' AND (NEW.snapshot_id IS NULL OR NEW.partition_id IS NULL))
        OR (NEW.kind = 'fm.train' AND (NEW.lineage_id IS NULL OR NEW.period_end IS NULL)) THEN
        RAISE EXCEPTION 'a % claim lacks what it is about', NEW.kind USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.kind = 'das.score' THEN
        SELECT start INTO slice FROM catalog_partition WHERE id = NEW.partition_id;
        SELECT watermark, published_at INTO known FROM registry_snapshot WHERE id = NEW.snapshot_id;
        IF known.published_at IS NULL OR known.watermark > slice.start THEN
            RAISE EXCEPTION 'snapshot % may not label partition %: unpublished, or its watermark is later than the start',
                NEW.snapshot_id, NEW.partition_id USING ERRCODE = 'restrict_violation';
        END IF;
    END IF;
    IF NEW.label_set_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM registry_labelset WHERE id = NEW.label_set_id AND partition_id = NEW.partition_id) THEN
        RAISE EXCEPTION 'label set % is of another partition', NEW.label_set_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER claim_guard BEFORE INSERT ON runs_workclaim FOR EACH ROW EXECUTE FUNCTION runs_claim_guard();

CREATE FUNCTION runs_claim_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.committed_at IS NOT NULL THEN
        RAISE EXCEPTION 'claim % is committed', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.id, NEW.tenant_id, NEW.kind, NEW.lineage_id, NEW.partition_id, NEW.label_set_id, NEW.label_reason, NEW.gate,
        NEW.gate_evidence, NEW.snapshot_id, NEW.period_start, NEW.period_end) IS DISTINCT FROM
       (OLD.id, OLD.tenant_id, OLD.kind, OLD.lineage_id, OLD.partition_id, OLD.label_set_id, OLD.label_reason, OLD.gate,
        OLD.gate_evidence, OLD.snapshot_id, OLD.period_start, OLD.period_end) THEN
        RAISE EXCEPTION 'claim %: what was decided is fixed', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER claim_frozen BEFORE UPDATE ON runs_workclaim FOR EACH ROW EXECUTE FUNCTION runs_claim_frozen();
"""

MANIFEST = """
CREATE FUNCTION runs_manifest_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    slice record;
    unit record;
BEGIN
    SELECT p.tenant_id, p.state, p."end", s.feed_fm INTO slice
        FROM catalog_partition p JOIN catalog_stream s ON s.id = p.stream_id WHERE p.id = NEW.partition_id;
    SELECT kind, lineage_id, period_end, committed_at INTO unit FROM runs_workclaim WHERE id = NEW.claim_id;
    IF NOT slice.feed_fm THEN
        RAISE EXCEPTION 'the stream of partition % has not consented to feed a foundation model', NEW.partition_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF slice.state IS DISTINCT FROM 'sealed' OR slice.tenant_id IS DISTINCT FROM NEW.tenant_id THEN
        RAISE EXCEPTION 'partition % is not a sealed partition of the tenant', NEW.partition_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF unit.kind <> 'fm.train' OR unit.lineage_id IS DISTINCT FROM NEW.lineage_id OR unit.committed_at IS NOT NULL
        OR slice."end" > unit.period_end THEN
        RAISE EXCEPTION 'partition % does not fit the open period of claim %', NEW.partition_id, NEW.claim_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER manifest_guard BEFORE INSERT ON runs_manifestentry FOR EACH ROW EXECUTE FUNCTION runs_manifest_guard();
"""

RUN = """
CREATE FUNCTION runs_run_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = 'exfm_app' AND (NEW.kind <> 'vm.train' OR NEW.state <> 'queued' OR NEW.priority <> 0
        OR NEW.lease_token IS NOT NULL OR NEW.faults <> '{}'::jsonb) THEN
        RAISE EXCEPTION 'a tenant may only queue training runs of its own' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER run_guard BEFORE INSERT ON runs_run FOR EACH ROW EXECUTE FUNCTION runs_run_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("runs", "0001_initial")]

    operations = [
        migrations.RunSQL(
            CONSUMPTION, "DROP TRIGGER consumption_guard ON runs_consumption; DROP FUNCTION runs_consumption_guard();"
        ),
        migrations.RunSQL(
            CLAIM,
            "DROP TRIGGER claim_guard ON runs_workclaim; DROP TRIGGER claim_frozen ON runs_workclaim;"
            "DROP FUNCTION runs_claim_guard(); DROP FUNCTION runs_claim_frozen();",
        ),
        migrations.RunSQL(
            MANIFEST, "DROP TRIGGER manifest_guard ON runs_manifestentry; DROP FUNCTION runs_manifest_guard();"
        ),
        migrations.RunSQL(RUN, "DROP TRIGGER run_guard ON runs_run; DROP FUNCTION runs_run_guard();"),
    ]

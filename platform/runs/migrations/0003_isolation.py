"""Row-level security of runs. Tenants read their rows, queue runs and ask for stops; all else is the platform's."""

from django.db import migrations

from tenancy.rls import EnableRLS, Grant, TenantForeignKey

APPEND = "SELECT, INSERT"
CHANGE = "SELECT, INSERT, UPDATE"


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0002_guards"),
        ("registry", "0003_isolation"),
        ("catalog", "0003_isolation"),
        ("tenancy", "0002_walls"),
    ]

    operations = [
        EnableRLS(
            "runs_run", app="SELECT, INSERT, UPDATE (stop_requested_at, stop_reason)", platform=CHANGE, parent=True
        ),
        EnableRLS("runs_runlineage", app="SELECT", platform=APPEND),
        EnableRLS("runs_attempt", app="SELECT", platform=CHANGE, parent=True),
        EnableRLS("runs_workclaim", app="SELECT", platform=CHANGE, parent=True),
        EnableRLS("runs_manifestentry", app="SELECT", platform=APPEND),
        EnableRLS("runs_consumption", app="SELECT", platform=APPEND),
        EnableRLS("runs_metricsums", app="SELECT", platform=APPEND),
        EnableRLS("runs_metricchunk", app="SELECT"),
        Grant("runs_workernode"),
        TenantForeignKey("runs_run", "model_id", "registry_verticalmodel"),
        TenantForeignKey("runs_runlineage", "run_id", "runs_run"),
        TenantForeignKey("runs_runlineage", "lineage_id", "registry_lineage"),
        TenantForeignKey("runs_attempt", "run_id", "runs_run"),
        TenantForeignKey("runs_workclaim", "run_id", "runs_run"),
        TenantForeignKey("runs_workclaim", "lineage_id", "registry_lineage"),
        TenantForeignKey("runs_workclaim", "partition_id", "catalog_partition"),
        TenantForeignKey("runs_workclaim", "label_set_id", "registry_labelset"),
        TenantForeignKey("runs_manifestentry", "partition_id", "catalog_partition"),
        TenantForeignKey("runs_manifestentry", "claim_id", "runs_workclaim", platform_parent=True),
        TenantForeignKey("runs_manifestentry", "lineage_id", "registry_lineage", platform_parent=True),
        TenantForeignKey("runs_consumption", "partition_id", "catalog_partition"),
        TenantForeignKey("runs_consumption", "lineage_id", "registry_lineage", platform_parent=True),
        TenantForeignKey("runs_consumption", "claim_id", "runs_workclaim", platform_parent=True),
        TenantForeignKey("runs_consumption", "checkpoint_id", "registry_checkpoint", platform_parent=True),
        TenantForeignKey("runs_metricsums", "lineage_id", "registry_lineage"),
        TenantForeignKey("runs_metricsums", "partition_id", "catalog_partition"),
        TenantForeignKey("runs_metricchunk", "run_id", "runs_run"),
        TenantForeignKey("runs_metricchunk", "attempt_id", "runs_attempt"),
    ]

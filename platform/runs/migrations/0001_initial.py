"""Runs, attempts, claims, the once-over ledger, metric sums and chunks, worker nodes."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tenancy.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("catalog", "0003_isolation"),
        ("registry", "0003_isolation"),
        ("tenancy", "0003_django_tables"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="WorkerNode",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.CharField(max_length=120, unique=True)),
                ("flavor", models.CharField(default="cpu", max_length=20)),
                ("slots", models.PositiveSmallIntegerField()),
                ("seen_at", models.DateTimeField()),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("number", models.PositiveIntegerField()),
                ("lease_token", models.UUIDField()),
                ("worker", models.CharField(max_length=120)),
                ("pid", models.IntegerField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("active", "Active"), ("done", "Done"), ("failed", "Failed"), ("lost", "Lost")],
                        default="active",
                        max_length=8,
                    ),
                ),
                (
                    "fault",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "None"),
                            ("user", "User"),
                            ("platform", "Platform"),
                            ("capacity", "Capacity"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
                ("code", models.CharField(blank=True, max_length=60)),
                ("message", models.TextField(blank=True)),
                ("mend", models.TextField(blank=True)),
                ("exit_code", models.IntegerField(blank=True, null=True)),
                ("log_tail", models.TextField(blank=True)),
                ("started_at", models.DateTimeField(auto_now_add=True)),
                (
                    "settled_at",
                    models.DateTimeField(blank=True, help_text="device time is charged up to here", null=True),
                ),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenancy.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.CreateModel(
            name="Run",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("vm.train", "Vm Train"), ("das.score", "Das Score"), ("fm.train", "Fm Train")],
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("admitted", "Admitted"),
                            ("starting", "Starting"),
                            ("running", "Running"),
                            ("stopping", "Stopping"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("reason_code", models.CharField(blank=True, max_length=40)),
                ("reason_message", models.TextField(blank=True)),
                ("priority", models.SmallIntegerField(default=0)),
                ("flavor", models.CharField(default="cpu", max_length=20)),
                ("threads", models.PositiveSmallIntegerField(default=1)),
                (
                    "environment",
                    models.JSONField(blank=True, default=dict, help_text="wheels and instruction set when first tried"),
                ),
                ("idle_seconds", models.PositiveIntegerField(default=10)),
                ("progress", models.JSONField(blank=True, default=dict)),
                (
                    "waiting",
                    models.JSONField(blank=True, default=dict, help_text="position, holders, estimate of a queued run"),
                ),
                ("lease_token", models.UUIDField(blank=True, null=True)),
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                ("heartbeat_at", models.DateTimeField(blank=True, null=True)),
                ("stop_requested_at", models.DateTimeField(blank=True, null=True)),
                ("stop_reason", models.CharField(blank=True, max_length=40)),
                ("faults", models.JSONField(blank=True, default=dict, help_text="fault -> failures so far")),
                ("not_before", models.DateTimeField(blank=True, help_text="back-off after a failure", null=True)),
                ("nudged_at", models.DateTimeField(blank=True, null=True)),
                ("admitted_at", models.DateTimeField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "foundation_model",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="registry.foundationmodel",
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="registry.verticalmodel",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenancy.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="MetricChunk",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.CharField(max_length=60)),
                ("number", models.PositiveIntegerField()),
                ("steps", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ("values", django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), size=None)),
                ("minimum", models.FloatField()),
                ("maximum", models.FloatField()),
                ("mean", models.FloatField()),
                (
                    "attempt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="metric_chunks", to="runs.attempt"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenancy.tenant",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="metric_chunks", to="runs.run"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="attempt",
            name="run",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="attempts", to="runs.run"
            ),
        ),
        migrations.CreateModel(
            name="RunLineage",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "lineage",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="run_lineages", to="registry.lineage"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="run_lineages", to="runs.run"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenancy.tenant",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WorkClaim",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("vm.train", "Vm Train"), ("das.score", "Das Score"), ("fm.train", "Fm Train")],
                        max_length=10,
                    ),
                ),
                ("label_reason", models.CharField(blank=True, help_text="why there is no label set", max_length=40)),
                ("gate", models.CharField(choices=[("open", "Open"), ("shut", "Shut")], default="open", max_length=5)),
                (
                    "gate_evidence",
                    models.JSONField(
                        blank=True, default=dict, help_text="rule, statistic and partitions behind `gate`"
                    ),
                ),
                ("period_start", models.DateTimeField(blank=True, null=True)),
                ("period_end", models.DateTimeField(blank=True, null=True)),
                ("committed_at", models.DateTimeField(blank=True, null=True)),
                ("result", models.JSONField(blank=True, default=dict, help_text="rows, covered, clipped, seconds")),
                (
                    "label_set",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claims",
                        to="registry.labelset",
                    ),
                ),
                (
                    "lineage",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claims",
                        to="registry.lineage",
                    ),
                ),
                (
                    "partition",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claims",
                        to="catalog.partition",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="claims", to="runs.run"
                    ),
                ),
                (
                    "snapshot",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claims",
                        to="registry.snapshot",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenancy.tenant",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ManifestEntry",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "lineage",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="manifest", to="registry.lineage"
                    ),
                ),
                (
                    "partition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="manifest_entries",
                        to="catalog.partition",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenancy.tenant"
                    ),
                ),
                (
                    "claim",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="manifest", to="runs.workclaim"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Consumption",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "checkpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="registry.checkpoint"
                    ),
                ),
                (
                    "lineage",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="consumptions", to="registry.lineage"
                    ),
                ),
                (
                    "partition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="consumptions", to="catalog.partition"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenancy.tenant"
                    ),
                ),
                (
                    "claim",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="consumptions", to="runs.workclaim"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MetricSums",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "scope",
                    models.CharField(
                        choices=[("all", "All"), ("covered", "Covered"), ("label", "Label")], max_length=8
                    ),
                ),
                ("n", django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), size=None)),
                ("y", django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), size=None)),
                ("loss", django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), size=None)),
                ("p", django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), size=None)),
                ("auc", models.FloatField(blank=True, help_text="exact inside the partition, ties at half", null=True)),
                (
                    "histogram",
                    models.BinaryField(blank=True, help_text="zlib(int32[2, 16384] little endian)", null=True),
                ),
                (
                    "lineage",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="metric_sums", to="registry.lineage"
                    ),
                ),
                (
                    "partition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="metric_sums", to="catalog.partition"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenancy.tenant"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("lineage", "partition", "scope"), name="metric_sums_once")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["state", "kind"], name="run_state_kind"),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["tenant", "-created_at"], name="run_tenant_created"),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("kind", "vm.train"), ("state__in", ["queued", "admitted", "starting", "running", "stopping"])
                ),
                fields=("model",),
                name="run_one_open_per_model",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("foundation_model__isnull", False),
                    ("state__in", ["queued", "admitted", "starting", "running", "stopping"]),
                ),
                fields=("foundation_model", "kind"),
                name="run_one_open_per_foundation_model_and_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="metricchunk",
            constraint=models.UniqueConstraint(fields=("attempt", "name", "number"), name="metric_chunk_number"),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(fields=("run", "number"), name="attempt_run_number"),
        ),
        migrations.AddConstraint(
            model_name="runlineage",
            constraint=models.UniqueConstraint(fields=("run", "lineage"), name="run_lineage_once"),
        ),
        migrations.AddConstraint(
            model_name="workclaim",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "vm.train")),
                fields=("lineage", "partition"),
                name="claim_lineage_partition",
            ),
        ),
        migrations.AddConstraint(
            model_name="workclaim",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "das.score")),
                fields=("partition", "snapshot"),
                name="claim_partition_snapshot",
            ),
        ),
        migrations.AddConstraint(
            model_name="workclaim",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "fm.train")), fields=("lineage", "period_end"), name="claim_lineage_period"
            ),
        ),
        migrations.AddConstraint(
            model_name="manifestentry",
            constraint=models.UniqueConstraint(fields=("lineage", "partition"), name="manifest_lineage_partition"),
        ),
        migrations.AddConstraint(
            model_name="consumption",
            constraint=models.UniqueConstraint(fields=("lineage", "partition"), name="consumption_once"),
        ),
    ]

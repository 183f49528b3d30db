"""Models, versions, lineages, snapshots and label sets."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("catalog", "0002_guards"),
        ("tenancy", "0003_django_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="FoundationModel",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.SlugField(max_length=63, unique=True)),
                ("period_seconds", models.PositiveIntegerField(help_text="length of a training period in event time")),
                ("gate", models.JSONField(default=dict, help_text="limits of the publication gate")),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("position", models.DateTimeField(help_text="end of the last consumed partition (event time)")),
                ("uri", models.CharField(max_length=400)),
                ("sha256", models.CharField(max_length=64)),
                ("bytes", models.BigIntegerField()),
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
            name="FoundationVersion",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("number", models.PositiveIntegerField()),
                ("spec", models.JSONField()),
                ("sha256", models.CharField(max_length=64)),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="registry.foundationmodel",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Lineage",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "arm",
                    models.CharField(
                        choices=[("control", "Control"), ("treatment", "Treatment"), ("fm", "Foundation")],
                        max_length=10,
                    ),
                ),
                ("seed", models.PositiveIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[("active", "Active"), ("ended", "Ended"), ("abandoned", "Abandoned")],
                        default="active",
                        max_length=10,
                    ),
                ),
                (
                    "foundation_version",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lineages",
                        to="registry.foundationversion",
                    ),
                ),
                (
                    "head",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.checkpoint",
                    ),
                ),
                (
                    "parent_checkpoint",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.checkpoint",
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
        migrations.AddField(
            model_name="checkpoint",
            name="lineage",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="checkpoints", to="registry.lineage"
            ),
        ),
        migrations.CreateModel(
            name="ModelVersion",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("number", models.PositiveIntegerField()),
                ("spec", models.JSONField()),
                ("sha256", models.CharField(max_length=64)),
                ("serving_parameters", models.BigIntegerField()),
                ("serving_flops", models.BigIntegerField(help_text="per row")),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenancy.tenant"
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.AddField(
            model_name="lineage",
            name="model_version",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lineages",
                to="registry.modelversion",
            ),
        ),
        migrations.CreateModel(
            name="Snapshot",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("watermark", models.DateTimeField(help_text="largest partition end consumed over all streams")),
                ("uri", models.CharField(max_length=400)),
                ("sha256", models.CharField(max_length=64)),
                ("bytes", models.BigIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("candidate", "Candidate"),
                            ("published", "Published"),
                            ("rejected", "Rejected"),
                            ("retired", "Retired"),
                        ],
                        default="candidate",
                        max_length=10,
                    ),
                ),
                (
                    "gate",
                    models.JSONField(
                        default=dict, help_text="decision and reason; figures per tenant are GateResult rows"
                    ),
                ),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                (
                    "foundation_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="snapshots",
                        to="registry.foundationversion",
                    ),
                ),
                (
                    "lineage",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="snapshots", to="registry.lineage"
                    ),
                ),
            ],
            options={
                "ordering": ["watermark"],
            },
        ),
        migrations.CreateModel(
            name="LabelSet",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("partition_start", models.DateTimeField()),
                (
                    "watermark",
                    models.DateTimeField(help_text="the snapshot's, repeated so that no leak is a constraint"),
                ),
                ("tasks", models.JSONField(default=list, help_text="FM heads whose logits are in the file")),
                ("uri", models.CharField(max_length=400)),
                ("sha256", models.CharField(max_length=64)),
                ("bytes", models.BigIntegerField()),
                ("rows", models.BigIntegerField()),
                (
                    "partition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="label_sets", to="catalog.partition"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenancy.tenant"
                    ),
                ),
                (
                    "snapshot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="label_sets", to="registry.snapshot"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="GateResult",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("task", models.CharField(max_length=63)),
                ("rows", models.BigIntegerField()),
                ("ne_candidate", models.FloatField(blank=True, null=True)),
                ("ne_current", models.FloatField(blank=True, null=True)),
                ("calibration", models.FloatField(blank=True, null=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenancy.tenant"
                    ),
                ),
                (
                    "snapshot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="gate_results", to="registry.snapshot"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="foundationmodel",
            name="published",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.snapshot",
            ),
        ),
        migrations.CreateModel(
            name="TenantSlot",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("slot", models.PositiveIntegerField()),
                (
                    "foundation_model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="slots", to="registry.foundationmodel"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenancy.tenant"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="VerticalModel",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.SlugField(max_length=63)),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "Active"), ("paused", "Paused")], default="active", max_length=10
                    ),
                ),
                (
                    "train_from",
                    models.DateTimeField(
                        blank=True, help_text="partitions before this event time are skipped", null=True
                    ),
                ),
                (
                    "stream",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="models", to="catalog.stream"
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
                "ordering": ["name"],
            },
        ),
        migrations.AddField(
            model_name="modelversion",
            name="model",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="registry.verticalmodel"
            ),
        ),
        migrations.CreateModel(
            name="Binding",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("number", models.PositiveIntegerField(default=1)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenancy.tenant"
                    ),
                ),
                (
                    "foundation_model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bindings",
                        to="registry.foundationmodel",
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bindings",
                        to="registry.verticalmodel",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="foundationversion",
            constraint=models.UniqueConstraint(fields=("model", "number"), name="foundation_version_number"),
        ),
        migrations.AddConstraint(
            model_name="checkpoint",
            constraint=models.UniqueConstraint(fields=("lineage", "position"), name="checkpoint_lineage_position"),
        ),
        migrations.AddConstraint(
            model_name="lineage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("arm", "fm"),
                        ("foundation_version__isnull", False),
                        ("model_version__isnull", True),
                        ("tenant__isnull", True),
                    ),
                    models.Q(
                        models.Q(("arm", "fm"), _negated=True),
                        ("foundation_version__isnull", True),
                        ("model_version__isnull", False),
                        ("tenant__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="lineage_one_owner",
            ),
        ),
        migrations.AddConstraint(
            model_name="lineage",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "active")),
                fields=("model_version", "arm"),
                name="lineage_one_active_per_arm",
            ),
        ),
        migrations.AddConstraint(
            model_name="lineage",
            constraint=models.UniqueConstraint(
                condition=models.Q(("arm", "fm"), ("state", "active")),
                fields=("foundation_version",),
                name="lineage_one_active_per_foundation_version",
            ),
        ),
        migrations.AddConstraint(
            model_name="snapshot",
            constraint=models.UniqueConstraint(fields=("lineage", "watermark"), name="snapshot_lineage_watermark"),
        ),
        migrations.AddConstraint(
            model_name="snapshot",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("published_at__isnull", False), ("state__in", ["candidate", "rejected"]), _connector="OR"
                ),
                name="snapshot_published_has_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="labelset",
            constraint=models.UniqueConstraint(fields=("partition", "snapshot"), name="label_set_partition_snapshot"),
        ),
        migrations.AddConstraint(
            model_name="labelset",
            constraint=models.CheckConstraint(
                condition=models.Q(("watermark__lte", models.F("partition_start"))), name="label_set_no_leak"
            ),
        ),
        migrations.AddConstraint(
            model_name="gateresult",
            constraint=models.UniqueConstraint(
                fields=("snapshot", "tenant", "task"), name="gate_result_snapshot_tenant_task"
            ),
        ),
        migrations.AddConstraint(
            model_name="tenantslot",
            constraint=models.UniqueConstraint(fields=("foundation_model", "tenant"), name="slot_model_tenant"),
        ),
        migrations.AddConstraint(
            model_name="tenantslot",
            constraint=models.UniqueConstraint(fields=("foundation_model", "slot"), name="slot_model_number"),
        ),
        migrations.AddConstraint(
            model_name="tenantslot",
            constraint=models.CheckConstraint(condition=models.Q(("slot__gte", 1)), name="slot_not_zero"),
        ),
        migrations.AddConstraint(
            model_name="verticalmodel",
            constraint=models.UniqueConstraint(fields=("tenant", "name"), name="vertical_model_tenant_name"),
        ),
        migrations.AddConstraint(
            model_name="modelversion",
            constraint=models.UniqueConstraint(fields=("model", "number"), name="model_version_number"),
        ),
        migrations.AddConstraint(
            model_name="binding",
            constraint=models.UniqueConstraint(fields=("model", "number"), name="binding_number"),
        ),
        migrations.AddConstraint(
            model_name="binding",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)), fields=("model",), name="binding_one_open"
            ),
        ),
    ]

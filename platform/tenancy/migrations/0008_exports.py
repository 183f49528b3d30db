"""Exports as rows: what was asked for, how far it is, where the file lies. Workers alone write what came of it."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tenancy.ids
from tenancy.rls import EnableRLS


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0007_second_factor_required")]

    operations = [
        migrations.CreateModel(
            name="TenantExport",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "include",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[("rows", "Rows"), ("partitions", "Partitions"), ("models", "Models")],
                            max_length=10,
                        ),
                        size=None,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("expired", "Expired"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("lease_token", models.UUIDField(blank=True, null=True)),
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                ("expected_bytes", models.BigIntegerField(default=0, help_text="of the files it was asked to hold")),
                ("written_bytes", models.BigIntegerField(default=0, help_text="so far")),
                ("uri", models.CharField(blank=True, max_length=400)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("bytes", models.BigIntegerField(blank=True, null=True)),
                ("files", models.PositiveIntegerField(blank=True, null=True)),
                ("rows", models.BigIntegerField(blank=True, null=True)),
                (
                    "missing",
                    models.PositiveIntegerField(
                        default=0, help_text="files that were gone or damaged; the manifest says which"
                    ),
                ),
                ("error", models.CharField(blank=True, max_length=400)),
                ("mend", models.CharField(blank=True, max_length=400)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                "ordering": ["-created_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=("tenant",),
                        name="tenant_export_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "done"), models.Q(("uri", ""), _negated=True)),
                            models.Q(models.Q(("state", "done"), _negated=True), ("uri", "")),
                            _connector="OR",
                        ),
                        name="tenant_export_done_has_file",
                    ),
                ],
            },
        ),
        EnableRLS("tenancy_tenantexport", app="SELECT, INSERT, DELETE"),
    ]

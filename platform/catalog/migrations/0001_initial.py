"""Streams and partitions."""

import django.contrib.postgres.constraints
import django.db.models.deletion
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models

import tenancy.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenancy", "0001_initial"),
    ]

    operations = [
        BtreeGistExtension(),
        migrations.CreateModel(
            name="Stream",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.SlugField(max_length=63)),
                ("schema", models.JSONField()),
                ("label_deadline_seconds", models.PositiveIntegerField(default=3600)),
                (
                    "feed_fm",
                    models.BooleanField(
                        default=False, help_text="consent: the foundation model may train on this stream"
                    ),
                ),
                (
                    "feed_shared",
                    models.BooleanField(default=False, help_text="consent: platform-owned starters may train on it"),
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
        migrations.CreateModel(
            name="Partition",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[("uploaded", "Uploaded"), ("sealed", "Sealed"), ("rejected", "Rejected")],
                        default="uploaded",
                        max_length=10,
                    ),
                ),
                ("uri", models.CharField(max_length=400)),
                ("sha256", models.CharField(max_length=64)),
                ("bytes", models.BigIntegerField()),
                ("rows", models.BigIntegerField(blank=True, null=True)),
                (
                    "positives",
                    models.JSONField(blank=True, default=dict, help_text="task name -> number of positive labels"),
                ),
                ("problems", models.JSONField(blank=True, default=list)),
                ("sealed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenancy.tenant"
                    ),
                ),
                (
                    "stream",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="partitions", to="catalog.stream"
                    ),
                ),
            ],
            options={
                "ordering": ["start"],
            },
        ),
        migrations.AddConstraint(
            model_name="stream",
            constraint=models.UniqueConstraint(fields=("tenant", "name"), name="stream_tenant_name"),
        ),
        migrations.AddIndex(
            model_name="partition",
            index=models.Index(fields=["stream", "start"], name="partition_stream_start"),
        ),
        migrations.AddConstraint(
            model_name="partition",
            constraint=models.CheckConstraint(
                condition=models.Q(("start__lt", models.F("end"))), name="partition_start_before_end"
            ),
        ),
        migrations.AddConstraint(
            model_name="partition",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("state", "rejected"), _negated=True),
                expressions=[
                    ("stream", "="),
                    (models.Func(models.F("start"), models.F("end"), function="tstzrange"), "&&"),
                ],
                name="partition_intervals_disjoint",
            ),
        ),
    ]

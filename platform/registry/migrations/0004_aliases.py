"""Aliases of vertical models with their history; snapshots that a rollback takes back."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.ids
from tenancy.rls import EnableRLS, TenantForeignKey


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0003_isolation"),
        ("tenancy", "0003_django_tables"),
    ]

    operations = [
        migrations.AddField(
            model_name="snapshot",
            name="withdrawn_at",
            field=models.DateTimeField(blank=True, help_text="taken back by a rollback", null=True),
        ),
        migrations.CreateModel(
            name="AliasMove",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "alias",
                    models.CharField(choices=[("serving", "Serving"), ("candidate", "Candidate")], max_length=10),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "back_to",
                    models.PositiveIntegerField(
                        blank=True, help_text="number of the move that a rollback repeats", null=True
                    ),
                ),
                ("moved_by", models.CharField(max_length=254)),
                ("note", models.CharField(blank=True, max_length=400)),
                (
                    "checkpoint",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.checkpoint",
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alias_moves",
                        to="registry.verticalmodel",
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
                "constraints": [models.UniqueConstraint(fields=("model", "alias", "number"), name="alias_move_number")],
            },
        ),
        EnableRLS("registry_aliasmove", app="SELECT, INSERT", platform="SELECT, INSERT"),
        TenantForeignKey("registry_aliasmove", "model_id", "registry_verticalmodel"),
        TenantForeignKey("registry_aliasmove", "checkpoint_id", "registry_checkpoint"),
    ]

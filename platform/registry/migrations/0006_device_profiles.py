"""Profiles of measured devices: administrators register them, tenants read the estimates that come of them."""

from django.db import migrations, models

import tenancy.ids
from tenancy.rls import Grant


class Migration(migrations.Migration):
    dependencies = [("registry", "0005_gate_regressed")]

    operations = [
        migrations.CreateModel(
            name="DeviceProfile",
            fields=[
                ("id", models.UUIDField(default=tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("flavor", models.CharField(max_length=20, unique=True)),
                ("profile", models.JSONField()),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={"ordering": ["flavor"]},
        ),
        Grant("registry_deviceprofile", app="SELECT", platform="SELECT, INSERT, UPDATE"),
    ]

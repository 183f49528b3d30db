"""A tenant's newest entries of the audit log, found without reading past everybody else's."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("tenancy", "0011_provider_trust")]

    operations = [
        AddIndexConcurrently(
            model_name="auditentry",
            index=models.Index(fields=["tenant", "-id"], name="audit_tenant_newest"),
        ),
    ]

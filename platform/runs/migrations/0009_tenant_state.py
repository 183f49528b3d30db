"""A tenant's runs by state: its first page counts and names some of them, however many runs others have."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("runs", "0008_consumers_newest_first")]

    operations = [
        AddIndexConcurrently(
            model_name="run",
            index=models.Index(fields=["tenant", "state", "-finished_at"], name="run_tenant_state"),
        ),
    ]

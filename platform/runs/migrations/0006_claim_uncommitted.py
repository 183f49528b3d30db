"""The claims in work, which the planner looks through, from an index of those alone."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("runs", "0005_consumption_of_partition")]

    operations = [
        AddIndexConcurrently(
            model_name="workclaim",
            index=models.Index(
                condition=models.Q(("committed_at__isnull", True)), fields=["kind"], name="claim_uncommitted"
            ),
        ),
    ]

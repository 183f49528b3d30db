"""The consumers of a partition by id, for pages of them, and the lineages that a label set taught, from an index alone.

How many consumed a partition is kept, so that nothing counts them any more.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("runs", "0007_count_uses")]

    operations = [
        AddIndexConcurrently(
            model_name="consumption",
            index=models.Index(fields=["partition", "tenant", "id"], name="consumption_by_partition"),
        ),
        RemoveIndexConcurrently(model_name="consumption", name="consumption_of_partition"),
        AddIndexConcurrently(
            model_name="workclaim",
            index=models.Index(
                condition=models.Q(("committed_at__isnull", False)),
                fields=["label_set", "tenant", "lineage"],
                name="claim_lessons",
            ),
        ),
    ]

"""A tenant's newest lines of the ledger, found without reading past everybody else's."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("budgets", "0010_count_to_date")]

    operations = [
        AddIndexConcurrently(
            model_name="ledgerentry",
            index=models.Index(fields=["tenant", "-id"], name="ledger_newest"),
        ),
    ]

"""The two figures that decide whether a model needs a hand as columns, so that finding such models reads no others."""

from django.db import migrations, models
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast


def figure(part: str, name: str) -> models.GeneratedField:
    """Return a column with one number of the kept figures."""
    return models.GeneratedField(
        expression=Cast(KeyTextTransform(name, KeyTextTransform(part, "figures")), models.FloatField()),
        output_field=models.FloatField(null=True),
        db_persist=True,
    )


class Migration(migrations.Migration):
    dependencies = [("insights", "0001_model_figures")]

    operations = [
        migrations.AddField("modelfigures", "lift_high", figure("lift", "high")),
        migrations.AddField("modelfigures", "clipped_share", figure("teaching", "clipped_share")),
    ]

"""Where an imported partition comes from."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0003_isolation"),
    ]

    operations = [
        migrations.AddField(
            model_name="partition",
            name="source_uri",
            field=models.CharField(blank=True, help_text="where it is imported from; empty: uploaded", max_length=1000),
        ),
    ]

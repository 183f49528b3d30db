"""Proofs of a second factor name the trust they rest on. Sessions of before name none: they have shown nothing."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0010_export_inserts")]

    operations = [
        migrations.AddField(
            "identityprovider",
            "trust",
            models.PositiveIntegerField(
                default=1, editable=False, help_text="counts the changes of what trust in it rests on: proofs name it"
            ),
        ),
    ]

"""Row-level security of streams and partitions. Tenants upload; only workers seal or reject."""

from django.db import migrations

from tenancy.rls import EnableRLS, TenantForeignKey


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_guards"), ("tenancy", "0002_walls")]

    operations = [
        EnableRLS("catalog_stream", app="SELECT, INSERT, UPDATE", parent=True),
        EnableRLS("catalog_partition", app="SELECT, INSERT", parent=True),
        TenantForeignKey("catalog_partition", "stream_id", "catalog_stream"),
    ]

"""Row-level security of webhooks. Tenants make and remove them; only workers write what a delivery came to."""

from django.db import migrations

from tenancy.rls import EnableRLS, TenantForeignKey


class Migration(migrations.Migration):
    dependencies = [("alerts", "0001_initial"), ("tenancy", "0002_walls")]

    operations = [
        EnableRLS("alerts_webhook", app="SELECT, INSERT, UPDATE, DELETE", parent=True),
        EnableRLS("alerts_webhookevent", app="SELECT, INSERT", parent=True),
        EnableRLS("alerts_delivery", app="SELECT, INSERT, UPDATE, DELETE", parent=True),
        EnableRLS("alerts_deliveryattempt", app="SELECT, DELETE"),
        TenantForeignKey("alerts_delivery", "webhook_id", "alerts_webhook"),
        TenantForeignKey("alerts_delivery", "event_id", "alerts_webhookevent"),
        TenantForeignKey("alerts_deliveryattempt", "delivery_id", "alerts_delivery"),
    ]

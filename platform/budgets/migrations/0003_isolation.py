"""Row-level security of money. Tenants read; nobody updates or deletes a line of the ledger."""

from django.db import migrations

from tenancy.rls import EnableRLS, Grant, TenantForeignKey


class Migration(migrations.Migration):
    dependencies = [("budgets", "0002_guards"), ("tenancy", "0002_walls"), ("runs", "0003_isolation")]

    operations = [
        Grant("budgets_rate", app="SELECT", platform="SELECT, INSERT"),
        EnableRLS("budgets_budget", platform="SELECT, INSERT, UPDATE", parent=True),
        EnableRLS("budgets_quota", platform="SELECT, INSERT, UPDATE"),
        EnableRLS("budgets_usagerecord", platform="SELECT, INSERT", parent=True, owner=("SELECT",)),
        EnableRLS("budgets_ledgerentry", platform="SELECT, INSERT"),
        EnableRLS("budgets_allocation", platform="SELECT, INSERT"),
        TenantForeignKey("budgets_usagerecord", "run_id", "runs_run"),
        TenantForeignKey("budgets_usagerecord", "attempt_id", "runs_attempt"),
        TenantForeignKey("budgets_usagerecord", "claim_id", "runs_workclaim"),
        TenantForeignKey("budgets_ledgerentry", "budget_id", "budgets_budget"),
        TenantForeignKey("budgets_ledgerentry", "run_id", "runs_run"),
        TenantForeignKey("budgets_ledgerentry", "usage_id", "budgets_usagerecord"),
    ]

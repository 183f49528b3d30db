"""The ledger, usage and closed allocations are append-only: corrections are new lines."""

from django.db import migrations

APPEND_ONLY = ("budgets_ledgerentry", "budgets_usagerecord", "budgets_allocation")

REFUSE = """
CREATE FUNCTION budgets_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: write a correcting line instead', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("budgets", "0001_initial")]

    operations = [
        migrations.RunSQL(REFUSE, "DROP FUNCTION budgets_refuse_change();"),
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION budgets_refuse_change();",
                f"DROP TRIGGER append_only ON {table};",
            )
            for table in APPEND_ONLY
        ),
    ]

"""Tenants' processes ask for exports and say nothing of what came of one: whatever else they insert is refused.

Without this, SQL of their own could name any file of the storage as their finished export.
"""

from django.db import migrations

from tenancy.rls import APP

ASKED = """
    state = 'queued' AND attempts = 0 AND written_bytes = 0 AND expected_bytes >= 0 AND uri = '' AND sha256 = ''
    AND missing = 0 AND error = '' AND mend = ''
    AND num_nulls(lease_token, lease_expires_at, bytes, files, rows, started_at, finished_at, expires_at) = 8
"""


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0009_entries_plural")]

    operations = [
        migrations.RunSQL(
            f"CREATE POLICY asked ON tenancy_tenantexport AS RESTRICTIVE FOR INSERT TO {APP} WITH CHECK ({ASKED})",
            "DROP POLICY asked ON tenancy_tenantexport",
        ),
    ]

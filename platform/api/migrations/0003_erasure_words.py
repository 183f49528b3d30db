"""Two more texts of a tenant go with it: where its partitions were imported from, and what it noted at its aliases."""

from importlib import import_module

from django.db import migrations

from tenancy.rls import PLATFORM, OwnerPolicy

BEFORE = import_module("api.migrations.0002_erasure").ERASE
BLANKS = "SET positives = '{}', problems = '[]'"
NOTES = "DELETE FROM public.runs_metricsums"

AFTER = BEFORE.replace(BLANKS, f"{BLANKS}, source_uri = ''").replace(
    NOTES, f"UPDATE public.registry_aliasmove SET note = '' WHERE tenant_id = wanted;\n    {NOTES}"
)


def put(body: str) -> list[str]:
    """Return the statements that put a body in the function's place; who may call it stays."""
    return [body.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"), GRANT]


GRANT = f"GRANT EXECUTE ON FUNCTION exfm_erase_tenant(uuid) TO {PLATFORM}"


class Migration(migrations.Migration):
    dependencies = [("api", "0002_erasure"), ("catalog", "0004_source_uri"), ("registry", "0004_aliases")]

    operations = [
        OwnerPolicy("registry_aliasmove", "SELECT"),
        OwnerPolicy("registry_aliasmove", "UPDATE"),
        migrations.RunSQL(put(AFTER), put(BEFORE)),
    ]

"""Brings the database to the code's state, as `exfm_owner`, when it is not there yet."""

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config import env


def migrate_if_needed(owner_url: str) -> int:
    """Apply missing migrations over a connection of the owner; return how many there were."""
    connection.close()
    settings = env.database(owner_url)
    connection.settings_dict.update({**settings, "OPTIONS": settings["OPTIONS"]})
    try:
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        if missing:
            call_command("migrate", interactive=False, verbosity=0)
        return missing
    finally:
        connection.close()

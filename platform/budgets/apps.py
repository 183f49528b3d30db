"""Registers budgets with the layers below, which know it only as a port."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BudgetsConfig(AppConfig):
    """Money and quotas."""

    name = "budgets"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Become the accounting of `runs` and the limits of `catalog`; keep default rates present."""
        from budgets import selectors
        from budgets.accounting import DatabaseAccounting
        from catalog import limits
        from runs import accounting

        accounting.register(DatabaseAccounting())
        limits.register(selectors.limits_of)
        post_migrate.connect(_seed_rates, sender=self)


def _seed_rates(plan: list[Any] | None = None, **_: object) -> None:
    """After `migrate` and `flush`; a migration backwards may have removed the table."""
    from django.db import connection

    from budgets import rates

    if "budgets_rate" in connection.introspection.table_names():
        rates.seed()

"""Registers tenancy with Django."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class TenancyConfig(AppConfig):
    """Users, tenants, members, tokens, the walls between tenants, and the audit log."""

    name = "tenancy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """At sign-in, keep what was shown, and record the time by a function: tenants' processes update no users."""
        from tenancy.proofs import remember
        from tenancy.signals import touch_last_login

        user_logged_in.disconnect(dispatch_uid="update_last_login")
        user_logged_in.connect(touch_last_login, dispatch_uid="tenancy.touch_last_login")
        user_logged_in.connect(remember, dispatch_uid="tenancy.remember_proof")

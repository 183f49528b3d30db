"""Registers alerts as the listener of what happens to tenants' things."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """Signed webhooks."""

    name = "alerts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to what the apps below tell."""
        from alerts import outbox
        from tenancy import outbox as port

        port.register(outbox.keep)

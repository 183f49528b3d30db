"""Registers `config` with Django, which makes its management commands available."""

from django.apps import AppConfig


class ConfigAppConfig(AppConfig):
    """The app that owns no tables, only the installation's commands."""

    name = "config"
    verbose_name = "Installation"

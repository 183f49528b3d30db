"""Registers insights with the layer below, which knows it only as a port."""

from django.apps import AppConfig


class InsightsConfig(AppConfig):
    """Figures of models, from committed sums alone."""

    name = "insights"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Keep the figures that commits of `runs` change."""
        from insights.keeping import FigureKeeping
        from runs import figures

        figures.register(FigureKeeping())

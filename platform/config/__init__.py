"""The installation: settings, addresses, processes, and the embedded servers. The lowest layer: it imports no
other app."""

from config.celery import app as celery_app

__all__ = ["celery_app"]

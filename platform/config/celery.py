"""The Celery application: `celery -A config.celery worker`. The platform sends tasks by name; `workers.tasks`
holds them."""

import os

import structlog
from celery import Celery
from celery.signals import setup_logging
from kombu.exceptions import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

app = Celery("exfm")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["workers"], related_name="tasks")


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Keep Celery from replacing the logging that Django's settings made."""


def nudge(name: str, *args: str, queue: str = "control") -> None:
    """Send a task by name. The broker being away is not an error: the sweep sends again what matters."""
    try:
        app.send_task(name, args=args, queue=queue, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        structlog.get_logger("exfm.nudges").warning(
            "nudge lost, the sweep will send it again", task=name, error=str(error)
        )

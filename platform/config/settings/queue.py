"""Celery: messages are nudges, the database is the truth; so early acknowledgement, no results, short time-outs."""

from config import env


def transport_options(broker_url: str) -> dict[str, int]:
    """Return short time-outs, so that a request does not hang when the broker is away."""
    if broker_url.startswith("redis"):
        return {"visibility_timeout": 3600, "socket_timeout": 5, "socket_connect_timeout": 2}
    return {}


CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "control"
CELERY_TASK_ROUTES = {"runs.supervise": {"queue": "cpu"}}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TIMEZONE = "UTC"

SWEEP_SECONDS = env.number("EXFM_SWEEP_SECONDS", 3)
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_BEAT_SCHEDULE = {
    # The sweep plans, dispatches, re-sends lost nudges and reaps dead leases; one that waited too long is dropped.
    "runs.sweep": {
        "task": "runs.sweep",
        "schedule": float(SWEEP_SECONDS),
        "options": {"expires": float(SWEEP_SECONDS)},
    },
    "alerts.sweep": {"task": "alerts.sweep", "schedule": 5.0, "options": {"expires": 5.0}},
    "insights.catch_up": {"task": "insights.catch_up", "schedule": 300.0, "options": {"expires": 60.0}},
    "tenancy.tidy": {"task": "tenancy.tidy", "schedule": 86_400.0, "options": {"expires": 3_600.0}},
    "tenancy.erase_due": {"task": "tenancy.erase_due", "schedule": 3_600.0, "options": {"expires": 600.0}},
}

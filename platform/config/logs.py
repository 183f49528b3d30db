"""structlog over the standard library's logging: format, request context, and the removal of secrets."""

import re
from collections.abc import MutableMapping
from typing import Any

import structlog

from config import env

SECRET_KEYS = re.compile(
    r"passw|secret|token|authorization|cookie|api_?key|credential|dsn|database_url|broker_url", re.IGNORECASE
)
SECRET_TEXT = re.compile(
    r"(exfm_[A-Za-z0-9]+_)[A-Za-z0-9_-]+|(://[^:/@\s]*:)[^@\s]+(?=@)|(Bearer\s+)\S+", re.IGNORECASE
)
BLANK = "…"

Event = MutableMapping[str, Any]


def blank_text(text: str) -> str:
    """Blank API tokens, bearer headers and passwords inside addresses."""
    return SECRET_TEXT.sub(lambda match: f"{match[1] or match[2] or match[3]}{BLANK}", text)


def blank_secrets(_logger: object, _method: str, event: Event) -> Event:
    """Processor: blank values whose key names a secret, and secrets inside texts."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = BLANK if SECRET_KEYS.search(key) else blank_text(value)
        elif SECRET_KEYS.search(key) and not isinstance(value, bool | int | float | None):
            event[key] = BLANK
    return event


def logging_config() -> dict[str, Any]:
    """Return Django's LOGGING and configure structlog; EXFM_LOG=json|console and EXFM_LOG_LEVEL choose."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    console = env.text("EXFM_LOG", "console") == "console"
    renderer: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)]
        if console
        else [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
    )
    quiet = {"level": "WARNING"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [
                    *shared,
                    structlog.stdlib.PositionalArgumentsFormatter(),
                    structlog.stdlib.ExtraAdder(),
                ],
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, blank_secrets, *renderer],
            },
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": env.text("EXFM_LOG_LEVEL", "INFO")},
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            "django.request": {"level": "ERROR"},
            "django.server": {"handlers": [], "propagate": True},
            "celery.beat": quiet,
            "celery.worker.strategy": quiet,
            "celery.app.trace": quiet,
            "psycopg.pool": quiet,
            "_granian": quiet,
        },
    }

"""The test suite: its own embedded PostgreSQL, whose address tests/conftest.py fills in before the first connection."""

import os

os.environ.setdefault("EXFM_LOG_LEVEL", "WARNING")

from config import env
from config.settings.base import *
from config.settings.cache import caches
from config.settings.database import database_settings

SECRET_KEY = "only-for-tests-" * 5
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
DATABASES = {"default": database_settings(env.text("DATABASE_URL", "postgresql://exfm_platform@/exfm?host=/nowhere"))}
DATABASES["default"]["OPTIONS"].pop("pool")  # type: ignore[attr-defined]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = False
CELERY_BROKER_URL = env.text("BROKER_URL", "memory://")
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, int] = {}
CACHES = caches(env.text("EXFM_CACHE_URL", ""))
STORAGE_URL = env.text("STORAGE_URL", "file:///nowhere")
WHITENOISE_AUTOREFRESH = True

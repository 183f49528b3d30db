"""Real servers behind a proxy that speaks TLS. Every secret and address comes from the environment."""

import os

os.environ.setdefault("EXFM_LOG", "json")

from config import env
from config.settings.base import *
from config.settings.cache import caches
from config.settings.database import database_settings
from config.settings.queue import transport_options

DEBUG = False
SECRET_KEY = env.text("SECRET_KEY")
DATABASES = {"default": database_settings(env.text("DATABASE_URL"))}
CELERY_BROKER_URL = env.text("BROKER_URL")
CACHES = caches(env.text("EXFM_CACHE_URL", "") or CELERY_BROKER_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = transport_options(CELERY_BROKER_URL)
STORAGE_URL = env.text("STORAGE_URL")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = env.number("SECURE_HSTS_SECONDS", 31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
STATIC_ROOT = env.text("STATIC_ROOT", f"{EXFM_HOME}/static")
WHITENOISE_USE_FINDERS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

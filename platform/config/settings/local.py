"""One machine with the embedded servers: addresses and secrets come from EXFM_HOME when the environment does
not name them."""

from config import env
from config.embedded.installation import Installation
from config.settings.base import *
from config.settings.cache import caches
from config.settings.database import database_settings
from config.settings.queue import transport_options

_place = Installation(env.home())

DATABASES = {"default": database_settings(env.text("DATABASE_URL", _place.database_url(EXFM_PROCESS)))}
CELERY_BROKER_URL = env.text("BROKER_URL", _place.broker_url())
CACHES = caches(env.text("EXFM_CACHE_URL", "") or CELERY_BROKER_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = transport_options(CELERY_BROKER_URL)
SECRET_KEY = env.text("SECRET_KEY", _place.secrets.read("secret_key") or "not-a-secret-before-the-first-start")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

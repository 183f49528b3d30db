"""One machine with the embedded servers: addresses and secrets come from EXFM_HOME when the environment does not name them."""

import os

from config import env
from config.embedded import installation

_place = installation.Installation(env.home())
os.environ.setdefault("BROKER_URL", _place.broker_url())

from config.settings.base import *
from config.settings.database import database_settings

DATABASES = {"default": database_settings(env.text("DATABASE_URL", _place.database_url(EXFM_PROCESS)))}
SECRET_KEY = env.text("SECRET_KEY", _place.secrets.read("secret_key") or "not-a-secret-before-the-first-start")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

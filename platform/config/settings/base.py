"""What every installation shares. Each concern has its own file."""

from config import env
from config.settings.api import *
from config.settings.apps import *
from config.settings.database import *
from config.settings.logs import *
from config.settings.mail import *
from config.settings.queue import *
from config.settings.security import *
from config.settings.static import *

ROOT = env.ROOT
EXFM_PROCESS = env.process()
EXFM_HOME = env.home()
EXFM_ADMIN_ORIGIN = env.text("EXFM_ADMIN_ORIGIN", "http://127.0.0.1:8001")
EXFM_WEBHOOK_ALLOW = env.words("EXFM_WEBHOOK_ALLOW")
"""Networks beside the public internet that webhooks may call, over http too; none by default."""
EXFM_WEBHOOK_SECONDS = env.number("EXFM_WEBHOOK_SECONDS", 10)
"""How long one delivery may take."""
EXFM_WEB_ORIGIN = env.text("EXFM_WEB_ORIGIN", "http://127.0.0.1:8000")
"""Where people open the dashboard: one-time links and identity providers' redirects point there."""
STORAGE_URL = env.text("STORAGE_URL", f"file://{EXFM_HOME}/storage")

DEBUG = env.flag("DEBUG")
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
SITE_NAME = "ExFM"

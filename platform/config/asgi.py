"""ASGI entry point: the embedded web and admin processes, and the production process for event streams."""

import os

from django.core.asgi import get_asgi_application

from config import env
from config.embedded.parent import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

if env.flag("EXFM_PARENT_DEATH"):
    # granian's own process ends with the launcher; this one, which granian starts, must end with granian's.
    die_with_parent(os.getppid())

application = get_asgi_application()

"""ASGI entry point: the embedded web and admin processes, and the production process for what may last long: event
streams, downloads, uploads."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.utils.module_loading import import_string

from config import env
from config.body_limit import BodyLimit
from config.body_places import Places
from config.embedded.parent import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

if env.flag("EXFM_PARENT_DEATH"):
    # granian's own process ends with the launcher; this one, which granian starts, must end with granian's.
    die_with_parent(os.getppid())

_django = get_asgi_application()
application = BodyLimit(
    _django,
    most=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    most_upload=env.number("EXFM_UPLOAD_MAX_BYTES", 1 << 30),
    refuse=import_string("api.base.admission.refusal"),
    places=Places(env.number("EXFM_UPLOADS_AT_ONCE", 32)),
)

"""WSGI entry point: the production web and admin processes."""

import gc
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config import env
from config.upload_threads import UploadThreads

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

application = UploadThreads(
    get_wsgi_application(),
    most=env.number("EXFM_UPLOAD_THREADS", 2),
    beyond=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
)

from django.urls import get_resolver  # noqa: E402  after the apps are there

from config import cores  # noqa: E402

if env.flag("EXFM_OWN_CORE"):
    cores.settle()

# All views are loaded before the first request waits for them; what they are made of is never garbage, and need not be
# searched for it. A page makes some ten thousand objects, none of them in cycles: look less often than Python would.
get_resolver().url_patterns  # noqa: B018
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)

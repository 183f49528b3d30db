"""Static files: WhiteNoise serves the admin's and the built dashboard's; `config.views.dashboard` serves its page."""

import re

from config import env

STATIC_URL = "static/"
STATIC_ROOT: str | None = None
STATICFILES_DIRS: list[str] = []
FRONTEND_DIST = env.ROOT / "frontend" / "dist"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 300
if FRONTEND_DIST.is_dir():
    WHITENOISE_ROOT = FRONTEND_DIST

_HASHED = re.compile(r"^/assets/.+[.-][A-Za-z0-9_-]{8,}\.\w+$|^/static/.+\.[0-9a-f]{12}\.\w+$")


def WHITENOISE_IMMUTABLE_FILE_TEST(path: str, url: str) -> bool:
    """Names with a hash of the content (Vite's below /assets/, Django's below /static/) may be kept for ever."""
    return bool(_HASHED.match(url))

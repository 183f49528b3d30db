"""Sign-in, cookies, headers and limits on what a request may carry."""

from config import env

AUTH_USER_MODEL = "tenancy.User"
AUTHENTICATION_BACKENDS = ["tenancy.backends.FunctionBackend"]
SESSION_ENGINE = "tenancy.sessions"
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
CSRF_FAILURE_VIEW = "api.base.errors.csrf_failure"
EXFM_TRUSTED_PROXIES = env.number("EXFM_TRUSTED_PROXIES", 0)
"""How many proxies in front may be believed in X-Forwarded-For; sign-in counts failures per address."""
EXFM_ADMIN_SECOND_FACTOR = env.flag("EXFM_ADMIN_SECOND_FACTOR")
"""Whether administrators' sessions must have shown a second factor."""
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Web and admin may share a host name; a cookie of either opens only its own.
SESSION_COOKIE_NAME = "exfm_admin_session" if env.process() == "admin" else "exfm_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_COOKIE_SAMESITE = "Lax"

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Mantine writes style elements, hence 'unsafe-inline' for styles alone; scripts come from our own origin only.
CONTENT_SECURITY_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}

# Partitions arrive as raw bodies that views read in pieces and bound themselves; everything else is small JSON.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
FILE_UPLOAD_HANDLERS = ["config.no_files.NoFiles"]

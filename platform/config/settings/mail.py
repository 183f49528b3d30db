"""Mail: off unless EXFM_MAIL_HOST names a server. Invitations then also go out as letters."""

from config import env

EMAIL_HOST = env.text("EXFM_MAIL_HOST", "")
EMAIL_PORT = env.number("EXFM_MAIL_PORT", 587)
EMAIL_HOST_USER = env.text("EXFM_MAIL_USER", "")
EMAIL_HOST_PASSWORD = env.text("EXFM_MAIL_PASSWORD", "")
EMAIL_USE_TLS = env.flag("EXFM_MAIL_TLS", True)
EMAIL_TIMEOUT = 5
DEFAULT_FROM_EMAIL = env.text("EXFM_MAIL_FROM", "exfm@localhost")

"""Letters, where the installation has a mail server (EXFM_MAIL_HOST); without one links are handed over by people."""

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction

log = structlog.get_logger("exfm.mail")


def configured() -> bool:
    """Tell whether letters are sent at all."""
    return bool(settings.EMAIL_HOST)


def send_later(*, to: str, subject: str, text: str) -> bool:
    """Send after the transaction commits; a server that is away costs a log line, never the change itself."""
    if not configured():
        return False

    def send() -> None:
        try:
            send_mail(subject, text, None, [to])
        except OSError as error:  # smtplib's errors are OSErrors
            log.warning("mail_failed", error=type(error).__name__)

    transaction.on_commit(send)
    return True

"""What a day leaves behind: counts of failed sign-ins, remembered answers, ended sessions, used links."""

from datetime import timedelta
from typing import Final

from django.contrib.sessions.models import Session
from django.utils import timezone

from api.base import idempotency
from tenancy import lockout
from tenancy.models import Invitation, PasswordReset

LINKS_KEPT: Final = timedelta(days=90)
"""How long ended invitations and reset links stay to be looked up; the audit log keeps that they were made."""


def tidy() -> dict[str, int]:
    """Remove what nobody needs any more; return how much of each."""
    old = timezone.now() - LINKS_KEPT
    return {
        "sign_in_attempts": lockout.forget_old(),
        "idempotency_records": idempotency.forget_old(),
        "sessions": Session.objects.filter(expire_date__lt=timezone.now()).delete()[0],
        "invitations": Invitation.objects.filter(expires_at__lt=old).delete()[0],
        "password_resets": PasswordReset.objects.filter(expires_at__lt=old).delete()[0],
    }

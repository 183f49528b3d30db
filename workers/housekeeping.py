"""What a day leaves behind: counts of failed sign-ins, remembered answers, ended sessions, used links, ended months.

Totals of months are compared with the lines they add up, and counted anew where they differ, which they never should.
"""

from datetime import timedelta
from typing import Final

from django.contrib.sessions.models import Session
from django.utils import timezone

from api.base import idempotency
from budgets import allocation, months
from tenancy import lockout
from tenancy.models import Invitation, PasswordReset

LINKS_KEPT: Final = timedelta(days=90)
"""How long ended invitations and reset links stay to be looked up; the audit log keeps that they were made."""


def tidy() -> dict[str, int]:
    """Remove what nobody needs any more, mend what is wrong, close the months that are over; return how much of each.

    Totals are mended first: a closed month's shares are fixed.
    """
    old = timezone.now() - LINKS_KEPT
    return {
        "sign_in_attempts": lockout.forget_old(),
        "idempotency_records": idempotency.forget_old(),
        "sessions": Session.objects.filter(expire_date__lt=timezone.now()).delete()[0],
        "invitations": Invitation.objects.filter(expires_at__lt=old).delete()[0],
        "password_resets": PasswordReset.objects.filter(expires_at__lt=old).delete()[0],
        "wrong_totals": sum(map(months.mend, months.ALL)),
        "allocations": allocation.close_due(),
    }

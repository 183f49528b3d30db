"""What happens at sign-in."""

from django.db import connection

from tenancy.models import User


def touch_last_login(sender: object, user: User, **_: object) -> None:
    """Set the user's time of the last sign-in."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT exfm_touch_login(%s)", [str(user.pk)])

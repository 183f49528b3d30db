"""Sign-in and the signed-in user through SECURITY DEFINER functions, so that both database roles go the same way."""

import uuid
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import check_password, make_password
from django.db import connection
from django.http import HttpRequest

from tenancy import lockout, second_factor
from tenancy.addresses import client_address
from tenancy.models import User

_COLUMNS = tuple(field.attname for field in User._meta.concrete_fields if field.attname != "password")
"""In the model's order, as `from_db` wants them."""


def load_user(user_id: uuid.UUID | str) -> User | None:
    """Return an active user without the password's hash, or None."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(_COLUMNS)}, session_stamp FROM exfm_user(%s)", [str(user_id)])  # noqa: S608
        row = cursor.fetchone()
    if row is None:
        return None
    user = User.from_db(connection.alias, _COLUMNS, row[:-1])
    user.session_stamp = row[-1]
    return user if user.is_active else None


class FunctionBackend(ModelBackend):
    """Django's authentication backend of API and admin site; counts failures, too many raise `TooManyRequests`."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        code: str = "",
        **kwargs: Any,
    ) -> User | None:
        """Return the user if e-mail address, password and, where there is a second factor, its code match.

        Raises `Unauthenticated` (`second_factor_required`) where the password is right and the code is missing.
        """
        email = (username or kwargs.get("email") or "").strip().lower()
        if not email or password is None:
            return None
        address = client_address(request) if request is not None else ""
        lockout.refuse_if_locked(email=email, address=address)
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, password, is_active FROM exfm_login(%s)", [email])
            row = cursor.fetchone()
        if row is None:
            make_password(password)  # the same work for unknown addresses, so that time tells nothing
        elif (
            check_password(password, row[1]) and row[2] and second_factor.passed(user_id=row[0], email=email, code=code)
        ):
            lockout.forget(email=email, address=address)
            return load_user(row[0])
        lockout.count_failure(email=email, address=address)
        return None

    def get_user(self, user_id: Any) -> User | None:
        """Return the user of a session."""
        return load_user(user_id)

"""Sign-in and the signed-in user through SECURITY DEFINER functions, so that both database roles go the same way."""

import uuid
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import check_password, make_password
from django.db import connection
from django.http import HttpRequest

from tenancy import lockout, second_factor, tokens
from tenancy.addresses import client_address
from tenancy.errors import Unauthenticated
from tenancy.models import User
from tenancy.tokens import TokenGrant

_COLUMNS = tuple(field.attname for field in User._meta.concrete_fields if field.attname != "password")
"""In the model's order, as `from_db` wants them."""
_ID = _COLUMNS.index("id")


def load_user(user_id: uuid.UUID | str) -> User | None:
    """Return an active user without the password's hash, or None."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(_COLUMNS)}, session_stamp FROM exfm_user(%s)", [str(user_id)])  # noqa: S608
        row = cursor.fetchone()
    return _active(row)


_OF_BOTH = ", ".join([*(f"t.{name}" for name in tokens.COLUMNS), *(f"u.{name}" for name in _COLUMNS)])
_BEARER = f"""
SELECT {_OF_BOTH}, u.session_stamp
FROM exfm_token(%s) t LEFT JOIN LATERAL exfm_user(t.user_id) u ON true
"""  # noqa: S608


def load_bearer(text: str) -> tuple[User, TokenGrant]:
    """Return a token's active user and what the token grants now, in one query, or raise `Unauthenticated`."""
    prefix, secret = tokens.parts(text)
    with connection.cursor() as cursor:
        cursor.execute(_BEARER, [prefix])
        row = cursor.fetchone()
    grant = tokens.granted(row and row[: len(tokens.COLUMNS)], prefix=prefix, secret=secret)
    user = _active(row[len(tokens.COLUMNS) :])
    if user is None:
        raise Unauthenticated("user_inactive", "The user of this token is not active any more.")
    return user, grant


def _active(row: tuple[Any, ...] | None) -> User | None:
    if row is None or row[_ID] is None:
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
        elif check_password(password, row[1]) and row[2]:
            proof = second_factor.check(user_id=row[0], email=email, code=code)
            if proof is not None:
                lockout.forget(email=email, address=address)
                user = load_user(row[0])
                if user is not None:
                    user.proof = proof
                return user
        lockout.count_failure(email=email, address=address)
        return None

    def get_user(self, user_id: Any) -> User | None:
        """Return the user of a session."""
        return load_user(user_id)

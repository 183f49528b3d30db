"""Who is asking: a bearer token, or a session cookie with a CSRF token."""

from django.contrib.auth import get_user
from django.http import HttpRequest, QueryDict
from rest_framework import authentication
from rest_framework.request import Request

from tenancy.backends import load_bearer
from tenancy.errors import Unauthenticated
from tenancy.models import User
from tenancy.tokens import TokenGrant

CHALLENGE = 'Bearer realm="exfm"'


def bearer(request: HttpRequest | Request) -> tuple[User, TokenGrant] | None:
    """Return the user and grant of the request's bearer token; None without one, `Unauthenticated` for a bad one."""
    scheme, _, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    return load_bearer(text.strip())


def again(request: HttpRequest) -> tuple[User, TokenGrant | None]:
    """Return who the request's credential names now, or raise `Unauthenticated`.

    Bodies and event streams take minutes, in which tokens are revoked, sessions end and users are deactivated.
    """
    if (found := bearer(request)) is not None:
        return found
    request.session = type(request.session)(request.session.session_key)
    user = get_user(request)
    if not isinstance(user, User):
        raise Unauthenticated()
    return user, None


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer exfm_<prefix>_<secret>`; `request.auth` becomes a `TokenGrant`."""

    def authenticate(self, request: Request) -> tuple[User, TokenGrant] | None:
        """See `bearer`."""
        return bearer(request)

    def authenticate_header(self, request: Request) -> str:
        """Make an unauthenticated request a 401."""
        return CHALLENGE


class SessionAuthentication(authentication.SessionAuthentication):
    """The dashboard's session cookie; writes need the CSRF token, in its header. `request.auth` stays None."""

    def enforce_csrf(self, request: Request) -> None:
        """Check the header, and never look for a form's field: the body may be a partition of a gigabyte."""
        request._request.POST = QueryDict()
        super().enforce_csrf(request._request)  # type: ignore[arg-type]

    def authenticate_header(self, request: Request) -> str:
        """Make an unauthenticated request a 401."""
        return CHALLENGE

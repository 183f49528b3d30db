"""Who is asking: a bearer token, or a session cookie with a CSRF token."""

from django.http import HttpRequest, QueryDict
from rest_framework import authentication
from rest_framework.request import Request

from tenancy import tokens
from tenancy.backends import load_user
from tenancy.errors import Unauthenticated
from tenancy.models import User
from tenancy.tokens import TokenGrant

CHALLENGE = 'Bearer realm="exfm"'


def bearer(request: HttpRequest | Request) -> tuple[User, TokenGrant] | None:
    """Return the user and grant of the request's bearer token; None without one, `Unauthenticated` for a bad one."""
    scheme, _, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    grant = tokens.verify(text.strip())
    user = load_user(grant.user_id)
    if user is None:
        raise Unauthenticated("user_inactive", "The user of this token is not active any more.")
    return user, grant


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

"""Rate limits per credential; the answer says in `Retry-After` when to come back."""

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from tenancy.addresses import client_address
from tenancy.tokens import TokenGrant


class CredentialThrottle(SimpleRateThrottle):
    """Counts requests per token, else per user, else per network address."""

    scope = "credential"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Return whose count this request belongs to."""
        if isinstance(request.auth, TokenGrant):
            return f"throttle:token:{request.auth.id}"
        if request.user is not None and request.user.is_authenticated:
            return f"throttle:user:{request.user.pk}"
        return f"throttle:address:{client_address(request._request)}"


class AnonymousThrottle(CredentialThrottle):
    """The tighter limit of addresses that anybody may call."""

    scope = "anonymous"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Return the caller's network address."""
        return f"throttle:anonymous:{client_address(request._request)}"

"""The network address a request came from."""

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return the client's address; `X-Forwarded-For` counts only as far as EXFM_TRUSTED_PROXIES proxies wrote it."""
    trusted: int = settings.EXFM_TRUSTED_PROXIES
    peer: str = request.META.get("REMOTE_ADDR", "")
    hops: list[str] = [
        *(hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()),
        peer,
    ]
    return hops[max(len(hops) - 1 - trusted, 0)]

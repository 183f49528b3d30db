"""The pages that belong to no app: the dashboard's single page and the way to the admin site."""

from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

NOT_BUILT = "The dashboard is not built yet. Run `make frontend`, then reload. The API answers below /api/v1/.\n"


@transaction.non_atomic_requests
@require_safe
@ensure_csrf_cookie
def dashboard(request: HttpRequest, path: str = "") -> HttpResponse:
    """Serve the dashboard's page for each of its addresses; it routes by itself. Never cached: it names the
    hashed assets."""
    page = Path(settings.FRONTEND_DIST) / "index.html"
    try:
        response = HttpResponse(page.read_bytes(), content_type="text/html; charset=utf-8")
    except FileNotFoundError:
        response = HttpResponse(NOT_BUILT, content_type="text/plain; charset=utf-8", status=503)
    response.headers["Cache-Control"] = "no-cache"
    return response


@transaction.non_atomic_requests
@require_safe
def to_admin(request: HttpRequest, path: str = "") -> HttpResponse:
    """Send the browser to the process that holds the administrators' credential."""
    return HttpResponseRedirect(f"{settings.EXFM_ADMIN_ORIGIN.rstrip('/')}/admin/{path}")

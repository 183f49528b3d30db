"""Middleware of the installation: a request id for logs and errors, and the content security policy."""

import re
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

log = structlog.get_logger("exfm.request")

QUIET = {"/healthz", "/readyz"}
_SAFE_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")

Response = HttpResponseBase
GetResponse = Callable[[HttpRequest], Any]


class _Both:
    """Runs `before` and `after` around the view, in a synchronous or an asynchronous server alike."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.asynchronous = iscoroutinefunction(get_response)
        if self.asynchronous:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Response | Awaitable[Response]:
        if self.asynchronous:
            return self._acall(request)
        self.before(request)
        return self.after(request, self.get_response(request))

    async def _acall(self, request: HttpRequest) -> Response:
        self.before(request)
        return self.after(request, await self.get_response(request))

    def before(self, request: HttpRequest) -> None:
        """Prepare the request."""

    def after(self, request: HttpRequest, response: Response) -> Response:
        """Finish the response."""
        return response


class RequestContextMiddleware(_Both):
    """Gives the request an id (`request.request_id`, header `X-Request-ID`, every log line) and logs its outcome."""

    def before(self, request: HttpRequest) -> None:
        """Take the caller's id when it is harmless, else make one."""
        given = request.headers.get("X-Request-ID", "")
        request.request_id = given if _SAFE_ID.match(given) else uuid.uuid4().hex  # type: ignore[attr-defined]
        request.began = time.monotonic()  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.request_id)  # type: ignore[attr-defined]

    def after(self, request: HttpRequest, response: Response) -> Response:
        """Return the id and write one log line; health checks stay silent."""
        response.headers["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        if request.path not in QUIET:
            seconds = round(time.monotonic() - request.began, 4)  # type: ignore[attr-defined]
            level = log.info if response.status_code < 500 else log.error
            level("request", method=request.method, path=request.path, status=response.status_code, seconds=seconds)
        return response


class ContentSecurityPolicyMiddleware(_Both):
    """Sends the Content-Security-Policy of the settings, and a Permissions-Policy that asks for nothing."""

    def __init__(self, get_response: GetResponse) -> None:
        super().__init__(get_response)
        self.policy = "; ".join(f"{name} {value}" for name, value in settings.CONTENT_SECURITY_POLICY.items())

    def after(self, request: HttpRequest, response: Response) -> Response:
        """Add the headers unless the view chose its own."""
        response.headers.setdefault("Content-Security-Policy", self.policy)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response

"""Every error of the API as application/problem+json (RFC 9457): what is wrong, how to mend it, never a stack trace."""

import sys
from collections import Counter
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.signals import got_request_exception
from django.db import DatabaseError, InterfaceError, OperationalError
from django.db.models import ProtectedError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from psycopg_pool import PoolTimeout
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from api.base import problems
from config.body_limit import BUSY, RETRY_SECONDS
from config.body_places import NoPlace
from exfm_core.errors import ExfmError
from tenancy.errors import DomainError, InUse

log = structlog.get_logger("exfm.api")

CONTENT_TYPE = "application/problem+json"


def problem_handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """REST framework's exception handler: roll back the view's transaction, if any, and answer with the problem."""
    if getattr(context.get("view"), "in_transaction", True):
        set_rollback()
    request = context.get("request")
    problem = to_problem(error)
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        log.warning("unavailable", code=problem.code, error=str(error))
    elif problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.exception("unhandled", exc_info=error)
        got_request_exception.send(sender=None, request=getattr(request, "_request", request))
    response = Response(problem.body(request_id_of(request)), status=problem.status, content_type=CONTENT_TYPE)
    for name, value in problem.headers.items():
        response.headers[name] = value
    return response


def request_id_of(request: Any) -> str:
    """Return the id that `RequestContextMiddleware` gave the request."""
    return str(getattr(request, "request_id", "") or "")


def to_problem(error: Exception) -> problems.Problem:
    """Translate any exception; what nobody foresaw becomes a 500 that tells nothing but the request's id."""
    match error:
        case DomainError():
            return problems.Problem(
                error.status,
                error.code,
                error.message,
                error.mend,
                error.field,
                error.retry_after,
                _challenge(error.status),
                members=problems.uses(error.uses, error.count) if isinstance(error, InUse) else {},
            )
        case ExfmError():
            return problems.Problem(HTTPStatus.UNPROCESSABLE_ENTITY, error.code, error.message, error.mend)
        case exceptions.ValidationError():
            return problems.from_validation(error)
        case exceptions.APIException():
            return problems.from_api_exception(error)
        case Http404():
            return problems.Problem(404, "not_found", "There is nothing here.", "Check the address and the ids in it.")
        case PermissionDenied():
            return problems.Problem(
                403, "forbidden", "You may not do this.", "Ask an owner of the tenant for the right."
            )
        case ProtectedError():
            return problems.Problem(
                409,
                "in_use",
                f"This is still in use by {_users(error)}.",
                "Remove what refers to it first.",
                members=problems.uses([], len(error.protected_objects)),
            )
        case RequestDataTooBig():
            return problems.Problem(413, "body_too_large", "The body is too large.", "Send at most 2 MiB of JSON.")
        case NoPlace():
            return problems.Problem(BUSY.status, BUSY.code, BUSY.detail, BUSY.mend, retry_after=RETRY_SECONDS)
        case PoolTimeout() | OperationalError() | InterfaceError():
            return problems.Problem(
                503,
                "database_unavailable",
                "The database does not answer.",
                "Try again in a few seconds.",
                retry_after=5,
            )
        case DatabaseError() if _is_bad_text(error):
            return problems.Problem(
                400, "text_invalid", "The text holds characters that cannot be stored.", "Remove null characters."
            )
    return problems.Problem(
        500,
        "internal_error",
        "Something went wrong on our side.",
        "Try again; if it stays, tell the operator the request id.",
    )


def _users(error: ProtectedError) -> str:
    """Say how many rows of each kind refer to what was to be deleted; never which, they may be another tenant's."""
    counts = Counter(str(type(row)._meta.verbose_name) for row in error.protected_objects)
    return ", ".join(f"{count} × {kind}" for kind, count in sorted(counts.items()))


def _challenge(status: int) -> str:
    return 'Bearer realm="exfm"' if status == HTTPStatus.UNAUTHORIZED else ""


def _is_bad_text(error: Exception) -> bool:
    return "\\u0000" in str(error) or "NUL (0x00)" in str(error)


def _plain(request: HttpRequest, problem: problems.Problem) -> HttpResponse:
    """Answer outside REST framework: problem+json below /api/, one sentence elsewhere."""
    if request.path.startswith("/api/"):
        response: HttpResponse = JsonResponse(
            problem.body(request_id_of(request)), status=problem.status, content_type=CONTENT_TYPE
        )
    else:
        response = HttpResponse(
            f"{problem.detail} {problem.mend}\n", status=problem.status, content_type="text/plain; charset=utf-8"
        )
    for name, value in problem.headers.items():
        response.headers[name] = value
    return response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler400."""
    return _plain(
        request,
        problems.Problem(400, "bad_request", "The request cannot be read.", "Check its address, headers and body."),
    )


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler403."""
    return _plain(request, to_problem(PermissionDenied()))


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler404."""
    return _plain(request, to_problem(Http404()))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: what went wrong outside REST framework, a database that is away above all."""
    error = sys.exc_info()[1]
    return _plain(request, to_problem(error if isinstance(error, Exception) else RuntimeError()))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW."""
    return _plain(request, problems.CSRF)

"""The body of an error, and how REST framework's own errors become one."""

import dataclasses
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from rest_framework import exceptions

from tenancy.errors import Use

MENDS = {
    "parse_error": "Send valid JSON.",
    "not_authenticated": "Sign in, or send a valid token as `Authorization: Bearer …`.",
    "authentication_failed": "Sign in again, or make a new token.",
    "permission_denied": "Ask an owner of the tenant for the right.",
    "not_found": "Check the address and the ids in it.",
    "method_not_allowed": "The Allow header lists the methods of this address.",
    "not_acceptable": "Send `Accept: application/json`.",
    "unsupported_media_type": "Send `Content-Type: application/json`.",
    "throttled": "Wait as long as the Retry-After header says.",
}


@dataclasses.dataclass(frozen=True)
class Problem:
    """One error: HTTP status, stable code, a sentence, the next step, and the input field it is about."""

    status: int
    code: str
    detail: str
    mend: str = ""
    field: str | None = None
    retry_after: int | None = None
    challenge: str = ""
    errors: list[dict[str, str]] = dataclasses.field(default_factory=list)
    extra_headers: dict[str, str] = dataclasses.field(default_factory=dict)
    members: dict[str, Any] = dataclasses.field(default_factory=dict)

    def body(self, request_id: str) -> dict[str, Any]:
        """Return the JSON body; `field` and `errors` only where there are any, then further `members`."""
        body: dict[str, Any] = {
            "type": f"urn:exfm:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": int(self.status),
            "code": self.code,
            "detail": self.detail,
            "mend": self.mend,
            "request_id": request_id,
        }
        if self.field:
            body["field"] = self.field
        if self.errors:
            body["errors"] = self.errors
        return body | self.members

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that belong to the error."""
        headers = dict(self.extra_headers)
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        if self.challenge:
            headers["WWW-Authenticate"] = self.challenge
        return headers


def uses(found: Sequence[Use], count: int) -> dict[str, Any]:
    """Return the members of an `in_use` problem: the uses that may be told, and how many there are in all."""
    told = [{"kind": use.kind, "id": str(use.id), "name": use.name} for use in found]
    return {"uses": told, "uses_count": count}


CSRF = Problem(
    403,
    "csrf_failed",
    "The request lacks a valid CSRF token.",
    "Send the csrftoken cookie's value in the X-CSRFToken header.",
)


def from_api_exception(error: exceptions.APIException) -> Problem:
    """Translate REST framework's exceptions other than validation errors."""
    code = str(error.default_code)
    detail = str(error.detail)
    if isinstance(error, exceptions.PermissionDenied) and detail.startswith("CSRF Failed"):
        return CSRF
    code = {"error": "internal_error", "not_authenticated": "signed_out"}.get(code, code)
    wait = getattr(error, "wait", None)
    return Problem(
        error.status_code,
        code,
        detail,
        MENDS.get(str(error.default_code), "Check the request."),
        retry_after=max(1, int(wait)) if wait else None,
        challenge=str(getattr(error, "auth_header", "") or ""),
    )


def from_validation(error: exceptions.ValidationError) -> Problem:
    """Name every refused field; the first one is the problem's own."""
    errors = list(_flatten("", error.detail))
    first = errors[0] if errors else {"field": "", "code": "invalid", "message": "The input is invalid."}
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    where = f"{first['field']}: " if first["field"] else ""
    code = first["code"] if len(errors) == 1 and first["code"] == "unknown_field" else "validation_failed"
    return Problem(
        400,
        code,
        f"{where}{first['message']}{more}",
        "Correct the fields named in `errors` and send the request again.",
        field=first["field"] or None,
        errors=errors,
    )


def _flatten(path: str, detail: Any) -> list[dict[str, str]]:
    if isinstance(detail, dict):
        found = []
        for name, inner in detail.items():
            step = f"[{name}]" if isinstance(name, int) else f".{name}"
            here = path if name == "non_field_errors" else f"{path}{step}".strip(".")
            found += _flatten(here, inner)
        return found
    if isinstance(detail, list):
        nested = any(isinstance(item, dict | list) for item in detail)
        found = []
        for index, item in enumerate(detail):
            if item:
                found += _flatten(f"{path}[{index}]" if nested else path, item)
        return found
    return [{"field": path, "code": str(getattr(detail, "code", "invalid")), "message": str(detail)}]

"""OpenAPI: what drf-spectacular cannot see: problem+json, the tenant in the path, tokens, idempotency keys."""

from collections.abc import Callable
from typing import Any, Literal

from django.core.validators import RegexValidator
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from api.base.concurrency import refuse_if_changed
from api.base.downloads import resumable
from api.base.idempotency import idempotency_key, remember
from api.base.open_views import Access
from api.base.serializers import NOT_BLANK, Strict
from api.base.viewsets import PlatformAdminViewSet, TenantViewSet
from api.base.walls import WalledViewSet


class FieldErrorSerializer(serializers.Serializer[Any]):
    """One refused field."""

    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """An error: what is wrong and how to mend it."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    mend = serializers.CharField()
    request_id = serializers.CharField()
    field = serializers.CharField(required=False)
    errors = FieldErrorSerializer(many=True, required=False)  # type: ignore[assignment]


class UseSerializer(serializers.Serializer[Any]):
    """A row that keeps another from being deleted."""

    kind = serializers.CharField(help_text="model, partition, run, label_set or foundation_model")
    id = serializers.UUIDField()
    name = serializers.CharField()


class InUseSerializer(ProblemSerializer):
    """`in_use`: something still refers to what was to be deleted."""

    uses = UseSerializer(many=True, help_text="50 at most, some of every kind")
    uses_count = serializers.IntegerField(help_text="how many there are in all")


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """`Authorization: Bearer exfm_…`."""

    target_class = "api.base.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Describe the scheme."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "exfm_<prefix>_<secret>"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The dashboard's cookie."""

    target_class = "api.base.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Describe the scheme."""
        return {"type": "apiKey", "in": "cookie", "name": "exfm_session"}


class AutoSchema(SpectacularSchema):
    """Adds what every address of the API shares."""

    def get_override_parameters(self) -> list[Any]:
        """Add the tenant, and the idempotency key where it is read."""
        found: list[Any] = []
        if isinstance(self.view, TenantViewSet):
            found.append(OpenApiParameter("tenant", str, OpenApiParameter.PATH, description="the tenant's slug"))
        if self._calls(idempotency_key, remember):
            found.append(
                OpenApiParameter(
                    "Idempotency-Key",
                    str,
                    OpenApiParameter.HEADER,
                    description="repeating a request with the same key gives the first answer again",
                    pattern="^[!-~]{1,200}$",
                )
            )
        if self._calls(refuse_if_changed):
            found.append(
                OpenApiParameter(
                    "If-Match",
                    str,
                    OpenApiParameter.HEADER,
                    description="the ETag that was read; 412 where the thing has changed since",
                    pattern="^[!-~]{1,200}$",
                )
            )
        return found

    def get_tags(self) -> list[str]:
        """Group by resource."""
        parts = [part for part in self.path.split("/") if part and "{" not in part]
        if "admin" in parts:
            return ["admin"]
        return [parts[3] if len(parts) > 3 and parts[2] == "tenants" else parts[2]]

    def get_description(self) -> str:  # type: ignore[override]
        """Append the permission to the action's docstring."""
        text = super().get_description() or ""
        if isinstance(self.view, WalledViewSet):
            permission = self.view.required.get(getattr(self.view, "action", "") or "")
            who = (
                "Platform administrators; scope"
                if isinstance(self.view, PlatformAdminViewSet)
                else "Permission and scope:"
            )
            text = f"{text}\n\n{who} `{permission}`." if permission else text
        return text.strip()

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Return what signs in; nothing where anybody may call."""
        access = getattr(self.view, "access", {}).get(self.method.lower())
        return [] if access == Access.ANYBODY else super().get_auth()

    def _calls(self, *functions: Callable[..., Any]) -> bool:
        """Tell whether the operation's method, or what wraps it, calls one of the functions by name."""
        action = getattr(self.view, getattr(self.view, "action", None) or "", None)
        names = {function.__name__ for function in functions}
        while action is not None:
            if names & set(getattr(getattr(action, "__code__", None), "co_names", ())):
                return True
            action = getattr(action, "__wrapped__", None)
        return False

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        """Say that unknown fields are refused."""
        found = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if direction == "request" and isinstance(serializer, Strict):
            found["additionalProperties"] = False
        return found

    def _get_request_body(self, *args: Any, **kwargs: Any) -> Any:
        """Say that a file has to be sent."""
        body = super()._get_request_body(*args, **kwargs)  # type: ignore[no-untyped-call]
        if body and "application/octet-stream" in body["content"]:
            body["required"] = True
        return body

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        """Say of a list that it may not be empty, of a text that it needs more than spaces, of money which digits."""
        found = super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        if direction == "request" and _refuses_blank(field) and "format" not in found:
            found.setdefault("pattern", NOT_BLANK)
        if isinstance(field, serializers.ListField) and not field.allow_empty and isinstance(found, dict):
            found.setdefault("minItems", 1)
        if isinstance(field, serializers.DecimalField) and direction == "request" and "pattern" in found:
            sign = "" if field.min_value is not None and field.min_value >= 0 else "-?"
            whole, places = (field.max_digits or 18) - (field.decimal_places or 0), field.decimal_places
            found["pattern"] = rf"^{sign}[0-9]{{1,{whole}}}(\.[0-9]{{1,{places}}})?$"
        return found

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> Any:
        """Every address may answer with a problem; the statuses that this one is known for are named."""
        bodies = super()._get_response_bodies(direction)
        self.resolve_serializer(ProblemSerializer, direction)
        for status in self._refusals():
            bodies.setdefault(str(status), {"$ref": f"#/components/responses/{REFUSALS[status][0]}"})
        bodies["default"] = {
            "description": "A problem: what is wrong and how to mend it.",
            "content": {"application/problem+json": {"schema": {"$ref": PROBLEM}}},
        }
        return bodies

    def _refusals(self) -> list[int]:
        """Return the statuses of the problems that the operation answers with."""
        found = {401, 429, 503} if self.path != "/api/v1/schema" else set()
        if isinstance(self.view, WalledViewSet):
            found |= {403, 404} if "{" in self.path else {403}
        if self.method in {"POST", "PUT", "PATCH"} or self.get_override_parameters():
            found.add(400)
        if self.method in {"POST", "PUT", "PATCH", "DELETE"}:
            found |= {403, 409}
        if self.method in {"POST", "PUT", "PATCH"} and self.get_request_serializer() is not None:
            found |= {413, 415, 422}
        if self._calls(refuse_if_changed):
            found.add(412)
        if self._calls(resumable):
            found |= {409, 410, 416}
        return sorted(found)


def _refuses_blank(field: Any) -> bool:
    """Tell whether the field strips its text and takes none that is then empty, which no pattern of its own says."""
    if not isinstance(field, serializers.CharField) or field.allow_blank or not field.trim_whitespace:
        return False
    return not any(isinstance(validator, RegexValidator) for validator in field.validators)


REFUSALS = {
    400: ("BadRequest", "The request cannot be read, or a field is refused; `errors` names each."),
    401: ("SignedOut", "Nobody is signed in, or the token is not valid any more."),
    403: ("Forbidden", "The role or the token's scopes do not include this, or the tenant is suspended."),
    404: ("NotFound", "It does not exist, or is another tenant's."),
    409: ("Conflict", "It contradicts what is stored."),
    410: ("Gone", "It was there, and was removed."),
    412: ("Changed", "It was changed since it was read (`If-Match`)."),
    413: ("TooLarge", "The body is larger than the limit."),
    415: ("WrongType", "The body's media type is not taken here."),
    416: ("OutsideTheFile", "`Range` asks for bytes that the file does not have."),
    422: ("Unacceptable", "Well-formed, and still not acceptable."),
    429: ("TooMany", "Too many requests; `Retry-After` says when to come back."),
    503: ("Unavailable", "The database does not answer; `Retry-After` says when to try again."),
}
"""Status -> name and description of the response that the description's operations share."""


def add_events(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Postprocessing hook: describe the event stream, which is no view of REST framework."""
    problem = {"description": "A problem.", "content": {"application/problem+json": {"schema": {"$ref": PROBLEM}}}}
    result["paths"]["/api/v1/tenants/{tenant}/events"] = {
        "get": {
            "operationId": "events_stream",
            "description": EVENTS,
            "tags": ["runs"],
            "parameters": [
                {"in": "path", "name": "tenant", "required": True, "schema": {"type": "string"}},
                {"in": "query", "name": "run", "schema": {"type": "string", "format": "uuid"}},
            ],
            "security": [{"token": []}, {"session": []}],
            "responses": {
                "200": {"description": "A stream.", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
                "default": problem,
            },
        }
    }
    result["paths"] = dict(sorted(result["paths"].items()))
    return result


def add_refusals(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Postprocessing hook: the problem responses that operations refer to."""
    wait = {"description": "seconds", "schema": {"type": "integer"}}
    challenge = {"description": "how to sign in", "schema": {"type": "string"}}
    headers = {401: {"WWW-Authenticate": challenge}, 429: {"Retry-After": wait}, 503: {"Retry-After": wait}}
    result["components"]["responses"] = {
        name: {
            "description": text,
            **({"headers": headers[status]} if status in headers else {}),
            "content": {"application/problem+json": {"schema": {"$ref": PROBLEM}}},
        }
        for status, (name, text) in REFUSALS.items()
    }
    return result


def simplify(result: Any, **_: Any) -> Any:
    """Postprocessing hook: what may be anything may be null, and matching that twice is no contradiction."""
    if isinstance(result, dict):
        if result.get("oneOf") == [{}, {"type": "null"}]:
            del result["oneOf"]
        for value in result.values():
            simplify(value)
    elif isinstance(result, list):
        for value in result:
            simplify(value)
    return result


PROBLEM = "#/components/schemas/Problem"
EVENTS = """Server-sent events: `run` with a run's card whenever it changes, `resync` when something may be missed.

Permission and scope: `runs:read`."""

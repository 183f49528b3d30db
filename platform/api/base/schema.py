"""OpenAPI: what drf-spectacular cannot see: problem+json, the tenant in the path, tokens, idempotency keys."""

from typing import Any, Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

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
        if isinstance(self.view, WalledViewSet) and getattr(self.view, "action", None) == "create":
            found.append(
                OpenApiParameter(
                    "Idempotency-Key",
                    str,
                    OpenApiParameter.HEADER,
                    description="repeating a request with the same key gives the first answer again",
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

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> Any:
        """Every address may answer with a problem."""
        bodies = super()._get_response_bodies(direction)
        problem = self.resolve_serializer(ProblemSerializer, direction)
        bodies["default"] = {
            "description": "A problem: what is wrong and how to mend it.",
            "content": {"application/problem+json": {"schema": problem.ref if problem else {}}},
        }
        return bodies


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


PROBLEM = "#/components/schemas/Problem"
EVENTS = """Server-sent events: `run` with a run's card whenever it changes, `resync` when something may be missed.

Permission and scope: `runs:read`."""

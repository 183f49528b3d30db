"""What owners decide for all members of their tenant."""

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.concurrency import IF_MATCH, refuse_if_changed, tagged
from api.base.serializers import StrictSerializer
from api.base.viewsets import TenantViewSet
from api.v1.account import checked
from tenancy import proofs
from tenancy.errors import Forbidden
from tenancy.models import Tenant


class TenantSettingsSerializer(StrictSerializer):
    """A tenant's settings."""

    second_factor_required = serializers.BooleanField(
        help_text="members who come by session must have shown a second factor; tokens go on"
    )


def shown(tenant: Tenant) -> dict[str, Any]:
    """Return the settings' representation."""
    return {"second_factor_required": tenant.requires_second_factor}


class TenantSettingsViewSet(TenantViewSet):
    """The tenant's settings."""

    required = {"retrieve": "members:read", "partial_update": "members:write"}
    serializer_class = TenantSettingsSerializer

    @extend_schema(operation_id="tenant_settings_read", responses=TenantSettingsSerializer)
    def retrieve(self, request: Request) -> Response:
        """Return the settings."""
        return tagged(shown(self.tenant))

    @extend_schema(
        operation_id="tenant_settings_update",
        parameters=[IF_MATCH],
        request=TenantSettingsSerializer,
        responses=TenantSettingsSerializer,
    )
    def partial_update(self, request: Request) -> Response:
        """Require a second factor of the members, or no more. Only in a session that has shown one itself (409)."""
        if request.auth is not None:
            raise Forbidden("session_only", "A token may not do this.", "Sign in and do it there.")
        required = checked(TenantSettingsSerializer, request)["second_factor_required"]
        refuse_if_changed(request, shown(self.tenant))
        showed = proofs.is_shown(request.session, self.user)
        return tagged(shown(proofs.require(tenant=self.tenant, required=required, shown=showed)))


urls = [path("settings", TenantSettingsViewSet.as_view({"get": "retrieve", "patch": "partial_update"}))]

"""The tenant's end."""

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.serializers import StrictSerializer
from api.base.viewsets import TenantViewSet
from api.v1.account import checked
from tenancy import deletion
from tenancy.models import TenantDeletion


class DeletionSerializer(StrictSerializer):
    """A tenant's end under way."""

    requested_by = serializers.EmailField(source="requested_by.email", allow_null=True, default=None)
    requested_at = serializers.DateTimeField(source="created_at")
    erase_after = serializers.DateTimeField()
    reason = serializers.CharField()


class DeletionStateSerializer(StrictSerializer):
    """The open wish, or null."""

    deletion = DeletionSerializer(allow_null=True)


class DeletionRequestSerializer(StrictSerializer):
    """The wish; `confirm` is the tenant's slug."""

    confirm = serializers.CharField(max_length=63)
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)


class DeletionViewSet(TenantViewSet):
    """The tenant's end."""

    required = {"retrieve": "tenant:delete", "create": "tenant:delete", "destroy": "tenant:delete"}
    serializer_class = DeletionSerializer

    @extend_schema(operation_id="tenant_deletion_read", responses=DeletionStateSerializer)
    def retrieve(self, request: Request) -> Response:
        """Return the open wish; null where there is none."""
        row = deletion.open_request()
        return Response({"deletion": shown(row) if row else None})

    @extend_schema(
        operation_id="tenant_deletion_create", request=DeletionRequestSerializer, responses={201: DeletionSerializer}
    )
    def create(self, request: Request) -> Response:
        """Ask that everything be erased after the time of grace; until then the tenant works as before."""
        data = checked(DeletionRequestSerializer, request)
        row = deletion.request(
            tenant=self.tenant, user=self.user, confirm=data["confirm"], reason=data.get("reason", "")
        )
        return Response(shown(row), status=201)

    @extend_schema(operation_id="tenant_deletion_cancel", responses={204: None})
    def destroy(self, request: Request) -> Response:
        """Take the wish back."""
        deletion.cancel()
        return Response(status=204)


def shown(row: TenantDeletion) -> dict[str, Any]:
    """Return the wish's representation."""
    return dict(DeletionSerializer(row).data)


urls = [
    path("deletion", DeletionViewSet.as_view({"get": "retrieve", "post": "create", "delete": "destroy"})),
]

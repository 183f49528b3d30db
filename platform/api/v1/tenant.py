"""The tenant as a whole: taking everything along, and its end."""

import tempfile
from typing import Any

from django.db import connection, transaction
from django.http import StreamingHttpResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.downloads import download
from api.base.serializers import StrictSerializer
from api.base.viewsets import TenantViewSet
from api.v1.account import checked
from tenancy import audit, deletion, export
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


class ExportViewSet(TenantViewSet):
    """Everything the tenant owns, in one file."""

    required = {"retrieve": "tenant:export"}
    detached = frozenset({"retrieve"})

    @extend_schema(
        operation_id="tenant_export",
        responses={(200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY, description="JSON lines per table.")},
    )
    def retrieve(self, request: Request) -> StreamingHttpResponse:
        """Return a zip with every row of the tenant as JSON lines, as of one moment."""
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
        try:
            with transaction.atomic(durable=False):
                if len(connection.savepoint_ids) == 0:
                    with connection.cursor() as cursor:
                        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                with self.scope():
                    counts = export.write(self.tenant, file)
                    audit.record("tenant.export", self.tenant, after={"rows": sum(counts.values())})
        except BaseException:
            file.close()
            raise
        name = f"{self.tenant.slug}.zip"
        return download(request._request, file, name=name, content_type="application/zip")


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
    path("export", ExportViewSet.as_view({"get": "retrieve"})),
    path("deletion", DeletionViewSet.as_view({"get": "retrieve", "post": "create", "delete": "destroy"})),
]

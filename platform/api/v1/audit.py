"""The tenant's audit log."""

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.serializers import StrictSerializer
from api.base.viewsets import TenantViewSet
from tenancy import selectors


class AuditEntrySerializer(StrictSerializer):
    """One change: who, what, before and after."""

    id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    actor = serializers.CharField(source="actor_label")
    token_prefix = serializers.CharField()
    action = serializers.CharField()
    target_type = serializers.CharField()
    target_id = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)
    reason = serializers.CharField()
    request_id = serializers.CharField()


class AuditViewSet(TenantViewSet):
    """Every change in the tenant, newest first."""

    required = {"list": "audit:read"}
    serializer_class = AuditEntrySerializer

    @extend_schema(
        operation_id="audit_list",
        parameters=[OpenApiParameter("action", str), OpenApiParameter("target_id", str)],
        responses=AuditEntrySerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        """List the changes; `action` and `target_id` narrow them down."""
        rows = selectors.audit_entries()
        for name in ("action", "target_id"):
            if value := request.query_params.get(name):
                rows = rows.filter(**{name: value})
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response(AuditEntrySerializer(page, many=True).data)


urls = [path("audit", AuditViewSet.as_view({"get": "list"}))]

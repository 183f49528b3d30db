"""All tenants' figures, for administrators."""

import uuid

from django.urls import URLPattern, path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.serializers import StrictSerializer
from api.base.viewsets import PlatformAdminViewSet
from insights.cost_serializers import AdminInsightsSerializer, FoundationModelDetailSerializer
from insights.selectors.platform import foundation_detail, platform_insights
from registry import selectors as registry


class InsightsQuerySerializer(StrictSerializer):
    """Which foundation model's students to show."""

    foundation_model = serializers.UUIDField(required=False)


class AdminInsightsViewSet(PlatformAdminViewSet):
    """Lift and cost over all tenants."""

    serializer_class = AdminInsightsSerializer
    required = {"retrieve": "platform:read"}

    @extend_schema(
        operation_id="admin_insights_read",
        parameters=[OpenApiParameter("foundation_model", OpenApiTypes.UUID)],
        responses=AdminInsightsSerializer,
    )
    def retrieve(self, request: Request) -> Response:
        """Show the pooled lift, every model's figures, and what the foundation models cost."""
        query = InsightsQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        asked = query.validated_data.get("foundation_model")
        teacher = registry.foundation_model(foundation_model_id=asked) if asked else None
        return Response(AdminInsightsSerializer(platform_insights(foundation_model=teacher)).data)


class FoundationModelDetailViewSet(PlatformAdminViewSet):
    """One foundation model."""

    serializer_class = FoundationModelDetailSerializer
    required = {"retrieve": "foundation:read"}

    @extend_schema(operation_id="admin_foundation_models_read", responses=FoundationModelDetailSerializer)
    def retrieve(self, request: Request, foundation_model_id: uuid.UUID) -> Response:
        """Show a foundation model with all its snapshots, the gate's figures, its tenants and its cost."""
        detail = foundation_detail(foundation_model_id=foundation_model_id)
        return Response(FoundationModelDetailSerializer(detail).data)


admin_urls: list[URLPattern] = [
    path("insights", AdminInsightsViewSet.as_view({"get": "retrieve"})),
    path("foundation-models/<uuid:foundation_model_id>", FoundationModelDetailViewSet.as_view({"get": "retrieve"})),
]

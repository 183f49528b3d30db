"""Foundation models over HTTP, for administrators. Vertical models are served by `insights`, with lift and cost."""

import uuid

from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.concurrency import IF_MATCH, refuse_if_changed, tagged
from api.base.idempotency import idempotent
from api.base.viewsets import PlatformAdminViewSet
from registry import latency, selectors, services
from registry.models import FoundationModel
from registry.serializers import (
    DeviceProfileSerializer,
    FoundationModelSerializer,
    NewDeviceProfileSerializer,
    NewFoundationModelSerializer,
    NewSlotSerializer,
    RollbackSerializer,
    SlotSerializer,
)
from tenancy.selectors import tenant_by_slug


class FoundationModelViewSet(PlatformAdminViewSet):
    """Foundation models and the tenants bound to them."""

    serializer_class = FoundationModelSerializer
    required = {
        "list": "foundation:read",
        "create": "foundation:write",
        "bind": "foundation:write",
        "rollback": "foundation:write",
    }

    @extend_schema(operation_id="admin_foundation_models_list", responses=FoundationModelSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List the foundation models, newest first."""
        page = self.paginate_queryset(FoundationModel.objects.all())
        return self.get_paginated_response(FoundationModelSerializer(page, many=True).data)

    @extend_schema(
        operation_id="admin_foundation_models_create",
        request=NewFoundationModelSerializer,
        responses={201: FoundationModelSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Register a foundation model: version 1 of its spec, and the lineage that trains it."""
        form = NewFoundationModelSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        model = services.register_foundation_model(**form.validated_data)
        return Response(FoundationModelSerializer(model).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="admin_foundation_models_bind", request=NewSlotSerializer, responses={201: SlotSerializer}
    )
    @idempotent
    def bind(self, request: Request, foundation_model_id: uuid.UUID) -> Response:
        """Give a tenant its slot in the foundation model; the one it has, if any."""
        form = NewSlotSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        model = selectors.foundation_model(foundation_model_id=foundation_model_id)
        tenant = tenant_by_slug(slug=form.validated_data["tenant"])
        slot = services.bind_tenant(foundation_model=model, tenant=tenant)
        return Response(SlotSerializer(slot).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="admin_foundation_models_rollback", request=RollbackSerializer, responses=FoundationModelSerializer
    )
    @idempotent
    def rollback(self, request: Request, foundation_model_id: uuid.UUID) -> Response:
        """Take the published snapshot back: it labels nothing more, the one published before it does."""
        form = RollbackSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        model = selectors.foundation_model(foundation_model_id=foundation_model_id)
        services.roll_back(foundation_model=model, reason=form.validated_data["reason"])
        model.refresh_from_db()
        return Response(FoundationModelSerializer(model).data)


class DeviceProfileViewSet(PlatformAdminViewSet):
    """Measured devices, from which the latency of serving is estimated."""

    serializer_class = DeviceProfileSerializer
    required = {"retrieve": "platform:read", "update": "platform:write"}

    @extend_schema(operation_id="admin_device_profiles_read", responses=DeviceProfileSerializer)
    def retrieve(self, request: Request, flavor: str) -> Response:
        """Show what was measured on the flavor."""
        return tagged(DeviceProfileSerializer(latency.profile_of(flavor=flavor)).data)

    @extend_schema(
        operation_id="admin_device_profiles_set",
        parameters=[IF_MATCH],
        request=NewDeviceProfileSerializer,
        responses=DeviceProfileSerializer,
    )
    def update(self, request: Request, flavor: str) -> Response:
        """Register what was measured on the flavor; every check of a model estimates its latency from it."""
        form = NewDeviceProfileSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        if "If-Match" in request.headers:
            refuse_if_changed(request, DeviceProfileSerializer(latency.profile_of(flavor=flavor)).data)
        row = latency.register_profile(flavor=flavor, **form.validated_data)
        return tagged(DeviceProfileSerializer(row).data)


tenant_urls: list[URLPattern] = []

admin_urls: list[URLPattern] = [
    path("foundation-models", FoundationModelViewSet.as_view({"get": "list", "post": "create"})),
    path("foundation-models/<uuid:foundation_model_id>/bindings", FoundationModelViewSet.as_view({"post": "bind"})),
    path("foundation-models/<uuid:foundation_model_id>/rollback", FoundationModelViewSet.as_view({"post": "rollback"})),
    path("device-profiles/<slug:flavor>", DeviceProfileViewSet.as_view({"get": "retrieve", "put": "update"})),
]

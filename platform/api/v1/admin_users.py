"""Administrators' help for people who cannot sign in."""

import uuid

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.idempotency import idempotent
from api.base.serializers import StrictSerializer
from api.base.viewsets import PlatformAdminViewSet
from api.v1.account import checked
from api.v1.admin import ReasonSerializer
from tenancy import accounts, links, second_factor, selectors


class AdminUserSerializer(StrictSerializer):
    """An account."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField()
    is_active = serializers.BooleanField()
    is_staff = serializers.BooleanField()
    last_login = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class ResetLinkSerializer(StrictSerializer):
    """A link that sets a new password once; shown this one time, and null in the answer to a repeated request."""

    link = serializers.CharField(allow_null=True)
    expires_at = serializers.DateTimeField()


class AdminUserViewSet(PlatformAdminViewSet):
    """People's accounts."""

    required = {"list": "users:read", "reset_password": "users:write", "remove_second_factor": "users:write"}
    serializer_class = AdminUserSerializer

    @extend_schema(
        operation_id="admin_users_list",
        parameters=[OpenApiParameter("email", str, description="part of the address")],
        responses=AdminUserSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        """List the accounts of people, newest first."""
        page = self.paginate_queryset(selectors.users(email=request.query_params.get("email", ""))) or []
        return self.get_paginated_response(AdminUserSerializer(page, many=True).data)

    @extend_schema(
        operation_id="admin_users_reset_password", request=ReasonSerializer, responses={201: ResetLinkSerializer}
    )
    @idempotent(secret_fields=("link",))
    def reset_password(self, request: Request, id: uuid.UUID) -> Response:
        """Make a link with which the person sets a new password within a day; an earlier one ends."""
        reason = checked(ReasonSerializer, request)["reason"]
        row, secret = accounts.issue_password_reset(user=selectors.user(user_id=id), reason=reason)
        body = {"link": links.address("reset", secret), "expires_at": row.expires_at}
        return Response(ResetLinkSerializer(body).data, status=201, headers={"Cache-Control": "no-store"})

    @extend_schema(operation_id="admin_users_remove_second_factor", request=ReasonSerializer, responses={204: None})
    def remove_second_factor(self, request: Request, id: uuid.UUID) -> Response:
        """Turn off the second factor of somebody who has lost it; check who is asking first."""
        reason = checked(ReasonSerializer, request)["reason"]
        second_factor.remove(user=selectors.user(user_id=id), reason=reason)
        return Response(status=204)


urls = [
    path("users", AdminUserViewSet.as_view({"get": "list"})),
    path("users/<uuid:id>/password-reset", AdminUserViewSet.as_view({"post": "reset_password"})),
    path("users/<uuid:id>/remove-second-factor", AdminUserViewSet.as_view({"post": "remove_second_factor"})),
]

"""Members of a tenant."""

import uuid
from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.concurrency import refuse_if_changed, tagged
from api.base.serializers import StrictSerializer
from api.base.viewsets import TenantViewSet
from api.v1.tokens import refuse_beyond_token
from tenancy import selectors, services
from tenancy.models import Membership, Role
from tenancy.roles import ROLES


class MemberSerializer(StrictSerializer):
    """A member."""

    id = serializers.UUIDField()
    email = serializers.EmailField(source="user.email")
    name = serializers.CharField(source="user.name")
    role = serializers.ChoiceField(choices=Role.choices)
    is_service = serializers.BooleanField(source="user.is_service")
    created_at = serializers.DateTimeField()


class MemberChangeSerializer(StrictSerializer):
    """What may be changed of a member."""

    role = serializers.ChoiceField(choices=Role.choices)


def shown(membership: Membership) -> dict[str, Any]:
    """Return the member's representation."""
    return dict(MemberSerializer(membership).data)


class MemberViewSet(TenantViewSet):
    """Who belongs to the tenant, and with which role."""

    required = {
        "list": "members:read",
        "retrieve": "members:read",
        "partial_update": "members:write",
        "destroy": "members:write",
    }
    serializer_class = MemberSerializer

    @extend_schema(operation_id="members_list", responses=MemberSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List the members."""
        page = self.paginate_queryset(selectors.members()) or []
        return self.get_paginated_response([shown(row) for row in page])

    @extend_schema(operation_id="members_read", responses=MemberSerializer)
    def retrieve(self, request: Request, id: uuid.UUID) -> Response:
        """Return one member."""
        return tagged(shown(selectors.member(membership_id=id)))

    @extend_schema(operation_id="members_update", request=MemberChangeSerializer, responses=MemberSerializer)
    def partial_update(self, request: Request, id: uuid.UUID) -> Response:
        """Change a member's role; the last owner stays owner (409). A token adds no more than its own scopes."""
        wanted = MemberChangeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        membership = selectors.member(membership_id=id)
        refuse_if_changed(request, shown(membership))
        role = Role(wanted.validated_data["role"])
        refuse_beyond_token(request, ROLES[role] - ROLES[Role(membership.role)])
        services.change_role(membership=membership, role=role)
        return tagged(shown(membership))

    @extend_schema(operation_id="members_delete", responses={204: None})
    def destroy(self, request: Request, id: uuid.UUID) -> Response:
        """Remove a member and revoke their tokens; the last owner stays (409)."""
        services.remove_member(membership=selectors.member(membership_id=id))
        return Response(status=204)


urls = [
    path("members", MemberViewSet.as_view({"get": "list"})),
    path(
        "members/<uuid:id>",
        MemberViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
]

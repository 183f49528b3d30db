"""Members of a tenant."""

import uuid
from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.concurrency import refuse_if_changed, tagged
from api.base.rows import Rows
from api.base.serializers import StrictSerializer
from api.base.viewsets import TenantViewSet
from api.v1.tokens import refuse_beyond_token
from tenancy import proofs, selectors, services
from tenancy.models import Membership, Role
from tenancy.roles import ROLES


class MemberSerializer(StrictSerializer):
    """A member."""

    id = serializers.UUIDField()
    email = serializers.EmailField(source="user.email")
    name = serializers.CharField(source="user.name")
    role = serializers.ChoiceField(choices=Role.choices)
    is_service = serializers.BooleanField(source="user.is_service")
    second_factor = serializers.BooleanField(
        allow_null=True, help_text="whether the person has one here, whatever a provider asks; null for all but owners"
    )
    created_at = serializers.DateTimeField()


_ROWS = Rows(MemberSerializer, also=["user_id"], second_factor=lambda row: None)


class MemberChangeSerializer(StrictSerializer):
    """What may be changed of a member."""

    role = serializers.ChoiceField(choices=Role.choices)


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
        page = self.paginate_queryset(_ROWS.read(selectors.members())) or []
        shown = _ROWS.write(page)
        if self.membership.role == Role.OWNER:
            protected = proofs.members_with_one()
            for member, row in zip(shown, page, strict=True):
                member["second_factor"] = row["user_id"] in protected
        return self.get_paginated_response(shown)

    @extend_schema(operation_id="members_read", responses=MemberSerializer)
    def retrieve(self, request: Request, id: uuid.UUID) -> Response:
        """Return one member."""
        return tagged(self._shown(selectors.member(membership_id=id)))

    @extend_schema(operation_id="members_update", request=MemberChangeSerializer, responses=MemberSerializer)
    def partial_update(self, request: Request, id: uuid.UUID) -> Response:
        """Change a member's role; the last owner stays owner (409). A token adds no more than its own scopes."""
        wanted = MemberChangeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        membership = selectors.member(membership_id=id)
        refuse_if_changed(request, self._shown(membership))
        role = Role(wanted.validated_data["role"])
        refuse_beyond_token(request, ROLES[role] - ROLES[Role(membership.role)])
        services.change_role(membership=membership, role=role)
        return tagged(self._shown(membership))

    @extend_schema(operation_id="members_delete", responses={204: None})
    def destroy(self, request: Request, id: uuid.UUID) -> Response:
        """Remove a member and revoke their tokens; the last owner stays (409)."""
        services.remove_member(membership=selectors.member(membership_id=id))
        return Response(status=204)

    def _shown(self, row: Membership) -> dict[str, Any]:
        """Return the member's representation."""
        is_owner = self.membership.role == Role.OWNER
        row.second_factor = row.user_id in proofs.members_with_one() if is_owner else None  # type: ignore[attr-defined]
        return dict(MemberSerializer(row).data)


urls = [
    path("members", MemberViewSet.as_view({"get": "list"})),
    path(
        "members/<uuid:id>",
        MemberViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
]

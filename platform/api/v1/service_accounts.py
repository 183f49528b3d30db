"""Service accounts: members that are programs. They own their tokens, so no person's leaving breaks them."""

import uuid

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.idempotency import idempotent
from api.base.rows import Rows
from api.base.serializers import StrictSerializer
from api.base.viewsets import TenantViewSet
from api.v1.account import checked
from api.v1.tokens import (
    TokenCreatedSerializer,
    TokenCreateSerializer,
    TokenSerializer,
    refuse_beyond_token,
    refuse_without_session,
)
from tenancy import selectors, services
from tenancy.errors import NotFound
from tenancy.models import Membership, Role


class ServiceAccountSerializer(StrictSerializer):
    """A service account."""

    id = serializers.UUIDField()
    name = serializers.CharField(source="user.name")
    role = serializers.ChoiceField(choices=Role.choices)
    created_at = serializers.DateTimeField()


_ROWS = Rows(ServiceAccountSerializer)


class ServiceAccountCreateSerializer(StrictSerializer):
    """Its name, and the most its tokens may do."""

    name = serializers.CharField(max_length=120)
    role = serializers.ChoiceField(choices=Role.choices)


class ServiceAccountViewSet(TenantViewSet):
    """Members that are programs; role and removal go through `members`, revocation through `tokens`."""

    required = {
        "list": "members:read",
        "create": "members:write",
        "destroy": "members:write",
        "create_token": "members:write",
    }
    serializer_class = ServiceAccountSerializer

    @extend_schema(operation_id="service_accounts_list", responses=ServiceAccountSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List the service accounts."""
        return self.page(self._rows(), _ROWS)

    @extend_schema(
        operation_id="service_accounts_create",
        request=ServiceAccountCreateSerializer,
        responses={201: ServiceAccountSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Make a service account; it cannot sign in and cannot be an owner."""
        data = checked(ServiceAccountCreateSerializer, request)
        row = services.create_service_account(tenant=self.tenant, name=data["name"], role=Role(data["role"]))
        return Response(ServiceAccountSerializer(row).data, status=201)

    @extend_schema(operation_id="service_accounts_delete", responses={204: None})
    def destroy(self, request: Request, id: uuid.UUID) -> Response:
        """Remove a service account; its tokens are revoked with it."""
        services.remove_member(membership=self._one(id))
        return Response(status=204)

    @extend_schema(
        operation_id="service_accounts_token", request=TokenCreateSerializer, responses={201: TokenCreatedSerializer}
    )
    @idempotent(secret_fields=("token",))
    def create_token(self, request: Request, id: uuid.UUID) -> Response:
        """Make a token of the account, within its role; its text is in this answer and never again."""
        data = checked(TokenCreateSerializer, request)
        account = self._one(id)
        refuse_beyond_token(request, data["scopes"])
        refuse_without_session(request, self.tenant)
        row, text = services.create_token(
            user=account.user,
            role=account.role,
            name=data["name"],
            scopes=data["scopes"],
            expires_at=data.get("expires_at"),
        )
        return Response({**TokenSerializer(row).data, "token": text}, status=201)

    def _rows(self) -> QuerySet[Membership]:
        return selectors.members().filter(user__is_service=True)

    def _one(self, account_id: uuid.UUID) -> Membership:
        found = self._rows().filter(id=account_id).first()
        if found is None:
            raise NotFound("service_account_not_found", "There is no such service account.")
        return found


urls = [
    path("service-accounts", ServiceAccountViewSet.as_view({"get": "list", "post": "create"})),
    path("service-accounts/<uuid:id>", ServiceAccountViewSet.as_view({"delete": "destroy"})),
    path("service-accounts/<uuid:id>/tokens", ServiceAccountViewSet.as_view({"post": "create_token"})),
]

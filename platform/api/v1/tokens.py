"""API tokens of a tenant: owners see and revoke all, engineers their own."""

import uuid
from collections.abc import Collection

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
from tenancy import proofs, selectors, services
from tenancy.errors import Forbidden, NotFound
from tenancy.models import ApiToken, Role, Tenant
from tenancy.models.people import label_of
from tenancy.tokens import TokenGrant


class TokenSerializer(StrictSerializer):
    """A token, without its secret."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    prefix = serializers.CharField()
    user = serializers.CharField(source="user.label")
    scopes = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)


_USER = ("is_service", "name", "email")
_ROWS = Rows(
    TokenSerializer,
    also=[f"user__{name}" for name in _USER],
    user=lambda row: label_of(**{name: row[f"user__{name}"] for name in _USER}),
)


class TokenCreateSerializer(StrictSerializer):
    """What a new token needs; scopes are permissions of the caller's role."""

    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(child=serializers.CharField(max_length=40), max_length=40, allow_empty=False)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class TokenCreatedSerializer(TokenSerializer):
    """A token just made: the only answer that holds `token`. A repetition by idempotency key gets null."""

    token = serializers.CharField(allow_null=True)


class TokenViewSet(TenantViewSet):
    """Credentials for scripts."""

    required = {"list": "tokens:read", "create": "tokens:write", "retrieve": "tokens:read", "destroy": "tokens:write"}
    serializer_class = TokenSerializer

    @extend_schema(operation_id="tokens_list", responses=TokenSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List the tokens, revoked ones included."""
        return self.page(self._visible(), _ROWS)

    @extend_schema(operation_id="tokens_create", request=TokenCreateSerializer, responses={201: TokenCreatedSerializer})
    @idempotent(secret_fields=("token",))
    def create(self, request: Request) -> Response:
        """Make a token; its text is in this answer and never again."""
        wanted = TokenCreateSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        scopes = wanted.validated_data["scopes"]
        refuse_beyond_token(request, scopes)
        refuse_without_session(request, self.tenant)
        row, text = services.create_token(
            user=self.user,
            role=self.membership.role,
            name=wanted.validated_data["name"],
            scopes=scopes,
            expires_at=wanted.validated_data.get("expires_at"),
        )
        return Response({**TokenSerializer(row).data, "token": text}, status=201)

    @extend_schema(operation_id="tokens_read", responses=TokenSerializer)
    def retrieve(self, request: Request, id: uuid.UUID) -> Response:
        """Return one token."""
        return Response(TokenSerializer(self._one(id)).data)

    @extend_schema(operation_id="tokens_delete", responses={204: None})
    def destroy(self, request: Request, id: uuid.UUID) -> Response:
        """Revoke a token; the next request with it gets 401."""
        services.revoke_token(token=self._one(id))
        return Response(status=204)

    def _visible(self) -> QuerySet[ApiToken]:
        rows = selectors.tokens()
        return rows if self.membership.role == Role.OWNER else rows.filter(user_id=self.user.pk)

    def _one(self, token_id: uuid.UUID) -> ApiToken:
        found = self._visible().filter(id=token_id).first()
        if found is None:
            raise NotFound("token_not_found", "There is no such token.")
        return found


def refuse_beyond_token(request: Request, scopes: Collection[str]) -> None:
    """Raise `Forbidden` where the caller is a token that lacks one of the permissions it would hand on."""
    lacking = sorted(set(scopes) - request.auth.scopes) if isinstance(request.auth, TokenGrant) else []
    if lacking:
        raise Forbidden(
            "scope_beyond_token",
            "A token cannot hand on more than it may do itself.",
            f"Leave out what it lacks: {', '.join(lacking)}.",
        )


def refuse_without_session(request: Request, tenant: Tenant) -> None:
    """Raise `Forbidden` where a token would make another in a tenant that requires a second factor of who does that."""
    if tenant.requires_second_factor and request.auth is not None:
        raise proofs.refuse(tenant.name)


urls = [
    path("tokens", TokenViewSet.as_view({"get": "list", "post": "create"})),
    path("tokens/<uuid:id>", TokenViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
]

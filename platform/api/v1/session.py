"""Signing in and out, and who is signed in."""

from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.middleware.csrf import get_token
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.open_views import Access, OpenView
from api.base.serializers import StrictSerializer
from budgets.money import currency
from tenancy import proofs, selectors
from tenancy.errors import Unauthenticated
from tenancy.models import Role, Tenant, User
from tenancy.roles import ROLES
from tenancy.scope import announce
from tenancy.tokens import TokenGrant


class SignInSerializer(StrictSerializer):
    """What a sign-in needs. `code`: of the second factor, where the account has one (401 second_factor_required)."""

    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=256, trim_whitespace=False, style={"input_type": "password"})
    code = serializers.CharField(max_length=40, required=False, allow_blank=True)


class MeUserSerializer(StrictSerializer):
    """The signed-in user."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField()
    is_platform_admin = serializers.BooleanField()


class MeTenantSerializer(StrictSerializer):
    """A tenant the user belongs to."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=Tenant.Status.choices)


class MeMembershipSerializer(StrictSerializer):
    """The user's role in a tenant, and what it allows."""

    tenant = MeTenantSerializer()
    role = serializers.ChoiceField(choices=Role.choices)
    permissions = serializers.ListField(child=serializers.CharField())
    second_factor_required = serializers.BooleanField(
        help_text="the tenant asks this session for a second factor that it has not shown"
    )


class MeSerializer(StrictSerializer):
    """Who is signed in, where they belong, and where administrators go."""

    user = MeUserSerializer()
    memberships = MeMembershipSerializer(many=True)
    admin_origin = serializers.CharField()
    currency = serializers.CharField()


WRONG = "E-mail address and password do not match."


def me(user: User, grant: Any = None, *, session: SessionBase) -> dict[str, Any]:
    """Describe the signed-in user; a token sees its own tenant alone."""
    with transaction.atomic():
        announce(None, user.pk)
        memberships = selectors.memberships_of(user_id=user.pk)
        announce(None, None)
    if isinstance(grant, TokenGrant):
        memberships = [row for row in memberships if row.tenant_id == grant.tenant_id]
    return {
        "user": {"id": str(user.pk), "email": user.email, "name": user.name, "is_platform_admin": user.is_staff},
        "memberships": [
            {
                "tenant": {
                    "id": str(row.tenant_id),
                    "slug": row.tenant.slug,
                    "name": row.tenant.name,
                    "status": row.tenant.status,
                },
                "role": row.role,
                "permissions": sorted(ROLES[Role(row.role)]),
                "second_factor_required": grant is None and proofs.lacks(session, user, row.tenant),
            }
            for row in memberships
        ],
        "admin_origin": settings.EXFM_ADMIN_ORIGIN,
        "currency": currency(),
    }


class SessionView(OpenView):
    """The dashboard's session."""

    access = {"get": Access.SIGNED_IN, "post": Access.ANYBODY, "delete": Access.ANYBODY}
    http_method_names = ["get", "post", "delete", "head"]

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        """Hand out the csrftoken cookie, to the signed-out too: signing in needs it."""
        get_token(request)
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(operation_id="session_read", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """Return who is signed in, or 401; either way the csrftoken cookie is set."""
        return Response(me(self.user, request.auth, session=request.session))

    @extend_schema(operation_id="session_create", request=SignInSerializer, responses=MeSerializer)
    def post(self, request: Request) -> Response:
        """Sign in. Five failures from one address lock the pair for a quarter of an hour (429)."""
        wanted = SignInSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        data = wanted.validated_data
        code = data.get("code", "")
        user = authenticate(request._request, username=data["email"], password=data["password"], code=code)
        if user is None:
            raise Unauthenticated(
                "credentials_wrong",
                "E-mail address, password and code do not match." if code else WRONG,
                "Check both; passwords are case-sensitive.",
            )
        with transaction.atomic():
            login(request._request, user)
            request.session.save()
        return Response(me(user, session=request.session))

    @extend_schema(operation_id="session_delete", request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Sign out; signing out twice is fine."""
        logout(request._request)
        return Response(status=204)

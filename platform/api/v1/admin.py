"""Administrators' addresses on tenants."""

from decimal import Decimal
from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.idempotency import idempotent
from api.base.serializers import StrictSerializer
from api.base.viewsets import PlatformAdminViewSet
from budgets.serializers import BudgetActionSerializer, OpeningQuotaSerializer
from budgets.services import open_account
from tenancy import selectors, services
from tenancy.errors import Invalid
from tenancy.models import Tenant, User


class OwnerSerializer(StrictSerializer):
    """The first owner. `password` makes a new user; leave it out for an existing one."""

    email = serializers.EmailField(max_length=254)
    name = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    password = serializers.CharField(max_length=256, trim_whitespace=False, required=False)


class OpeningBudgetSerializer(BudgetActionSerializer):
    """What the tenant may spend per month."""

    amount = serializers.DecimalField(max_digits=18, decimal_places=6, min_value=Decimal(0))
    reason = serializers.CharField(max_length=500, required=False, default="account opened")


class TenantCreateSerializer(StrictSerializer):
    """A new tenant, complete with owner, budget and quotas."""

    slug = serializers.SlugField(max_length=63)
    name = serializers.CharField(max_length=120)
    domain = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    owner = OwnerSerializer()
    budget = OpeningBudgetSerializer(required=False)
    quota = OpeningQuotaSerializer(required=False)


class TenantSerializer(StrictSerializer):
    """A tenant."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    domain = serializers.CharField()
    status = serializers.ChoiceField(choices=Tenant.Status.choices)
    created_at = serializers.DateTimeField()


class ReasonSerializer(StrictSerializer):
    """Why; it stands in the audit log."""

    reason = serializers.CharField(max_length=500)


class AdminTenantViewSet(PlatformAdminViewSet):
    """Tenants, as administrators see them."""

    required = {
        "list": "tenants:read",
        "create": "tenants:write",
        "retrieve": "tenants:read",
        "suspend": "tenants:write",
        "resume": "tenants:write",
    }
    serializer_class = TenantSerializer

    @extend_schema(operation_id="admin_tenants_list", responses=TenantSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List all tenants, newest first."""
        page = self.paginate_queryset(selectors.tenants()) or []
        return self.get_paginated_response(TenantSerializer(page, many=True).data)

    @extend_schema(
        operation_id="admin_tenants_create", request=TenantCreateSerializer, responses={201: TenantSerializer}
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Create a tenant with its owner, budget and quotas, all or nothing."""
        wanted = TenantCreateSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        data: dict[str, Any] = wanted.validated_data
        tenant = services.create_tenant(
            slug=data["slug"], name=data["name"], domain=data["domain"], owner=_owner(data["owner"])
        )
        budget = data.get("budget", {"amount": Decimal(0), "reason": "account opened"})
        open_account(tenant=tenant, quota=data.get("quota"), **budget)
        return Response(TenantSerializer(tenant).data, status=201)

    @extend_schema(operation_id="admin_tenants_read", responses=TenantSerializer)
    def retrieve(self, request: Request, slug: str) -> Response:
        """Return one tenant."""
        return Response(TenantSerializer(selectors.tenant_by_slug(slug=slug)).data)

    @extend_schema(operation_id="admin_tenants_suspend", request=ReasonSerializer, responses=TenantSerializer)
    def suspend(self, request: Request, slug: str) -> Response:
        """Shut a tenant out: its members and tokens get 403 until it is resumed."""
        return self._set(request, slug, Tenant.Status.SUSPENDED)

    @extend_schema(operation_id="admin_tenants_resume", request=ReasonSerializer, responses=TenantSerializer)
    def resume(self, request: Request, slug: str) -> Response:
        """Let a suspended tenant in again."""
        return self._set(request, slug, Tenant.Status.ACTIVE)

    def _set(self, request: Request, slug: str, status: Tenant.Status) -> Response:
        wanted = ReasonSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        tenant = services.set_tenant_status(
            tenant=selectors.tenant_by_slug(slug=slug), status=status, reason=wanted.validated_data["reason"]
        )
        return Response(TenantSerializer(tenant).data)


def _owner(data: dict[str, Any]) -> User:
    known = selectors.user_by_email(email=data["email"])
    if known is not None:
        return known
    if not data.get("password"):
        raise Invalid(
            "password_missing",
            "The owner is a new user and needs a password.",
            "Send owner.password.",
            field="owner.password",
        )
    return services.create_user(email=data["email"], name=data["name"], password=data["password"])


urls = [
    path("tenants", AdminTenantViewSet.as_view({"get": "list", "post": "create"})),
    path("tenants/<slug:slug>", AdminTenantViewSet.as_view({"get": "retrieve"})),
    path("tenants/<slug:slug>/suspend", AdminTenantViewSet.as_view({"post": "suspend"})),
    path("tenants/<slug:slug>/resume", AdminTenantViewSet.as_view({"post": "resume"})),
]

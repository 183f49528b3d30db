"""Administrators' identity providers, and whose e-mail domains they speak for."""

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.serializers import StrictSerializer
from api.base.viewsets import PlatformAdminViewSet
from api.v1.account import checked
from tenancy import selectors, sso
from tenancy.errors import NotFound
from tenancy.models import IdentityDomain, IdentityProvider, Role


class IdentityDomainSerializer(StrictSerializer):
    """A domain; its people join `tenant` in `role` when they first come, or no tenant where it is null."""

    domain = serializers.CharField()
    tenant = serializers.CharField(source="tenant.slug", allow_null=True, default=None)
    role = serializers.ChoiceField(choices=Role.choices)


class IdentityProviderSerializer(StrictSerializer):
    """An OpenID Connect provider, without its secret. Register `redirect_uri` there."""

    slug = serializers.CharField()
    name = serializers.CharField()
    issuer = serializers.CharField()
    client_id = serializers.CharField()
    is_active = serializers.BooleanField()
    trusts_second_factor = serializers.BooleanField(
        help_text="a second factor that it asked for, by `amr` or `acr` of its ID token, counts here"
    )
    second_factor_acr = serializers.CharField(help_text="values of `acr` that mean one, apart by spaces")
    redirect_uri = serializers.CharField()
    domains = IdentityDomainSerializer(many=True)


class IdentityProviderCreateSerializer(StrictSerializer):
    """A provider to trust. `issuer` exactly as its discovery document says it; no secret = a public client."""

    slug = serializers.SlugField(max_length=40)
    name = serializers.CharField(max_length=80)
    issuer = serializers.URLField(max_length=300)
    client_id = serializers.CharField(max_length=200)
    client_secret = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    trusts_second_factor = serializers.BooleanField(required=False, default=False)
    second_factor_acr = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    reason = serializers.CharField(max_length=500)


class IdentityProviderChangeSerializer(StrictSerializer):
    """What may change; another issuer is another provider."""

    name = serializers.CharField(max_length=80, required=False)
    client_id = serializers.CharField(max_length=200, required=False)
    client_secret = serializers.CharField(max_length=500, required=False, allow_blank=True)
    is_active = serializers.BooleanField(required=False)
    trusts_second_factor = serializers.BooleanField(required=False)
    second_factor_acr = serializers.CharField(max_length=300, required=False, allow_blank=True)
    reason = serializers.CharField(max_length=500)


class IdentityDomainCreateSerializer(StrictSerializer):
    """A domain that the provider's operator controls."""

    domain = serializers.RegexField(sso.DOMAIN, max_length=sso.MOST_DOMAIN)
    tenant = serializers.SlugField(max_length=63, required=False, allow_null=True, default=None)
    role = serializers.ChoiceField(choices=Role.choices, default=Role.VIEWER)
    reason = serializers.CharField(max_length=500)


class IdentityProviderViewSet(PlatformAdminViewSet):
    """Who else may say who somebody is."""

    required = {
        "list": "identity:read",
        "create": "identity:write",
        "retrieve": "identity:read",
        "partial_update": "identity:write",
        "add_domain": "identity:write",
        "remove_domain": "identity:write",
    }
    serializer_class = IdentityProviderSerializer

    @extend_schema(operation_id="admin_identity_providers_list", responses=IdentityProviderSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List the providers, newest first."""
        page = self.paginate_queryset(IdentityProvider.objects.order_by("-id")) or []
        return self.get_paginated_response([shown(row) for row in page])

    @extend_schema(
        operation_id="admin_identity_providers_create",
        request=IdentityProviderCreateSerializer,
        responses={201: IdentityProviderSerializer},
    )
    def create(self, request: Request) -> Response:
        """Trust a provider. It signs in people it has been given a domain for, and nobody else."""
        data = checked(IdentityProviderCreateSerializer, request)
        reason = data.pop("reason")
        return Response(shown(sso.create_provider(values=data, reason=reason)), status=201)

    @extend_schema(operation_id="admin_identity_providers_read", responses=IdentityProviderSerializer)
    def retrieve(self, request: Request, slug: str) -> Response:
        """Return one provider."""
        return Response(shown(one(slug)))

    @extend_schema(
        operation_id="admin_identity_providers_update",
        request=IdentityProviderChangeSerializer,
        responses=IdentityProviderSerializer,
    )
    def partial_update(self, request: Request, slug: str) -> Response:
        """Change a provider; `is_active` false shuts its people out at their next sign-in."""
        data = checked(IdentityProviderChangeSerializer, request)
        reason = data.pop("reason")
        return Response(shown(sso.change_provider(row=one(slug), values=data, reason=reason)))

    @extend_schema(
        operation_id="admin_identity_domains_create",
        request=IdentityDomainCreateSerializer,
        responses={201: IdentityDomainSerializer},
    )
    def add_domain(self, request: Request, slug: str) -> Response:
        """Let the provider speak for a domain's addresses, existing accounts of that domain included."""
        data = checked(IdentityDomainCreateSerializer, request)
        tenant = selectors.tenant_by_slug(slug=data["tenant"]) if data["tenant"] else None
        row = sso.add_domain(
            row=one(slug), domain=data["domain"], tenant=tenant, role=Role(data["role"]), reason=data["reason"]
        )
        return Response(IdentityDomainSerializer(row).data, status=201)

    @extend_schema(operation_id="admin_identity_domains_delete", responses={204: None})
    def remove_domain(self, request: Request, slug: str, domain: str) -> Response:
        """Take a domain away; nobody new comes in by it."""
        sso.remove_domain(row=one(slug), domain=domain)
        return Response(status=204)


def one(slug: str) -> IdentityProvider:
    """Return a provider, active or not."""
    found = IdentityProvider.objects.filter(slug=slug).first()
    if found is None:
        raise NotFound("provider_not_found", "There is no such identity provider.")
    return found


def shown(row: IdentityProvider) -> dict[str, Any]:
    """Return the provider's representation."""
    plain = ("slug", "name", "issuer", "client_id", "is_active", "trusts_second_factor", "second_factor_acr")
    values = {name: getattr(row, name) for name in plain}
    domains = IdentityDomain.objects.filter(provider=row).select_related("tenant").order_by("domain")
    uri = sso.redirect_uri(row)
    return dict(IdentityProviderSerializer({**values, "redirect_uri": uri, "domains": list(domains)}).data)


PROVIDER = "identity-providers/<slug:slug>"
urls = [
    path("identity-providers", IdentityProviderViewSet.as_view({"get": "list", "post": "create"})),
    path(PROVIDER, IdentityProviderViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
    path(f"{PROVIDER}/domains", IdentityProviderViewSet.as_view({"post": "add_domain"})),
    path(f"{PROVIDER}/domains/<str:domain>", IdentityProviderViewSet.as_view({"delete": "remove_domain"})),
]

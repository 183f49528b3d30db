"""The ledger for tenants; budgets and quotas for administrators."""

from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.concurrency import refuse_if_changed, tagged
from api.base.rows import Rows
from api.base.viewsets import PlatformAdminViewSet, TenantViewSet
from budgets import selectors, services
from budgets.serializers import (
    BudgetSerializer,
    LedgerSerializer,
    NewBudgetSerializer,
    NewQuotaSerializer,
    QuotaSerializer,
)
from tenancy.selectors import tenant_by_slug

_LINES = Rows(LedgerSerializer)


class LedgerViewSet(TenantViewSet):
    """The tenant's ledger."""

    serializer_class = LedgerSerializer
    required = {"list": "costs:read"}

    @extend_schema(operation_id="ledger_list", responses=LedgerSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List the ledger's lines, newest first."""
        return self.page(selectors.ledger(), _LINES)


class AdminBudgetViewSet(PlatformAdminViewSet):
    """A tenant's budget."""

    serializer_class = BudgetSerializer
    required = {"retrieve": "budgets:read", "update": "budgets:write"}

    @extend_schema(operation_id="admin_tenants_budget_read", responses=BudgetSerializer)
    def retrieve(self, request: Request, slug: str) -> Response:
        """Show the budget of the running period."""
        budget = selectors.current_budget(tenant=tenant_by_slug(slug=slug))
        return tagged(BudgetSerializer(budget).data)

    @extend_schema(operation_id="admin_tenants_budget_set", request=NewBudgetSerializer, responses=BudgetSerializer)
    def update(self, request: Request, slug: str) -> Response:
        """Set the budget of the running period and those after it. Refused below what is spent and reserved."""
        form = NewBudgetSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        tenant = tenant_by_slug(slug=slug)
        if "If-Match" in request.headers:
            refuse_if_changed(request, BudgetSerializer(selectors.current_budget(tenant=tenant)).data)
        budget = services.set_budget(tenant=tenant, **form.validated_data)
        return tagged(BudgetSerializer(budget).data)


class AdminQuotaViewSet(PlatformAdminViewSet):
    """A tenant's quotas."""

    serializer_class = QuotaSerializer
    required = {"retrieve": "budgets:read", "partial_update": "budgets:write"}

    @extend_schema(operation_id="admin_tenants_quota_read", responses=QuotaSerializer)
    def retrieve(self, request: Request, slug: str) -> Response:
        """Show the tenant's limits."""
        return Response(QuotaSerializer(selectors.quota_of(tenant_id=tenant_by_slug(slug=slug).id)).data)

    @extend_schema(operation_id="admin_tenants_quota_set", request=NewQuotaSerializer, responses=QuotaSerializer)
    def partial_update(self, request: Request, slug: str) -> Response:
        """Change the named limits."""
        form = NewQuotaSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        limits = dict(form.validated_data)
        reason = limits.pop("reason")
        quota = services.set_quota(tenant=tenant_by_slug(slug=slug), quota=limits, reason=reason)
        return Response(QuotaSerializer(quota).data)


tenant_urls: list[URLPattern] = [path("ledger", LedgerViewSet.as_view({"get": "list"}))]

admin_urls: list[URLPattern] = [
    path("tenants/<slug:slug>/budget", AdminBudgetViewSet.as_view({"get": "retrieve", "put": "update"})),
    path("tenants/<slug:slug>/quota", AdminQuotaViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
]

"""Models with their lift and cost, and the pages around them, for tenants."""

import dataclasses
import uuid

from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.idempotency import idempotent
from api.base.serializers import refuse_body
from api.base.viewsets import TenantViewSet
from insights import api_admin, api_courses
from insights.cost_serializers import CostsSerializer, ModelCostSerializer
from insights.filters import ModelCostFilter
from insights.selectors.cards import card_rows
from insights.selectors.costs import costs, model_costs, with_shares
from insights.selectors.curve import curve
from insights.selectors.detail import detail
from insights.selectors.foundation import NONE, foundation
from insights.selectors.overview import overview
from insights.selectors.shares import shares
from insights.serializers import (
    CurveSerializer,
    FoundationSerializer,
    ModelCardSerializer,
    ModelSerializer,
    NewModelSerializer,
    OverviewSerializer,
)
from insights.written import card_json, cost_json, curve_json, detail_json, foundation_json
from registry import selectors as registry
from registry import services
from registry.filters import ModelFilter


class ModelViewSet(TenantViewSet):
    """The tenant's vertical models."""

    serializer_class = ModelSerializer
    required = {
        "list": "models:read",
        "retrieve": "models:read",
        "curve": "models:read",
        "create": "models:write",
        "pause": "models:write",
        "resume": "models:write",
    }

    list_filter = ModelFilter

    @extend_schema(
        operation_id="models_list", parameters=ModelFilter.parameters(), responses=ModelCardSerializer(many=True)
    )
    def list(self, request: Request) -> Response:
        """List the models with lift, cost and freshness, newest first."""
        page = self.page_of(card_rows(ModelFilter.apply(request, registry.vertical_models())))
        return self.get_paginated_response([card_json(card) for card in page])

    @extend_schema(operation_id="models_create", request=NewModelSerializer, responses={201: ModelSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Register a model: its spec is checked against the stream's schema and the serving budget."""
        form = NewModelSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data
        model = services.register_vertical_model(
            tenant=self.tenant,
            name=wanted["name"],
            stream_id=wanted["stream"],
            spec=wanted["spec"],
            teaching=services.Teaching(wanted["foundation_model"], wanted["train_from"]),
        )
        return Response(detail_json(detail(model_id=model.id)), status=status.HTTP_201_CREATED)

    @extend_schema(operation_id="models_read", responses=ModelSerializer)
    def retrieve(self, request: Request, model_id: uuid.UUID) -> Response:
        """Show a model with its spec, serving cost, lineages and supervision."""
        return Response(detail_json(detail(model_id=model_id)))

    @extend_schema(operation_id="models_curve", responses=CurveSerializer)
    def curve(self, request: Request, model_id: uuid.UUID) -> Response:
        """Show NE, lift and AUC by partition, and the same from the beginning up to each."""
        return Response(curve_json(curve(model_id=model_id)))

    @extend_schema(operation_id="models_pause", request=None, responses=ModelSerializer)
    def pause(self, request: Request, model_id: uuid.UUID) -> Response:
        """Stop training the model at its next checkpoint."""
        refuse_body(request)
        services.pause(model_id=model_id)
        return Response(detail_json(detail(model_id=model_id)))

    @extend_schema(operation_id="models_resume", request=None, responses=ModelSerializer)
    def resume(self, request: Request, model_id: uuid.UUID) -> Response:
        """Train the model again, from where it stopped."""
        refuse_body(request)
        services.resume(model_id=model_id)
        return Response(detail_json(detail(model_id=model_id)))


class OverviewViewSet(TenantViewSet):
    """The tenant's first page."""

    serializer_class = OverviewSerializer
    required = {"retrieve": "insights:read"}

    @extend_schema(operation_id="overview_read", responses=OverviewSerializer)
    def retrieve(self, request: Request) -> Response:
        """Show lift per model, spend against budget, quotas, runs, and what needs attention."""
        shown = overview(tenant=self.tenant)
        spend = shown.spend
        body = {
            "tenant": shown.tenant,
            "period": {"start": spend.period_start, "end": spend.period_end},
            "spend": {
                **{name: getattr(spend, name) for name in ("currency", "spent", "reserved", "budget")},
                "action": spend.action,
                "act_percent": spend.act_percent,
                "acts_at": spend.acts_at,
                "acts": spend.acts,
                "forecast": spend.forecast,
                "measurement": spend.measurement,
                "fm_share": shown.fm_share,
            },
            "quota": shown.quota,
            "models": [],
            "runs": [],
            "attention": shown.attention,
            "foundation": NONE,
        }
        written = {
            "models": [card_json(card) for card in shown.models],
            "runs": shown.runs,
            "foundation": foundation_json(shown.foundation),
        }
        return Response({**OverviewSerializer(body).data, **written})


class CostsViewSet(TenantViewSet):
    """The tenant's costs."""

    serializer_class = CostsSerializer
    required = {"retrieve": "costs:read", "models": "costs:read"}
    pagination_order = ("-place",)
    list_filter = ModelCostFilter

    @extend_schema(operation_id="costs_read", responses=CostsSerializer)
    def retrieve(self, request: Request) -> Response:
        """Show the period's costs by line, the costliest models, and how the foundation model's share came about."""
        found = costs(tenant_id=self.tenant.id)
        whole = CostsSerializer(dataclasses.replace(found, models=[])).data
        return Response({**whole, "models": [cost_json(cost) for cost in found.models]})

    @extend_schema(
        operation_id="costs_models_list",
        parameters=ModelCostFilter.parameters(),
        responses=ModelCostSerializer(many=True),
    )
    def models(self, request: Request) -> Response:
        """List what each model has cost since its registration, by training and measurement: the costliest first."""
        page = self.paginate_queryset(ModelCostFilter.apply(request, model_costs())) or []
        found = with_shares(page, shares(model_ids=[row["id"] for row in page]))
        return self.get_paginated_response([cost_json(cost) for cost in found])


class FoundationViewSet(TenantViewSet):
    """The shared teacher."""

    serializer_class = FoundationSerializer
    required = {"retrieve": "insights:read"}

    @extend_schema(operation_id="foundation_read", responses=FoundationSerializer)
    def retrieve(self, request: Request) -> Response:
        """Show the foundation model's snapshots, the gate's figures on the tenant's own users, and the cost share."""
        return Response(foundation_json(foundation(tenant_id=self.tenant.id)))


_READ = {"get": "retrieve"}

tenant_urls: list[URLPattern] = [
    path("overview", OverviewViewSet.as_view(_READ)),
    path("models", ModelViewSet.as_view({"get": "list", "post": "create"})),
    path("models/<uuid:model_id>", ModelViewSet.as_view(_READ)),
    path("models/<uuid:model_id>/curve", ModelViewSet.as_view({"get": "curve"})),
    path("models/<uuid:model_id>/pause", ModelViewSet.as_view({"post": "pause"})),
    path("models/<uuid:model_id>/resume", ModelViewSet.as_view({"post": "resume"})),
    path("costs", CostsViewSet.as_view(_READ)),
    path("costs/models", CostsViewSet.as_view({"get": "models"})),
    path("foundation", FoundationViewSet.as_view(_READ)),
    *api_courses.tenant_urls,
]

admin_urls: list[URLPattern] = api_admin.admin_urls

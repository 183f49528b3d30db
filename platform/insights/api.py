"""Models with their lift and cost, and the pages around them, for tenants."""

import dataclasses
import uuid

from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.idempotency import idempotent
from api.base.viewsets import TenantViewSet
from catalog.selectors import schema_of
from insights import api_admin, api_courses
from insights.cost_serializers import CostsSerializer
from insights.selectors.cards import Card, card, cards, lineage_rows, quota_for
from insights.selectors.costs import costs
from insights.selectors.curve import curve
from insights.selectors.foundation import foundation
from insights.selectors.overview import overview
from insights.serializers import (
    CurveSerializer,
    FoundationSerializer,
    ModelCardSerializer,
    ModelSerializer,
    NewModelSerializer,
    OverviewSerializer,
)
from registry import selectors as registry
from registry import services
from registry.filters import ModelFilter
from registry.latency import latencies


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
        page = self.paginate_queryset(ModelFilter.apply(request, registry.vertical_models())) or []
        return self.get_paginated_response(ModelCardSerializer(cards(models=page), many=True).data)

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
        return Response(_detail(card(model_id=model.id)), status=status.HTTP_201_CREATED)

    @extend_schema(operation_id="models_read", responses=ModelSerializer)
    def retrieve(self, request: Request, model_id: uuid.UUID) -> Response:
        """Show a model with its spec, serving cost, lineages and supervision."""
        return Response(_detail(card(model_id=model_id)))

    @extend_schema(operation_id="models_curve", responses=CurveSerializer)
    def curve(self, request: Request, model_id: uuid.UUID) -> Response:
        """Show NE, lift and AUC by partition, and the same from the beginning up to each."""
        return Response(CurveSerializer({"partitions": curve(model_id=model_id)}).data)

    @extend_schema(operation_id="models_pause", request=None, responses=ModelSerializer)
    def pause(self, request: Request, model_id: uuid.UUID) -> Response:
        """Stop training the model at its next checkpoint."""
        services.pause(model_id=model_id)
        return Response(_detail(card(model_id=model_id)))

    @extend_schema(operation_id="models_resume", request=None, responses=ModelSerializer)
    def resume(self, request: Request, model_id: uuid.UUID) -> Response:
        """Train the model again, from where it stopped."""
        services.resume(model_id=model_id)
        return Response(_detail(card(model_id=model_id)))


def _detail(shown: Card) -> dict[str, object]:
    binding = registry.open_binding(model_id=shown.model.id)
    quota, version, taught = quota_for(shown), shown.version, shown.teaching
    rest = {
        "spec": version.spec,
        "version": version.number,
        "foundation_model": binding.foundation_model.name if binding else None,
        "train_from": shown.model.train_from,
        "serving": {
            "parameters": version.serving_parameters,
            "flops": version.serving_flops,
            "limit_parameters": quota.serving_parameters,
            "limit_flops": quota.serving_flops,
            "latency": latencies(spec=registry.spec_of(version), schema=schema_of(shown.model.stream)),
        },
        "lineages": lineage_rows(shown),
        "supervision": {
            "coverage": shown.coverage,
            "freshness_seconds": taught.freshness_seconds,
            "clipped_share": taught.clipped_share,
            "snapshot": taught.snapshot_id,
            "gate": taught.gate,
        },
    }
    whole = {field.name: getattr(shown, field.name) for field in dataclasses.fields(shown)}
    return dict(ModelSerializer({**whole, "freshness_seconds": shown.freshness_seconds, **rest}).data)


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
                "forecast": spend.forecast,
                "measurement": spend.measurement,
                "fm_share": shown.fm_share,
            },
            "quota": shown.quota,
            "models": shown.models,
            "runs": [],
            "attention": shown.attention,
            "foundation": shown.foundation,
        }
        return Response({**OverviewSerializer(body).data, "runs": shown.runs})


class CostsViewSet(TenantViewSet):
    """The tenant's costs."""

    serializer_class = CostsSerializer
    required = {"retrieve": "costs:read"}

    @extend_schema(operation_id="costs_read", responses=CostsSerializer)
    def retrieve(self, request: Request) -> Response:
        """Show the period's costs by line and model, and how the share of the foundation model came about."""
        return Response(CostsSerializer(costs(tenant_id=self.tenant.id)).data)


class FoundationViewSet(TenantViewSet):
    """The shared teacher."""

    serializer_class = FoundationSerializer
    required = {"retrieve": "insights:read"}

    @extend_schema(operation_id="foundation_read", responses=FoundationSerializer)
    def retrieve(self, request: Request) -> Response:
        """Show the foundation model's snapshots, the gate's figures on the tenant's own users, and the cost share."""
        return Response(FoundationSerializer(foundation(tenant_id=self.tenant.id)).data)


_READ = {"get": "retrieve"}

tenant_urls: list[URLPattern] = [
    path("overview", OverviewViewSet.as_view(_READ)),
    path("models", ModelViewSet.as_view({"get": "list", "post": "create"})),
    path("models/<uuid:model_id>", ModelViewSet.as_view(_READ)),
    path("models/<uuid:model_id>/curve", ModelViewSet.as_view({"get": "curve"})),
    path("models/<uuid:model_id>/pause", ModelViewSet.as_view({"post": "pause"})),
    path("models/<uuid:model_id>/resume", ModelViewSet.as_view({"post": "resume"})),
    path("costs", CostsViewSet.as_view(_READ)),
    path("foundation", FoundationViewSet.as_view(_READ)),
    *api_courses.tenant_urls,
]

admin_urls: list[URLPattern] = api_admin.admin_urls

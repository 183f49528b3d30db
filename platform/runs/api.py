"""Runs over HTTP: tenants read, stop and retry their own; administrators read all and see the capacity."""

import uuid
from collections.abc import Mapping

from django.urls import URLPattern, path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.viewsets import PlatformAdminViewSet, TenantViewSet
from runs import selectors, services
from runs.models import State
from runs.serializers import CapacitySerializer, RunCardSerializer, RunSerializer
from tenancy.errors import Invalid

STATES = OpenApiParameter("state", str, many=True, description="a state, or `open` for all before the end")


class RunViewSet(TenantViewSet):
    """The tenant's runs."""

    serializer_class = RunCardSerializer
    required = {"list": "runs:read", "retrieve": "runs:read", "stop": "runs:write", "retry": "runs:write"}

    @extend_schema(
        operation_id="runs_list",
        parameters=[OpenApiParameter("model", OpenApiTypes.UUID), STATES],
        responses=RunCardSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        """List the runs, newest first; `model` and `state` narrow them down."""
        rows = selectors.runs(model_id=_uuid(request.query_params, "model"), states=_states(request))
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response(selectors.cards(page))

    @extend_schema(operation_id="runs_read", responses=RunSerializer)
    def retrieve(self, request: Request, run_id: uuid.UUID) -> Response:
        """Show a run with its attempts, partitions and log."""
        return Response(selectors.run_detail(run_id=run_id))

    @extend_schema(operation_id="runs_stop", request=None, responses={202: RunSerializer})
    def stop(self, request: Request, run_id: uuid.UUID) -> Response:
        """Ask the run to stop: it finishes the batch and keeps its last checkpoint. Asking twice is harmless."""
        services.request_stop(run_id=run_id)
        return Response(selectors.run_detail(run_id=run_id), status=status.HTTP_202_ACCEPTED)

    @extend_schema(operation_id="runs_retry", request=None, responses={201: RunSerializer})
    def retry(self, request: Request, run_id: uuid.UUID) -> Response:
        """Queue a new run in place of a failed or cancelled one; it goes on from the last checkpoint."""
        fresh = services.retry(run_id=run_id)
        return Response(selectors.run_detail(run_id=fresh.id), status=status.HTTP_201_CREATED)


class AdminRunViewSet(PlatformAdminViewSet):
    """Runs of all tenants and of the platform itself."""

    serializer_class = RunCardSerializer
    required = {
        "list": "platform:read",
        "retrieve": "platform:read",
        "stop": "platform:write",
        "retry": "platform:write",
    }

    @extend_schema(
        operation_id="admin_runs_list",
        parameters=[
            OpenApiParameter("foundation_model", OpenApiTypes.UUID),
            OpenApiParameter("model", OpenApiTypes.UUID),
            STATES,
        ],
        responses=RunCardSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        """List runs, newest first."""
        rows = selectors.runs(
            model_id=_uuid(request.query_params, "model"),
            foundation_model_id=_uuid(request.query_params, "foundation_model"),
            states=_states(request),
        )
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response(selectors.cards(page))

    @extend_schema(operation_id="admin_runs_read", responses=RunSerializer)
    def retrieve(self, request: Request, run_id: uuid.UUID) -> Response:
        """Show a run."""
        return Response(selectors.run_detail(run_id=run_id))

    @extend_schema(operation_id="admin_runs_stop", request=None, responses={202: RunSerializer})
    def stop(self, request: Request, run_id: uuid.UUID) -> Response:
        """Ask a run to stop at its last checkpoint."""
        services.request_stop(run_id=run_id)
        return Response(selectors.run_detail(run_id=run_id), status=status.HTTP_202_ACCEPTED)

    @extend_schema(operation_id="admin_runs_retry", request=None, responses={201: RunSerializer})
    def retry(self, request: Request, run_id: uuid.UUID) -> Response:
        """Queue a new run in place of a failed or cancelled one."""
        fresh = services.retry(run_id=run_id)
        return Response(selectors.run_detail(run_id=fresh.id), status=status.HTTP_201_CREATED)


class CapacityViewSet(PlatformAdminViewSet):
    """Who offers capacity, who holds it, who waits."""

    serializer_class = CapacitySerializer
    required = {"retrieve": "platform:read"}

    @extend_schema(operation_id="admin_capacity_read", responses=CapacitySerializer)
    def retrieve(self, request: Request) -> Response:
        """Show workers, held slots and the queue."""
        return Response(selectors.capacity())


def _uuid(query: Mapping[str, str], name: str) -> uuid.UUID | None:
    text = query.get(name)
    if not text:
        return None
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise Invalid(
            "bad_id", f"{name}={text[:80]!r} is not an id.", f"Use the id that {name}s have.", field=name
        ) from error


def _states(request: Request) -> list[str]:
    asked = [state for text in request.query_params.getlist("state") for state in text.split(",") if state]
    known = [*State.values, "open"]
    for state in asked:
        if state not in known:
            raise Invalid(
                "bad_state", f"{state[:40]!r} is not a state.", f"Use one of {', '.join(known)}.", field="state"
            )
    return asked


def _run_routes(view: type[RunViewSet] | type[AdminRunViewSet]) -> list[URLPattern]:
    return [
        path("runs", view.as_view({"get": "list"})),
        path("runs/<uuid:run_id>", view.as_view({"get": "retrieve"})),
        path("runs/<uuid:run_id>/stop", view.as_view({"post": "stop"})),
        path("runs/<uuid:run_id>/retry", view.as_view({"post": "retry"})),
    ]


tenant_urls = _run_routes(RunViewSet)
admin_urls = [*_run_routes(AdminRunViewSet), path("capacity", CapacityViewSet.as_view({"get": "retrieve"}))]

"""Runs over HTTP: tenants read, stop and retry their own; administrators read all and see the capacity."""

import uuid

from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.idempotency import idempotent
from api.base.serializers import refuse_body
from api.base.viewsets import PlatformAdminViewSet, TenantViewSet
from runs import selectors, services
from runs.filters import AdminRunFilter, RunFilter
from runs.serializers import CapacitySerializer, RunCardSerializer, RunSerializer


class RunViewSet(TenantViewSet):
    """The tenant's runs."""

    serializer_class = RunCardSerializer
    required = {"list": "runs:read", "retrieve": "runs:read", "stop": "runs:write", "retry": "runs:write"}

    list_filter = RunFilter

    @extend_schema(operation_id="runs_list", parameters=RunFilter.parameters(), responses=RunCardSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List the runs, newest first."""
        page = self.page_of(selectors.card_rows(RunFilter.apply(request, selectors.runs())))
        return self.get_paginated_response(selectors.card_list(page))

    @extend_schema(operation_id="runs_read", responses=RunSerializer)
    def retrieve(self, request: Request, run_id: uuid.UUID) -> Response:
        """Show a run with its attempts, partitions and log."""
        return Response(selectors.run_detail(run_id=run_id))

    @extend_schema(operation_id="runs_stop", request=None, responses={202: RunSerializer})
    def stop(self, request: Request, run_id: uuid.UUID) -> Response:
        """Ask the run to stop: it finishes the batch and keeps its last checkpoint. Asking twice is harmless."""
        refuse_body(request)
        services.request_stop(run_id=run_id)
        return Response(selectors.run_detail(run_id=run_id), status=status.HTTP_202_ACCEPTED)

    @extend_schema(operation_id="runs_retry", request=None, responses={201: RunSerializer})
    @idempotent
    def retry(self, request: Request, run_id: uuid.UUID) -> Response:
        """Queue a new run in place of a failed or cancelled one; it goes on from the last checkpoint."""
        refuse_body(request)
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

    list_filter = AdminRunFilter

    @extend_schema(
        operation_id="admin_runs_list", parameters=AdminRunFilter.parameters(), responses=RunCardSerializer(many=True)
    )
    def list(self, request: Request) -> Response:
        """List runs, newest first."""
        page = self.page_of(selectors.card_rows(AdminRunFilter.apply(request, selectors.runs())))
        return self.get_paginated_response(selectors.card_list(page))

    @extend_schema(operation_id="admin_runs_read", responses=RunSerializer)
    def retrieve(self, request: Request, run_id: uuid.UUID) -> Response:
        """Show a run."""
        return Response(selectors.run_detail(run_id=run_id))

    @extend_schema(operation_id="admin_runs_stop", request=None, responses={202: RunSerializer})
    def stop(self, request: Request, run_id: uuid.UUID) -> Response:
        """Ask a run to stop at its last checkpoint."""
        refuse_body(request)
        services.request_stop(run_id=run_id)
        return Response(selectors.run_detail(run_id=run_id), status=status.HTTP_202_ACCEPTED)

    @extend_schema(operation_id="admin_runs_retry", request=None, responses={201: RunSerializer})
    @idempotent
    def retry(self, request: Request, run_id: uuid.UUID) -> Response:
        """Queue a new run in place of a failed or cancelled one."""
        refuse_body(request)
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


def _run_routes(view: type[RunViewSet] | type[AdminRunViewSet]) -> list[URLPattern]:
    return [
        path("runs", view.as_view({"get": "list"})),
        path("runs/<uuid:run_id>", view.as_view({"get": "retrieve"})),
        path("runs/<uuid:run_id>/stop", view.as_view({"post": "stop"})),
        path("runs/<uuid:run_id>/retry", view.as_view({"post": "retry"})),
    ]


tenant_urls = _run_routes(RunViewSet)
admin_urls = [*_run_routes(AdminRunViewSet), path("capacity", CapacityViewSet.as_view({"get": "retrieve"}))]

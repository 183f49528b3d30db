"""Webhooks over HTTP."""

import uuid

import orjson
from django.urls import URLPattern, path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from alerts import selectors, services
from alerts.models import Delivery, Webhook
from alerts.serializers import (
    DeliveryDetailSerializer,
    DeliverySerializer,
    NewWebhookSerializer,
    WebhookSecretSerializer,
    WebhookSerializer,
    WebhookTermsSerializer,
    shown,
)
from api.base.concurrency import refuse_if_changed, tagged
from api.base.idempotency import idempotent
from api.base.rows import Rows
from api.base.serializers import refuse_body
from api.base.viewsets import TenantViewSet
from tenancy.errors import Invalid

NOTHING = services.Terms(url="", event_types=())

_WEBHOOKS = Rows(WebhookSerializer, also=["event_types"], event_types=lambda row: row["event_types"])
_DELIVERIES = Rows(
    DeliverySerializer,
    also=["next_attempt_at"],
    next_attempt_at=lambda row: row["next_attempt_at"] if row["state"] == Delivery.State.PENDING else None,
)


class WebhookViewSet(TenantViewSet):
    """Addresses of the tenant's that are told of events."""

    serializer_class = WebhookSerializer
    required = {
        "list": "webhooks:read",
        "create": "webhooks:write",
        "retrieve": "webhooks:read",
        "partial_update": "webhooks:write",
        "destroy": "webhooks:write",
        "rotate": "webhooks:write",
        "test": "webhooks:write",
    }

    @extend_schema(operation_id="webhooks_list", responses=WebhookSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List the webhooks, newest first."""
        return self.page(selectors.webhooks(), _WEBHOOKS)

    @extend_schema(
        operation_id="webhooks_create", request=NewWebhookSerializer, responses={201: WebhookSecretSerializer}
    )
    @idempotent(secret_fields=("secret",))
    def create(self, request: Request) -> Response:
        """Make a webhook; its secret is in this answer and never again."""
        form = NewWebhookSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        webhook, secret = services.create_webhook(tenant=self.tenant, terms=form.terms(NOTHING))
        return self._with_secret(webhook, secret, status.HTTP_201_CREATED)

    @extend_schema(operation_id="webhooks_read", responses=WebhookSerializer)
    def retrieve(self, request: Request, webhook_id: uuid.UUID) -> Response:
        """Show a webhook."""
        return tagged(shown(selectors.webhook(webhook_id=webhook_id)))

    @extend_schema(operation_id="webhooks_update", request=WebhookTermsSerializer, responses=WebhookSerializer)
    def partial_update(self, request: Request, webhook_id: uuid.UUID) -> Response:
        """Change a webhook; disabling drops what waits for it, enabling forgives past failures."""
        form = WebhookTermsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        held = selectors.webhook(webhook_id=webhook_id)
        refuse_if_changed(request, shown(held))
        services.change_webhook(webhook_id=webhook_id, terms=form.terms(services.terms_of(held)))
        return tagged(shown(selectors.webhook(webhook_id=webhook_id)))

    @extend_schema(operation_id="webhooks_delete", responses={204: None})
    def destroy(self, request: Request, webhook_id: uuid.UUID) -> Response:
        """Remove a webhook with its log."""
        services.remove_webhook(webhook_id=webhook_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(operation_id="webhooks_rotate", request=None, responses=WebhookSecretSerializer)
    @idempotent(secret_fields=("secret",))
    def rotate(self, request: Request, webhook_id: uuid.UUID) -> Response:
        """Give a webhook a new secret; for 24 hours the old one signs as well."""
        refuse_body(request)
        webhook, secret = services.rotate_secret(webhook_id=webhook_id)
        return self._with_secret(webhook, secret, status.HTTP_200_OK)

    @extend_schema(operation_id="webhooks_test", request=None, responses={202: DeliveryDetailSerializer})
    @idempotent
    def test(self, request: Request, webhook_id: uuid.UUID) -> Response:
        """Send a `webhook.test` event; its delivery says what came of it."""
        refuse_body(request)
        return _queued(webhook_id, services.send_test(webhook_id=webhook_id))

    def _with_secret(self, webhook: Webhook, secret: str, code: int) -> Response:
        held = shown(selectors.webhook(webhook_id=webhook.id))
        return Response({**held, "secret": secret}, status=code)


class DeliveryViewSet(TenantViewSet):
    """What was sent to a webhook, and what came of it."""

    serializer_class = DeliverySerializer
    required = {"list": "webhooks:read", "retrieve": "webhooks:read", "replay": "webhooks:write"}

    @extend_schema(
        operation_id="webhook_deliveries_list",
        parameters=[OpenApiParameter("state", str, enum=Delivery.State.values)],
        responses=DeliverySerializer(many=True),
    )
    def list(self, request: Request, webhook_id: uuid.UUID) -> Response:
        """List the deliveries of the last thirty days, newest first; `state` narrows them down."""
        rows = selectors.deliveries(webhook_id=webhook_id)
        if state := request.query_params.get("state"):
            if state not in Delivery.State.values:
                selectors.require_webhook(webhook_id=webhook_id)
                known = ", ".join(Delivery.State.values)
                raise Invalid("bad_state", f"{state[:40]!r} is not a state.", f"Use one of {known}.", field="state")
            rows = rows.filter(state=state)
        page = self.paginate_queryset(_DELIVERIES.read(rows)) or []
        if not page:
            selectors.require_webhook(webhook_id=webhook_id)
        return self.get_paginated_response(_DELIVERIES.write(page))

    @extend_schema(operation_id="webhook_deliveries_read", responses=DeliveryDetailSerializer)
    def retrieve(self, request: Request, webhook_id: uuid.UUID, delivery_id: uuid.UUID) -> Response:
        """Show a delivery with every attempt."""
        return Response(selectors.delivery_detail(webhook_id=webhook_id, delivery_id=delivery_id))

    @extend_schema(operation_id="webhook_deliveries_replay", request=None, responses={202: DeliveryDetailSerializer})
    @idempotent
    def replay(self, request: Request, webhook_id: uuid.UUID, delivery_id: uuid.UUID) -> Response:
        """Deliver the event once more, under its own id."""
        refuse_body(request)
        return _queued(webhook_id, services.replay(webhook_id=webhook_id, delivery_id=delivery_id))


def _queued(webhook_id: uuid.UUID, delivery: Delivery) -> Response:
    found = selectors.delivery_detail(webhook_id=webhook_id, delivery_id=delivery.id)
    # As it is sent, which can be kept for a repetition under the same Idempotency-Key.
    return Response(orjson.loads(orjson.dumps(found, option=orjson.OPT_UTC_Z)), status=status.HTTP_202_ACCEPTED)


_ONE = "webhooks/<uuid:webhook_id>"
_DELIVERY = f"{_ONE}/deliveries/<uuid:delivery_id>"

tenant_urls: list[URLPattern] = [
    path("webhooks", WebhookViewSet.as_view({"get": "list", "post": "create"})),
    path(_ONE, WebhookViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"})),
    path(f"{_ONE}/rotate", WebhookViewSet.as_view({"post": "rotate"})),
    path(f"{_ONE}/test", WebhookViewSet.as_view({"post": "test"})),
    path(f"{_ONE}/deliveries", DeliveryViewSet.as_view({"get": "list"})),
    path(_DELIVERY, DeliveryViewSet.as_view({"get": "retrieve"})),
    path(f"{_DELIVERY}/replay", DeliveryViewSet.as_view({"post": "replay"})),
]

admin_urls: list[URLPattern] = []

"""Single sign-on in the browser: to the provider, and back with an answer that is checked before anything else."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import login
from django.db import transaction
from django.http import HttpResponseRedirect
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from api.base.open_views import Access, OpenView
from api.base.serializers import StrictSerializer
from api.base.throttling import AnonymousThrottle
from tenancy import oidc, sso
from tenancy.errors import DomainError
from tenancy.models import IdentityProvider

KEPT = "exfm_sso"
"""Where the browser's session keeps what a sign-in began with."""


class ProviderSerializer(StrictSerializer):
    """A way to sign in: send the browser to `start`."""

    slug = serializers.CharField()
    name = serializers.CharField()
    start = serializers.CharField()


class ProvidersView(OpenView):
    """The identity providers of this installation."""

    access = {"get": Access.ANYBODY}

    @extend_schema(operation_id="sso_providers", responses=ProviderSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the providers that sign people in here."""
        rows = IdentityProvider.objects.filter(is_active=True).order_by("name")
        return Response([{"slug": r.slug, "name": r.name, "start": f"/api/v1/sso/{r.slug}/start"} for r in rows])


class _Way(OpenView):
    """Makes this platform talk to the provider, so anybody may ask for it only now and then."""

    access = {}

    def get_throttles(self) -> list[BaseThrottle]:
        """Limit it per network address."""
        return [AnonymousThrottle()]


class StartView(_Way):
    """The way to a provider."""

    access = {"get": Access.ANYBODY}

    @extend_schema(
        operation_id="sso_start", parameters=[OpenApiParameter("next", str)], request=None, responses={302: None}
    )
    def get(self, request: Request, slug: str) -> HttpResponseRedirect:
        """Send the browser to the provider; `next` is the page to come back to."""
        try:
            url, began = oidc.start(sso.client_of(sso.provider(slug=slug)))
        except DomainError as error:
            return _back_to_sign_in(error)
        with transaction.atomic():
            kept = {"provider": slug, "next": _own_page(request.query_params.get("next", "")), **began.to_json()}
            request.session[KEPT] = kept
            request.session.save()
        return HttpResponseRedirect(url)


class CallbackView(_Way):
    """The way back."""

    access = {"get": Access.ANYBODY}

    @extend_schema(
        operation_id="sso_callback",
        parameters=[OpenApiParameter(name, str) for name in ("code", "state", "iss", "error")],
        request=None,
        responses={302: None},
    )
    def get(self, request: Request, slug: str) -> HttpResponseRedirect:
        """Check the provider's answer and sign in; whatever is wrong ends at the sign-in page with its code."""
        try:
            return self._finish(request, slug)
        except DomainError as error:
            return _back_to_sign_in(error)

    def _finish(self, request: Request, slug: str) -> HttpResponseRedirect:
        kept: dict[str, Any] = request.session.pop(KEPT, None) or {}
        with transaction.atomic():
            request.session.save()  # an answer counts once, also where it is refused
        asked = request.query_params
        if kept.get("provider") != slug:
            raise oidc.refused("sso_state_wrong", "This answer does not belong to a sign-in that began here.")
        if "error" in asked:
            raise oidc.refused("sso_refused_there", "The identity provider refused the sign-in.")
        row = sso.provider(slug=slug)
        claims = oidc.finish(
            sso.client_of(row),
            oidc.Started(kept["state"], kept["nonce"], kept["verifier"]),
            code=asked.get("code", ""),
            state=asked.get("state", ""),
            issuer=asked.get("iss", ""),
        )
        user = sso.person(row=row, claims=claims)
        with transaction.atomic():
            login(request._request, user, backend="tenancy.backends.FunctionBackend")
            request.session.save()
        return HttpResponseRedirect(kept["next"])


def _own_page(wanted: str) -> str:
    fine = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if fine else "/"


def _back_to_sign_in(error: DomainError) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"/sign-in?{urlencode({'problem': error.code})}")


urls = [
    path("sso", ProvidersView.as_view()),
    path("sso/<slug:slug>/start", StartView.as_view()),
    path("sso/<slug:slug>/callback", CallbackView.as_view()),
]

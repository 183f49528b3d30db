"""Single sign-on in the browser: to the provider, and back with an answer that is checked before anything else."""

import time
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import login
from django.db import transaction
from django.http import HttpResponseRedirect
from django.urls import path
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from api.base.open_views import Access, OpenView
from api.base.serializers import StrictSerializer
from api.base.throttling import AnonymousThrottle
from api.v1.account import checked
from api.v1.session import MeSerializer, me
from tenancy import oidc, second_factor, sso
from tenancy.backends import load_user
from tenancy.errors import DomainError, Unauthenticated
from tenancy.models import IdentityProvider, User

KEPT = "exfm_sso"
"""Where the browser's session keeps what a sign-in began with."""
WAITING = "exfm_sso_code"
"""Where it keeps whom the provider named, until the code of their second factor is there."""
WAITS_SECONDS = 600


class ProviderSerializer(StrictSerializer):
    """A way to sign in: send the browser to `start`."""

    slug = serializers.CharField()
    name = serializers.CharField()
    start = serializers.CharField()


class SsoCodeSerializer(StrictSerializer):
    """What the second step needs: a code of the authenticator app, or a recovery code."""

    code = serializers.CharField(max_length=40)


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
        user.proof = sso.proof(row, claims)
        if not user.proof and second_factor.is_on(user):
            _wait(request, user, slug)
            return HttpResponseRedirect(f"/sign-in?{urlencode({'step': 'code', 'next': kept['next']})}")
        _let_in(request, user)
        return HttpResponseRedirect(kept["next"])


class CodeView(OpenView):
    """The second step, where the provider did not ask for a second factor and the account here has one."""

    access = {"post": Access.ANYBODY}

    @extend_schema(operation_id="sso_code", request=SsoCodeSerializer, responses=MeSerializer)
    def post(self, request: Request) -> Response:
        """Finish a sign-in that waits for a code, within ten minutes. Wrong codes count as at any other sign-in."""
        code = checked(SsoCodeSerializer, request)["code"]
        user = _who_waits(request)
        proof = second_factor.check(user_id=user.pk, email=user.email, code=code)
        if proof is None:
            raise Unauthenticated("code_wrong", "The code is not right.", "Type the six digits that the app shows now.")
        user.proof = proof
        del request.session[WAITING]
        _let_in(request, user)
        return Response(me(user, session=request.session))


def _wait(request: Request, user: User, slug: str) -> None:
    """Remember whom the provider named. Nobody is signed in by it; the key is new, as at a sign-in."""
    with transaction.atomic():
        request.session.cycle_key()
        request.session[WAITING] = {
            "user": str(user.pk),
            "provider": slug,
            "since": time.time(),
            "stamp": user.get_session_auth_hash(),
        }
        request.session.save()


def _who_waits(request: Request) -> User:
    waiting: dict[str, Any] = request.session.get(WAITING) or {}
    fresh = time.time() - waiting.get("since", 0) < WAITS_SECONDS
    user = load_user(waiting["user"]) if fresh else None
    if user is None or user.is_staff or not constant_time_compare(user.get_session_auth_hash(), waiting["stamp"]):
        raise oidc.refused("sso_state_wrong", "No sign-in waits for a code here.")
    sso.provider(slug=waiting["provider"])
    return user


def _let_in(request: Request, user: User) -> None:
    with transaction.atomic():
        login(request._request, user, backend="tenancy.backends.FunctionBackend")
        request.session.save()


def _own_page(wanted: str) -> str:
    fine = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if fine else "/"


def _back_to_sign_in(error: DomainError) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"/sign-in?{urlencode({'problem': error.code})}")


urls = [
    path("sso", ProvidersView.as_view()),
    path("sso/code", CodeView.as_view()),
    path("sso/<slug:slug>/start", StartView.as_view()),
    path("sso/<slug:slug>/callback", CallbackView.as_view()),
]

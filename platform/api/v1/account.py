"""The caller's own account: password, second factor, outside identities; and new passwords by one-time link."""

from typing import Any

from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.open_views import Access, OpenView
from api.base.serializers import StrictSerializer
from tenancy import accounts, proofs, second_factor
from tenancy.models import Identity
from tenancy.scope import user_scope


class AccountSerializer(StrictSerializer):
    """How the caller signs in."""

    email = serializers.EmailField()
    name = serializers.CharField()
    second_factor = serializers.BooleanField()
    second_factor_shown = serializers.BooleanField(
        help_text="this session has shown a second factor, here or to the provider, as some tenants require"
    )
    recovery_codes_left = serializers.IntegerField()
    identities = serializers.ListField(child=serializers.CharField(), help_text="providers that sign this person in")


class PasswordChangeSerializer(StrictSerializer):
    """A new password, and proof that it is you."""

    current = serializers.CharField(max_length=256, trim_whitespace=False, style={"input_type": "password"})
    password = serializers.CharField(max_length=256, trim_whitespace=False, style={"input_type": "password"})


class PasswordResetSerializer(StrictSerializer):
    """A new password by a link that an administrator made."""

    token = serializers.CharField(max_length=100)
    password = serializers.CharField(max_length=256, trim_whitespace=False, style={"input_type": "password"})


class CodeSerializer(StrictSerializer):
    """A code of the authenticator app, or a recovery code."""

    code = serializers.CharField(max_length=40)


class FactorSetupSerializer(StrictSerializer):
    """What the app needs: scan `picture` (SVG), or type `secret`."""

    secret = serializers.CharField()
    address = serializers.CharField()
    picture = serializers.CharField()


class RecoveryCodesSerializer(StrictSerializer):
    """Ten codes, each good once in place of the app's; shown this one time."""

    codes = serializers.ListField(child=serializers.CharField())


class AccountView(OpenView):
    """The caller's account."""

    access = {"get": Access.SESSION}

    @extend_schema(operation_id="account_read", responses=AccountSerializer)
    def get(self, request: Request) -> Response:
        """Return how the caller signs in."""
        with user_scope(self.user.pk):
            names = list(Identity.objects.filter(user=self.user).values_list("provider__name", flat=True))
        return Response(
            {
                "email": self.user.email,
                "name": self.user.name,
                "second_factor": second_factor.is_on(self.user),
                "second_factor_shown": proofs.is_shown(request.session, self.user),
                "recovery_codes_left": second_factor.codes_left(self.user),
                "identities": sorted(names),
            }
        )


class PasswordView(OpenView):
    """The caller's password."""

    access = {"post": Access.SESSION}

    @extend_schema(operation_id="account_password", request=PasswordChangeSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Change the password; all other sessions of the account end."""
        data = checked(PasswordChangeSerializer, request)
        accounts.change_password(user=self.user, current=data["current"], new=data["password"])
        with transaction.atomic():
            update_session_auth_hash(request._request, self.user)
            request.session.save()
        return Response(status=204)


class PasswordResetView(OpenView):
    """A forgotten password."""

    access = {"post": Access.ANYBODY}

    @extend_schema(operation_id="password_reset", request=PasswordResetSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Set a new password by a one-time link; all sessions of the account end."""
        data = checked(PasswordResetSerializer, request)
        accounts.use_password_reset(secret=data["token"], password=data["password"])
        return Response(status=204)


class SecondFactorView(OpenView):
    """The authenticator app."""

    access = {"post": Access.SESSION}

    @extend_schema(operation_id="second_factor_begin", request=None, responses={201: FactorSetupSerializer})
    def post(self, request: Request) -> Response:
        """Make a secret for the app; nothing asks for it before it is confirmed."""
        setup = second_factor.begin(self.user)
        body = {"secret": setup.secret, "address": setup.address, "picture": setup.picture}
        return Response(body, status=201, headers={"Cache-Control": "no-store"})


class SecondFactorOffView(OpenView):
    """The end of the second factor."""

    access = {"post": Access.SESSION}

    @extend_schema(operation_id="second_factor_off", request=CodeSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Turn the second factor off, with a code as proof."""
        second_factor.turn_off(self.user, checked(CodeSerializer, request)["code"])
        return Response(status=204)


class SecondFactorConfirmView(OpenView):
    """The first code of the app."""

    access = {"post": Access.SESSION}

    @extend_schema(operation_id="second_factor_confirm", request=CodeSerializer, responses=RecoveryCodesSerializer)
    def post(self, request: Request) -> Response:
        """Turn the second factor on; the answer holds the recovery codes."""
        codes, proof = second_factor.confirm(self.user, checked(CodeSerializer, request)["code"])
        _has_shown(request, proof)
        return Response({"codes": codes}, headers={"Cache-Control": "no-store"})


class SecondFactorProofView(OpenView):
    """The second factor in a session that began without it."""

    access = {"post": Access.SESSION}

    @extend_schema(operation_id="second_factor_prove", request=CodeSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Show the second factor in this session, for tenants that require one; wrong codes count as at sign-in."""
        _has_shown(request, second_factor.prove(self.user, checked(CodeSerializer, request)["code"]))
        return Response(status=204)


class RecoveryCodesView(OpenView):
    """Recovery codes."""

    access = {"post": Access.SESSION}

    @extend_schema(operation_id="recovery_codes_renew", request=CodeSerializer, responses=RecoveryCodesSerializer)
    def post(self, request: Request) -> Response:
        """Replace all recovery codes, with a code as proof."""
        codes = second_factor.renew_codes(self.user, checked(CodeSerializer, request)["code"])
        return Response({"codes": codes}, headers={"Cache-Control": "no-store"})


def _has_shown(request: Request, proof: second_factor.Proof) -> None:
    """Raise the session to one that has shown a second factor, under a new key."""
    with transaction.atomic():
        request.session.cycle_key()
        proofs.keep(request.session, proof)
        request.session.save()


def checked(serializer: type[StrictSerializer], request: Request) -> dict[str, Any]:
    """Return the body's validated data."""
    wanted = serializer(data=request.data)
    wanted.is_valid(raise_exception=True)
    data: dict[str, Any] = wanted.validated_data
    return data


urls = [
    path("account", AccountView.as_view()),
    path("account/password", PasswordView.as_view()),
    path("account/second-factor", SecondFactorView.as_view()),
    path("account/second-factor/off", SecondFactorOffView.as_view()),
    path("account/second-factor/confirm", SecondFactorConfirmView.as_view()),
    path("account/second-factor/proof", SecondFactorProofView.as_view()),
    path("account/recovery-codes", RecoveryCodesView.as_view()),
    path("password-reset", PasswordResetView.as_view()),
]

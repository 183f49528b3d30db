"""Invitations: owners make and withdraw them; whoever holds the link and the address accepts."""

import uuid
from typing import Any

from django.contrib.auth import login
from django.db import transaction
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.idempotency import idempotent
from api.base.open_views import Access, OpenView
from api.base.rows import Rows
from api.base.serializers import StrictSerializer
from api.base.viewsets import TenantViewSet
from api.v1.account import checked
from api.v1.session import MeSerializer, me
from tenancy import invitations
from tenancy.errors import NotFound
from tenancy.models import Invitation, Role
from tenancy.tokens import TokenGrant


class InvitationSerializer(StrictSerializer):
    """An invitation, without its link."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    role = serializers.ChoiceField(choices=Role.choices)
    state = serializers.ChoiceField(choices=invitations.STATES)
    invited_by = serializers.EmailField(source="invited_by.email")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


_MOMENTS = ("accepted_at", "revoked_at", "expires_at")
_ROWS = Rows(
    InvitationSerializer, also=_MOMENTS, state=lambda row: invitations.state_at(*(row[name] for name in _MOMENTS))
)


class InvitationCreateSerializer(StrictSerializer):
    """Whom to invite, in which role, for how many days."""

    email = serializers.EmailField(max_length=254)
    role = serializers.ChoiceField(choices=Role.choices)
    days = serializers.IntegerField(min_value=1, max_value=invitations.MOST_DAYS, required=False)


class InvitationCreatedSerializer(InvitationSerializer):
    """An invitation just made: the only answer that holds `link`. `emailed`: a letter goes out, too."""

    link = serializers.CharField(allow_null=True)
    emailed = serializers.BooleanField()


class LinkSerializer(StrictSerializer):
    """What stands after the `#` of the link."""

    token = serializers.CharField(max_length=100)


class OfferSerializer(StrictSerializer):
    """What a link offers; `has_account`: sign in first, a password is not needed."""

    tenant = serializers.CharField()
    email = serializers.EmailField()
    role = serializers.ChoiceField(choices=Role.choices)
    expires_at = serializers.DateTimeField()
    has_account = serializers.BooleanField()


class AcceptSerializer(StrictSerializer):
    """Accepting; name and password make a new account where the address has none."""

    token = serializers.CharField(max_length=100)
    name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    password = serializers.CharField(
        max_length=256, trim_whitespace=False, required=False, style={"input_type": "password"}
    )


class InvitationViewSet(TenantViewSet):
    """Who was invited."""

    required = {"list": "members:read", "create": "members:write", "destroy": "members:write"}
    serializer_class = InvitationSerializer

    @extend_schema(operation_id="invitations_list", responses=InvitationSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List the invitations, used and ended ones included."""
        return self.page(invitations.all_of_tenant(), _ROWS)

    @extend_schema(
        operation_id="invitations_create",
        request=InvitationCreateSerializer,
        responses={201: InvitationCreatedSerializer},
    )
    @idempotent(secret_fields=("link",))
    def create(self, request: Request) -> Response:
        """Invite an address; the link is in this answer and never again. An earlier open invitation to it ends."""
        data = checked(InvitationCreateSerializer, request)
        row, link, emailed = invitations.invite(
            tenant=self.tenant,
            inviter=self.membership,
            email=data["email"],
            role=Role(data["role"]),
            days=data.get("days", invitations.DAYS),
            scopes=request.auth.scopes if isinstance(request.auth, TokenGrant) else None,
        )
        return Response({**shown(row), "link": link, "emailed": emailed}, status=201)

    @extend_schema(operation_id="invitations_delete", responses={204: None})
    def destroy(self, request: Request, id: uuid.UUID) -> Response:
        """Withdraw an invitation; its link is dead at once."""
        found = invitations.all_of_tenant().filter(id=id).first()
        if found is None:
            raise NotFound("invitation_not_found", "There is no such invitation.")
        invitations.revoke(invitation=found)
        return Response(status=204)


class OfferView(OpenView):
    """What a link offers."""

    access = {"post": Access.ANYBODY}

    @extend_schema(operation_id="invitation_look", request=LinkSerializer, responses=OfferSerializer)
    def post(self, request: Request) -> Response:
        """Return the offer behind a link; 404 once it is over."""
        row, tenant, has_account = invitations.look(secret=checked(LinkSerializer, request)["token"])
        body = {
            "tenant": tenant.name,
            "email": row.email,
            "role": row.role,
            "expires_at": row.expires_at,
            "has_account": has_account,
        }
        return Response(OfferSerializer(body).data)


class AcceptView(OpenView):
    """Joining."""

    access = {"post": Access.ANYBODY}

    @extend_schema(operation_id="invitation_accept", request=AcceptSerializer, responses=MeSerializer)
    def post(self, request: Request) -> Response:
        """Join the tenant: as the signed-in user, or as a new one, who is signed in by this."""
        data = checked(AcceptSerializer, request)
        known = self.user if request.user is not None and request.user.is_authenticated else None
        new = {"name": data.get("name", ""), "password": data.get("password", "")}
        user, _ = invitations.accept(secret=data["token"], user=known, **new)
        if known is None:
            with transaction.atomic():
                login(request._request, user, backend="tenancy.backends.FunctionBackend")
                request.session.save()
        return Response(me(user, session=request.session))


def shown(row: Invitation) -> dict[str, Any]:
    """Return the invitation's representation."""
    row.state = invitations.state_of(row)  # type: ignore[attr-defined]
    return dict(InvitationSerializer(row).data)


common_urls = [path("invitation", OfferView.as_view()), path("invitation/accept", AcceptView.as_view())]
urls = [
    path("invitations", InvitationViewSet.as_view({"get": "list", "post": "create"})),
    path("invitations/<uuid:id>", InvitationViewSet.as_view({"delete": "destroy"})),
]

"""The gate of the protected viewsets cannot be removed by a subclass, a mixin or forgetfulness."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from rest_framework.mixins import ListModelMixin
from rest_framework.response import Response

from api.base.viewsets import PlatformAdminViewSet, TenantViewSet
from api.base.walls import PROTECTED


def build(*bases: type, **attributes: Any) -> type:
    """Make a subclass as a module would."""
    return type("Sample", bases, {"__module__": "somewhere.api", **attributes})


def answer(self: Any, request: Any) -> Response:
    """An action."""
    return Response({})


@pytest.mark.parametrize("base", [TenantViewSet, PlatformAdminViewSet])
@pytest.mark.parametrize("name", PROTECTED)
def test_what_guards_the_tenant_cannot_be_overridden(base: type, name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        build(base, **{name: answer})


@pytest.mark.parametrize("name", ["initial", "permission_classes", "dispatch"])
def test_nor_by_a_mixin(name: str) -> None:
    mixin = type("Mixin", (), {"__module__": "somewhere.mixins", name: answer})
    with pytest.raises(ImproperlyConfigured, match=name):
        build(mixin, TenantViewSet)


def test_every_action_must_say_what_it_requires() -> None:
    with pytest.raises(ImproperlyConfigured, match="list"):
        build(TenantViewSet, list=answer)
    with pytest.raises(ImproperlyConfigured, match="list"):
        build(ListModelMixin, TenantViewSet)
    view: Any = build(TenantViewSet, list=answer, required={"list": "models:read"}, extra=answer)
    assert view.as_view({"get": "list"})
    with pytest.raises(ImproperlyConfigured, match="extra"):
        view.as_view({"get": "extra"})


def test_only_known_permissions_and_real_methods_count() -> None:
    with pytest.raises(ImproperlyConfigured, match="cats:pet"):
        build(TenantViewSet, list=answer, required={"list": "cats:pet"})
    with pytest.raises(ImproperlyConfigured, match="tenants:read"):
        build(TenantViewSet, list=answer, required={"list": "tenants:read"})
    with pytest.raises(ImproperlyConfigured, match="lost"):
        build(TenantViewSet, required={"lost": "models:read"})

"""Bases of the operators' site: rows of all tenants under the platform's scope, changes attributed to the operator."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from tenancy.context import Actor, acting
from tenancy.errors import DomainError
from tenancy.scope import platform_scope

if TYPE_CHECKING:
    Base = admin.ModelAdmin[models.Model]
    Form = forms.ModelForm[models.Model]
else:
    Base = admin.ModelAdmin
    Form = forms.ModelForm


class ReasonedForm(Form):
    """A form whose change stands in the audit log with its reason."""

    reason = forms.CharField(
        max_length=500, widget=forms.Textarea(attrs={"rows": 2}), help_text="stands in the audit log"
    )


@contextmanager
def operating(request: HttpRequest) -> Iterator[None]:
    """See all tenants' rows, as the signed-in operator."""
    user = request.user
    actor = Actor(label=str(user), user_id=user.pk, request_id=str(getattr(request, "request_id", "")))
    with platform_scope(f"operator {user}"), acting(actor):
        yield


class OperatorAdmin(Base):
    """Pages of one table. What a service refuses is shown as a sentence, and nothing is stored."""

    show_full_result_count = False
    list_per_page = 50

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """List rows."""
        with operating(request):
            return _rendered(super().changelist_view(request, extra_context))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show or change one row."""
        with operating(request):
            try:
                with transaction.atomic():
                    return _rendered(super().changeform_view(request, object_id, form_url, extra_context))
            except DomainError as error:
                self.message_user(request, str(error), messages.ERROR)
                return HttpResponseRedirect(request.get_full_path())

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show who changed a row in this site."""
        with operating(request):
            return _rendered(super().history_view(request, object_id, extra_context))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Refuse, unless a subclass permits it."""
        with operating(request):
            return _rendered(super().delete_view(request, object_id, extra_context))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted here."""
        return False


class ReadOnlyAdmin(OperatorAdmin):
    """Rows to look at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows are made by the platform."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows are changed by the platform."""
        return False


def _rendered(response: HttpResponse) -> HttpResponse:
    """Render while the scope is open: pages read rows as they are rendered."""
    return response.render() if isinstance(response, TemplateResponse) else response

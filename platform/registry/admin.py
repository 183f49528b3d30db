"""Models, snapshots and label sets in the operators' site: to look at, but for a published snapshot, which may be taken
back."""

import uuid
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from registry import selectors, services
from registry.models import Binding, FoundationModel, FoundationVersion, LabelSet, Snapshot, VerticalModel
from tenancy.errors import DomainError
from tenancy.operators import ReadOnlyAdmin, ReasonedForm, operating


class RollBackForm(ReasonedForm):
    """Why, and which snapshot the operator has seen as published."""

    published = forms.UUIDField(widget=forms.HiddenInput)

    class Meta:
        model = FoundationModel
        fields = ()


@admin.register(FoundationModel)
class FoundationModelAdmin(ReadOnlyAdmin):
    """Foundation models; the published snapshot of one may be taken back."""

    list_display = ("name", "period_seconds", "published", "is_active", "created_at")
    change_form_template = "registry/foundation_model_change.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the page that takes a snapshot back."""
        page = self.admin_site.admin_view(self.roll_back_view)
        return [path("<uuid:pk>/roll-back/", page, name="registry_foundationmodel_roll_back"), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the button to those who may press it, while a snapshot is published."""
        held = kwargs.get("obj")
        context["may_roll_back"] = held is not None and held.published_id is not None and _may_roll_back(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def roll_back_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Say what would change and for whom; withdraw the published snapshot when that is confirmed with a reason."""
        if not _may_roll_back(request):
            raise PermissionDenied
        with operating(request):
            model = get_object_or_404(FoundationModel.objects.select_related("published__foundation_version"), pk=pk)
            form = RollBackForm(request.POST or None, initial={"published": model.published_id})
            if request.method == "POST" and form.is_valid():
                return self._roll_back(request, model, form)
            context = {
                **self.admin_site.each_context(request),
                "title": f"Take the published snapshot of {model} back",
                "opts": self.opts,
                "model": model,
                "form": form,
                "earlier": model.published and selectors.snapshot_before(current=model.published),
                "bindings": selectors.taught(foundation_model_id=model.pk),
                "label_sets": LabelSet.objects.filter(snapshot=model.published).count() if model.published else 0,
            }
            return TemplateResponse(request, "registry/roll_back.html", context).render()

    def _roll_back(self, request: HttpRequest, model: FoundationModel, form: RollBackForm) -> HttpResponse:
        data = form.cleaned_data
        try:
            before = services.roll_back(foundation_model=model, reason=data["reason"], expected=data["published"])
        except DomainError as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        self.message_user(
            request, f"Taken back: {before.pk}, with data until {before.watermark.isoformat()}, labels again."
        )
        return HttpResponseRedirect(reverse("admin:registry_foundationmodel_change", args=[model.pk]))


def _may_roll_back(request: HttpRequest) -> bool:
    return request.user.has_perm("registry.change_foundationmodel")


@admin.register(FoundationVersion)
class FoundationVersionAdmin(ReadOnlyAdmin):
    """Immutable specs of foundation models."""

    list_display = ("model", "number", "sha256", "created_at")
    list_select_related = ("model",)


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    """Snapshots with the gate's decision."""

    list_display = ("id", "foundation_version", "watermark", "state", "published_at")
    list_filter = ("state",)
    ordering = ("-watermark",)


@admin.register(VerticalModel)
class VerticalModelAdmin(ReadOnlyAdmin):
    """Vertical models of all tenants."""

    list_display = ("name", "tenant", "stream", "status", "created_at")
    list_filter = ("status",)
    list_select_related = ("tenant", "stream")
    search_fields = ("name", "tenant__slug")


@admin.register(Binding)
class BindingAdmin(ReadOnlyAdmin):
    """Which foundation model teaches which model."""

    list_display = ("model", "tenant", "foundation_model", "number", "created_at", "ended_at")
    list_select_related = ("model", "tenant", "foundation_model")


@admin.register(LabelSet)
class LabelSetAdmin(ReadOnlyAdmin):
    """Committed label sets."""

    list_display = ("partition", "tenant", "snapshot", "watermark", "partition_start", "rows")
    list_select_related = ("partition", "tenant", "snapshot")

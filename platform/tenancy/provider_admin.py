"""Identity providers in the operators' site: their fields, and the e-mail domains that they speak for."""

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminURLFieldWidget
from django.http import HttpRequest

from tenancy import oidc, sso
from tenancy.errors import DomainError
from tenancy.models import IdentityDomain, IdentityProvider, Role, Tenant
from tenancy.operators import OperatorAdmin, ReasonedForm

if TYPE_CHECKING:
    DomainForm = forms.ModelForm[IdentityDomain]
    DomainInline = admin.TabularInline[IdentityDomain, IdentityProvider]
else:
    DomainForm = forms.ModelForm
    DomainInline = admin.TabularInline

PROVIDER_FIELDS = ("slug", "name", "issuer", "client_id", "is_active", "trusts_second_factor", "second_factor_acr")


class IdentityProviderForm(ReasonedForm):
    """A provider's fields, and why they change. Its secret is written here and never shown."""

    issuer = forms.URLField(
        max_length=300,
        assume_scheme="https",
        widget=AdminURLFieldWidget,
        help_text="exactly as its discovery document says it; stays",
    )
    new_secret = forms.CharField(
        label="Client secret",
        max_length=500,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"}),
    )
    public = forms.BooleanField(
        label="Public client",
        required=False,
        help_text="the provider gives it no secret; one that is stored is removed",
    )

    class Meta:
        model = IdentityProvider
        fields = PROVIDER_FIELDS
        labels = {
            "client_id": "Client id",
            "trusts_second_factor": "Trust its second factor",
            "second_factor_acr": "acr values",
        }
        help_texts = {
            "slug": "part of the redirect address; stays",
            "is_active": "when it is off, its people cannot sign in by it",
            "trusts_second_factor": (
                "only where the provider asks everybody for one: nobody is asked again here then, also in tenants that "
                "require one. Its ID token has to say so: "
                f"amr with {', '.join(sorted(sso.SECOND_FACTORS))}, or an acr named below. Proofs given so far end "
                "with any change of this, of acr, client id or activity"
            ),
            "second_factor_acr": (
                "for a provider that sends no amr: the values of acr that mean a second factor, apart by spaces; "
                "sign-in asks for them"
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = bool(cast(IdentityProvider, self.instance).client_secret)
        self.fields["new_secret"].help_text = "one is stored; leave empty to keep it" if stored else "none is stored"

    def clean_issuer(self) -> str:
        """Refuse what the service would refuse, beside the field."""
        issuer: str = self.cleaned_data["issuer"]
        try:
            oidc.check_address(issuer)
        except DomainError as error:
            raise forms.ValidationError(str(error), code=error.code) from error
        return issuer

    def clean(self) -> dict[str, Any]:
        """Refuse a secret for a client that has none."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("public") and data.get("new_secret"):
            raise forms.ValidationError("Give a secret, or tick the box: not both.", code="public_secret")
        return data

    def values(self) -> dict[str, Any]:
        """Return what changes, as the service takes it; of the secret what was typed, in clear."""
        names = (name for name in self.changed_data if name in PROVIDER_FIELDS)
        secret = self.cleaned_data["new_secret"]
        told = {"client_secret": secret} if secret or self.cleaned_data["public"] else {}
        return {name: self.cleaned_data[name] for name in names} | told


class IdentityDomainForm(DomainForm):
    """A domain to give to a provider. One that is given stays as it is, until it is taken away."""

    class Meta:
        model = IdentityDomain
        fields = ("domain", "tenant", "role")
        labels = {"domain": "E-mail domain", "tenant": "Its people join", "role": "As"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = cast(forms.ChoiceField, self.fields["role"])
        roles.choices = [(role.value, role.label) for role in Role if role != Role.OWNER]
        tenant = cast("forms.ModelChoiceField[Tenant]", self.fields["tenant"])
        tenant.empty_label = "no tenant before an invitation"
        for way in ("can_change_related", "can_view_related"):
            setattr(tenant.widget, way, False)
        for field in self.fields.values():
            field.disabled = not self.instance._state.adding

    def clean(self) -> dict[str, Any]:
        """Refuse what the service would refuse, beside the field."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance._state.adding and "domain" in data and "role" in data:
            try:
                data["domain"] = sso.check_domain(domain=data["domain"], role=Role(data["role"]))
            except DomainError as error:
                self.add_error(error.field or None, forms.ValidationError(str(error), code=error.code))
        return data

    def validate_unique(self) -> None:
        """The service has said it, in its own words."""

    def values(self) -> dict[str, Any]:
        """Return the domain as the service takes it."""
        data = self.cleaned_data
        return {"domain": data["domain"], "tenant": data["tenant"], "role": Role(data["role"])}


class IdentityDomainInline(DomainInline):
    """The domains of a provider, given and taken on its page."""

    model = IdentityDomain
    form = IdentityDomainForm
    extra = 1
    ordering = ("domain",)
    verbose_name = "e-mail domain"
    verbose_name_plural = "e-mail domains, whose addresses it speaks for, including accounts that exist"


@admin.register(IdentityProvider)
class IdentityProviderAdmin(OperatorAdmin):
    """Trusted identity providers, and the e-mail domains that they speak for."""

    form = IdentityProviderForm
    inlines = (IdentityDomainInline,)
    list_display = ("slug", "name", "issuer", "is_active", "trusts_second_factor")
    list_filter = ("is_active", "trusts_second_factor")
    search_fields = ("slug", "name", "issuer")

    @admin.display(description="redirect address")
    def redirect_address(self, row: IdentityProvider) -> str:
        """What must be registered at the provider."""
        return sso.redirect_uri(row)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        """Another issuer is another provider; a new one has no address yet."""
        told = () if obj is None else ("redirect_address",)
        client = ("client_id", "new_secret", "public", "is_active")
        return ("slug", "name", "issuer", *told, *client, "trusts_second_factor", "second_factor_acr", "reason")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Its slug stands in addresses registered elsewhere."""
        return () if obj is None else ("slug", "issuer", "redirect_address")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Add or change through the service; where only domains change, the provider does not."""
        values, reason = form.values(), form.cleaned_data["reason"]
        if not change:
            obj.pk = sso.create_provider(values=values, reason=reason).pk
        elif values:
            sso.change_provider(row=IdentityProvider.objects.get(pk=obj.pk), values=values, reason=reason)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Take domains away and give new ones, each through its service, for the provider's reason."""
        row, reason = IdentityProvider.objects.get(pk=form.instance.pk), form.cleaned_data["reason"]
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        for gone in formset.deleted_forms:
            sso.remove_domain(row=row, domain=gone.instance.domain, reason=reason)
            formset.deleted_objects.append(gone.instance)
        for new in formset.extra_forms:
            if new.has_changed() and new not in formset.deleted_forms:
                formset.new_objects.append(sso.add_domain(row=row, **new.values(), reason=reason))

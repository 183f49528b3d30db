"""Users, tenants, members, tokens and the audit log in the operators' site. Every change goes through a service."""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.admin.widgets import AdminURLFieldWidget
from django.contrib.auth import authenticate
from django.http import HttpRequest

from tenancy import oidc, proofs, services, sso
from tenancy.errors import DomainError, TooManyRequests, Unauthenticated
from tenancy.models import (
    ApiToken,
    AuditEntry,
    IdentityDomain,
    IdentityProvider,
    Invitation,
    Membership,
    Role,
    SignInAttempt,
    Tenant,
    TenantDeletion,
    User,
)
from tenancy.operators import OperatorAdmin, ReadOnlyAdmin, ReasonedForm

SITE = "The operators' site"


class SignInForm(AdminAuthenticationForm):
    """The site's sign-in: with the second factor's code, where the account has one; says how long a lock-out lasts."""

    code = forms.CharField(
        label="Code, if your account asks for one",
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
    )

    def clean(self) -> dict[str, Any]:
        """Check password and code; turn what is refused into the form's error."""
        data = self.cleaned_data
        try:
            self.user_cache = authenticate(
                self.request,
                username=data.get("username"),
                password=data.get("password"),
                code=data.get("code", ""),
            )
        except (TooManyRequests, Unauthenticated) as error:
            raise forms.ValidationError(str(error), code=error.code) from error
        if self.user_cache is None:
            raise self.get_invalid_login_error()
        self.confirm_login_allowed(self.user_cache)
        if settings.EXFM_ADMIN_SECOND_FACTOR and not self.user_cache.proof:
            raise forms.ValidationError(str(proofs.refuse(SITE)), code="second_factor_required")
        return data


def has_permission(request: HttpRequest) -> bool:
    """Let administrators in, by a session that has shown what the installation asks of them."""
    allowed = admin.AdminSite.has_permission(admin.site, request)
    return allowed and proofs.may_operate(request.session, cast(User, request.user))


admin.site.login_form = SignInForm
admin.site.has_permission = has_permission  # type: ignore[method-assign]
admin.site.login_template = "tenancy/admin_sign_in.html"
admin.site.site_header = "ExFM operators"
admin.site.site_title = "ExFM"
admin.site.index_title = "Installation"


class TenantForm(ReasonedForm):
    """A tenant's status, and why it changes. Erasing is not done by hand."""

    status = forms.ChoiceField(choices=[(s.value, s.label) for s in (Tenant.Status.ACTIVE, Tenant.Status.SUSPENDED)])

    class Meta:
        model = Tenant
        fields = ("status",)


@admin.register(Tenant)
class TenantAdmin(OperatorAdmin):
    """Tenants; suspending one shuts its members and tokens out. New ones come through the API, complete."""

    form = TenantForm
    list_display = ("slug", "name", "domain", "status", "created_at")
    list_filter = ("status",)
    search_fields = ("slug", "name")
    readonly_fields = ("slug", "name", "domain", "created_at", "requires_second_factor")
    fields = ("slug", "name", "domain", "created_at", "requires_second_factor", "status", "reason")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A tenant needs an owner, a budget and quotas: POST /api/v1/admin/tenants makes all of them."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Change the status through the service."""
        status = Tenant.Status(form.cleaned_data["status"])
        tenant = Tenant.objects.get(pk=obj.pk)
        services.set_tenant_status(tenant=tenant, status=status, reason=form.cleaned_data["reason"])


class UserForm(ReasonedForm):
    """Whether a user may sign in, and why that changes."""

    class Meta:
        model = User
        fields = ("is_active",)


@admin.register(User)
class UserAdmin(OperatorAdmin):
    """Users. Deactivating one ends sessions and tokens at once; nothing is deleted, the audit log refers to it."""

    form = UserForm
    list_display = ("email", "name", "is_active", "is_staff", "last_login", "created_at")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    ordering = ("email",)
    readonly_fields = ("email", "name", "is_staff", "last_login", "created_at")
    fields = ("email", "name", "is_staff", "last_login", "created_at", "is_active", "reason")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Users come with their tenant, administrators by `manage.py bootstrap_admin`."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Change through the service."""
        user = User.objects.get(pk=obj.pk)
        data = form.cleaned_data
        services.set_user_active(user=user, is_active=data["is_active"], reason=data["reason"])


class MembershipForm(ReasonedForm):
    """A member's role, and why it changes."""

    class Meta:
        model = Membership
        fields = ("role",)


@admin.register(Membership)
class MembershipAdmin(OperatorAdmin):
    """Who belongs where; the last owner of a tenant stays owner."""

    form = MembershipForm
    list_display = ("user", "tenant", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "tenant")
    search_fields = ("user__email", "tenant__slug")
    readonly_fields = ("user", "tenant", "created_at")
    fields = ("user", "tenant", "created_at", "role", "reason")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Owners add members."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Change the role through the service."""
        membership = Membership.objects.get(pk=obj.pk)
        data = form.cleaned_data
        services.change_role(membership=membership, role=Role(data["role"]), reason=data["reason"])


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Tokens of all tenants and of administrators (no tenant); never their secrets."""

    list_display = ("prefix", "name", "tenant", "user", "expires_at", "revoked_at", "last_used_at")
    list_select_related = ("tenant", "user")
    search_fields = ("prefix", "tenant__slug", "user__email")
    exclude = ("digest",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Every change of every tenant and of the platform (no tenant)."""

    list_display = ("created_at", "tenant", "actor_label", "action", "target_type", "target_id", "reason")
    list_filter = ("action",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__slug", "actor_label", "target_id", "request_id")


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Invitations of all tenants; never their links."""

    list_display = ("email", "tenant", "role", "invited_by", "expires_at", "accepted_at", "revoked_at")
    list_select_related = ("tenant", "invited_by")
    search_fields = ("email", "tenant__slug")
    exclude = ("digest",)


@admin.register(TenantDeletion)
class TenantDeletionAdmin(ReadOnlyAdmin):
    """Tenants that asked to be erased, and those that were."""

    list_display = ("tenant", "requested_by", "created_at", "erase_after", "cancelled_at", "erased_at")
    list_select_related = ("tenant", "requested_by")
    search_fields = ("tenant__slug",)


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


@admin.register(IdentityProvider)
class IdentityProviderAdmin(OperatorAdmin):
    """Trusted identity providers. Their e-mail domains are given and taken at /api/v1/admin/identity-providers."""

    form = IdentityProviderForm
    list_display = ("slug", "name", "issuer", "is_active", "trusts_second_factor")
    list_filter = ("is_active", "trusts_second_factor")
    search_fields = ("slug", "name", "issuer")

    @admin.display(description="redirect address")
    def redirect_address(self, row: IdentityProvider) -> str:
        """What must be registered at the provider."""
        return sso.redirect_uri(row)

    @admin.display(description="e-mail domains")
    def mail_domains(self, row: IdentityProvider) -> str:
        """Whose addresses it speaks for, and where their people come in."""
        found = IdentityDomain.objects.filter(provider=row).select_related("tenant").order_by("domain")
        return ", ".join(f"{each.domain} ({_joins(each)})" for each in found) or "none yet: nobody new comes in by it"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        """Another issuer is another provider; a new one has no address and no domains yet."""
        told = () if obj is None else ("redirect_address", "mail_domains")
        client = ("client_id", "new_secret", "public", "is_active")
        return ("slug", "name", "issuer", *told, *client, "trusts_second_factor", "second_factor_acr", "reason")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Its slug stands in addresses registered elsewhere."""
        return () if obj is None else ("slug", "issuer", "redirect_address", "mail_domains")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Add or change through the service."""
        reason = form.cleaned_data["reason"]
        if change:
            sso.change_provider(row=IdentityProvider.objects.get(pk=obj.pk), values=form.values(), reason=reason)
        else:
            obj.pk = sso.create_provider(values=form.values(), reason=reason).pk


def _joins(each: IdentityDomain) -> str:
    return f"joins {each.tenant} as {each.role}" if each.tenant else "joins by invitation"


@admin.register(SignInAttempt)
class SignInAttemptAdmin(ReadOnlyAdmin):
    """Counts of failed sign-ins; keys are hashes."""

    list_display = ("key", "failures", "window_started_at", "locked_until")

"""Users, tenants, members, tokens and the audit log in the operators' site. Every change goes through a service."""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth import authenticate
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from tenancy import proofs, provider_admin, services
from tenancy.errors import TooManyRequests, Unauthenticated
from tenancy.models import (
    ApiToken,
    AuditEntry,
    Invitation,
    Membership,
    Role,
    SignInAttempt,
    Tenant,
    TenantDeletion,
    User,
)
from tenancy.operators import OperatorAdmin, ReadOnlyAdmin, ReasonedForm, operating

__all__ = ["provider_admin"]

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

# Pages that other packages bring write past the services: nothing of them would stand in the audit log.
for _model, _pages in list(admin.site._registry.items()):
    if type(_pages).__module__.startswith("django"):
        admin.site.unregister(_model)


class PasswordForm(AdminPasswordChangeForm):
    """A new password of the operator's own, through the service: it stands in the audit log."""

    def save(self, commit: bool = True) -> Any:
        """Change the password; all other sessions of the operator end."""
        services.set_password(user=self.user, password=self.cleaned_data["new_password1"])
        return self.user


def password_change(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
    """Let the operator change the own password."""
    context = {**admin.site.each_context(request), **(extra_context or {})}
    done = reverse("admin:password_change_done")
    with operating(request):
        return PasswordChangeView.as_view(form_class=PasswordForm, success_url=done, extra_context=context)(request)


admin.site.password_change = password_change  # type: ignore[method-assign,assignment]


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


@admin.register(SignInAttempt)
class SignInAttemptAdmin(ReadOnlyAdmin):
    """Counts of failed sign-ins; keys are hashes."""

    list_display = ("key", "failures", "window_started_at", "locked_until")

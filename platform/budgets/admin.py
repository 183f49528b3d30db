"""Money in the operators' site: budgets, quotas and rates with their guards; ledger and usage to look at."""

from decimal import Decimal
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from budgets import errors, services
from budgets.models import Allocation, Budget, LedgerEntry, Quota, Rate, UsageRecord
from tenancy.models import Tenant
from tenancy.operators import OperatorAdmin, ReadOnlyAdmin, ReasonedForm


class BudgetForm(ReasonedForm):
    """The amount of the running period, and why."""

    class Meta:
        model = Budget
        fields = ("tenant", "amount")

    def clean_amount(self) -> Decimal:
        """Refuse what the service would refuse, beside the field."""
        amount: Decimal = self.cleaned_data["amount"]
        if amount < 0:
            raise forms.ValidationError(str(errors.not_positive(amount)))
        held = cast(Budget, self.instance)
        if amount < held.spent + held.reserved:
            raise forms.ValidationError(str(errors.below_committed(amount, held.spent, held.reserved)))
        return amount


@admin.register(Budget)
class BudgetAdmin(OperatorAdmin):
    """Budgets of all tenants; the running period's amount may be changed."""

    form = BudgetForm
    list_display = ("tenant", "period_start", "amount", "spent", "reserved", "left", "action")
    list_select_related = ("tenant",)
    search_fields = ("tenant__slug", "tenant__name")
    ordering = ("-period_start", "tenant__slug")

    @admin.display(description="left")
    def left(self, budget: Budget) -> Decimal:
        """What may still be reserved."""
        return budget.amount - budget.spent - budget.reserved

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A new budget needs a tenant and an amount; an old one shows what is spent."""
        if obj is None:
            return ("tenant", "amount", "reason")
        return ("tenant", "period_start", "period_end", "amount", "spent", "reserved", "action", "reason")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Only the amount changes."""
        return () if obj is None else ("tenant", "period_start", "period_end", "spent", "reserved", "action")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Past periods are closed."""
        running = obj is None or obj.period_start <= timezone.now() < obj.period_end
        return running and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Change the budget through the service, under its lock."""
        budget = services.set_budget(
            tenant=obj.tenant, amount=form.cleaned_data["amount"], reason=form.cleaned_data["reason"]
        )
        obj.pk = budget.pk


class QuotaForm(ReasonedForm):
    """Limits, and why."""

    class Meta:
        model = Quota
        fields = ("tenant", *services.QUOTAS)


@admin.register(Quota)
class QuotaAdmin(OperatorAdmin):
    """Limits of all tenants that are not money."""

    form = QuotaForm
    list_display = ("tenant", *services.QUOTAS)
    list_select_related = ("tenant",)
    search_fields = ("tenant__slug",)
    fields = ("tenant", *services.QUOTAS, "reason")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A quota stays with its tenant."""
        return () if obj is None else ("tenant",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Change the limits through the service."""
        tenant: Tenant = obj.tenant
        limits = {name: form.cleaned_data[name] for name in services.QUOTAS if name in form.changed_data or not change}
        quota = services.set_quota(tenant=tenant, quota=limits, reason=form.cleaned_data["reason"])
        obj.pk = quota.pk


class RateForm(ReasonedForm):
    """A price from a date on, and why."""

    class Meta:
        model = Rate
        fields = ("flavor", "per_device_second", "effective_from")


@admin.register(Rate)
class RateAdmin(OperatorAdmin):
    """Dated rates. A rate never changes: a new one takes over from its date."""

    form = RateForm
    list_display = ("flavor", "per_device_second", "effective_from", "created_at")
    ordering = ("flavor", "-effective_from")
    fields = ("flavor", "per_device_second", "effective_from", "reason")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rates are copied into usage records; changing one would lie about the past."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Add the rate through the service."""
        data = form.cleaned_data
        rate = services.add_rate(
            flavor=data["flavor"],
            per_device_second=data["per_device_second"],
            effective_from=data["effective_from"],
            reason=data["reason"],
        )
        obj.pk = rate.pk


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    """The ledger of all tenants and of the platform account (no tenant)."""

    list_display = ("created_at", "tenant", "kind", "line", "amount", "run", "memo")
    list_filter = ("kind", "line")
    list_select_related = ("tenant", "run")
    search_fields = ("tenant__slug", "memo")
    ordering = ("-id",)


@admin.register(UsageRecord)
class UsageRecordAdmin(ReadOnlyAdmin):
    """Device-seconds with the rate of their moment."""

    list_display = ("created_at", "tenant", "line", "flavor", "device_seconds", "rate", "amount", "run")
    list_filter = ("line", "flavor")
    list_select_related = ("tenant", "run")
    ordering = ("-id",)


@admin.register(Allocation)
class AllocationAdmin(ReadOnlyAdmin):
    """Closed periods of the foundation models' cost."""

    list_display = ("tenant", "foundation_model", "period_start", "rows", "rows_total", "cost_total", "amount")
    list_select_related = ("tenant", "foundation_model")
    ordering = ("-period_start", "tenant__slug")

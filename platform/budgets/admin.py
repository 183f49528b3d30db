"""Money in the operators' site: budgets, quotas and rates with their guards; ledger and usage to look at."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from budgets import errors, services
from budgets.models import Allocation, Budget, LedgerEntry, Quota, Rate, UsageRecord
from budgets.money import currency, exactly
from tenancy.models import Tenant
from tenancy.operators import OperatorAdmin, ReadOnlyAdmin, ReasonedForm


def money(field: str) -> Callable[[Any, Any], str]:
    """A column of money that the site shows with its currency and without idle zeros."""

    @admin.display(description=field.replace("_", " "), ordering=field)
    def shown(_site: Any, row: Any) -> str:
        return exactly(getattr(row, field))

    return shown


def period(start: str, end: str) -> Callable[[Any, Any], str]:
    """A column of a period, by its first and its last day (UTC)."""

    @admin.display(description="period (UTC)", ordering=start)
    def shown(_site: Any, row: Any) -> str:
        last = getattr(row, end) - timedelta(microseconds=1)
        return f"{getattr(row, start):%Y-%m-%d} to {last:%Y-%m-%d}"

    return shown


ACTS = ("action", "act_percent")
"""What a budget does, and from which part of its amount on."""


class BudgetForm(ReasonedForm):
    """The amount of the running period, what the budget does at which part of it, and why."""

    class Meta:
        model = Budget
        fields = ("tenant", "amount", *ACTS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].help_text = currency()
        if "amount" in self.initial:
            self.initial["amount"] = f"{self.initial['amount'].normalize():f}"

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
    """Budgets of all tenants; the running period's amount and action may be changed."""

    form = BudgetForm
    list_display = ("tenant", "period", "amount_money", "spent_money", "reserved_money", "left", *ACTS)
    list_select_related = ("tenant",)
    search_fields = ("tenant__slug", "tenant__name")
    ordering = ("-period_start", "tenant__slug")
    period = period("period_start", "period_end")
    amount_money, spent_money, reserved_money = money("amount"), money("spent"), money("reserved")

    @admin.display(description="left")
    def left(self, budget: Budget) -> str:
        """What may still be reserved."""
        return exactly(budget.amount - budget.spent - budget.reserved)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A new budget needs a tenant and an amount; an old one shows what is spent."""
        if obj is None:
            return ("tenant", "amount", *ACTS, "reason")
        amount = "amount" if self.has_change_permission(request, obj) else "amount_money"
        return ("tenant", "period", amount, "spent_money", "reserved_money", *ACTS, "reason")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The amount changes, and what the budget does."""
        return () if obj is None else ("tenant", "period", "amount_money", "spent_money", "reserved_money")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Past periods are closed."""
        running = obj is None or obj.period_start <= timezone.now() < obj.period_end
        return running and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Change the budget through the service, under its lock."""
        asked = {name: form.cleaned_data[name] for name in ("amount", *ACTS, "reason")}
        budget = services.set_budget(tenant=obj.tenant, **asked)
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
    list_display = ("flavor", "price", "effective_from", "created_at")
    ordering = ("flavor", "-effective_from")
    price = money("per_device_second")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A new rate is asked for; an old one is shown."""
        if obj is None:
            return ("flavor", "per_device_second", "effective_from", "reason")
        return ("flavor", "price", "effective_from", "created_at")

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

    list_display = ("created_at", "tenant", "kind", "line", "amount_money", "run", "memo")
    fields = ("created_at", "tenant", "kind", "line", "amount_money", "budget", "run", "usage", "memo")
    amount_money = money("amount")
    list_filter = ("kind", "line")
    list_select_related = ("tenant", "run")
    search_fields = ("tenant__slug", "memo")
    ordering = ("-id",)


@admin.register(UsageRecord)
class UsageRecordAdmin(ReadOnlyAdmin):
    """Device-seconds with the rate of their moment."""

    list_display = ("created_at", "tenant", "line", "flavor", "seconds", "rate_money", "amount_money", "run")
    fields = (*list_display, "attempt", "claim", "foundation_model")
    rate_money, amount_money = money("rate"), money("amount")
    list_filter = ("line", "flavor")
    list_select_related = ("tenant", "run")
    ordering = ("-id",)

    @admin.display(description="device seconds", ordering="device_seconds")
    def seconds(self, record: UsageRecord) -> str:
        """Without idle zeros."""
        return f"{record.device_seconds.normalize():,f}"


@admin.register(Allocation)
class AllocationAdmin(ReadOnlyAdmin):
    """Closed periods of the foundation models' cost."""

    list_display = ("tenant", "foundation_model", "period", "rows", "rows_total", "cost_money", "amount_money")
    fields = list_display
    period = period("period_start", "period_end")
    cost_money, amount_money = money("cost_total"), money("amount")
    list_select_related = ("tenant", "foundation_model")
    ordering = ("-period_start", "tenant__slug")

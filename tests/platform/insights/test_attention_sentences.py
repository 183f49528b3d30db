"""What needs a hand is said in sentences; their numbers look like the dashboard's."""

import re
from decimal import Decimal

import pytest

from budgets import services as budgets
from insights.selectors.overview import overview
from runs.accounting import Held, accounting
from tenancy.scope import platform_scope, tenant_scope
from tests.kit import domain
from tests.kit.roles import APP, database_role
from tests.platform.insights import scene as scenes


@pytest.mark.django_db
def test_a_lift_and_a_share() -> None:
    with platform_scope("test"):
        tenant = domain.make_tenant()
        scenes.make_scene(tenant, partitions=3, treatment=0.36, clipped=30)
    with database_role(APP), tenant_scope(tenant.id):
        harmed, clipped = (item.message for item in overview(tenant=tenant).attention)
    assert re.fullmatch(r"The foundation model makes .+ worse: \N{MINUS SIGN}\d+\.\d\d % NE\.", harmed)
    assert re.fullmatch(r"\d+(\.\d)? % of the labels of .+ are cut at 1\.", clipped)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("action", "code", "sentence"),
    [
        ("warn", "budget_low", "60 % of this period's budget is spent or reserved."),
        ("hold", "budget_hold", "{0} of the budget of {1} are spent: from 50 % on no new run starts."),
        (
            "stop",
            "budget_hold",
            "{0} of the budget of {1} are spent: from 50 % on no new run starts, and running ones stop at their next "
            "checkpoint.",
        ),
    ],
)
def test_what_a_budget_does(action: str, code: str, sentence: str) -> None:
    with platform_scope("test"):
        tenant = domain.make_tenant()
        budgets.open_account(tenant=tenant, amount=Decimal("0.5"), action=action, act_percent=50)
        run = domain.make_run(tenant)
        assert accounting().reserve(run=run, device_seconds=3000) is None
        held = Held({"training": 3000.0})
        accounting().settle(run=run, attempt=domain.make_attempt(run), claim=None, held=held)
        accounting().release(run=run)
    with database_role(APP), tenant_scope(tenant.id):
        shown = overview(tenant=tenant)
    (item,) = shown.attention
    assert (item.code, item.message) == (code, sentence.format("0.30 USD", "0.50 USD"))
    assert (shown.spend.action, shown.spend.act_percent) == (action, 50)

"""What a budget does, on the costs page and the overview: before it acts and while it does, by role, in each look."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect

from scripts.demo.client import Client
from tests.e2e.conftest import WIDE, sign_in
from tests.e2e.test_every_page import AT_REST, AXE, LOOKS, PHONE, serious, settle
from tests.kit.patience import PATIENCE_MS
from tests.kit.platform import Running

SLUG = "thrifty"
OWNER = ("thrifty@example.com", "a sentence nobody guesses")
BILLING = ("thrifty-billing@example.com", "another sentence nobody guesses")


class Budget:
    """The budget of a tenant of its own: spent as it likes, and changed as administrators change it."""

    def __init__(self, platform: Running) -> None:
        self._platform = platform
        self._admin: Client = platform.scenario.admin
        owner = {"email": OWNER[0], "name": "Thrifty", "password": OWNER[1]}
        told = {"slug": SLUG, "name": "Thrifty", "owner": owner, "budget": {"amount": "25"}}
        self._admin.post("/api/v1/admin/tenants", told)

    def is_at(self, spent: str, reserved: str = "0", **does: Any) -> None:
        """So much is spent and reserved, and the budget does `does`."""
        with self._platform.connect() as database:
            database.execute(
                "UPDATE budgets_budget SET amount = 25, spent = %s, reserved = %s FROM tenancy_tenant t "
                "WHERE t.id = tenant_id AND t.slug = %s",
                [spent, reserved, SLUG],
            )
        self.change(**does)

    def change(self, **does: Any) -> None:
        """Change it as an administrator."""
        path = f"/api/v1/admin/tenants/{SLUG}/budget"
        self._admin.put(path, {"amount": "25", "reason": "test", **does})


@pytest.fixture(scope="module")
def budget(filled_platform: Running) -> Iterator[Budget]:
    """It ends as its ledger has it, with nothing spent: others add up the platform's money."""
    made = Budget(filled_platform)
    yield made
    made.is_at("0")


@pytest.fixture(scope="module")
def thrifty(browser: Browser, web: str, budget: Budget) -> StorageState:
    """Its owner's cookies."""
    context = browser.new_context(viewport=WIDE)
    sign_in(context.new_page(), web, OWNER)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def window(browser: Browser, thrifty: StorageState) -> Any:
    made = browser.new_context(viewport=WIDE, storage_state=thrifty, bypass_csp=True)
    yield made
    made.close()


def panel(page: Page, web: str) -> Any:
    settle(page, f"{web}/t/{SLUG}/costs")
    return page.get_by_role("region", name="Budget", exact=True)


@pytest.mark.parametrize(
    ("action", "rule"),
    [
        ("warn", "your team is warned; nothing waits before the whole budget is used."),
        ("hold", "new runs wait; those that have begun go on."),
        ("stop", "new runs wait, and running ones stop at their next checkpoint."),
    ],
)
def test_before_it_acts_it_says_when_it_will(
    window: BrowserContext, web: str, budget: Budget, action: str, rule: str
) -> None:
    budget.is_at("10", reserved="1.5", action=action, act_percent=90)
    page = window.new_page()
    shown = panel(page, web)
    expect(shown.get_by_text(f"From 90 % of the budget ($22.50) on, {rule}")).to_be_visible()
    expect(shown).to_contain_text("$12.50 more may be spent before that; at the pace so far")
    expect(shown).to_contain_text("Platform administrators set the budget and what it does.")
    expect(shown.get_by_label("Spent 40 % of the budget, 6 % reserved; it acts from 90 % on")).to_be_visible()
    expect(shown.get_by_text(f"{action}s at 90 %")).to_be_visible()
    expect(shown.get_by_role("status")).to_have_count(0)
    bar, line = (shown.locator(part).bounding_box() for part in (".meter", ".meter-line"))
    assert bar and line
    assert line["x"] + line["width"] / 2 == pytest.approx(bar["x"] + 0.9 * bar["width"], abs=1)
    settle(page, f"{web}/t/{SLUG}")
    spend = page.get_by_role("region", name="Spend this period")
    expect(spend).to_contain_text(f"From 90 % of the budget ($22.50) on, {rule} $12.50 more may be spent before that")


@pytest.mark.parametrize(
    ("action", "state"),
    [
        ("warn", "Warned: all goes on until the whole budget is used"),
        ("hold", "New runs wait; those that have begun go on"),
        ("stop", "New runs wait, and running ones stop at their next checkpoint"),
    ],
)
def test_while_it_acts_it_says_so_and_how_to_mend_it(
    window: BrowserContext, web: str, budget: Budget, action: str, state: str
) -> None:
    budget.is_at("23.1", action=action, act_percent=90)
    page = window.new_page()
    told = panel(page, web).get_by_role("status")
    spent = "$23.10 of $25.00 (92.4 %) are spent"
    expect(told).to_contain_text(f"{state}: {spent}, and the budget acts from 90 % ($22.50) on.")
    expect(told).to_contain_text("Ask a platform administrator to raise the budget or change what it does")
    waiting = told.get_by_role("link", name="Runs that wait")
    settle(page, f"{web}/t/{SLUG}")
    left = page.get_by_role("region", name="What is left")
    if action == "warn":
        expect(left).to_contain_text("not yet spent or reserved")
        return
    expect(left).to_contain_text("held back: the budget acts from 90 % on")
    expect(page.get_by_role("region", name="What needs attention")).to_contain_text("or when the next period begins on")
    panel(page, web)
    waiting.click()
    page.wait_for_url(f"**/t/{SLUG}/runs?state=queued")


def test_it_follows_a_change_without_a_reload(window: BrowserContext, web: str, budget: Budget) -> None:
    budget.is_at("23.1", action="hold", act_percent=90)
    page = window.new_page()
    shown = panel(page, web)
    expect(shown.get_by_role("status")).to_be_visible()
    budget.change(amount="50")
    # The page asks by itself once a minute where nothing tells it of a change.
    expect(shown.get_by_role("status")).to_have_count(0, timeout=2 * PATIENCE_MS)
    expect(shown).to_contain_text("From 90 % of the budget ($45.00) on")


def test_billing_people_are_told_whom_to_ask(browser: Browser, web: str, budget: Budget) -> None:
    """They may neither pause models nor open runs."""
    budget.is_at("23.1", action="hold", act_percent=90)
    client = Client(web)
    client.sign_in(*OWNER)
    link = client.post(f"/api/v1/tenants/{SLUG}/invitations", {"email": BILLING[0], "role": "billing"})["link"]
    client.close()
    context = browser.new_context(viewport=WIDE)
    page = context.new_page()
    page.goto(link)
    page.get_by_label("Name").fill("Billing")
    page.get_by_label("Password", exact=True).fill(BILLING[1])
    page.get_by_role("button", name="Make the account and join").click()
    page.wait_for_url(f"{web}/t/{SLUG}")
    told = panel(page, web).get_by_role("status")
    expect(told).to_contain_text("Ask an owner of your team to have a platform administrator raise the budget")
    expect(told.get_by_role("link")).to_have_count(0)
    expect(page.get_by_role("link", name="Change the budget…")).to_have_count(0)
    context.close()


def test_platform_administrators_are_led_to_the_operators_site(
    filled_platform: Running, window: BrowserContext, web: str, budget: Budget
) -> None:
    staff = "UPDATE tenancy_user SET is_staff = %s WHERE email = %s"
    with filled_platform.connect() as database:
        database.execute(staff, [True, OWNER[0]])
    try:
        way = panel(window.new_page(), web).get_by_role("link", name="Change the budget…")
        page = f"{filled_platform.platform.admin}/admin/budgets/budget/?q={SLUG}"
        expect(way).to_have_attribute("href", page)
    finally:
        with filled_platform.connect() as database:
            database.execute(staff, [False, OWNER[0]])


def test_without_a_budget_it_says_that_nothing_starts(window: BrowserContext, web: str, budget: Budget) -> None:
    budget.is_at("0", amount="0")
    page = window.new_page()
    expect(panel(page, web)).to_contain_text("No budget is set for this period, so no run starts.")
    settle(page, f"{web}/t/{SLUG}")
    expect(page.get_by_role("region", name="What is left")).to_contain_text("Ask a platform administrator for one")


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_axe_finds_nothing_serious_and_nothing_sticks_out(
    browser: Browser, thrifty: StorageState, web: str, budget: Budget, size: Any
) -> None:
    context = browser.new_context(viewport=size, storage_state=thrifty, bypass_csp=True)
    page = context.new_page()
    found: list[tuple[str, ...]] = []
    for spent, percent in (("10", 1), ("10", 90), ("24", 100)):
        budget.is_at(spent, reserved="1", action="stop", act_percent=percent)
        for path in (f"/t/{SLUG}/costs", f"/t/{SLUG}"):
            page.emulate_media(color_scheme="light")
            settle(page, web + path)
            page.evaluate(AXE.read_text())
            for scheme, rules in LOOKS.items():
                page.emulate_media(color_scheme=scheme)
                expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)
                page.evaluate(AT_REST)
                found += [(path, scheme, *issue) for issue in serious(page, rules)]
                if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    found.append((path, scheme, "wider than the window", str(percent)))
    context.close()
    assert found == []

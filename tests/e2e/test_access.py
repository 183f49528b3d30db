"""People and programs in the browser: invitations, the second factor, tokens, the account, the ledger."""

from typing import Any

import pyotp
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import WIDE

PASSWORD = "a long enough phrase"


def test_an_invited_person_joins_and_turns_on_the_second_factor(
    browser: Browser, web: str, owner: tuple[str, str], team: Any
) -> None:
    slug = team.recipe.slug
    page = browser.new_page(viewport=WIDE)
    page.goto(f"{web}/t/{slug}/access")
    page.get_by_label("Email").fill(owner[0])
    page.get_by_label("Password", exact=True).fill(owner[1])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Invite").click()
    page.get_by_label("Email").fill("guest@example.com")
    page.get_by_role("button", name="Make the link").click()
    link = page.locator("code, pre").filter(has_text="/invitation#").first.inner_text().strip()
    page.close()

    guest = browser.new_page(viewport=WIDE)
    guest.goto(link)
    expect(guest.get_by_text("guest@example.com").first).to_be_visible()
    guest.get_by_label("Name").fill("Guest")
    guest.get_by_label("Password", exact=True).fill(PASSWORD)
    guest.get_by_role("button", name="Make the account and join").click()
    guest.wait_for_url(f"{web}/t/{slug}")
    guest.goto(f"{web}/t/{slug}/audit")
    expect(guest.get_by_role("heading", name="Your role does not include this")).to_be_visible()
    guest.goto(f"{web}/account")
    guest.get_by_role("button", name="Set it up").click()
    expect(guest.get_by_alt_text("QR code")).to_be_visible()
    app = pyotp.TOTP(guest.locator("code, pre").first.inner_text().strip())
    guest.get_by_label("Code").fill(app.now())
    guest.get_by_role("button", name="Turn it on").click()
    expect(guest.get_by_role("button", name="I have kept them")).to_be_visible()
    recovery = guest.locator("code, pre").first.inner_text().split()
    assert len(recovery) == 10
    guest.close()

    again = browser.new_page(viewport=WIDE)
    again.goto(f"{web}/sign-in")
    again.get_by_label("Email").fill("guest@example.com")
    again.get_by_label("Password", exact=True).fill(PASSWORD)
    again.get_by_role("button", name="Sign in").click()
    again.get_by_label("Code").fill(recovery[0])
    again.get_by_role("button", name="Sign in").click()
    again.wait_for_url(f"{web}/t/{slug}")
    again.close()


def test_an_owner_makes_a_token_that_exports_and_nothing_else_of_an_owners(page: Page, web: str, team: Any) -> None:
    page.goto(f"{web}/t/{team.recipe.slug}/access")
    page.get_by_role("button", name="New token", exact=True).click()
    asking = page.get_by_role("dialog")
    asking.get_by_label("Name").fill("exporter")
    asking.get_by_role("button", name="Further scopes").click()
    asking.get_by_role("checkbox", name="tenant:export").check()
    asking.get_by_role("button", name="Make the token").click()
    expect(page.get_by_text("Copy the token now")).to_be_visible()
    tokens = page.request.get(f"{web}/api/v1/tenants/{team.recipe.slug}/tokens").json()["results"]
    made = next(token for token in tokens if token["name"] == "exporter")
    reading = {"insights:read", "streams:read", "models:read", "runs:read", "costs:read"}
    assert set(made["scopes"]) == reading | {"tenant:export"}


def test_the_account_page_leads_back_into_the_tenant(page: Page, web: str, team: Any) -> None:
    page.goto(f"{web}/t/{team.recipe.slug}/costs")
    page.get_by_role("button", name="account of").click()
    page.get_by_role("menuitem", name="Your account").click()
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Costs").click()
    page.wait_for_url(f"{web}/t/{team.recipe.slug}/costs")


def test_the_ledgers_csv_holds_every_page(page: Page, web: str, team: Any) -> None:
    everything = page.request.get(f"{web}/api/v1/tenants/{team.recipe.slug}/ledger?limit=200").json()["results"]
    page.route("**/ledger?limit=200*", lambda route: route.continue_(url=route.request.url.replace("=200", "=2")))
    page.goto(f"{web}/t/{team.recipe.slug}/costs")
    with page.expect_download() as arriving:
        page.get_by_role("region", name="Ledger", exact=True).get_by_role("button", name="CSV").click()
    heads, *lines = arriving.value.path().read_text().splitlines()
    assert heads.startswith("time (UTC),kind")
    assert len(everything) > 2 and [line.split(",")[0] for line in lines] == [row["created_at"] for row in everything]

"""Single sign-on and the second factor in the browser: the provider's button, the code after it, a tenant that asks."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from scripts.demo.client import Client
from tests.e2e.conftest import WIDE, sign_in
from tests.e2e.test_every_page import AXE, RULES
from tests.kit.identity_provider import identity_provider, set_claims
from tests.kit.platform import Running

PASSWORD = "a long enough phrase"


@dataclass(frozen=True)
class Team:
    """A tenant whose people come from a provider, and its owner, who does not."""

    web: str
    slug: str
    issuer: str
    owner: str

    def invite(self, subject: str, **claims: Any) -> None:
        """Let the provider know somebody of the team's domain."""
        set_claims(self.issuer, subject, email=f"{subject}@corp.example", email_verified=True, name=subject, **claims)


@pytest.fixture(scope="module")
def corp(filled_platform: Running, web: str) -> Iterator[Team]:
    """A tenant beside the recipe's, with a provider in a process of its own."""
    slug, owner = f"corp-{secrets.token_hex(3)}", f"boss-{secrets.token_hex(3)}@example.com"
    admin = Client(filled_platform.platform.admin, filled_platform.platform.admin_token())
    with identity_provider() as issuer:
        person = {"email": owner, "name": "Boss", "password": PASSWORD}
        admin.post("/api/v1/admin/tenants", {"slug": slug, "name": "Corp", "owner": person})
        provider = {"slug": slug, "name": "Corp", "issuer": issuer, "client_id": "exfm", "client_secret": "hush"}
        admin.post("/api/v1/admin/identity-providers", {**provider, "reason": "test"})
        domain = {"domain": "corp.example", "tenant": slug, "reason": "test"}
        admin.post(f"/api/v1/admin/identity-providers/{slug}/domains", domain)
        yield Team(web, slug, issuer, owner)
        body = {"is_active": False, "reason": "the test is over"}
        admin.call("PATCH", f"/api/v1/admin/identity-providers/{slug}", json=body)
    admin.close()


def opened(browser: Browser) -> BrowserContext:
    """Return a window in which nobody is signed in; the provider's page does without its looks from elsewhere."""
    context = browser.new_context(viewport=WIDE, bypass_csp=True)
    context.route("https://**", lambda route: route.abort())
    return context


@pytest.fixture
def window(browser: Browser) -> Iterator[BrowserContext]:
    """A window for the test."""
    context = opened(browser)
    yield context
    context.close()


def come_from_provider(page: Page, subject: str) -> None:
    """Press the provider's button and sign in there."""
    page.get_by_role("link", name="Sign in with Corp").click()
    page.wait_for_url("**/oauth2/authorize**")
    page.locator("input[name=sub]").fill(subject)
    page.get_by_role("button", name="Authorize").click()


def set_up(page: Page) -> tuple[pyotp.TOTP, list[str]]:
    """Set an authenticator app up on the account page; leave it by the last button."""
    page.get_by_role("button", name="Set it up").click()
    app = pyotp.TOTP(page.get_by_label("secret", exact=True).inner_text().strip())
    page.get_by_label("Code").fill(app.now())
    page.get_by_role("button", name="Turn it on").click()
    codes = page.get_by_label("recovery codes", exact=True).inner_text().split()
    assert len(codes) == 10
    page.get_by_role("button", name="I have kept them").click()
    return app, codes


def sound(page: Page) -> None:
    """Check that the page as it stands has no serious fault of accessibility."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
    assert [issue["id"] for issue in found if issue["impact"] in {"serious", "critical"}] == []


def test_the_providers_button_leads_into_the_dashboard(window: BrowserContext, corp: Team) -> None:
    corp.invite("ada")
    page = window.new_page()
    page.goto(f"{corp.web}/t/{corp.slug}/models")
    come_from_provider(page, "ada")
    page.wait_for_url(f"{corp.web}/t/{corp.slug}/models")
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    page.get_by_role("button", name="account of ada").click()
    expect(page.get_by_text("ada@corp.example")).to_be_visible()


def test_who_the_provider_refuses_reads_why(window: BrowserContext, corp: Team) -> None:
    set_claims(corp.issuer, "eve", email="eve@elsewhere.example", email_verified=True)
    page = window.new_page()
    page.goto(f"{corp.web}/sign-in")
    come_from_provider(page, "eve")
    expect(page.get_by_role("alert")).to_contain_text("have no account here")


def test_the_code_is_asked_for_after_the_provider(browser: Browser, window: BrowserContext, corp: Team) -> None:
    corp.invite("bob")
    page = window.new_page()
    page.goto(f"{corp.web}/sign-in?next=/account")
    come_from_provider(page, "bob")
    page.wait_for_url(f"{corp.web}/account")
    _, codes = set_up(page)
    expect(page.get_by_text("10 recovery codes are left")).to_be_visible()

    again = opened(browser)
    page = again.new_page()
    page.goto(f"{corp.web}/t/{corp.slug}/runs")
    come_from_provider(page, "bob")
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    expect(page.get_by_label("Code")).to_be_focused()
    sound(page)
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("That code is not right")
    page.goto(f"{corp.web}/t/{corp.slug}/runs")  # nobody is signed in by the first step
    expect(page.get_by_role("heading", name="Sign in to ExFM")).to_be_visible()
    come_from_provider(page, "bob")
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{corp.web}/t/{corp.slug}/runs")
    again.close()


def test_a_tenant_that_requires_it_leads_to_the_set_up_and_back(
    browser: Browser, window: BrowserContext, corp: Team
) -> None:
    corp.invite("carol", amr=["pwd"])
    guest = opened(browser)
    seen = guest.new_page()
    seen.goto(f"{corp.web}/t/{corp.slug}")
    come_from_provider(seen, "carol")
    seen.wait_for_url(f"{corp.web}/t/{corp.slug}")

    page = window.new_page()
    sign_in(page, corp.web, (corp.owner, PASSWORD))
    page.goto(f"{corp.web}/t/{corp.slug}/access")
    rule = page.get_by_label("Require it of all members")
    rule.click()
    expect(page.get_by_role("alert")).to_contain_text("would shut yourself out")
    page.get_by_role("link", name="Set yours up first").click()
    set_up(page)
    page.wait_for_url(f"{corp.web}/t/{corp.slug}/access")
    expect(page.get_by_role("row", name=corp.owner).get_by_role("cell", name="yes", exact=True)).to_be_visible()
    rule.click()
    expect(rule).to_be_checked()

    seen.get_by_role("link", name="Models").click()  # open since before the rule
    expect(seen.get_by_role("heading", name="A second factor is required here")).to_be_visible()
    expect(seen.get_by_role("heading", name="Models", exact=True)).to_have_count(0)
    sound(seen)
    seen.get_by_role("link", name="Go to your account").click()
    expect(seen.get_by_text("The page you opened requires a second factor")).to_be_visible()
    sound(seen)
    set_up(seen)
    seen.wait_for_url(f"{corp.web}/t/{corp.slug}/models")
    expect(seen.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    guest.close()
    rule.click()
    expect(rule).not_to_be_checked()

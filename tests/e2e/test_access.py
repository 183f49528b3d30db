"""People in the browser: an invitation accepted by somebody new, and a second factor set up and asked for."""

from typing import Any

import pyotp
from playwright.sync_api import Browser, expect

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

"""Webhooks as an owner handles them: make one, send a test, read what came of it, remove it."""

from typing import Any

from playwright.sync_api import Page, expect

ADDRESS = "https://hooks.invalid/exfm"


def test_an_owner_makes_tests_and_removes_a_webhook(page: Page, web: str, team: Any) -> None:
    page.goto(f"{web}/t/{team.recipe.slug}/webhooks")
    page.get_by_role("button", name="New webhook").click()
    page.get_by_role("textbox", name="Address").fill("http://127.0.0.1/metadata")
    page.get_by_role("button", name="Make the webhook").click()
    expect(page.get_by_role("alert")).to_contain_text("https://")
    page.get_by_role("textbox", name="Address").fill(ADDRESS)
    page.get_by_role("button", name="Make the webhook").click()
    expect(page.get_by_label("secret", exact=True)).to_contain_text("whsec_")
    page.get_by_role("button", name="I have copied it").click()
    expect(page.get_by_text("Nothing was sent yet")).to_be_visible()
    page.get_by_role("button", name=f"Send a test to {ADDRESS}").click()
    # Nothing answers there: the log says so, and that it is tried again.
    expect(page.get_by_role("cell", name="name_unknown")).to_be_visible()
    page.get_by_role("button", name="Log of webhook.test").click()
    expect(page.get_by_text("The host name has no address")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name=f"More for {ADDRESS}").click()
    page.get_by_role("menuitem", name="Remove with its log").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("No webhook yet")).to_be_visible()

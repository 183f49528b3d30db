"""Signing in and out in the browser."""

from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import WIDE


def test_a_wrong_password_is_answered_with_a_sentence(browser: Browser, web: str) -> None:
    page = browser.new_page(viewport=WIDE)
    page.goto(web)
    expect(page).to_have_url(f"{web}/sign-in")
    page.get_by_label("Email").fill("nobody@example.com")
    page.get_by_label("Password", exact=True).fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    page.close()


def test_the_way_back_after_signing_in_and_the_way_out(
    browser: Browser, web: str, owner: tuple[str, str], team: Any
) -> None:
    page = browser.new_page(viewport=WIDE)
    page.goto(f"{web}/t/{team.recipe.slug}/models")
    expect(page.get_by_role("heading", name="Sign in to ExFM")).to_be_visible()
    page.get_by_label("Email").fill(owner[0])
    page.get_by_label("Password", exact=True).fill(owner[1])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()

    page.get_by_role("button", name="account of").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to ExFM")).to_be_visible()
    page.goto(f"{web}/t/{team.recipe.slug}")
    expect(page.get_by_role("heading", name="Sign in to ExFM")).to_be_visible()
    page.close()


def test_next_never_leads_to_another_host(browser: Browser, web: str, owner: tuple[str, str]) -> None:
    page = browser.new_page(viewport=WIDE)
    page.goto(f"{web}/sign-in?next=//evil.example/t/x")
    page.get_by_label("Email").fill(owner[0])
    page.get_by_label("Password", exact=True).fill(owner[1])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{web}/t/*")
    page.close()


def test_another_tenants_page_shows_nothing_of_it(page: Page, web: str, filled_platform: Any) -> None:
    other = filled_platform.scenario.teams[1].recipe
    page.goto(f"{web}/t/{other.slug}")
    expect(page.get_by_text("Nothing here under that address")).to_be_visible()
    assert other.name not in page.content()


def test_sign_in_works_by_keyboard_alone(browser: Browser, web: str, owner: tuple[str, str]) -> None:
    page = browser.new_page(viewport=WIDE)
    page.goto(f"{web}/sign-in")
    expect(page.get_by_label("Email")).to_be_focused()
    page.keyboard.type(owner[0])
    page.keyboard.press("Tab")
    page.keyboard.type(owner[1])
    page.keyboard.press("Enter")
    page.wait_for_url("**/t/*")
    page.close()

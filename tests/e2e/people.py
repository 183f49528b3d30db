"""Members of the first team in other roles than the owner's, who came by invitation as people do."""

from typing import Any

from playwright.sync_api import Browser, BrowserContext

from scripts.demo.client import Client
from tests.e2e.conftest import WIDE

PASSWORD = "a long enough phrase"


def member(browser: Browser, web: str, team: Any, owner: tuple[str, str], role: str, name: str) -> BrowserContext:
    """Return a window in which a new member of that role is signed in."""
    client = Client(web)
    client.sign_in(*owner)
    made = client.post(team.path("invitations"), {"email": f"{name}@example.com", "role": role})
    client.close()
    context = browser.new_context(viewport=WIDE)
    page = context.new_page()
    page.goto(made["link"])
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Make the account and join").click()
    page.wait_for_url(f"{web}/t/{team.recipe.slug}")
    page.close()
    return context

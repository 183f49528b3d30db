"""Rules that hold on every page: accessible in both colour schemes, fits a phone, talks to its own host alone."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, StorageState, ViewportSize, expect

from tests.e2e.pages import addresses

AXE = Path(__file__).resolve().parents[2] / "frontend/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PHONE: ViewportSize = {"width": 390, "height": 844}
WIDE: ViewportSize = {"width": 1440, "height": 900}


def settle(page: Page, address: str) -> None:
    """Open a page and wait until its content stands."""
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("status", name="Loading")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_axe_finds_nothing_serious_and_nothing_sticks_out(
    browser: Browser, session: StorageState, web: str, team: Any, scheme: Any, size: Any
) -> None:
    # The rule engine is put into the page, which the page's own policy rightly forbids.
    context = browser.new_context(viewport=size, color_scheme=scheme, storage_state=session, bypass_csp=True)
    page = context.new_page()
    found = []
    for name, path in {"sign-in": "/sign-in?next=/x", **addresses(team)}.items():
        settle(page, web + path)
        page.evaluate(AXE.read_text())
        result = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
        found += [
            (name, issue["id"], issue["nodes"][0]["html"][:200])
            for issue in result["violations"]
            if issue["impact"] in {"serious", "critical"}
        ]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append((name, "wider than the window", str(size["width"])))
    context.close()
    assert found == []


def test_every_request_stays_on_the_own_host_and_within_the_policy(page: Page, web: str, team: Any) -> None:
    foreign: set[str] = set()
    complaints: list[str] = []
    page.on("request", lambda request: foreign.add(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    for path in addresses(team).values():
        settle(page, web + path)
    own = urlsplit(web).netloc
    assert {url for url in foreign if urlsplit(url).netloc not in {own, ""}} == set()
    assert complaints == []

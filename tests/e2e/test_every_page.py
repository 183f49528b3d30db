"""Rules that hold on every page: accessible in both colour schemes, fits a phone, talks to its own host alone."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, StorageState, ViewportSize, expect

from tests.e2e.pages import addresses

AXE = Path(__file__).resolve().parents[2] / "frontend/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
COLOURS = ["color-contrast", "link-in-text-block"]
LOOKS: dict[Any, Any] = {"light": RULES, "dark": {"type": "rule", "values": COLOURS}}
"""What axe asks of each scheme: a page in the other one differs in its colours alone."""
AT_REST = """Promise.all(document.getAnimations().filter(each => each instanceof CSSTransition).map(
    each => each.finished.catch(() => null)
))"""
"""Waits until no colour is on its way from one scheme to the other."""
PHONE: ViewportSize = {"width": 390, "height": 844}
WIDE: ViewportSize = {"width": 1440, "height": 900}


def settle(page: Page, address: str) -> None:
    """Open a page and wait until its content stands."""
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("status", name="Loading")).to_have_count(0)


def serious(page: Page, run_only: Any) -> list[tuple[str, str]]:
    """Rule and place of what axe finds serious; asked for violations alone, it does a third of its work."""
    result = page.evaluate("only => axe.run(document, {runOnly: only, resultTypes: ['violations']})", run_only)
    return [
        (issue["id"], issue["nodes"][0]["html"][:200])
        for issue in result["violations"]
        if issue["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_axe_finds_nothing_serious_and_nothing_sticks_out(
    browser: Browser, session: StorageState, web: str, team: Any, size: Any
) -> None:
    # The rule engine is put into the page, which the page's own policy rightly forbids.
    context = browser.new_context(viewport=size, storage_state=session, bypass_csp=True)
    page = context.new_page()
    engine = AXE.read_text()
    found: list[tuple[str, ...]] = []
    for name, path in {"sign-in": "/sign-in?next=/x", **addresses(team)}.items():
        page.emulate_media(color_scheme="light")
        settle(page, web + path)
        page.evaluate(engine)
        for scheme, rules in LOOKS.items():
            page.emulate_media(color_scheme=scheme)
            expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)
            page.evaluate(AT_REST)
            found += [(name, scheme, *issue) for issue in serious(page, rules)]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append((name, scheme, "wider than the window", str(size["width"])))
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

"""What viewers and billing people see: no button that would be refused, no request that fails, why a page is closed."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.pages import addresses
from tests.e2e.people import member
from tests.e2e.test_every_page import settle

CLOSED = {
    "viewer": {"audit", "webhooks"},
    "billing": {"runs", "run", "data", "access", "audit", "webhooks"},
}
CHANGES = re.compile(
    r"^\s*(Register a model|New |Invite|Pause|Resume|Stop|Roll back|End the teaching|Serve|Candidate|Restart|Revoke|"
    r"Remove|Withdraw|Change consents|Import|Test|Delete)"
)


@pytest.mark.parametrize("role", CLOSED)
def test_nothing_that_the_role_leaves_out_is_asked_or_offered(
    role: str, browser: Browser, web: str, team: Any, owner: tuple[str, str]
) -> None:
    shown = addresses(team)
    context = member(browser, web, team, owner, role, f"{role}-looks")
    page = context.new_page()
    failed: list[tuple[int, str]] = []
    page.on("response", lambda answer: failed.append((answer.status, answer.url)) if answer.status >= 400 else None)
    offered: list[tuple[str, str]] = []
    closed: set[str] = set()
    for name, path in shown.items():
        settle(page, web + path)
        if page.get_by_role("heading", name="Your role does not include this").count():
            closed.add(name)
        main = page.get_by_role("main")
        found = main.get_by_role("button").filter(has_text=CHANGES).all_inner_texts()
        offered += [(name, text) for text in found]
        links = [link.get_attribute("href") or "" for link in main.get_by_role("link").all()]
        offered += [(name, link) for link in links if link.split("?")[0] in {shown[each] for each in CLOSED[role]}]
    assert (failed, offered, closed) == ([], [], CLOSED[role])
    expect(page.get_by_text("Live updates dropped")).to_have_count(0)
    context.close()

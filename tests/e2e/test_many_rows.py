"""Lists that do not fit: on a phone, beyond one page, and beyond one glance."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.e2e.pages import addresses
from tests.e2e.people import member
from tests.e2e.test_every_page import PHONE, settle
from tests.kit.platform import Running

PAGES, PAGE = 3, 200
SIDEWAYS = """[...document.querySelectorAll('main *')].filter(each =>
    each.scrollWidth > each.clientWidth + 1 && ['auto', 'scroll'].includes(getComputedStyle(each).overflowX)
    && each.getAttribute('role') !== 'application').map(each => each.getAttribute('aria-label') ?? each.className)"""
"""What scrolls sideways; a chart may, by finger and arrow keys."""


@pytest.fixture(scope="module")
def history(filled_platform: Running, team: Any) -> str:
    """A stream with more than two pages of partitions, one a day, oldest on 2021-01-01; nobody trains on it."""
    schema = team.client.get(team.path(f"streams/{team.stream}"))["schema"]
    terms = {"label_deadline_seconds": 3600, "feed_fm": False, "feed_shared": False}
    made: str = team.client.post(team.path("streams"), {"name": "history", "schema": schema, **terms})["id"]
    with filled_platform.connect() as database:
        database.execute(
            """
            INSERT INTO catalog_partition (id, created_at, stream_id, tenant_id, start, "end", state, uri, source_uri,
                sha256, bytes, rows, positives, problems, sealed_at)
            SELECT gen_random_uuid(), now(), %s, tenant_id, day, day + interval '1 hour', 'sealed', uri, '', sha256,
                bytes, rows, positives, problems, now()
            FROM generate_series(0, %s) AS n,
                LATERAL (SELECT timestamptz '2021-01-01 00:00Z' + n * interval '1 day' AS day) AS d,
                LATERAL (SELECT * FROM catalog_partition WHERE stream_id = %s LIMIT 1) AS one
            """,
            [made, 2 * PAGE + 9, team.stream],
        )
    return made


def test_nothing_but_charts_scrolls_sideways_on_a_phone(
    browser: Browser, session: StorageState, web: str, team: Any, history: str
) -> None:
    context = browser.new_context(viewport=PHONE, storage_state=session)
    page = context.new_page()
    shown = {**addresses(team), "history": f"/t/{team.recipe.slug}/data?stream={history}"}
    found: list[tuple[str, str]] = []
    for name, path in shown.items():
        settle(page, web + path)
        found += [(name, each) for each in page.evaluate(SIDEWAYS)]
    context.close()
    assert found == []


def test_a_card_folds_what_matters_less_and_the_list_can_be_ordered(
    browser: Browser, session: StorageState, web: str, team: Any
) -> None:
    context = browser.new_context(viewport=PHONE, storage_state=session)
    page = context.new_page()
    settle(page, f"{web}/t/{team.recipe.slug}/models")
    card = page.get_by_role("list", name="Models").get_by_role("listitem").first
    expect(card.get_by_text("Coverage")).to_be_visible()
    expect(card.get_by_text("AUC")).to_be_hidden()
    card.get_by_text("More").click()
    expect(card.get_by_text("AUC")).to_be_visible()
    page.get_by_role("combobox", name="Order").click()
    page.get_by_role("option", name="Cost", exact=True).click()
    page.wait_for_url("**/models?sort=-cost")
    page.get_by_role("button", name="Highest first; turn round").click()
    page.wait_for_url("**/models?sort=cost")
    context.close()


def test_every_page_of_partitions_can_be_reached_and_shared(page: Page, web: str, team: Any, history: str) -> None:
    settle(page, f"{web}/t/{team.recipe.slug}/data?stream={history}")
    table = page.get_by_label("Partitions, table")
    older, newer = (page.get_by_role("button", name=name).first for name in ("Older", "Newer"))
    expect(table.get_by_role("row")).to_have_count(PAGE + 1)
    expect(newer).to_be_disabled()
    for _ in range(PAGES - 1):
        first = table.get_by_role("row").nth(1).inner_text()
        older.click()
        expect(table.get_by_role("row").nth(1)).not_to_have_text(first)
    expect(table.get_by_role("row")).to_have_count(10 + 1)
    expect(table.get_by_text("2021-01-01 00:00")).to_be_visible()
    expect(older).to_be_disabled()
    page.reload()
    expect(table.get_by_text("2021-01-01 00:00")).to_be_visible()
    newer.click()
    expect(table.get_by_role("row")).to_have_count(PAGE + 1)


def test_one_of_many_tenants_is_found_by_keyboard(
    filled_platform: Running, browser: Browser, web: str, team: Any, owner: tuple[str, str]
) -> None:
    context = member(browser, web, team, owner, "viewer", "traveller")
    with filled_platform.connect() as database:
        database.execute(
            """
            WITH made AS (
                INSERT INTO tenancy_tenant (id, created_at, slug, name, domain, status, requires_second_factor)
                SELECT gen_random_uuid(), now(), 'branch-' || n, 'Branch ' || n, '', 'active', false
                FROM generate_series(1, 40) AS n RETURNING id
            )
            INSERT INTO tenancy_membership (id, created_at, role, user_id, tenant_id)
            SELECT gen_random_uuid(), now(), 'billing', u.id, made.id FROM made, tenancy_user AS u WHERE u.email = %s
            """,
            ["traveller@example.com"],
        )
    page = context.new_page()
    settle(page, f"{web}/t/{team.recipe.slug}")
    page.get_by_role("button", name="Switch").press("Enter")
    search = page.get_by_label("Search your tenants")
    expect(search).to_be_focused()
    expect(page.get_by_role("option")).to_have_count(41)
    expect(page.get_by_role("option").first).to_contain_text("viewer")
    page.keyboard.type("branch-3")
    expect(page.get_by_role("option")).to_have_count(11)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{web}/t/branch-30")
    expect(page.get_by_role("button", name="Tenant: Branch 30. Switch")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("nowhere")
    expect(page.get_by_text("No tenant of yours matches.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(search).to_be_hidden()
    context.close()

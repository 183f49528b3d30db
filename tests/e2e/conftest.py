"""A real browser on a real, filled platform. Playwright lives only as long as this folder's tests: its event loop would
make Django refuse database calls in the tests that come after."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, ViewportSize, expect, sync_playwright

from scripts import chromium
from tests.kit.patience import PATIENCE_MS
from tests.kit.platform import Running

WIDE: ViewportSize = {"width": 1440, "height": 900}
expect.set_options(timeout=PATIENCE_MS)


def patient(make: Callable[..., Any]) -> Callable[..., Any]:
    """Return `make`, whose window or tab waits as long as everything else does."""

    def made(**given: Any) -> Any:
        found = make(**given)
        found.set_default_timeout(PATIENCE_MS)
        return found

    return made


@pytest.fixture(scope="package")
def browser(filled_platform: Running) -> Iterator[Browser]:
    """Chromium without a window. Depends on the platform so that it starts after it and ends before it."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.arguments())
        for name in ("new_context", "new_page"):
            setattr(started, name, patient(getattr(started, name)))
        yield started
        started.close()


@pytest.fixture(scope="package")
def web(filled_platform: Running) -> str:
    """Address of the dashboard."""
    return filled_platform.platform.web


@pytest.fixture(scope="package")
def team(filled_platform: Running) -> Any:
    """The first tenant of the recipe, with a client of its owner's token."""
    return filled_platform.scenario.teams[0]


@pytest.fixture(scope="package")
def overview(team: Any) -> Any:
    """What the API says on the first tenant's overview."""
    return team.client.get(team.path("overview"))


@pytest.fixture(scope="package")
def owner(filled_platform: Running, team: Any) -> tuple[str, str]:
    """Email address and password of the first tenant's owner."""
    return filled_platform.scenario.owner_email(team.recipe), filled_platform.credentials.password(team.recipe.slug)


def sign_in(page: Page, web: str, owner: tuple[str, str]) -> None:
    """Fill in the sign-in page as a person does."""
    page.goto(f"{web}/sign-in")
    page.get_by_label("Email").fill(owner[0])
    page.get_by_label("Password", exact=True).fill(owner[1])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/t/*")


@pytest.fixture(scope="package")
def session(browser: Browser, web: str, owner: tuple[str, str]) -> StorageState:
    """The owner's cookies, from one sign-in for all tests."""
    context = browser.new_context(viewport=WIDE)
    sign_in(context.new_page(), web, owner)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def context(browser: Browser, session: StorageState) -> Iterator[BrowserContext]:
    """A window in which the owner is signed in."""
    made = browser.new_context(viewport=WIDE, storage_state=session)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab in that window."""
    return context.new_page()

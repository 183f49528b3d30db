"""`make screenshots`: pictures of the dashboard after a demo run, light and dark, wide and narrow, into docs/images."""

import json
import os
import sys
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, sync_playwright

from scripts import chromium
from scripts.demo.client import Client
from scripts.demo.errors import DemoError
from scripts.demo.launcher import Platform

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs/images"
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
LOOKS = (("light", WIDE, ""), ("dark", WIDE, ""), ("light", NARROW, "-narrow"), ("dark", NARROW, "-narrow"))


def owner(home: Path) -> tuple[str, str, str]:
    """Return slug, address and password of the demo's first team. Raises DemoError before a demo run."""
    try:
        values = json.loads((home / "secrets/demo.json").read_text())
    except FileNotFoundError:
        raise DemoError(f"no demo has run in {home}", "run `make demo ONCE=1` first") from None
    slug = next(name.removesuffix(":token") for name in values if name.endswith(":token") and name != "admin:token")
    return slug, f"owner@{slug}.example.com", values[slug]


def pages(client: Client, slug: str) -> dict[str, str]:
    """Return name → address of the pages to show."""
    model = client.get(f"/api/v1/tenants/{slug}/models")["results"][0]["id"]
    run = client.get(f"/api/v1/tenants/{slug}/runs")["results"][0]["id"]
    root = f"/t/{slug}"
    return {
        "overview": root,
        "models": f"{root}/models",
        "model": f"{root}/models/{model}",
        "run": f"{root}/runs/{run}",
    }


def sign_in(page: Page, web: str, email: str, password: str) -> None:
    """Fill the sign-in form as a person would."""
    page.goto(web)
    page.locator("input[name=email]").fill(email)
    page.locator("input[name=password]").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/t/**")


def settle(page: Page) -> None:
    """Wait until data and fonts are there; event streams never let the network fall idle."""
    page.wait_for_load_state("load")
    page.locator("main h1").first.wait_for()
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(700)


def show_whole(page: Page, size: dict[str, int]) -> None:
    """Make the window as high as a wide page's content; a narrow one shows what a phone shows."""
    if size is WIDE:
        height = int(page.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({"width": size["width"], "height": min(max(height, size["height"]), 2400)})
        page.wait_for_timeout(300)


def take(browser: Browser, platform: Platform, home: Path) -> None:
    """Take every page in every look."""
    slug, email, password = owner(home)
    client = Client(platform.web)
    client.sign_in(email, password)
    shown = pages(client, slug)
    client.close()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for scheme, size, suffix in LOOKS:
        context = browser.new_context(color_scheme=scheme, viewport=size, device_scale_factor=1)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(platform.web)
        settle(page)
        page.screenshot(path=FOLDER / f"sign-in-{scheme}{suffix}.png")
        sign_in(page, platform.web, email, password)
        for name, address in shown.items():
            page.goto(platform.web + address)
            settle(page)
            show_whole(page, size)
            page.screenshot(path=FOLDER / f"{name}-{scheme}{suffix}.png")
            page.set_viewport_size(size)  # type: ignore[arg-type]
        context.close()


def main() -> int:
    """Start the platform on the demo's data, take the pictures, stop it."""
    home = Path(os.environ.get("EXFM_HOME", "var")).resolve()
    platform = Platform(home=home, port=int(os.environ.get("EXFM_PORT", "8000")))
    try:
        owner(home)
        platform.start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.arguments())
            take(browser, platform, home)
            browser.close()
    except (DemoError, chromium.NoChromium, Error) as problem:
        print(problem, file=sys.stderr)
        return 1
    finally:
        platform.stop()
    print(f"Pictures in {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

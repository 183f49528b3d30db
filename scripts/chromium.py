"""Finds a Chromium for browser tests and screenshots: `python -m scripts.chromium` prints its path.

Order: the variable CHROMIUM, a browser of the system, apt when we are root, Playwright's own download; else
one sentence.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
MEND = "Install Chromium (Debian, Ubuntu: apt-get install chromium) or name one: make test CHROMIUM=/path/to/chromium"


class NoChromium(RuntimeError):
    """There is no browser; the text says how to get one."""


def find() -> str:
    """Return a Chromium's path, installing one if that is possible. Raises NoChromium."""
    if named := os.environ.get("CHROMIUM"):
        if shutil.which(named):
            return named
        raise NoChromium(f"CHROMIUM={named} is not a program. {MEND}")
    for look in (_of_the_system, _from_apt, _from_playwright):
        if found := look():
            return found
    raise NoChromium(f"No Chromium for the browser tests, and none could be installed. {MEND}")


def arguments() -> list[str]:
    """Return the arguments every start needs: root has no sandbox, and a test talks to nobody outside."""
    common = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--disable-dev-shm-usage",
    ]
    return [*common, "--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else common


def _of_the_system() -> str:
    return next((path for name in (*NAMES, MAC) if (path := shutil.which(name))), "")


def _from_apt() -> str:
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("apt-get"):
        return ""
    print("Installing Chromium with apt-get …", file=sys.stderr, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
    ):
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return _of_the_system()


def _from_playwright() -> str:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return ""
    print("Fetching Playwright's Chromium …", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], stdout=sys.stderr, check=False)
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else ""


if __name__ == "__main__":
    try:
        print(find())
    except NoChromium as problem:
        sys.exit(str(problem))

"""`python -m scripts.demo [--dataset synthetic|movielens-1m] [--once]`: what `make demo` runs."""

import argparse
import signal
import sys
import time

from django.core.exceptions import ImproperlyConfigured

from config import env
from exfm_core.errors import ExfmError
from exfm_core.recipes import RECIPES, load
from scripts.demo.client import Client
from scripts.demo.errors import DemoError
from scripts.demo.launcher import Platform
from scripts.demo.scenario import Credentials, Scenario
from scripts.demo.table import show


def arguments(argv: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="make demo", description="Run the main job end to end.")
    parser.add_argument("--dataset", default="synthetic", help=f"one of: {', '.join(sorted(RECIPES))}")
    parser.add_argument("--once", action="store_true", help="exit after the table instead of keeping the dashboard up")
    return parser.parse_args(argv)


def settle(platform: Platform, chosen: argparse.Namespace) -> None:
    """Run the recipe and print the table."""
    recipe = load(chosen.dataset)
    began = time.monotonic()
    print(f"{recipe.title}\nStarting the platform …", flush=True)
    platform.start()
    credentials = Credentials(platform.home / "secrets" / "demo.json")
    token = credentials.get("admin:token") or ""
    if not token or not _accepted(platform, token):
        token = platform.admin_token()
        credentials.keep("admin:token", token)
    print(f"Dashboard: {platform.web}   (ready after {time.monotonic() - began:.1f} s)", flush=True)
    scenario = Scenario(recipe, web=platform.web, admin=Client(platform.admin, token), credentials=credentials)
    scenario.set_up()
    scenario.run()
    show(scenario.result(), recipe.title)
    print(f"Finished in {time.monotonic() - began:.0f} s after installation.")
    owner = recipe.tenants[0]
    print(f"Dashboard: {platform.web}  sign in as {scenario.owner_email(owner)}", end="")
    print(f", password {credentials.password(owner.slug)}  (all in {platform.home / 'secrets' / 'demo.json'})")


def _accepted(platform: Platform, token: str) -> bool:
    client = Client(platform.admin, token)
    try:
        client.get("/api/v1/admin/tenants")
    except DemoError:
        return False
    finally:
        client.close()
    return True


def main(argv: list[str]) -> int:
    """Return 0 when the table was printed, 1 with a sentence when something failed, 130 after Ctrl-C."""
    chosen = arguments(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        platform = Platform(home=env.home(), port=env.number("EXFM_PORT", 8000))
    except ImproperlyConfigured as problem:
        print(problem, file=sys.stderr)
        return 2
    try:
        settle(platform, chosen)
        if not chosen.once:
            print("The dashboard stays up until Ctrl-C.", flush=True)
            return platform.wait()
    except (DemoError, ExfmError) as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopping …", flush=True)
        return 130 if chosen.once else 0
    finally:
        platform.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

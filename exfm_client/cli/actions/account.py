"""Signing in and out, completion."""

import argparse
import getpass
import os
import sys

from exfm_client.cli import completion, parser, settings
from exfm_client.cli.actions.common import DONE, connect
from exfm_client.cli.settings import Settings
from exfm_client.cli.show import Printer
from exfm_client.client import Client
from exfm_client.errors import Unusable


def login(asked: argparse.Namespace, out: Printer) -> int:
    """Check address and token, and store them."""
    url = asked.url or os.environ.get("EXFM_URL") or input("Address of the platform: ").strip()
    if asked.token_stdin:
        token = sys.stdin.readline().strip()
    else:
        token = os.environ.get("EXFM_TOKEN") or getpass.getpass("API token (not shown): ").strip()
    if not token:
        raise Unusable("There is no token.", "Make one under Access in the dashboard.")
    with Client(url, token) as client:
        who, tenant = client.me(), client.tenant
        place = settings.store(Settings(client.transport.url, token, tenant))
    out.facts(
        {"email": who["user"]["email"], "tenant": tenant, "file": str(place)},
        [("signed in as", who["user"]["email"]), ("tenant", tenant), ("stored in", place)],
    )
    return DONE


def logout(_: argparse.Namespace, out: Printer) -> int:
    """Forget the token."""
    known = settings.forget()
    out.facts({"removed": known}, [("removed", known)])
    return DONE


def whoami(_: argparse.Namespace, out: Printer) -> int:
    """Show the token's owner."""
    with connect() as client:
        me = client.me()
        role = next((m for m in me["memberships"] if m["tenant"]["slug"] == client.tenant), None)
        out.facts(
            me,
            [
                ("platform", client.transport.url),
                ("e-mail", me["user"]["email"]),
                ("tenant", client.tenant),
                ("role", role["role"] if role else None),
            ],
        )
    return DONE


def complete(asked: argparse.Namespace, _: Printer) -> int:
    """Print the completion script."""
    print(completion.script(asked.shell, parser.tree(parser.build())))
    return DONE

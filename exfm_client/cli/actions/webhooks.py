"""`exfm webhooks …`."""

import argparse
import itertools

from exfm_client.cli import show
from exfm_client.cli.actions.common import DONE, connect
from exfm_client.cli.show import Printer


def webhooks_list(_: argparse.Namespace, out: Printer) -> int:
    """List webhooks."""
    with connect() as client:
        columns: list[show.Column] = [
            ("URL", lambda row: row["url"]),
            ("STATUS", lambda row: row["status"]),
            ("WAITING", lambda row: row["waiting"]),
            ("ON", lambda row: ", ".join(row["event_types"])),
            ("ID", lambda row: row["id"]),
        ]
        out.rows(client.webhooks.list(), columns, "No webhook yet. Make one: exfm webhooks create URL --on run.failed")
    return DONE


def webhooks_create(asked: argparse.Namespace, out: Printer) -> int:
    """Make a webhook."""
    with connect() as client:
        terms = {"url": asked.url, "event_types": asked.on, "description": asked.description}
        made = client.webhooks.create(terms)
        out.facts(made, [("id", made["id"]), ("url", made["url"]), ("secret, shown once", made["secret"])])
    return DONE


def webhooks_deliveries(asked: argparse.Namespace, out: Printer) -> int:
    """List deliveries."""
    with connect() as client:
        columns: list[show.Column] = [
            ("CREATED", lambda row: row["created_at"]),
            ("EVENT", lambda row: row["event_type"]),
            ("STATE", lambda row: row["state"]),
            ("ATTEMPTS", lambda row: row["attempts"]),
            ("LAST", lambda row: row["last_status"] or row["last_code"]),
            ("ID", lambda row: row["id"]),
        ]
        out.rows(itertools.islice(client.webhooks.deliveries(asked.webhook), 50), columns, "Nothing was sent yet.")
    return DONE


def webhooks_test(asked: argparse.Namespace, out: Printer) -> int:
    """Send a test."""
    with connect() as client:
        made = client.webhooks.test(asked.webhook)
        out.facts(made, [("delivery", made["id"]), ("state", made["state"])])
    return DONE


def webhooks_replay(asked: argparse.Namespace, out: Printer) -> int:
    """Replay."""
    with connect() as client:
        made = client.webhooks.replay(asked.webhook, asked.delivery)
        out.facts(made, [("delivery", made["id"]), ("state", made["state"])])
    return DONE


def webhooks_remove(asked: argparse.Namespace, out: Printer) -> int:
    """Remove."""
    with connect() as client:
        client.webhooks.remove(asked.webhook)
        out.facts({"removed": asked.webhook}, [("removed", asked.webhook)])
    return DONE

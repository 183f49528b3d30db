"""`exfm runs …`."""

import argparse
import itertools
from typing import Any

from exfm_client.cli import show
from exfm_client.cli.actions.common import DONE, REFUSED, connect
from exfm_client.cli.show import Printer


def runs_list(asked: argparse.Namespace, out: Printer) -> int:
    """List runs."""
    with connect() as client:
        columns: list[show.Column] = [
            ("CREATED", lambda row: row["created_at"]),
            ("KIND", lambda row: row["kind"]),
            ("STATE", lambda row: row["state"]),
            ("MODEL", lambda row: (row["model"] or {}).get("name")),
            ("COST", lambda row: row["cost"]["spent"]),
            ("ID", lambda row: row["id"]),
        ]
        runs = client.runs.list(model=asked.model, state=asked.state)
        out.rows(
            itertools.islice(runs, max(0, asked.most)),
            columns,
            "No run yet. Training starts when partitions are sealed.",
        )
    return DONE


def runs_get(asked: argparse.Namespace, out: Printer) -> int:
    """Show a run."""
    with connect() as client:
        run = client.runs.get(asked.run)
        out.facts(
            run,
            [
                ("run", run["id"]),
                ("kind", run["kind"]),
                ("state", run["state"]),
                ("why", run["reason"] and run["reason"]["message"]),
                ("model", run["model"] and run["model"]["name"]),
                ("cost", f"{run['cost']['spent']} {run['cost']['currency']}"),
                ("attempts", len(run["attempts"])),
            ],
        )
        if not out.as_json:
            for line in run["log"][-20:]:
                out.note(line)
    return DONE


def runs_follow(asked: argparse.Namespace, out: Printer) -> int:
    """Follow a run to its end."""
    said = ""
    with connect() as client:
        for card in client.runs.follow(asked.run):
            now = _progress(card)
            if out.as_json or now != said:
                out.line(card, now)
            said = now
            status = DONE if card["state"] == "succeeded" else REFUSED
    return status


def runs_stop(asked: argparse.Namespace, out: Printer) -> int:
    """Stop."""
    with connect() as client:
        run = client.runs.stop(asked.run)
        out.facts(run, [("run", run["id"]), ("state", run["state"]), ("asked to stop at", run["stop_requested_at"])])
    return DONE


def runs_retry(asked: argparse.Namespace, out: Printer) -> int:
    """Retry."""
    with connect() as client:
        run = client.runs.retry(asked.run)
        out.facts(run, [("run", run["id"]), ("state", run["state"])])
    return DONE


def _progress(card: Any) -> str:
    parts = [card["state"]]
    progress = card["progress"]
    if progress:
        parts.append(f"{progress['done']} of {progress['planned']} partitions")
        if progress["rows_per_s"]:
            parts.append(f"{progress['rows_per_s']:.0f} rows/s")
    if card["reason"]:
        parts.append(card["reason"]["message"])
    return "  ".join(parts)

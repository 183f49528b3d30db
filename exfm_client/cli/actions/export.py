"""`exfm export`."""

import argparse
from pathlib import Path
from typing import Any

from exfm_client.cli.actions.common import DONE, REFUSED, connect
from exfm_client.cli.show import Printer
from exfm_client.client import Client


def export(asked: argparse.Namespace, out: Printer) -> int:
    """Ask for an export, follow it, download it, check its hash."""
    with connect() as client:
        target = asked.out or Path(f"{client.tenant}-export.zip")
        row = client.exports.get(asked.id) if asked.id else client.exports.request(asked.include)
        if asked.no_wait:
            _show(row, out)
            return DONE
        row = _followed(client, row["id"], out)
        if row["state"] != "done":
            _show(row, out)
            return REFUSED
        _show({**row, "file": str(client.exports.download(row["id"], target))}, out)
    return DONE


def _followed(client: Client, export: str, out: Printer) -> Any:
    """Tell how far it is until it has ended; return how it ended."""
    said = ""
    for row in client.exports.follow(export):
        now = _progress(row)
        if not out.as_json and now != said:
            out.note(now)
        said = now
    return row


def _show(row: Any, out: Printer) -> None:
    facts = [("export", row["id"]), ("state", row["state"]), ("file", row.get("file"))]
    facts += [(name, row[name]) for name in ("bytes", "sha256", "files", "rows")]
    if row["missing"]:
        facts.append(("missing", f"{row['missing']} files were gone or damaged; manifest.json names them"))
    if row["error"]:
        facts.append(("why", f"{row['error']['message']} {row['error']['mend']}"))
    out.facts(row, facts)


def _progress(row: Any) -> str:
    written = f"{row['written_bytes']:,} of some {row['expected_bytes']:,} bytes" if row["state"] == "running" else ""
    return f"{row['state']}  {written}".strip()

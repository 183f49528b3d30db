"""`exfm streams …`."""

import argparse

from exfm_client.cli import show
from exfm_client.cli.actions.common import DONE, REFUSED, connect, document
from exfm_client.cli.show import Printer
from exfm_client.errors import Rejected
from exfm_client.uploads import instant, plan, span


def streams_list(_: argparse.Namespace, out: Printer) -> int:
    """List streams."""
    with connect() as client:
        columns: list[show.Column] = [
            ("NAME", lambda row: row["name"]),
            ("SEALED", lambda row: row["partitions"]["sealed"]),
            ("REJECTED", lambda row: row["partitions"]["rejected"]),
            ("ROWS", lambda row: row["partitions"]["rows"]),
            ("FEEDS FM", lambda row: row["feed_fm"]),
            ("ID", lambda row: row["id"]),
        ]
        out.rows(client.streams.list(), columns, "No stream yet. Register one: exfm streams create -f stream.yaml")
    return DONE


def streams_get(asked: argparse.Namespace, out: Printer) -> int:
    """Show a stream."""
    with connect() as client:
        stream = client.streams.get(asked.stream)
        names = [feature["name"] for feature in stream["schema"]["features"]]
        facts = [("name", stream["name"]), ("id", stream["id"]), ("features", ", ".join(names))]
        facts += [("tasks", ", ".join(task["name"] for task in stream["schema"]["tasks"]))]
        facts += [(name, value) for name, value in stream["partitions"].items()]  # type: ignore[misc]
        out.facts(stream, facts)
    return DONE


def streams_create(asked: argparse.Namespace, out: Printer) -> int:
    """Register a stream."""
    with connect() as client:
        stream = client.streams.create(document(asked.file))
        out.facts(stream, [("stream", stream["name"]), ("id", stream["id"])])
    return DONE


def streams_partitions(asked: argparse.Namespace, out: Printer) -> int:
    """List partitions."""
    with connect() as client:
        columns: list[show.Column] = [
            ("START", lambda row: row["start"]),
            ("END", lambda row: row["end"]),
            ("STATE", lambda row: row["state"]),
            ("ROWS", lambda row: row["rows"]),
            ("LABEL SETS", lambda row: row["label_sets"]),
            ("ID", lambda row: row["id"]),
        ]
        out.rows(client.streams.partitions(asked.stream), columns, "No partition yet.")
    return DONE


def streams_delete(asked: argparse.Namespace, out: Printer) -> int:
    """Delete a stream, or a partition of it."""
    with connect() as client:
        if asked.partition:
            client.streams.delete_partition(asked.stream, asked.partition)
        else:
            client.streams.delete(asked.stream)
        gone = asked.partition or asked.stream
        out.facts({"deleted": gone}, [("deleted", gone)])
    return DONE


def streams_push(asked: argparse.Namespace, out: Printer) -> int:
    """Upload partitions one after the other; the first that is rejected ends it."""
    uploads = plan(
        asked.file,
        start=instant(asked.start) if asked.start else None,
        end=instant(asked.end) if asked.end else None,
        every=span(asked.every) if asked.every else None,
    )
    with connect() as client:
        stream = client.streams.id(asked.stream)
        for upload in uploads:
            partition = client.streams.push(stream, upload)
            if not asked.no_wait:
                try:
                    partition = client.streams.wait(stream, partition["id"])
                except Rejected as rejected:
                    found = client.streams.partition(stream, partition["id"])
                    out.line(found, f"{upload.path.name}  rejected")
                    for problem in rejected.problems:
                        out.note(f"  {problem['message']}")
                    out.note(rejected.mend)
                    return REFUSED
            rows = f"{partition['rows']} rows, " if partition["rows"] is not None else ""
            out.line(
                partition, f"{upload.path.name}  {partition['state']}  {rows}{partition['start']} to {partition['end']}"
            )
    return DONE

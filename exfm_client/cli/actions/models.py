"""`exfm models …` and `exfm lift`."""

import argparse
from typing import Any

from exfm_client.cli import show
from exfm_client.cli.actions.common import DONE, connect, document
from exfm_client.cli.show import Printer


def models_list(_: argparse.Namespace, out: Printer) -> int:
    """List models."""
    with connect() as client:
        columns: list[show.Column] = [
            ("NAME", lambda row: row["name"]),
            ("TASK", lambda row: row["task"]),
            ("STATUS", lambda row: row["status"]),
            ("LIFT", lambda row: show.lift(row["lift"])),
            ("COVERAGE", lambda row: show.share(row["coverage"])),
            ("COST", lambda row: row["cost"]),
            ("ID", lambda row: row["id"]),
        ]
        out.rows(client.models.list(), columns, "No model yet. Register one: exfm models register -f model.yaml")
    return DONE


def models_get(asked: argparse.Namespace, out: Printer) -> int:
    """Show a model."""
    with connect() as client:
        _model(client.models.get(asked.model), out)
    return DONE


def models_register(asked: argparse.Namespace, out: Printer) -> int:
    """Register a model."""
    terms = document(asked.file)
    terms |= {name: value for name, value in (("name", asked.name), ("stream", asked.stream)) if value}
    with connect() as client:
        _model(client.models.register(terms), out)
    return DONE


def models_pause(asked: argparse.Namespace, out: Printer) -> int:
    """Pause."""
    with connect() as client:
        _model(client.models.pause(asked.model), out)
    return DONE


def models_resume(asked: argparse.Namespace, out: Printer) -> int:
    """Resume."""
    with connect() as client:
        _model(client.models.resume(asked.model), out)
    return DONE


def models_checkpoints(asked: argparse.Namespace, out: Printer) -> int:
    """List checkpoints."""
    with connect() as client:
        columns: list[show.Column] = [
            ("POSITION", lambda row: row["position"]),
            ("ARM", lambda row: row["arm"]),
            ("VERSION", lambda row: row["version"]),
            ("ID", lambda row: row["id"]),
        ]
        out.rows(client.models.checkpoints(asked.model), columns, "Nothing has been trained yet.")
    return DONE


def models_aliases(asked: argparse.Namespace, out: Printer) -> int:
    """List aliases."""
    with connect() as client:
        columns: list[show.Column] = [
            ("ALIAS", lambda row: row["alias"]),
            ("POSITION", lambda row: row["checkpoint"]["position"]),
            ("ARM", lambda row: row["checkpoint"]["arm"]),
            ("MOVED BY", lambda row: row["moved_by"]),
            ("NOTE", lambda row: row["note"]),
            ("CHECKPOINT", lambda row: row["checkpoint"]["id"]),
        ]
        out.rows(client.models.aliases(asked.model), columns, "No alias is set. Set one: exfm models point --help")
    return DONE


def models_point(asked: argparse.Namespace, out: Printer) -> int:
    """Point an alias."""
    with connect() as client:
        _alias(client.models.point(asked.model, asked.alias, asked.checkpoint, note=asked.note), out)
    return DONE


def models_rollback(asked: argparse.Namespace, out: Printer) -> int:
    """Roll an alias back."""
    with connect() as client:
        _alias(client.models.roll_back(asked.model, asked.alias, note=asked.note), out)
    return DONE


def _alias(move: Any, out: Printer) -> None:
    there = move["checkpoint"]
    facts = [("alias", move["alias"]), ("position", there["position"]), ("arm", there["arm"])]
    out.facts(move, [*facts, ("checkpoint", there["id"]), ("moved by", move["moved_by"])])


def _model(model: Any, out: Printer) -> None:
    facts = [("model", model["name"]), ("id", model["id"]), ("task", model["task"]), ("status", model["status"])]
    out.facts(model, [*facts, ("stream", model["stream"]["name"]), ("lift", show.lift(model["lift"]))])


def lift(asked: argparse.Namespace, out: Printer) -> int:
    """Show lift."""
    with connect() as client:
        if asked.model:
            curve = client.models.curve(asked.model)
            by_partition: list[show.Column] = [
                ("START", lambda row: row["start"]),
                ("ROWS", lambda row: row["rows"]),
                ("NE CONTROL", lambda row: row["ne_control"]),
                ("NE TREATMENT", lambda row: row["ne_treatment"]),
                ("LIFT", lambda row: show.lift({**row, "value": row["lift"]})),
            ]
            out.rows(curve["partitions"], by_partition, "No partition has been trained on yet.")
            return DONE
        columns: list[show.Column] = [
            ("MODEL", lambda row: row["name"]),
            ("LIFT", lambda row: show.lift(row["lift"])),
            ("ROWS", lambda row: row["lift"]["rows"]),
            ("WITH LABELS", lambda row: show.lift(row["lift"]["covered"])),
            ("NOTE", lambda row: row["lift"]["reason"]),
        ]
        out.rows(client.models.list(), columns, "No model yet.")
    return DONE

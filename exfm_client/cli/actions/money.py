"""`exfm costs` and `exfm foundation`."""

import argparse
from operator import itemgetter

from exfm_client.cli.actions.common import DONE, connect
from exfm_client.cli.show import Printer

MODEL_COSTS = [(name, itemgetter(name)) for name in ("name", "training", "measurement", "fm_share", "total", "id")]


def costs(asked: argparse.Namespace, out: Printer) -> int:
    """Show the period's costs, or every model's."""
    with connect() as client:
        if asked.models:
            out.rows(client.model_costs(), MODEL_COSTS, "There is no model.")
            return DONE
        found = client.costs()
        facts = [("period", f"{found['period']['start']} to {found['period']['end']}")]
        facts += [(line["kind"], f"{line['amount']} {found['currency']}") for line in found["kinds"]]
        out.facts(found, [*facts, ("total", f"{found['total']} {found['currency']}")])
    return DONE


def foundation(_: argparse.Namespace, out: Printer) -> int:
    """Show the foundation model."""
    with connect() as client:
        found = client.foundation.get()
        out.facts(
            found,
            [
                ("name", found["name"]),
                ("id", found["id"]),
                ("tasks", ", ".join(found["task_kinds"])),
                ("features", ", ".join(feature["name"] for feature in found["catalogue"])),
                ("snapshot", found["snapshot"] and found["snapshot"]["watermark"]),
            ],
        )
    return DONE

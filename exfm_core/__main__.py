"""`python -m exfm_core …`: the child process of an attempt, and commands for files, models and devices."""

import argparse
import importlib
import sys

from exfm_core.errors import sentence
from exfm_core.train.lifeline import bind_to

COMMANDS = {
    "run": ("exfm_core.train.command:main", "train the whole loop over the streams of a spec, without the platform"),
    "infer": ("exfm_core.data.infer:bounded_main", "propose a stream's schema from the first rows of a file"),
    "validate": ("exfm_core.data.validate:bounded_main", "check a partition file against its stream's schema"),
    "export": ("exfm_core.export.command:export_main", "write a vertical model as an ONNX folder for servers"),
    "predict": ("exfm_core.export.command:predict_main", "predict rows with an exported folder"),
    "calibrate": ("exfm_core.calibrate.command:main", "measure this device: what training and serving take on it"),
    "recipe": ("exfm_core.experiments.command:recipe_main", "run a recipe's models with and without a teacher"),
    "experiment": ("exfm_core.experiments.command:experiment_main", "run a named experiment and write its page"),
}
"""Name → what runs it (module:function of the arguments, imported when asked for) and a line of help."""


def main(arguments: list[str]) -> int:
    """Dispatches to a command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m exfm_core", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    child = commands.add_parser("child", help="train or score for a supervisor, over pipes")
    child.add_argument("--parent", type=int, required=True, help="process id of the supervisor")
    for name, (_, line) in COMMANDS.items():
        commands.add_parser(name, help=line, add_help=False)
    known, rest = parser.parse_known_args(arguments)
    if known.command in COMMANDS:
        module, function = COMMANDS[known.command][0].split(":")
        try:
            return int(getattr(importlib.import_module(module), function)(rest))
        except OSError as error:
            print(f"{known.command}: {sentence(error)}", file=sys.stderr)
            return 1
    if rest:
        parser.error(f"unknown argument {rest[0]}")
    if not bind_to(known.parent):
        print("The supervisor is gone: nothing to do.", file=sys.stderr)
        return 3
    # Imported after the death signal is set, so that no orphan can come from a slow import.
    from exfm_core.train import child as process

    return process.main(known.parent)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

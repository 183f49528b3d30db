"""`python -m exfm_core …`: the child process of an attempt, and the validator of partition files."""

import argparse
import sys

from exfm_core.train.lifeline import bind_to


def main(arguments: list[str]) -> int:
    """Dispatches to a command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m exfm_core", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    child = commands.add_parser("child", help="train or score for a supervisor, over pipes")
    child.add_argument("--parent", type=int, required=True, help="process id of the supervisor")
    commands.add_parser("validate", help="check a partition file against its stream's schema", add_help=False)
    known, rest = parser.parse_known_args(arguments)
    if known.command == "validate":
        from exfm_core.data import validate

        validate.bound_process()
        return validate.main(rest)
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

"""The words of the command: what there is to say, with help for each."""

import argparse
from pathlib import Path
from typing import Any

from exfm_client.exports import PARTS

ABOUT = "Streams, models, runs, lift and cost on an ExFM platform."
EXITS = """exit status:
  0  done
  1  the platform refused, or a partition was rejected, or a followed run did not succeed
  2  the command line is wrong
  3  not signed in, or the token may not do this
  4  the platform does not answer
environment:
  EXFM_URL, EXFM_TOKEN, EXFM_TENANT win over what `exfm login` stored
  EXFM_PATIENCE: seconds for which a platform that is away is waited for (60)"""


def build() -> argparse.ArgumentParser:
    """Return the parser; `action` names the function that does the work."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON")
    top = argparse.ArgumentParser(
        prog="exfm", description=ABOUT, epilog=EXITS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    words = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def word(group: Any, name: str, action: str, help: str, *names: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = group.add_parser(name, help=help, description=help, parents=[common])
        made.set_defaults(action=action)
        for argument in names:
            made.add_argument(argument, metavar=argument.upper())
        return made

    def group(name: str, help: str) -> Any:
        made = words.add_parser(name, help=help, description=help)
        return made.add_subparsers(title="commands", metavar="COMMAND", required=True)

    login = word(words, "login", "login", "Store address and token in a file of yours alone.")
    login.add_argument("--url", help="where the platform answers; asked for unless given or in EXFM_URL")
    login.add_argument(
        "--token-stdin", action="store_true", help="read the token from standard input, without a prompt"
    )
    word(words, "logout", "logout", "Forget the stored token. It stays valid until it is revoked.")
    word(words, "whoami", "whoami", "Show whose token this is, and what it may do.")

    streams = group("streams", "Streams and their partitions.")
    word(streams, "list", "streams_list", "List the streams.")
    word(streams, "get", "streams_get", "Show a stream.", "stream")
    _file(
        word(streams, "create", "streams_create", "Register a stream from a YAML or JSON file: name, schema, consents.")
    )
    word(streams, "partitions", "streams_partitions", "List a stream's partitions.", "stream")
    delete = word(
        streams, "delete", "streams_delete", "Delete a stream that has nothing in it, or an unused partition.", "stream"
    )
    delete.add_argument("--partition", metavar="ID", help="this partition of the stream, with its file")
    push = word(streams, "push", "streams_push", "Upload Parquet files as partitions, in time order.", "stream")
    push.add_argument("file", metavar="FILE", nargs="+", type=Path)
    push.add_argument("--start", help="first moment of the first file's interval, e.g. 2026-01-01T00:00:00Z")
    push.add_argument("--end", help="end of the interval of the one file")
    push.add_argument("--every", help="length of each file's interval: 15m, 1h, 1d")
    push.add_argument("--no-wait", action="store_true", help="do not wait until the files have been checked")

    models = group("models", "Vertical models.")
    word(models, "list", "models_list", "List the models with their lift.")
    word(models, "get", "models_get", "Show a model.", "model")
    register = word(models, "register", "models_register", "Register a model from a YAML or JSON file.")
    _file(register)
    register.add_argument("--name", help="in place of the file's")
    register.add_argument("--stream", help="in place of the file's; id or name")
    word(models, "pause", "models_pause", "Keep a model from training.", "model")
    word(models, "resume", "models_resume", "Let a paused model train again.", "model")

    word(models, "checkpoints", "models_checkpoints", "List what the model's arms have learned, newest first.", "model")
    word(models, "aliases", "models_aliases", "Show where the model's aliases point.", "model")
    point = word(models, "point", "models_point", "Point an alias at a checkpoint.", "model", "alias", "checkpoint")
    back = word(models, "rollback", "models_rollback", "Take an alias back to where it was before.", "model", "alias")
    for moving in (point, back):
        moving.add_argument("--note", default="", help="why")

    runs = group("runs", "Runs.")
    listed = word(runs, "list", "runs_list", "List the newest runs.")
    listed.add_argument("--model", help="of one model, by id or name")
    listed.add_argument("--state", help="a state, or `open`")
    listed.add_argument("--most", type=int, default=20, help="how many (20)")
    word(runs, "get", "runs_get", "Show a run with its last log lines.", "run")
    word(runs, "follow", "runs_follow", "Show a run's progress until it ends.", "run")
    word(runs, "stop", "runs_stop", "Ask a run to stop at its last checkpoint.", "run")
    word(runs, "retry", "runs_retry", "Queue a new run in place of a failed or cancelled one.", "run")

    shown = word(words, "lift", "lift", "Show what the foundation model brings, per model or by partition of one.")
    shown.add_argument("model", nargs="?", metavar="MODEL", help="by id or name")
    paid = word(words, "costs", "costs", "Show what the running period has cost.")
    paid.add_argument("--models", action="store_true", help="list what each model has cost so far, costliest first")
    word(words, "foundation", "foundation", "Show the foundation model: features, tasks, snapshots.")

    taken = word(words, "export", "export", "Have everything of the tenant's written into a zip, and download it.")
    taken.add_argument("--include", nargs="+", choices=PARTS, default=list(PARTS), help="parts (all); rows always are")
    taken.add_argument("--out", type=Path, metavar="FILE", help="where to (TENANT-export.zip)")
    taken.add_argument("--id", help="download this export, which was asked for before")
    taken.add_argument("--no-wait", action="store_true", help="ask for it, and download it later")

    hooks = group("webhooks", "Webhooks.")
    word(hooks, "list", "webhooks_list", "List the webhooks.")
    made = word(hooks, "create", "webhooks_create", "Make a webhook; its secret is shown this once.", "url")
    made.add_argument("--on", metavar="TYPE", nargs="+", required=True, help="event types, e.g. run.failed")
    made.add_argument("--description", default="")
    word(hooks, "deliveries", "webhooks_deliveries", "Show what was sent, and what came of it.", "webhook")
    word(hooks, "test", "webhooks_test", "Send a test event.", "webhook")
    word(hooks, "replay", "webhooks_replay", "Deliver an event once more.", "webhook", "delivery")
    word(hooks, "remove", "webhooks_remove", "Remove a webhook.", "webhook")

    completion = words.add_parser("completion", help='Print a completion script: eval "$(exfm completion bash)".')
    completion.add_argument("shell", choices=("bash", "zsh"))
    completion.set_defaults(action="complete", json=False)
    return top


def _file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-f", "--file", required=True, type=Path, metavar="FILE", help="YAML or JSON; - is standard input"
    )


def tree(parser: argparse.ArgumentParser) -> dict[str, list[str]]:
    """Return what may follow each word: "" for the first, "streams", "streams push" …"""
    found: dict[str, list[str]] = {}

    def walk(here: argparse.ArgumentParser, path: str) -> None:
        choices: list[str] = []
        for entry in here._actions:
            choices += entry.option_strings
            if isinstance(entry, argparse._SubParsersAction):
                for name, inner in entry.choices.items():
                    choices.append(name)
                    walk(inner, f"{path} {name}".strip())
            elif entry.choices is not None:
                choices += [str(choice) for choice in entry.choices]
        found[path] = choices

    walk(parser, "")
    return found

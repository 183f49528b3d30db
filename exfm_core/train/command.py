"""`python -m exfm_core run spec.json --out FOLDER`: a whole run, resumed where it stopped."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exfm_core.errors import ExfmError, sentence
from exfm_core.spec.run import RunSpec


def main(argv: Sequence[str]) -> int:
    """Returns 0 when the run is complete, 1 with a sentence on what is wrong and how to mend it."""
    parser = argparse.ArgumentParser(prog="python -m exfm_core run", description="Run the whole method in one process.")
    parser.add_argument("spec", type=Path, help="a RunSpec as JSON; relative streams are relative to its folder")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; one that has begun goes on")
    parser.add_argument("--quiet", action="store_true", help="events go to events.jsonl alone, not to the terminal")
    options = parser.parse_args(list(argv))
    try:
        try:
            spec = RunSpec.from_json(json.loads(options.spec.read_text(encoding="utf-8")))
        except ValueError as error:
            print(f"run: {options.spec}: {error}. Write a RunSpec as JSON.", file=sys.stderr)
            return 1
        # Imported here: torch takes seconds, and a bad spec should not.
        from exfm_core.train.run import run, summary

        results = run(spec, options.out, base=options.spec.parent, say=None if options.quiet else _say)
    except OSError as error:
        print(f"run: {sentence(error)}", file=sys.stderr)
        return 1
    except ExfmError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 1
    print(summary(results))
    return 0


def _say(event: dict[str, Any]) -> None:
    print(json.dumps(event, sort_keys=True), file=sys.stderr, flush=True)

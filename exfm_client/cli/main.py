"""`exfm`: reads the command line, runs the action, turns errors into sentences and exit statuses."""

import os
import sys
from collections.abc import Sequence

from exfm_client.cli import parser
from exfm_client.cli.actions import ACTIONS
from exfm_client.cli.show import Printer
from exfm_client.errors import ApiProblem, ExfmClientError, Forbidden, SignedOut, Unreachable, Unusable

REFUSED, WRONG, SIGNED_OUT, AWAY = 1, 2, 3, 4


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    asked = parser.build().parse_args(words)
    try:
        return ACTIONS[asked.action](asked, Printer(as_json=asked.json))
    except ExfmClientError as error:
        print(f"exfm: {error.message}", file=sys.stderr)
        for field in error.errors if isinstance(error, ApiProblem) else ():
            print(f"  {field.field}: {field.message}", file=sys.stderr)
        if isinstance(error, ApiProblem):
            _tell_uses(error)
        if error.mend:
            print(f"  {error.mend}", file=sys.stderr)
        if isinstance(error, ApiProblem):
            print(f"  ({error.status} {error.code}, request {error.request_id or 'unknown'})", file=sys.stderr)
        return status_of(error)
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, EOFError):
        print("exfm: stopped", file=sys.stderr)
        return 130


def _tell_uses(problem: ApiProblem) -> None:
    """Name what still uses what was to be deleted."""
    for use in problem.uses:
        print(f"  {use.kind}  {use.name}  {use.id}", file=sys.stderr)
    if problem.uses_count > len(problem.uses):
        print(f"  and {problem.uses_count - len(problem.uses)} more", file=sys.stderr)


def status_of(error: ExfmClientError) -> int:
    """Return the exit status that stands for an error."""
    if isinstance(error, SignedOut | Forbidden):
        return SIGNED_OUT
    if isinstance(error, Unreachable):
        return AWAY
    if isinstance(error, Unusable):
        return SIGNED_OUT if "signed in" in error.message else WRONG
    return REFUSED


if __name__ == "__main__":
    sys.exit(main())

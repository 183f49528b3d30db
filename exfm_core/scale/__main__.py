"""`torchrun --standalone --nproc-per-node N -m exfm_core.scale train job.json`"""

import argparse
import json
import sys
from pathlib import Path

from exfm_core.errors import ExfmError, sentence


def main() -> int:
    """Exit code 0, or 2 with one sentence and its mend on standard error."""
    parser = argparse.ArgumentParser(prog="exfm_core.scale", description="Train a foundation model over processes.")
    parser.add_argument("command", choices=["train"])
    parser.add_argument("job", type=Path, help="JSON file; see exfm_core/scale/job.py")
    arguments = parser.parse_args()
    from exfm_core.scale.group import process_group
    from exfm_core.scale.job import Job, run

    try:
        job = Job.read(arguments.job)
        with process_group() as group:
            report = run(job, group)
            if group.first:
                print(json.dumps(report))
    except (ExfmError, OSError) as error:
        print(sentence(error), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m exfm_core calibrate [--out profile.json]`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from exfm_core.errors import ExfmError


def main(arguments: Sequence[str]) -> int:
    """Measures this device for a minute or so and writes its profile. 0 done, 1 refused, 2 bad usage."""
    parser = argparse.ArgumentParser(
        prog="exfm_core calibrate", description="Measure this device: what training and serving will take on it."
    )
    parser.add_argument("--out", type=Path, help="file for the profile (default: print it)")
    parser.add_argument("--threads", type=int, default=1, help="threads of training (default 1)")
    parser.add_argument("--seconds", type=float, default=0.3, help="per timing (default 0.3)")
    options = parser.parse_args(list(arguments))
    if options.threads < 1 or not 0 < options.seconds <= 60:
        parser.error("--threads is at least 1, --seconds above 0 and at most 60")
    try:
        from exfm_core.calibrate.measure import calibrate

        profile = calibrate(
            threads=options.threads, seconds=options.seconds, say=lambda text: print(text, file=sys.stderr)
        )
    except (ExfmError, OSError) as error:
        print(f"calibrate: {error}", file=sys.stderr)
        return 1
    text = json.dumps(profile.to_json(), indent=2) + "\n"
    if options.out is None:
        print(text, end="")
        return 0
    options.out.write_text(text, encoding="utf-8")
    print(
        f"{options.out}: estimates of training are off by up to {profile.training.error:.2f}×, of serving by up to "
        f"{profile.serving.error:.2f}× (held-out shapes; load {profile.load})."
    )
    return 0

"""`python -m exfm_core calibrate [--out profile.json]`."""

import argparse
import errno
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from exfm_core.errors import ExfmError, sentence


def main(arguments: Sequence[str]) -> int:
    """Measures this device for a minute or so and writes its profile. 0 done, 1 refused, 2 bad usage."""
    parser = argparse.ArgumentParser(
        prog="python -m exfm_core calibrate",
        description="Measure this device: what training and serving will take on it.",
    )
    parser.add_argument("--out", type=Path, help="file for the profile (default: print it)")
    parser.add_argument("--threads", type=int, default=1, help="threads of training (default 1)")
    parser.add_argument("--seconds", type=float, default=0.3, help="per timing (default 0.3)")
    options = parser.parse_args(list(arguments))
    if options.threads < 1 or not 0 < options.seconds <= 60:
        parser.error("--threads is at least 1, --seconds above 0 and at most 60")
    try:
        if options.out is not None:
            _must_be_writable(options.out)
        from exfm_core.calibrate.measure import calibrate

        profile = calibrate(
            threads=options.threads, seconds=options.seconds, say=lambda text: print(text, file=sys.stderr)
        )
        if options.out is not None:
            _write(options.out, profile.to_json())
    except (ExfmError, OSError) as error:
        print(f"calibrate: {sentence(error)}", file=sys.stderr)
        return 1
    if options.out is None:
        print(json.dumps(profile.to_json(), indent=2))
        return 0
    print(
        f"{options.out}: estimates of training are off by up to {profile.training.error:.2f}×, of serving by up to "
        f"{profile.serving.error:.2f}× (held-out shapes; load {profile.load})."
    )
    return 0


def _must_be_writable(target: Path) -> None:
    """Raises OSError before the measuring: a minute would be lost on a place that cannot be written."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}."):
        pass


def _write(target: Path, profile: Mapping[str, Any]) -> None:
    scratch = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        scratch.write_text(json.dumps(profile, indent=2) + "\n", encoding="utf-8")
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)

"""The hash that identifies an immutable spec."""

import hashlib
import json
from typing import Any


def digest(spec: dict[str, Any]) -> str:
    """Return the SHA-256 of the spec's canonical JSON (sorted keys, no spaces)."""
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()

"""What commands and events carry: files, sums per user bucket, instants, pairs of arms."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from exfm_core.events.codec import refuse

Arm = Literal["control", "treatment"]
Gate = Literal["open", "shut"]

ARMS: Final[tuple[Arm, Arm]] = ("control", "treatment")
BUCKETS: Final = 256
"""User buckets of the bootstrap (K)."""
HISTOGRAM_BINS: Final = 16_384
"""Bins of the logit histogram from which AUC across partitions is estimated."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class File:
    """A file below the storage root. `uri` is a path relative to it; `sha256` is of the bytes."""

    uri: str
    sha256: str
    bytes: int

    def __post_init__(self) -> None:
        if not self.uri or self.uri.startswith("/") or ".." in self.uri.split("/") or "://" in self.uri:
            raise refuse(f"A file's uri must be a path below the storage root, found {self.uri!r}.")
        if not _SHA256.fullmatch(self.sha256):
            raise refuse(f"A file's sha256 must be 64 lower-case hex digits, found {self.sha256!r}.")
        if self.bytes < 0:
            raise refuse(f"A file's size cannot be {self.bytes} bytes.")


@dataclass(frozen=True, slots=True)
class Sums:
    """Σ per user bucket, each of length 256: rows `n`, labels `y`, log loss `loss` in nats, predictions `p`."""

    n: tuple[float, ...]
    y: tuple[float, ...]
    loss: tuple[float, ...]
    p: tuple[float, ...]

    def __post_init__(self) -> None:
        for name in ("n", "y", "loss", "p"):
            if len(getattr(self, name)) != BUCKETS:
                raise refuse(f"Sums.{name} must hold {BUCKETS} numbers, found {len(getattr(self, name))}.")


def parse_instant(text: str, path: str = "instant") -> datetime:
    """An ISO 8601 instant with an offset, as UTC. Raises ProtocolError."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise refuse(f"`{path}` must be an ISO 8601 instant, found {text!r}.") from error
    if instant.tzinfo is None:
        raise refuse(f"`{path}` must carry a time zone, found {text!r}.")
    return instant.astimezone(UTC)


def check_interval(start: str, end: str, path: str) -> None:
    """Refuses an interval that is not `start < end`."""
    if not parse_instant(start, f"{path}.start") < parse_instant(end, f"{path}.end"):
        raise refuse(f"`{path}` must start before it ends, found {start} … {end}.")

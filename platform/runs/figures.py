"""The port through which a commit tells who keeps models' figures. `insights`, above `runs`, registers itself."""

import uuid
from collections.abc import Mapping
from typing import Protocol


class Keeping(Protocol):
    """What a commit needs from insights."""

    def committed(
        self, *, model_id: uuid.UUID, partition_id: uuid.UUID, heads: Mapping[uuid.UUID, uuid.UUID | None]
    ) -> None:
        """Within the commit's transaction: these lineages have consumed the partition; `heads` stood there before."""


_keeping: Keeping | None = None


def register(keeping: Keeping) -> None:
    """Called once by `insights` when Django starts."""
    global _keeping
    _keeping = keeping


def keeping() -> Keeping:
    """Return who keeps figures; its absence is a configuration error."""
    if _keeping is None:
        raise RuntimeError("nobody keeps figures: `insights` must be in INSTALLED_APPS")
    return _keeping

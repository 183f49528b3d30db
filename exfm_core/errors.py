"""Errors of the core: a stable code, a sentence, and the step that mends it. Torch-free."""

from __future__ import annotations

import errno
from typing import Any, Final

_MENDS: Final = {
    errno.ENOENT: "Check the path.",
    errno.EEXIST: "Name a folder; a file of that name stands there.",
    errno.ENOTDIR: "Name a folder; a file stands in its way.",
    errno.EISDIR: "Name a file, not a folder.",
    errno.EACCES: "Name a place that you may read and write.",
    errno.EPERM: "Name a place that you may read and write.",
    errno.EROFS: "Name a place that you may write.",
    errno.ENOSPC: "Make room, or name another place.",
}


class ExfmError(Exception):
    """Base of every error that the core raises on purpose.

    ``code`` is stable and machine-readable (``area.reason``), ``message`` says what is wrong and where,
    ``mend`` says what to do about it.
    """

    def __init__(self, code: str, message: str, mend: str = "") -> None:
        super().__init__(code, message, mend)
        self.code = code
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message} {self.mend}".strip()

    def to_json(self) -> dict[str, Any]:
        """Return the error as a JSON-ready object."""
        return {"code": self.code, "message": self.message, "mend": self.mend}


class SpecError(ExfmError):
    """A specification that cannot be built: wrong value, unknown field, contradiction."""


class DataError(ExfmError):
    """A file or table that cannot be read or does not hold what its schema promises."""


class CheckpointError(ExfmError):
    """A checkpoint or snapshot that is missing, damaged or of another model."""


class LeakError(ExfmError):
    """A teacher label that could know the future of the rows it labels."""


class CapacityError(ExfmError):
    """Work that fits the machine, but not now: others use what it needs."""


class ProtocolError(ExfmError):
    """A message between the child process and its supervisor that breaks the protocol."""


def sentence(error: ExfmError | OSError) -> str:
    """What went wrong and its mend, for commands to print; of what the system refused, with its place."""
    if isinstance(error, ExfmError):
        return str(error)
    place = error.filename2 or error.filename
    reason = error.strerror or str(error) or type(error).__name__
    return f"{'' if place is None else f'{place}: '}{reason}. {_MENDS.get(error.errno or 0, 'Check the path.')}"

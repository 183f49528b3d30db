"""Errors of the core: a stable code, a sentence, and the step that mends it. Torch-free."""

from __future__ import annotations

from typing import Any


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

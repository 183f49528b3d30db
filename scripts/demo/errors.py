"""Failures of the demo that a person can act on."""


class DemoError(Exception):
    """A sentence that says what is wrong, and the command or step that mends it."""

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message}\n  Mend: {self.mend}"

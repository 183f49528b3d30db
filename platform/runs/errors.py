"""Errors of runs. Those that people see are `DomainError`s; the others speak to supervisors."""

from tenancy.errors import Conflict, NotFound


class StaleLease(RuntimeError):
    """The lease is no longer held: whatever was about to be written must not be, and the child must go."""


class BrokenReport(RuntimeError):
    """The child reported something that does not fit the claim; the platform's fault, nothing is committed."""


class RunClosed(Conflict):
    """The run has ended, so it can neither be stopped nor changed."""

    def __init__(self, state: str) -> None:
        super().__init__(
            code="run_closed",
            message=f"The run has already ended ({state}).",
            mend="Look at the model's newest run; a failed or cancelled one can be retried.",
        )


class RunOpen(Conflict):
    """There is an open run already, and a model has at most one."""

    def __init__(self) -> None:
        super().__init__(
            code="run_open",
            message="The model already has an open run.",
            mend="Wait for it to end, or stop it first.",
        )


def not_found() -> NotFound:
    """The scope sees no such run."""
    return NotFound("run_not_found", "There is no such run.", "Look at the list of runs.")

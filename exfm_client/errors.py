"""Errors, each with a sentence that says what is wrong and one that says how to mend it."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class ExfmClientError(Exception):
    """Base of all errors of the client."""

    def __init__(self, message: str, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message} {self.mend}".strip()


class Unreachable(ExfmClientError):
    """Nobody answered, or something that is no ExFM platform did."""


class Unusable(ExfmClientError):
    """What the caller gave cannot be sent: a missing setting, a file that is not there, an impossible interval."""


class Rejected(ExfmClientError):
    """An upload was received and does not match the stream's schema; `problems` names columns and rows."""

    def __init__(self, message: str, mend: str, problems: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(message, mend)
        self.problems = list(problems)


@dataclass
class FieldError:
    """One refused field of a request."""

    field: str
    code: str
    message: str


@dataclass
class Use:
    """A row that keeps another from being deleted."""

    kind: str
    id: str
    name: str


@dataclass
class ApiProblem(ExfmClientError):
    """The API refused a request (RFC 9457). Subclasses tell the statuses apart; `code` is stable.

    Attributes:
        status: HTTP status.
        code: stable, machine-readable.
        message: what is wrong.
        mend: what to do about it.
        field: the input field it is about, if one.
        errors: every refused field.
        uses: of `in_use`, some of what still refers to what was to be deleted: kind, id and name of each.
        uses_count: how many there are in all.
        request_id: what to tell the operator.
        retry_after: seconds after which trying again makes sense.
    """

    status: int
    code: str
    message: str
    mend: str = ""
    field: str | None = None
    errors: list[FieldError] = dataclasses.field(default_factory=list)
    uses: list[Use] = dataclasses.field(default_factory=list)
    uses_count: int = 0
    request_id: str = ""
    retry_after: float | None = None

    def __post_init__(self) -> None:
        super().__init__(self.message, self.mend)

    def __str__(self) -> str:
        named = [f"{error.field}: {error.message}" for error in self.errors]
        text = " ".join(part for part in ("; ".join(named) or self.message, self.mend) if part)
        return f"{text} [{self.code}]"


class BadRequest(ApiProblem):
    """400: a field is missing or malformed."""


class SignedOut(ApiProblem):
    """401: no token, or one that is not valid any more."""


class Forbidden(ApiProblem):
    """403: the role or the token's scopes do not include this."""


class NotFound(ApiProblem):
    """404: it does not exist, or belongs to another tenant."""


class Conflict(ApiProblem):
    """409: a taken name, an overlap, something still in use."""


class Changed(ApiProblem):
    """412: somebody else changed it since it was read."""


class TooLarge(ApiProblem):
    """413: the body is larger than the limit."""


class Invalid(ApiProblem):
    """422: well-formed, and still not acceptable."""


class TooMany(ApiProblem):
    """429: the rate limit; the client has waited as it was told, and gave up."""


class ServerProblem(ApiProblem):
    """5xx: the platform could not answer; the client has tried again, and gave up."""


KINDS: dict[int, type[ApiProblem]] = {
    400: BadRequest,
    401: SignedOut,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: Changed,
    413: TooLarge,
    422: Invalid,
    429: TooMany,
}


def problem(status: int, body: Mapping[str, Any], retry_after: float | None = None) -> ApiProblem:
    """Return the error that a problem+json body describes; a body that is none becomes one sentence."""
    kind = KINDS.get(status, ServerProblem if status >= 500 else ApiProblem)
    named, uses = body.get("errors"), body.get("uses")
    return kind(
        status=status,
        code=str(body.get("code") or f"http_{status}"),
        message=str(body.get("detail") or body.get("title") or f"The platform answered {status}."),
        mend=str(body.get("mend") or ""),
        field=body.get("field"),
        errors=[
            FieldError(str(entry.get("field", "")), str(entry.get("code", "")), str(entry.get("message", "")))
            for entry in (named if isinstance(named, list) else [])
        ],
        uses=[
            Use(str(entry.get("kind", "")), str(entry.get("id", "")), str(entry.get("name", "")))
            for entry in (uses if isinstance(uses, list) else [])
        ],
        uses_count=int(body.get("uses_count") or 0),
        request_id=str(body.get("request_id") or ""),
        retry_after=retry_after,
    )

"""Errors that people read: a stable code, a sentence, the next step, and the HTTP status of the answer."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass


class DomainError(Exception):
    """A request that cannot be done. `api.errors` turns it into problem+json; commands print `message` and `mend`.

    Args:
        code: stable, machine-readable, snake_case.
        message: one sentence that says what is wrong.
        mend: one sentence that says what to do about it.
        status: HTTP status of the answer.
        field: name of the offending input field, where there is one.
        retry_after: seconds after which trying again makes sense.
    """

    status = 400

    def __init__(
        self,
        code: str,
        message: str,
        mend: str = "",
        status: int | None = None,
        field: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.mend = mend
        self.status = status or type(self).status
        self.field = field
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.message} {self.mend}".strip()


class Invalid(DomainError):
    """The input is well-formed JSON and still cannot be accepted."""

    status = 422


class Unauthenticated(DomainError):
    """Nobody is signed in, or the token is not valid any more."""

    status = 401

    def __init__(self, code: str = "signed_out", message: str = "You are not signed in.", mend: str = "") -> None:
        super().__init__(code, message, mend or "Sign in, or send a valid token as `Authorization: Bearer …`.")


class Forbidden(DomainError):
    """The caller is known, belongs to the tenant, and may not do this."""

    status = 403

    def __init__(self, code: str = "forbidden", message: str = "You may not do this.", mend: str = "") -> None:
        super().__init__(code, message, mend or "Ask an owner of the tenant for the right.")


class NotFound(DomainError):
    """It does not exist, or belongs to another tenant: the caller cannot tell which."""

    status = 404

    def __init__(self, code: str = "not_found", message: str = "There is nothing here.", mend: str = "") -> None:
        super().__init__(code, message, mend or "Check the address and the ids in it.")


class Conflict(DomainError):
    """It contradicts what is stored: a taken name, a concurrent edit, something still in use."""

    status = 409


@dataclass(frozen=True)
class Use:
    """One row that keeps another from being deleted: `model`, `partition`, `run`, `label_set`, `foundation_model`."""

    kind: str
    id: uuid.UUID
    name: str


class InUse(Conflict):
    """Something still refers to what was to be deleted.

    Args:
        uses: some of the rows that do, all of the caller's own tenant or visible to every tenant.
        count: how many there are.
    """

    def __init__(self, message: str, mend: str, uses: Sequence[Use], count: int) -> None:
        super().__init__("in_use", message, mend)
        self.uses = uses
        self.count = count


class PreconditionFailed(DomainError):
    """The row changed since the caller read it (`If-Match`)."""

    status = 412


class TooLarge(DomainError):
    """The body is larger than the limit."""

    status = 413


class TooManyRequests(DomainError):
    """A rate limit; `retry_after` says when it opens again."""

    status = 429

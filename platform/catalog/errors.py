"""What can be wrong with a stream or a partition, each with the step that mends it."""

from datetime import datetime

from catalog.uses import Uses
from tenancy.errors import Conflict, DomainError, InUse, Invalid, TooManyRequests


def _interval(start: datetime, end: datetime) -> str:
    return f"[{start.isoformat()}, {end.isoformat()})"


def stream_name_taken(name: str) -> DomainError:
    """A stream of that name exists."""
    return Conflict(
        "stream_name_taken",
        f"A stream named {name!r} exists already.",
        "Choose another name, or use that stream.",
        field="name",
    )


def bad_interval(start: datetime, end: datetime) -> DomainError:
    """`start` is not before `end`."""
    return DomainError(
        "bad_interval",
        f"The interval {_interval(start, end)} is empty: start must be before end.",
        "Give start and end in UTC, start first.",
        field="start",
    )


def from_the_future(start: datetime, end: datetime) -> DomainError:
    """The interval has not happened yet."""
    return DomainError(
        "interval_in_future",
        f"The interval {_interval(start, end)} ends in the future: its labels cannot be complete.",
        "Give start and end in UTC, and send a partition once its interval is over.",
        field="end",
    )


def overlap(start: datetime, end: datetime, other_start: datetime, other_end: datetime) -> DomainError:
    """Another partition of the stream covers part of the interval."""
    return Conflict(
        "partition_overlap",
        f"{_interval(start, end)} overlaps {_interval(other_start, other_end)}, which the stream already holds.",
        "Partitions of a stream never overlap: send the rows that come after it, or another interval.",
        field="start",
    )


def wrong_hash(declared: str, found: str) -> DomainError:
    """The body's SHA-256 is not the declared one."""
    return DomainError(
        "wrong_hash",
        f"The body's SHA-256 is {found}, but X-Content-SHA256 says {declared}. Nothing was kept.",
        "Send the file again; if it repeats, compute the digest of the very bytes you send.",
        field="X-Content-SHA256",
    )


def malformed_hash(declared: str) -> DomainError:
    """The declared digest is no SHA-256."""
    return DomainError(
        "malformed_hash",
        f"X-Content-SHA256 is {declared[:80]!r}, which is not 64 hexadecimal digits.",
        "Send the output of `sha256sum FILE`.",
        field="X-Content-SHA256",
    )


def too_large(limit: int) -> DomainError:
    """The body is larger than one partition may be."""
    return DomainError(
        "partition_too_large",
        f"The body is larger than {limit:,} bytes, the most one partition may have. Nothing was kept.",
        "Cut the interval into shorter partitions.",
        status=413,
    )


def empty_body() -> DomainError:
    """There is no body."""
    return DomainError(
        "empty_body",
        "The request has no body.",
        "Send the Parquet file itself as the body, for example with `curl --data-binary @FILE`.",
    )


def cut_short(received: int, announced: int) -> DomainError:
    """The sender went away in the middle of the body."""
    return DomainError(
        "body_cut_short",
        f"The body ended after {received:,} of {announced:,} bytes, which Content-Length announces. Nothing was kept.",
        "Send it again, whole.",
    )


def wrong_media_type(found: str, allowed: str = "application/vnd.apache.parquet") -> DomainError:
    """The content type is not one of a raw file."""
    return DomainError(
        "unsupported_media_type",
        f"The content type {found!r} is not that of such a file.",
        f"Send the raw file with `Content-Type: {allowed}`.",
        status=415,
    )


def storage_quota(used: int, limit: int, asked: int) -> DomainError:
    """The upload would exceed the tenant's storage quota."""
    return DomainError(
        "storage_quota",
        f"This partition has {asked:,} bytes; {used:,} of {limit:,} bytes are used.",
        "Delete partitions that nothing has used, or finished exports, which count as well, or ask an administrator for"
        " a larger storage quota.",
        status=403,
    )


def stream_in_use(name: str, uses: Uses) -> DomainError:
    """Partitions or models refer to the stream."""
    mend = "Delete its partitions first."
    if "model" in uses.counts:
        mend = (
            "A stream stays with its models, for their lineage and costs. Withdraw its consents and pause its models."
        )
    return InUse(f"The stream {name} has {uses.text()}.", mend, uses.some, uses.count)


def partition_in_use(uses: Uses) -> DomainError:
    """Something was learned from the partition, or is being learned."""
    return InUse(
        f"The partition is used by {uses.text() or 'work that has begun on it'}.",
        "What a model has learned from stays, for its lineage and its costs."
        " Withdraw the stream's consents to keep it from further use.",
        uses.some,
        uses.count,
    )


def source_not_allowed(roots: list[str]) -> DomainError:
    """The address lies outside what may be imported from."""
    where = f"Use an address below {' or '.join(roots)}." if roots else "Ask an operator to set EXFM_IMPORT_ROOTS."
    return DomainError(
        "source_not_allowed", "Partitions may not be imported from this address.", where, status=403, field="uri"
    )


def source_unreadable(reason: str) -> DomainError:
    """The address is allowed, but nothing can be read there."""
    return DomainError(
        "source_unreadable",
        f"The file could not be read: {reason}.",
        "Put it there, then import it again.",
        field="uri",
    )


def sample_too_large(limit: int) -> DomainError:
    """More than a schema is proposed from."""
    return DomainError(
        "sample_too_large",
        f"The sample is larger than {limit >> 20} MiB.",
        "Send the first rows of the file: `head -n 10000 FILE`, or one row group of a Parquet file.",
        status=413,
    )


def sample_unreadable(sentence: str) -> DomainError:
    """The reader's own sentence, with column or row where it tells."""
    return Invalid(
        "sample_unreadable",
        sentence[:1000] or "The sample cannot be read.",
        "Send Parquet, CSV or JSON lines, unpacked, with the same columns in every row.",
    )


def sample_given_up(reason: str) -> DomainError:
    """A file that its reader does not survive."""
    return Invalid(
        "sample_given_up",
        f"The sample was given up: {reason}.",
        "Send fewer rows and columns, in shorter row groups.",
    )


def samples_busy() -> DomainError:
    """Another sample is being read."""
    return TooManyRequests(
        "samples_busy", "Another sample is being read at this moment.", "Try again in a few seconds.", retry_after=5
    )

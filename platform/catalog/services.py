"""Writes of streams and partitions."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from catalog import errors, limits, selectors, sources, storage, tasks_out, uses
from catalog.models import Partition, Stream
from exfm_core.errors import SpecError
from exfm_core.spec import StreamSchema
from tenancy import audit, outbox
from tenancy.errors import DomainError
from tenancy.models import Tenant

MAX_PROBLEMS = 100
TOLD_PROBLEMS = 10
MAX_AHEAD = timedelta(days=1)
"""How far a sender's clock may be ahead. Event times of the far future would put the foundation model's watermark there
and no other tenant's partition would ever be new to it again."""


@dataclass(frozen=True)
class StreamTerms:
    """What a team decides about its stream: how long labels may be late, and who else may train on the rows."""

    label_deadline_seconds: int = 3600
    feed_fm: bool = False
    feed_shared: bool = False


@transaction.atomic
def create_stream(*, tenant: Tenant, name: str, schema: Mapping[str, Any], terms: StreamTerms) -> Stream:
    """Register a stream. DomainError where the schema cannot be built or the name is taken."""
    try:
        parsed = StreamSchema.from_json(schema, path="schema")
    except SpecError as error:
        raise DomainError(error.code, error.message, error.mend, field="schema") from error
    stream = Stream(
        tenant=tenant,
        name=name,
        schema=parsed.to_json(),
        label_deadline_seconds=terms.label_deadline_seconds,
        feed_fm=terms.feed_fm,
        feed_shared=terms.feed_shared,
    )
    try:
        with transaction.atomic():
            stream.save(force_insert=True)
    except IntegrityError as error:
        raise errors.stream_name_taken(name) from error
    audit.record("stream.create", stream, after={"name": name, **asdict(terms)})
    return stream


def hold_stream(*, stream_id: uuid.UUID) -> Stream:
    """Lock the stream until the transaction ends, so that nobody changes it between a check and the change."""
    selectors.stream(stream_id=stream_id)
    return Stream.objects.select_for_update().get(id=stream_id)


def terms_of(stream: Stream) -> StreamTerms:
    """Return what is decided about a stream at present."""
    return StreamTerms(**{field.name: getattr(stream, field.name) for field in fields(StreamTerms)})


@transaction.atomic
def change_terms(*, stream_id: uuid.UUID, terms: StreamTerms) -> Stream:
    """Change deadline and consents. Withdrawing a consent stops future use; trained weights are not unlearned."""
    stream = hold_stream(stream_id=stream_id)
    before, after = asdict(terms_of(stream)), asdict(terms)
    if before != after:
        for name, value in after.items():
            setattr(stream, name, value)
        stream.save(update_fields=list(after))
        audit.record("stream.change_terms", stream, before=before, after=after)
    return selectors.stream(stream_id=stream_id)


@transaction.atomic
def delete_stream(*, stream_id: uuid.UUID) -> None:
    """Delete a stream without partitions and models. NotFound; InUse, which names them."""
    stream = hold_stream(stream_id=stream_id)
    if in_use := uses.of_stream(stream_id=stream_id):
        raise errors.stream_in_use(stream.name, in_use)
    before = {"name": stream.name, "schema": stream.schema, **asdict(terms_of(stream))}
    _delete(Stream.objects.filter(id=stream_id))
    audit.record("stream.delete", stream, before=before)


@transaction.atomic
def delete_partition(*, stream_id: uuid.UUID, partition_id: uuid.UUID) -> Partition:
    """Delete a partition that nothing has used, and return it as it was. NotFound; InUse, which names the uses.

    A trigger decides, with the row locked: work on the partition is claimed before or after, never at the same time.
    The caller removes the file with `drop_file` once this is durable; the sweep finds what was left.
    """
    partition = selectors.partition(stream_id=stream_id, partition_id=partition_id)
    try:
        with transaction.atomic():
            gone = _delete(Partition.objects.filter(id=partition_id))
    except IntegrityError as error:
        raise errors.partition_in_use(uses.of_partition(partition_id=partition_id)) from error
    if not gone:
        raise selectors.no_partition()
    names = ("start", "end", "state", "sha256", "bytes", "rows", "source_uri")
    before = {"stream": partition.stream.name, **{name: getattr(partition, name) for name in names}}
    audit.record("partition.delete", partition, before=before)
    # A model may have waited for it.
    tasks_out.plan_on_commit()
    return partition


def _delete(rows: QuerySet[Any]) -> int:
    """Delete without looking for what refers to the rows: the keys and triggers refuse."""
    return int(rows._raw_delete(rows.db))


def drop_file(*, tenant_id: uuid.UUID, uri: str) -> bool:
    """Remove a partition's file unless a partition that is not rejected has it; tell whether it was removed.

    The same content may be arriving again at this moment: `receive_partition` holds the same lock.
    """
    with transaction.atomic():
        limits.hold(tenant_id)
        kept = Partition.objects.filter(tenant_id=tenant_id, uri=uri)
        if kept.exclude(state=Partition.State.REJECTED).exists():
            return False
        storage.remove(uri)
        return True


def admit_upload(*, stream_id: uuid.UUID, start: datetime, end: datetime, sha256: str, bytes: int) -> Partition | None:
    """Check an upload before its body is read; return the partition if the stream already holds this very content.

    `sha256` and `bytes` are what the client declared ("" and 0 where it declared nothing).
    DomainError: empty or future interval, overlap, too large, over the storage quota.
    """
    stream = selectors.stream(stream_id=stream_id)
    _check_interval(start, end)
    if bytes > storage.upload_limit():
        raise errors.too_large(storage.upload_limit())
    other = selectors.overlapping(stream_id=stream_id, start=start, end=end)
    if other is not None:
        if sha256 and (other.start, other.end, other.sha256) == (start, end, sha256):
            return other
        if sha256 or (other.start, other.end) != (start, end):
            raise errors.overlap(start, end, other.start, other.end)
    _check_quota(stream.tenant_id, bytes)
    return None


@transaction.atomic
def receive_partition(
    *, stream_id: uuid.UUID, start: datetime, end: datetime, received: storage.Received
) -> tuple[Partition, bool]:
    """Record a received body as an uploaded partition and ask for its validation; True = it is new.

    The same content for the same interval again is the same partition. DomainError: overlap, storage quota.
    """
    stream = selectors.kept_stream(stream_id=stream_id)
    _check_interval(start, end)
    limits.hold(stream.tenant_id)
    other = selectors.overlapping(stream_id=stream_id, start=start, end=end)
    if other is not None:
        if (other.start, other.end, other.sha256) == (start, end, received.sha256):
            return other, False
        raise errors.overlap(start, end, other.start, other.end)
    _check_quota(stream.tenant_id, received.bytes)
    uri = storage.partition_uri(tenant_id=stream.tenant_id, stream_id=stream.id, sha256=received.sha256)
    storage.keep(received, uri)
    partition = Partition(
        tenant_id=stream.tenant_id,
        stream=stream,
        start=start,
        end=end,
        uri=uri,
        sha256=received.sha256,
        bytes=received.bytes,
    )
    partition.save(force_insert=True)
    audit.record(
        "partition.upload",
        partition,
        after={"stream": stream.name, "start": start, "end": end, "sha256": received.sha256, "bytes": received.bytes},
    )
    tasks_out.validate_on_commit(partition_id=partition.id, tenant_id=partition.tenant_id)
    return partition, True


@dataclass(frozen=True)
class Import:
    """A file to import: where it lies, its interval, and what it must be."""

    uri: str
    start: datetime
    end: datetime
    sha256: str
    bytes: int


@transaction.atomic
def import_partitions(*, tenant: Tenant, stream_id: uuid.UUID, files: Sequence[Import]) -> list[Partition]:
    """Record files under the tenant's import roots as partitions; a worker fetches and validates each. All or none.

    The same content for the same interval again is the same partition. DomainError: an address outside the roots, an
    empty, future or overlapping interval, a file over the upload limit, the storage quota.
    """
    stream = selectors.kept_stream(stream_id=stream_id)
    limits.hold(stream.tenant_id)
    return [_import(tenant, stream, file) for file in files]


def _import(tenant: Tenant, stream: Stream, file: Import) -> Partition:
    sources.check(file.uri, tenant.slug)
    known = admit_upload(
        stream_id=stream.id, start=file.start, end=file.end, sha256=storage.check_digest(file.sha256), bytes=file.bytes
    )
    if known is not None:
        return known
    partition = Partition(
        tenant_id=stream.tenant_id,
        stream=stream,
        start=file.start,
        end=file.end,
        uri=storage.partition_uri(tenant_id=stream.tenant_id, stream_id=stream.id, sha256=file.sha256.lower()),
        source_uri=file.uri,
        sha256=file.sha256.lower(),
        bytes=file.bytes,
    )
    partition.save(force_insert=True)
    audit.record(
        "partition.import",
        partition,
        after={"stream": stream.name, "start": file.start, "end": file.end, "sha256": file.sha256, "uri": file.uri},
    )
    tasks_out.validate_on_commit(partition_id=partition.id, tenant_id=partition.tenant_id)
    return partition


def fetch(*, uri: str, source_uri: str, tenant_slug: str, sha256: str, bytes: int) -> None:
    """Copy an imported partition's file into the store, bounded and hashed; nothing to do where it is there already.

    No transaction: it may take minutes. DomainError: not allowed any more, not what was announced, unreadable.
    """
    if storage.is_kept(uri):
        return
    try:
        with (
            sources.open_source(source_uri, tenant_slug) as body,
            storage.receive(body, declared=sha256, limit=bytes) as received,
        ):
            storage.keep(received, uri)
    except FileNotFoundError as error:
        raise errors.source_unreadable("there is no such file") from error
    except PermissionError as error:
        raise errors.source_unreadable("the platform may not read it") from error
    except IsADirectoryError as error:
        raise errors.source_unreadable("it is a folder") from error


def _check_interval(start: datetime, end: datetime) -> None:
    if start >= end:
        raise errors.bad_interval(start, end)
    if end > timezone.now() + MAX_AHEAD:
        raise errors.from_the_future(start, end)


def _check_quota(tenant_id: uuid.UUID, asked: int) -> None:
    limit = limits.limits_of(tenant_id).storage_bytes
    used = selectors.storage_used(tenant_id=tenant_id)
    if used + asked > limit:
        raise errors.storage_quota(used, limit, asked)


def _hold_partition(partition_id: uuid.UUID) -> Partition:
    partition = Partition.objects.select_for_update().filter(id=partition_id).first()
    if partition is None:
        raise selectors.no_partition()
    return partition


@transaction.atomic
def seal(*, partition_id: uuid.UUID, report: Mapping[str, Any]) -> Partition:
    """Make an uploaded partition immutable with the validator's counts; anything but `uploaded` is returned as it is.

    `report` is the JSON of `python -m exfm_core validate`. A file that is not the one uploaded is rejected. NotFound
    where the partition was deleted meanwhile.
    """
    partition = _hold_partition(partition_id)
    if partition.state != Partition.State.UPLOADED:
        return partition
    if report["sha256"] != partition.sha256:
        changed = {
            "expected": partition.sha256,
            "found": report["sha256"],
            "message": "The stored file is not the one that was uploaded. Upload the interval again.",
        }
        return reject(partition_id=partition_id, problems=[changed])
    partition.state = Partition.State.SEALED
    partition.rows = int(report["rows"])
    partition.positives = dict(report["positives"])
    partition.sealed_at = timezone.now()
    partition.save(update_fields=["state", "rows", "positives", "sealed_at"])
    audit.record("partition.seal", partition, after={"rows": partition.rows, "positives": partition.positives})
    _tell("partition.sealed", partition)
    tasks_out.plan_on_commit()
    return partition


@transaction.atomic
def reject(*, partition_id: uuid.UUID, problems: Sequence[Mapping[str, Any]]) -> Partition:
    """Refuse an uploaded partition with the validator's findings: its interval becomes free again, its file is removed.

    NotFound where it was deleted meanwhile. A rejected file counts against no quota, so it must not take room either.
    """
    partition = _hold_partition(partition_id)
    if partition.state != Partition.State.UPLOADED:
        return partition
    names = ("column", "row", "expected", "found", "message")
    partition.state = Partition.State.REJECTED
    partition.problems = [{name: problem.get(name) for name in names} for problem in problems[:MAX_PROBLEMS]]
    partition.save(update_fields=["state", "problems"])
    drop_file(tenant_id=partition.tenant_id, uri=partition.uri)
    audit.record("partition.reject", partition, after={"problems": len(problems)})
    _tell("partition.rejected", partition)
    return partition


def _tell(type: str, partition: Partition) -> None:
    """Tell the tenant what became of its upload; of a rejected one, the first problems."""
    outbox.tell(
        type,
        tenant_id=partition.tenant_id,
        data={
            "partition": {
                "id": partition.id,
                "stream": {"id": partition.stream_id, "name": partition.stream.name},
                "start": partition.start,
                "end": partition.end,
                "state": partition.state,
                "rows": partition.rows,
                "sha256": partition.sha256,
                "problems": partition.problems[:TOLD_PROBLEMS],
            }
        },
    )

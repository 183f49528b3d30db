"""The zip of an export: written front to back in bounded memory, counted and hashed on the way."""

import hashlib
import json
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from typing import IO, Any, Final

from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from catalog import storage
from registry.holdings import Holding
from tenancy import export
from tenancy.export_requests import too_large
from tenancy.models import Tenant, TenantExport
from tenancy.scope import tenant_scope

FORMAT: Final = 1
README: Final = """What the platform keeps about one tenant. Times are UTC.

manifest.json   every file with its SHA-256 and rows; what was asked for, by whom, when; what was missing
rows/           one file of JSON lines per table, all as of one moment; people.jsonl are the members
partitions/     the uploaded data files, byte for byte
models/         committed weights: the newest of each arm in training, and what `serving` and `candidate` point at;
                `python -m exfm_core export FILE --out DIR` makes an ONNX folder of one

Never inside: passwords, second factors, digests of tokens and links, what webhooks are signed with. Neither are the
foundation model's weights and labels.
"""


class Stopped(Exception):
    """The lease was lost, or the worker leaves."""


class Archive:
    """One zip. `bytes` is what was written so far; `stop` may be called from another thread."""

    def __init__(self, most_bytes: int) -> None:
        self.bytes = 0
        self.files: list[dict[str, Any]] = []
        self.rows: dict[str, int] = {}
        self.missing: list[dict[str, Any]] = []
        self._most_bytes = most_bytes
        self._seen = hashlib.sha256()
        self._stopped = False
        self._zip: zipfile.ZipFile

    def stop(self) -> None:
        """Make the next piece raise `Stopped`."""
        self._stopped = True

    def sha256(self) -> str:
        """Return the SHA-256 of the whole file."""
        return self._seen.hexdigest()

    @contextmanager
    def writing_to(self, target: IO[bytes]) -> Iterator[None]:
        """Open the zip on a file; its directory is written at the end of the block."""
        self._zip = zipfile.ZipFile(_Forward(target, self._account), "w")
        try:
            self._add("README.txt", iter([README.encode()]), zipfile.ZIP_DEFLATED)
            yield
            self._zip.close()
        finally:
            # After a failure no directory may be written behind half a member, which its end would do.
            self._zip.fp = None

    def add_rows(self, tenant: Tenant) -> None:
        """Add every row of the tenant; call it inside `one_moment`."""
        for table in export.tenant_tables():
            if columns := export.readable(table):
                self._add_lines(table, export.lines(table, columns, tenant))
        self._add_lines("people", export.people())

    def add_file(self, file: Holding) -> None:
        """Add a file as it is; one that is gone, or differs from what its row says, is named as missing."""
        try:
            source = storage.opened(file.uri)
        except FileNotFoundError:
            self._miss(file, "It is not in the storage any more.")
            return
        with source:
            # Parquet and safetensors hold little that would shrink.
            entry = self._add(file.path, iter(lambda: source.read(storage.PIECE), b""), zipfile.ZIP_STORED)
        entry |= {"rows": file.rows, **file.about}
        if entry["sha256"] != file.sha256:
            self._miss(file, "Its bytes are not those that were received; they are in the zip as they are.")

    def add_manifest(self, asked: TenantExport) -> None:
        """Add the list of all, last."""
        by = asked.requested_by
        tenant = asked.tenant
        manifest = {
            "format": FORMAT,
            "export": asked.id,
            "made_at": timezone.now(),
            "requested_at": asked.created_at,
            "requested_by": by.email if by else None,
            "tenant": {"id": tenant.id, "slug": tenant.slug, "name": tenant.name, "domain": tenant.domain},
            "include": asked.include,
            "platform": version("exfm"),
            "schema": dict(MigrationLoader(None, ignore_no_migrations=True).graph.leaf_nodes()),
            "rows": self.rows,
            "files": self.files,
            "missing": self.missing,
        }
        text = json.dumps(manifest, indent=1, default=_plain).encode()
        self._add("manifest.json", iter([text]), zipfile.ZIP_DEFLATED)

    def _add_lines(self, name: str, lines: Iterator[bytes]) -> None:
        count = 0

        def counted() -> Iterator[bytes]:
            nonlocal count
            for line in lines:
                count += 1
                yield line

        entry = self._add(f"rows/{name}.jsonl", counted(), zipfile.ZIP_DEFLATED)
        entry["rows"] = self.rows[name] = count

    def _add(self, path: str, pieces: Iterator[bytes], compression: int) -> dict[str, Any]:
        member = zipfile.ZipInfo(path, date_time=timezone.now().timetuple()[:6])
        member.compress_type = compression
        member.external_attr = 0o600 << 16
        seen, size = hashlib.sha256(), 0
        with self._zip.open(member, "w", force_zip64=True) as file:
            for piece in pieces:
                file.write(piece)
                seen.update(piece)
                size += len(piece)
        entry: dict[str, Any] = {"path": path, "bytes": size, "sha256": seen.hexdigest()}
        self.files.append(entry)
        return entry

    def _miss(self, file: Holding, why: str) -> None:
        self.missing.append({"path": file.path, "bytes": file.bytes, "sha256": file.sha256, "why": why, **file.about})

    def _account(self, piece: bytes) -> None:
        if self._stopped:
            raise Stopped
        self.bytes += len(piece)
        if self.bytes > self._most_bytes:
            raise too_large(self.bytes)
        self._seen.update(piece)


@contextmanager
def one_moment(tenant: Tenant) -> Iterator[None]:
    """Show the tenant's rows as they are at the beginning of the block, whatever others write meanwhile."""
    with transaction.atomic():
        if not connection.savepoint_ids:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        with tenant_scope(tenant.id):
            yield


class _Forward:
    """A file that can only be written on; zipfile then never goes back, so that the hash is the file's."""

    def __init__(self, target: IO[bytes], account: Any) -> None:
        self._target = target
        self._account = account

    def write(self, piece: bytes) -> int:
        """Account for the piece, then write it."""
        self._account(piece)
        return self._target.write(piece)

    def close(self) -> None:
        """Leave the file open: whoever opened it closes it."""

    def flush(self) -> None:
        """Flush."""
        self._target.flush()


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} does not belong into a manifest")

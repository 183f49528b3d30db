"""The object store: receives a body in pieces, bounded and hashed, and keeps it only when whole."""

import contextlib
import hashlib
import io
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import fsspec
from django.conf import settings

from catalog import errors
from config import env

PIECE = 1 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


class Readable(Protocol):
    """A body that can be read in pieces."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; empty at the end."""


@dataclass(frozen=True)
class Received:
    """A whole body, stored under a temporary name."""

    path: str
    sha256: str
    bytes: int


def upload_limit() -> int:
    """Return the most bytes one partition may have (EXFM_UPLOAD_MAX_BYTES, 1 GiB by default)."""
    return env.number("EXFM_UPLOAD_MAX_BYTES", 1 << 30)


def partition_uri(*, tenant_id: uuid.UUID, stream_id: uuid.UUID, sha256: str) -> str:
    """Return where a partition's file lives, relative to the storage root; its name is its content's hash."""
    return f"tenants/{tenant_id}/streams/{stream_id}/{sha256}.parquet"


def check_digest(declared: str) -> str:
    """Return the declared digest in lower case ("" = none declared), or refuse it."""
    digest = declared.strip().lower()
    if digest and not _DIGEST.match(digest):
        raise errors.malformed_hash(declared)
    return digest


def _store() -> tuple[Any, str]:
    return fsspec.core.url_to_fs(settings.STORAGE_URL)  # type: ignore[no-any-return]


def _sync(handle: Any) -> None:
    handle.flush()
    # An object store's file has no descriptor; it is durable when it is closed.
    with contextlib.suppress(io.UnsupportedOperation):
        os.fsync(handle.fileno())


@contextmanager
def receive(body: Readable, *, declared: str = "", length: int = 0, limit: int | None = None) -> Iterator[Received]:
    """Store `body` under a temporary name for the length of the block; whatever was not kept by then is removed.

    Raises DomainError if it is empty, shorter than the `length` announced (0 = none was), larger than `limit` bytes, or
    not what `declared` (its SHA-256) says. A WSGI server tells the end of a connection like that of a body.
    """
    digest = check_digest(declared)
    most = upload_limit() if limit is None else limit
    piece = body.read(PIECE)  # before a file is made: whoever has the body may refuse it
    fs, root = _store()
    folder = f"{root}/incoming"
    fs.makedirs(folder, exist_ok=True)
    path = f"{folder}/{uuid.uuid4().hex}"
    seen, size = hashlib.sha256(), 0
    try:
        with fs.open(path, "wb") as handle:
            while piece:
                size += len(piece)
                if size > most:
                    raise errors.too_large(most)
                seen.update(piece)
                handle.write(piece)
                piece = body.read(PIECE)
            _sync(handle)
        if not size:
            raise errors.empty_body()
        if size < length:
            raise errors.cut_short(size, length)
        if digest and digest != seen.hexdigest():
            raise errors.wrong_hash(digest, seen.hexdigest())
        yield Received(path, seen.hexdigest(), size)
    finally:
        if fs.exists(path):
            fs.rm(path)


def keep(received: Received, uri: str) -> None:
    """Move a received file to its final name. Same content has the same name, so an existing file is left alone."""
    fs, root = _store()
    target = f"{root}/{uri}"
    if fs.exists(target) and fs.size(target) == received.bytes:
        return
    fs.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
    fs.mv(received.path, target)
    if fs.protocol == "file" or "file" in fs.protocol:
        folder = os.open(target.rsplit("/", 1)[0], os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def is_kept(uri: str) -> bool:
    """Tell whether the file is there."""
    fs, root = _store()
    return bool(fs.exists(f"{root}/{uri}"))


def remove(uri: str) -> None:
    """Remove a kept file; one that is gone already is fine."""
    fs, root = _store()
    with contextlib.suppress(FileNotFoundError):
        fs.rm_file(f"{root}/{uri}")


@contextmanager
def writing(uri: str) -> Iterator[IO[bytes]]:
    """Open a new file to be written in one go; durable after the block, gone where the block fails."""
    fs, root = _store()
    path = f"{root}/{uri}"
    fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
    try:
        with fs.open(path, "wb") as handle:
            yield handle
            _sync(handle)
    except BaseException:
        remove(uri)
        raise


def opened(uri: str) -> IO[bytes]:
    """Open a kept file for reading; FileNotFoundError where it is gone."""
    fs, root = _store()
    return fs.open(f"{root}/{uri}", "rb")  # type: ignore[no-any-return]


def names(folder: str) -> list[str]:
    """Return the names of the files in a folder; none where there is no folder."""
    fs, root = _store()
    with contextlib.suppress(FileNotFoundError):
        return [path.rpartition("/")[2] for path in fs.ls(f"{root}/{folder}", detail=False)]
    return []


def free_bytes() -> int | None:
    """Return what is left of the disk that files are kept on; None for an object store, which has no such bound."""
    fs, root = _store()
    if "file" not in ((fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol):
        return None
    there = next(path for path in (Path(root), *Path(root).parents) if path.exists())
    return shutil.disk_usage(there).free

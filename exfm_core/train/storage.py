"""Files below one storage root (an fsspec URL): verified when read, written whole or not at all. Torch-free."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import fsspec

from exfm_core.errors import ExfmError
from exfm_core.events import File

_CHUNK = 1 << 20


class StorageError(ExfmError):
    """A file that is not there, or not the one that was committed."""


class Storage:
    """Reads and writes below `url`. Use as a context manager: copies of remote files go with it."""

    def __init__(self, url: str) -> None:
        self._fs, self._root = fsspec.core.url_to_fs(url)
        self._local = "file" in (self._fs.protocol if isinstance(self._fs.protocol, tuple) else (self._fs.protocol,))
        self._scratch = tempfile.TemporaryDirectory(prefix="exfm-")

    def __enter__(self) -> "Storage":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scratch.cleanup()

    def _path(self, uri: str) -> str:
        return f"{self._root.rstrip('/')}/{uri}"

    @contextmanager
    def reading(self, file: File) -> Iterator[str]:
        """A local path of the file, verified against its size and hash. Raises StorageError.

        A copy of a remote file lives as long as the context; a local file is read where it stands.
        """
        if self._local:
            path = self._path(file.uri)
            self._verify(file, path)
            yield path
            return
        copy = Path(self._scratch.name) / file.sha256
        try:
            self._fs.get_file(self._path(file.uri), str(copy))
            self._verify(file, str(copy))
            yield str(copy)
        except FileNotFoundError as error:
            raise _missing(file) from error
        finally:
            copy.unlink(missing_ok=True)

    def read(self, file: File) -> bytes:
        """The file's bytes, verified. Raises StorageError."""
        try:
            data: bytes = self._fs.cat_file(self._path(file.uri))
        except FileNotFoundError as error:
            raise _missing(file) from error
        if len(data) != file.bytes or hashlib.sha256(data).hexdigest() != file.sha256:
            raise _changed(file)
        return data

    def write(self, prefix: str, seq: int, suffix: str, data: bytes) -> File:
        """Writes `<prefix>/<seq>-<sha256><suffix>`: durable when this returns, never overwritten, never half there."""
        digest = hashlib.sha256(data).hexdigest()
        file = File(f"{prefix}/{seq}-{digest}{suffix}", digest, len(data))
        if self._local:
            _write_local(Path(self._path(file.uri)), data)
        elif not self._fs.exists(self._path(file.uri)):
            self._fs.makedirs(self._path(prefix), exist_ok=True)
            self._fs.pipe_file(self._path(file.uri), data)
        return file

    @staticmethod
    def _verify(file: File, path: str) -> None:
        digest, size = hashlib.sha256(), 0
        try:
            with Path(path).open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
        except FileNotFoundError as error:
            raise _missing(file) from error
        if size != file.bytes or digest.hexdigest() != file.sha256:
            raise _changed(file)


def _write_local(target: Path, data: bytes) -> None:
    new_folders = [folder for folder in target.parents if not folder.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        return  # named by its hash: it holds these bytes already
    scratch = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with scratch.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)
    for folder in (target.parent, *(folder.parent for folder in new_folders)):
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    """Makes the new name itself survive a power cut."""
    handle: Any = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _missing(file: File) -> StorageError:
    return StorageError("storage.missing", f"The file {file.uri} is not in storage.", "Restore it from a backup.")


def _changed(file: File) -> StorageError:
    return StorageError(
        "storage.changed",
        f"The file {file.uri} is not the one that was committed: size or sha256 differ.",
        "Restore it from a backup; committed files never change.",
    )

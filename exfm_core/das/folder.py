"""A folder of immutable files, local or remote (fsspec): whole or not there, created at most once, hashes checked."""

import hashlib
import os
import uuid
from pathlib import Path
from typing import Final

import fsspec

from exfm_core.errors import CheckpointError

_DAMAGED: Final = "Restore it from a backup, stored files never change; or go on from the one before it."


class Folder:
    """Files below `url` by name (`a/b.json`)."""

    def __init__(self, url: str | Path) -> None:
        self._fs, root = fsspec.core.url_to_fs(str(url))
        self._root = root.rstrip("/")
        protocol = self._fs.protocol
        self._local = "file" in (protocol if isinstance(protocol, tuple) else (protocol,))

    def create(self, name: str, data: bytes) -> bool:
        """Writes the file unless there is one of that name: durable when this returns, and exactly one of several
        writers gets True. Local: a synced scratch file, linked under the name. Remote: a conditional put."""
        path = f"{self._root}/{name}"
        if self._local:
            return _create_local(Path(path), data)
        if self._fs.exists(path):
            return False
        self._fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        try:
            self._fs.pipe_file(path, data, mode="create")
        except FileExistsError:
            return False
        return True

    def read(self, name: str, sha256: str | None = None) -> bytes:
        """The file's bytes. Raises CheckpointError if it is missing, or its hash is not `sha256`."""
        try:
            data: bytes = self._fs.cat_file(f"{self._root}/{name}")
        except FileNotFoundError as error:
            raise CheckpointError("das.missing", f"The file {name} is not in the store.", _DAMAGED) from error
        if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
            raise CheckpointError("das.damaged", f"The file {name} is not what was stored: its hash differs.", _DAMAGED)
        return data

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return bool(self._fs.exists(f"{self._root}/{name}"))

    def names(self, prefix: str) -> list[str]:
        """Names of all files in the folder `prefix`, sorted."""
        path = f"{self._root}/{prefix}"
        self._fs.invalidate_cache(path)
        if not self._fs.isdir(path):
            return []
        found = (str(entry).rsplit("/", 1)[-1] for entry in self._fs.ls(path, detail=False))
        return sorted(f"{prefix}/{name}" for name in found if not name.startswith("."))

    def remove(self, name: str) -> None:
        """Deletes a file, if it is there."""
        if self.exists(name):
            self._fs.rm_file(f"{self._root}/{name}")


def _create_local(target: Path, data: bytes) -> bool:
    if target.exists():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    try:
        with scratch.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(scratch, target)
        except FileExistsError:
            return False
    finally:
        scratch.unlink(missing_ok=True)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True

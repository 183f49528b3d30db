"""A stream outside the platform: sealed partitions in strict time order, on any fsspec address. Torch-free.

    stream = Stream.read("s3://bucket/ads")      a folder with manifest.json, or one of Parquet files alone
    for partition in stream: partition.open()    a whole, verified file for a reader, one after another

A manifest says what the folder holds; uris are relative to it:

    {"format": 1, "schema": {…}, "partitions": [{"uri", "start", "end", "rows", "sha256", "bytes"}, …]}

Without one, every file's interval is [first time, last time + 1 µs), so that two files that share a time overlap.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import fsspec
import numpy as np
import pyarrow as pa

from exfm_core.data.partitions import TIME_TYPE, Source, column_numpy, open_partition
from exfm_core.errors import DataError, ExfmError
from exfm_core.spec import StreamSchema

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
MAX_MANIFEST_BYTES: Final = 64 << 20
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class StreamPartition:
    """A sealed slice ``[start, end)`` of a stream: `rows` rows in one file of that hash. `root`: fsspec address."""

    root: str
    uri: str
    start: datetime
    end: datetime
    rows: int
    sha256: str
    bytes: int

    def open(self) -> Source:
        """Return the verified file: the path of a local one, else an open copy that is gone once it is closed.

        Raises DataError if the file is not there or is not the one that was sealed.
        """
        fs, path = fsspec.core.url_to_fs(f"{self.root.rstrip('/')}/{self.uri}")
        if _is_local(fs):
            if not Path(path).is_file():
                raise self._refused("missing", "is not there")
            with Path(path).open("rb") as file:
                self._verify(file)
            return str(path)
        copy = tempfile.TemporaryFile(prefix="exfm-")  # noqa: SIM115  the reader closes it
        try:
            with fs.open(path, "rb", cache_type="none") as remote:
                while chunk := remote.read(_CHUNK << 3):
                    copy.write(chunk)
            copy.seek(0)
            self._verify(copy)
        except FileNotFoundError as error:
            copy.close()
            raise self._refused("missing", "is not there") from error
        except BaseException:
            copy.close()
            raise
        copy.seek(0)
        return copy

    def to_json(self) -> dict[str, Any]:
        """Return the manifest's entry."""
        instants = {"start": self.start.isoformat(), "end": self.end.isoformat()}
        return {"uri": self.uri, **instants, "rows": self.rows, "sha256": self.sha256, "bytes": self.bytes}

    def _verify(self, file: BinaryIO) -> None:
        if _hash(file) != (self.sha256, self.bytes):
            raise self._refused("changed", "is not the file that was sealed: size or sha256 differ")

    def _refused(self, reason: str, what: str) -> DataError:
        return DataError(
            f"stream.{reason}", f"The partition {self.uri} {what}.", "Restore it, or seal the stream anew."
        )


class Stream:
    """Partitions in strict time order. Raises DataError for an overlap, a duplicate, a wrong order or no partition."""

    def __init__(self, partitions: Iterable[StreamPartition], schema: StreamSchema | None = None) -> None:
        self.partitions = tuple(partitions)
        self.schema = schema
        if not self.partitions:
            raise DataError("stream.empty", "The stream has no partition.", "Name one at least.")
        for partition in self.partitions:
            if partition.start >= partition.end or partition.rows < 1:
                interval = f"[{partition.start.isoformat()}, {partition.end.isoformat()})"
                raise DataError(
                    "stream.bad_interval",
                    f"The partition {partition.uri} has {partition.rows} rows in {interval}.",
                    "Leave empty partitions out; an interval starts before it ends.",
                )
        seen: dict[str, str] = {}
        for partition in self.partitions:
            for key in (partition.uri, partition.sha256):
                if key in seen:
                    raise DataError(
                        "stream.duplicate",
                        f"The partitions {seen[key]} and {partition.uri} are the same file.",
                        "A stream is read once over: name each file once.",
                    )
                seen[key] = partition.uri
        for before, after in zip(self.partitions, self.partitions[1:], strict=False):
            if after.start < before.start:
                raise DataError(
                    "stream.order", f"The partition {after.uri} starts before {before.uri}.", "Sort them by start."
                )
            if after.start < before.end:
                raise DataError(
                    "stream.overlap",
                    f"The partition {after.uri} starts at {after.start.isoformat()}, before the end of {before.uri}, "
                    f"{before.end.isoformat()}.",
                    "Intervals of a stream never overlap, and rows of one time are never split.",
                )

    def __iter__(self) -> Iterator[StreamPartition]:
        return iter(self.partitions)

    def __len__(self) -> int:
        return len(self.partitions)

    @property
    def rows(self) -> int:
        """Rows of all partitions."""
        return sum(partition.rows for partition in self.partitions)

    @classmethod
    def read(cls, url: str, *, event_time: str = "event_time") -> Stream:
        """The stream at `url`: a manifest, or a folder with one, or a folder of Parquet files. Raises DataError."""
        fs, path = fsspec.core.url_to_fs(url)
        if path.endswith(".json"):
            return cls.from_manifest(url)
        if fs.exists(f"{path.rstrip('/')}/{MANIFEST}"):
            return cls.from_manifest(f"{url.rstrip('/')}/{MANIFEST}")
        return cls.from_folder(url, event_time=event_time)

    @classmethod
    def from_manifest(cls, url: str) -> Stream:
        """The stream that a manifest names; no partition is read. Raises DataError."""
        fs, path = fsspec.core.url_to_fs(url)
        try:
            with fs.open(path, "rb") as file:
                text = file.read(MAX_MANIFEST_BYTES + 1)
            if len(text) > MAX_MANIFEST_BYTES:
                raise ValueError(f"it has more than {MAX_MANIFEST_BYTES >> 20} MiB")
            body = json.loads(text)
            if body["format"] != FORMAT:
                raise ValueError(f"its format is {body['format']!r}, not {FORMAT}")
            schema = StreamSchema.from_json(body["schema"]) if body.get("schema") else None
            root = url.rpartition("/")[0] or "."
            return cls([_entry(root, entry) for entry in body["partitions"]], schema)
        except FileNotFoundError as error:
            raise DataError("stream.no_manifest", f"There is no manifest {url}.", "Check the address.") from error
        except ExfmError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                "stream.bad_manifest",
                f"The manifest {url} cannot be read: {type(error).__name__}: {error}."[:400],
                "Write it again with Stream.write_manifest.",
            ) from error

    @classmethod
    def from_folder(cls, url: str, *, event_time: str = "event_time") -> Stream:
        """The Parquet files of a folder, by their own times; each is read once for its hash. Raises DataError."""
        fs, path = fsspec.core.url_to_fs(url)
        found = [str(name) for name in fs.glob(f"{path.rstrip('/')}/*.parquet")]
        names = sorted(name for name in (posixpath.basename(one) for one in found) if not name.startswith("."))
        parts = []
        for name in names:
            with fs.open(f"{path.rstrip('/')}/{name}", "rb") as file:
                digest, size = _hash(file)
                file.seek(0)
                rows, first, last = _interval(file, name, event_time)
            parts.append(StreamPartition(url, name, _instant(first), _instant(last + 1), rows, digest, size))
        return cls(sorted(parts, key=lambda part: part.start))

    def write_manifest(self, url: str) -> None:
        """Write the manifest beside the partitions; `url` names the file. Raises DataError if it lies elsewhere."""
        root = url.rpartition("/")[0] or "."
        if away := [part.uri for part in self.partitions if part.root.rstrip("/") != root.rstrip("/")]:
            raise DataError("stream.root", f"{away[0]} does not lie below {root}.", "Write the manifest in its folder.")
        body: dict[str, Any] = {"format": FORMAT, "partitions": [part.to_json() for part in self.partitions]}
        if self.schema is not None:
            body["schema"] = self.schema.to_json()
        fs, path = fsspec.core.url_to_fs(url)
        fs.pipe_file(path, json.dumps(body, indent=1, sort_keys=True).encode())


def _entry(root: str, body: dict[str, Any]) -> StreamPartition:
    uri = str(body["uri"])
    if not uri or uri.startswith("/") or ".." in uri.split("/") or "://" in uri:
        raise ValueError(f"the uri {uri!r} is no path below the manifest")
    start, end = datetime.fromisoformat(body["start"]), datetime.fromisoformat(body["end"])
    if start.tzinfo is None or end.tzinfo is None:
        raise ValueError(f"the interval of {uri!r} has no time zone")
    digest, rows, size = body["sha256"], body["rows"], body["bytes"]
    if not (isinstance(digest, str) and len(digest) == 64 and isinstance(rows, int) and isinstance(size, int)):
        raise ValueError(f"the entry of {uri!r} lacks its rows, sha256 or bytes")
    return StreamPartition(root, uri, start.astimezone(UTC), end.astimezone(UTC), rows, digest, size)


def _interval(file: Any, name: str, event_time: str) -> tuple[int, int, int]:
    """Rows, first and last event time in microseconds; DataError if the rows are not in time order."""
    parquet = open_partition(file)
    if event_time not in parquet.schema_arrow.names or parquet.schema_arrow.field(event_time).type != TIME_TYPE:
        raise DataError(
            "data.missing_column", f"{name} has no column {event_time!r} of {TIME_TYPE}.", "Name the time column."
        )
    first = last = None
    for batch in parquet.iter_batches(1 << 16, columns=[event_time]):
        times = column_numpy(batch.column(0).cast(pa.int64()))
        if not len(times):
            continue
        if (np.diff(times) < 0).any() or (last is not None and times[0] < last):
            raise DataError("data.not_sorted", f"{name} is not in order of {event_time}.", "Sort it first.")
        first, last = int(times[0]) if first is None else first, int(times[-1])
    if first is None or last is None:
        raise DataError("stream.bad_interval", f"{name} has no rows.", "Leave empty partitions out.")
    return parquet.metadata.num_rows, first, last


def _hash(file: Any) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def _instant(micros: int) -> datetime:
    return datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)


def _is_local(fs: Any) -> bool:
    return "file" in ((fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol)

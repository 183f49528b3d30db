"""Exports: a tenant's things as one zip, written by the platform, taken along with its hash checked."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

import httpx

from exfm_client import schema
from exfm_client.errors import ApiProblem, Unusable
from exfm_client.resources import Resource
from exfm_client.transport import REPEATED, unreachable

PARTS = ("rows", "partitions", "models")
OPEN = frozenset({"queued", "running"})
POLL_SECONDS = 1.0
Told = Callable[[int], None]


class Exports(Resource):
    """Zips with everything that the tenant owns; owners alone, with the scope `tenant:export`."""

    def list(self) -> Iterator[schema.TenantExport]:
        """Yield the exports, newest first."""
        return self._pages("exports")

    def get(self, export: str) -> schema.TenantExport:
        """Return an export."""
        return cast(schema.TenantExport, self._get(f"exports/{export}"))

    def request(self, include: Sequence[str] = PARTS, *, key: str | None = None) -> schema.TenantExport:
        """Ask for an export with these parts; rows are always in it."""
        return cast(schema.TenantExport, self._post("exports", {"include": list(include)}, key))

    def remove(self, export: str) -> None:
        """Remove an export with its file, or stop it."""
        self._transport.call("DELETE", f"{self._base}/exports/{export}")

    def follow(self, export: str) -> Iterator[schema.TenantExport]:
        """Yield the export as it grows, until it has ended."""
        while True:
            found = self.get(export)
            yield found
            if found["state"] not in OPEN:
                return
            time.sleep(POLL_SECONDS)

    def download(self, export: str, target: Path, told: Told = lambda _: None) -> Path:
        """Fetch the file to `target`, going on where a transfer broke off; it has the name only when it is whole.

        `told` is called with the bytes that are there. Raises `Unusable` where the SHA-256 is another than announced.
        """
        row = self.get(export)
        size, sha256 = row["bytes"], row["sha256"]
        if row["state"] != "done" or size is None or sha256 is None:
            raise Unusable(f"The export is {row['state']}.", "Wait until it is done, or ask for another.")
        if target.exists():
            raise Unusable(f"{target} exists.", "Choose another name, or move it away.")
        part = target.with_name(f"{target.name}.{export}.part")
        try:
            self._fetch(f"{self._base}/exports/{export}/download", part, size, f'"{sha256}"', told)
            with part.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise Unusable(
                f"{part} cannot be written: {error.strerror}.", "Make room, or choose another folder."
            ) from error
        if found != sha256:
            part.unlink()
            raise Unusable(f"What arrived has the SHA-256 {found}, not {sha256}.", "Download it again.")
        return part.rename(target)

    def _fetch(self, path: str, part: Path, size: int, etag: str, told: Told) -> None:
        until = time.monotonic() + self._transport.patience
        while (there := part.stat().st_size if part.exists() else 0) < size:
            try:
                self._append(path, part, there, etag, told)
            except ApiProblem as problem:
                if problem.status not in REPEATED or time.monotonic() > until:
                    raise
                time.sleep(POLL_SECONDS)
            except httpx.TransportError as error:
                if part.exists() and part.stat().st_size > there:
                    until = time.monotonic() + self._transport.patience
                if time.monotonic() > until:
                    raise unreachable(self._transport.url, error) from error
                time.sleep(POLL_SECONDS)

    def _append(self, path: str, part: Path, there: int, etag: str, told: Told) -> None:
        headers = {"Range": f"bytes={there}-", "If-Range": etag} if there else {}
        with self._transport.download(path, headers) as answer, part.open("ab") as file:
            if answer.status_code != 206:
                file.truncate(0)
                there = 0
            for piece in answer.iter_raw():
                file.write(piece)
                there += len(piece)
                told(there)

"""Secrets of one installation: made once, kept in files that only their owner can read."""

import os
import secrets
from pathlib import Path


class SecretFiles:
    """A folder with one file per secret (folder 0700, files 0600)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, name: str) -> str:
        """Return the secret, or an empty string before the first start."""
        try:
            return (self.folder / name).read_text().strip()
        except FileNotFoundError:
            return ""

    def get(self, name: str) -> str:
        """Return the secret and make it on first use; whole or not at all, so a crash leaves no half-written file."""
        if found := self.read(name):
            return found
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        half = self.folder / f".{name}.{os.getpid()}"
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))
            file.flush()
            os.fsync(file.fileno())
        half.rename(self.folder / name)
        return self.read(name)

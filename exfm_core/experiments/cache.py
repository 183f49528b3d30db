"""Where experiments keep what is dear to make: files named by the hash of everything that they depend on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import exfm_core

Arrays = dict[str, npt.NDArray[Any]]
_DATA = ("data", "recipes")
_TRAINING = ("das", "data", "distill", "metrics", "models", "spec", "train")


def key(kind: str, *parts: Any) -> str:
    """A name for what ``parts`` determine: specs, plain values, other keys. The code that makes it is a part."""
    text = json.dumps([code(_DATA if kind == "stage" else _TRAINING), *parts], sort_keys=True, default=_plain)
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:24]}"


@lru_cache
def code(folders: tuple[str, ...]) -> str:
    """Hash of the sources in some of the core's folders: results of other code are other results."""
    digest = hashlib.sha256()
    root = Path(exfm_core.__file__).parent
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


class Cache:
    """A folder of finished pieces. A piece appears whole or not at all, so processes may share the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def has(self, name: str) -> bool:
        """True if that piece is there."""
        return self._path(name).exists()

    def arrays(self, name: str) -> Arrays:
        """Read a piece. FileNotFoundError if it is not there."""
        with np.load(self._path(name), allow_pickle=False) as found:
            return {field: found[field] for field in found.files}

    def keep(self, name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Write a piece."""
        scratch = self.folder / f".{name}.{os.getpid()}.npz"
        np.savez(scratch, **arrays)  # type: ignore[arg-type]
        scratch.replace(self._path(name))

    def made(self, name: str, make: Callable[[], Mapping[str, npt.NDArray[Any]]]) -> Arrays:
        """Read a piece, making it first where it is missing."""
        if not self.has(name):
            self.keep(name, make())
        return self.arrays(name)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.npz"


def _plain(value: Any) -> Any:
    if hasattr(value, "to_json"):
        return value.to_json()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)

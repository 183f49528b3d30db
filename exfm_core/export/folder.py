"""The folder a server gets: the graph, its weights, and a manifest with the hash of both. Torch-free.

    manifest.json    what is served, how it was checked, which versions made it, sha256 of the files below
    model.onnx       operators
    model.onnx.data  weights, mapped into memory by ONNX Runtime; a very small model has them in the graph

    ids.<name>.npy   of a managed feature: the id that has each row of its table, −1 for none

The hashes find damage and mix-ups. Against somebody who can rewrite the folder, keep the manifest's own sha256, which
`export` prints, in another place and pass it to `read_folder`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from exfm_core.data.idmap import IdMap
from exfm_core.errors import CheckpointError, SpecError
from exfm_core.spec import Feature, VerticalModel, VerticalSpec

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
GRAPH: Final = "model.onnx"
WEIGHTS: Final = "model.onnx.data"
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Folder:
    """A verified folder. `features` in the model's order."""

    path: Path
    manifest: dict[str, Any]
    model: VerticalModel
    features: tuple[Feature, ...]

    @property
    def graph(self) -> Path:
        """The ONNX file."""
        return self.path / GRAPH

    def id_maps(self) -> dict[str, IdMap]:
        """The ids of managed features. Raises CheckpointError where they do not fit their tables."""
        found = {}
        for feature in self.features:
            if feature.managed:
                found[feature.name] = IdMap(feature.buckets)
                found[feature.name].load({"ids": np.load(self.path / ids_file(feature), allow_pickle=False)})
        return found


def ids_file(feature: Feature) -> str:
    """Name of the file with the ids of a managed feature."""
    return f"ids.{feature.name}.npy"


def write_manifest(path: Path, record: Mapping[str, Any]) -> str:
    """Writes the manifest of a folder whose other files are in place. Returns its sha256."""
    found = sorted(file for file in path.iterdir() if file.name != MANIFEST)
    files = {file.name: {"sha256": _sha256(file), "bytes": file.stat().st_size} for file in found}
    body = {"format": FORMAT, **record, "files": files}
    text = json.dumps(body, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"
    (path / MANIFEST).write_text(text, encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest()


def read_folder(path: str | Path, manifest_sha256: str | None = None) -> Folder:
    """Reads and verifies a folder. Raises CheckpointError for a file that is missing or not the one exported."""
    path = Path(path)
    try:
        text = (path / MANIFEST).read_bytes()
        manifest = json.loads(text)
        if manifest["format"] != FORMAT:
            raise CheckpointError(
                "export.format", f"The folder has format {manifest['format']!r}, not {FORMAT}.", "Export it again."
            )
        features = tuple(Feature.from_json(body) for body in manifest["features"])
        body = {"model": manifest["model"], "schema_version": manifest["schema_version"]}
        model = VerticalSpec.from_json(body).model
        files = {name: (str(body["sha256"]), int(body["bytes"])) for name, body in manifest["files"].items()}
        needed = {GRAPH, *(ids_file(feature) for feature in features if feature.managed)}
        if not needed <= set(files) <= {*needed, WEIGHTS}:
            raise ValueError(f"it names the files {sorted(files)}")
    except FileNotFoundError as error:
        raise _refused("missing", f"{path} has no {MANIFEST}") from error
    except (KeyError, TypeError, ValueError, AttributeError, SpecError) as error:
        raise _refused("damaged", f"{path / MANIFEST} cannot be read ({type(error).__name__}: {error})") from error
    if manifest_sha256 is not None and hashlib.sha256(text).hexdigest() != manifest_sha256:
        raise _refused("tampered", f"{path / MANIFEST} is not the manifest of that sha256")
    for name, (digest, size) in files.items():
        if not (path / name).is_file():
            raise _refused("missing", f"{path} has no {name}")
        if (path / name).stat().st_size != size or _sha256(path / name) != digest:
            raise _refused("tampered", f"{path / name} is not the file that was exported: size or sha256 differ")
    return Folder(path, manifest, model, features)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _refused(reason: str, what: str) -> CheckpointError:
    return CheckpointError(f"export.{reason}", f"{what}.", "Export the model again, or copy the whole folder anew.")

"""Predicts from an exported folder: raw feature values in, probabilities out. Torch-free: ONNX Runtime and NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from exfm_core.errors import ExfmError
from exfm_core.export.folder import Folder, read_folder
from exfm_core.export.requests import Column, RequestEncoder

ONE_THREAD_ROWS: Final = 64
"""Up to so many rows one thread is as fast as four and has by far the better tail (measured, docs/serving.md)."""


class Predictor:
    """Probabilities for raw columns, as the stream's schema names them. Safe to share between threads."""

    def __init__(self, folder: str | Path | Folder, *, threads: int = 1, manifest_sha256: str | None = None) -> None:
        """`threads`: for requests of more than 64 rows; smaller ones always run on one.
        Raises CheckpointError for a damaged folder, ExfmError where ONNX Runtime is not installed."""
        self.folder = folder if isinstance(folder, Folder) else read_folder(folder, manifest_sha256)
        self.encoder = RequestEncoder(self.folder.model, self.folder.features, self.folder.id_maps())
        self._one = open_session(self.folder.graph, 1)
        self._many = self._one if threads == 1 else open_session(self.folder.graph, threads)

    @property
    def tasks(self) -> tuple[str, ...]:
        """What is predicted."""
        return self.folder.model.tasks

    def predict(self, columns: Mapping[str, Column]) -> dict[str, npt.NDArray[np.float32]]:
        """σ(s) per task, float32 [B]. Raises DataError for what training would have refused."""
        return dict(zip(self.tasks, self.run(self.encoder.encode(columns)), strict=False))

    def run(self, arrays: dict[str, npt.NDArray[Any]]) -> list[npt.NDArray[np.float32]]:
        """The graph alone, on encoded inputs: a probability per task, then a logit per task."""
        rows = len(next(iter(arrays.values())))
        session = self._one if rows <= ONE_THREAD_ROWS else self._many
        outputs: list[npt.NDArray[np.float32]] = session.run(None, arrays)
        return outputs


def open_session(graph: Path, threads: int) -> Any:
    """An ONNX Runtime session whose threads sleep while they wait. Raises ExfmError where it is not installed."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ExfmError(
            "export.not_installed", "ONNX Runtime is not installed.", "Install the extra: pip install 'exfm[export]'."
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

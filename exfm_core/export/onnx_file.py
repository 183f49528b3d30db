"""Writes a vertical model as a folder for servers, and checks it against the training code's own module."""

import contextlib
import io
import logging
import platform
import tempfile
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch.export import Dim

from exfm_core.cost import serving_cost
from exfm_core.errors import CheckpointError, ExfmError
from exfm_core.export import folder as folders
from exfm_core.export.graph import ServingGraph
from exfm_core.export.measure import LATENCY_BATCHES, largest_difference, latency_us, random_columns
from exfm_core.export.predictor import Predictor
from exfm_core.export.requests import DENSE, IDS, RequestEncoder, sequence_input
from exfm_core.export.serving import Served, load_served
from exfm_core.models.inputs import Inputs
from exfm_core.spec import StreamSchema, Task, VerticalSpec

TOLERANCE: Final = 1e-4
"""Largest |Δ logit| between the float32 graph and the training code; beyond it nothing is written."""
CHECK_ROWS: Final = 256
_EXAMPLE: Final = 4  # more than one, or the exporter takes the batch for a constant
_INLINE_BYTES: Final = 256  # shape inference reads the small constants, and only inside the graph's file
_CALIBRATION: Final = (
    "Outputs are σ(s) of the serving heads: probabilities on the stream the model was trained on. Where that stream "
    "was sampled, correct for it before use. A preset with w_kd > 0 also pulled s towards the calibrated teacher label."
)


def export_folder(data: bytes, out: Path, *, int8: bool = False, budget_us: float | None = None) -> str:
    """Exports a serving file or a vertical model's checkpoint into the empty or new folder `out`, whole or not at all.

    `budget_us`: the serving budget, on the measured p99 of one row. Returns the manifest's sha256.
    Raises CheckpointError for a file that is no vertical model, or where the written graph does not predict what the
    training code predicts; ExfmError over the budget, or where ONNX is not installed.
    """
    served = load_served(data)
    if out.exists() and any(out.iterdir()):
        raise ExfmError("export.folder_not_empty", f"{out} is not empty.", "Name a new folder.")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as scratch:
        folder = Path(scratch) / "folder"  # put in place by rename: a folder that was not checked is never there
        folder.mkdir()
        digest = _write(served, folder, int8, budget_us)
        folder.replace(out)
    return digest


def _write(served: Served, folder: Path, int8: bool, budget_us: float | None) -> str:
    graph = ServingGraph(served, int8=int8).eval()
    _write_graph(graph, folder)
    if (managed := served.net.tables.managed) is not None:
        for feature in (feature for feature in served.features if feature.managed):
            np.save(folder / folders.ids_file(feature), managed.state(resume=False)[f"{feature.name}.ids"].numpy())
    record = _record(served, graph, int8)
    folders.write_manifest(folder, record)
    record["checked"] = _check(folder, served, int8)
    p99 = record["checked"]["latency_us_one_thread"]["1"]["p99"]
    if budget_us is not None and p99 > budget_us:
        raise ExfmError(
            "export.over_budget",
            f"A row takes {p99:g} µs (p99, one thread, measured); the serving budget is {budget_us:g} µs.",
            "Make the model smaller, or export again on a quiet machine of the kind that serves.",
        )
    return folders.write_manifest(folder, record)


def _write_graph(graph: ServingGraph, out: Path) -> None:
    try:
        import onnx
        import onnxscript  # noqa: F401  torch's exporter needs it
    except ImportError as error:
        raise ExfmError(
            "export.not_installed", "ONNX is not installed.", "Install the extra: pip install 'exfm[export]'."
        ) from error
    encoder = graph.encoder
    batch = Dim("batch", min=1, max=1 << 20)
    shapes: list[dict[int, Any]] = []
    for name in encoder.input_names:
        longest = Dim("length_" + name.partition(".")[2], min=1, max=1 << 12) if "." in name else None
        shapes.append({0: batch} if longest is None else {0: batch, 1: longest})
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), _quiet("torch.onnx"):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            graph,
            (_example(encoder),),
            input_names=list(encoder.input_names),
            output_names=list(graph.output_names),
            dynamic_shapes=(shapes,),
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise ExfmError("export.failed", "PyTorch's exporter returned nothing.", "Report a defect.")
    model = program.model_proto
    _strip(model)
    onnx.save_model(
        model,
        str(out / folders.GRAPH),
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=folders.WEIGHTS,
        size_threshold=_INLINE_BYTES,
    )


def _strip(model: Any) -> None:
    """Takes out the exporter's notes: source lines of the machine that exported, and nothing a server needs."""
    for part in (
        model,
        model.graph,
        *model.graph.node,
        *model.graph.input,
        *model.graph.output,
        *model.graph.value_info,
    ):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    for tensor in model.graph.initializer:
        tensor.ClearField("metadata_props")
        tensor.ClearField("doc_string")


@contextlib.contextmanager
def _quiet(name: str) -> Any:
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _example(encoder: RequestEncoder) -> list[torch.Tensor]:
    """Inputs to trace the graph with."""
    shapes = {IDS: (_EXAMPLE, len(encoder.single)), DENSE: (_EXAMPLE, len(encoder.dense))}
    kinds = {DENSE: torch.float32}
    return [
        torch.zeros(shapes.get(name, (_EXAMPLE, _EXAMPLE - 1)), dtype=kinds.get(name, torch.int64))
        for name in encoder.input_names
    ]


def _record(served: Served, graph: ServingGraph, int8: bool) -> dict[str, Any]:
    spec = VerticalSpec(served.model)
    tasks = tuple(Task(task, f"kind_{i}", f"label_{i}") for i, task in enumerate(graph.tasks))
    cost = serving_cost(spec, StreamSchema(served.features, tasks, user_key=None))
    names = [*graph.encoder.input_names]
    return {
        "model": served.model.to_json(),
        "schema_version": spec.schema_version,
        "features": [feature.to_json() for feature in served.features],
        "inputs": names,
        "outputs": list(graph.output_names),
        "table": {"rows": graph.encoder.padding, "padding_row": graph.encoder.padding, "starts": graph.encoder.starts},
        "int8_tables": int8,
        "origin": served.origin,
        "cost": {"parameters": cost.parameters, "flops_per_row": cost.flops, "matrix_flops_per_row": cost.matrix_flops},
        "calibration": _CALIBRATION,
        "versions": _versions(),
    }


def _check(out: Path, served: Served, int8: bool) -> dict[str, Any]:
    """Predicts random rows with the folder and with the training code's module; measures latency on one thread."""
    predictor = Predictor(out)
    arrays = predictor.encoder.encode(random_columns(predictor.encoder, CHECK_ROWS, 1))
    found = np.stack(predictor.run(arrays)[len(predictor.tasks) :])
    with torch.no_grad():
        expected = _logits(served, arrays, predictor.encoder)
    difference = largest_difference(found, expected)
    if not int8 and not difference <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
        raise CheckpointError(
            "export.differs",
            f"The exported graph's logits differ from the training code's by up to {difference:.3g}.",
            "Do not serve this folder; report a defect.",
        )
    latency = {}
    for rows in LATENCY_BATCHES:
        request = predictor.encoder.encode(random_columns(predictor.encoder, rows, 2))
        latency[str(rows)] = latency_us(lambda request=request: predictor.run(request))  # type: ignore[misc]
    machine = f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}"
    return {
        "rows": CHECK_ROWS,
        "largest_logit_difference": difference,
        "latency_us_one_thread": latency,
        "machine": machine,
    }


def _logits(served: Served, arrays: dict[str, npt.NDArray[Any]], encoder: RequestEncoder) -> npt.NDArray[np.float32]:
    """What the training code's module says of encoded rows: [tasks, B]."""
    rows = len(next(iter(arrays.values())))
    values, lengths, taken = [], [], 0
    for feature in encoder.sparse:
        if feature.kind == "categorical":
            bags = arrays[IDS][:, taken : taken + 1]
            taken += 1
        else:
            bags = arrays[sequence_input(feature)]
        real = bags != encoder.padding
        values.append(bags[real] - encoder.starts[feature.name])
        lengths.append(real.sum(1))
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    dense = torch.from_numpy(arrays[DENSE]) if encoder.dense else torch.zeros(rows, 0)
    inputs = Inputs(torch.from_numpy(np.concatenate(values)), torch.from_numpy(offsets), dense, mapped=True)
    return np.stack([logits_b.numpy() for logits_b in served.net.serve(served.net.represent(inputs))])


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("exfm", "torch", "onnx", "onnxscript", "onnxruntime", "numpy"):
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found

"""`python -m scripts.measure_serving`: the figures of docs/serving.md, measured on this machine.

Trains MovieLens-1M's vertical models (needs EXFM_DATA) over all periods but the last, exports each in float32 and with
8-bit tables, and predicts the last period with the training code and with both. Then latency, by batch size, of one of
them and of a large model with random weights.
"""

import argparse
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from exfm_core.calibrate.measure import device_name
from exfm_core.calibrate.shapes import Shape
from exfm_core.data.encode import blocks, vertical_layout
from exfm_core.data.partitions import write_partition
from exfm_core.export.measure import largest_difference, latency_us, random_columns
from exfm_core.export.onnx_file import export_folder
from exfm_core.export.predictor import Predictor
from exfm_core.export.serving import export_net
from exfm_core.metrics.sums import BucketSums, normalized_entropy
from exfm_core.models.vertical import VerticalNet
from exfm_core.recipes import load
from exfm_core.recipes.recipe import Recipe, TenantRecipe
from exfm_core.train.rows import Cutter, Rows
from exfm_core.train.runtime import configure
from exfm_core.train.vertical import VerticalTrainer

BATCHES = (1, 64, 1024)
LARGE = Shape("dcnv2", 26, 16, (256, 128, 64), 256, history=20)


def main() -> None:
    """Prints three tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=4, help="for requests of more than 64 rows")
    options = parser.parse_args()
    configure(1)
    print(f"{device_name()}; load {', '.join(f'{load:.1f}' for load in os.getloadavg())}")
    recipe = load("movielens-1m")
    with tempfile.TemporaryDirectory(prefix="exfm-") as scratch:
        folder = Path(scratch)
        print("tenant              rows   NE float32   NE int8 tables   max |Δ logit| float32, int8   kB float32, int8")
        for tenant in recipe.tenants:
            row = equality(recipe, tenant, folder)
            print(
                f"{tenant.slug:16}{row['rows']:8}{row['ne']:13.6f}{row['ne8']:17.6f}{row['float']:16.1e}"
                f"{row['int8']:14.1e}{row['kb']:14.0f}{row['kb8']:8.0f}",
                flush=True,
            )
        spec, schema = LARGE.spec(), LARGE.schema()
        for int8 in (False, True):
            data = export_net(VerticalNet(spec, schema, "plain"), spec, schema)
            export_folder(data, folder / f"large-{int8}", int8=int8)
        print("model             batch   graph p50 µs   p99 µs   with encoding p50 µs   p99 µs")
        for name in (f"{recipe.tenants[0].slug}-float", "large-False", "large-True"):
            latencies(name, Predictor(folder / name, threads=options.threads))


def equality(recipe: Recipe, tenant: TenantRecipe, folder: Path) -> dict[str, Any]:
    """One tenant's model: NE of the last period, and the largest differences from the training code's logits."""
    spec, schema = tenant.vertical, tenant.schema
    trainer = VerticalTrainer(spec, schema, ("control",))
    for period in range(recipe.periods - 1):
        _, _, table = recipe.partitions(period)[tenant.slug]
        path = folder / "part.parquet"
        trainer.train(path, write_partition(path, table, schema).rows, None, gate_open=False)
    net = trainer.students["control"].net
    data = export_net(net, spec, schema)
    _, _, table = recipe.partitions(recipe.periods - 1)[tenant.slug]
    path = folder / "last.parquet"
    write_partition(path, table, schema)
    (block,) = blocks(path, vertical_layout(spec.model, schema), table.num_rows)
    with torch.no_grad():
        expected = net(Cutter(Rows.of(block)).inputs(0, block.rows)).numpy()
    raw = columns(table, spec.model.features)
    found, sizes = {}, {}
    for name in ("float", "int8"):
        out = folder / f"{tenant.slug}-{name}"
        export_folder(data, out, int8=name == "int8")
        predictor = Predictor(out)
        found[name] = predictor.run(predictor.encoder.encode(raw))[len(predictor.tasks)]
        sizes[name] = sum(file["bytes"] for file in predictor.folder.manifest["files"].values()) / 1000
    ne = {
        name: normalized_entropy(BucketSums.of(block.user_buckets, block.labels[:, 0], logits)).value
        for name, logits in found.items()
    }
    return {
        "rows": block.rows,
        "ne": ne["float"],
        "ne8": ne["int8"],
        "float": largest_difference(found["float"], expected),
        "int8": largest_difference(found["int8"], expected),
        "kb": sizes["float"],
        "kb8": sizes["int8"],
    }


def columns(table: pa.Table, features: tuple[str, ...]) -> Mapping[str, Any]:
    """Raw values as a server would get them."""
    found: dict[str, Any] = {}
    for name in features:
        column = table.column(name)
        listed = pa.types.is_list(column.type) or pa.types.is_large_list(column.type)
        found[name] = column.to_pylist() if listed else np.asarray(column.to_numpy())
    return found


def latencies(name: str, predictor: Predictor) -> None:
    """A line per batch size: the graph alone, and with the encoding of raw values in Python."""
    for batch in BATCHES:
        raw = random_columns(predictor.encoder, batch, 5)
        arrays = predictor.encoder.encode(raw)
        graph = latency_us(lambda arrays=arrays: predictor.run(arrays), seconds=2.0)  # type: ignore[misc]
        whole = latency_us(lambda raw=raw: predictor.predict(raw), seconds=2.0)  # type: ignore[misc]
        print(f"{name:18}{batch:5}{graph['p50']:15.1f}{graph['p99']:9.1f}{whole['p50']:23.1f}{whole['p99']:9.1f}")


if __name__ == "__main__":
    main()
